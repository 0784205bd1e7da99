"""What the client says about itself in `initialize`.

Parsed by hand and tolerantly: a capability unknown to our protocol types must not cost the whole session.
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from aide_lsp.lsp.rpc.messages import whole_number
from aide_lsp.lsp.workspace.positions import ENCODINGS, Encoding

_DERIVING = ("Neovim", "helix", "Emacs")
"""Clients that derive their workspace folders from files. Others have folders that the user opened."""


@frozen
class ClientProfile:
    """The client and its capabilities."""

    name: str = "unknown client"
    "Its name and version, for the log."
    process_id: int | None = None
    "The server exits when this process ends; None: unknown."
    encoding: Encoding = "utf-16"
    "Units of columns: the first of its choices that we support."
    inline_completion: bool = False
    "It requests inline completions, so it needs no completion items."
    configuration: bool = False
    "It answers `workspace/configuration`."
    progress: bool = False
    "It shows work-done progress."
    watched_files: bool = False
    "It can watch files for the server."
    registers_completion: bool = False
    "It takes completion for some files only, after `initialize`."
    registers_hover: bool = False
    "It takes hover texts for some files only, after `initialize`."
    status: bool = False
    "It wants `aide/status` and `aide/ready`: `experimental.aide` is true, or an object."
    first_lines: bool = False
    "It takes the first lines of a completion before the rest: `experimental.aide.firstLines` is true."
    questions: bool = False
    "It can ask the user a question before a model is downloaded: `window.showMessage`, with `status`."
    download: bool = False
    "The user has agreed to the download already: `initializationOptions.download` is true."
    derives_folders: bool = False
    "It takes a file's own folder for a workspace folder if nothing marks a project."
    folders: tuple[str, ...] = ()
    "URIs of its workspace folders."
    options: Any = None
    "Its other initializationOptions."


class ProfileError(Exception):
    """The params of `initialize` are unusable; the message says which one and what is expected."""


def read_profile(params: Any) -> ClientProfile:
    """Read the params of `initialize`.

    Raises:
        ProfileError: they are invalid.
    """
    if not isinstance(params, Mapping):
        raise ProfileError("The params of initialize must be an object.")
    # Lua and PHP write an empty table as [].
    if not isinstance(params.get("capabilities") or {}, Mapping):
        raise ProfileError("capabilities, in the params of initialize, must be an object.")
    options = params.get("initializationOptions")
    download = isinstance(options, Mapping) and options.get("download") is True
    if isinstance(options, Mapping):
        options = {key: value for key, value in options.items() if key != "download"}
    return ClientProfile(
        name=_name(params.get("clientInfo")),
        process_id=_process_id(params.get("processId")),
        encoding=_encoding(params),
        inline_completion=_has(params, "textDocument", "inlineCompletion"),
        configuration=_has(params, "workspace", "configuration"),
        progress=_has(params, "window", "workDoneProgress"),
        watched_files=_has(params, "workspace", "didChangeWatchedFiles", "dynamicRegistration"),
        registers_completion=_has(params, "textDocument", "completion", "dynamicRegistration"),
        registers_hover=_has(params, "textDocument", "hover", "dynamicRegistration"),
        status=_has(params, "experimental", "aide"),
        first_lines=_capability(params, "experimental", "aide", "firstLines") is True,
        questions=_has(params, "experimental", "aide") and _has(params, "window", "showMessage"),
        download=download,
        derives_folders=_name(params.get("clientInfo")).startswith(_DERIVING),
        folders=_folders(params),
        options=options,
    )


def _capability(params: Mapping[str, Any], *path: str) -> Any:
    value: Any = params.get("capabilities")
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _has(params: Mapping[str, Any], *path: str) -> bool:
    """Return whether a capability is `true` or an object, even an empty one."""
    value = _capability(params, *path)
    return value is True or isinstance(value, Mapping)


def _encoding(params: Mapping[str, Any]) -> Encoding:
    offered = _capability(params, "general", "positionEncodings")
    for choice in offered if isinstance(offered, list) else []:
        for encoding in ENCODINGS:
            if choice == encoding:
                return encoding
    return "utf-16"


def folder_uris(folders: Any) -> tuple[str, ...]:
    """Read a list of workspace folders; skip invalid ones."""
    found = folders if isinstance(folders, list) else [folders]
    uris = [folder.get("uri") if isinstance(folder, Mapping) else folder for folder in found]
    return tuple(uri for uri in uris if isinstance(uri, str))


def _process_id(value: Any) -> int | None:
    process_id = (
        int(value)
        if isinstance(value, str) and value.isdecimal() and len(value) < 11
        else whole_number(value)
    )
    if process_id is None and value is not None:
        raise ProfileError("processId, in the params of initialize, must be an integer or null.")
    return process_id


def _folders(params: Mapping[str, Any]) -> tuple[str, ...]:
    if folders := folder_uris(params.get("workspaceFolders")):
        return folders
    root = params.get("rootUri")
    if isinstance(root, str):
        return (root,)
    path = params.get("rootPath")
    if isinstance(path, str) and path:
        from pathlib import Path

        return (Path(path).absolute().as_uri(),)
    return ()


def _name(info: Any) -> str:
    if not isinstance(info, Mapping) or not isinstance(info.get("name"), str):
        return "unknown client"
    return f"{info['name']} {info.get('version') or ''}".strip()[:80]
