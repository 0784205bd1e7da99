"""Someone who types, and asks a team server at each key; the newest request ends the older one."""

import asyncio
import time
from contextlib import closing, nullcontext
from queue import SimpleQueue
from threading import Thread

from attrs import define, field

from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.remote.http.failures import BadStatus
from aide_lsp.engines.shared.client import SESSION_HEADER, EngineClient
from aide_lsp.engines.shared.model import SharedModel
from aide_lsp.errors import DeclinedError, EngineChangedError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.server_address import ServerAddress
from aide_lsp.settings.fields import Parameters
from benchmarks.typing.replay import Request
from benchmarks.typing.sources import Source
from benchmarks.typing.trace import Event

OPTIONS = GenerationOptions(Parameters(seed=1, temperature=0.7), max_tokens=8, deadline_ms=20_000)
BEFORE, STEP, AFTER = 600, 300, 100
"""Characters of the prompt: before the cursor, the steps in which its beginning moves, after the cursor."""
RESTARTS = 1
"""As editors do."""
COMPLETE = frozenset({"stop", "length"})
"""Why a text ends that is complete. One that its time limit ended is not: how far it came depends on time."""


@define
class Asked:
    """A request, and what came of it."""

    at: float
    prompt: Prompt
    text: str = ""
    ended: float | None = None
    "When the text ended; None: the next key came first, or it failed."
    first: float | None = None
    "When the first piece was there."
    fault: str = ""
    finish: str | None = None
    "Why the text ends; None: the next key came first, or it failed."
    machine: str = ""
    "What has answered, as the answer says: model, recipe, kind of machine."
    again: int = 0
    "How often it was asked for again, since another model answered than the one that was asked."

    @property
    def is_complete(self) -> bool:
        """Whether all of the text came."""
        return self.finish in COMPLETE

    @property
    def recipe(self) -> str:
        """The recipe of the model that has answered."""
        return self.machine.split("/")[2] if self.machine else ""

    def is_right(self, expected: str) -> bool:
        """Whether the text is the expected one; one that is not complete: as far as it came."""
        return self.text == expected if self.is_complete else expected.startswith(self.text)


@define
class Person:
    """An `Engine` of the typing benchmark."""

    number: int
    address: ServerAddress
    token: str
    name: str = "team"
    asked: list[Asked] = field(factory=list)
    _work: "SimpleQueue[tuple[Asked, CancelToken, Request] | None]" = field(factory=SimpleQueue)
    _cancel: CancelToken = field(factory=CancelToken)
    _thread: Thread | None = None
    _loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to answer."""
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the connection."""
        self._cancel.cancel()
        self._work.put(None)
        if self._thread is not None:
            self._thread.join(30)

    def begin(self) -> None:
        """See `Engine`."""

    def open(self, file: int, source: Source, text: str) -> None:
        """See `Engine`."""

    def edit(self, file: int, event: Event, before: str, after: str) -> None:
        """See `Engine`."""

    def jump(self, file: int, text: str, cursor: int) -> None:
        """See `Engine`."""

    def limit(self, request: Request) -> None:
        """See `Engine`."""

    def drop(self, request: Request) -> None:
        """See `Engine`."""
        self._cancel.cancel()

    def cpu_seconds(self) -> float:
        """See `Engine`: the server is measured apart."""
        return 0.0

    def ask(self, file: int, text: str, cursor: int) -> Request:
        """See `Engine`."""
        assert self._loop is not None
        start = max(0, cursor - BEFORE) // STEP * STEP
        parts = (
            PromptPart(PartKind.PREFIX, text[start:cursor]),
            PromptPart(PartKind.SUFFIX, text[cursor : cursor + AFTER]),
        )
        asked = Asked(time.perf_counter(), Prompt(parts, document=f"{self.number}-{file}.py"))
        request = Request(asked.at, self._loop.create_future())
        self.asked.append(asked)
        self._cancel.cancel()
        self._cancel = CancelToken()
        self._work.put((asked, self._cancel, request))
        return request

    def _run(self) -> None:
        headers = {SESSION_HEADER: f"person-{self.number}"}
        client = EngineClient(Connection(self.address, self.token, headers))
        model = SharedModel(
            client, client.look(CancelToken()).info, lambda _: nullcontext(), restarts=RESTARTS
        )
        while (item := self._work.get()) is not None:
            asked, cancel, request = item
            try:
                self._answer(model, asked, cancel)
            except Cancelled:
                continue
            except (DeclinedError, BadStatus) as error:
                asked.fault = f"{type(error).__name__} {getattr(error, 'status', '')}".strip()
            assert self._loop is not None
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(request.answer, asked.text)
        model.close()

    def _answer(self, model: SharedModel, asked: Asked, cancel: CancelToken) -> None:
        while True:
            asked.machine = model.client.machine
            try:
                generation = model.generate(asked.prompt, OPTIONS, cancel)
                with closing(generation):
                    for piece in generation:
                        asked.first = asked.first or time.perf_counter()
                        asked.text += piece
                asked.finish = generation.finish_reason
                asked.ended = time.perf_counter()
                return
            except EngineChangedError:
                # As an editor does: nothing of the text is kept, and the server says what it is now.
                asked.text, asked.first, asked.again = "", None, asked.again + 1
                model.client.look(cancel)
