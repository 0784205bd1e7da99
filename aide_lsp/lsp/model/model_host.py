"""Loads the model and runs jobs with it, on the worker; loads it again when its session fails.

If the runtime fails during a job, the model is loaded again and the job is repeated. If that fails too, a
model on a GPU moves to the CPU, and the user is notified. When nothing is left to try, the state is `failed`,
with the reason, until the settings that loading reads change, or are sent again.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from aide_lsp.errors import (
    AideError,
    BrokenSessionError,
    EngineChangedError,
    MemoryShortError,
    ServerError,
    StuckSessionError,
    where,
)
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.runtime_errors import SHORT, is_memory_short
from aide_lsp.loading import MissingModel, remove_damaged, runs_here
from aide_lsp.lsp.model.server_trouble import ServerTrouble
from aide_lsp.lsp.model.worker import Worker
from aide_lsp.progress import Progress
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.server_address import LOCAL, SHARED
from aide_lsp.settings.fields import Settings

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer

log = logging.getLogger("aide.model")
T = TypeVar("T")
LoadCompleter = Callable[[Settings, Progress], "Completer"]
FindMissing = Callable[[Settings], MissingModel | None]
MOST_FAILURES = 3
"""Attempts at one job: with the model as it is, loaded again, and on the CPU."""
_REASONS = {"failed": NoCompletionReason.FAILED, "missing": NoCompletionReason.MISSING}


class ModelHost:
    """Holds the completer. For the event loop's thread."""

    def __init__(
        self,
        worker: Worker,
        load: LoadCompleter,
        find_missing: FindMissing,
        trouble: ServerTrouble,
        notify_user: Callable[[str], object],
        reload: Callable[[Settings], object],
    ) -> None:
        """Hold no completer yet.

        Args:
            worker: runs the model.
            load: loads it, on the worker.
            find_missing: names what `load` would download.
            trouble: is told what becomes of requests to a server.
            notify_user: called with what the user should know.
            reload: called with settings that `load` of this class must be called with.
        """
        self._worker, self._load, self._find_missing = worker, load, find_missing
        self._trouble, self._notify_user, self._reload = trouble, notify_user, reload
        self._claimed: Settings | None = None  # what the user's settings say
        self._wanted: Settings | None = None  # what is loaded: for the CPU if the GPU failed
        self._settled = asyncio.Event()
        self._reported_stuck = self._is_damaged = self._was_damaged = False
        self._failures = 0  # of the session, since a job succeeded
        self._was_on_gpu = False  # when it failed last
        self.state = "starting"
        """`starting`, `loading`, `missing`, `ready` or `failed`."""
        self.completer: Completer | None = None
        self.shares = ""
        """Why the engine is not shared anymore, in a sentence; empty: see what the model says."""
        self.message = "The model is not loaded yet."
        """What is happening while it loads, or why it failed."""
        self.share: float | None = None
        """How much of the loading is done, 0.0 to 1.0; None: unknown."""
        self._model = ""

    @property
    def model(self) -> str:
        """Id of the model that is loaded or being loaded."""
        # Asked each time: a server may come back with another one.
        return self.completer.info.id if self.completer is not None else self._model

    def claim(self, settings: Settings, *, again: bool = False) -> bool:
        """Return whether the caller must call `load`: settings that it reads changed, or it had failed.

        Of several callers, only the first gets True; with `again`, each does.
        """
        claimed = self._claimed
        is_same = claimed is not None and _choice(claimed) == _choice(settings)
        if is_same and self.state != "failed" and not again:
            return False
        self._claimed, self._failures = settings, 0
        self._begin(settings, "The model is being loaded.")
        return True

    async def missing(self, settings: Settings) -> MissingModel | None:
        """Return the model that `load` would download with these settings; None: nothing."""
        with suppress(AideError):  # `load` reports it
            return await self._on_worker(lambda: self._find_missing(settings))
        return None

    def miss(self, settings: Settings, message: str) -> None:
        """Note that the model must not be downloaded yet: whoever waits for it gets this message."""
        if self._wanted is settings:
            self.state, self.message = "missing", message
            self._settled.set()

    def fetch(self, settings: Settings | None = None) -> Settings | None:
        """End the state `missing`; return the settings that the caller must load.

        None: the model is not missing, or it is another one than that of the settings given.
        """
        wanted = self._wanted
        if self.state != "missing" or wanted is None or (settings is not None and wanted is not settings):
            return None
        self._begin(wanted, "The model is being downloaded.")
        return wanted

    async def load(self, settings: Settings, progress: Progress) -> bool:
        """Load what was claimed, in place of what is loaded. Return False if it failed or was overtaken."""

        def report(share: float | None, text: str) -> None:
            # What follows a colon says it already.
            is_complete = share is None or ":" in text
            self.message, self.share = text if is_complete else f"{text} ({share:.0%})", share
            progress(share, text)

        removes, self._is_damaged = self._is_damaged, False

        def load() -> "Completer":
            if removes:
                remove_damaged(settings, report)
            return self._load(settings, report)

        try:
            completer = await self._on_worker(load)
        except Exception as error:
            # If not, newer settings were claimed in the meantime, and loading those reports the outcome.
            if self._wanted is settings:
                self._not_loaded(settings, error)
            return False
        if self._wanted is not settings:
            return False
        self.completer, self.state, self.message = completer, "ready", ""
        self._settled.set()
        return True

    async def wait(self, seconds: float) -> "Completer | None":
        """Wait for the completer while it loads, for at most `seconds`."""
        try:
            if not self._settled.is_set():
                await asyncio.wait_for(self._settled.wait(), seconds)
        except TimeoutError:
            return None
        return self.completer

    async def run(self, job: Callable[["Completer"], T], cancel: CancelToken, seconds: float) -> T:
        """Run a job with the completer, on the worker; repeat it if the cause of a failure may be gone.

        Args:
            job: must give the same result each time.
            cancel: ends it.
            seconds: how long to wait for a model that is being loaded.

        Raises:
            DeclinedError: there is no completer (`loading` or `failed`), or its server gave no answer.
            SessionError: it failed each time.
            Cancelled: it was canceled.
        """
        failures, released = 0, False
        while True:
            try:
                return await self._run_once(job, cancel, seconds)
            except BrokenSessionError:
                failures += 1
                if failures == MOST_FAILURES:
                    raise
            except MemoryShortError:
                # `_run_once` has released memory since: that may suffice, but releasing more is not possible.
                if released:
                    raise
                released = True

    async def _run_once(self, job: Callable[["Completer"], T], cancel: CancelToken, seconds: float) -> T:
        completer = await self.wait(seconds)
        if completer is None:
            raise _REASONS.get(self.state, NoCompletionReason.LOADING).error(self.message)
        try:
            result = await self._on_worker(lambda: job(completer), cancel)
        except ServerError as error:
            if completer is self.completer:
                self._trouble.failed(error, completer)
            raise
        except BrokenSessionError as error:
            self._broken(completer, error)
            raise
        except (MemoryShortError, MemoryError) as error:
            with suppress(MemoryShortError, MemoryError):
                await self._on_worker(completer.release_memory)
            raise MemoryShortError(SHORT if isinstance(error, MemoryError) else str(error)) from error
        self._failures = 0
        # A job that the completion cache answered says nothing about the server.
        if completer is self.completer and completer.info.host and completer.failure is None:
            self._trouble.worked(completer)
        return result

    async def verify(self, completer: "Completer") -> None:
        """Read the files of a loaded model in full; have it converted again if they are damaged."""
        if (folder := completer.info.folder) is None or not (damage := await _damage_in(folder)):
            return
        log.error("Damaged model: %s", " ".join(damage))
        if self.completer is not completer or self._wanted is None:
            return
        if self._was_damaged:
            self._fail(
                "The model's files are damaged again, although Aide has converted it again. The disk or the "
                "memory may be failing. Set AIDE_DATA_DIR to a folder on another disk."
            )
            self._notify_user(f"Aide offers no completions. {self.message}")
            return
        self._is_damaged = self._was_damaged = True
        text = (
            "The model's files are damaged. Aide is converting it again; until then there are no completions."
        )
        self._notify_user(text)
        self._again(self._wanted, text)

    def _on_worker(self, job: Callable[[], T], cancel: CancelToken | None = None) -> "asyncio.Future[T]":
        return self._worker.submit(job, cancel or CancelToken())

    def _begin(self, settings: Settings, message: str) -> None:
        self._trouble.forget()
        self._wanted, self._model = settings, wanted_model(settings)
        self.state, self.completer, self.message, self.share = "loading", None, message, None
        self.shares = ""
        self._settled.clear()

    def _broken(self, completer: "Completer", error: BrokenSessionError) -> None:
        """Handle a failed session, unless another job has done so."""
        if self.completer is not completer or self._wanted is None:
            return
        if isinstance(error, EngineChangedError):
            # It does not count as a failure: nothing is wrong with either of them.
            log.info("The server has another engine.")
            self._again(self._wanted, "The server runs another engine now. Aide is asking which one.")
            return
        self._failures += 1
        self._was_on_gpu = completer.info.device == "cuda"
        log.warning("The session failed: %s", error)
        if isinstance(error, StuckSessionError) and not self._reported_stuck:
            self._reported_stuck = True
            self._notify_user(f"{error} Aide is loading it again. If this happens often, run `aide doctor`.")
        is_shared = self._wanted.engine == SHARED
        if self._failures == 1:
            what = "The shared engine" if is_shared else "The model"
            self._again(self._wanted, f"{what} stopped working and is being loaded again.")
        elif is_shared:
            self._go_alone()
        elif self._was_on_gpu:
            self._move_to_cpu(error)
        else:
            self._fail(f"The model keeps failing. {error} Run `aide doctor` to find out why.")
            self._notify_user(f"Aide offers no completions. {self.message}")

    def _go_alone(self) -> None:
        """Run the model in this process: the shared engine fails again and again."""
        from aide_lsp.completion.model import SHARES

        assert self._wanted is not None
        self._failures = 0
        text = "The shared engine keeps failing. The model is being loaded for this editor alone."
        self._again(evolve(self._wanted, engine=LOCAL), text)
        self.shares = SHARES["alone"].format("the shared engine keeps failing")

    def _not_loaded(self, settings: Settings, error: Exception) -> None:
        """Handle a failure to load; if the GPU failed before, there is still the CPU."""
        if self._failures and self._was_on_gpu and settings.provider != "cpu":
            self._move_to_cpu(error)
        else:
            self._fail(_reason(error))

    def _move_to_cpu(self, error: Exception) -> None:
        assert self._wanted is not None
        self._notify_user(
            f"The model failed twice on the GPU and now runs on the CPU, which is slower. {_reason(error)} "
            "Restart the server to try the GPU again."
        )
        self._again(on_cpu(self._wanted), "The model is being loaded on the CPU.")

    def _again(self, settings: Settings, message: str) -> None:
        settings = evolve(settings)  # another object, so that loading for the last one counts as overtaken
        self._begin(settings, message)
        self._reload(settings)

    def _fail(self, message: str) -> None:
        self.state, self.completer, self.message = "failed", None, message
        self._settled.set()  # whoever waits for the model gets the reason


