"""Completions kept for the next request of their document.

Editors show ghost text only in answer to a request of their own. So what a command chose, what came after the
client stopped waiting, and all of a completion whose first lines are visible, is kept until it is asked for.
"""

from attrs import evolve, frozen

from aide_lsp.completion.request import Completion
from aide_lsp.lsp.requests.snapshot import Snapshot
from aide_lsp.settings.fields import Settings


@frozen
class Kept:
    """A completion and the place where it is offered."""

    snapshot: Snapshot
    "Where it is offered."
    completion: Completion
    chosen: bool = False
    """The user chose it among others, so it goes on while they type it. Otherwise only the very same place
    counts: with a seed set, what was typed before must not change an answer."""
    alone: bool = False
    "It is given without other candidates."

    def answer(self, snapshot: Snapshot) -> Completion | None:
        """Return what is left of it for a request; None: the request asks for something else."""
        mine, theirs = self.snapshot.request, snapshot.request
        if snapshot.fresh or not self._has_settings(snapshot.settings):
            return None
        inserted = self.snapshot.typed_in(theirs.text)
        typed = theirs.offset - mine.offset
        if inserted is None or not 0 <= typed <= len(inserted) or (inserted and not self.chosen):
            return None
        return self.completion.after(inserted[:typed], inserted[typed:])

    def _has_settings(self, settings: Settings) -> bool:
        """Whether settings ask for it. To fix its seed, or to free it, changes nothing."""
        was, now = self.snapshot.settings.parameters.seed, settings.parameters.seed
        return now in (None, was, self.completion.seed) and _free(settings) == _free(self.snapshot.settings)


class KeptCompletions:
    """One for each document. For the event loop's thread."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def keep(self, kept: Kept) -> None:
        """Keep a completion in place of the one that was kept for its document."""
        self._kept[kept.snapshot.uri] = kept

    def answer(self, snapshot: Snapshot) -> Kept | None:
        """Return what is kept for a request, with what is left of the completion."""
        kept = self._kept.get(snapshot.uri)
        rest = kept.answer(snapshot) if kept is not None else None
        return evolve(kept, completion=rest) if kept is not None and rest is not None else None

    def given(self, snapshot: Snapshot) -> None:
        """Note that it was given: the user's next request gets the other candidates as well."""
        kept = self._kept[snapshot.uri]
        if kept.alone and not kept.chosen:
            self._kept[snapshot.uri] = evolve(kept, alone=False)

    def forget(self, uri: str) -> None:
        """Drop what is kept for a document."""
        self._kept.pop(uri, None)


def _free(settings: Settings) -> Settings:
    return evolve(settings, parameters=evolve(settings.parameters, seed=None))
