"""Which parameters to change when completions disappoint: one record of rules for each complaint.

Values move to the next round number that is a noticeable step away.
"""

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import frozen

from aide_lsp.settings.fields import FIELDS, Parameters, label
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.settings.problems import shown

UP, DOWN, FIX = 1, -1, 0
NARROW_TOP_K = 40
"""Below this, Top K alone can be the reason that a model repeats itself."""
_SERIES = (1, 2, 3, 5, 7)


@frozen
class Ladder:
    """The round values that a parameter moves between."""

    rungs: tuple[float, ...]
    "Values that people write, ascending."
    step: float = 0.0
    "The next value is at least this far away,"
    factor: float = 1.0
    "or at least this many times larger or smaller."


LADDERS: Mapping[str, Ladder] = {
    "temperature": Ladder(tuple(tenth / 10 for tenth in range(11)), step=0.2),
    "top_k": Ladder(tuple(digit * 10**power for power in range(7) for digit in _SERIES), factor=1.5),
    "top_p": Ladder((0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0), step=0.1),
    "num_context": Ladder(tuple(2**power for power in range(5, 24)), factor=1.3),
}


@frozen
class Move:
    """One parameter that helps against a complaint."""

    key: str
    "The parameter."
    direction: int
    "`UP`, `DOWN`, or `FIX` (give it a value if it has none)."
    why: str
    "How it helps."
    perhaps: bool = False
    "Only if Top K is narrow, or if nothing else can change."


@frozen
class Complaint:
    """A complaint, and what helps against it."""

    means: str
    "What the user sees."
    moves: tuple[Move, ...]
    "What to change, the most effective first."
    advice: str = ""
    "What else to do."


COMPLAINTS: Mapping[str, Complaint] = {
    "repetitive": Complaint(
        "The same lines or phrases repeat.",
        (
            Move("temperature", UP, "less likely tokens get more probability, which breaks the loop"),
            Move("top_p", UP, "more of the less likely tokens can be sampled"),
            Move("top_k", UP, "more tokens can be sampled", perhaps=True),
        ),
    ),
    "incoherent": Complaint(
        "The code does not fit together or makes no sense here.",
        (
            Move("temperature", DOWN, "the most likely tokens get more probability"),
            Move("top_p", DOWN, "the unlikely tail is cut off earlier"),
            Move("num_context", UP, "the model reads more of the code that the completion must fit"),
        ),
    ),
    "off-topic": Complaint(
        "The code is fine but does something else.",
        (
            Move("top_k", DOWN, "only the tokens that fit best can be sampled"),
            Move("top_p", DOWN, "the unlikely tail is cut off earlier"),
            Move("num_context", UP, "the model reads more of what the code is about"),
        ),
    ),
    "inconsistent": Complaint(
        "Each request gives a different completion.",
        (Move("seed", FIX, "the same texts, cursor and parameters then give the same completion"),),
        "Change one parameter at a time to see what each one does.",
    ),
}


@frozen
class ParameterChange:
    """One parameter's new value."""

    key: str
    "The parameter."
    old: float | None
    "Its current value."
    new: float
    "Its proposed value."
    why: str
    "How it helps."

    def sentence(self) -> str:
        """Describe the change to the user."""
        verb = "Fix" if self.old is None else "Raise" if self.new > self.old else "Lower"
        span = f"at {shown(self.new)}" if self.old is None else f"from {shown(self.old)} to {shown(self.new)}"
        return f"{verb} {label(self.key)} {span}: {self.why}."


@frozen
class Proposal:
    """What to change for a complaint."""

    complaint: str
    "Which of `COMPLAINTS`."
    before: Parameters
    "The current parameters."
    after: Parameters
    "The proposed ones."
    changes: tuple[ParameterChange, ...]
    "The parameters that differ."
    bounds: tuple[str, ...]
    "Sentences on parameters that should change but cannot."
    advice: str = ""
    "What else to do."

    @property
    def values(self) -> dict[str, float]:
        """The new values by key."""
        return {change.key: change.new for change in self.changes}

    @property
    def reasons(self) -> list[str]:
        """The reasons for the changes, in sentences."""
        return [change.sentence() for change in self.changes] + ([self.advice] if self.advice else [])


