"""Several texts held: what is run again, what is dropped first, and that nothing else depends on it."""

import weakref

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_model import tiny_model_folder

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.generate import generate
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.slots import SMALL_LOSS, Slots
from aide_lsp.settings.fields import Parameters
from tests.fakes import VOCAB_SIZE, FakeSession, babbling

WARM = Parameters(1.0, 50, 0.95, seed=3)
ONE, TWO, THREE = ([1 + number, *range(10, 110)] for number in range(3))
"""Three texts of 101 tokens that share none of their beginning."""


def ask(session, slots, prompt, count=4, *, document="", ahead=False, owner=""):
    """Return the tokens after a prompt, and how many of its own need not be run."""
    cache = slots.take(prompt, document, ahead=ahead, owner=owner)
    generation = generate(session, cache, prompt, GenerationOptions(WARM, count), CancelToken())
    said = list(generation)
    slots.leave(owner)
    return said, generation.timings.cached_tokens


def cached(slots_bytes, *prompts):
    """Return how many tokens of the last of some prompts need not be run."""
    session = FakeSession(babbling())
    slots = Slots(session, slots_bytes)
    return [ask(session, slots, prompt)[1] for prompt in prompts][-1]


def test_take_when_another_text_came_between_then_the_first_is_still_held():
    assert cached(1000, ONE, TWO, THREE, ONE) == len(ONE) - 1


def test_take_when_memory_is_for_two_then_the_one_used_longest_ago_went():
    assert cached(280, ONE, TWO, ONE, THREE, ONE) == len(ONE) - 1
    assert cached(280, ONE, TWO, ONE, THREE, TWO) == 0


def test_take_when_memory_is_for_one_then_there_is_one():
    assert cached(1, ONE, TWO, ONE) == 0
    assert cached(1, ONE, [*ONE, 5]) == len(ONE)


def test_take_when_a_text_was_only_read_ahead_then_it_goes_first():
    session = FakeSession(babbling())
    slots = Slots(session, 280)
    ask(session, slots, ONE)
    ask(session, slots, TWO, ahead=True)
    ask(session, slots, THREE)
    assert ask(session, slots, ONE)[1] == len(ONE) - 1


def test_take_when_prompts_of_one_document_begin_otherwise_then_other_documents_keep_theirs():
    session = FakeSession(babbling())
    slots = Slots(session, 420)
    ask(session, slots, ONE, document="a")
    for number in range(5):
        ask(session, slots, [100 + number, *TWO], document="b")
    assert ask(session, slots, ONE, document="a")[1] == len(ONE) - 1
    # The newest ones of a document are kept as long as there is memory.
    assert ask(session, slots, [103, *TWO], document="b")[1] == len(TWO)
    assert ask(session, slots, [101, *TWO], document="b")[1] == 0


def test_take_when_the_text_continues_otherwise_then_undoing_it_runs_little_again():
    begun = ONE[:50]
    assert cached(1000, ONE, [*begun, *TWO], ONE) == len(ONE) - 1
    assert cached(1000, ONE, [*begun, *TWO], [*begun, 7]) == len(begun)


def test_take_when_little_is_lost_then_no_slot_is_spent():
    session = FakeSession(babbling())
    slots = Slots(session, 1000)
    for prompt in (ONE, ONE[:-SMALL_LOSS], [*ONE[:-SMALL_LOSS], 3, 4], [*ONE[:-SMALL_LOSS], 3, 4, 5, 6]):
        ask(session, slots, prompt)
    assert len(slots) == 1


def test_take_when_another_has_the_same_text_then_nothing_of_it_is_used():
    session = FakeSession(babbling())
    slots = Slots(session, 1000, 4000)
    ask(session, slots, ONE, owner="a")
    assert ask(session, slots, ONE, owner="b")[1] == 0
    assert ask(session, slots, ONE, owner="a")[1] == len(ONE) - 1


