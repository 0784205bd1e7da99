"""The connection to one server: requests, answers in pieces, limits, and an end at any moment.

Only this module imports the HTTP library. It keeps one connection, which the next request uses again. An
answer that is closed before its end takes the connection with it: this is how servers learn that no one
waits, and stop computing.
"""

import json
import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from threading import Timer
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from aide_lsp.engines.remote.http.failures import (
    BadStatus,
    broken_off,
    not_found_in_time,
    proxy_refuses,
    refused,
    timeout,
    unreachable,
    unreadable,
    unusable_certificates,
    unusable_proxy,
)
from aide_lsp.engines.remote.http.lookup import look_up
from aide_lsp.errors import ServerError, SettingsError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.server_address import DEFAULT_PORTS, ServerAddress

if TYPE_CHECKING:
    import ssl

    import httpx2

CONNECT_SECONDS = {True: 1.0, False: 3.0}
"""Limit for a connection, by whether it is to this machine."""
QUESTION_SECONDS = 5.0
"""Limit for an answer that needs no model."""
LONGEST_ANSWER = 64_000_000
"""Bytes. The longest one has all tokens of a vocabulary."""
LONGEST_ERROR = 64_000
"""Bytes of an answer with an error that are read."""
ENDINGS = (
    "/v1/completions",
    "/v1/chat/completions",
    "/v1/fim/completions",
    "/beta/completions",
    "/api/generate",
    "/v1",
    "/beta",
)
"""Addresses of servers are often written down with their paths, or with the beginning of these."""
KEPT_SECONDS = 120.0
"""Seconds after which an unused connection is opened again: something on the way may have dropped it."""


