"""Follows the failures of the server that runs the model: shown once, then in the status, until they end.

While the user is there, the server itself is asked every few seconds whether it is back, without any text of
theirs; then the place where the cursor waits gets its completion.
"""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING

from aide_lsp.errors import ServerError

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.model import ModelInfo

log = logging.getLogger("aide.model")
FIRST_SECONDS, MOST_SECONDS = 2.0, 30.0
"""Pause before the server is asked whether it is back. It doubles with each failure after such an answer."""
USER_SECONDS = 300.0
"""How long after their last key a user counts as being there."""
PASSING = frozenset(
    {"refused", "timeout", "unknown-host", "unreachable", "broken-off", "busy", "loading", "server-failed"}
)
"""Kinds of failures that may end without the user: all others need another setting, key, or server."""


class ServerTrouble:
    """What is known of the server's failures. For the event loop's thread."""

    def __init__(
        self,
        notify_user: Callable[[str], object],
        changed: Callable[[], object],
        retry: Callable[[], object],
        learn: Callable[["ModelInfo"], object],
    ) -> None:
        """Know of no failure yet.

        Args:
            notify_user: called with what the user should know.
            changed: called when the message has changed.
            retry: called when the server may answer again.
            learn: called with what the server turns out to be.
        """
        self._notify_user, self._changed, self._retry, self._learn = notify_user, changed, retry, learn
        self._completer: Completer | None = None
        self._info: ModelInfo | None = None
        self._failure: ServerError | None = None
        self._shown: set[str] = set()
        self._pause, self._seen = FIRST_SECONDS, 0.0
        self._planned: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None

    @property
    def message(self) -> str:
        """Why there are no completions now; empty: nothing is known to be wrong."""
        return str(self._failure) if self._failure is not None else ""

    def failed(self, failure: ServerError, completer: "Completer") -> None:
        """Note that a request failed."""
        self._seen, self._completer = monotonic(), completer
        before, self._failure = self.message, failure
        if failure.kind not in self._shown:
            self._shown.add(failure.kind)
            log.warning("The server failed: %s", failure)
            self._notify_user(f"Aide offers no completions. {failure}")
        if self.message != before:
            self._changed()
        self._plan(failure)

    def worked(self, completer: "Completer") -> None:
        """Note that the server has answered a request."""
        if completer.info != self._info:
            self._info = completer.info
            self._learn(self._info)
            self._changed()
        if self._shown:
            log.info("The server answers again.")
            self.forget()
            self._changed()

    def forget(self) -> None:
        """Start again: another engine was chosen, or the failures are over."""
        self._failure, self._completer, self._pause = None, None, FIRST_SECONDS
        self._shown.clear()
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    def _plan(self, failure: ServerError) -> None:
        if failure.kind in PASSING and self._planned is None and self._asking is None:
            seconds = max(self._pause, failure.wait)
            self._planned = asyncio.get_running_loop().call_later(seconds, self._ask)

    def _ask(self) -> None:
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        # The event loop keeps only weak references to tasks.
        self._asking = asyncio.get_running_loop().create_task(self._ask_and_go_on())

    async def _ask_and_go_on(self) -> None:
        completer = self._completer
        # On a thread of its own: it may take seconds, and the worker may be waiting for the server itself.
        try:
            is_back = completer is not None and await asyncio.to_thread(completer.is_back)
        finally:
            self._asking = None
        if self._failure is None or self._completer is not completer:
            return
        if is_back:
            # What follows may fail all the same: then later is soon enough for the next question.
            self._pause = min(2 * self._pause, MOST_SECONDS)
            self._failure = None
            self._changed()
            self._retry()
        elif monotonic() - self._seen < USER_SECONDS:
            self._plan(self._failure)
