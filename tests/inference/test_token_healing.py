"""Texts that generation must begin with."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.drafting import Drafter
from aide_lsp.inference.generate import generate
from aide_lsp.inference.observer import Observer
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.token_healing import FORESEEN, HealedText, heal
from aide_lsp.settings.fields import Parameters
from tests.fakes import END, VOCAB_SIZE, ByteTokenizer, FakeSession, babbling

GREEDY = Parameters(temperature=0.0, seed=0)
SAMPLINGS = [
    GREEDY,
    *(Parameters(seed=seed) for seed in (1, 2, 3)),
    Parameters(temperature=0.3, top_p=0.6, top_k=40, seed=1),
    Parameters(temperature=1.0, top_k=1, seed=1),
    Parameters(temperature=1.0, top_p=0.0, seed=1),
]


class WordTokenizer:
    """A vocabulary of words, signs and pieces; takes the longest token each time."""

    WORDS = (
        *(b"", b" ", b"_", b".", b"\t", b"the", b" the", b" theory", b" re", b" ret"),
        *(b" return", b" returns"),
        *(b" order", b"_lines", b"lines", b"linesize", b" wal", b"rus", b"rush", b"er", b"err"),
        *(bytes([byte]) for byte in b"abcdefghijklmnopqrstuvwxyz\n"),
        *(b"\xc3", b"\xa9", b"\xc3\xa9", b" filler"),
    )
    vocab_size = len(WORDS) + 64

    def encode(self, text):
        left, ids = text.encode(), []
        while left:
            word = max((word for word in self.WORDS if word and left.startswith(word)), key=len)
            ids.append(self.id(word))
            left = left[len(word) :]
        return ids

    def id(self, word):
        return self.WORDS.index(word)

    def token_bytes(self, token):
        return self.WORDS[token] if token < len(self.WORDS) else b" f%d" % token


WORDS = WordTokenizer()


def session_that(*likes, then=()):
    """Return a session that likes these words at first (with their logits), then other ones."""

    def script(ids):
        logits = np.zeros(WORDS.vocab_size, dtype=np.float32)
        # Fillers first, so that words without a logit are not among the tokens that the model foresees.
        logits[len(WORDS.WORDS) :] = 5.0
        for word, logit in (likes, *then)[min(len(ids) - 2, len(then))]:
            logits[WORDS.id(word)] = logit
        return logits

    return FakeSession(script, vocab_size=WORDS.vocab_size)


class Listener(Observer):
    traces = True

    def __init__(self):
        self.draws = []

    def drew(self, draw):
        self.draws.append(draw)


def write(session, text, parameters, count=6, **more):
    """Return the words that are generated."""
    options = GenerationOptions(parameters, max_tokens=count)
    tokens = generate(
        session, PrefixCache(), [1, 2], options, CancelToken(), healed=heal(text, WORDS), **more
    )
    return [WORDS.token_bytes(token) for token in tokens]


@pytest.mark.parametrize("parameters", SAMPLINGS)
def test_a_word_that_is_foreseen_takes_the_place_of_its_beginning(parameters):
    session = session_that((b" return", 20.0))
    assert write(session, " ret", parameters)[0] == b" return"


@pytest.mark.parametrize("parameters", SAMPLINGS)
def test_a_word_that_top_k_and_top_p_leave_out_is_foreseen_all_the_same(parameters):
    session = session_that((b" filler", 20.0), (b" return", 8.0), (b" returns", 7.0))
    assert write(session, " ret", parameters)[0] == b" return"


@pytest.mark.parametrize("parameters", SAMPLINGS)
def test_a_word_that_is_not_foreseen_is_written_in_its_own_tokens(parameters):
    """The model likes a shorter token, after which a longer word is the most likely one that begins so."""
    session = session_that((b"_", 20.0), (b" theory", 4.0), (b" the", -9.0))
    assert write(session, " the", parameters)[0] == b" the"
    longer = ((b"linesize", 7.0), (b"rush", 7.0), (b".", 8.0))
    assert write(session_that((b"_", 20.0), then=[longer]), "_lines", parameters)[0] == b"_lines"
    assert write(session_that((b" ", 20.0), then=[longer]), " walrus", parameters)[:2] == [b" wal", b"rus"]


@pytest.mark.parametrize("parameters", SAMPLINGS)
def test_the_best_token_takes_the_place_of_the_rest_of_a_word(parameters):
    """A name may have other tokens than those of its beginning: `odd_collat` of `odd_collatz`."""
    session = session_that((b" ", 20.0), then=[((b"rush", 8.0), (b"rus", 7.9))])
    assert write(session, " walrus", parameters)[:2] == [b" wal", b"rush"]


@pytest.mark.parametrize("parameters", SAMPLINGS)
def test_a_word_after_a_sign_of_its_own_is_completed_too(parameters):
    session = session_that((b"\t", 20.0), then=[((b"err", 20.0),)])
    assert write(session, "\ter", parameters)[:2] == [b"\t", b"err"]
    session = session_that((b" ", 20.0), then=[((b"err", -9.0), (b"er", -9.0))])
    assert write(session, "\ter", parameters)[:2] == [b"\t", b"er"]


def test_after_the_text_any_token_may_come():
    session = session_that((b" ", 20.0), then=[((b"s", 20.0),)])
    assert write(session, " the", GREEDY) == [b" the", *[b"s"] * 5]


HOT = [Parameters(temperature=1.0, top_k=8, top_p=1.0, seed=seed) for seed in range(30)]


@pytest.mark.parametrize("text", [" the", " walrus", "\ter"])
def test_after_a_word_that_the_best_token_ends_no_letters_are_drawn(text):
    """Also where the word was foreseen; one token later anything may be drawn again."""
    ends = ((b".", 9.0), (b"err", 8.9), (b"s", 8.9), (b"_lines", 8.9))
    length = len(WORDS.encode(text))
    likes = ((WORDS.WORDS[WORDS.encode(text)[0]], 30.0),)
    rest = [((WORDS.WORDS[token], 30.0),) for token in WORDS.encode(text)[1:]]
    session = session_that(*likes, then=[*rest, ends, ends])
    written = [write(session, text, parameters, length + 2) for parameters in HOT]
    assert {b"".join(words[:length]) for words in written} == {text.encode()}
    assert not any(words[length][:1].isalpha() for words in written)
    assert {b"err", b"s"} <= {words[length + 1] for words in written}


def test_after_a_word_that_the_best_token_goes_on_with_any_may_be_drawn():
    goes_on = ((b"s", 9.0), (b".", 8.9), (b"err", 8.9))
    session = session_that((b" the", 30.0), then=[goes_on])
    assert {write(session, " the", parameters, 2)[1] for parameters in HOT} >= {b"s", b".", b"err"}


@pytest.mark.parametrize("text", [".", " ", "_lines.", "caf\u00e9"])
def test_after_signs_and_other_scripts_any_token_may_be_drawn(text):
    likes = [((WORDS.WORDS[token], 30.0),) for token in WORDS.encode(text)]
    ends = ((b".", 9.0), (b"err", 8.9), (b"s", 8.9))
    session = session_that(*likes[0], then=[*likes[1:], ends])
    count = len(likes) + 1
    assert {write(session, text, parameters, count)[-1] for parameters in HOT} >= {b"err", b"s"}


@pytest.mark.parametrize("candidate_count", [8, 64])
def test_as_many_tokens_are_foreseen_whatever_the_graph_gives(candidate_count):
    for rank, word in ((FORESEEN, b" return"), (FORESEEN + 1, b" ret")):
        fillers = range(len(WORDS.WORDS), len(WORDS.WORDS) + rank - 1)
        logits = np.zeros(WORDS.vocab_size, dtype=np.float32)
        logits[list(fillers)] = 9.0
        logits[WORDS.id(b" return")] = 8.0
        session = FakeSession(
            lambda ids, logits=logits: logits,
            vocab_size=WORDS.vocab_size,
            candidate_count=candidate_count,
        )
        assert write(session, " ret", GREEDY, 1) == [word]


def test_draws_say_which_tokens_are_the_text_s_own():
    listener = Listener()
    session = session_that((b" ", 20.0), then=[((b"er", 20.0),)])
    write(session, " walrus", GREEDY, 3, observer=listener)
    assert [draw.is_own for draw in listener.draws] == [True, True, False]
    listener = Listener()
    write(session_that((b" return", 20.0)), " ret", GREEDY, 2, observer=listener)
    assert [draw.is_own for draw in listener.draws] == [False, False]


@given(
    text=st.text("abdehlnorstuwy _.\t\n\u00e9", max_size=12),
    seed=st.integers(0, 99),
    parameters=st.sampled_from(SAMPLINGS),
    drafts=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_what_is_generated_begins_with_the_text(text, seed, parameters, drafts):
    session = FakeSession(babbling(seed, WORDS.vocab_size), vocab_size=WORDS.vocab_size)
    words = write(session, text, parameters, 30, drafter=Drafter() if drafts else None)
    assert b"".join(words).startswith(text.encode())


@given(
    text=st.text(max_size=8),
    seed=st.integers(0, 99),
    temperature=st.sampled_from([0.0, 1.0]),
    top_p=st.sampled_from([0.1, 1.0]),
)
@settings(max_examples=60, deadline=None)
def test_what_is_generated_begins_with_the_text_in_any_script(text, seed, temperature, top_p):
    tokenizer, session = ByteTokenizer(), FakeSession(babbling(seed), candidate_count=8)
    tokens = generate(
        session,
        PrefixCache(),
        [1, 2, 3],
        GenerationOptions(Parameters(temperature, 5, top_p, seed=seed), max_tokens=40),
        CancelToken(),
        end_tokens=frozenset({END}),
        healed=heal(text, tokenizer),
    )
    written = b"".join(map(tokenizer.token_bytes, tokens))
    assert written.startswith(text.encode("utf-8", "replace"))


@given(
    text=st.sampled_from([" ret", " the", "_lines", " walrus", "\ter", "x", ""]),
    tokens=st.lists(
        st.sampled_from([b"\t", b"er", b"err", b" wal", b"rus", b" return"]).map(WORDS.id), max_size=4
    ),
)
def test_fits_counts_the_tokens_that_may_come_one_after_the_other(text, tokens):
    healed, count = heal(text, WORDS), 0
    expected = healed.fits(tokens)
    for token in tokens:
        ids = np.array([token])
        may_come = healed.is_complete or healed.allows(ids, best=token)[0] or token in healed.own_tokens()
        if not may_come:
            break
        healed.push(token)
        count += 1
    assert expected == count


def test_text_that_the_vocabulary_lacks_is_left_out():
    class Poor(WordTokenizer):
        def encode(self, text):
            return super().encode(text.replace("!", ""))

    assert heal(" t!he", Poor()).length == len(" the")
    assert HealedText([], WORDS.token_bytes).is_complete


def test_generate_draws_only_what_the_parameters_leave():
    """Among the tokens that fit, the distribution is the user's: with top-k 2 only the best two are drawn."""
    logits = np.zeros(VOCAB_SIZE, dtype=np.float32)
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
            healed=heal("b", ByteTokenizer()),
        )
        first, second = tokens
        assert first == ord("b")
        drawn.add(second)
    assert drawn == {ord("a"), ord("b")}


