"""Other completions for a place: the next candidate, another seed, the one before, or one to compare with.

The first three replace what is visible once they are there; if they are canceled or find nothing else, it
stays.
"""

import asyncio
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from aide_lsp.application.excerpts import Prepared
from aide_lsp.completion.request import Completion
from aide_lsp.lsp.requests.answer import Completions, NoCompletion
from aide_lsp.lsp.requests.candidate_lists import CandidateList
from aide_lsp.lsp.requests.scheduler import Scheduler
from aide_lsp.lsp.requests.snapshot import Snapshot
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.settings.fields import Parameters, new_seed

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import CompletionRequest
    from aide_lsp.inference.cancel import CancelToken

MOST_SEEDS = 8
"""Seeds that are tried until the text differs: with fewer, short completions often come out the same."""
NO_OTHER_SEED = (
    f"{MOST_SEEDS} new seeds gave no other text. Raise Temperature, Top K or Top P to get more variety."
)
NO_OTHER_CANDIDATE = (
    "This seed has no other candidate here. Regenerate with a new seed, or raise Temperature, Top K or Top P."
)
ONE_CANDIDATE = (
    "The setting candidates is 1, so there are no others. Raise it, or regenerate with a new seed."
)


@frozen
class Paged:
    """What is visible after the user asked for another completion."""

    completion: Completion
    index: int
    "Its number among the candidates, from 0."
    count: int
    "How many there are, or may be as long as not all were generated."
    message: str | None = None
    "Why it is what was visible before; None: it is another one."


@frozen
class _Tried:
    """The completions that several seeds gave."""

    found: Completions
    chosen: Completion | None
    "The one to show; None: nothing differs."

    @property
    def completion(self) -> Completion:
        """The one to report."""
        return self.chosen or self.found.completions[-1]


