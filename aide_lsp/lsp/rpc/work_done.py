"""Shows long work to the user: in the client's progress bar, or in its log if it has none."""

import asyncio
import logging
import uuid
from time import monotonic

from lsprotocol import types

from aide_lsp.lsp.rpc.protocol import Protocol

log = logging.getLogger("aide.progress")
REPORT_SECONDS = 0.1


class WorkDone:
    """One piece of work. Create it on the event loop's thread."""

    def __init__(self, protocol: Protocol, title: str, visible: bool) -> None:
        self._protocol, self._title, self._visible = protocol, title, visible
        self._loop = asyncio.get_running_loop()
        self._token: str | None = None
        self._reported, self._text = 0.0, ""
        self._beginning = asyncio.ensure_future(self._begin())

    def report(self, share: float | None, text: str) -> None:
        """Report how much is done (0.0 to 1.0; None: unknown) and what is happening. For any thread."""
        now = monotonic()
        # What follows a colon changes all the time: how much is left.
        fresh = text.partition(":")[0] != self._text.partition(":")[0]
        if not fresh and now - self._reported < REPORT_SECONDS:
            return
        self._reported, self._text = now, text
        self._loop.call_soon_threadsafe(self._show, share, text, fresh)

    async def end(self, text: str) -> None:
        """End the progress, whatever the outcome."""
        # An end that overtakes the beginning would leave the bar in the editor.
        await self._beginning
        if self._token is not None:
            self._notify(types.WorkDoneProgressEnd(message=text))

    async def _begin(self) -> None:
        """Ask the client for a progress bar; without an answer there is none."""
        if not self._visible:
            return
        token = str(uuid.uuid4())
        created = self._protocol.send_request_async(
            types.WINDOW_WORK_DONE_PROGRESS_CREATE, types.WorkDoneProgressCreateParams(token=token)
        )
        try:
            await asyncio.wait_for(created, 5)
        except Exception:  # refused, or no answer: the work continues without it
            log.debug("The client created no progress bar.")
            return
        self._token = token
        self._notify(
            types.WorkDoneProgressBegin(title=self._title, message=self._text or None, cancellable=False)
        )

    def _show(self, share: float | None, text: str, fresh: bool) -> None:
        if fresh:  # not for each percent
            log.info("%s: %s", self._title, text)
        if self._token is not None:
            percentage = None if share is None else max(0, min(100, int(100 * share)))
            self._notify(types.WorkDoneProgressReport(message=text, percentage=percentage))

    def _notify(
        self, value: types.WorkDoneProgressBegin | types.WorkDoneProgressReport | types.WorkDoneProgressEnd
    ) -> None:
        self._protocol.notify(types.PROGRESS, types.ProgressParams(token=self._token or "", value=value))
