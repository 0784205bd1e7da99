"""Questions to a server about itself: what it is, what it has. None of them has any text of the user's."""

from typing import Any

from aide_lsp.engines.remote.http.connection import QUESTION_SECONDS, Connection, explained
from aide_lsp.engines.remote.http.failures import BadStatus
from aide_lsp.errors import ServerError
from aide_lsp.inference.cancel import CancelToken

KEY_STATUS = (401, 403)
UNKNOWN_STATUS = (404, 405, 501)
"""Of answers to questions that a server does not know."""


class Questions:
    """Asks one server, and asks nothing twice."""

    def __init__(self, connection: Connection, cancel: CancelToken) -> None:
        self._connection, self._cancel = connection, cancel
        self._answers: dict[str, Any] = {}
        self._unknown: set[str] = set()
        self._rejection: BadStatus | None = None

    @property
    def host(self) -> str:
        """The server's host and port, for messages."""
        return self._connection.address.host

    @property
    def is_local(self) -> bool:
        """Whether the server is on this machine, where questions cost no one money."""
        return self._connection.address.is_loopback

    @property
    def failure(self) -> ServerError | None:
        """The error for a server that wants a key, fails, or redirects; None: it does none of these."""
        return explained(self._connection, self._rejection) if self._rejection else None

    def is_unknown(self, path: str) -> bool:
        """Whether the server has answered that it knows no such question."""
        return path in self._unknown

    def get(self, path: str) -> Any:
        """Return the answer; None: the server knows no such question.

        Raises:
            Cancelled, ServerError: see `Connection.ask`.
        """
        if path not in self._answers:
            self._answers[path] = self._ask(path)
        return self._answers[path]

    def post(self, path: str, body: dict[str, Any], seconds: float = QUESTION_SECONDS) -> Any:
        """Return the answer to a question with details; as `get` otherwise."""
        return self._ask(path, body, seconds)

    def status(self, path: str, body: dict[str, Any]) -> int:
        """Return the status of an answer whose text does not matter."""
        try:
            self._connection.ask(path, body, cancel=self._cancel)
        except BadStatus as answer:
            return answer.status
        except ServerError as error:
            if error.kind != "unreadable":
                raise
        return 200

    def _ask(self, path: str, body: dict[str, Any] | None = None, seconds: float = QUESTION_SECONDS) -> Any:
        try:
            return self._connection.ask(path, body, cancel=self._cancel, seconds=seconds)
        except BadStatus as answer:
            if answer.status in UNKNOWN_STATUS:
                self._unknown.add(path)
            elif answer.status == 429 or answer.status in (502, 503, 504):
                raise explained(self._connection, answer) from None
            elif answer.status in KEY_STATUS:
                self._rejection = answer
            elif 300 <= answer.status < 400 or answer.status >= 500:
                self._rejection = self._rejection or answer
            return None
        except ServerError as error:
            # A page for browsers is the answer of other servers.
            if error.kind != "unreadable":
                raise
            return None
