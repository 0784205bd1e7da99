"""Texts that generation must begin with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.generate import generate
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.token_healing import TokenHealer
from aide_lsp.settings.fields import Parameters
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
def test_allowed_tokens_continue_as_the_text_does(text, allowed):
    healed = TokenHealer(Words()).of(text)
    assert {Words.WORDS[token] for token in healed.allowed} == allowed
    every = np.arange(Words.vocab_size)
    assert set(every[healed.allows(every)]) == set(healed.allowed)


def test_push_shortens_what_is_left():
    healed = TokenHealer(Words()).of("retx")
    healed.push(Words.WORDS.index(b"ret"))
    assert {Words.WORDS[token] for token in healed.allowed} == {b"x"}
    assert not healed.is_complete
    healed.push(Words.WORDS.index(b"x"))
    assert healed.is_complete


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
        GenerationOptions(Parameters(temperature, 5, top_p, seed=seed), max_tokens=40),
        CancelToken(),
        end_tokens=frozenset({END}),
        healed=TokenHealer(tokenizer).of(text),
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
            GenerationOptions(Parameters(1.0, 2, 1.0, seed=seed), max_tokens=2),
            CancelToken(),
            healed=TokenHealer(ByteTokenizer()).of("b"),
        )
        first, second = tokens
        assert first == ord("b")
        drawn.add(second)
    assert drawn == {ord("a"), ord("b")}
