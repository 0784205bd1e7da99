"""Several completions for one place, to choose from.

In: a request, how many. Out: completions that share seed and parameters, each with a text of its own. A
candidate depends on the request, the seed and its own number: whether the others were made changes
nothing. They share the prompt, which is read once. It does not know who chooses.
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
    """Return the first of `count` candidates, and those of the others that have another text to offer.

    Args:
        completer: asked once for each candidate.
        request: for the first candidate. If it sets no seed, all have the one that was drawn for the first.
        count: candidates to make. The request's deadline holds for all together: what comes too late is
            left out, but for the first.
        cancel: looked at before and while each is made.
        first: the first candidate, if it was made already.
        observer: told how the first one is made.

    Raises:
        Cancelled: nobody waits any more.
        DeclinedError: see `Completer.complete`.
        SessionError: the runtime failed.
    """
    started, options = monotonic(), request.options
    first = first or completer.complete(request, cancel, observer)
    found, seen = [first], {first.text, ""}
    for candidate in range(1, count):
        left = options.deadline_ms and int(options.deadline_ms - (monotonic() - started) * 1000.0)
        if left < 0 or first.finish_reason == "timeout":
            break
        other = request.with_options(
            parameters=evolve(options.parameters, seed=first.seed),
            candidate=candidate,
            deadline_ms=max(1, left) if options.deadline_ms else 0,
        )
        completion = completer.complete(other, cancel)
        if completion.text not in seen:
            seen.add(completion.text)
            found.append(completion)
    return tuple(found)
