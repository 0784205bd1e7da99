"""The candidates of one seed at one place, through which the user pages.

They are generated one at a time: ahead, while the user reads the first, or when the user asks for one.
"""

from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.lsp.requests.snapshot import Snapshot


class CandidateList:
    """The candidates of one seed found so far. For the event loop's thread."""

    def __init__(self, snapshot: Snapshot, first: Completion) -> None:
        """Begin with the completion that is visible at a place."""
        self.snapshot = snapshot
        self.found = [first]
        # Of a completion that was typed along, this place has a first candidate of its own. Those that do not
        # fit were replaced by the next, which has a number of its own.
        start = 0 if first.typed else first.candidate + 1
        self._left = list(range(start, snapshot.settings.candidates)) if first.parameters.draws else []

    @property
    def is_complete(self) -> bool:
        """Whether there are no others."""
        return not self._left

    @property
    def count(self) -> int:
        """How many candidates there are, or may be as long as not all were generated."""
        return min(len(self.found) + len(self._left), self.snapshot.settings.candidates)

    def index(self, completion: Completion) -> int | None:
        """Return where a completion is among the candidates; None: it is not one of them."""
        return next((index for index, one in enumerate(self.found) if one.id == completion.id), None)

    def generates(self, index: int, step: int) -> bool:
        """Whether a step from a candidate needs one that was not generated yet.

        A step back from the first goes to the last one there is; only if there is no other, one is generated.
        """
        at_end = index == len(self.found) - 1
        return bool(self._left) and at_end and (step > 0 or index == 0)

    def target(self, index: int, step: int) -> int:
        """Return where a step leads: from the last on to the first, and back."""
        return (index + step) % len(self.found)

    def next_request(self, deadline_ms: int) -> CompletionRequest:
        """Return the request for the next candidate."""
        first = self.found[0]
        return self.snapshot.request.with_options(
            parameters=first.parameters, candidate=self._left[0], deadline_ms=deadline_ms
        )

    def add(self, completion: Completion) -> bool:
        """Take the answer to `next_request`; return whether it is a new text."""
        number = self._left.pop(0)
        # A candidate that does not fit is replaced by the next one, which would be the same again.
        self._left = [left for left in self._left if left > max(number, completion.candidate)]
        is_new = completion.text not in {"", *(one.text for one in self.found)}
        if is_new:
            self.found.append(completion)
        if self.count == len(self.found):
            self._left = []
        return is_new


class CandidateLists:
    """The lists of the place where the user is: one for each seed. For the event loop's thread."""

    def __init__(self) -> None:
        self._lists: list[CandidateList] = []

    def of(self, snapshot: Snapshot, completion: Completion) -> CandidateList:
        """Return the list that holds a completion at a place; begin one if there is none."""
        here = [one for one in self._lists if one.snapshot.is_same_place(snapshot)]
        self._lists = here
        for one in here:
            if one.index(completion) is not None:
                return one
        new = CandidateList(snapshot, completion)
        self._lists.append(new)
        return new

    def forget(self, uri: str) -> None:
        """Drop the lists of a document."""
        self._lists = [one for one in self._lists if one.snapshot.uri != uri]
