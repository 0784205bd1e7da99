"""What can be written at a place of a settings file: keys, tables, and values, from the table of settings."""

import re
from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen

from aide_lsp.settings.fields import FIELDS, KEYS, PARAMETERS, defaults
from aide_lsp.settings.limits import allowed_by
from aide_lsp.settings.presets import DESCRIPTIONS
from aide_lsp.settings.problems import shown
from aide_lsp.settings.tables import LANGUAGES_KEY, PRESETS_KEY, Kind

_HEADER = re.compile(r"^[ \t]*\[\[?([^\]\n]*)\]", re.MULTILINE)
_OPEN_HEADER = re.compile(r"^[ \t]*(\[[^\]]*)$")
_KEY = re.compile(r"^[ \t]*([\w-]*)$")
_VALUE = re.compile(r"^[ \t]*([\w-]+)[ \t]*=[ \t]*(\S*)$")
_WRITTEN = re.compile(r"^[ \t]*([\w-]+)[ \t]*=")


@frozen
class Suggestion:
    """Something to insert."""

    label: str
    insert: str
    """The text that replaces `replaces`."""
    replaces: str
    """What is written already, up to the cursor."""
    detail: str
    text: str
    """Markdown."""
    is_key: bool


@frozen
class Names:
    """Names that the settings table does not hold."""

    models: tuple[str, ...] = ()
    presets: Mapping[str, str] = DESCRIPTIONS
    """Each with what it is for."""
    languages: tuple[str, ...] = ()


def suggestions(before: str, kind: Kind, root: str, names: Names) -> list[Suggestion]:
    """List what can be written at the end of a text.

    Args:
        before: the text up to the cursor.
        kind: whose file it is; a project may set less.
        root: the table that holds the settings: empty, or `tool.aide` in a `pyproject.toml`.
        names: of models, presets, and languages.
    """
    earlier, _, line = before.rpartition("\n")
    table = _table(earlier, root)
    if (found := _OPEN_HEADER.match(line)) is not None:
        return [*_tables(found[1], kind, root, names)]
    if table is None:
        return []
    if (found := _VALUE.match(line)) is not None:
        key = KEYS.get(found[1])
        return [*_values(key, found[2], names)] if key else []
    if (found := _KEY.match(line)) is None:
        return []
    written = {KEYS.get(match[1]) for one in _since(earlier).split("\n") if (match := _WRITTEN.match(one))}
    return [_key(key, found[1]) for key in _keys(table, kind) if key not in written]


def describe(key: str) -> str:
    """Describe a setting, in Markdown."""
    default = defaults()[key]
    text = f"{FIELDS[key].text}\n\nValue: {allowed_by(FIELDS[key])}."
    return text if default is None else f"{text} Default: `{shown(default)}`."


def key_at(line: str) -> str | None:
    """Return the setting that a line sets; None: it sets none."""
    found = _WRITTEN.match(line)
    return KEYS.get(found[1]) if found else None


def _table(earlier: str, root: str) -> str | None:
    """Return the table around the cursor, within `root`; None: it is not ours."""
    headers = _HEADER.findall(earlier)
    name = headers[-1].strip() if headers else ""
    if not root:
        return name
    if name == root:
        return ""
    return name.removeprefix(f"{root}.") if name.startswith(f"{root}.") else None


def _since(earlier: str) -> str:
    """Return the text of the table around the cursor."""
    headers = [*_HEADER.finditer(earlier)]
    return earlier[headers[-1].end() :] if headers else earlier


def _keys(table: str, kind: Kind) -> Iterator[str]:
    for key, field in FIELDS.items():
        if table.startswith(f"{PRESETS_KEY}.") and key not in PARAMETERS:
            continue
        if (field.project or kind == "user") and not (table and field.all_files):
            yield key


def _key(key: str, replaces: str) -> Suggestion:
    return Suggestion(key, f"{key} = ", replaces, FIELDS[key].group, describe(key), True)


def _values(key: str, written: str, names: Names) -> Iterator[Suggestion]:
    field, default = FIELDS[key], defaults()[key]
    choices: Iterable[tuple[str, str]] = ()
    if field.type is bool:
        choices = (("true", ""), ("false", ""))
    elif field.choices:
        choices = [(shown(name), meaning) for name, meaning in field.choices.items()]
    elif key == "preset":
        choices = [(shown(name), text) for name, text in names.presets.items()]
    elif key == "model":
        choices = [(shown(name), "") for name in names.models]
    elif default is not None:
        choices = [(shown(default), "")]
    if field.word:
        choices = [*choices, (shown(field.word), field.none)]
    for value, meaning in choices:
        mark = "default" if value == shown(default) and default is not None else ""
        yield Suggestion(value, value, written, mark, meaning or describe(key), False)


def _tables(written: str, kind: Kind, root: str, names: Names) -> Iterator[Suggestion]:
    inside = f"{root}." if root else ""
    for language in names.languages:
        header = f"[{inside}{LANGUAGES_KEY}.{language}]"
        yield Suggestion(header, header, written, "one language", f"Settings for {language} files.", True)
    files = f'[{inside}"tests/**"]'
    yield Suggestion(files, files, written, "some files", "Settings for the files that match a glob.", True)
    if kind == "user":
        own = f"[{inside}{PRESETS_KEY}.mine]"
        yield Suggestion(own, own, written, "preset", "A preset of your own: parameters with a name.", True)
