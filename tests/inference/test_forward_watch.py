"""The watch over forwards, where the server's tests do not cover it (`tests/lsp/test_faults.py`)."""

import threading
import time

import pytest

from aide_lsp.errors import StuckSessionError
from aide_lsp.inference import forward_watch
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.forward_watch import ForwardWatch
from tests.patience import PATIENCE, wait_for


@pytest.fixture(autouse=True)
def short_ticks(monkeypatch):
    monkeypatch.setattr(forward_watch, "TICK_SECONDS", 0.02)


@pytest.fixture
def naps(monkeypatch):
    """A list that grows by one with each tick."""
    found = []
    monkeypatch.setattr(forward_watch, "sleep", lambda seconds: (found.append(1), time.sleep(seconds)))
    return found


def hang(watch, cancel, on_cpu=True):
    """A forward that waits until it is ended."""
    ended = threading.Event()
    with watch.watching(cancel, 1, on_cpu), cancel.watch(ended.set):
        assert ended.wait(PATIENCE)
        raise RuntimeError("terminated")


def test_forward_that_waits_for_nothing_is_ended_on_the_cpu_too_and_the_token_stays_good():
    watch, cancel = ForwardWatch(), CancelToken()
    for _ in range(2):
        with pytest.raises(StuckSessionError, match="gave no result"):
            hang(watch, cancel)
    assert not cancel.cancelled


def test_own_errors_of_a_forward_are_handed_on():
    with pytest.raises(RuntimeError, match="mine"), ForwardWatch().watching(CancelToken(), 1, True):
        raise RuntimeError("mine")


def test_between_forwards_nothing_ticks(naps):
    watch = ForwardWatch()
    for _ in range(100):
        with watch.watching(CancelToken(), 1, True):
            pass
    wait_for(lambda: not watch._awake.is_set())
    before = len(naps)
    time.sleep(0.2)
    assert len(naps) == before


def test_many_rows_may_compute_for_longer_than_one(monkeypatch, naps):
    monkeypatch.setattr(forward_watch, "SLOWEST_TICKS", 5)
    ended = []
    for rows, ticks in ((1, 1000), (1000, 50)):
        cancel, stop, before = CancelToken(), threading.Event(), len(naps)
        try:
            with ForwardWatch().watching(cancel, rows, True), cancel.watch(stop.set):
                while not stop.is_set() and len(naps) < before + ticks:
                    pass
                if stop.is_set():
                    raise RuntimeError("terminated")
        except StuckSessionError:
            ended.append(rows)
    assert ended == [1]


def test_thread_that_cannot_start_then_forwards_run_unwatched(monkeypatch):
    def no_memory(thread):
        raise RuntimeError("can't start new thread")

    watch = ForwardWatch()
    monkeypatch.setattr(threading.Thread, "start", no_memory)
    with watch.watching(CancelToken(), 1, True):
        pass
    monkeypatch.undo()
    monkeypatch.setattr(forward_watch, "TICK_SECONDS", 0.02)
    with pytest.raises(StuckSessionError):
        hang(watch, CancelToken())
