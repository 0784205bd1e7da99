"""Replays a typing trace against an engine that completes, and notes the outcome of each key.

In real time, keys do not wait for answers: the next key abandons the previous request. A patient person waits
for each answer before going on.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from attrs import define, frozen

from benchmarks.typing.sources import Source
from benchmarks.typing.trace import Event, Trace

PATIENCE_SECONDS = 60.0
LAST_SECONDS = 1.0
"""How long to wait for the last request of a trace."""


@frozen
class Offer:
    """An answer."""

    at: float
    "When it came, by `time.perf_counter`."
    text: str
    "What would be inserted at the cursor; empty: nothing is offered."


@frozen
class Tokens:
    """What an answer cost."""

    prompt: int
    cached: int
    "Those of them that did not run again."
    generated: int


@define
class Request:
    """One request to an engine, which fills it in."""

    asked_at: float
    "When the key was pressed, by `time.perf_counter`."
    answered: "asyncio.Future[None]"
    "Done once `offer` is set, or never will be."
    offer: Offer | None = None
    "The answer; None: none came."
    tokens: Tokens | None = None
    "What it cost; None: the engine does not report it."
    fault: str | None = None
    "Why it failed."

    def answer(self, text: str) -> None:
        """Note the answer, once."""
        if not self.answered.done():
            self.offer = Offer(time.perf_counter(), text)
            self.answered.set_result(None)

    def fail(self, fault: str) -> None:
        """Note that there will be no answer."""
        if not self.answered.done():
            self.fault = fault
            self.answered.set_result(None)


class Engine(Protocol):
    """A program that completes."""

    name: str

    def begin(self) -> None:
        """Begin another trace, whose files are other documents."""

    def open(self, file: int, source: Source, text: str) -> None:
        """Open a file."""

    def edit(self, file: int, event: Event, before: str, after: str) -> None:
        """Apply a change to a file's text."""

    def jump(self, file: int, text: str, cursor: int) -> None:
        """Note that the cursor moved elsewhere."""

    def ask(self, file: int, text: str, cursor: int) -> Request:
        """Request a completion."""

    def limit(self, request: Request) -> None:
        """Stop waiting, as the editor does after a while; an answer may still come another way."""

    def drop(self, request: Request) -> None:
        """Abandon a request whose text is gone."""

    def cpu_seconds(self) -> float:
        """CPU seconds of the engine's processes since they began."""
        ...


@frozen
class Pace:
    """How a trace is replayed."""

    patient: bool = False
    "Wait for each answer before the next key."
    # VS Code's own limit.
    limit_ms: float = 750
    "When the editor stops waiting for an automatic request; 0: never. Not applied if `patient`."
    seconds: float = float("inf")
    "Stop after this part of the trace."
    keys: int = 1_000_000
    "Stop after this many keys."


@frozen
class RequestRecord:
    """The outcome of one key."""

    event: int
    "Number of its event in the trace."
    at: float
    "When it was pressed, by `time.perf_counter`."
    late: float
    "Seconds that it was pressed later than in the trace: the benchmark's own delay."
    left: float
    "Seconds until the next event; if patient: until the answer."
    waited: float | None
    "Seconds until the answer; None: none came in time."
    text: str
    "What was offered; empty: nothing."
    tokens: Tokens | None
    "What the answer cost."
    fault: str | None
    "Why it failed."


async def replay(
    engine: Engine, trace: Trace, pace: Pace, progress: Callable[[int], None] = lambda keys: None
) -> list[RequestRecord]:
    """Replay a trace."""
    texts, found = list(trace.begins), list[RequestRecord]()
    engine.begin()
    clock = time.perf_counter()
    pending: tuple[int, float, Request] | None = None

    def close(now: float) -> None:
        nonlocal pending
        if pending is not None:
            index, late, request = pending
            found.append(_note(index, late, request, now))
            engine.drop(request)
            pending = None
            progress(len(found))

    for index, event in enumerate(trace.events):
        if event.at > pace.seconds or len(found) + (pending is not None) >= pace.keys:
            break
        await _until(clock + event.at)
        now = time.perf_counter()
        late = now - clock - event.at
        if event.do == "open":
            engine.open(event.file, trace.sources[event.file], texts[event.file])
        if event.do != "key":
            close(now)
            if event.do == "jump":
                engine.jump(event.file, texts[event.file], event.start)
            continue
        before = texts[event.file]
        texts[event.file] = before[: event.start] + event.text + before[event.end :]
        engine.edit(event.file, event, before, texts[event.file])
        close(now)
        request = engine.ask(event.file, texts[event.file], event.start + len(event.text))
        request.asked_at = now
        pending = (index, late, request)
        if pace.patient:
            await _wait(request, PATIENCE_SECONDS)
            close(time.perf_counter())
            # The next key comes as long after the answer as it would have come after this key.
            clock += max(0.0, time.perf_counter() - clock - event.at)
        elif pace.limit_ms:
            _limit(engine, request, pace.limit_ms / 1000)
    if pending is not None:
        await _wait(pending[2], LAST_SECONDS)
        close(time.perf_counter())
    return found


def _note(index: int, late: float, request: Request, now: float) -> RequestRecord:
    offer = request.offer
    in_time = offer is not None and offer.at <= now
    return RequestRecord(
        event=index,
        at=request.asked_at,
        late=late,
        left=now - request.asked_at,
        waited=offer.at - request.asked_at if offer is not None and in_time else None,
        text=offer.text if offer is not None and in_time else "",
        tokens=request.tokens if in_time else None,
        fault=request.fault,
    )


def _limit(engine: Engine, request: Request, seconds: float) -> None:
    def over() -> None:
        if not request.answered.done():
            engine.limit(request)

    timer = asyncio.get_running_loop().call_later(seconds, over)
    request.answered.add_done_callback(lambda _: timer.cancel())


async def _until(moment: float) -> None:
    # Checked again, because asyncio may wake a little early.
    while (left := moment - time.perf_counter()) > 0:
        await asyncio.sleep(left)


async def _wait(request: Request, seconds: float) -> None:
    await asyncio.wait([request.answered], timeout=seconds)
