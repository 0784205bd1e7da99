"""The sampler against numbers worked out by hand, against recorded reference numbers, and by property."""

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.sampler import check, distribution, draw, probabilities, suffices, uniform
from aide_lsp.settings.fields import Parameters

REFERENCE = json.loads((Path(__file__).parents[1] / "data" / "sampling_reference.json").read_text("utf-8"))
FOUR = np.log(np.array([0.1, 0.4, 0.2, 0.3]))

temperatures = st.floats(0.05, 2.0)
top_ps = st.floats(0.0, 1.0)
logit_rows = st.lists(
    st.floats(-30, 30, width=32) | st.sampled_from([0.0, 1.0, 2.0]), min_size=2, max_size=200
).map(lambda values: np.array(values, dtype=np.float32))


def params(temperature=1.0, top_k=0, top_p=1.0):
    return Parameters(temperature, top_k, top_p)


def keyed(seed=0, candidate=0):
    return GenerationOptions(params(), 1, candidate, drawn_seed=seed)


def kept(logits, p):
    ids, probs = distribution(logits, np.arange(logits.size), p)
    return dict(zip(ids.tolist(), probs.tolist(), strict=True))


def test_softmax_when_all_filters_are_off_then_gives_all_tokens_best_first():
    ids, probs = distribution(FOUR, np.arange(4), params())
    assert ids.tolist() == [1, 3, 2, 0]
    assert probs == pytest.approx([0.4, 0.3, 0.2, 0.1])


def test_temperature_when_a_half_then_squares_the_ratios():
    assert kept(FOUR, params(temperature=0.5)) == pytest.approx({1: 16 / 30, 3: 9 / 30, 2: 4 / 30, 0: 1 / 30})


def test_top_k_when_two_then_renormalizes():
    assert kept(FOUR, params(top_k=2)) == pytest.approx({1: 4 / 7, 3: 3 / 7})


def test_top_p_when_mass_is_exactly_reached_then_one_more_token_stays():
    assert kept(np.log([0.5, 0.25, 0.25]), params(top_p=0.5)) == pytest.approx({0: 2 / 3, 1: 1 / 3})


@pytest.mark.parametrize(("top_p", "count"), [(0.0, 1), (0.29, 3), (0.3, 4), (0.5, 6), (0.7, 8), (1.0, 10)])
def test_top_p_when_ten_tokens_are_equal_then_keeps_one_more_than_their_share_and_the_lowest_ids(
    top_p, count
):
    assert sorted(kept(np.full(10, 2.5), params(top_p=top_p))) == list(range(count))


def test_top_p_when_mass_is_exceeded_then_that_token_is_the_last():
    assert kept(FOUR, params(top_p=0.39)) == {1: 1.0}
    assert kept(FOUR, params(top_p=0.41)) == pytest.approx({1: 4 / 7, 3: 3 / 7})


def test_order_when_both_filters_are_on_then_top_p_sees_what_top_k_renormalized():
    # Of everything 0.4 + 0.3 would be needed for 0.55; of the two best, 4/7 is enough.
    assert kept(FOUR, params(top_k=2, top_p=0.55)) == {1: 1.0}


def test_top_k_when_logits_are_equal_at_the_cut_then_the_lowest_ids_stay():
    assert sorted(kept(np.array([1.0, 0.0, 1.0, 1.0]), params(top_k=2))) == [0, 2]


@pytest.mark.parametrize("values", [[3.0, 5.0, 5.0], [0.0, -0.0, -1.0], [-math.inf, 1.0, 1.0]])
def test_greedy_when_logits_are_equal_then_temperature_0_top_k_1_and_top_p_0_take_the_lowest_id(values):
    logits, ids = np.array(values), np.array([9, 8, 7])
    best = min(ids[logits == logits.max()].tolist())
    for p in (params(temperature=0), params(top_k=1), params(top_p=0.0), params(0.3, 50, 0.0)):
        got, probs = distribution(logits, ids, p)
        assert (got.tolist(), probs.tolist()) == ([best], [1.0])


@pytest.mark.parametrize("temperature", [5e-324, 1e-308, 1e-30])
@pytest.mark.parametrize("top_p", [0.5, 1.0])
def test_temperature_when_next_to_0_then_only_the_best_tokens_are_left(temperature, top_p):
    assert sorted(kept(np.array([2.0, 1.0, 2.0, -math.inf]), params(temperature, top_p=top_p))) == [0, 2]


def test_draw_when_a_token_has_no_probability_then_never_draws_it(monkeypatch):
    monkeypatch.setattr("aide_lsp.inference.sampler.uniform", lambda *_: 1.0 - 2.0**-53)
    ids, probs = distribution(np.array([1.0, 1.0, -math.inf, -1e6]), np.arange(4), params(0.1))
    assert draw(ids, probs, keyed(), 0) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"temperature": -0.1},
        {"temperature": math.nan},
        {"temperature": math.inf},
        {"top_k": -1},
        {"top_p": 1.1},
    ],
)
def test_check_when_parameters_are_out_of_range_then_they_are_refused(values):
    with pytest.raises(ValueError, match="must be"):
        check(params(**values))


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: case["id"])
def test_probabilities_when_compared_with_recorded_reference_then_are_equal(case):
    logits = np.array(REFERENCE["logits"][case["logits"]], dtype=np.float32)
    got = probabilities(logits, case["temperature"], case["top_k"], case["top_p"])
    expected = np.zeros(logits.size)
    expected[case["ids"]] = case["probs"]
    assert np.flatnonzero(got).tolist() == sorted(case["ids"])
    assert got == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: case["id"])