NAME_LISTS = st.lists(st.from_regex(r"[ab_]{1,4}", fullmatch=True), min_size=1, max_size=5, unique=True)


@given(names=NAME_LISTS, before=st.sampled_from(["", ".", " "]), data=st.data())
@settings(deadline=None)
def test_one_of_the_names_comes_and_nothing_goes_on_with_it(names, before, data):
    """Whatever the model likes, and in whichever way it is sampled."""
    begun = data.draw(st.sampled_from(names))[: data.draw(st.integers(0, 3))]
    names = [name for name in names if name.startswith(begun)]
    healed = heal(before + begun, ByteTokenizer(), [before + name for name in names])
    seed = data.draw(st.integers(0, 999))
    parameters = data.draw(st.sampled_from(SAMPLINGS))
    likes = np.random.default_rng(seed).normal(size=(40, VOCAB_SIZE)).astype(np.float32) * 5
    session = FakeSession(lambda ids: likes[len(ids)])
    options = GenerationOptions(parameters, max_tokens=20)
    tokens = generate(
        session,
        PrefixCache(),
        [1, 2],
        options,
        CancelToken(),
        healed=healed,
        end_tokens=frozenset([END]),
    )
    text = ByteTokenizer().decode(list(tokens))
    word = re.match(r"\w*", text[len(before) :]).group()
    assert text.startswith(before + begun)
    # Bytes that are no text end a name, too.
    assert word in names or "\ufffd" in text, (text, names)


