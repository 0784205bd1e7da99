"""One loaded model for many clients.

Each client session has KV slots of its own, within memory that all share, and one generation at a time
(`request_queue.py`). Generations of different sessions take turns, forward by forward (`turns.py`). What a
completion says depends on neither.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Condition, Lock
from time import monotonic
from typing import TypeVar

from attrs import evolve, frozen

from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.local import LoadedModel, LocalGeneration, LocalModel, Shared, load_model
from aide_lsp.engines.request_queue import Queued, RequestQueue
from aide_lsp.engines.turns import Turns
from aide_lsp.errors import BrokenSessionError, BusyError, MemoryShortError, SlotsFullError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.memory import return_freed_memory
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.self_test import keeps_bits
from aide_lsp.inference.slots import Slots
from aide_lsp.settings.fields import Settings

T = TypeVar("T")
MOST_CACHES = 4
"""Memory of all sessions together, as a multiple of that of one: most are idle most of the time."""
MOST_SESSIONS = 1000
"""Client sessions; then the one used longest ago ends."""
ROOM_SECONDS = 0.1
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
        self._sessions = OrderedDict[str, EngineSession]()  # the one used last is last
        self._begun = count()
        self._room = Condition()
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
                # Another owner than an ended session of that name, which may still run.
                found = self._sessions[name] = EngineSession(self, f"{next(self._begun)} {name}")
            self._sessions.move_to_end(name)
            oldest = next(iter(self._sessions)) if len(self._sessions) > MOST_SESSIONS else None
        if oldest is not None:
            self.end_session(oldest)
        return found

    def end_session(self, name: str) -> None:
        """Free what a client session holds."""
        with self._changing:
            found = self._sessions.pop(name, None)
        if found is not None:
            found.is_ended = True
            self.left(found)

    def left(self, session: "EngineSession") -> None:
        """Note that a generation of a session has ended, or the session."""
        if session.is_ended:
            self.slots.end(session.owner)
            self.turns.forget(session.owner)
        with self._room:
            self._room.notify_all()

    def wait_for_room(self, cancel: CancelToken, deadline: float | None) -> None:
        """Wait until a generation has ended, or for a moment. Raises as `RequestQueue.wait`."""
        cancel.check()
        if deadline is not None and monotonic() >= deadline:
            raise TimeoutError
        with self._room:
            self._room.wait(ROOM_SECONDS)

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
        self.turns.fail(error)
        if is_first:
            self.breaks(error)

    def shrink(self) -> None:
        """Drop what is prefilled, and keep less of it from now on: memory is short."""
        with self.turns.turn("").held(CancelToken(), None):
            self.slots.shrink()
        return_freed_memory()

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

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine, self.owner = engine, owner
        self.is_ended = False
        """Whether it was ended; what runs is not."""
        self.queue = RequestQueue()
        self._model = LocalModel(engine.loaded, shared=Shared(engine.slots, engine.turns, owner))
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
            Cancelled: nobody waits for it anymore.
        """
        return EngineGeneration(self, self._join(prompt.document, cancel), prompt, options, observer)

    def prefill(self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken) -> int:
        """See `Model`."""
        queued = self._join(prompt.document, cancel, ahead=True)
        try:
            return self.run(queued, None, lambda: self._model.prefill(prompt, options, cancel))
        finally:
            self.leave(queued)

    def self_test(self) -> bool:
        """See `Model`."""
        with self.failures():
            return self._engine.self_test()

    def release_memory(self) -> None:
        """See `Model`. What others hold is theirs: if memory is short, the engine itself drops it."""
        self._engine.slots.end(self.owner)
        return_freed_memory()

    def begin(
        self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken, observer: CompletionObserver
    ) -> LocalGeneration:
        """Begin a generation; `run` waits until that is possible."""
        return self._model.generate(prompt, options, cancel, observer)

    def run(self, queued: Queued, deadline: float | None, work: Callable[[], T]) -> T:
        """Do some work after the older requests of this client, and when there is memory for it.

        Raises:
            Cancelled, TimeoutError: as `RequestQueue.wait`.
            SessionError: the model failed.
        """
        self.queue.wait(queued, deadline)
        with self.failures():
            while True:
                with suppress(SlotsFullError):
                    return work()
                self._engine.wait_for_room(queued.cancel, deadline)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Note a failure of the session in the body."""
        try:
            yield
        except BrokenSessionError as error:
            self._engine.failed(error)
            raise
        except MemoryShortError:
            self._engine.shrink()
            raise

    def leave(self, queued: Queued) -> None:
        """Note that a request has ended."""
        self.queue.leave(queued)
        self._engine.left(self)

    def _join(self, document: str, cancel: CancelToken, *, ahead: bool = False) -> Queued:
        # First: what comes late must not end newer requests.
        cancel.check()
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

        def begin() -> LocalGeneration:
            left = options
            if deadline is not None:
                # What the wait took is gone.
                left = evolve(options, deadline_ms=max(1, round((deadline - monotonic()) * 1000)))
            return self._session.begin(self._prompt, left, cancel, self._observer)

        try:
            self._generation = self._session.run(self._queued, deadline, begin)
        except TimeoutError:
            self._reason = "timeout"
            return
        with self._session.failures():
            yield from self._generation

    def close(self) -> None:
        """See `TextGeneration`."""
        try:
            if self._generation:
                self._generation.close()
        finally:
            self._reason = self.finish_reason or "stop"
            self._session.leave(self._queued)


def open_engine(
    folder: Path, provider: str, threads: int, cache_mb: int, *, fim: str | None, context_share: float = 0.0
) -> Engine:
    """Load the model in a folder; arguments as for `open_local_model`.

    Raises:
        ModelFilesError, SessionError: as `open_local_model`.
    """
    loaded = load_model(folder, provider, threads, fim=fim, context_share=context_share)
    return Engine(loaded, cache_mb=cache_mb)
