"""What the client was given: what is visible now, what was visible before, and what it gets next.

What is given leads to work ahead: the user may accept it, or ask for the next candidate.
"""

from typing import TYPE_CHECKING

from aide_lsp.lsp.requests.answer import Answer, NoCompletion
from aide_lsp.lsp.requests.candidate_lists import CandidateLists
from aide_lsp.lsp.requests.history import History
from aide_lsp.lsp.requests.kept import Kept, KeptCompletions
from aide_lsp.lsp.requests.notifications import Notifier
from aide_lsp.lsp.requests.prefetch import Prefetcher
from aide_lsp.lsp.requests.screen import Screen
from aide_lsp.lsp.requests.snapshot import Snapshot
from aide_lsp.lsp.requests.status import QUIET

if TYPE_CHECKING:
    from aide_lsp.completion.request import Completion
    from aide_lsp.ledger.recorder import LedgerRecorder


class Shown:
    """Knows it for all documents. For the event loop's thread."""

    def __init__(
        self,
        screen: Screen,
        candidates: CandidateLists,
        prefetcher: Prefetcher,
        recorder: "LedgerRecorder",
        notifier: Notifier,
    ) -> None:
        self.screen, self.candidates = screen, candidates
        self.history, self.kept = History(), KeptCompletions()
        self._prefetcher, self._recorder, self._notifier = prefetcher, recorder, notifier

    def visible(self, snapshot: Snapshot) -> "Completion | None":
        """Return the completion that is visible at a place, or was the last one to be shown there."""
        visible = self.screen.at(snapshot) or self.history.last_at(snapshot)
        kept = self.kept.answer(snapshot)
        # All of one whose first lines are visible.
        return kept.completion if kept and visible and kept.completion.id == visible.id else visible

    def given(self, snapshot: Snapshot, answer: Answer) -> None:
        """Note what the client was given."""
        if isinstance(answer, NoCompletion):
            # A superseded request says nothing about the place: the answer to the newer one does.
            if answer.reason not in QUIET:
                self.screen.show_nothing(snapshot.uri, answer)
            return
        for completion in answer.completions[1:]:
            self._recorder.shown(completion.id)
        # Editors show the first one; the others are shown only if the user pages through them.
        first = next((one for one in answer.completions if one.text), None)
        if first is not None:
            self._show(snapshot, first)
        else:
            self.given_empty(snapshot, answer.completion)
            self._prefetcher.after_none(snapshot)

    def given_lines(self, snapshot: Snapshot, lines: "Completion") -> None:
        """Note that the client was given the first lines of a completion: the rest comes later."""
        self.history.add(snapshot, lines)
        self.screen.show(snapshot, lines)

    def has_all(self, snapshot: Snapshot, completion: "Completion") -> None:
        """Note that all of a completion is there whose first lines the client was given."""
        visible = self.screen.at(snapshot)
        if visible is not None and visible.text == completion.text:
            self._show(snapshot, completion)
        else:
            self.history.add(snapshot, completion)
            self.keep(snapshot, completion)

    def given_empty(self, snapshot: Snapshot, empty: "Completion") -> None:
        """Note that the client was given an empty completion."""
        self.screen.show_nothing(snapshot.uri, NoCompletion.of(empty))

    def choose(self, snapshot: Snapshot, completion: "Completion", *, alone: bool = False) -> None:
        """Show a completion that the user chose, and keep it for the next request at its place."""
        alone = alone or self._notifier.enabled
        self.kept.keep(Kept(snapshot, completion, chosen=True, alone=alone))
        self._show(snapshot, completion)

    def hold(self, uri: str) -> None:
        """Keep what is visible in a document for the next request: its settings are about to change."""
        visible = self.screen.visible
        if visible is not None and visible.snapshot.uri == uri:
            kept = self.kept.answer(visible.snapshot)
            if kept is None or kept.completion.id != visible.completion.id:
                self.kept.keep(Kept(visible.snapshot, visible.completion, alone=self._notifier.enabled))

    def offer(self, snapshot: Snapshot, completion: "Completion") -> None:
        """Keep a completion for a client that stopped waiting, and notify it."""
        self.keep(snapshot, completion)
        self._notifier.ready(snapshot.uri, snapshot.version, snapshot.place)

    def keep(self, snapshot: Snapshot, completion: "Completion") -> None:
        """Keep a completion for a client that was not given it."""
        self.kept.keep(Kept(snapshot, completion, alone=True))

    def forget(self, uri: str) -> None:
        """Drop what belongs to a document that was closed."""
        for store in (self.kept, self.history, self.candidates, self.screen):
            store.forget(uri)

    def _show(self, snapshot: Snapshot, completion: "Completion") -> None:
        self._recorder.shown(completion.id)
        self.history.add(snapshot, completion)
        self.screen.show(snapshot, completion)
        self._prefetcher.after(snapshot, completion, others=self._notifier.enabled)
