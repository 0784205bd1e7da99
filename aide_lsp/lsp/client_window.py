"""The client's window: messages, questions, and progress for the user, and the log."""

import asyncio
import logging

from lsprotocol import types

from aide_lsp.invisible import escaped
from aide_lsp.lsp.rpc.protocol import Protocol
from aide_lsp.lsp.rpc.work_done import WorkDone

log = logging.getLogger("aide.server")
ERROR, WARNING = types.MessageType.Error, types.MessageType.Warning
_LEVELS = {
    logging.DEBUG: types.MessageType.Log,
    logging.INFO: types.MessageType.Info,
    logging.WARNING: types.MessageType.Warning,
    logging.ERROR: types.MessageType.Error,
}


class ClientWindow:
    """What the user sees of the server. For the event loop's thread, except `log`."""

    def __init__(self, protocol: Protocol) -> None:
        self._protocol, self._loop = protocol, asyncio.get_running_loop()
        self.has_progress = False
        """Whether the client shows progress."""

    def show(self, kind: types.MessageType, text: str) -> None:
        """Show a message."""
        params = types.ShowMessageParams(type=kind, message=escaped(text))
        self._protocol.notify(types.WINDOW_SHOW_MESSAGE, params)

    def warn(self, text: str) -> None:
        """Show a warning."""
        self.show(WARNING, text)

    async def ask(self, text: str, answers: tuple[str, ...]) -> str | None:
        """Ask the user; None: no answer, or the client cannot ask."""
        actions = [types.MessageActionItem(title=answer) for answer in answers]
        params = types.ShowMessageRequestParams(
            type=types.MessageType.Info, message=escaped(text), actions=actions
        )
        try:
            chosen = await self._protocol.send_request_async(types.WINDOW_SHOW_MESSAGE_REQUEST, params)
        except Exception as error:
            log.warning("The client did not ask about the download (%s).", type(error).__name__)
            return None
        return getattr(chosen, "title", None)

    def progress(self) -> WorkDone:
        """Begin to show progress, in a bar if the client has one."""
        return WorkDone(self._protocol, "Aide", self.has_progress)

    def log(self, level: int, text: str) -> None:
        """Add a line to the client's log. For any thread."""
        params = types.LogMessageParams(type=_LEVELS.get(level, types.MessageType.Info), message=text)
        self._loop.call_soon_threadsafe(self._protocol.notify, types.WINDOW_LOG_MESSAGE, params)
