"""Aide's own protocol: what its clients need, which no other protocol carries (`engines/shared/wire.py`)."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aide_lsp import __version__
from aide_lsp.engines.shared import wire
from aide_lsp.engines.shared.stream import error_line
from aide_lsp.explain.sent_trace import SentTrace
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.serve.answers import RefusedError, as_json
from aide_lsp.serve.generation import GenerationResponse, RunningGeneration, or_gone
from aide_lsp.serve.machine import machine_of
from aide_lsp.serve.served import Served, logged

MOST_TEXTS = 20_000
"""Texts whose tokens are counted with one request."""
COUNTED_AT_ONCE = 4_000
"""Characters whose tokens are counted on the event loop's thread, in a millisecond or two."""
LOADING_SECONDS = 2.0
"""How long an engine that loads lets a client wait for what it is; then the client asks again."""
NDJSON = "application/x-ndjson"


def routes(served: Served) -> list[Route]:
    """Return the routes of the protocol."""
    protocol = OwnProtocol(served)
    posts: dict[str, Callable[[Request], Awaitable[Response]]] = {
        "generate": protocol.generate,
        "prefill": protocol.prefill,
        "tokens": protocol.tokens,
        "release": protocol.release,
        "self-test": protocol.self_test,
    }
    return [
        Route("/aide/v1/engine", protocol.engine, methods=["GET"]),
        *(Route(f"/aide/v1/{name}", handler, methods=["POST"]) for name, handler in posts.items()),
    ]


class OwnProtocol:
    """Answers its requests."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def engine(self, request: Request) -> Response:
        """Say what is served; while it loads, the answer waits: clients need not ask again and again."""
        await or_gone(request, self._served.wait_for_engine(LOADING_SECONDS))
        info = self._served.engine.info
        return as_json(
            {
                "protocol": wire.PROTOCOL,
                "aide": __version__,
                "machine": machine_of(info),
                "model": wire.from_info(info),
                "age": round(self._served.age),
                "clients": self._served.clients(),
            }
        )

    async def generate(self, request: Request) -> Response:
        """Stream a text: pieces as they come, then how it ended."""
        model = self._served.session(request)
        data = await self._served.bodies.read(request)
        prompt, options = wire.to_prompt(data.get("prompt")), self._options(data)
        traces = data.get("traces", False)
        if not isinstance(traces, bool):
            raise RefusedError(400, "invalid", "traces: expected true or false.")
        observing = partial(SentTrace, options.parameters) if traces else None
        running = self._served.generate(model, prompt, options, kind="generate", observing=observing)
        try:
            # The status depends on how it begins.
            first = await or_gone(request, running.next())
        except BaseException:
            running.close()
            raise
        return GenerationResponse(_lines(first, running), running, NDJSON)

    async def prefill(self, request: Request) -> Response:
        """Run a prompt ahead."""
        model = self._served.session(request)
        data = await self._served.bodies.read(request)
        prompt, options = wire.to_prompt(data.get("prompt")), self._options(data)
        count = await self._served.call(
            request, "prefill", lambda cancel: model.prefill(prompt, options, cancel)
        )
        return as_json({"tokens": count})

    async def tokens(self, request: Request) -> Response:
        """Count the tokens of texts."""
        model = self._served.session(request)
        texts: Any = (await self._served.bodies.read(request)).get("texts")
        is_list = isinstance(texts, list) and len(texts) <= MOST_TEXTS
        if not is_list or not all(isinstance(one, str) for one in texts):
            raise RefusedError(400, "invalid", f"texts: expected a list of at most {MOST_TEXTS:,} strings.")

        def count() -> list[int]:
            return [model.count_tokens(one) for one in texts]

        # A line or two, as after each key: handing it to a thread takes longer than to count it.
        is_short = sum(map(len, texts)) <= COUNTED_AT_ONCE
        return as_json({"counts": count() if is_short else await self._served.count(count)})

    async def release(self, request: Request) -> Response:
        """Free memory that a client session need not hold."""
        model = self._served.session(request)
        await self._served.call(request, "release", lambda _: model.release_memory())
        return as_json({})

    async def self_test(self, request: Request) -> Response:
        """Check the engine."""
        model = self._served.session(request)
        passed = await self._served.call(request, "self-test", lambda _: model.self_test())
        return as_json({"passed": passed})

    def _options(self, data: dict[str, Any]) -> GenerationOptions:
        return wire.to_options(data.get("options"), self._served.engine.info.limits)


async def _lines(first: dict[str, Any], running: RunningGeneration) -> AsyncIterator[bytes]:
    line = first
    try:
        while "end" not in line:
            yield _encoded(line)
            line = await running.next()
        yield _encoded(line)
    except Exception as error:
        yield _encoded(error_line(logged(error)))


def _encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