def test_take_when_one_owner_takes_ever_more_then_others_keep_theirs():
    session = FakeSession(babbling())
    slots = Slots(session, 280, 4 * 280)
    ask(session, slots, ONE, owner="a")
    for number in range(10):
        ask(session, slots, [100 + number, *TWO], document=str(number), owner="b")
    assert ask(session, slots, ONE, owner="a")[1] == len(ONE) - 1


def test_take_when_many_owners_take_too_much_then_the_one_used_longest_ago_goes_but_none_in_use():
    session = FakeSession(babbling())
    slots = Slots(session, 280, 420)
    slots.take(ONE, owner="busy")
    ask(session, slots, ONE, owner="idle")
    for owner in "abcdef":
        ask(session, slots, TWO, owner=owner)
        assert slots.bytes <= 420
    slots.leave("busy")
    assert [ask(session, slots, TWO, owner=owner)[1] for owner in "fef"] == [len(TWO) - 1] * 3
    assert ask(session, slots, ONE, owner="idle")[1] == 0


def test_end_then_nothing_of_that_owner_is_held():
    session = FakeSession(babbling())
    slots = Slots(session, 1000)
    ask(session, slots, ONE, owner="a")
    ask(session, slots, ONE, owner="b")
    slots.end("a")
    assert len(slots) == 1
    assert ask(session, slots, ONE, owner="a")[1] == 0


def ask_next(session, slots, prompt, *, document="", owner=""):
    """Prefill a prompt that may be asked for next; return whether there was a slot for it."""
    cache = slots.take_spare(prompt, document, owner=owner)
    if cache is not None:
        list(generate(session, cache, prompt, GenerationOptions(WARM, 1), CancelToken()))
        slots.leave(owner)
    return cache is not None


def test_take_spare_then_both_what_was_asked_and_what_comes_next_are_held():
    session = FakeSession(babbling())
    slots = Slots(session, 1000)
    ask(session, slots, ONE)
    for _ in range(5):
        assert ask_next(session, slots, TWO)
    assert len(slots) == 2
    assert ask(session, slots, ONE)[1] == len(ONE) - 1
    assert ask(session, slots, TWO)[1] == len(TWO) - 1


@pytest.mark.parametrize("max_bytes", [1, 200])
def test_take_spare_when_memory_is_for_one_then_what_was_asked_is_held(max_bytes):
    session = FakeSession(babbling())
    slots = Slots(session, max_bytes)
    assert not ask_next(session, slots, TWO)
    ask(session, slots, ONE)
    assert not ask_next(session, slots, TWO)
    assert not ask_next(session, slots, [*ONE[:50], *TWO])
    assert ask(session, slots, ONE)[1] == len(ONE) - 1


def test_take_spare_when_memory_is_short_then_older_ones_go_and_never_the_last_one():
    session = FakeSession(babbling())
    slots = Slots(session, 280)
    ask(session, slots, THREE, document="a")
    ask(session, slots, ONE, document="b")
    assert ask_next(session, slots, TWO, document="b")
    assert slots.bytes <= 280
    assert ask(session, slots, ONE, document="b")[1] == len(ONE) - 1
    assert not ask_next(session, slots, 2 * TWO, document="b")
    assert ask(session, slots, ONE, document="b")[1] == len(ONE) - 1


def test_take_spare_when_there_is_no_room_in_any_case_then_other_documents_keep_theirs():
    session = FakeSession(babbling())
    slots = Slots(session, 420)
    ask(session, slots, THREE, document="a")
    ask(session, slots, ONE, document="b")
    assert not ask_next(session, slots, 3 * TWO, document="b")
    assert slots.bytes <= 420
    assert ask(session, slots, THREE, document="a")[1] == len(THREE) - 1


def test_take_spare_when_others_leave_no_room_then_none_of_its_own_goes_either():
    session = FakeSession(babbling())
    slots = Slots(session, 300, 400)
    ask(session, slots, ONE, owner="other")
    ask(session, slots, THREE, document="a", owner="me")
    ask(session, slots, ONE, document="b", owner="me")
    assert not ask_next(session, slots, [*TWO, *TWO[:20]], document="b", owner="me")
    assert ask(session, slots, THREE, document="a", owner="me")[1] == len(THREE) - 1


