"""Answers `initialize` before the protocol's library is imported, which takes half a second.

In: the messages as they come. Out: the answer to the first, if it is a proper `initialize`; all others in
their order, once there is a server to take them.
It does not know any other method.
"""

from collections.abc import Callable
from threading import Condition
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


class Inbox:
    """Keeps messages until somebody takes them. `put` is called by one thread."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: list[Any] = []
        self._take: Callable[[Any], None] | None = None

    def put(self, message: Any) -> None:
        """Hand a message on, or keep it."""
        with self._changed:
            if self._take is not None:
                self._take(message)
                return
            self._waiting.append(message)
            self._changed.notify_all()

    def first(self) -> Any:
        """Wait for a message and take it out."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting))
            return self._waiting.pop(0)

    def put_back(self, message: Any) -> None:
        """Give back what `first` took out."""
        with self._changed:
            self._waiting.insert(0, message)

    def open(self, take: Callable[[Any], None]) -> None:
        """Hand on what was kept, and from now on all at once."""
        with self._changed:
            for message in self._waiting:
                take(message)
            self._waiting.clear()
            self._take = take


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
