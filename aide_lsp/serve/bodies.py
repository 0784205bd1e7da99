"""Reads the JSON body of a request within bounds: of size, time, depth, numbers.

All bounds hold before anything is built from the body, and before native code sees it.
"""

import asyncio
import json
from typing import Any

from starlette.requests import Request

from aide_lsp.serve.answers import RefusedError

MOST_BYTES = 4_000_000
"""Of one body. A prompt of 128K tokens has some 500 KB; escapes can make six times as many of it."""
MOST_BYTES_AT_ONCE = 64_000_000
"""Of all bodies that are read at one time."""
BODY_SECONDS = 30.0
"""Time to send a body."""
DEEPEST = 32
MOST_VALUES = 200_000
LONGEST_NUMBER = 4_300
"""Digits. Seeds may have that many, and Python reads no more."""
_NO_BRACKETS = bytes(code for code in range(256) if code not in b"[]{}")


class Bodies:
    """Reads bodies; knows how much is being read."""

    def __init__(self) -> None:
        self.reading = 0
        """Bytes of bodies that are being read."""

    async def read(self, request: Request) -> dict[str, Any]:
        """Return the JSON object in the body of a request.

        Raises:
            RefusedError: it is none, or beyond a bound.
            ClientDisconnect: the connection is gone.
        """
        if request.headers.get("content-encoding", "identity") != "identity":
            raise RefusedError(415, "encoding", "The body is compressed. Send it as it is.")
        declared = request.headers.get("content-length", "0")
        # The HTTP library has checked that these are digits.
        if len(declared) > 12 or int(declared) > MOST_BYTES:
            raise _too_large()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await self._bytes(request)
        except TimeoutError:
            raise RefusedError(
                408, "slow", f"The body did not arrive within {BODY_SECONDS:.0f} seconds."
            ) from None
        return parse(body)

    async def _bytes(self, request: Request) -> bytes:
        pieces, size = list[bytes](), 0
        try:
            async for piece in request.stream():
                size += len(piece)
                self.reading += len(piece)
                if size > MOST_BYTES:
                    raise _too_large()
                if self.reading > MOST_BYTES_AT_ONCE:
                    raise RefusedError(
                        429, "busy", "Too many large requests at once. Try again.", {"Retry-After": "1"}
                    )
                pieces.append(piece)
        finally:
            self.reading -= size
        return b"".join(pieces)


def parse(body: bytes) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        RefusedError: it is none, or beyond a bound.
    """
    if not body:
        raise _invalid("expected a JSON object, found nothing")
    _check_shape(body)
    try:
        # Decoded here: `json` would guess other encodings.
        data = json.loads(
            body.decode("utf-8"), parse_int=_whole, parse_float=_float, parse_constant=_constant
        )
    except UnicodeDecodeError:
        raise _invalid("expected UTF-8") from None
    except (ValueError, RecursionError):
        raise _invalid("expected JSON") from None
    if not isinstance(data, dict):
        raise _invalid("expected a JSON object")
    return data


def _check_shape(body: bytes) -> None:
    """Refuse what is nested too deeply or has too many values. What is no JSON passes, or does not."""
    # Escapes first: the quotes that are left begin and end strings.
    outside = b"".join(body.replace(rb"\\", b"").replace(rb"\"", b"").split(b'"')[::2])
    if outside.count(b",") + outside.count(b"{") + outside.count(b"[") > MOST_VALUES:
        raise _invalid(f"expected at most {MOST_VALUES:,} values")
    depth = 0
    for bracket in outside.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth < 0:
            raise _invalid("expected JSON")  # at once: there may be millions of them
        if depth > DEEPEST:
            raise _invalid(f"expected at most {DEEPEST} levels of nesting")


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError
    return int(digits)


def _float(digits: str) -> float:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError
    return float(digits)


def _constant(name: str) -> float:
    raise ValueError


def _invalid(what: str) -> RefusedError:
    return RefusedError(400, "invalid", f"The body is not valid: {what}.")


def _too_large() -> RefusedError:
    return RefusedError(413, "too-large", f"The body is larger than {MOST_BYTES:,} bytes.")