def test_take_spare_when_the_spare_one_grows_too_large_then_it_goes_alone():
    session = FakeSession(babbling())
    slots = Slots(session, 420)
    ask(session, slots, THREE, document="a")
    ask(session, slots, ONE, document="b")
    assert ask_next(session, slots, TWO, document="b")
    assert not ask_next(session, slots, 3 * TWO, document="b")
    assert slots.bytes <= 420
    assert ask(session, slots, THREE, document="a")[1] == len(THREE) - 1


def test_take_spare_when_what_was_asked_serves_it_then_nothing_is_done():
    session = FakeSession(babbling())
    slots = Slots(session, 1000)
    ask(session, slots, ONE)
    assert not ask_next(session, slots, [*ONE, 5, 6])
    assert len(slots) == 1


def test_take_spare_when_others_share_the_memory_then_they_keep_theirs():
    session = FakeSession(babbling())
    slots = Slots(session, 1000, 420)
    ask(session, slots, ONE, owner="idle")
    ask(session, slots, ONE, owner="me")
    assert ask_next(session, slots, TWO, owner="me")
    ask(session, slots, THREE, owner="me")
    assert not ask_next(session, slots, [7, *TWO], owner="me")
    assert ask(session, slots, ONE, owner="idle")[1] == len(ONE) - 1


texts = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 101), st.lists(st.integers(0, VOCAB_SIZE - 1), max_size=60)),
    min_size=1,
    max_size=8,
)


@given(texts, st.sampled_from([1, 300, 1000]), st.booleans())
def test_take_when_texts_take_turns_then_each_says_what_it_would_alone(turns, max_bytes, ahead):
    """The fake session refuses a forward on what its KV cache does not hold."""
    session = FakeSession(babbling())
    slots = Slots(session, max_bytes)
    for text, length, tail in turns:
        prompt = [ONE, TWO, THREE][text][:length] + tail
        ask_next(session, slots, [*THREE, *prompt])
        said, _ = ask(session, slots, prompt, ahead=ahead)
        assert said == ask(other := FakeSession(babbling()), Slots(other, 1), prompt)[0]
        assert slots.bytes <= max_bytes or len(slots) == 1


@pytest.fixture(scope="module", params=["exact", "fast", "fp16"])
def tiny(request, tmp_path_factory):
    folder = tiny_model_folder(tmp_path_factory.mktemp("tiny") / request.param, recipe=request.param)
    return open_session(folder, "cpu", 2)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(texts)
def test_take_when_the_model_is_a_real_one_then_bits_are_those_of_a_cold_one(tiny, turns):
    slots = Slots(tiny, 3 * 256 * 512)
    for text, length, tail in turns:
        prompt = 2 * [ONE, TWO, THREE][text][:length] + tail
        ask_next(tiny, slots, prompt[1:])
        warm = ask(tiny, slots, prompt)[0], bits(tiny, prompt)
        tiny.use(tiny.new_kv())
        cold = (
            list(generate(tiny, PrefixCache(), prompt, GenerationOptions(WARM, 4), CancelToken())),
            bits(tiny, prompt),
        )
        assert warm == cold


def test_shrink_frees_all_buffers_and_the_next_prompt_gives_the_same(tiny):
    slots = Slots(tiny, 3 * 256 * 512)
    first = ask(tiny, slots, ONE)[0], bits(tiny, ONE)
    buffers = [weakref.ref(value) for value in tiny.kv.values.values()]
    ask(tiny, slots, TWO)
    buffers += [weakref.ref(value) for value in tiny.kv.values.values()]
    slots.shrink()
    assert [buffer() for buffer in buffers if buffer() is not None] == []
    assert (ask(tiny, slots, ONE)[0], bits(tiny, ONE)) == first


def bits(session, prompt):
    arrays = session.kv.arrays(len(prompt))
    return session.full_logits().tobytes(), {name: array.tobytes() for name, array in arrays.items()}