class Connection:
    """Talks to one server, for one thread at a time; only `abort` may be called by others."""

    def __init__(
        self, address: ServerAddress, key: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """Take where the server is, and the key that it wants, if any. Nothing is sent yet.

        `headers`: what else each request has.

        Raises:
            SettingsError: the key cannot be sent.
        """
        if not key.isascii() or not all("!" <= char <= "~" for char in key):
            raise SettingsError(
                "The API key has a blank, a line end, or another character that no key has. Store it again "
                "with `aide engine key`, or set AIDE_API_KEY."
            )
        self.address, self._key = address, key
        self.headers = dict(headers or {})
        """What else each request has."""
        ending = next((one for one in ENDINGS if address.url.endswith(one)), "")
        self._base = address.url.removesuffix(ending)
        self._client: httpx2.Client | None = None
        self._socket: socket.socket | None = None
        self._is_new = self._is_aborted = self._is_late = self._is_proxied = False

    @property
    def has_key(self) -> bool:
        """Whether requests have an API key."""
        return bool(self._key)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat."""
        return (self._key,) if self._key else ()

    def ask(
        self, path: str, body: Any = None, *, cancel: CancelToken, seconds: float = QUESTION_SECONDS
    ) -> Any:
        """Return the parsed answer to a question: a GET request, or a POST request if there is a body.

        Raises:
            BadStatus: the answer's status is not 200.
            Cancelled: no one waits for it anymore.
            ServerError: there is no answer, or it is no JSON.
        """
        with self.open(path, body, cancel=cancel, seconds=seconds) as answer:
            return answer.json()

    @contextmanager
    def open(self, path: str, body: Any = None, *, cancel: CancelToken, seconds: float) -> Iterator["Answer"]:
        """Send a request, and yield its answer. When the body ends, so does the answer, complete or not.

        Args:
            path: appended to the address.
            body: sent as JSON; None: nothing is sent but the question.
            cancel: ends it at once.
            seconds: after these, it ends.

        Raises:
            BadStatus, Cancelled, ServerError: see `ask`.
        """
        self._is_aborted = self._is_late = False
        timer = Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        response = None
        try:
            with self.errors(cancel, seconds), cancel.watch(self.abort):
                response = self._send(path, body)
            answer = Answer(self, response, cancel, seconds)
            answer.check()
            yield answer
        finally:
            timer.cancel()
            # If it runs, it ends this request, and must not end the next one.
            timer.join()
            if response is not None:
                # What has not come by then never will.
                with suppress(Exception):
                    response.close()

    def abort(self) -> None:
        """End what runs, from any thread: reading fails, and the server finds the connection closed."""
        self._is_aborted = True
        self._shut_down()

    def close(self) -> None:
        """Close the connection; the next request makes a new one."""
        client, self._client, self._socket = self._client, None, None
        if client is not None:
            client.close()

    @contextmanager
    def errors(self, cancel: CancelToken, seconds: float) -> Iterator[None]:
        """Turn what the library raises into our errors."""
        import httpx2

        host = self.address.host
        try:
            yield
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError, ValueError) as error:
            cancel.check()
            if self._is_late:
                raise timeout(host, seconds) from None
            if isinstance(error, httpx2.ProxyError):
                raise proxy_refuses(host) from None
            if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout | socket.gaierror):
                proxied = self._is_proxied
                raise unreachable(host, error, self._connect_seconds, proxied=proxied) from None
            if isinstance(error, httpx2.TimeoutException):
                raise timeout(host, seconds) from None
            raise broken_off(host) from None

    def check_time(self, seconds: float) -> None:
        """Check that the time for the answer has not passed.

        Raises:
            ServerError: it has.
        """
        if self._is_late:
            raise timeout(self.address.host, seconds)

    @property
    def _server(self) -> SplitResult:
        return urlsplit(self.address.url)

    @property
    def _connect_seconds(self) -> float:
        return CONNECT_SECONDS[self.address.is_loopback]

    def _send(self, path: str, body: Any) -> "httpx2.Response":
        import httpx2

        client = self._open_client()
        content = None if body is None else json.dumps(body).encode("utf-8")
        self._is_new = False
        for last in (False, True):
            request = client.build_request(
                "GET" if content is None else "POST",
                self._base + path,
                content=content,
                headers=self.headers | ({} if content is None else {"Content-Type": "application/json"}),
                extensions={"trace": self._trace},
            )
            try:
                return client.send(request, stream=True)
            except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
                # The server may close a connection that it has kept just when it is used again.
                if last or self._is_new or self._is_aborted:
                    raise
        raise AssertionError("the loop returns or raises")

    def _open_client(self) -> "httpx2.Client":
        if self._client is None:
            import httpx2

            # It would log each request.
            logging.getLogger("httpx2").setLevel(logging.WARNING)
            headers = {"Accept-Encoding": "identity", "User-Agent": "aide"}
            if self._key:
                headers["Authorization"] = f"Bearer {self._key}"
            limits = httpx2.Limits(
                max_connections=1, max_keepalive_connections=1, keepalive_expiry=KEPT_SECONDS
            )
            path, tls = self.address.socket, True if self.address.is_encrypted else _no_tls()
            try:
                self._client = httpx2.Client(
                    headers=headers,
                    timeout=httpx2.Timeout(None, connect=self._connect_seconds, write=30.0, pool=5.0),
                    limits=limits,
                    verify=tls,
                    transport=httpx2.HTTPTransport(uds=path, limits=limits, verify=tls) if path else None,
                    follow_redirects=False,
                    # Proxies, and the certificates of SSL_CERT_FILE: never for this machine.
                    trust_env=not self.address.is_loopback,
                )
            except OSError:
                raise unusable_certificates() from None
            # The library raises the first if it is a SOCKS proxy.
            except (ImportError, ValueError, httpx2.InvalidURL):
                raise unusable_proxy(self.address.host) from None
        return self._client

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Note the socket of a new connection, which has to be shut down if the request is aborted."""
        if event.endswith("connect_tcp.started"):
            self._look_up(info["host"], info["port"])
        if event.endswith("start_tls.started") and info["server_hostname"] == self._server.hostname:
            self._is_proxied = False  # the proxy has connected: what follows is the server's
        if event.endswith(("connect_tcp.complete", "connect_unix_socket.complete", "start_tls.complete")):
            self._socket, self._is_new = info["return_value"].get_extra_info("socket"), True
            if self._is_aborted:
                self._shut_down()

    def _look_up(self, name: str, port: int) -> None:
        """Look up the host that is about to be connected to: the server, or a proxy."""
        server = self._server
        self._is_proxied = (name, port) != (server.hostname, server.port or DEFAULT_PORTS[server.scheme])
        try:
            look_up(name, port, self._connect_seconds, lambda: self._is_aborted)
        except TimeoutError:
            if self._is_aborted:
                raise
            if self._is_proxied:
                raise proxy_refuses(self.address.host) from None
            raise not_found_in_time(self.address.host, self._connect_seconds) from None

    def _expire(self) -> None:
        self._is_late = True
        self.abort()

    def _shut_down(self) -> None:
        if (found := self._socket) is not None:
            with suppress(OSError):
                # Not the method of a TLS socket, which the reading thread must not share.
                socket.socket.shutdown(found, socket.SHUT_RDWR)


class Answer:
    """An answer whose body is read piece by piece."""

    def __init__(
        self, connection: Connection, response: "httpx2.Response", cancel: CancelToken, seconds: float
    ) -> None:
        self._connection, self._response = connection, response
        self._cancel, self._seconds = cancel, seconds
        # Never decompressed: a few bytes could become gigabytes.
        self._pieces = response.iter_raw()

    def check(self) -> None:
        """Check what the answer says about itself.

        Raises:
            BadStatus: its status is not 200.
            ServerError: it is compressed, though that was ruled out.
        """
        headers, status = self._response.headers, self._response.status_code
        is_plain = headers.get("Content-Encoding", "identity").strip().lower() in ("identity", "")
        if status != 200:
            said = self._beginning() if is_plain else ""
            raise BadStatus(status, said, headers.get("Retry-After", ""))
        if not is_plain:
            raise unreadable(self._connection.address.host, "compressed data")

    def header(self, name: str) -> str:
        """Return the value of a header; empty: the answer has none of this name."""
        value: str = self._response.headers.get(name, "")
        return value

    def json(self) -> Any:
        """Return the parsed body.

        Raises:
            Cancelled, ServerError: see `Connection.ask`.
        """
        data = self.read(LONGEST_ANSWER)
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            what = "a web page" if b"<" in data[:200] else "no JSON"
            raise unreadable(self._connection.address.host, what) from None

    def pieces(self) -> Iterator[bytes]:
        """Yield the body in the pieces that arrive.

        Raises:
            Cancelled, ServerError: see `Connection.ask`.
        """
        connection = self._connection
        while True:
            with connection.errors(self._cancel, self._seconds), self._cancel.watch(connection.abort):
                piece = next(self._pieces, None)
            if piece is None:
                # A body without a length also ends where we have closed the connection.
                self._cancel.check()
                connection.check_time(self._seconds)
                return
            yield piece

    def read(self, most: int) -> bytes:
        """Return all of the body.

        Raises:
            ServerError: it is longer than `most` bytes; or see `Connection.ask`.
        """
        data = bytearray()
        for piece in self.pieces():
            data += piece
            if len(data) > most:
                raise unreadable(self._connection.address.host, "too much data")
        return bytes(data)

    def _beginning(self) -> str:
        data = bytearray()
        with suppress(ServerError):
            for piece in self.pieces():
                data += piece
                if len(data) >= LONGEST_ERROR:
                    break
        return data[:LONGEST_ERROR].decode("utf-8", "replace")


@cache
def _no_tls() -> "ssl.SSLContext":
    """Return what trusts nobody, for connections that are not encrypted.

    Without it, the library would read all certificates of the system for each client, which takes 50 ms.
    """
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def explained(connection: Connection, answer: BadStatus, sent: tuple[str, ...] = ()) -> ServerError:
    """Return the error for a status that is not 200; `sent`: texts that it must not repeat."""
    secrets = (*connection.secrets, *sent)
    return refused(connection.address.host, answer, has_key=connection.has_key, secrets=secrets)
