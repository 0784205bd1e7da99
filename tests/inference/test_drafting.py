"""Drafts: where they come from, how long they are, and that no token depends on them."""

import argparse
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_model import tiny_model_folder

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.drafting import LONGEST_DRAFT, Drafter
from aide_lsp.inference.generate import generate
from aide_lsp.inference.observer import Observer
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache, RowRule
from aide_lsp.inference.token_healing import heal
from aide_lsp.inference.tokenizer import Tokenizer
from aide_lsp.settings.fields import Parameters
from tests.fakes import END, ByteTokenizer, FakeSession, babbling, saying

GREEDY = Parameters(temperature=0.0, top_k=50, top_p=0.95, seed=0)


def draft(text, drafter=None, rows=1, longest=10, fits=None):
    drafter = drafter or Drafter()
    return bytes(drafter.propose(list(text.encode()), rows, longest, fits).tokens).decode()


def test_propose_when_the_text_stood_there_before_then_what_followed_comes_again():
    assert draft("self.first = first; self.first") == " = first"[:LONGEST_DRAFT]


def test_propose_when_it_stood_there_several_times_then_the_longest_match_counts_then_the_latest():
    assert draft("xab1 ab2 ab3 xab").startswith("1")
    assert draft("ab1 ab2 ab3 ab").startswith("3")


def test_propose_when_nothing_is_the_same_then_there_is_none():
    assert draft("abcdef") == ""
    assert draft("a") == ""


def test_propose_when_few_tokens_may_come_then_is_no_longer():
    assert draft("self.first = first; self.first", longest=2) == " ="


def test_propose_when_a_text_was_generated_lately_then_it_may_come_again():
    drafter = Drafter()
    drafter.remember(list(b"return value\n"))
    drafter.remember(list(b"other"))
    assert draft("    retu", drafter) == "rn "
    assert draft("x\n", drafter) == "", "one text does not go on in the next"


def test_propose_when_the_text_has_to_begin_in_a_way_then_only_such_a_draft_comes():
    healed = heal("b", ByteTokenizer())
    assert draft("(abc)(adx)(a", fits=healed.fits).startswith("b")
    assert draft("(adx)(a", fits=healed.fits) == ""


def test_propose_when_drafts_were_wrong_then_they_cost_no_rows():
    """One drafted token makes two rows, which a forward has anyway."""
    text, drafter = "self.first = first; self.first", Drafter()
    assert len(draft(text, drafter)) > 1
    for _ in range(500):
        drafter.note(8, False)
    assert len(draft(text, drafter)) == 1
    assert draft(text, drafter, rows=2) == ""


def test_propose_when_more_rows_cost_too_much_here_then_drafts_are_short_until_they_do_not():
    text, drafter = "self.first = first; self.first", Drafter()
    usual = len(draft(text, drafter))
    for _ in range(50):
        drafter.time(2, 1.0)
        for rows in (4, 6, 8):
            drafter.time(rows, rows / 1.5)
    assert len(draft(text, drafter)) < usual
    for _ in range(500):
        drafter.time(2, 1.0)
    assert len(draft(text, drafter)) == usual


def test_propose_when_rows_cost_nothing_then_a_draft_is_as_long_as_may_be():
    drafter = Drafter()
    for _ in range(400):
        drafter.note(3, right=False)
    text = [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3]
    assert drafter.propose(text, 2, 20).tokens == []
    assert drafter.propose(text, None, 6).tokens == [4, 5, 6, 7, 8, 9]


def looping(seed: int, period: int):
    """Return a script that mostly says what it said `period` tokens ago, so that drafts are often right."""
    babble = babbling(seed)

    def script(ids):
        logits = babble(ids)
        if len(ids) > period:
            logits[ids[-period]] += 12.0
        return logits

    return script


def run(session, prompt, sampling, drafter, count=30, cache=None, healed=None):
    generation = generate(
        session,
        PrefixCache() if cache is None else cache,
        prompt,
        GenerationOptions(sampling, count),
        CancelToken(),
        end_tokens=frozenset([END]),
        healed=healed,
        drafter=drafter,
    )
    return list(generation), generation.finish_reason, generation


samplings = st.builds(
    Parameters,
    temperature=st.sampled_from([0.0, 0.7, 1.0, 5.0]),
    top_k=st.sampled_from([1, 50, 63, 64, 65]),
    top_p=st.sampled_from([0.5, 0.95, 1.0]),
    seed=st.integers(0, 99),
)
prompts = st.lists(st.sampled_from(b"ab(c"), min_size=1, max_size=40)


@settings(deadline=None)
@given(st.lists(prompts, min_size=1, max_size=4), samplings, st.integers(1, 6), st.integers(1, 40), st.text())
def test_generate_when_drafting_then_tokens_and_reason_are_those_without(
    given_prompts, sampling, period, count, text
):
    drafter, cache, session = Drafter(), PrefixCache(), FakeSession(looping(1, period), context_length=64)
    for prompt in given_prompts:
        with_drafts = run(session, prompt, sampling, drafter, count, cache, heal(text, ByteTokenizer()))
        alone = FakeSession(looping(1, period), context_length=64)
        without = run(alone, prompt, sampling, None, count, None, heal(text, ByteTokenizer()))
        assert with_drafts[:2] == without[:2]
        assert session.held[: len(cache)] == list(cache.ids)


