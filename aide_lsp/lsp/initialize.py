"""Answers `initialize` before the protocol's library is imported, which takes half a second.

In: the first message. Out: the answer to it, if it is a proper `initialize`. It knows no other method.
"""

from typing import Any

from aide_lsp import __version__
from aide_lsp.lsp.client import ClientProfile, ProfileError, read_profile, whole
from aide_lsp.lsp.commands.table import COMMANDS

# Characters after which clients that only know `completion` ask by themselves, besides in words.
TRIGGERS = [".", "(", "[", "{", ",", "=", ":"]
INCREMENTAL = 2


def profile_of(message: Any) -> ClientProfile | None:
    """Read a proper `initialize` request; None: it is none, and the protocol's rules shall say why."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return None
    msg_id = message.get("id")
    if message.get("method") != "initialize" or not _is_id(msg_id):
        return None
    try:
        return read_profile(message.get("params"))
    except ProfileError:
        return None


def _is_id(value: Any) -> bool:
    return isinstance(value, str) or whole(value) is not None


def initialize_result(profile: ClientProfile) -> dict[str, Any]:
    """Say what the server can do for this client."""
    capabilities: dict[str, Any] = {
        "positionEncoding": profile.encoding,
        "textDocumentSync": {"openClose": True, "change": INCREMENTAL},
        "inlineCompletionProvider": {},
        "executeCommandProvider": {"commands": [command.name for command in COMMANDS]},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if not profile.inline_completion:  # the others would be offered everything twice
        capabilities["completionProvider"] = {"triggerCharacters": TRIGGERS}
    return {"capabilities": capabilities, "serverInfo": {"name": "aide-lsp", "version": __version__}}
