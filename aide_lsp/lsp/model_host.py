"""Has the model loaded: at the start, and again when the settings name another one.

In: settings; a function that loads. Out: a completer, or why there is none. Loading runs on the worker, so
messages are answered meanwhile.
It does not know how a model is fetched or run.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from aide_lsp.errors import AideError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.lsp.protocol import where
from aide_lsp.lsp.worker import Worker
from aide_lsp.settings import Settings

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer

log = logging.getLogger("aide.model")
Progress = Callable[[float | None, str], None]
LoadCompleter = Callable[[Settings, Progress], "Completer"]
_Choice = tuple[str | None, str, str, int]


class ModelHost:
    """Holds the completer. All methods belong to the event loop's thread."""

    def __init__(self, worker: Worker, load: LoadCompleter) -> None:
        self._worker, self._load = worker, load
        self._wanted: Settings | None = None
        self._settled = asyncio.Event()
        self.state = "starting"
        """`starting`, `loading`, `ready` or `failed`."""
        self.completer: Completer | None = None
        self.message = "The model is not loaded yet."
        """What happens while it loads, or why it failed."""
        self.share: float | None = None
        """How much of it is done, 0.0 to 1.0; None: unknown."""
        self.model = ""
        """Id of the model that is, or shall be, loaded."""

    def claim(self, settings: Settings) -> bool:
        """Whether `load` is due: for another model, device or recipe than the last, or after a failure.

        Of several callers only the first is told so.
        """
        wanted = self._wanted
        if wanted is not None and _choice(wanted) == _choice(settings) and self.state != "failed":
            return False
        self._wanted, self.model = settings, settings.model or "default"
        self.state, self.completer, self.message = "loading", None, "The model is being loaded."
        self._settled.clear()
        return True

    async def load(self, settings: Settings, progress: Progress) -> bool:
        """Load what was claimed; what was loaded before is dropped. False: it failed or was overtaken."""

        def told(share: float | None, text: str) -> None:
            self.message, self.share = text if share is None else f"{text} ({share:.0%})", share
            progress(share, text)

        try:
            completer = await asyncio.wrap_future(
                self._worker.submit(lambda: self._load(settings, told), CancelToken())
            )
        except Exception as error:
            if self._wanted is settings:
                self._fail(error)
            return False
        if self._wanted is not settings:
            return False
        self.completer, self.state, self.message = completer, "ready", ""
        self.model = getattr(completer.model, "model", self.model)
        self._settled.set()
        return True

    async def wait(self, seconds: float) -> "Completer | None":
        """Wait for the completer while it loads, but not longer than so many seconds."""
        try:
            await asyncio.wait_for(self._settled.wait(), seconds)
        except TimeoutError:
            return None
        return self.completer

    def _fail(self, error: Exception) -> None:
        if isinstance(error, AideError):
            self.message = str(error)
        elif isinstance(error, MemoryError):
            self.message = (
                "There is not enough memory for the model. Close other programs or choose a smaller model."
            )
        else:
            log.error("Loading failed: %s", where(error))
            self.message = (
                f"The model could not be loaded ({type(error).__name__}). Run `aide doctor` to find out why."
            )
        self.state = "failed"
        self._settled.set()


def _choice(settings: Settings) -> _Choice:
    return settings.model, settings.recipe, settings.provider, settings.threads
