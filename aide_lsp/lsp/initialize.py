"""Answers `initialize` before the protocol's library is imported, which takes half a second.

In: the first message. Out: the answer to it, if it is a proper `initialize`. It knows no other method.
"""

from typing import Any

from aide_lsp import __version__
from aide_lsp.lsp.client import ClientProfile, ProfileError, read_profile, whole

REGENERATE, STATUS, ACCEPTED = "aide.regenerate", "aide.status", "aide.accepted"
SETTINGS = "aide.settings"
TROUBLESHOOT, EXPLAIN = "aide.troubleshoot", "aide.explain"
PREVIOUS_SEED, PIN_SEED, UNPIN_SEED = "aide.previousSeed", "aide.pinSeed", "aide.unpinSeed"
PAUSE, RESUME, CHOICES = "aide.pause", "aide.resume", "aide.choices"
CHOOSE_PRESET, SELECT_MODEL = "aide.choosePreset", "aide.selectModel"
COMMANDS = (
    REGENERATE, PREVIOUS_SEED, PIN_SEED, UNPIN_SEED, TROUBLESHOOT, EXPLAIN, SETTINGS, STATUS, ACCEPTED,
    PAUSE, RESUME, CHOICES, CHOOSE_PRESET, SELECT_MODEL,
)  # fmt: skip
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
        "executeCommandProvider": {"commands": list(COMMANDS)},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if not profile.inline_completion:  # the others would be offered everything twice
        capabilities["completionProvider"] = {"triggerCharacters": TRIGGERS}
    return {"capabilities": capabilities, "serverInfo": {"name": "aide-lsp", "version": __version__}}
