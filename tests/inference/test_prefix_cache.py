"""Which tokens are held, and which forwards run the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.inference.prefix_cache import PrefixCache, RowRule, block_ends, forward_ends, plan


def holding(*ids):
    cache = PrefixCache()
    cache.extend(ids, 0)
    return cache


@pytest.mark.parametrize(
    ("prompt", "reused"),
    [([1, 2, 3, 4], 3), ([1, 2, 3], 2), ([1, 2], 1), ([1, 9, 3], 1), ([9, 2, 3], 0), ([1], 0)],
)
def test_reuse_when_prompts_share_a_prefix_then_keeps_it_but_the_last_token(prompt, reused):
    cache = holding(1, 2, 3)
    assert cache.reuse(prompt, RowRule()) == reused
    assert list(cache.ids) == [1, 2, 3][:reused]


def test_extend_when_past_is_inside_then_replaces_the_rest():
    cache = holding(1, 2, 3)
    cache.extend([7, 8], 1)
    assert list(cache.ids) == [1, 7, 8]


def test_extend_when_past_is_after_the_end_then_is_our_mistake():
    with pytest.raises(AssertionError, match="gap"):
        holding(1).extend([2], 3)


def test_clear_when_called_then_nothing_is_held():
    cache = holding(1, 2)
    cache.clear()
    assert len(cache) == 0


def test_reuse_when_rows_depend_on_each_other_then_keeps_whole_blocks_only():
    cache, rule = PrefixCache(), RowRule(block=4)
    cache.extend([0, 1, 2, 3], 0)
    cache.extend([4, 5, 6], 4)
    cache.extend([7], 7)
    assert cache.reuse(range(9), rule, 7) == 8
    assert cache.reuse(range(8), rule) == 4


def test_reuse_when_a_larger_block_fits_now_then_the_smaller_ones_are_run_again():
    cache, rule = PrefixCache(), RowRule(block=4)
    cache.extend([0, 1, 2, 3], 0)
    cache.extend([4, 5, 6, 7], 4)
    assert cache.reuse(range(9), rule) == 0


@pytest.mark.parametrize(
    ("length", "ends"),
    [
        (1, []),
        (4, []),
        (5, [4]),
        (9, [8]),
        (16, [8, 12]),
        (17, [16]),
        (30, [16, 24, 28]),
        (48, [16, 32, 40, 44]),
    ],
)
def test_block_ends_when_blocks_are_4_to_16_then_the_largest_that_fits_comes_first(length, ends):
    assert block_ends(length, RowRule(block=4), chunk_rows=16) == ends


def test_reuse_when_a_block_was_cut_then_it_counts_no_more():
    cache, rule = PrefixCache(), RowRule(block=4)
    cache.extend([0, 1, 2, 3], 0)
    cache.trim(2)
    cache.extend([2, 3], 2)
    assert cache.reuse(range(9), rule) == 0


rules = st.sampled_from(
    [RowRule(), RowRule(2), RowRule(4), RowRule(block=4), RowRule(2, 4), RowRule(block=4, step=2)]
)


@given(st.integers(1, 60), rules, st.sampled_from([4, 8, 16]), st.data())
def test_plan_when_anything_is_held_then_covers_the_rest_in_allowed_shapes(length, rule, chunk_rows, data):
    past = data.draw(st.integers(0, length - 1))
    ids, held = list(range(length)), past
    for chunk in plan(ids, past, rule, chunk_rows):
        assert chunk.past <= held < chunk.past + len(chunk.kept)
        assert len(chunk.ids) % rule.multiple == 0 < len(chunk.ids)
        assert len(chunk.ids) < chunk_rows + rule.multiple
        assert chunk.kept == ids[chunk.past : chunk.past + len(chunk.kept)]
        held = chunk.past + len(chunk.kept)
    assert held == length


@given(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=40), min_size=1, max_size=6))
def test_plan_when_rows_depend_on_each_other_then_a_prompt_is_run_the_same_way_whatever_came_before(prompts):
    """The value of a token is here the forward it ran in; warm and cold must agree on all of them."""
    rule, warm, values = RowRule(multiple=2, block=4), PrefixCache(), {}
    for prompt in prompts:
        for cache, held in ((warm, values), (PrefixCache(), cold := {})):
            for chunk in plan(prompt, cache.reuse(prompt, rule), rule):
                held.update(
                    {chunk.past + row: (chunk.past, tuple(chunk.ids)) for row in range(len(chunk.kept))}
                )
                cache.extend(chunk.kept, chunk.past)
        assert [values[i] for i in range(len(prompt))] == [cold[i] for i in range(len(prompt))]


@pytest.mark.parametrize(
    ("length", "prompt", "rule", "ends"),
    [
        (7, None, RowRule(block=4), [4]),
        (9, 7, RowRule(block=4), [4, 7, 8]),
        (7, None, RowRule(block=4, step=2), [4, 6]),
        (9, 3, RowRule(block=4, step=2), [2, 4, 6, 8]),
        (9, 7, RowRule(block=4, step=4), [4, 8]),
        (8, 7, RowRule(block=4, step=4), [4]),
    ],
)
def test_forward_ends_when_tokens_were_generated_then_blocks_are_those_of_the_prompt(
    length, prompt, rule, ends
):
    assert forward_ends(length, rule, prompt) == ends


texts = st.lists(
    st.tuples(st.lists(st.integers(0, 1), min_size=1, max_size=40), st.integers(0, 9)), min_size=1, max_size=5
)


@given(texts, st.randoms(use_true_random=False))
def test_plan_when_there_are_steps_then_texts_are_run_the_same_way_whatever_came_before(texts, random):
    """Here the value of a token is its forward, without what comes after it; drafts are often wrong."""
    rule, warm, values = RowRule(block=8, step=4), PrefixCache(), {}
    for prompt, count in texts:
        text = [*prompt, *(random.randrange(2) for _ in range(count))]
        for length in range(len(prompt), len(text) + 1):
            draft = [random.randrange(2) for _ in range(random.randrange(1 + -length % rule.step))]
            run(text[:length], warm, values, rule, len(prompt), draft)
            if random.randrange(5) == 0:
                run([random.randrange(2) for _ in range(20)], warm, values, rule, 20)
        run(text, warm, values, rule, len(prompt))
        run(prompt, cold := PrefixCache(), expected := {}, rule, len(prompt))
        for length in range(len(prompt), len(text) + 1):
            run(text[:length], cold, expected, rule, len(prompt))
        assert [values[i] for i in range(len(text))] == [expected[i] for i in range(len(text))]


def run(text, cache, values, rule, prompt, draft=()):
    for chunk in plan(text, cache.reuse(text, rule, prompt), rule, draft=draft, prompt=prompt):
        assert len(chunk.ids) in (4, 8, 16, 32, 64, 128, 256)
        for row in range(len(chunk.kept)):
            values[chunk.past + row] = (chunk.past, len(chunk.ids), tuple(chunk.ids[: row + 1]))
        cache.extend(chunk.kept, chunk.past)