class Alternatives:
    """Finds them. For the event loop's thread."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._stepping: _Stepping | None = None

    # -- candidates

    async def candidate(self, snapshot: Snapshot, step: int) -> Paged | NoCompletion:
        """Show the next (1) or the previous (-1) candidate of the seed that is visible at a place.

        Asked again while one is generated, it waits for that one.
        """
        running = self._stepping
        if running is None or running.task.done() or not running.snapshot.is_same_place(snapshot):
            task = asyncio.get_running_loop().create_task(self._step(snapshot, step))
            running = self._stepping = _Stepping(snapshot, task)
        return await running.wait()

    async def _step(self, snapshot: Snapshot, step: int) -> Paged | NoCompletion:
        scheduler = self._scheduler
        await scheduler.whole(snapshot.uri)
        if not scheduler.is_unchanged(snapshot):
            return NoCompletion.because(NoCompletionReason.STALE)
        visible = scheduler.shown.visible(snapshot)
        if visible is None:
            return await self._first(snapshot)
        candidates = scheduler.shown.candidates.of(snapshot, visible)
        index = candidates.index(visible) or 0
        problem: NoCompletion | None = None
        while problem is None and candidates.generates(index, step):
            if not await scheduler.prefetcher.joined(candidates):
                problem = await self._generate(candidates, snapshot)
            elif not scheduler.is_current(snapshot):
                problem = NoCompletion.because(NoCompletionReason.SUPERSEDED)
        if problem is None and not scheduler.is_current(snapshot):
            problem = NoCompletion.because(NoCompletionReason.STALE)
        if problem is not None:
            return problem
        to = candidates.target(index, step)
        if to == index:
            alone = ONE_CANDIDATE if snapshot.settings.candidates == 1 else NO_OTHER_CANDIDATE
            message = alone if visible.parameters.draws else nothing_drawn(visible.parameters)
            return self._stay(snapshot, Paged(visible, index, candidates.count, message))
        scheduler.shown.choose(snapshot, candidates.found[to], alone=True)
        return Paged(candidates.found[to], to, candidates.count)

    async def _first(self, snapshot: Snapshot) -> Paged | NoCompletion:
        """Show a completion where none is visible; one that is being generated is waited for."""
        scheduler = self._scheduler
        answer = await scheduler.waited_for(snapshot)
        if answer is None:
            answer = await scheduler.complete(evolve(snapshot, count=1))
        if isinstance(answer, NoCompletion):
            return answer
        if not answer.completion.text:
            return NoCompletion.of(answer.completion)
        await scheduler.whole(snapshot.uri)
        if not scheduler.is_current(snapshot):
            return NoCompletion.because(NoCompletionReason.STALE)
        completion = scheduler.shown.visible(snapshot) or answer.completion
        scheduler.shown.choose(snapshot, completion, alone=True)
        return Paged(completion, 0, scheduler.shown.candidates.of(snapshot, completion).count)

    async def _generate(self, candidates: CandidateList, snapshot: Snapshot) -> NoCompletion | None:
        """Add the next candidate to a list; return why it cannot be generated."""
        # With the other files as they were when the list began, so that its candidates belong together.
        next_one = evolve(
            snapshot,
            request=candidates.next_request(snapshot.settings.deadline_ms),
            readable=candidates.snapshot.readable,
        )

        def work(completer: "Completer", prepared: Prepared, cancel: "CancelToken") -> Completions:
            found = Completions((completer.complete(prepared.request, cancel),))
            self._scheduler.work.record(completer, snapshot, prepared.request, found.completions)
            return found

        answer = await self._scheduler.run(next_one, work)
        if isinstance(answer, NoCompletion):
            return answer
        if answer.completion.finish_reason == "timeout":
            return NoCompletion.because(NoCompletionReason.TIMEOUT)
        candidates.add(answer.completion)
        return None

    # -- seeds

    async def regenerate(
        self, snapshot: Snapshot, parameters: Parameters, *, explicit: bool
    ) -> Paged | NoCompletion:
        """Complete again with these parameters, and show it.

        Args:
            snapshot: the place.
            parameters: with the seed to begin with.
            explicit: the user named the seed, so no other one is tried.
        """
        scheduler = self._scheduler
        await scheduler.whole(snapshot.uri)
        if not scheduler.is_unchanged(snapshot):
            return NoCompletion.because(NoCompletionReason.STALE)
        visible = scheduler.shown.visible(snapshot)
        if (
            visible is not None
            and not (explicit or parameters.draws)
            and evolve(visible.parameters, seed=None) == evolve(parameters, seed=None)
        ):
            return self._stay(snapshot, Paged(visible, 0, 1, nothing_drawn(parameters)))
        seeds = [parameters.seed] if explicit or not parameters.draws else _seeds(parameters.seed)
        shown = [] if explicit else [one.text for one in scheduler.shown.history.all_at(snapshot)]
        seen = frozenset([*shown, visible.text] if visible and not explicit else shown)
        now = visible.text if visible and not explicit else ""

        def work(completer: "Completer", prepared: Prepared, cancel: "CancelToken") -> _Tried:
            request = prepared.request.with_options(parameters=parameters)
            if explicit:
                completer.forget(request)
            tried = _try(completer, request, seeds, seen, now, cancel)
            scheduler.work.record(completer, snapshot, request, tried.found.completions)
            return tried

        answer = await scheduler.run(snapshot, work)
        if isinstance(answer, NoCompletion):
            return answer
        if not scheduler.is_current(snapshot):
            return NoCompletion.because(NoCompletionReason.STALE)
        if answer.chosen is not None and answer.chosen.text:
            scheduler.shown.choose(snapshot, answer.chosen)
            return Paged(answer.chosen, 0, 1)
        if visible is not None and not explicit:
            return self._stay(snapshot, Paged(visible, 0, 1, NO_OTHER_SEED))
        scheduler.shown.given_empty(snapshot, answer.completion)
        return Paged(answer.completion, 0, 1)

    def previous(self, snapshot: Snapshot) -> Paged | NoCompletion:
        """Return to the completion shown here before the last one."""
        scheduler = self._scheduler
        completion = scheduler.shown.history.back(snapshot)
        if completion is None:
            return NoCompletion.because(NoCompletionReason.NO_PREVIOUS)
        scheduler.supersede(snapshot.uri)
        scheduler.shown.choose(snapshot, completion)
        return Paged(completion, 0, 1)

    # -- comparing

    async def complete_with(
        self, snapshot: Snapshot, parameters: Parameters, candidate: int
    ) -> Completion | NoCompletion:
        """Complete with these parameters, and leave everything that is visible as it is."""

        def work(completer: "Completer", prepared: Prepared, cancel: "CancelToken") -> Completions:
            request = prepared.request.with_options(parameters=parameters, candidate=candidate)
            return Completions((completer.complete(request, cancel),))

        answer = await self._scheduler.run(snapshot, work, aside=True)
        return answer if isinstance(answer, NoCompletion) else answer.completion

    def _stay(self, snapshot: Snapshot, paged: Paged) -> Paged:
        """Leave a completion visible; show it again if the cursor had left it."""
        if self._scheduler.shown.screen.at(snapshot) is None:
            self._scheduler.shown.choose(snapshot, paged.completion)
        return paged


class _Stepping:
    """A step that is being taken, and how many wait for it."""

    def __init__(self, snapshot: Snapshot, task: "asyncio.Task[Paged | NoCompletion]") -> None:
        self.snapshot, self.task = snapshot, task
        self._waiting = 0

    async def wait(self) -> Paged | NoCompletion:
        """Wait for its result; if the last one who waits is canceled, it ends."""
        self._waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.task.cancel()


def nothing_drawn(parameters: Parameters) -> str:
    """Say why all seeds and candidates are the same with parameters that leave nothing to chance."""
    low = [
        *(["Temperature 0"] if parameters.temperature <= 0 else []),
        *(["Top K 1"] if parameters.top_k <= 1 else []),
        *(["Top P 0"] if parameters.top_p <= 0 else []),
    ]
    return f"With {' and '.join(low)} there is only this text, whatever the seed. Raise it to get others."


def _seeds(first: int | None) -> list[int | None]:
    # Drawn before the work begins, which may be repeated and must give the same then.
    return [first, *(new_seed() for _ in range(MOST_SEEDS - 1))]


def _try(
    completer: "Completer",
    request: "CompletionRequest",
    seeds: list[int | None],
    seen: frozenset[str],
    visible: str,
    cancel: "CancelToken",
) -> _Tried:
    """Complete with one seed after another until the text is new, or at least not the visible one."""
    found = list[Completion]()
    for seed in seeds:
        parameters = evolve(request.options.parameters, seed=seed)
        found.append(completer.complete(request.with_options(parameters=parameters), cancel))
        if found[-1].text and found[-1].text not in seen:
            return _Tried(Completions(tuple(found)), found[-1])
    others = [one for one in found if one.text not in ("", visible)]
    return _Tried(Completions(tuple(found)), others[0] if others else None)