def wanted_model(settings: Settings) -> str:
    """Name the model that the settings want, as far as they say."""
    if runs_here(settings):
        return settings.model or "default"
    return settings.engine_model or ""


def on_cpu(settings: Settings) -> Settings:
    """Return the settings for the CPU; half precision would take minutes there."""
    return evolve(settings, provider="cpu", recipe="auto" if settings.recipe == "fp16" else settings.recipe)


async def _damage_in(folder: Path) -> list[str]:
    """Return a sentence for each file that differs from the manifest."""
    from aide_lsp.inference.onnx.verifying import read_in_background

    loop = asyncio.get_running_loop()
    result: asyncio.Future[list[str]] = loop.create_future()

    def read() -> None:
        found = read_in_background(folder)
        with suppress(RuntimeError):  # the loop is closed: the server is ending
            loop.call_soon_threadsafe(result.set_result, found)

    # Not in the event loop's pool: a thread whose priority was lowered cannot raise it again.
    Thread(target=read, name="aide-verifying", daemon=True).start()
    return await result


def _reason(error: Exception) -> str:
    if isinstance(error, AideError):
        return str(error)
    if is_memory_short(error):
        return "There is not enough memory for the model. Close other programs or choose a smaller model."
    log.error("Loading failed: %s", where(error))
    return f"The model could not be loaded ({type(error).__name__}). Run `aide doctor` to find out why."


def _choice(settings: Settings) -> tuple[object, ...]:
    """Return all that loading reads."""
    own = settings.model, settings.recipe, settings.provider, settings.threads, settings.cache_mb
    server = settings.engine, settings.engine_kind, settings.engine_model, settings.engine_format
    return own + server
