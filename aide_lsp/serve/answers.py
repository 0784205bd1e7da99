"""What the server answers: JSON, and errors as `{"error": {"code": ..., "message": ...}}` with a status."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from aide_lsp.engines.shared.wire import WireError, from_error
from aide_lsp.errors import BusyError

STATUSES = {"length": 400, "busy": 429, "cancelled": 409, "memory": 503, "broken": 503, "stuck": 503}
"""Of errors of the engine; all others have 500."""


class RefusedError(Exception):
    """A request is refused. The message says what was expected, and repeats no text to complete."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, dict(headers or {})


def as_json(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer. Lone surrogates stay what they are: as escapes."""
    content = json.dumps(data, separators=(",", ":")).encode()
    return Response(content, status, headers, media_type="application/json")


def refusal(error: RefusedError) -> Response:
    """Return the answer to a refused request."""
    return as_json({"error": {"code": error.code, "message": str(error)}}, error.status, error.headers)


def failure(error: Exception) -> Response:
    """Return the answer to a request at which the engine failed."""
    if isinstance(error, RefusedError):
        return refusal(error)
    if isinstance(error, WireError):
        return refusal(RefusedError(400, "invalid", str(error)))
    data = from_error(error)
    # In whole seconds, as HTTP has it; the exact time is in the body.
    headers = {"Retry-After": str(max(1, round(error.wait)))} if isinstance(error, BusyError) else None
    return as_json({"error": data}, STATUSES.get(data["code"], 500), headers)
