"""The engine that has a server run the model: a `completion.model.Model` over HTTP.

It may be opened before the server runs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import PurePath
from time import monotonic

from attrs import evolve

from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver, RenderedPiece, RenderedPrompt
from aide_lsp.completion.prompt import Prompt
from aide_lsp.completion.window import CountTokens
from aide_lsp.engines.remote.detect import FLAVORS
from aide_lsp.engines.remote.estimate import estimated_tokens
from aide_lsp.engines.remote.flavors.aide_serve import engine_of
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.flavors.flavor import ServerFacts
from aide_lsp.engines.remote.generation import RemoteGeneration
from aide_lsp.engines.remote.http.failures import BadStatus, engine_failed
from aide_lsp.engines.remote.link import ServerLink
from aide_lsp.engines.shared.client import PATH, SESSION_HEADER, EngineClient
from aide_lsp.engines.shared.generation import SharedGeneration
from aide_lsp.engines.shared.model import SharedModel, new_session
from aide_lsp.errors import BrokenSessionError, EngineChangedError, MemoryShortError, ServerError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions

ASSUMED_CONTEXT = 32_768
"""Tokens that a model takes, where the server does not say it. A prompt that is too long gets an error."""
ASSUMED_VOCABULARY = 1_000_000
RESERVED = 16
"""Tokens of the context for control tokens."""
COUNTED_TEXTS = 8192
"""Texts whose number of tokens is remembered: most lines of a window are those of the last one."""


class RemoteModel:
    """A `completion.model.Model` that a server runs."""

    def __init__(self, choice: ServerChoice, clock: Callable[[], float] = monotonic) -> None:
        """Take which server; nothing is sent yet.

        Raises:
            SettingsError: the API key cannot be sent.
        """
        self._link = ServerLink(choice, clock)
        self.info = info_of(choice, None)
        tokenizer = choice.tokenizer
        counted = (lambda text: len(tokenizer.encode(text))) if tokenizer else estimated_tokens
        # A cache of its own: a window counts each of its lines.
        self._count = lru_cache(maxsize=COUNTED_TEXTS)(counted)
        self._engine: SharedModel | None = None
        """The engine that the server is, if it is one of Aide's own."""
        self._session = new_session()
        # From the first question on: where there are several engines, one of them answers all of a session.
        self._link.connection.headers.update(self._session)

    @property
    def facts(self) -> ServerFacts | None:
        """What the server is, or was when it last answered; None: it never has."""
        return self._link.facts

    @property
    def count_tokens(self) -> CountTokens:
        """See `Model`. Another kind of server is not asked: its tokens are estimated."""
        return self._engine.count_tokens if self._engine else self._count

    @property
    def failure(self) -> ServerError | None:
        """See `Model`."""
        return self._link.failure

    def is_back(self) -> bool:
        """See `Model`."""
        return self._link.is_back()

    def connect(self, cancel: CancelToken) -> ServerFacts:
        """Find out what the server is, unless that is known; `info` follows.

        Raises:
            Cancelled: no one waits for it anymore.
            ServerError: it does not answer, or is of no known kind.
            SettingsError: the format that the settings name does not suit the model.
        """
        was = self._link.facts
        _, facts = self._link.connect(cancel)
        if facts is not was:
            self.info = info_of(self._link.choice, facts)
            self._engine = self._engine_at(facts)
        return facts

    def _engine_at(self, facts: ServerFacts) -> "SharedModel | None":
        found, headers = engine_of(facts), self._link.connection.headers
        if found is None:
            headers.pop(SESSION_HEADER, None)
            return None
        headers.update(self._session)
        if self._engine and self._engine.info == found.info and self._engine.client.machine == found.machine:
            return self._engine
        client = EngineClient(self._link.connection, found.machine)
        return SharedModel(client, found.info, self._failures, restarts=1)

    @contextmanager
    def _failures(self, sent: Sequence[str]) -> Iterator[None]:
        """Turn failures of an engine of Aide's into errors; ask nothing while the server is known to fail."""
        self._link.connect(CancelToken())
        try:
            with self._link.failures(tuple(sent)), self._as_servers(sent):
                yield
        except EngineChangedError:
            self._link.forget()
            raise

    @contextmanager
    def _as_servers(self, sent: Sequence[str]) -> Iterator[None]:
        """Let failures of the engine be the server's: nothing can be loaded again, or closed, here."""
        host, secrets = self._link.choice.address.host, (*self._link.connection.secrets, *sent)
        try:
            yield
        except EngineChangedError:
            raise
        except BrokenSessionError as error:
            raise engine_failed(host, str(error), secrets) from None
        except MemoryShortError:
            raise MemoryShortError(f"{host} has not enough memory to complete. Lower Num Context.") from None

    def generate(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        cancel: CancelToken,
        observer: CompletionObserver = UNOBSERVED,
    ) -> "RemoteGeneration | SharedGeneration":
        """See `Model`.

        Raises:
            EngineChangedError: another engine of Aide's answers than the one that the prompt was made for.
            Cancelled: no one waits for it anymore.
            ServerError: the server does not answer.
        """
        before = self._engine
        facts = self.connect(cancel)
        if self._engine is not before and self._engine is not None:
            raise EngineChangedError
        if self._engine is not None:
            return self._engine.generate(prompt, options, cancel, observer)
        if observer.traces:
            observer.rendered(self._rendered(facts, prompt))
        return RemoteGeneration(self._link, prompt, self._fitting(prompt, options), cancel)

    def prefill(self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken) -> int:
        """See `Model`. Only where reading ahead costs no one anything."""
        if not self._link.is_up or not (self.facts and self.facts.prefills):
            return 0
        if self._engine is not None:
            return self._engine.prefill(prompt, options, cancel)
        options = evolve(options, max_tokens=0, deadline_ms=0, min_confidence=0.0)
        generation = RemoteGeneration(self._link, evolve(prompt, healed=""), options, cancel)
        for _ in generation:
            pass
        return max(0, generation.timings.prompt_tokens - generation.timings.cached_tokens)

    def self_test(self) -> bool:
        """See `Model`. Other servers promise nothing that could be tested: see `info.replays`."""
        return self._engine.self_test() if self._engine else True

    def release_memory(self) -> None:
        """See `Model`."""
        self._count.cache_clear()
        if self._engine is not None:
            self._engine.release_memory()

    def ping(self, cancel: CancelToken) -> None:
        """Ask the server something that needs no model, to see how long an answer takes.

        Raises:
            Cancelled, ServerError: see `connect`.
        """
        path = f"{PATH}/engine" if self._engine else "/v1/models"
        with self._link.failures(), suppress(BadStatus):
            self._link.connection.ask(path, cancel=cancel)

    def close(self) -> None:
        """Close the connection."""
        self._link.connection.close()

    def _rendered(self, facts: ServerFacts, prompt: Prompt) -> RenderedPrompt:
        """Return how the model reads a prompt, as far as that is known: no server reports its tokens."""
        template = facts.template
        pieces = tuple(
            RenderedPiece("control", piece, 1)
            if isinstance(piece, str)
            else RenderedPiece(piece.kind.value, piece.text, self.count_tokens(piece.text), piece.excerpt)
            for piece in (template.pieces(prompt) if template else prompt.parts)
        )
        name = template.format.name if template else "of the server"
        healed = self.count_tokens(prompt.healed)
        return RenderedPrompt(name, pieces, healed, None, {}, frozenset())

    def _fitting(self, prompt: Prompt, options: GenerationOptions) -> GenerationOptions:
        """Return the options with no more tokens than the model's context has left for them."""
        # Several servers reject a request that asks for more.
        read = sum(self.count_tokens(part.text) for part in prompt.parts)
        left = self.info.context_length - read - self.count_tokens(prompt.healed) - RESERVED
        return evolve(options, max_tokens=max(1, min(options.max_tokens, left)))


def info_of(choice: ServerChoice, facts: ServerFacts | None) -> ModelInfo:
    """Return what is known of a server's model; without `facts`, what is likely."""
    if facts is None:
        flavor = next((one for one in FLAVORS if one.kind == choice.kind), None)
        facts = ServerFacts(name=flavor.title if flavor else "server", model=choice.model or "")
    if (engine := engine_of(facts)) is not None:
        runtime = f"Aide {engine.version}, ONNX Runtime {engine.info.runtime}"
        host = choice.address.host
        return evolve(engine.info, engine=facts.name, runtime=runtime, host=host, sharing="")
    return ModelInfo(
        # Servers name a file by its path; its folder says nothing.
        id=PurePath(facts.model).name if facts.model.endswith(".gguf") else facts.model,
        engine=facts.name,
        device="server",
        recipe=facts.recipe,
        vocabulary_size=facts.vocabulary_size or ASSUMED_VOCABULARY,
        context_length=facts.context_length or ASSUMED_CONTEXT,
        host=facts.passes_to or choice.address.host,
        source_sha256=facts.digest,
        runtime=facts.version,
        reads_suffix=facts.reads_suffix,
        reads_files=facts.reads_files,
        rates=facts.rates,
        honored=facts.honored,
    )
