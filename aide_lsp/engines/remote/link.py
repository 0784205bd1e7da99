"""The link to a server: what it is, and whether it is worth asking.

What the server is gets found out with the first request, and again after each failure, since another server
may answer then.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from aide_lsp.engines.remote.detect import detect
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.flavors.flavor import Flavor, ServerFacts
from aide_lsp.engines.remote.http.connection import Connection, explained
from aide_lsp.engines.remote.http.failures import BadStatus
from aide_lsp.engines.remote.http.questions import Questions
from aide_lsp.errors import ServerError, SettingsError
from aide_lsp.inference.cancel import CancelToken

PAUSE_SECONDS = 2.0
"""Seconds after a failure in which requests fail at once: no one waits for a server that is not running."""


class ServerLink:
    """Knows one server, for one thread at a time."""

    def __init__(self, choice: ServerChoice, clock: Callable[[], float] = monotonic) -> None:
        """Take which server; nothing is sent yet.

        Raises:
            SettingsError: the API key cannot be sent.
        """
        self.choice, self.connection = choice, Connection(choice.address, choice.key)
        self.facts: ServerFacts | None = None
        """What the server is, or was when it last answered; None: it never has."""
        self._flavor: Flavor | None = None
        self._clock = clock
        self._failure: ServerError | None = None
        self._paused_until = 0.0

    @property
    def is_up(self) -> bool:
        """Whether the server has answered, and not failed since."""
        return self._flavor is not None

    def connect(self, cancel: CancelToken) -> tuple[Flavor, ServerFacts]:
        """Return what the server is; ask it if that is not known.

        Raises:
            Cancelled: no one waits for it anymore.
            ServerError: it does not answer, or is of no known kind.
            SettingsError: the format that the settings name does not suit the model.
        """
        if self._flavor is not None and self.facts is not None:
            return self._flavor, self.facts
        if self._failure is not None and self._clock() < self._paused_until:
            known = self._failure
            raise ServerError(known.kind, str(known), known.wait)
        with self.failures():
            self._flavor, self.facts = detect(Questions(self.connection, cancel), self.choice)
        self._failure = None
        return self._flavor, self.facts

    def forget(self) -> None:
        """Find out again what the server is, with the next request."""
        self._flavor = None
        self.connection.close()

    @property
    def failure(self) -> ServerError | None:
        """Why it failed last; None: it has answered since."""
        return self._failure

    def is_back(self) -> bool:
        """Ask the server what it is; if it answers, the next request is sent. For any thread."""
        connection = Connection(self.choice.address, self.choice.key)
        try:
            detect(Questions(connection, CancelToken()), self.choice)
        except (BadStatus, ServerError):
            return False
        except SettingsError:
            pass  # it answers: the next request says what does not suit it
        finally:
            connection.close()
        self._paused_until = 0.0
        return True

    @contextmanager
    def failures(self, sent: tuple[str, ...] = ()) -> Iterator[None]:
        """Turn failures into errors, and remember them: the next requests fail at once for a moment.

        `sent`: texts that no error may repeat.
        """
        try:
            yield
        except BadStatus as answer:
            raise self._failed(explained(self.connection, answer, sent)) from None
        except ServerError as error:
            raise self._failed(error) from None

    def _failed(self, error: ServerError) -> ServerError:
        self._failure, self._flavor = error, None
        self._paused_until = self._clock() + (error.wait or PAUSE_SECONDS)
        self.connection.close()
        return error
