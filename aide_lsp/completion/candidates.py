"""Several completions for one place, to choose from.

They share seed and parameters. A candidate depends on the request, the seed and its own number, so it is the
same whether or not the others are generated. They also share the prompt, which is prefilled once.
"""

from time import monotonic

from attrs import evolve

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.inference.cancel import CancelToken


def complete_several(
    completer: Completer,
    request: CompletionRequest,
    count: int,
    cancel: CancelToken,
    first: Completion | None = None,
    observer: CompletionObserver = UNOBSERVED,
) -> tuple[Completion, ...]:
    """Return the first of `count` candidates, and those of the others whose text is different.

    Those that are shown although they do not fit come last, except a `first` that is seen already.

    Args:
        completer: runs once for each candidate.
        request: for the first candidate. If it sets no seed, all use the one drawn for the first.
        count: candidates to generate. The request's deadline applies to all together: except for the first,
            those that come too late are left out.
        cancel: checked before and during each.
        first: the first candidate, if it was generated already.
        observer: of the first candidate.

    Raises:
        Cancelled: no one waits for the answer anymore.
        DeclinedError: see `Completer.complete`.
        SessionError: the model failed.
    """
    started, options, is_seen = monotonic(), request.options, first is not None
    first = first or completer.complete(request, cancel, observer)
    # An empty candidate is nothing to choose, so "" counts as seen.
    found, seen = [first], {first.text, ""}
    for candidate in range(1, count):
        # Without a deadline this stays 0, so it is only negative if time is up.
        left = options.deadline_ms and int(options.deadline_ms - (monotonic() - started) * 1000.0)
        if left < 0 or first.finish_reason == "timeout":
            break
        other = request.with_options(
            parameters=evolve(options.parameters, seed=first.seed),
            candidate=candidate,
            # 0 would mean no deadline.
            deadline_ms=max(1, left) if options.deadline_ms else 0,
        )
        # Not observed: a trace holds one generation.
        completion = completer.complete(other, cancel)
        if completion.text not in seen:
            seen.add(completion.text)
            found.append(completion)
    return tuple(found if is_seen else sorted(found, key=lambda one: one.note is not None))
