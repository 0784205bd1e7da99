"""Asks the user before a model is downloaded: once for each model, with its size."""

from collections.abc import Awaitable, Callable

from aide_lsp.loading import MissingModel
from aide_lsp.settings.fields import Settings

DOWNLOAD, NOT_NOW = "Download", "Not Now"
Ask = Callable[[str, tuple[str, ...]], Awaitable[str | None]]
"""Shows a question with its answers; returns the one chosen, or None."""


class Consent:
    """What the user has agreed to. For the event loop's thread."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._given: set[str | None] = set()
        self._asked: set[str | None] = set()
        self.is_general = False
        """Whether no question is needed, whatever the model."""

    def give(self, model: str | None) -> None:
        """Note that the user wants this model; None: the default one."""
        self._given.add(model)

    def is_given(self, settings: Settings) -> bool:
        """Return whether the model that the settings name may be downloaded."""
        return self.is_general or settings.model in self._given

    async def ask(self, settings: Settings, missing: MissingModel) -> bool:
        """Ask, unless the user was asked about this model before; return whether it may be downloaded."""
        if settings.model in self._asked:
            return False
        self._asked.add(settings.model)
        if await self._ask(question(missing), (DOWNLOAD, NOT_NOW)) == DOWNLOAD:
            self.give(settings.model)
        return self.is_given(settings)


def question(missing: MissingModel) -> str:
    """Return the question."""
    return (
        f"Aide needs its model, {missing.name} ({size(missing)}). Download it once? "
        "After that, nothing is downloaded or sent."
    )


def waiting(missing: MissingModel) -> str:
    """Say why there are no completions while the model may not be downloaded."""
    return (
        f"Aide offers completions once its model, {missing.name} ({size(missing)}), is there. "
        "Download it in Aide's menu, in Neovim with :Aide install."
    )


def size(missing: MissingModel) -> str:
    """Return the size in gigabytes, as people compare it with their disk and their line."""
    return f"{max(missing.size / 1e9, 0.1):.1f} GB"
