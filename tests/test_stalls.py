"""What keeps the process from making progress is measured, and does not count as hanging."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest

from aide_lsp.errors import StuckSessionError
from aide_lsp.inference import forward_watch
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.lsp.rpc import watchdog
from tests.patience import PATIENCE

# Two threads of itself take the only processor from a third one.
STARVED = """
import os, subprocess, sys, time
from aide_lsp.stalls import RunDelay
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
delay = RunDelay()
time.sleep(0.5)
print(delay.since())
others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
os.nice(19)
until = time.monotonic() + 1.5
while time.monotonic() < until:
    pass
print(delay.since())
for other in others:
    other.kill()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_delay_is_that_of_a_thread_that_waits_for_a_processor_not_of_one_that_sleeps():
    done = subprocess.run([sys.executable, "-c", STARVED], capture_output=True, text=True, timeout=PATIENCE)
    asleep, starved = map(float, done.stdout.split())
    assert starved > 0.5, done.stderr
    assert asleep < starved


class Waiting:
    """Other programs have the processor all the time."""

    def since(self):
        return watchdog.TICK_SECONDS * 50


@pytest.mark.parametrize("starved", [True, False])
def test_event_loop_that_gets_no_processor_is_not_deaf(monkeypatch, starved):
    monkeypatch.setattr(watchdog, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(watchdog, "RunDelay", Waiting if starved else lambda: NeverHeldUp())
    deaf = threading.Event()

    async def block():
        watchdog.watch_loop(asyncio.get_running_loop(), deaf.set)
        await asyncio.sleep(0.1)
        time.sleep(1 if starved else 0)
        return deaf.wait(0 if starved else 20)

    assert asyncio.run(block()) is not starved


class NeverHeldUp:
    """Nothing keeps the process from going on."""

    def since(self):
        return 0.0


def test_forward_that_gets_no_processor_is_not_ended(monkeypatch):
    monkeypatch.setattr(forward_watch, "TICK_SECONDS", 0.02)
    monkeypatch.setattr(forward_watch, "RunDelay", Waiting)
    cancel, stop = CancelToken(), threading.Event()
    with forward_watch.ForwardWatch().watching(cancel, 1000, True), cancel.watch(stop.set):
        assert not stop.wait(1)
    monkeypatch.setattr(forward_watch, "RunDelay", NeverHeldUp)
    with pytest.raises(StuckSessionError):
        hang()


def hang():
    cancel, stop = CancelToken(), threading.Event()
    with forward_watch.ForwardWatch().watching(cancel, 1000, True), cancel.watch(stop.set):
        assert stop.wait(PATIENCE)
        raise RuntimeError("terminated")
