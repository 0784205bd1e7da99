"""The engine that another process runs: a `completion.model.Model` without model, tokenizer, or NumPy.

Completions are those of an engine in this process, byte for byte: what they depend on is sent, nothing else.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from secrets import token_hex
from typing import Any

from aide_lsp.completion.counting import BatchCounter
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.remote.http.failures import BadStatus, unreadable
from aide_lsp.engines.shared.client import LONGEST_SECONDS, SESSION_HEADER, EngineClient
from aide_lsp.engines.shared.generation import SharedGeneration
from aide_lsp.engines.shared.wire import from_options, from_prompt
from aide_lsp.errors import BrokenSessionError, ServerError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions

Failures = Callable[[Sequence[str]], AbstractContextManager[None]]
"""Turns failures of the connection into the error that a request has; takes the texts that were sent."""
LOST = "The engine that the editors of this machine share does not answer as it should."


@contextmanager
def lost_engine(sent: Sequence[str] = ()) -> Iterator[None]:
    """Turn failures into the error of an engine that has to be started again."""
    try:
        yield
    except (ServerError, BadStatus):
        raise BrokenSessionError(LOST) from None


def new_session() -> dict[str, str]:
    """Return the header that names a client session. It says nothing about the user."""
    return {SESSION_HEADER: token_hex(8)}


class SharedModel:
    """A `completion.model.Model` that another process runs."""

    def __init__(
        self,
        client: EngineClient,
        info: ModelInfo,
        failures: Failures = lost_engine,
        *,
        restarts: int = 0,
        presence: Connection | None = None,
    ) -> None:
        """Take an engine that has answered.

        Args:
            client: talks with it.
            info: what it says of its model.
            failures: what failures of the connection become.
            restarts: how often a generation that breaks off begins again, without repeating text.
            presence: stays open, so that the engine knows of this client.
        """
        self.client, self.info = client, info
        self._failures, self._restarts, self._presence = failures, restarts, presence
        self.count_tokens = BatchCounter(self._count)

    @property
    def failure(self) -> None:
        """See `Model`: an engine that has ended is started again."""
        return None

    def is_back(self) -> bool:
        """See `Model`."""
        return True

    def generate(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        cancel: CancelToken,
        observer: CompletionObserver = UNOBSERVED,
    ) -> SharedGeneration:
        """See `Model`."""
        return SharedGeneration(
            self.client, prompt, options, cancel, observer, self._failures, self._restarts
        )

    def prefill(self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken) -> int:
        """See `Model`."""
        body = {"prompt": from_prompt(prompt), "options": from_options(options)}
        return self._number(self._ask("prefill", body, cancel, LONGEST_SECONDS), "tokens")

    def self_test(self) -> bool:
        """See `Model`."""
        return self._ask("self-test", {}, CancelToken(), LONGEST_SECONDS).get("passed") is True

    def release_memory(self) -> None:
        """See `Model`."""
        self.count_tokens.clear()
        self._ask("release", {}, CancelToken(), LONGEST_SECONDS)

    def close(self) -> None:
        """Close all connections."""
        self.client.connection.close()
        if self._presence is not None:
            self._presence.close()

    def _count(self, texts: Sequence[str]) -> list[int]:
        with self._failures(texts):
            return self.client.count(texts)

    def _ask(self, name: str, body: dict[str, Any], cancel: CancelToken, seconds: float) -> dict[str, Any]:
        with self._failures(()):
            return self.client.ask(name, body, cancel, seconds)

    def _number(self, found: dict[str, Any], name: str) -> int:
        value = found.get(name)
        if type(value) is not int:
            with self._failures(()):
                raise unreadable(self.client.connection.address.host, "no number")
        return value
