"""The columns of the ledger's table: one for each attribute of an entry, and of what it consists of.

A new attribute gets its column automatically; in an older file, too, if it has a default.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, TypeVar, get_args

import attrs
from attrs import frozen

from aide_lsp.context.excerpt import Excerpt
from aide_lsp.inference.options import IN_KEY
from aide_lsp.ledger.entry import Entry, RecordedExcerpt
from aide_lsp.settings.fields import FIELDS, Parameters

Made = TypeVar("Made", RecordedExcerpt, Excerpt)
_SQL_TYPES = {int: "INTEGER", float: "REAL", str: "TEXT"}
COMPRESSED = ("text", "completion", "full_excerpts")
"""The columns that hold source text, in the mode `text`."""
_OLDER = {"show": "all"}
"""What held before there was the column, where that is not the attribute's default."""


@frozen
class Column:
    """One column, and how its values are stored."""

    path: tuple[str, ...]
    "The attribute of `Entry`, or the attributes that lead to it: `options`, `parameters`, `top_k`."
    sql_type: str
    "The type in SQL, with its constraint."
    types: tuple[type, ...]
    "The types that stored values have."
    encode: Callable[[Any], Any] | None = None
    "Makes the stored value; None: it is stored as it is."
    decode: Callable[[Any], Any] | None = None
    "Makes the value again."
    default: Any = None
    "The value in rows that are older than the column, or that an older Aide has added."
    is_required: bool = False
    "Every ledger has this column: its attribute has no default."

    @property
    def name(self) -> str:
        """Its name in the table."""
        return self.path[-1]

    def value(self, entry: Entry) -> Any:
        """Return the value of an entry."""
        return reduce(getattr, self.path, entry)

    def store(self, value: Any) -> Any:
        """Return what is stored for a value."""
        return value if value is None or self.encode is None else self.encode(value)

    def load(self, value: Any) -> Any:
        """Return the value that was stored; another program may have written anything.

        Raises:
            sqlite3.DatabaseError: it has another type.
            zlib.error: it cannot be decompressed.
        """
        if value is None:
            value = self.default
        try:
            if not isinstance(value, self.types):
                raise TypeError
            return value if value is None or self.decode is None else self.decode(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise database_error(f"the value of {self.name} has the wrong type") from error


def row_of(entry: Entry) -> list[Any]:
    """Return what is stored for an entry, in the order of `COLUMNS`."""
    return [column.store(column.value(entry)) for column in COLUMNS]


def entry_of_row(row: Sequence[Any]) -> Entry:
    """Return the entry that was stored.

    Raises:
        sqlite3.DatabaseError: a value has another type.
        zlib.error: a text cannot be decompressed.
    """
    values = {column.path: column.load(value) for column, value in zip(COLUMNS, row, strict=True)}
    entry: Entry = _built(Entry, values)
    return entry


def _built(cls: type, values: Mapping[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> Any:
    """Build an instance from the values at and below a path."""
    return cls(
        **{
            field.name: _built(part, values, (*path, field.name))
            if (part := _part_of(field))
            else values[*path, field.name]
            for field in _recorded(cls)
        }
    )


def _recorded(cls: type) -> list["attrs.Attribute[Any]"]:
    """Return the attributes that have columns: not those that change no completion."""
    return [field for field in attrs.fields(cls) if field.metadata.get(IN_KEY, True)]


def database_error(message: str) -> Exception:
    """Make the error that SQLite would raise, had it found the damage itself."""
    # Imported only when it is needed: some Pythons lack it, and a ledger that is off needs no SQLite.
    import sqlite3

    return sqlite3.DatabaseError(message)


def _part_of(field: "attrs.Attribute[Any]") -> type | None:
    """Return the class of an attribute that has columns of its own; None: it is one value."""
    return field.type if field.type is not None and attrs.has(field.type) else None


def _columns(cls: type = Entry, path: tuple[str, ...] = ()) -> Iterator[Column]:
    for field in _recorded(cls):
        here = (*path, field.name)
        if part := _part_of(field):
            yield from _columns(part, here)
        elif field.name == "excerpts":
            yield Column(here, "TEXT", (str,), _excerpts_json, _excerpts, default="")
        elif field.name == "full_excerpts":
            yield Column(here, "BLOB", (bytes, type(None)), _compressed_excerpts, _full_excerpts)
        elif field.name in COMPRESSED:
            yield Column(here, "BLOB", (bytes, type(None)), _compressed, _decompressed)
        elif cls is Parameters and _is_unlimited(field.name):
            # A seed, for example, may have more than the 64 bits of SQLite's integers.
            yield Column(here, "TEXT", (str, type(None)), str, int, field.default)
        else:
            yield _plain(field, here, " UNIQUE" if field.name == "id" else "")


def _is_unlimited(parameter: str) -> bool:
    limits = FIELDS[parameter]
    return limits.type is int and limits.minimum is None and limits.maximum is None


def _plain(field: "attrs.Attribute[Any]", path: tuple[str, ...], constraint: str = "") -> Column:
    types = _types(field)
    required = field.default is attrs.NOTHING
    default = _OLDER.get(field.name, None if required else field.default)
    return Column(path, _SQL_TYPES[types[0]] + constraint, types, default=default, is_required=required)


def _types(field: "attrs.Attribute[Any]") -> tuple[type, ...]:
    types = get_args(field.type) or (field.type,)
    return (*types, int) if float in types else types


def _compressed(text: str) -> bytes:
    return zlib.compress(text.encode("utf-8", "surrogatepass"))


def _decompressed(data: bytes) -> str:
    return zlib.decompress(data).decode("utf-8", "surrogatepass")


def _excerpts_json(excerpts: Sequence[RecordedExcerpt]) -> str:
    """Encode what was read of other files; nothing, most of the time, takes no bytes."""
    return json.dumps([attrs.astuple(excerpt) for excerpt in excerpts]) if excerpts else ""


def _excerpts(stored: str) -> tuple[RecordedExcerpt, ...]:
    return _instances(RecordedExcerpt, stored) if stored else ()


def _compressed_excerpts(excerpts: Sequence[Excerpt]) -> bytes:
    return _compressed(json.dumps([attrs.astuple(excerpt) for excerpt in excerpts]))


def _full_excerpts(data: bytes) -> tuple[Excerpt, ...]:
    return _instances(Excerpt, _decompressed(data))


def _instances(cls: type[Made], stored: str) -> tuple[Made, ...]:
    """Build the instances whose values are in a JSON list of lists.

    Raises:
        TypeError, ValueError, RecursionError: it is none, or has other values.
    """
    made = tuple(cls(*values) for values in json.loads(stored))
    for one in made:
        for field in attrs.fields(cls):
            if not isinstance(getattr(one, field.name), _types(field)):
                raise TypeError
    return made


COLUMNS = tuple(_columns())
