"""Sends Aide's own notifications, `aide/status` and `aide/ready`, to a client that wants them.

Clients say so with the capability `experimental.aide`; all others get neither. The state (`status.py` builds
it) is sent after each change, a moment later and only if it differs from the one sent last.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aide_lsp.lsp.workspace.documents import Place

STATUS, READY = "aide/status", "aide/ready"
PAUSE_SECONDS = 0.04
"""Changes within it are sent together: no one reads a status bar faster."""
Notify = Callable[[str, Mapping[str, Any]], None]


class Notifier:
    """Sends the state. For the event loop's thread."""

    def __init__(self, notify: Notify, summary: Callable[[], Mapping[str, Any]]) -> None:
        self._notify, self._summary = notify, summary
        self._last: Mapping[str, Any] | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self.enabled = False
        """Whether the client wants notifications."""

    def changed(self) -> None:
        """Send the state soon: it may have changed."""
        if self.enabled and self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._send)

    def ready(self, uri: str, version: int, place: Place) -> None:
        """Report that the answer the client stopped waiting for is ready to be requested again."""
        if self.enabled:
            position = {"line": place.line, "character": place.character}
            self._notify(READY, {"uri": uri, "version": version, "position": position})

    def _send(self) -> None:
        self._waiting = None
        summary = self._summary()
        if summary != self._last:
            self._last = summary
            self._notify(STATUS, summary)
