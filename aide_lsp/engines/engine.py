"""One loaded model for many clients.

Each client session has KV slots of its own, within memory that all share, and one generation at a time
(`request_queue.py`). Generations of different sessions take turns, forward by forward (`turns.py`). What a
completion says depends on neither.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from time import monotonic

from attrs import evolve, frozen

from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.local import LoadedModel, LocalGeneration, LocalModel, Shared, load_model
from aide_lsp.engines.request_queue import Queued, RequestQueue
from aide_lsp.engines.turns import Turns
from aide_lsp.errors import BrokenSessionError, BusyError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.self_test import keeps_bits
from aide_lsp.inference.slots import Slots
from aide_lsp.settings.fields import Settings

MOST_CACHES = 4
"""Memory of all sessions together, as a multiple of that of one: most are idle most of the time."""
MOST_REQUESTS = 64
"""Requests of all sessions that run or wait."""


@frozen
class EngineLoad:
    """What an engine has to do."""

    running: int
    "Generations that have begun."
    waiting: int
    "Requests that wait: for an older one of their session, or for a turn."
    sessions: int
    "Client sessions."
    cached_bytes: int
    "Memory of all KV slots."


class Engine:
    """One loaded model for many clients. Thread-safe."""

    def __init__(self, loaded: LoadedModel, *, cache_mb: int = Settings().cache_mb) -> None:
        """Take a loaded model.

        What a client has prefilled takes `cache_mb` MB at most; that of all, MOST_CACHES times as much.
        """
        self.loaded, self.info = loaded, loaded.info
        self.turns = Turns(loaded.session)
        cache = cache_mb * 1_000_000
        self.slots = Slots(loaded.session, cache, MOST_CACHES * cache)
        self.broken: BrokenSessionError | None = None
        """Why the model cannot be used anymore; it must be loaded again. None: it can."""
        self.breaks: Callable[[BrokenSessionError], object] = lambda error: None
        """Called when that happens, on the thread of a request."""
        self._sessions = dict[str, EngineSession]()
        self._keeps_bits: bool | None = None
        self._testing, self._changing = Lock(), Lock()

    @property
    def load(self) -> EngineLoad:
        """What it has to do now."""
        lengths = [len(session.queue) for session in tuple(self._sessions.values())]
        waiting = sum(max(0, length - 1) for length in lengths) + self.turns.waiting
        return EngineLoad(
            running=max(0, sum(lengths) - waiting),
            waiting=waiting,
            sessions=len(lengths),
            cached_bytes=self.slots.bytes,
        )

    def session(self, name: str) -> "EngineSession":
        """Return the client session of this name; begin it if there is none."""
        with self._changing:
            if (found := self._sessions.get(name)) is None:
                found = self._sessions[name] = EngineSession(self, name)
        return found

    def end_session(self, name: str) -> None:
        """Free what a client session holds."""
        with self._changing:
            self._sessions.pop(name, None)
        self.slots.end(name)
        self.turns.forget(name)

    def check(self) -> None:
        """Check that another request may come.

        Raises:
            BrokenSessionError: the model must be loaded again.
            BusyError: too many wait.
        """
        if self.broken is not None:
            raise BrokenSessionError(str(self.broken))
        if sum(len(session.queue) for session in tuple(self._sessions.values())) >= MOST_REQUESTS:
            raise BusyError(f"{MOST_REQUESTS} requests are waiting already.")

    def failed(self, error: BrokenSessionError) -> None:
        """Note that the runtime failed."""
        with self._changing:
            is_first, self.broken = self.broken is None, error
        if is_first:
            self.breaks(error)

    def self_test(self) -> bool:
        """Whether results are independent of what was generated before. Runs once, for all clients."""
        with self._testing:
            if self._keeps_bits is None:
                session = self.loaded.session
                with self.turns.turn("").held(CancelToken(), None):
                    session.use(session.new_kv())
                    self._keeps_bits = keeps_bits(session)
            return self._keeps_bits


class EngineSession:
    """A `completion.model.Model` for one client. Thread-safe."""

    failure = None
    """See `Model`: there is no server."""

    def __init__(self, engine: Engine, name: str) -> None:
        self._engine = engine
        self.queue = RequestQueue()
        self.model = LocalModel(engine.loaded, shared=Shared(engine.slots, engine.turns, name))
        self.info: ModelInfo = engine.info
        self.count_tokens = engine.loaded.count_tokens

    def is_back(self) -> bool:
        """See `Model`."""
        return True

    def generate(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        cancel: CancelToken,
        observer: CompletionObserver = UNOBSERVED,
    ) -> "EngineGeneration":
        """See `Model`. It waits, and begins, when it is iterated.

        Raises:
            BusyError: too many wait.
        """
        return EngineGeneration(self, self._join(prompt.document, cancel), prompt, options, observer)

    def prefill(self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken) -> int:
        """See `Model`."""
        queued = self._join(prompt.document, cancel, ahead=True)
        try:
            self.queue.wait(queued, None)
            return self.model.prefill(prompt, options, cancel)
        except BrokenSessionError as error:
            self._engine.failed(error)
            raise
        finally:
            self.queue.leave(queued)

    def self_test(self) -> bool:
        """See `Model`."""
        return self._engine.self_test()

    def release_memory(self) -> None:
        """See `Model`."""
        with self._engine.turns.turn("").held(CancelToken(), None):
            self.model.release_memory()

    def failed(self, error: BrokenSessionError) -> None:
        """Note that the runtime failed."""
        self._engine.failed(error)

    def _join(self, document: str, cancel: CancelToken, *, ahead: bool = False) -> Queued:
        self._engine.check()
        return self.queue.join(document, cancel, ahead=ahead)


class EngineGeneration:
    """A `completion.model.TextGeneration` that waits for the older requests of its session first."""

    def __init__(
        self,
        session: EngineSession,
        queued: Queued,
        prompt: Prompt,
        options: GenerationOptions,
        observer: CompletionObserver,
    ) -> None:
        self._session, self._queued, self._started = session, queued, monotonic()
        self._prompt, self._options, self._observer = prompt, options, observer
        self._generation: LocalGeneration | None = None
        self._reason: str | None = None

    @property
    def finish_reason(self) -> str | None:
        """See `TextGeneration`."""
        return self._reason or (self._generation.finish_reason if self._generation else None)

    @property
    def timings(self) -> Timings:
        """See `TextGeneration`."""
        return self._generation.timings if self._generation else Timings()

    @property
    def log_probability(self) -> float:
        """See `TextGeneration`."""
        return self._generation.log_probability if self._generation else 0.0

    def __iter__(self) -> Iterator[str]:
        options, cancel = self._options, self._queued.cancel
        deadline = self._started + options.deadline_ms / 1000.0 if options.deadline_ms else None
        try:
            self._session.queue.wait(self._queued, deadline)
            if deadline is not None:
                # What the wait took is gone.
                left = max(1, round((deadline - monotonic()) * 1000))
                options = evolve(options, deadline_ms=left)
            self._generation = self._session.model.generate(self._prompt, options, cancel, self._observer)
            yield from self._generation
        except TimeoutError:
            self._reason = "timeout"
        except BrokenSessionError as error:
            self._session.failed(error)
            raise

    def close(self) -> None:
        """See `TextGeneration`."""
        try:
            if self._generation:
                self._generation.close()
        finally:
            self._reason = self.finish_reason or "stop"
            self._session.queue.leave(self._queued)


def open_engine(folder: Path, provider: str, threads: int, cache_mb: int, *, fim: str | None) -> Engine:
    """Load the model in a folder; arguments as for `open_local_model`.

    Raises:
        ModelFilesError, SessionError: as `open_local_model`.
    """
    return Engine(load_model(folder, provider, threads, fim=fim), cache_mb=cache_mb)
