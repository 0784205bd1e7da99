"""Tells a client that asks for it how Aide stands: the notification `aide/status`, after every change.

In: "something changed". Out: the whole state, as plain JSON, a moment later and only if it differs from what
was told last. Clients say that they want it with the capability `experimental.aide`; all others hear nothing.
It does not know what the state consists of (`status.py` does).
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

STATUS, READY = "aide/status", "aide/ready"
PAUSE_SECONDS = 0.04
"""What changes within it is told together: a status bar cannot be read faster."""
Notify = Callable[[str, Mapping[str, Any]], None]


class Announcer:
    """Sends the state. All methods belong to the event loop's thread."""

    def __init__(self, notify: Notify, summary: Callable[[], Mapping[str, Any]]) -> None:
        self._notify, self._summary = notify, summary
        self._last: Mapping[str, Any] | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self.enabled = False
        """Whether the client wants to hear it."""

    def changed(self) -> None:
        """Say that something may have changed."""
        if self.enabled and self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._send)

    def ready(self, uri: str, version: int, line: int, character: int) -> None:
        """Tell that the answer to a request that was given up is here now."""
        if self.enabled:
            position = {"line": line, "character": character}
            self._notify(READY, {"uri": uri, "version": version, "position": position})

    def _send(self) -> None:
        self._waiting = None
        summary = self._summary()
        if summary != self._last:
            self._last = summary
            self._notify(STATUS, summary)