def test_draw_when_repeated_then_frequencies_are_the_reference(case):
    """Chi-square of 20,000 draws; the seeds are fixed, so it cannot fail by chance."""
    logits = np.array(REFERENCE["logits"][case["logits"]], dtype=np.float32)
    p = params(case["temperature"], case["top_k"] or 0, 1.0 if case["top_p"] is None else case["top_p"])
    ids, probs = distribution(logits, np.arange(logits.size), p)
    count = 20_000
    drawn = Counter(draw(ids, probs, keyed(), position) for position in range(count))
    assert drawn.keys() <= set(case["ids"])
    expected = {i: q * count for i, q in zip(case["ids"], case["probs"], strict=True)}
    assert chi_square_tail(drawn, expected) > 1e-3


def test_draw_when_seeds_change_then_frequencies_are_the_distribution():
    """The same over seeds, candidates and positions, as a user who asks again and again sees it."""
    ids, probs = distribution(FOUR, np.arange(4), params())
    keys = [
        (seed, candidate, position)
        for seed in range(100)
        for candidate in range(10)
        for position in range(10)
    ]
    drawn = Counter(draw(ids, probs, keyed(s, c), p) for s, c, p in keys)
    expected = {int(i): float(q) * len(keys) for i, q in zip(ids, probs, strict=True)}
    assert chi_square_tail(drawn, expected) > 1e-3


def test_uniform_when_recorded_then_stays_the_same_for_ever():
    """A seed someone wrote down gives the same completion with every later version."""
    assert [uniform(0, 0, 0), uniform(42, 1, 7), uniform(-(2**70), 0, 3)] == REFERENCE["uniform"]


@given(st.integers(), st.integers(0, 9), st.integers(0, 2000))
def test_uniform_when_seed_is_any_integer_then_is_between_0_and_1(seed, candidate, position):
    assert 0.0 <= uniform(seed, candidate, position) < 1.0


def test_uniform_when_seed_candidate_or_position_differs_then_differs():
    seeds = [0, 1, -1, 127, 128, -128, 255, 256, 2**64, -(2**64), 2**64 + 1, 10**5000]
    numbers = {uniform(s, c, p) for s in seeds for c in (0, 1, -1) for p in (0, 1, 2**40)}
    assert len(numbers) == len(seeds) * 9


@given(logit_rows, temperatures, st.integers(0, 70), top_ps)
def test_distribution_when_anything_is_set_then_sums_to_one_and_falls(logits, temperature, top_k, top_p):
    ids, probs = distribution(logits, np.arange(logits.size), params(temperature, top_k, top_p))
    assert probs.sum() == pytest.approx(1.0)
    assert ids.size == probs.size == len(set(ids.tolist())) >= 1
    assert (np.diff(probs) <= 0).all()


@given(logit_rows, temperatures, st.integers(0, 70), top_ps, st.randoms())
def test_distribution_when_candidates_are_permuted_then_is_the_same(
    logits, temperature, top_k, top_p, random
):
    p = params(temperature, top_k, top_p)
    order = list(range(logits.size))
    random.shuffle(order)
    straight = distribution(logits, np.arange(logits.size), p)
    shuffled = distribution(logits[order], np.array(order), p)
    assert shuffled[0].tolist() == straight[0].tolist()
    assert shuffled[1].tolist() == straight[1].tolist()


@given(logit_rows, st.just(0.0) | temperatures, st.integers(0, 70), st.sampled_from([0.0, 1.0]) | top_ps)
def test_distribution_when_computed_in_plain_python_then_keeps_the_same_tokens(
    logits, temperature, top_k, top_p
):
    ids, probs = distribution(logits, np.arange(logits.size), params(temperature, top_k, top_p))
    values = logits.tolist()
    ranked, fewest, most = plain_choice(values, temperature, top_k, top_p)
    assert fewest <= ids.size <= most
    assert ids.tolist() == ranked[: ids.size]
    if temperature:
        weights = [math.exp((values[i] - values[ranked[0]]) / temperature) for i in ids.tolist()]
        assert probs == pytest.approx([weight / math.fsum(weights) for weight in weights], rel=1e-9)


def plain_choice(logits, temperature, top_k, top_p):
    """The page's words in a few lines: the ranked tokens, and how many stay (two counts within rounding)."""
    ranked = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    if temperature == 0:
        return ranked, 1, 1
    ranked = ranked[: top_k or len(ranked)]
    weights = [math.exp((logits[i] - logits[ranked[0]]) / temperature) for i in ranked]
    if top_p == 1:
        return ranked, sum(weight > 0 for weight in weights), len(ranked)
    total = math.fsum(weights)
    shares = [math.fsum(weights[:count]) / total for count in range(1, len(ranked) + 1)]
    above = [[share > top_p + slack for share in shares] for slack in (-1e-12, 1e-12)]
    fewest, most = ((found.index(True) if True in found else len(found) - 1) + 1 for found in above)
    return ranked, fewest, most


