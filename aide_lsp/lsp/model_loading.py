"""Has the model loaded that the settings want, and asks the user before it is downloaded."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from aide_lsp.lsp.client_window import ERROR, ClientWindow
from aide_lsp.lsp.model.consent import Consent, waiting
from aide_lsp.lsp.model.model_host import ModelHost
from aide_lsp.settings.fields import Settings

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer

Spawn = Callable[[Coroutine[Any, Any, None]], None]
"""Runs something concurrently."""


class ModelLoading:
    """Loads the model. For the event loop's thread."""

    def __init__(
        self,
        host: ModelHost,
        window: ClientWindow,
        spawn: Spawn,
        changed: Callable[[], object],
        loaded: Callable[["Completer"], object],
    ) -> None:
        """Load nothing yet.

        Args:
            host: holds the model.
            window: where the user is asked, and sees progress.
            spawn: runs the loading.
            changed: called when the host's state has changed.
            loaded: called with the completer once it is ready.
        """
        self._host, self._window, self._spawn, self._changed = host, window, spawn, changed
        self._report_loaded, self._loop = loaded, asyncio.get_running_loop()
        self.consent = Consent(window.ask)

    def follow(self, settings: Settings) -> None:
        """Load another model if the settings name one."""
        if self._host.claim(settings):
            self.start(settings)

    def start(self, settings: Settings) -> None:
        """Load with settings that were claimed."""
        self._spawn(self._load(settings))

    def fetch(self, settings: Settings, *, failed: bool) -> str:
        """Download the model that is missing, or try it or its server again; say what happens, for people.

        `failed`: what the settings want has failed.
        """
        if (wanted := self._host.fetch()) is not None:
            self.consent.give(wanted.model)
            self.start(wanted)
        # A server is opened again: the user may have stored its key, or started another one.
        elif failed and self._host.claim(settings, again=True):
            self.consent.give(settings.model)
            self.start(settings)
        self._changed()
        return self._host.message or "The model is on your disk already."

    async def _load(self, settings: Settings) -> None:
        if not await self._may_load(settings):
            return
        work = self._window.progress()

        def report(share: float | None, text: str) -> None:
            work.report(share, text)
            self._loop.call_soon_threadsafe(self._changed)

        loaded = await self._host.load(settings, report)
        self._changed()
        if loaded and self._host.completer is not None:
            self._report_loaded(self._host.completer)
        elif self._host.state == "failed":
            self._window.show(ERROR, f"Aide offers no completions. {self._host.message}")
        # Last: it waits for clients that are slow to create their progress bar.
        await work.end("Ready" if loaded else "The model is not loaded")

    async def _may_load(self, settings: Settings) -> bool:
        """Return whether the model is on the disk, or the user agrees to its download."""
        missing = await self._host.missing(settings)
        if missing is None:
            return True
        if not self.consent.is_given(settings):
            self._host.miss(settings, waiting(missing))
            self._changed()
            if not await self.consent.ask(settings, missing) or self._host.fetch(settings) is None:
                return False
        return True
