"""The worker's thread: whatever a job raises, whoever waits gets an answer and the next job runs."""

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from aide_lsp.errors import CrashError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.lsp.model.worker import Worker
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio


class PanicException(BaseException):
    """What a panic in a Rust library becomes."""


def raising(kind):
    def job():
        raise kind("source text")

    return job


@pytest.mark.parametrize(
    "kind",
    [SystemExit, KeyboardInterrupt, GeneratorExit, PanicException, StopIteration, CancelledError],
)
async def test_job_that_raises_what_ends_a_process_then_its_reason_is_given_and_the_worker_lives(kind):
    worker = Worker()
    with pytest.raises(CrashError) as raised:
        await asyncio.wait_for(worker.submit(raising(kind), CancelToken()), PATIENCE)
    assert kind.__name__ in str(raised.value)
    assert "source text" not in str(raised.value)
    assert await worker.submit(lambda: 5, CancelToken()) == 5


@pytest.mark.parametrize("kind", [MemoryError, ValueError, Cancelled])
async def test_ordinary_errors_are_handed_on(kind):
    with pytest.raises(kind):
        await asyncio.wait_for(Worker().submit(raising(kind), CancelToken()), PATIENCE)


async def test_thread_that_cannot_start_then_the_next_job_tries_again(monkeypatch):
    worker = Worker()

    def no_memory(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_memory)
    with pytest.raises(RuntimeError):
        worker.submit(lambda: 1, CancelToken())
    monkeypatch.undo()
    assert await asyncio.wait_for(worker.submit(lambda: 2, CancelToken()), PATIENCE) == 2
