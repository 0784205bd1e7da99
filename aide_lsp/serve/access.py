"""Decides who may ask: by the names a request may call this server, its origin, and the token.

Everything is behind it but `/health`, which says nothing but whether the engine is ready.
"""

from collections.abc import Collection
from hmac import compare_digest

from attrs import frozen
from starlette.types import ASGIApp, Receive, Scope, Send

from aide_lsp.serve.answers import RefusedError, refusal
from aide_lsp.serve.metrics import Metrics
from aide_lsp.server_address import is_address

OPEN = b"/health"
ADMITTED = "admitted"
"""Key of a request's state: whoever sent it may."""
LOCAL_NAMES = frozenset({"localhost"})
"""Names that lead to this machine on every one."""


@frozen
class Rules:
    """Who may ask."""

    token: str = ""
    "What each request must have; empty: none, because the connection already shows who sent it."
    names: frozenset[str] = LOCAL_NAMES
    "Names of this server, in lower case. Its addresses need not be among them."


class Access:
    """Lets those requests through that may."""

    def __init__(self, app: ASGIApp, rules: Rules, metrics: Metrics) -> None:
        self._app, self._rules, self._metrics = app, rules, metrics
        self._expected = b"bearer " + rules.token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        # There are no other kinds: the server is started without WebSocket and lifespan.
        if scope["type"] != "http":
            return
        try:
            self._check(scope)
        except RefusedError as error:
            self._metrics.refused(error.code)
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = scope["headers"]
        hosts = [value for name, value in headers if name == b"host"]
        # A page that has made its own name lead here (DNS rebinding) still sends that name.
        if len(hosts) != 1 or not self._is_ours(hosts[0].decode("latin-1")):
            raise RefusedError(
                421, "host", "The request is for another host. Use the address that aide serve prints."
            )
        names = {name for name, _ in headers}
        if b"origin" in names:
            raise RefusedError(403, "origin", "Requests of web pages are refused.")
        # Two ways to say where a body ends: a proxy could have taken the other one.
        if {b"content-length", b"transfer-encoding"} <= names:
            raise RefusedError(
                400, "invalid", "The request says twice how long it is.", {"Connection": "close"}
            )
        if scope.get("raw_path") == OPEN and not scope.get("query_string"):
            return
        if self._rules.token:
            self._check_token([value for name, value in headers if name == b"authorization"])
        scope.setdefault("state", {})[ADMITTED] = True

    def _check_token(self, given: Collection[bytes]) -> None:
        challenge = {"WWW-Authenticate": "Bearer"}
        if len(given) != 1:
            raise RefusedError(
                401,
                "token",
                "The token is missing. Send it in the header Authorization: Bearer TOKEN; aide serve prints "
                "where it is.",
                challenge,
            )
        (value,) = given
        kind, _, token = value.partition(b" ")
        if not compare_digest(kind.lower() + b" " + token, self._expected):
            raise RefusedError(401, "token", "The token is not the one of this server.", challenge)

    def _is_ours(self, host: str) -> bool:
        """Return whether a `Host` header names this server."""
        # No page can be at an address that is not its own.
        name = _name_in(host)
        return name in self._rules.names or is_address(name)


def _name_in(host: str) -> str:
    """Return the name or address in a `Host` header, in lower case; empty: there is none."""
    name, port = host, ""
    if host.startswith("["):
        name, _, port = host[1:].partition("]")
        if port and not port.startswith(":"):
            return ""
        port = port[1:]
    elif ":" in host:
        name, _, port = host.rpartition(":")
    if port and not (port.isascii() and port.isdigit() and len(port) <= 5):
        return ""
    return name.lower().removesuffix(".")
