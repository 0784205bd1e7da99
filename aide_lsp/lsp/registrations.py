"""What the server asks of a client after `initialize`: to watch files, and to complete in settings files."""

from typing import Any

from lsprotocol import types

from aide_lsp.lsp.client import ClientProfile
from aide_lsp.settings.files import user_file
from aide_lsp.settings.project_folders import PROJECT_FILE, PYPROJECT

SETTINGS_TRIGGERS = ["=", '"', "["]


def registrations_for(profile: ClientProfile) -> list[types.Registration]:
    """Return what to register with a client; only what it can take."""
    found = []
    if profile.watched_files:
        watchers = [types.FileSystemWatcher(glob_pattern=f"**/{name}") for name in (PROJECT_FILE, PYPROJECT)]
        options: Any = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
        found.append(
            types.Registration("aide-project-file", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
        )
    patterns = (f"**/{PROJECT_FILE}", f"**/{PYPROJECT}", user_file().as_posix())
    selector = [types.TextDocumentFilterPattern(scheme="file", pattern=pattern) for pattern in patterns]
    # Only for these files: its list of completions stays without Aide everywhere else.
    if profile.registers_completion and profile.inline_completion:
        options = types.CompletionRegistrationOptions(selector, trigger_characters=SETTINGS_TRIGGERS)
        found.append(types.Registration("aide-settings", types.TEXT_DOCUMENT_COMPLETION, options))
    if profile.registers_hover:
        options = types.HoverRegistrationOptions(selector)
        found.append(types.Registration("aide-settings-hover", types.TEXT_DOCUMENT_HOVER, options))
    return found