@given(logit_rows, temperatures, st.integers(1, 69), top_ps)
def test_top_k_when_larger_then_keeps_no_less(logits, temperature, top_k, top_p):
    assert (
        kept(logits, params(temperature, top_k)).keys() <= kept(logits, params(temperature, top_k + 1)).keys()
    )
    assert (
        kept(logits, params(temperature, top_k, top_p)).keys()
        <= kept(logits, params(temperature, top_k)).keys()
    )


@given(logit_rows, temperatures, top_ps, top_ps)
def test_top_p_when_larger_then_keeps_no_less(logits, temperature, one, other):
    low, high = sorted((one, other))
    assert (
        kept(logits, params(temperature, 0, low)).keys() <= kept(logits, params(temperature, 0, high)).keys()
    )


@given(logit_rows, temperatures, temperatures)
def test_temperature_when_lower_then_the_best_token_is_no_less_likely(logits, one, other):
    low, high = sorted((one, other))
    assert max(kept(logits, params(low)).values()) >= max(kept(logits, params(high)).values()) - 1e-12


@given(logit_rows, temperatures, top_ps)
def test_top_k_when_one_then_is_greedy_whatever_ties(logits, temperature, top_p):
    assert kept(logits, params(temperature, 1, top_p)) == kept(logits, params(temperature=0))


@given(logit_rows, st.floats(0.1, 2.0), st.integers(1, 70))
def test_top_k_when_set_then_keeps_exactly_that_many(logits, temperature, top_k):
    assert len(kept(logits, params(temperature, top_k))) == min(top_k, logits.size)


@given(st.integers(0, 2**32 - 1), temperatures, st.integers(1, 64), top_ps, st.sampled_from([None, 8, 64]))
def test_distribution_when_candidates_suffice_then_equals_that_of_all_logits(
    seed, temperature, top_k, top_p, levels
):
    """64 of 5,000 give bit for bit the same; where equal logits run over the end, `suffices` says so."""
    logits = (np.random.default_rng(seed).normal(size=5000) * 3).astype(np.float32)
    if levels:
        logits = np.round(logits * levels) / levels
    # A graph may give candidates of one logit in any order.
    best = np.lexsort((np.random.default_rng(seed + 1).permutation(5000), -logits))[:64]
    p = params(temperature, top_k, top_p)
    if not suffices(logits[best], p, 5000):
        assert logits[best[-1]] == logits[best[top_k - 1]]
        return
    if top_k == 64 and (logits >= logits[best[-1]]).sum() > 64:
        return
    few, all_of_them = distribution(logits[best], best, p), distribution(logits, np.arange(5000), p)
    assert [values.tolist() for values in few] == [values.tolist() for values in all_of_them]


@pytest.mark.parametrize(("top_k", "expected"), [(0, False), (65, False), (64, True), (50, True)])
def test_suffices_when_more_than_the_candidates_is_requested_then_says_no(top_k, expected):
    assert suffices(np.arange(64, 0, -1), params(top_k=top_k), 1000) is expected


@given(st.integers(0, 2**32 - 1), temperatures, top_ps, st.floats(0.01, 4))
def test_top_p_when_vocabulary_is_large_then_equals_a_full_sort(seed, temperature, top_p, spread):
    """The nucleus is found without sorting everything; here everything is sorted."""
    logits = (np.random.default_rng(seed).normal(size=20_000) * spread).astype(np.float32)
    weights = np.exp((logits.astype(np.float64) - float(logits.max())) / temperature)
    order = np.argsort(-logits, kind="stable")
    # At 1 nothing is cut; below, the sum may come to 1 before its last, tiny terms.
    size = int((weights[order].cumsum() / weights.sum() <= top_p).sum()) + 1 if top_p < 1 else logits.size
    ids, _ = distribution(logits, np.arange(logits.size), params(temperature, 0, top_p))
    # Sums in another order may move the cut by one token where it is within rounding.
    assert abs(ids.size - min(size, logits.size)) <= 1
    assert ids.tolist() == order[: ids.size].tolist()


def chi_square_tail(drawn, expected):
    """Return the probability of a worse fit (Wilson-Hilferty); cells below 5 are put together."""
    large = [i for i, count in expected.items() if count >= 5]
    observed = [drawn[i] for i in large]
    wanted = [expected[i] for i in large]
    total = sum(drawn.values())
    if total - sum(wanted) > 1:
        observed.append(total - sum(observed))
        wanted.append(total - sum(wanted))
    degrees = len(wanted) - 1
    if degrees < 1:
        return 1.0
    statistic = sum((o - e) ** 2 / e for o, e in zip(observed, wanted, strict=True))
    z = ((statistic / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))) / math.sqrt(2 / (9 * degrees))
    return 0.5 * math.erfc(z / math.sqrt(2))
