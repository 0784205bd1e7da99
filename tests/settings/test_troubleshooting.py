"""What is proposed for each complaint: in range, in the right direction, with bounds reported."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.settings.fields import Parameters, check_value, label
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.settings.troubleshooting import COMPLAINTS, DOWN, FIX, UP, propose

LIMITS = ModelLimits(vocab_size=151_936, context_length=32_768)
PARAMETERS = st.builds(
    Parameters,
    temperature=st.floats(0, 1) | st.sampled_from([0, 0.0, 0.7, 0.95, 1, 1.0]),
    top_k=st.integers(1, LIMITS.vocab_size) | st.sampled_from([1, 50, LIMITS.vocab_size]),
    top_p=st.floats(0, 1) | st.sampled_from([0, 0.0, 0.5, 0.95, 1, 1.0]),
    num_context=st.integers(1, LIMITS.most_context) | st.sampled_from([1024, LIMITS.most_context]),
    seed=st.none() | st.integers(),
)


def proposed(complaint, limits=LIMITS, **parameters):
    return propose(complaint, Parameters(**parameters), limits, seed=7)


@given(st.sampled_from(sorted(COMPLAINTS)), PARAMETERS, st.none() | st.just(LIMITS))
def test_propose_any_parameters_then_in_range_in_the_right_direction_and_bounds_reported(
    complaint, parameters, limits
):
    proposal = propose(complaint, parameters, limits, seed=7)
    moves = {move.key: move for move in COMPLAINTS[complaint].moves}
    for change in proposal.changes:
        assert check_value(change.key, change.new, limits) is None
        assert change.old == getattr(parameters, change.key)
        direction = moves[change.key].direction
        assert direction == FIX or (change.new - change.old) * direction > 0
    assert proposal.after == attrs.evolve(parameters, **proposal.values)
    explained = [key for key in moves if any(label(key) in sentence for sentence in proposal.bounds)]
    silent = set(moves) - set(proposal.values) - set(explained)
    assert silent <= {key for key, move in moves.items() if move.perhaps}
    assert proposal.changes or proposal.bounds


@given(st.sampled_from(["repetitive", "incoherent", "off-topic"]), PARAMETERS)
def test_propose_again_and_again_then_it_ends_at_the_bounds(complaint, parameters):
    for _ in range(40):
        proposal = propose(complaint, parameters, LIMITS, seed=7)
        if not proposal.changes:
            assert proposal.bounds
            return
        parameters = proposal.after
    raise AssertionError("it never ends")


@pytest.mark.parametrize(
    ("complaint", "values"),
    [
        ("repetitive", {"temperature": 0.9, "top_p": 1.0}),
        ("incoherent", {"temperature": 0.5, "top_p": 0.8, "num_context": 1024}),
        ("off-topic", {"top_k": 30, "top_p": 0.8, "num_context": 1024}),
        ("inconsistent", {"seed": 7}),
    ],
)
def test_propose_from_the_defaults(complaint, values):
    proposal = proposed(complaint)
    assert proposal.values == values
    assert proposal.bounds == ()


def test_propose_repetitive_when_top_k_is_narrow_or_all_else_at_its_bound_then_top_k_too():
    assert proposed("repetitive", top_k=10).values["top_k"] == 20
    assert proposed("repetitive", temperature=1, top_p=1, top_k=200).values == {"top_k": 300}


def test_propose_when_at_every_bound_then_each_is_reported_and_nothing_changes():
    proposal = proposed("repetitive", temperature=1.0, top_p=1.0, top_k=LIMITS.vocab_size)
    assert proposal.changes == ()
    assert proposal.bounds == (
        "Temperature is 1.0, its maximum.",
        "Top P is 1.0, its maximum.",
        "Top K is 151936, its maximum.",
    )


@pytest.mark.parametrize("parameters", [{"temperature": 0}, {"top_k": 1}, {"top_p": 0.0}])
def test_propose_when_the_most_likely_token_is_always_taken_then_only_the_context_helps(parameters):
    proposal = proposed("off-topic", **parameters)
    assert proposal.values == {"num_context": 1024}
    assert all("nothing left to narrow" in sentence for sentence in proposal.bounds)


def test_propose_when_the_next_round_value_is_past_the_model_then_the_model_s_limit():
    small = ModelLimits(vocab_size=384, context_length=1200)
    assert proposed("incoherent", small).values["num_context"] == small.most_context
    assert proposed("repetitive", small, top_k=300, temperature=1, top_p=1).values == {"top_k": 384}


def test_propose_inconsistent_when_the_seed_is_fixed_then_it_says_so_and_what_to_do_next():
    proposal = proposed("inconsistent", seed=3)
    assert proposal.changes == ()
    assert proposal.bounds == ("Seed is already fixed at 3.",)
    assert proposal.reasons == ["Change one parameter at a time to see what each one does."]


def test_change_says_what_and_why_in_one_sentence():
    assert proposed("repetitive").changes[0].sentence() == (
        "Raise Temperature from 0.7 to 0.9: less likely tokens get more probability, which breaks the loop."
    )


def test_moves_are_what_the_documentation_promises():
    directions = {name: {m.key: m.direction for m in c.moves} for name, c in COMPLAINTS.items()}
    assert directions == {
        "repetitive": {"temperature": UP, "top_p": UP, "top_k": UP},
        "incoherent": {"temperature": DOWN, "top_p": DOWN, "num_context": UP},
        "off-topic": {"top_k": DOWN, "top_p": DOWN, "num_context": UP},
        "inconsistent": {"seed": FIX},
    }
