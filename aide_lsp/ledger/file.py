"""The ledger's file: SQLite, readable by its user alone, bounded in rows and in bytes.

In: entries, marks. Out: entries. A connection lives for one call of `opened`, so the file may be removed at
any time, and several processes share it. It does not know what an entry means.
"""

import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import attrs

from aide_lsp.errors import LedgerError, disk_is_full
from aide_lsp.ledger.entry import Entry
from aide_lsp.settings.fields import PARAMETERS, Parameters

if TYPE_CHECKING:
    from sqlite3 import Connection

VERSION = 1
"""Of the table; another version is another table."""
ROWS = 2_000
"""Completions that are kept."""
TEXT_BYTES = 4_000_000
"""Compressed bytes of texts that are kept, in the mode `text`; of older completions the hashes stay."""
WAIT_SECONDS = 5.0
"""How long another process may hold the file."""
_KINDS = {int: "INTEGER", float: "REAL", str: "TEXT"}
_COMPRESSED = frozenset({"text", "completion"})
_DECIMAL = frozenset({"seed"})
"""Kept as decimal digits: a seed may have more than a column of numbers takes."""
_FIELDS: "dict[str, attrs.Attribute[Any]]" = {
    column.name: column
    for field in attrs.fields(Entry)
    for column in (attrs.fields(Parameters) if field.type is Parameters else (field,))
}
"""What each column holds, by its name."""
_COLUMNS = tuple(_FIELDS)
_ID = re.compile("[A-Za-z0-9_-]{1,64}")
_INTEGER = re.compile("-?[0-9]{1,4299}")


class ForeignFileError(LedgerError):
    """Where the ledger should be there is something else, which is left as it is."""


class LedgerFile:
    """An open ledger. Made by `opened`."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        row = connection.execute("SELECT value FROM salt").fetchone()
        if row is None or not isinstance(row[0], bytes):
            raise _database_error("its salt is missing")
        self.salt: bytes = row[0]
        """What all hashes in this file are made with."""

    def add(self, entry: Entry) -> None:
        """Keep an entry; one with the same id stays as it is."""
        names, marks = ", ".join(_COLUMNS), ", ".join("?" * len(_COLUMNS))
        holders = {name: entry.parameters if name in PARAMETERS else entry for name in _COLUMNS}
        values = [_stored(name, getattr(holder, name)) for name, holder in holders.items()]
        self._connection.execute(f"INSERT OR IGNORE INTO completions ({names}) VALUES ({marks})", values)

    def mark_shown(self, completion_id: str) -> None:
        """Count that an editor was given a completion; one that is not kept is nothing to count."""
        self._connection.execute("UPDATE completions SET shown = shown + 1 WHERE id = ?", (completion_id,))

    def mark_accepted(self, completion_id: str, time: float) -> None:
        """Note that the user took a completion."""
        self._connection.execute("UPDATE completions SET accepted = ? WHERE id = ?", (time, completion_id))

    def trim(self) -> None:
        """Drop the oldest entries, and of old ones the texts, until the bounds are kept."""
        self._connection.execute(
            "DELETE FROM completions WHERE number <= "
            "(SELECT number FROM completions ORDER BY number DESC LIMIT 1 OFFSET ?)",
            (ROWS,),
        )
        self._connection.execute(
            "UPDATE completions SET text = NULL, completion = NULL WHERE text IS NOT NULL AND number <= "
            "(SELECT MAX(number) FROM (SELECT number, SUM(LENGTH(text)) OVER (ORDER BY number DESC) AS total"
            " FROM completions WHERE text IS NOT NULL) WHERE total > ?)",
            (TEXT_BYTES,),
        )

    def newest(self, count: int = ROWS) -> list[Entry]:
        """Return the last entries, newest first."""
        return self._select("ORDER BY number DESC LIMIT ?", count)

    def find(self, beginning: str) -> Entry:
        """Return the entry whose id begins so.

        Raises:
            LedgerError: there is none, or more than one.
        """
        if _ID.fullmatch(beginning) is None:
            raise LedgerError("An id is letters and digits, or the first of them. `aide log` shows all ids.")
        found = self._select(
            "WHERE substr(id, 1, ?) = ? ORDER BY number DESC LIMIT 2", len(beginning), beginning
        )
        if len(found) == 1:
            return found[0]
        if found:
            raise LedgerError(
                f"Several completions have an id that begins with {beginning}: give more of it."
            )
        raise LedgerError(f"The ledger holds no completion {beginning}. `aide log` shows what it holds.")

    def clear(self) -> int:
        """Forget all completions; return how many there were."""
        count: int = self._connection.execute("DELETE FROM completions").rowcount
        return count

    def _select(self, rest: str, *values: Any) -> list[Entry]:
        rows = self._connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM completions {rest}", values)
        return [_entry(dict(zip(_COLUMNS, row, strict=True))) for row in rows]


@contextmanager
def opened(path: Path) -> Iterator[LedgerFile]:
    """Open the ledger, and make it where there is none. What is done inside is done as a whole, or not.

    Raises:
        LedgerError: it cannot be read or written; the message says why and what to do.
    """
    try:
        import sqlite3
    except ImportError as error:
        raise LedgerError("This Python has no SQLite (module sqlite3), so there is no ledger.") from error
    try:
        _make_private(path)
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _refusal(path, error) from error
    try:
        _prepare(connection, path)
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
    """Forget all completions and give the space back; a file that cannot be read is removed."""
    try:
        with opened(path) as ledger:
            count = ledger.clear()
        _shrink(path)
    except ForeignFileError:
        raise
    except LedgerError:
        _remove(path)
        return 0
    return count


def _make_private(path: Path) -> None:
    """Create the file for its user alone; SQLite gives the files beside it the same mode."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _prepare(connection: "Connection", path: Path) -> None:
    """Set the connection up, and make the table in a new file."""
    version, tables, columns = connection.execute(
        "SELECT user_version, (SELECT count(*) FROM sqlite_master), "
        "(SELECT count(*) FROM pragma_table_info('completions')) FROM pragma_user_version"
    ).fetchone()
    if version == 0 and tables:
        raise ForeignFileError(
            f"{path} is a database of another program. Move it elsewhere, or set AIDE_DATA_DIR to another "
            "folder."
        )
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    if version == VERSION:
        if columns <= len(_COLUMNS):
            _add_parameters(connection)
        return
    if version > VERSION:
        raise LedgerError(
            f"The ledger {path} was written by a newer Aide. Update, or forget it with `aide log --clear`."
        )
    columns = ", ".join(map(_column, _FIELDS.values()))
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS completions (number INTEGER PRIMARY KEY AUTOINCREMENT, {columns})"
    )
    connection.execute(
        "CREATE TABLE IF NOT EXISTS salt (one INTEGER PRIMARY KEY CHECK (one = 1), value BLOB)"
    )
    connection.execute("INSERT OR IGNORE INTO salt VALUES (1, ?)", (os.urandom(16),))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _add_parameters(connection: "Connection") -> None:
    """Add a column for each parameter that Aide did not have yet when it made the table."""
    connection.execute("BEGIN IMMEDIATE")
    present = {name for (name,) in connection.execute("SELECT name FROM pragma_table_info('completions')")}
    for field in attrs.fields(Parameters):
        if field.name not in present:
            default = "NULL" if field.default is None else repr(field.default)
            connection.execute(f"ALTER TABLE completions ADD COLUMN {_column(field)} DEFAULT {default}")
    connection.execute("COMMIT")