def propose(
    complaint: str, parameters: Parameters, limits: ModelLimits | None, seed: int, reads_all: bool = False
) -> Proposal:
    """Propose values against a complaint.

    Args:
        complaint: one of `COMPLAINTS`; KeyError otherwise.
        parameters: the current ones.
        limits: what the model allows; None: not known, so nothing is limited.
        seed: the one to keep if the complaint asks for a fixed seed.
        reads_all: whether the model already reads the complete text.
    """
    rules = COMPLAINTS[complaint]
    changes, bounds = list[ParameterChange](), list[str]()
    for move in rules.moves:
        if move.perhaps and changes and parameters.top_k >= NARROW_TOP_K:
            continue
        new = _moved(move, parameters, limits, seed)
        if move.key == "num_context" and reads_all and not isinstance(new, str):
            new = f"Num Context stays at {parameters.num_context}: the model already reads the complete file."
        if isinstance(new, str):
            bounds.append(new)
        else:
            changes.append(ParameterChange(move.key, getattr(parameters, move.key), new, move.why))
    new_values: dict[str, Any] = {change.key: change.new for change in changes}
    after = attrs.evolve(parameters, **new_values)
    return Proposal(complaint, parameters, after, tuple(changes), tuple(bounds), rules.advice)


def narrowed_limits(limits: ModelLimits, most_context: int | None) -> ModelLimits:
    """Narrow the model's limits to the Num Context that the user allows; None: any."""
    if most_context is None or most_context > limits.most_context:
        return limits
    return attrs.evolve(limits, most_context=most_context)


def _moved(move: Move, parameters: Parameters, limits: ModelLimits | None, seed: int) -> float | str:
    """Return the new value, or a sentence that explains why there is none."""
    old = getattr(parameters, move.key)
    if move.direction == FIX:
        return seed if old is None else f"{label(move.key)} is already fixed at {shown(old)}."
    if move.direction == DOWN and move.key != "num_context" and (sole := _sole_token(parameters)):
        return f"{label(move.key)} has nothing left to narrow: {sole}."
    low, high = _range(move.key, limits)
    if move.direction == UP and old >= high:
        return f"{label(move.key)} is {shown(old)}, its maximum."
    if move.direction == DOWN and old <= low:
        return f"{label(move.key)} is {shown(old)}, its minimum."
    bound = high if move.direction == UP else low
    # The current value may be above the maximum, for example with another model.
    return _step(LADDERS[move.key], min(old, high), move.direction, bound)


def _sole_token(parameters: Parameters) -> str:
    """Explain why only the most likely token is ever taken; empty if others are sampled too."""
    if parameters.temperature == 0:
        return "at Temperature 0 the most likely token is always taken"
    if parameters.top_k == 1:
        return "at Top K 1 the most likely token is always taken"
    return "at Top P 0 the most likely token is always taken" if parameters.top_p == 0 else ""


def _step(ladder: Ladder, old: float, direction: int, bound: float) -> float:
    """Return the nearest rung that is at least one step away and within the bound, or the bound."""
    # 0.1 + 0.2 is a little more than 0.3, which has to count as one step.
    slack = 1e-9
    if direction == UP:
        least = max(old + ladder.step, old * ladder.factor) - slack
        return min((rung for rung in ladder.rungs if least <= rung <= bound), default=bound)
    most = min(old - ladder.step, old / ladder.factor) + slack
    return max((rung for rung in ladder.rungs if bound <= rung <= most), default=bound)


def _range(key: str, limits: ModelLimits | None) -> tuple[float, float]:
    field, top = FIELDS[key], LADDERS[key].rungs[-1]
    low = LADDERS[key].rungs[0] if field.minimum is None else field.minimum
    if field.model_maximum is not None and limits is not None:
        return low, min(top, int(getattr(limits, field.model_maximum)))
    return low, top if field.maximum is None else field.maximum
