"""The columns of the ledger's table: one for each attribute of an entry and for each parameter.

A new parameter, or a new attribute with a default, gets its column automatically, also in an older file.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, get_args

import attrs
from attrs import frozen

from aide_lsp.ledger.entry import Entry
from aide_lsp.settings.fields import FIELDS, PARAMETERS, Parameters

_SQL_TYPES = {int: "INTEGER", float: "REAL", str: "TEXT"}
_COMPRESSED = ("text", "completion")


@frozen
class Column:
    """One column, and how its values are stored."""

    name: str
    "The attribute of `Entry` or `Parameters`."
    sql_type: str
    "The type in SQL, with its constraint."
    types: tuple[type, ...]
    "The types that stored values have."
    encode: Callable[[Any], Any] | None = None
    "Makes the stored value; None: it is stored as it is."
    decode: Callable[[Any], Any] | None = None
    "Makes the value again."
    default: Any = None
    "The value in rows that are older than the column."
    is_required: bool = False
    "Every ledger has this column: its attribute has no default."

    def store(self, value: Any) -> Any:
        """Return what is stored for a value."""
        return value if value is None or self.encode is None else self.encode(value)

    def load(self, value: Any) -> Any:
        """Return the value that was stored; another program may have written anything.

        Raises:
            sqlite3.DatabaseError: it has another type.
            zlib.error: it cannot be decompressed.
        """
        try:
            if not isinstance(value, self.types):
                raise TypeError
            return value if value is None or self.decode is None else self.decode(value)
        except (TypeError, ValueError) as error:
            raise database_error(f"the value of {self.name} has the wrong type") from error


def row_of(entry: Entry) -> list[Any]:
    """Return what is stored for an entry, in the order of `COLUMNS`."""
    holders = ((column, entry.parameters if column.name in PARAMETERS else entry) for column in COLUMNS)
    return [column.store(getattr(holder, column.name)) for column, holder in holders]


def entry_of_row(row: Sequence[Any]) -> Entry:
    """Return the entry that was stored.

    Raises:
        sqlite3.DatabaseError: a value has another type.
        zlib.error: a text cannot be decompressed.
    """
    values = {column.name: column.load(value) for column, value in zip(COLUMNS, row, strict=True)}
    parameters = Parameters(**{key: values.pop(key) for key in PARAMETERS})
    return Entry(**values, parameters=parameters)


def database_error(message: str) -> Exception:
    """Make the error that SQLite would raise, had it found the damage itself."""
    # Imported only when it is needed: some Pythons lack it, and a ledger that is off needs no SQLite.
    import sqlite3

    return sqlite3.DatabaseError(message)


def _columns() -> Iterator[Column]:
    for field in attrs.fields(Entry):
        if field.type is Parameters:
            yield from (_parameter(parameter) for parameter in attrs.fields(Parameters))
        elif field.name in _COMPRESSED:
            yield Column(field.name, "BLOB", (bytes, type(None)), _compressed, _decompressed)
        else:
            yield _plain(field, " UNIQUE" if field.name == "id" else "")


def _parameter(field: "attrs.Attribute[Any]") -> Column:
    limits = FIELDS[field.name]
    if limits.type is int and limits.minimum is None and limits.maximum is None:
        # A seed, for example, may have more than the 64 bits of SQLite's integers.
        return Column(field.name, "TEXT", (str, type(None)), str, int, field.default)
    return _plain(field)


def _plain(field: "attrs.Attribute[Any]", constraint: str = "") -> Column:
    types = get_args(field.type) or (field.type,)
    stored = (*types, int) if float in types else types
    required = field.default is attrs.NOTHING
    default = None if required else field.default
    return Column(
        field.name, _SQL_TYPES[types[0]] + constraint, stored, default=default, is_required=required
    )


def _compressed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"))


def _decompressed(data: bytes) -> str:
    return zlib.decompress(data).decode("utf-8", "surrogatepass")


COLUMNS = tuple(_columns())
