"""Names a kind of machine, and says it in each answer: machines of one kind give the same bytes."""

from functools import partial

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aide_lsp.completion.model import ModelInfo
from aide_lsp.engines.shared.client import MACHINE_HEADER
from aide_lsp.serve.access import ADMITTED
from aide_lsp.serve.served import Served


def machine_of(info: ModelInfo) -> str:
    """Return the name: what is computed, with what, and on which kind of processor."""
    source = info.source_sha256[:12] or "-"
    return f"{info.id}/{source}/{info.recipe}/{info.device}/onnxruntime-{info.runtime}/{info.processor}"


class MachineHeader:
    """Adds the header to the answers of requests that were let through."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self._app, self._served = app, served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        is_told = scope.get("state", {}).get(ADMITTED) and self._served.is_ready
        await self._app(scope, receive, partial(self._send, send) if is_told else send)

    async def _send(self, send: Send, message: Message) -> None:
        if message["type"] == "http.response.start":
            kind = machine_of(self._served.engine.info).encode("ascii", "replace").decode()
            MutableHeaders(scope=message)[MACHINE_HEADER] = kind
        await send(message)
