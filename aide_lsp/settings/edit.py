"""Writes values into a settings file: `.aide.toml`, `[tool.aide]` in `pyproject.toml`, or the user's own.

What the user wrote stays: a new key adds one line, a changed key keeps its comment, and a removed key takes
its line with it. A project file outside the project is never written.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

from attrs import frozen

from aide_lsp import toml_file
from aide_lsp.disk import refusal, replacing
from aide_lsp.errors import SettingsError, disk_is_full
from aide_lsp.settings.project_folders import PROJECT_FILE, PYPROJECT, Owner, distrust, project_root
from aide_lsp.toml_file import UnreadableError

LARGEST = 65_536
"""Bytes of a file that is edited; longer ones would take seconds."""
HEADER = "# Aide settings for this project. Settings in your editor override them.\n"
BOM = "\ufeff"
_Table = tuple[str, ...]


@frozen
class FileEdit:
    """A file's contents before and after an edit."""

    path: Path
    "The file, links resolved."
    old: bytes | None
    "None: there is no such file."
    new: bytes


class NoProjectError(SettingsError):
    """The document belongs to no project, so a new project file needs the user's consent."""

    def __init__(self, document: Path, path: Path) -> None:
        super().__init__(
            f"{document.name} belongs to no project. The settings would be in a new file, {path}, which "
            "applies to everything in that folder."
        )
        self.path = path
        "The project file that would be created."


def write_values(
    document: Path, folder: Path | None, values: Mapping[str, Any], create: bool = False
) -> Path | None:
    """Set values in the nearest project file of a document; None removes a key.

    Args:
        document: path of the document.
        folder: its workspace folder; None: its repository. Nothing is read or written above that.
        values: by key, as in `fields.py`.
        create: whether the document's folder becomes a project if the document belongs to none.

    Returns:
        The file that was written; None if nothing had to change.

    Raises:
        NoProjectError: the document belongs to no project, and `create` is not set.
        SettingsError: the file is not TOML, is outside the project, does not belong to the user, or cannot be
            written.
    """
    try:
        root = project_root(document, folder)
        # Without a project there is nothing to remove keys from.
        if not any(value is not None for value in values.values()) and root is None:
            return None
        if root is None and not document.parent.is_dir():
            raise SettingsError(f"Nothing was written: there is no folder {document.parent}.")
        # First, so that the user is not asked about what would then be refused.
        change = plan_edit(document, document.parent if root is None else root, values)
        if root is None and not create:
            raise NoProjectError(document, change.path)
        if change.new == (change.old or b""):
            return None
        _replace(change)
    except OSError as error:
        raise SettingsError(
            f"The project file cannot be written: {refusal(error)}. {_advice(error)}"
        ) from error
    return change.path


def write_user_values(path: Path, values: Mapping[str, Any]) -> Path | None:
    """Set values in the user's own file; None removes a key. Returns and raises as `write_values`."""

    def set_all(text: str, exists: bool) -> str:
        set_values = {key: value for key, value in values.items() if value is not None or exists}
        return edit(text, (), set_values, path)

    return _rewrite_user_file(path, set_all)


def change_user_file(path: Path, change: Callable[[MutableMapping[str, Any]], None]) -> Path | None:
    """Change what the user's own file holds, tables included. Returns and raises as `write_values`.

    Args:
        path: of the file.
        change: called with the file's contents, which it changes in place. It is called more than once.
    """
    return _rewrite_user_file(path, lambda text, exists: _changed(text, change, path))


def _rewrite_user_file(path: Path, edited: Callable[[str, bool], str]) -> Path | None:
    try:
        real = path.resolve()  # the user's own file may be a link to anywhere
        old = _read(real) if real.exists() else None
        new = edited(_decode(old or b"", path), old is not None).encode("utf-8")
        if new == (old or b""):
            return None
        real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(FileEdit(real, old, new), mode=0o600)
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {refusal(error)}. {_advice(error)}") from error
    return path


