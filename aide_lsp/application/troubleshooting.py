"""Proposes parameters that address a complaint, and tries them out at the cursor.

Both completions, with the current and the proposed parameters, use the same seed, so that only the parameters
make a difference.
"""

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from aide_lsp.loading import known_limits
from aide_lsp.settings.fields import Parameters, Settings, new_seed
from aide_lsp.settings.troubleshooting import Proposal, narrowed_limits, propose

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion, CompletionRequest
    from aide_lsp.inference.cancel import CancelToken


@frozen
class Trial:
    """A proposal for one place, and the seed to compare with."""

    proposal: Proposal
    seed: int

    @property
    def parameters(self) -> tuple[Parameters, Parameters]:
        """The current and the proposed parameters, both with the seed."""
        return evolve(self.proposal.before, seed=self.seed), evolve(self.proposal.after, seed=self.seed)

    def complete(
        self, completer: "Completer", request: "CompletionRequest", cancel: "CancelToken"
    ) -> "tuple[Completion, Completion]":
        """Complete with the current parameters, then with the proposed ones.

        Raises:
            Cancelled: the token was set.
            DeclinedError, SessionError: see `Completer.complete`.
        """
        before, after = (
            completer.complete(request.with_options(parameters=parameters), cancel)
            for parameters in self.parameters
        )
        return before, after


def trial_of(
    complaint: str,
    settings: Settings,
    completer: "Completer",
    request: "CompletionRequest",
    seed: int | None = None,
) -> Trial:
    """Propose parameters for a request, within the limits of the loaded model and the settings.

    Args:
        complaint: one of `COMPLAINTS`.
        settings: those that the request was built from.
        completer: the loaded model.
        request: at the place that the complaint is about.
        seed: used where the settings set none; None: draw one.
    """
    known = (settings.parameters.seed, seed)
    # Not `or`: 0 is a seed.
    seed = next((one for one in known if one is not None), None)
    seed = new_seed() if seed is None else seed
    limits = narrowed_limits(completer.info.limits, settings.max_num_context)
    reads_all = completer.reads_all(request)
    return Trial(propose(complaint, settings.parameters, limits, seed, reads_all), seed)


def propose_unloaded(complaint: str, settings: Settings) -> Proposal:
    """Propose parameters without loading the model, within the limits that its files or its card give."""
    known = known_limits(settings)
    limits = None if known is None else narrowed_limits(known, settings.max_num_context)
    return propose(complaint, settings.parameters, limits, new_seed())
