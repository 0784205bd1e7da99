"""The loop, on a session whose logits are a script."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.errors import SessionError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.generate import generate
from aide_lsp.inference.observer import Observer
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import CHUNK_ROWS, PrefixCache
from aide_lsp.inference.token_healing import heal
from aide_lsp.settings.fields import Parameters
from tests.fakes import END, VOCAB_SIZE, ByteTokenizer, FakeSession, babbling, saying
from tests.patience import PATIENCE

PROMPT = list(b"def f(")
GREEDY = Parameters(temperature=0.0, top_k=50, top_p=0.95, seed=0)
WARM = Parameters(temperature=1.0, top_k=50, top_p=0.95, seed=7)


def start(
    session, prompt=PROMPT, sampling=GREEDY, cache=None, cancel=None, *, max_tokens=50, deadline_ms=0, **more
):
    return generate(
        session,
        PrefixCache() if cache is None else cache,
        prompt,
        GenerationOptions(sampling, max_tokens, deadline_ms=deadline_ms),
        CancelToken() if cancel is None else cancel,
        **{"end_tokens": frozenset([END]), **more},
    )


def test_generate_when_end_token_comes_then_stops_and_does_not_give_it():
    generation = start(FakeSession(saying("x):", after=len(PROMPT))))
    assert ByteTokenizer().decode(generation) == "x):"
    assert generation.finish_reason == "stop"
    assert generation.timings.generated_tokens == 3


def test_generate_when_max_tokens_are_reached_then_runs_no_forward_for_more():
    session = FakeSession(saying("abcdef", after=len(PROMPT)))
    generation = start(session, max_tokens=2)
    assert (bytes(generation), generation.finish_reason) == (b"ab", "length")
    assert len(session.forwards) == 2


def test_generate_when_context_is_full_then_length():
    session = FakeSession(saying("abcdef", after=len(PROMPT)), context_length=len(PROMPT) + 2)
    generation = start(session)
    assert (bytes(generation), generation.finish_reason) == (b"abc", "length")


@pytest.mark.parametrize("prompt", [[], [65] * 11])
def test_generate_when_prompt_does_not_fit_then_says_so(prompt):
    with pytest.raises(SessionError, match="the model takes 1 to 10"):
        start(FakeSession(babbling(), context_length=10), prompt)


def test_generate_when_deadline_has_passed_then_times_out_before_the_next_forward():
    session = FakeSession(saying("abcdef", after=len(PROMPT)))
    generation = start(session, deadline_ms=1e-9)
    assert (bytes(generation), generation.finish_reason) == (b"", "timeout")
    assert session.forwards == []


def test_generate_when_deadline_passes_in_a_long_prefill_then_what_was_run_is_kept(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("aide_lsp.inference.generate.monotonic", lambda: clock[0])
    monkeypatch.setattr("aide_lsp.inference.decoder.monotonic", lambda: clock[0])

    def tick(_):
        clock[0] += 1.0

    cache = PrefixCache()
    session = FakeSession(babbling(), on_forward=tick)
    generation = start(session, [65] * (3 * CHUNK_ROWS), cache=cache, deadline_ms=2000)
    assert (list(generation), generation.finish_reason) == ([], "timeout")
    assert len(cache) == 2 * CHUNK_ROWS


def test_generate_when_cancelled_between_tokens_then_ends_before_the_next_forward():
    session, cancel = FakeSession(saying("abcdef", after=len(PROMPT))), CancelToken()
    generation = start(session, cancel=cancel)
    assert next(generation) == ord("a")
    cancel.cancel()
    assert (list(generation), generation.finish_reason) == ([], "cancelled")
    assert len(session.forwards) == 1


def test_generate_when_cancelled_inside_a_forward_then_ends_and_keeps_what_was_run():
    session, cancel, cache = FakeSession(babbling()), CancelToken(), PrefixCache()
    session.on_forward = lambda count: setattr(session, "hold", count == 2)
    prompt = [65] * (3 * CHUNK_ROWS)

    def cancel_when_running():
        assert session.running.wait(timeout=PATIENCE)
        cancel.cancel()

    thread = threading.Thread(target=cancel_when_running)
    thread.start()
    generation = start(session, prompt, cache=cache, cancel=cancel)
    assert (list(generation), generation.finish_reason) == ([], "cancelled")
    thread.join()
    assert len(cache) == CHUNK_ROWS


def test_generate_when_consumer_closes_then_closed_and_nothing_more_runs():
    session = FakeSession(saying("abcdef", after=len(PROMPT)))
    with start(session) as generation:
        assert next(generation) == ord("a")
    assert generation.finish_reason == "closed"
    assert list(generation) == []
    assert len(session.forwards) == 1


def test_generate_when_closed_after_its_end_then_the_reason_stays():
    generation = start(FakeSession(saying("", after=len(PROMPT))))
    assert list(generation) == []
    generation.close()
    assert generation.finish_reason == "stop"


def test_generate_when_prompt_grows_then_only_the_new_tokens_run():
    session, cache = FakeSession(babbling()), PrefixCache()
    list(start(session, list(range(100)), cache=cache, max_tokens=1))
    session.forwards.clear()
    generation = start(session, list(range(110)), cache=cache, max_tokens=1)
    list(generation)
    assert session.forwards == [(list(range(100, 110)), 100, [9])]
    assert generation.timings.cached_tokens == 100


def test_generate_when_decoding_then_each_forward_has_the_last_two_tokens():
    session = FakeSession(saying("abc", after=len(PROMPT)))
    list(start(session))
    assert session.forwards[1:3] == [([ord("("), ord("a")], 5, [1]), ([ord("a"), ord("b")], 6, [1])]


def test_generate_when_prompt_is_one_token_then_is_padded_and_the_padding_forgotten():
    session, cache = FakeSession(babbling()), PrefixCache()
    list(start(session, [65], cache=cache, max_tokens=1))
    assert session.forwards == [([65, 65], 0, [0])]
    assert list(cache.ids) == [65]


def test_generate_when_two_use_the_cache_in_turns_then_each_says_what_it_would_alone():
    alone = [
        list(start(FakeSession(babbling()), prompt, WARM, max_tokens=6))
        for prompt in ([1, 2, 3], [1, 2, 9, 9])
    ]
    session, cache = FakeSession(babbling()), PrefixCache()
    one = start(session, [1, 2, 3], WARM, cache, max_tokens=6)
    two = start(session, [1, 2, 9, 9], WARM, cache, max_tokens=6)
    turns = [(next(one), next(two)) for _ in range(6)]
    assert [list(tokens) for tokens in zip(*turns, strict=True)] == alone


@pytest.mark.parametrize(("top_k", "calls"), [(50, 0), (65, 3), (0, 3)])
def test_generate_when_more_than_the_candidates_may_be_drawn_then_asks_for_all_logits(top_k, calls):
    session = FakeSession(babbling(), candidate_count=64)
    list(start(session, sampling=Parameters(1.0, top_k, 0.95, seed=1), max_tokens=3, end_tokens=frozenset()))
    assert session.full_logits_calls == calls


def tied(ids):
    """Logits of which many are equal, also the best."""
    return np.round(babbling(spread=1.0)(ids))


@given(st.integers(), st.integers(1, 64), st.floats(0, 1), st.sampled_from([babbling(), tied]))
def test_generate_when_candidates_suffice_then_equals_generation_from_all_logits(seed, top_k, top_p, script):
    sampling = Parameters(1.0, top_k, top_p, seed=seed)
    few, everything = (
        list(start(FakeSession(script, candidate_count=count), sampling=sampling, max_tokens=4))
        for count in (64, VOCAB_SIZE)
    )
    assert few == everything


@given(st.lists(st.lists(st.integers(0, 2), max_size=8), min_size=1, max_size=6))
def test_generate_when_cache_is_warm_then_equals_a_cold_one(tails):
    """Any history of prompts: what is held changes which rows run, never what they say."""
    session, cache = FakeSession(babbling()), PrefixCache()
    for tail in tails:
        warm = list(start(session, [1, *tail], WARM, cache, max_tokens=3))
        cold = list(start(FakeSession(babbling()), [1, *tail], WARM, max_tokens=3))
        assert warm == cold
        assert session.held[: len(cache)] == list(cache.ids)


def test_generate_when_logits_are_no_numbers_then_says_so():
    session = FakeSession(lambda _: np.full(VOCAB_SIZE, math.nan))
    with pytest.raises(SessionError, match="NaN"):
        next(start(session))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_generate_when_a_logit_that_is_no_candidate_is_nan_or_infinite_then_says_so(bad):
    """Only all logits show it; a sort of the candidates may leave it out."""
    session = FakeSession(lambda _: np.zeros(VOCAB_SIZE))
    session.full_logits = lambda: np.array([[*np.zeros(VOCAB_SIZE - 1), bad]])
    with pytest.raises(SessionError, match="NaN or infinite"):
        next(start(session, sampling=Parameters(1.0, 100, 0.9, seed=1)))


@given(st.integers(), st.floats(0, 1))
def test_generate_when_top_k_is_one_then_the_same_for_each_seed(seed, top_p):
    one = list(start(FakeSession(tied), sampling=Parameters(1.0, 1, top_p, seed=seed), max_tokens=4))
    assert one == list(start(FakeSession(tied), max_tokens=4))


def test_generate_when_seed_differs_then_text_differs_and_same_seed_is_the_same():
    def run(seed):
        return tuple(
            start(FakeSession(babbling()), sampling=Parameters(1.0, 0, 1.0, seed=seed), max_tokens=8)
        )

    assert run(1) == run(1)
    assert len({run(seed) for seed in range(5)}) == 5


class Listener(Observer):
    """Records what it is shown."""

    traces = True

    def __init__(self):
        self.stages, self.draws = [], []

    def begins(self, stage):
        self.stages.append(stage)

    def drew(self, draw):
        self.draws.append(draw)


@pytest.mark.parametrize("top_k", [50, 100])
def test_generate_when_observed_then_the_tokens_are_the_same_and_each_draw_is_reported(top_k):
    sampling = Parameters(temperature=1.0, top_k=top_k, top_p=0.9, seed=7)
    listener = Listener()
    plain = list(start(FakeSession(babbling()), sampling=sampling, max_tokens=20))
    observed = start(FakeSession(babbling()), sampling=sampling, max_tokens=20, observer=listener)
    assert list(observed) == plain
    assert [draw.token for draw in listener.draws][: len(plain)] == plain
    assert all(draw.kept.size == draw.probs.size <= top_k for draw in listener.draws)
    assert listener.stages[:3] == ["forward", "sampling", "stop rules"]


def test_generate_adds_up_the_model_s_own_probability_whatever_is_drawn():
    """Of two tokens with logits 1 and 0 the likelier one has 73 %, at any temperature."""
    logits = np.full(VOCAB_SIZE, -1000.0, dtype=np.float32)
    logits[65], logits[66] = 1.0, 0.0
    share = {65: math.log(math.e / (1 + math.e)), 66: math.log(1 / (1 + math.e))}
    for sampling in (GREEDY, WARM, Parameters(temperature=0.2, top_k=100, top_p=1.0, seed=3)):
        generation = start(FakeSession(lambda _: logits), sampling=sampling, max_tokens=20)
        assert math.isclose(sum(share[token] for token in generation), generation.log_probability)


@pytest.mark.parametrize("sampling", [GREEDY, WARM])
def test_generate_where_text_is_healed_rates_only_what_goes_beyond_it(sampling):
    healed = heal("ab", ByteTokenizer())
    generation = start(FakeSession(babbling()), sampling=sampling, max_tokens=2, healed=healed)
    # One token for each byte: there is nothing to choose.
    assert (bytes(generation), generation.log_probability) == (b"ab", 0.0)
