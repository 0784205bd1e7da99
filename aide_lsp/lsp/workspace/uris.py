"""Which file a document's URI names, whatever its scheme.

Editors use many schemes for the same file: for its unsaved copy, its last commit, a cell of it. Rules (secret
names, `off`, globs) apply to all of them. Nothing here touches the disk.
"""

import json
import re
import sys
from functools import lru_cache
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote

from attrs import frozen

# At least two letters: `C:` is a drive.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_DRIVE = re.compile(r"/?([A-Za-z]):(?=[/\\]|\Z)")
# Schemes of files on another machine. For all others the host is where the editor runs its extensions
# (vscode-notebook-cell://ssh-remote%2Bhost/...), which is where Aide runs too, or it is not a host.
_NETWORK = re.compile(r"https?|s?ftps?|scp|ssh|rsync|rcp|smb|nfs|(web)?davs?|.*-ssh", re.IGNORECASE)
# Git clients name a version of a file below `.git`: fugitive:///p/.git//REVISION/a.py, gitsigns://...:a.py.
_VERSION = re.compile(r"(.*?)/\.git(?:/(?:worktrees|modules)/.*?)?/{1,2}(?::\d:/?|[^/:]*[/:])(.+)", re.DOTALL)
_LONGEST = 4096
"""Characters of a path; no system allows more."""
_ABSOLUTE = re.compile(r"/|[A-Za-z]:[/\\]")
# zipfile:///p/a.zip::x/.env, jar:/p/a.jar!/x/.env, .git//HEAD:.env, and Windows' .env::$DATA
_WITHIN = re.compile(r"::|!/|:")


@frozen
class Location:
    """What a URI names."""

    path: Path | None
    "The file; relative if the URI has no folder. None: it names no file."
    others: tuple[Path, ...] = ()
    "Other names in the URI. A rule that matches one of them applies to the document."
    host: str = ""
    "The machine the path belongs to; empty: this one."

    @property
    def on_disk(self) -> Path | None:
        """The path, if it is on this machine; None: there is nothing to read."""
        if self.path is None or self.host or not self.path.is_absolute():
            return None
        return self.path if len(str(self.path)) <= _LONGEST else None


@lru_cache(maxsize=4096)
def location_of(uri: str) -> Location:
    """Parse a URI. Plain paths are accepted too: some clients send nothing else."""
    found = _SCHEME.match(uri)
    # In a plain path, a percent sign is part of the name.
    scheme, rest = (found[1].lower(), uri[found.end() :]) if found else ("file", uri.replace("%", "%25"))
    host, rest = _split_host(rest)
    cut, _, query = rest.partition("#")[0].partition("?")
    written, others = _decoded(cut), _names_within(_decoded(cut), _decoded(query), scheme)
    # If there is a `?` or `#` in a file's URI, the client did not encode it: it belongs to the name.
    if scheme == "file" and cut != rest:
        others, written = [_path(written), *others], _decoded(rest)
    elif scheme != "file" and (version := _VERSION.fullmatch(written[:_LONGEST])) is not None:
        others, written = [_path(written), *others], f"{version[1]}/{version[2]}"
    names = [name for name in dict.fromkeys((_path(written), *others)) if name is not None]
    if not names:
        return Location(None)
    away = bool(host) and (
        _NETWORK.fullmatch(scheme) is not None or (scheme == "file" and not _is_this_machine(host))
    )
    if away and sys.platform == "win32" and scheme == "file":
        # A network share; only such URIs can name one.
        return Location(Path(f"//{host}{written}"), tuple(names))
    return Location(names[0], tuple(names[1:]), host if away else "")


@lru_cache(maxsize=4096)
def name_of(uri: str) -> str:
    """Return one spelling for all spellings of a URI: decoded, scheme and drive letter in lower case."""
    found = _SCHEME.match(uri)
    scheme, rest = (found[0].lower(), uri[found.end() :]) if found else ("", uri)
    rest = _decoded(rest)
    drive = re.match(r"/{0,3}[A-Za-z]:", rest)
    return scheme + (rest[: drive.end()].lower() + rest[drive.end() :] if drive else rest)


def file_of(uri: str) -> Path | None:
    """Return the path of a document that is itself a file on this machine; None: it is something else."""
    scheme = _SCHEME.match(uri)
    return location_of(uri).on_disk if scheme is None or scheme[1].lower() == "file" else None


def place_of(uri: str) -> Path | None:
    """Return where a document is on this machine, or will be once it is saved; None: nowhere known."""
    scheme = _SCHEME.match(uri)
    is_place = scheme is None or scheme[1].lower() in ("file", "untitled")
    return location_of(uri).on_disk if is_place else None


def _split_host(rest: str) -> tuple[str, str]:
    """Split `//host/path`; extra slashes are ignored."""
    if not rest.startswith("//"):
        return "", rest
    host, slash, path = rest[2:].partition("/")
    if _DRIVE.fullmatch(_decoded(host)):  # file://C:/a.py, a common mistake
        return "", f"/{host}{slash}{path}"
    return _decoded(host).lower(), slash + path


def _is_this_machine(host: str) -> bool:
    import platform

    return host in ("localhost", "127.0.0.1", "[::1]", platform.node().lower())


def _decoded(text: str) -> str:
    """Decode percent-encoding; bytes that are not UTF-8 become surrogates, as in Python's file names."""
    # No file name contains NUL, and system calls raise ValueError for it.
    return unquote(text, errors="surrogateescape").replace("\0", "")


def _path(written: str) -> Path | None:
    """Normalize a path: no `..`, no double slashes, drive letters in lower case."""
    drive = _DRIVE.match(written)
    if drive is not None:
        below = written[drive.end() :].replace("\\", "/").lstrip("/")
        root = f"{drive[1].lower()}:/" if sys.platform == "win32" else f"/{drive[1].lower()}:/"
        return Path(root, normpath(f"/{below}")[1:])
    # normpath keeps two slashes at the beginning, as POSIX allows them a meaning of their own.
    path = normpath(re.sub("^/+", "/", written)) if written else "."
    return None if path in (".", "..") else Path(path)


def _names_within(written: str, query: str, scheme: str) -> list[Path | None]:
    """Return the names inside archives and versions, and those in a query."""
    pieces = re.split("::" if scheme == "file" else _WITHIN, _DRIVE.sub("", written, count=1))
    found = pieces if len(pieces) > 1 else []
    try:
        values = json.loads(query) if query.startswith("{") else {}
    except (ValueError, RecursionError):
        values = {}
    values = [*values.values(), *(pair.rpartition("=")[2] for pair in query.split("&"))]
    texts = [_SCHEME.sub("", value, count=1) for value in values if isinstance(value, str)]
    return [_path(name) for name in [*found, *(text for text in texts if _ABSOLUTE.match(text))]]