@pytest.mark.parametrize("parameters", SAMPLINGS)
def test_a_name_comes_in_the_tokens_that_the_model_foresees(parameters):
    session = session_that((b" filler", 20.0), (b" return", 9.0), (b" returns", 8.0))
    options = GenerationOptions(parameters, max_tokens=1)
    healed = heal(" ", WORDS, [" return", " theory"])
    tokens = generate(session, PrefixCache(), [1, 2], options, CancelToken(), healed=healed)
    assert [WORDS.token_bytes(token) for token in tokens] == [b" return"]


@pytest.mark.parametrize("parameters", SAMPLINGS)
def test_where_no_name_is_foreseen_the_likeliest_first_token_comes(parameters):
    session = session_that((b" theory", -3.0), (b" return", -4.0), (b" wal", -5.0))
    options = GenerationOptions(parameters, max_tokens=1)
    healed = heal("", WORDS, [" return", " theory", " walrus"])
    tokens = generate(session, PrefixCache(), [1, 2], options, CancelToken(), healed=healed)
    assert [WORDS.token_bytes(token) for token in tokens] == [b" theory"]


def test_names_are_chosen_with_drafts_as_without():
    names = ["abba", "abab", "baab"]
    likes = np.random.default_rng(5).normal(size=(60, VOCAB_SIZE)).astype(np.float32)

    def run(drafter):
        options = GenerationOptions(GREEDY, max_tokens=12)
        session = FakeSession(lambda ids: likes[len(ids)])
        healed = heal("", ByteTokenizer(), names)
        ids = [*b"abbaabab", 7]
        return list(
            generate(session, PrefixCache(), ids, options, CancelToken(), healed=healed, drafter=drafter)
        )

    drafter = Drafter()
    first = run(drafter)
    assert first == run(drafter) == run(None)
    assert ByteTokenizer().decode(first).startswith(tuple(names))