def _column(field: "attrs.Attribute[Any]") -> str:
    if field.name in _COMPRESSED:
        return f"{field.name} BLOB"
    if field.name in _DECIMAL:
        return f"{field.name} TEXT"
    kind = next(_KINDS[kind] for kind in _KINDS if field.type in (kind, kind | None))
    return f"{field.name} {kind}{' UNIQUE' if field.name == 'id' else ''}"


def _entry(values: dict[str, Any]) -> Entry:
    loaded = {name: _loaded(_FIELDS[name], value) for name, value in values.items()}
    parameters = Parameters(**{key: loaded.pop(key) for key in PARAMETERS})
    return Entry(**loaded, parameters=parameters)


def _stored(name: str, value: Any) -> Any:
    if name in _DECIMAL and value is not None:
        return str(value)
    if name in _COMPRESSED and value is not None:
        return zlib.compress(value.encode("utf-8", "surrogatepass"))
    return value


def _loaded(field: "attrs.Attribute[Any]", value: Any) -> Any:
    """Return what was stored; a file that another program wrote to may hold anything."""
    if field.name in _COMPRESSED and isinstance(value, bytes):
        return zlib.decompress(value).decode("utf-8", "surrogatepass")
    if field.name in _DECIMAL and isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    kinds = get_args(field.type) or (field.type, int if field.type is float else field.type)
    if (field.name in _COMPRESSED and value is not None) or not isinstance(value, kinds):
        raise _database_error(f"the value of {field.name} is not of its type")
    return value


def _database_error(message: str) -> Exception:
    """Make the error that SQLite would raise, had it seen the fault itself."""
    import sqlite3

    return sqlite3.DatabaseError(message)


def _refusal(path: Path, error: Exception) -> LedgerError:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if "disk is full" in reason or (isinstance(error, OSError) and disk_is_full(error)):
        return LedgerError(f"The ledger {path} cannot be written: the disk is full. Free some space.")
    return LedgerError(
        f"The ledger {path} cannot be used: {reason}. If it is damaged, `aide log --clear` removes it; "
        'ledger = "off" does without.'
    )


def _shrink(path: Path) -> None:
    import sqlite3

    try:
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _refusal(path, error) from error


def _remove(path: Path) -> None:
    try:
        for beside in ("", "-wal", "-shm", "-journal"):
            path.with_name(path.name + beside).unlink(missing_ok=True)
    except OSError as error:
        raise _refusal(path, error) from error