def _changed(text: str, change: Callable[[MutableMapping[str, Any]], None], path: Path) -> str:
    # Slow to import, and rarely needed.
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    before, wanted = _loads(text, path), _loads(text, path)
    change(wanted)
    if wanted == before:
        return text

    def rewrite(plain: str) -> str:
        try:
            parsed = tomlkit.parse(plain)
            change(parsed)
            edited = parsed.as_string()
        except (TOMLKitError, RecursionError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise SettingsError(f"{path} cannot be changed. Edit it by hand.") from error
        if _loads(edited, path) != wanted:
            raise SettingsError(f"{path} cannot be changed safely. Edit it by hand.")
        return edited

    return _as_plain(text, rewrite)


def plan_edit(document: Path, root: Path, values: Mapping[str, Any]) -> FileEdit:
    """Return what `write_values` would write for a document of a project with this root."""
    # Both resolved: a linked folder inside the project may lead out of it.
    path = _find(document.parent.resolve(), root.resolve())
    _check_owner(path)
    old = _read(path) if path.exists() else None
    if old is None:
        set_values = {key: value for key, value in values.items() if value is not None}
        text = edit(HEADER, (), set_values, path) if set_values else ""
    else:
        text = edit(_decode(old, path), _table_of(path), values, path)
    return FileEdit(path, old, text.encode("utf-8"))


def edit(text: str, table: _Table, values: Mapping[str, Any], path: Path) -> str:
    """Return a TOML text with these values in a table; None removes a key.

    Raises:
        SettingsError: the text is not TOML, or cannot be changed safely.
    """

    def set_all(plain: str) -> str:
        for key, value in values.items():
            plain = _edit_one(plain, table, key, value, path)
        return plain

    return _as_plain(text, set_all)


def _as_plain(text: str, rewrite: Callable[[str], str]) -> str:
    """Rewrite a text without its byte order mark and with lines that end in \\n, and restore both."""
    # tomlkit takes a byte order mark for a key without a name.
    mark, text = (BOM, text[1:]) if text.startswith(BOM) else ("", text)
    # If all lines end in CRLF, so does a new one.
    # tomlkit ends a new line with \n whatever the others end with.
    windows = "\r\n" in text and text.count("\n") == text.count("\r\n")
    text = rewrite(text.replace("\r\n", "\n") if windows else text)
    return mark + (text.replace("\n", "\r\n") if windows else text)


def _edit_one(text: str, table: _Table, key: str, value: Any, path: Path) -> str:
    wanted = _loads(text, path)
    holder = _holder(wanted, table)
    if value is None and key not in holder:
        return text
    if isinstance(holder.get(key), dict):
        raise SettingsError(f"{path} was not changed because {key} is a table there.")
    adds, removes = key not in holder, value is None
    if removes:
        del holder[key]
    else:
        holder[key] = value
    edited = _with_tomlkit(text, table, key, value, path)
    edited = _least_change(text, edited, adds, removes)
    # Whatever the text looks like: it now means exactly what was wanted, or it stays unchanged.
    if _loads(edited, path) != wanted:
        raise SettingsError(f"{path} cannot be changed safely. Set {key} there by hand.")
    return edited


def _with_tomlkit(text: str, table: _Table, key: str, value: Any, path: Path) -> str:
    # Slow to import, and rarely needed.
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        parsed = tomlkit.parse(text)
        holder: Any = parsed
        for name in table:
            holder = holder[name]
        if value is None:
            del holder[key]
        else:
            holder[key] = value
        return parsed.as_string()
    except (TOMLKitError, RecursionError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(f"{path} cannot be changed. Set {key} there by hand.") from error


def _least_change(text: str, edited: str, adds: bool, removes: bool) -> str:
    """Apply only the one line that was added, changed or removed, and keep all other lines."""
    # tomlkit may change other lines too: it puts tables of the same array (`[[rules]]`) next to each other.
    old, new = text.split("\n"), edited.split("\n")
    at = next((n for n, line in enumerate(old) if n >= len(new) or new[n] != line), len(old))
    lines = [*old[:at], *([] if removes else new[at : at + 1]), *old[at if adds else at + 1 :]]
    least = "\n".join(lines)
    # More changes if a value spans several lines or is inside an inline table.
    return least if _means_same(least, edited) else edited


def _means_same(one: str, other: str) -> bool:
    try:
        return toml_file.parse(one.encode(), LARGEST) == toml_file.parse(other.encode(), LARGEST)
    except UnreadableError:
        return False


def _loads(text: str, path: Path) -> dict[str, Any]:
    try:
        return toml_file.parse(text.encode("utf-8"), LARGEST)
    except UnreadableError as error:
        raise SettingsError(f"{path} was not changed because it is not valid TOML: {error}.") from error


def _holder(parsed: dict[str, Any], table: _Table) -> dict[str, Any]:
    for name in table:
        parsed = parsed[name]
    return parsed


def _find(start: Path, root: Path) -> Path:
    """Return the nearest project file from `start` up to `root`, or the one to create in `root`."""
    if not start.is_relative_to(root):
        raise SettingsError(f"Nothing was written: {start} is not in the folder {root}.")
    for place in (start, *start.parents):
        for name in (PROJECT_FILE, PYPROJECT):
            # A link to nothing counts too: writing through it would create its target, wherever that is.
            if (place / name).is_symlink() or (place / name).exists():
                path = _inside(place / name, root)
                if name == PROJECT_FILE or _sets_something(path):
                    return path
        if place == root:
            break
    return root / PROJECT_FILE


def _check_owner(path: Path) -> None:
    file = Owner.of(path.stat()) if path.exists() else None
    if (why := distrust(path, file, Owner.of(path.parent.stat()))) is not None:
        raise SettingsError(f"{path} was not written because {why}.")


def _inside(path: Path, root: Path) -> Path:
    """Follow a link, but only inside the project."""
    target = path.resolve()
    if not target.is_relative_to(root):
        raise SettingsError(f"Nothing was written: {path} is a link to {target}, outside the project.")
    if not target.is_file():
        raise SettingsError(f"Nothing was written: {path} is not a regular file.")
    return target


def _sets_something(path: Path) -> bool:
    """Whether a `pyproject.toml` has a table for Aide."""
    text = _decode(_read(path), path)
    try:
        tool = toml_file.parse(text.encode("utf-8"), LARGEST).get("tool")
    except UnreadableError:
        # If it is broken, it concerns Aide only if it has a table for it.
        return re.search(r"^\s*\[\s*tool\s*\.\s*aide\b", text, re.MULTILINE) is not None
    return isinstance(tool, dict) and isinstance(tool.get("aide"), dict)


def _table_of(path: Path) -> _Table:
    return ("tool", "aide") if path.name == PYPROJECT else ()


def _read(path: Path) -> bytes:
    try:
        data = toml_file.read_bytes(path, LARGEST)
    except UnreadableError as error:
        raise SettingsError(f"{path} cannot be read: {error}. Nothing was written.") from error
    if len(data) > LARGEST:
        raise SettingsError(f"Nothing was written: {path} is larger than {LARGEST:,} bytes. Edit it by hand.")
    return data


def _decode(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} was not changed because it is not UTF-8 text.") from error


def _advice(error: OSError) -> str:
    if disk_is_full(error):
        return "Free some space on the disk, then try again."
    return "Check the permissions of the file and its folder, then try again."


def _replace(change: FileEdit, mode: int = 0o666) -> None:
    """Replace a file that is as it was read; a new one gets `mode`, less what the umask forbids."""
    with replacing(change.path, mode) as file:
        file.write(change.new)
        # An editor may have saved the file since it was read.
        if (_read(change.path) if change.path.exists() else None) != change.old:
            raise SettingsError(f"{change.path} changed in the meantime. Try again.")
