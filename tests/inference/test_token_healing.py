"""Texts that a generation has to begin with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.generate import Limits, generate
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.sampler import SamplingParams
from aide_lsp.inference.token_healing import Beginnings
from tests.fakes import END, ByteTokenizer, FakeSession, babbling


class Words:
    """A vocabulary of a few byte strings; the first is a control token."""

    WORDS = (b"", b"r", b"re", b"ret", b"return", b"returns", b"x", b"\xff", b"\xff\xff", b" return")
    vocab_size = len(WORDS)

    def token_bytes(self, token):
        return self.WORDS[token]


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("ret", {b"r", b"re", b"ret", b"return", b"returns"}),
        ("return", {b"r", b"re", b"ret", b"return", b"returns"}),
        ("retx", {b"r", b"re", b"ret"}),
        ("r", {b"r", b"re", b"ret", b"return", b"returns"}),
        (" r", {b" return"}),
        ("q", set()),
    ],
)
def test_allowed_tokens_go_on_as_the_text_does(text, allowed):
    beginning = Beginnings(Words()).of(text)
    assert {Words.WORDS[token] for token in beginning.allowed} == allowed
    every = np.arange(Words.vocab_size)
    assert set(every[beginning.allows(every)]) == set(beginning.allowed)


def test_push_shortens_what_is_left():
    beginning = Beginnings(Words()).of("retx")
    beginning.push(Words.WORDS.index(b"ret"))
    assert {Words.WORDS[token] for token in beginning.allowed} == {b"x"}
    assert not beginning.is_given
    beginning.push(Words.WORDS.index(b"x"))
    assert beginning.is_given


@given(
    text=st.text(max_size=8),
    seed=st.integers(0, 99),
    temperature=st.sampled_from([0.0, 1.0]),
    top_p=st.sampled_from([0.1, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_generate_begins_with_the_text(text, seed, temperature, top_p):
    tokenizer, session = ByteTokenizer(), FakeSession(babbling(seed), candidate_count=8)
    tokens = generate(
        session,
        PrefixCache(),
        [1, 2, 3],
        SamplingParams(temperature, 5, top_p, seed),
        Limits(max_tokens=40, end_tokens=frozenset({END})),
        CancelToken(),
        Beginnings(tokenizer).of(text),
    )
    written = b"".join(map(tokenizer.token_bytes, tokens))
    assert written.startswith(text.encode("utf-8", "replace"))


def test_generate_draws_only_what_the_parameters_leave():
    """Among the tokens that fit, the distribution is the user's: with top-k 2 only the best two are drawn."""
    logits = np.zeros(261, dtype=np.float32)
    logits[[ord("a"), ord("b"), ord("c")]] = [9.0, 8.9, 8.8]
    drawn = set()
    for seed in range(40):
        session = FakeSession(lambda ids: logits)
        tokens = generate(
            session,
            PrefixCache(),
            [1, 2],
            SamplingParams(1.0, 2, 1.0, seed),
            Limits(max_tokens=2),
            CancelToken(),
            Beginnings(ByteTokenizer()).of("b"),
        )
        first, second = tokens
        assert first == ord("b")
        drawn.add(second)
    assert drawn == {ord("a"), ord("b")}
