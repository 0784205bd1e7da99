"""The ledger's file: an SQLite database, readable only by its user, and limited in rows and bytes.

A connection is open only inside `opened`, so the file may be removed at any time, and several processes can
share it.
"""

import os
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from aide_lsp.errors import LedgerError, disk_is_full
from aide_lsp.ledger.columns import COLUMNS, COMPRESSED, database_error, entry_of_row, row_of
from aide_lsp.ledger.entry import Entry

if TYPE_CHECKING:
    from sqlite3 import Connection

VERSION = 1
"""Version of the table; new columns with a default do not change it."""
ROWS = 2_000
"""Maximum number of completions."""
TEXT_BYTES = 4_000_000
"""Maximum compressed size of all texts and completions; older ones are dropped, and their hashes stay."""
WAIT_SECONDS = 5.0
"""How long to wait while another process has the file locked."""
SMALLEST_FREE = 65_536
"""Bytes: where fewer are free, an I/O error is taken to mean that. A ledger must not be deleted for it."""
_LOCKED = (5, 6)
"""SQLite's codes BUSY and LOCKED. The module `sqlite3` is imported only when it is needed."""
_NAMES = ", ".join(column.name for column in COLUMNS)
_ID = re.compile("[A-Za-z0-9_-]{1,64}")


class ForeignFileError(LedgerError):
    """The file is not a ledger, and is left as it is."""


class LockedFileError(LedgerError):
    """Another process holds the file; nothing is lost."""


class LedgerFile:
    """An open ledger; see `opened`."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        row = connection.execute("SELECT value FROM salt").fetchone()
        if row is None or not isinstance(row[0], bytes):
            raise database_error("its salt is missing")
        self.salt: bytes = row[0]
        """The key of all hashes in this file."""

    def add(self, entry: Entry) -> None:
        """Add an entry; one with the same id stays unchanged."""
        marks = ", ".join("?" * len(COLUMNS))
        self._connection.execute(
            f"INSERT OR IGNORE INTO completions ({_NAMES}) VALUES ({marks})", row_of(entry)
        )

    def mark_shown(self, completion_id: str) -> bool:
        """Count that a completion was sent to an editor; return whether it is recorded."""
        return self._mark("shown = shown + 1", completion_id)

    def mark_accepted(self, completion_id: str, time: float) -> bool:
        """Record that the user accepted a completion; return whether it is recorded."""
        return self._mark("accepted = ?", time, completion_id)

    def _mark(self, change: str, *values: Any) -> bool:
        """`change`: SQL with the marks of all values but the last, the id."""
        done = self._connection.execute(f"UPDATE completions SET {change} WHERE id = ?", values)
        return done.rowcount > 0

    def trim(self) -> None:
        """Drop the oldest entries, and the texts of old ones, until the limits are met."""
        self._connection.execute(
            "DELETE FROM completions WHERE number <= "
            "(SELECT number FROM completions ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (ROWS,),
        )
        sizes = " + ".join(f"IFNULL(LENGTH({name}), 0)" for name in COMPRESSED)
        self._connection.execute(
            f"UPDATE completions SET {', '.join(f'{name} = NULL' for name in COMPRESSED)} "
            f"WHERE ({' OR '.join(f'{name} IS NOT NULL' for name in COMPRESSED)}) AND number <= "
            f"(SELECT MAX(number) FROM (SELECT number, SUM({sizes}) OVER (ORDER BY number DESC) AS total"
            " FROM completions) WHERE total > ?)",
            (TEXT_BYTES,),
        )

    def newest(self, count: int = ROWS) -> list[Entry]:
        """Return the latest entries, newest first."""
        return self._select("ORDER BY number DESC LIMIT ?", count)

    def find(self, beginning: str) -> Entry:
        """Return the entry whose id begins with `beginning`.

        Raises:
            LedgerError: there is none, or more than one.
        """
        if _ID.fullmatch(beginning) is None:
            raise LedgerError("An id consists of letters and digits. `aide log` shows all ids.")
        # Not LIKE, for which an id's "_" is a wildcard. Two rows show that the id is ambiguous.
        found = self._select(
            "WHERE substr(id, 1, ?) = ? ORDER BY number DESC LIMIT 2", len(beginning), beginning
        )
        if len(found) == 1:
            return found[0]
        if found:
            raise LedgerError(
                f"Several completions have an id that begins with {beginning}: enter more of it."
            )
        raise LedgerError(f"The ledger has no completion {beginning}. `aide log` shows all ids.")

    def clear(self) -> int:
        """Delete all completions; return how many there were."""
        count: int = self._connection.execute("DELETE FROM completions").rowcount
        return count

    def _select(self, rest: str, *values: Any) -> list[Entry]:
        rows = self._connection.execute(f"SELECT {_NAMES} FROM completions {rest}", values)
        return [entry_of_row(row) for row in rows]


@contextmanager
def opened(path: Path) -> Iterator[LedgerFile]:
    """Open the ledger, or create it. Changes inside the block are made completely or not at all.

    Raises:
        LedgerError: it cannot be read or written; the message says why and what to do.
    """
    try:
        import sqlite3
    except ImportError as error:
        raise LedgerError("This Python has no SQLite (module sqlite3), which the ledger needs.") from error
    try:
        _make_private(path)
        # The module's own transactions would begin with the first change, not with the block.
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _refusal(path, error) from error
    try:
        _prepare(connection, path)
        # The block holds the write lock from its beginning, so nothing it reads can change under it.
        connection.execute("BEGIN IMMEDIATE")
        yield LedgerFile(connection)
        connection.execute("COMMIT")
    except (sqlite3.Error, zlib.error) as error:
        raise _refusal(path, error) from error
    finally:
        # Closing rolls back what was not committed.
        with suppress(sqlite3.Error):
            connection.close()


def forget(path: Path) -> int:
    """Delete all completions and free their space; remove a file that cannot be read."""
    try:
        with opened(path) as ledger:
            count = ledger.clear()
        _shrink(path)
    # Not Aide's to delete, or not damaged.
    except (ForeignFileError, LockedFileError):
        raise
    except LedgerError:
        _remove(path)
        return 0
    return count


def _make_private(path: Path) -> None:
    """Create the file for its user only; SQLite gives its helper files the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _keep_write_ahead_log(connection: "Connection") -> None:
    """Switch the file to a write-ahead log. SQLite itself does not wait for others here."""
    import sqlite3

    until = monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _LOCKED or monotonic() >= until:
                raise
            sleep(0.01)


