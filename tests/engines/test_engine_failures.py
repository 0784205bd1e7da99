"""Requests that fail, come late, or are canceled: what they leave behind for others."""

from threading import Event, Thread

import pytest
from attrs import evolve

from aide_lsp.engines.engine import Engine
from aide_lsp.engines.local import LocalModel
from aide_lsp.errors import MemoryShortError, SessionError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.slots import Slots
from tests.engines.test_engine import PROMPT, WARM, parts, text_of
from tests.fakes import FakeSession, babbling
from tests.patience import PATIENCE

TOO_LONG = evolve(PROMPT, healed="", parts=PROMPT.parts * 60)


def test_prompt_too_long_then_it_takes_no_memory_from_others():
    engine = Engine(parts())
    engine.slots._max_bytes = engine.slots._most_bytes = 4096
    for name in ("one", "other"):
        with pytest.raises(SessionError, match="tokens"):
            text_of(engine.session(name), TOO_LONG)
        with pytest.raises(SessionError, match="tokens"):
            engine.session(name).prefill(TOO_LONG, WARM, CancelToken())
    assert not engine.slots._in_use
    assert text_of(engine.session("third"), options=evolve(WARM, deadline_ms=20_000))[1] != "timeout"


def test_memory_short_when_it_begins_then_no_slot_stays_in_use():
    class Full(FakeSession):
        def new_kv(self):
            kv = super().new_kv()
            kv.reserve = self.reserve
            return kv

        def reserve(self, length):
            raise MemoryShortError("Not enough memory.")

    slots = Slots(Full(babbling()), 1000)
    with pytest.raises(MemoryShortError):
        slots.take([1, 2, 3], owner="one")
    assert not slots._in_use


def test_memory_short_again_and_again_then_the_model_still_completes():
    model = LocalModel(parts())
    for _ in range(40):
        model.release_memory()
    assert text_of(model) == text_of(LocalModel(parts()))


def test_deadline_passed_while_another_has_the_session_then_a_timeout_at_once():
    engine, waits = Engine(parts()), Event()
    results = []

    def late():
        results.append(text_of(engine.session("late"), options=evolve(WARM, deadline_ms=1)))
        waits.set()

    with engine.turns.turn("other").held(CancelToken(), None):
        thread = Thread(target=late)
        thread.start()
        assert waits.wait(PATIENCE)
    thread.join(PATIENCE)
    assert results == [("", "timeout")]


def test_canceled_before_it_begins_then_newer_requests_go_on():
    engine, prompt, cancel = Engine(parts()), evolve(PROMPT, document="a.py"), CancelToken()
    cancel.cancel()
    newer = engine.session("one").generate(prompt, WARM, CancelToken())
    pieces = iter(newer)
    begun = next(pieces)
    with pytest.raises(Cancelled):
        engine.session("one").generate(prompt, WARM, cancel)
    assert begun + "".join(pieces) == text_of(LocalModel(parts()))[0]
    newer.close()


def test_closed_twice_then_the_next_generation_keeps_its_slot():
    engine = Engine(parts())
    first = engine.session("one").generate(PROMPT, WARM, CancelToken())
    next(iter(first))
    first.close()
    second = engine.session("one").generate(PROMPT, WARM, CancelToken())
    next(iter(second))
    first.close()
    assert len(engine.slots._in_use) == 1
    second.close()
