"""One loaded model for many clients: each client session has its own KV slots.

Generations take turns: one runs at a time.
"""

from collections.abc import Iterator
from pathlib import Path
from threading import RLock

from attrs import frozen

from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.local import LocalGeneration, LocalModel, open_parts
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.memory import return_freed_memory
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.onnx.model_folder import ModelFolder
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.session import Session
from aide_lsp.inference.tokenizer import Tokenizer
from aide_lsp.settings.fields import Settings


@frozen
class EngineLoad:
    """What an engine has to do."""

    running: int
    "Generations that have begun."
    waiting: int
    "Generations that wait for a turn."
    sessions: int
    "Client sessions."
    cached_bytes: int
    "Memory of all KV slots."


class Engine:
    """One loaded model for many clients. Thread-safe."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        session: Session,
        description: ModelFolder,
        *,
        cache_mb: int = Settings().cache_mb,
        folder: Path | None = None,
    ) -> None:
        """Take a loaded model; arguments as for `LocalModel`."""
        self._model = LocalModel(tokenizer, session, description, cache_mb=cache_mb, folder=folder)
        self._lock, self._sessions, self._waiting = RLock(), dict[str, EngineSession](), 0
        self.info = self._model.info

    @property
    def load(self) -> EngineLoad:
        """What it has to do now."""
        return EngineLoad(running=0, waiting=0, sessions=len(self._sessions), cached_bytes=0)

    def session(self, name: str) -> "EngineSession":
        """Return the client session of this name; begin it if there is none."""
        return self._sessions.setdefault(name, EngineSession(self._model, self._lock))

    def end_session(self, name: str) -> None:
        """Free what a client session holds."""
        self._sessions.pop(name, None)


class EngineSession:
    """A `completion.model.Model` for one client. Thread-safe."""

    def __init__(self, model: LocalModel, lock: "RLock") -> None:
        self._model, self._lock = model, lock

    @property
    def info(self) -> ModelInfo:
        """See `Model`."""
        return self._model.info

    @property
    def failure(self) -> None:
        """See `Model`."""
        return None

    def is_back(self) -> bool:
        """See `Model`."""
        return True

    def count_tokens(self, text: str) -> int:
        """See `Model`."""
        return self._model.count_tokens(text)

    def generate(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        cancel: CancelToken,
        observer: CompletionObserver = UNOBSERVED,
    ) -> "EngineGeneration":
        """See `Model`."""
        self._lock.acquire()
        try:
            return EngineGeneration(self._model.generate(prompt, options, cancel, observer), self._lock)
        except BaseException:
            self._lock.release()
            raise

    def prefill(self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken) -> int:
        """See `Model`."""
        with self._lock:
            return self._model.prefill(prompt, options, cancel)

    def self_test(self) -> bool:
        """See `Model`."""
        with self._lock:
            return self._model.self_test()

    def release_memory(self) -> None:
        """See `Model`."""
        with self._lock:
            self._model.release_memory()


class EngineGeneration:
    """A `completion.model.TextGeneration` that has the model until the thread that began it closes it."""

    def __init__(self, generation: LocalGeneration, lock: "RLock") -> None:
        self._generation, self._lock, self._is_closed = generation, lock, False

    @property
    def finish_reason(self) -> str | None:
        """See `TextGeneration`."""
        return self._generation.finish_reason

    @property
    def timings(self) -> Timings:
        """See `TextGeneration`."""
        return self._generation.timings

    @property
    def log_probability(self) -> float:
        """See `TextGeneration`."""
        return self._generation.log_probability

    def __iter__(self) -> Iterator[str]:
        return iter(self._generation)

    def close(self) -> None:
        """See `TextGeneration`."""
        if not self._is_closed:
            self._is_closed = True
            self._generation.close()
            self._lock.release()


def open_engine(folder: Path, provider: str, threads: int, cache_mb: int, *, fim: str | None) -> Engine:
    """Load the model in a folder; arguments as for `open_local_model`.

    Raises:
        ModelFilesError, SessionError: as `open_local_model`.
    """
    tokenizer, session, description = open_parts(folder, provider, threads, fim=fim)
    engine = Engine(tokenizer, session, description, cache_mb=cache_mb, folder=folder)
    return_freed_memory()
    return engine