def _prepare(connection: "Connection", path: Path) -> None:
    """Configure the connection, and create the tables in a new file."""
    version, tables, columns = connection.execute(
        "SELECT user_version, (SELECT count(*) FROM sqlite_master), "
        "(SELECT count(*) FROM pragma_table_info('completions')) FROM pragma_user_version"
    ).fetchone()
    # Before the pragmas, because `journal_mode` is stored in the file.
    if version == 0 and tables:
        raise ForeignFileError(
            f"{path} is a database of another program. Move it elsewhere, or set AIDE_DATA_DIR to another "
            "folder."
        )
    # `secure_delete` overwrites what is deleted, so that no source text stays in the file.
    for pragma in ("synchronous = NORMAL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    _keep_write_ahead_log(connection)
    if version == VERSION:
        # An up-to-date table has one more, `number`.
        if columns <= len(COLUMNS):
            _add_columns(connection)
        return
    if version > VERSION:
        raise LedgerError(
            f"The ledger {path} was written by a newer version of Aide. "
            "Update Aide, or delete the ledger with `aide log --clear`."
        )
    # Each statement allows for another process that has created the tables since the version was read.
    definitions = ", ".join(f"{column.name} {column.sql_type}" for column in COLUMNS)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS completions (number INTEGER PRIMARY KEY AUTOINCREMENT, {definitions})"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS salt (one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB)"
    )
    connection.execute("INSERT OR IGNORE INTO salt VALUES (1, ?)", (os.urandom(16),))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _add_columns(connection: "Connection") -> None:
    """Add the columns that are newer than the file."""
    connection.execute("BEGIN IMMEDIATE")
    present = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('completions')")}
    for column in COLUMNS:
        if not column.is_required and column.name not in present:
            # ALTER TABLE takes no bound values; the defaults come from the code.
            default = "NULL" if column.default is None else repr(column.default)
            connection.execute(
                f"ALTER TABLE completions ADD COLUMN {column.name} {column.sql_type} DEFAULT {default}"
            )
    connection.execute("COMMIT")


def _refusal(path: Path, error: Exception) -> LedgerError:
    # The lowest byte of an extended code is the code.
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _LOCKED:
        return LockedFileError(
            f"The ledger {path} is in use: another program has had it locked for {WAIT_SECONDS:g} seconds. "
            "Try again later."
        )
    if path.is_dir():
        return LedgerError(f"The ledger {path} cannot be used: it is a folder. Move it elsewhere.")
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    # SQLite reports a full disk as a text, without an errno, and some of its steps as an I/O error.
    is_full = "disk is full" in reason or (isinstance(error, OSError) and disk_is_full(error))
    if is_full or ("I/O" in reason and shutil.disk_usage(path.parent).free < SMALLEST_FREE):
        return LedgerError(f"The ledger {path} cannot be written: the disk is full. Free some space.")
    # What the system refuses, such as on a read-only disk, is no damage.
    repair = "" if isinstance(error, OSError) else " If it is damaged, delete it with `aide log --clear`."
    return LedgerError(
        f'The ledger {path} cannot be used: {reason}.{repair} To turn the ledger off, set ledger = "off".'
    )


def _shrink(path: Path) -> None:
    import sqlite3

    try:
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            connection.execute("VACUUM")
            # The write-ahead log still holds what was deleted.
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _refusal(path, error) from error


def _remove(path: Path) -> None:
    try:
        for suffix in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
    except OSError as error:
        raise _refusal(path, error) from error
