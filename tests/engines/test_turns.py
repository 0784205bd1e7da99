"""Whose forward comes next: no clock decides, so the order of forwards is compared."""

from threading import Event, Thread

import pytest

from aide_lsp.engines import turns as module
from aide_lsp.engines.turns import RECENT_TURNS, SHARED_CHUNK_ROWS, Turns
from aide_lsp.errors import BrokenSessionError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.prefix_cache import CHUNK_ROWS, RowRule
from tests.fakes import FakeSession, babbling
from tests.patience import PATIENCE

NEVER = None


class Sharers:
    """Threads that take turns; each turn is noted, and the first one ends only when it is let go."""

    def __init__(self):
        self.turns, self.order, self.go = Turns(FakeSession(babbling())), [], Event()
        self.threads, self.errors = [], {}

    def start(self, owner, count=1, *, ahead=False, cancel=None):
        """Have an owner take turns, and wait until it holds one or waits."""
        waiting = self.turns.waiting

        def run():
            turn = self.turns.turn(owner, ahead=ahead)
            try:
                for _ in range(count):
                    with turn.held(cancel or CancelToken(), NEVER):
                        self.order.append(owner)
                        self.go.wait(PATIENCE)
            except (Cancelled, TimeoutError, BrokenSessionError) as error:
                self.errors[owner] = type(error)

        thread = Thread(target=run)
        self.threads.append(thread)
        thread.start()
        while not self.order or (len(self.threads) > 1 and self.turns.waiting == waiting):
            assert thread.is_alive()

    def end(self):
        """Let all take their turns; return the order."""
        self.go.set()
        for thread in self.threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        return "".join(self.order)


def test_several_owners_then_each_in_turn():
    sharers = Sharers()
    sharers.start("a", 4)
    sharers.start("b", 2)
    sharers.start("c", 2)
    order = sharers.end()
    # Threads may come back to the queue a little late, but never overtake whoever already waits there.
    assert order[:3] == "abc"
    assert sorted(order) == list("aaaabbcc")


def test_one_owner_with_many_requests_then_another_waits_for_one_turn():
    sharers = Sharers()
    for _ in range(6):
        sharers.start("a")
    sharers.start("b")
    assert sharers.end() == "abaaaaa"


@pytest.mark.parametrize("leaves", [True, False])
def test_who_comes_first_again_then_nobody_in_between(leaves, monkeypatch):
    # For ever, if nobody says that no more comes.
    monkeypatch.setattr(module, "PAUSE_SECONDS", 60.0 if leaves else 0.05)
    sharers = Sharers()
    sharers.turns._shares._row_seconds = 1.0
    reads = sharers.turns.turn("c")
    types = sharers.turns.turn("a")
    order = []

    def read():
        reads.rows_left = 1000
        with reads.held(CancelToken(), NEVER):
            order.append("c")

    with types.held(CancelToken(), NEVER):
        thread = Thread(target=read)
        thread.start()
        while not sharers.turns.waiting:
            pass
        order.append("a")
    if leaves:
        for _ in range(3):
            with types.held(CancelToken(), NEVER):
                order.append("a")
        sharers.turns.leave("a")
    thread.join(PATIENCE)
    assert "".join(order) == ("aaaac" if leaves else "ac")


def test_work_ahead_then_after_all_requests():
    sharers = Sharers()
    sharers.start("a")
    sharers.start("b", ahead=True)
    sharers.start("c")
    sharers.start("a")
    assert sharers.end() == "acab"


def test_canceled_while_it_waits_then_at_once_and_others_go_on():
    sharers, cancel = Sharers(), CancelToken()
    sharers.start("a")
    sharers.start("b", cancel=cancel)
    sharers.start("c")
    cancel.cancel()
    sharers.threads[1].join(PATIENCE)
    assert sharers.errors == {"b": Cancelled}
    assert sharers.end() == "ac"


def test_deadline_passed_while_it_waits_then_an_error_and_others_go_on():
    sharers = Sharers()
    sharers.start("a")
    with pytest.raises(TimeoutError), sharers.turns.turn("b").held(CancelToken(), 0.0):
        raise AssertionError("it has no turn")
    sharers.start("c")
    assert sharers.end() == "ac"


def test_broken_then_whoever_waits_and_whoever_comes_gets_the_error():
    sharers = Sharers()
    sharers.start("a")
    sharers.start("b")
    sharers.turns.fail(BrokenSessionError("broken"))
    sharers.threads[1].join(PATIENCE)
    assert sharers.errors == {"b": BrokenSessionError}
    assert sharers.end() == "a"
    with pytest.raises(BrokenSessionError), sharers.turns.turn("c").held(CancelToken(), NEVER):
        raise AssertionError("it has no turn")


def test_turn_within_a_turn_then_it_is_the_same():
    turn = Turns(FakeSession(babbling())).turn("a")
    with turn.held(CancelToken(), NEVER), turn.held(CancelToken(), NEVER):
        pass
    with turn.held(CancelToken(), NEVER):
        pass


def test_other_turn_between_then_it_was_interrupted():
    turns = Turns(FakeSession(babbling()))
    one, other = turns.turn("a"), turns.turn("b")
    with one.held(CancelToken(), NEVER):
        pass
    assert not one.was_interrupted
    with other.held(CancelToken(), NEVER):
        pass
    assert one.was_interrupted


def test_rows_of_a_forward_then_few_only_while_others_are_at_work_and_never_where_results_depend_on_them():
    turns = Turns(FakeSession(babbling()))
    one, other = turns.turn("a"), turns.turn("b")
    assert one.chunk_rows == CHUNK_ROWS
    with other.held(CancelToken(), NEVER):
        pass
    assert (one.chunk_rows, other.chunk_rows) == (SHARED_CHUNK_ROWS, CHUNK_ROWS)
    for _ in range(RECENT_TURNS):
        with one.held(CancelToken(), NEVER):
            pass
    assert (one.chunk_rows, other.chunk_rows) == (CHUNK_ROWS, SHARED_CHUNK_ROWS)
    blocks = Turns(FakeSession(babbling(), row_rule=RowRule(block=32)))
    with blocks.turn("b").held(CancelToken(), NEVER):
        pass
    assert blocks.turn("a").chunk_rows == CHUNK_ROWS
