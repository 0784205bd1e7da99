"""The application: all routes, and what is in front of them."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from aide_lsp.errors import AideError
from aide_lsp.inference.cancel import Cancelled
from aide_lsp.serve import llama_cpp, openai, own_protocol
from aide_lsp.serve.access import Access, Rules
from aide_lsp.serve.answers import RefusedError, as_json, failure, refusal
from aide_lsp.serve.machine import MachineHeader
from aide_lsp.serve.metrics import CONTENT_TYPE
from aide_lsp.serve.served import Served, end_of, logged


def create_app(served: Served, rules: Rules) -> Starlette:
    """Return the application for an engine; `rules` say who may ask."""

    async def health(request: Request) -> Response:
        if served.is_ready:
            return as_json({"status": "ready"})
        return as_json({"status": "failed" if served.is_failed else "loading"}, 503)

    async def metrics(request: Request) -> Response:
        load = served.engine.load if served.is_ready else None
        text = served.metrics.text(load, served.connections())
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    async def failed(request: Request, error: Exception) -> Response:
        served.metrics.refused(end_of(error))
        return failure(logged(error))

    app = Starlette(
        routes=[
            Route("/health", health, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
            *own_protocol.routes(served),
            *openai.routes(served),
            *llama_cpp.routes(served),
        ],
        middleware=[
            Middleware(Access, rules=rules, metrics=served.metrics),
            Middleware(MachineHeader, served=served),
        ],
        exception_handlers={
            HTTPException: _http_error,
            ClientDisconnect: _gone,
            RefusedError: failed,
            AideError: failed,
            Cancelled: failed,
            Exception: failed,
        },
    )
    # A path is ours or it is not: no redirects.
    app.router.redirect_slashes = False
    return app


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return refusal(RefusedError(405, "method", "This path has another method.", error.headers))
    return refusal(RefusedError(404, "path", "There is no such path."))


async def _gone(request: Request, error: Exception) -> Response:
    # Nobody reads it.
    return Response(status_code=400)