def test_generate_when_drafts_are_right_then_forwards_are_few_and_of_an_even_number_of_rows():
    session = FakeSession(looping(1, 5))
    tokens, _, generation = run(session, list(b"abcde" * 4), GREEDY, Drafter(), count=60)
    assert len(tokens) == 60
    assert len(session.forwards) == generation.timings.forwards <= 30
    assert {len(ids) for ids, _, _ in session.forwards[1:]} <= {2, 4, 6, 8}


def test_generate_when_closed_amid_a_draft_then_the_next_prompt_finds_what_was_run():
    session, cache, drafter = FakeSession(saying("abcabcabcabc", after=6)), PrefixCache(), Drafter()
    prompt = list(b"abcabc")
    with generate(
        session, cache, prompt, GenerationOptions(GREEDY, 12), CancelToken(), drafter=drafter
    ) as generation:
        assert [next(generation) for _ in range(3)] == list(b"abc")
    assert list(cache.ids)[:9] == list(b"abcabcabc")[: len(cache)]
    session.forwards.clear()
    assert run(session, [*prompt, *b"abc"], GREEDY, drafter, 3, cache)[0] == list(b"abc")
    assert session.forwards[0][1] >= 7


@pytest.mark.parametrize("rule", [RowRule(block=4), RowRule(multiple=2, block=4)])
def test_generate_when_rows_depend_on_each_other_then_nothing_is_drafted(rule):
    session = FakeSession(looping(1, 5), row_rule=rule)
    run(session, list(b"abcde" * 4), GREEDY, Drafter())
    assert all(len(rows) == 1 for _, _, rows in session.forwards)


@pytest.mark.parametrize("seed", range(4))
def test_generate_when_forwards_are_steps_then_drafts_fill_them_and_tokens_are_the_same(seed):
    prompt, tokens, forwards = list(b"abcde" * 4), [], []
    for drafter in (None, Drafter()):
        session = FakeSession(looping(seed, 5), row_rule=RowRule(block=16, step=8))
        tokens.append(run(session, prompt, GREEDY, drafter, 60)[0])
        forwards.append([ids for ids, _, _ in session.forwards])
        assert [len(ids) for ids in forwards[-1]] == [16, *[8] * (len(forwards[-1]) - 1)]
    assert tokens[0] == tokens[1]
    assert len(forwards[1]) < len(forwards[0]) / 2


def test_generate_when_an_observer_reads_logits_then_each_token_has_a_forward():
    class Reader(Observer):
        traces = True

    session = FakeSession(looping(1, 5))
    tokens = list(
        generate(
            session,
            PrefixCache(),
            list(b"abcde" * 4),
            GenerationOptions(GREEDY, 20),
            CancelToken(),
            observer=Reader(),
            drafter=Drafter(),
        )
    )
    assert len(tokens) == len(session.forwards) == 20


@pytest.fixture(scope="module", params=["exact", "fast"])
def tiny(request, tmp_path_factory):
    folder = tiny_model_folder(tmp_path_factory.mktemp("tiny") / request.param, recipe=request.param)
    return open_session(folder, "cpu", 2)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=140), min_size=1, max_size=3),
    st.sampled_from([0.0, 0.7, 1.0]),
    st.integers(0, 99),
)
def test_generate_when_drafting_on_a_model_then_keys_values_and_tokens_have_the_same_bits(
    tiny, given_prompts, temperature, seed
):
    sampling, drafter, cache = Parameters(temperature, 50, 0.95, seed=seed), Drafter(), PrefixCache()
    for prompt in given_prompts:
        drafted = run(tiny, prompt, sampling, drafter, 40, cache)[0], bits(tiny, len(prompt) + 39)
        plain = run(tiny, prompt, sampling, None, 40)[0], bits(tiny, len(prompt) + 39)
        assert drafted == plain


def bits(session, length):
    return {name: array.tobytes() for name, array in session.kv.arrays(length).items()}


@pytest.mark.real_model
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_candidates_when_several_rows_are_requested_then_each_has_the_bits_it_has_alone(
    real_model_dir, threads
):
    text = Path(argparse.__file__).read_text(encoding="utf-8")
    ids = Tokenizer.from_file(real_model_dir / "tokenizer.json").encode(text[:2000])[:300]
    session = open_session(real_model_dir, "cpu", threads)
    session.forward(ids, 0, [299], CancelToken())
    for past in (100, 127, 255):
        alone = [one_row(session, ids, past + row) for row in range(8)]
        for rows in (2, 4, 6, 8):
            got = session.forward(ids[past : past + rows], past, list(range(rows)), CancelToken())
            for row in range(rows):
                assert (got.ids[row].tobytes(), got.logits[row].tobytes()) == alone[row]


def one_row(session, ids, position):
    got = session.forward(ids[position - 1 : position + 1], position - 1, [1], CancelToken())
    return got.ids[0].tobytes(), got.logits[0].tobytes()


@pytest.mark.real_model
@pytest.mark.parametrize("temperature", [0.0, 0.7, 1.0])
def test_generate_when_drafting_on_the_real_model_then_tokens_are_those_without(real_model_dir, temperature):
    text = Path(argparse.__file__).read_text(encoding="utf-8")
    ids = Tokenizer.from_file(real_model_dir / "tokenizer.json").encode(text[:6000])
    session, drafter, cache, saved = open_session(real_model_dir, "cpu"), Drafter(), PrefixCache(), 0
    for length in (200, 353, 506):
        sampling = Parameters(temperature, 50, 0.95, seed=length)
        tokens, _, generation = run(session, ids[:length], sampling, drafter, 24, cache)
        assert tokens == run(session, ids[:length], sampling, None, 24)[0]
        saved += len(tokens) - generation.timings.forwards
    assert saved > 0
