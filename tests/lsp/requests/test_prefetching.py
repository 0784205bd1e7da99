"""The text at the cursor is prefilled where the cursor is at last, as soon as the model can."""

import asyncio
from pathlib import Path

import pytest
from attrs import evolve

from aide_lsp.application.excerpts import Prepared, Readable
from aide_lsp.lsp.requests import prefetch
from aide_lsp.lsp.requests.in_flight import InFlight, InFlightRequests
from aide_lsp.lsp.requests.pages import Pages
from aide_lsp.lsp.requests.prefetch import Prefetcher
from aide_lsp.settings.fields import Settings
from tests.fakes import FakeSession, ScriptedModel, completer_on, continuing
from tests.lsp.in_process import Connection
from tests.lsp.raw_client import inline_params
from tests.lsp.requests.test_in_flight import snapshot
from tests.patience import PATIENCE

WORK_AHEAD = evolve(Settings(), work_ahead=True)


class Completer:
    """Notes where it prefills."""

    def __init__(self):
        self.prefilled = []

    def prefill(self, request, cancel):
        self.prefilled.append(request.offset)

    def prefill_next(self, request, excerpts, cancel):
        self.prefilled.append((request.excerpts, excerpts))


class Host:
    """Runs a job when `free` is set, like the worker; without a model at first, if asked."""

    def __init__(self, *, loaded=True):
        self.model = Completer()
        self.completer = self.model if loaded else None
        self.free = asyncio.Event()
        self.free.set()

    async def run(self, job, token, loading_seconds):
        await self.free.wait()
        token.check()
        return job(self.completer)


def as_it_is(completer, snapshot, *, next_line=False):
    return Prepared(snapshot.request)


def place(offset):
    return evolve(snapshot("a text", offset), settings=WORK_AHEAD)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(prefetch, "CURSOR_SECONDS", 0.0)


async def until(holds):
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0)


async def test_a_cursor_that_came_before_the_model_is_prefilled_once_it_is_loaded():
    host = Host(loaded=False)
    prefetcher = Prefetcher(InFlightRequests(), host, None, Pages(), as_it_is)
    prefetcher.at_cursor(place(1))
    prefetcher.at_cursor(place(3))
    await asyncio.sleep(0.01)
    host.completer = host.model
    prefetcher.loaded()
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [3]


async def test_nothing_is_prefilled_after_loading_where_the_text_has_changed():
    host = Host(loaded=False)
    prefetcher = Prefetcher(InFlightRequests(), host, None, Pages(), as_it_is)
    prefetcher.at_cursor(place(1))
    prefetcher.interrupt()
    host.completer = host.model
    prefetcher.loaded()
    prefetcher.at_cursor(place(2))
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [2]


async def test_a_cursor_that_moves_on_ends_the_prefill_it_left():
    host, in_flight = Host(), InFlightRequests()
    prefetcher = Prefetcher(in_flight, host, None, Pages(), as_it_is)
    host.free.clear()
    prefetcher.at_cursor(place(1))
    await until(lambda: in_flight)
    prefetcher.at_cursor(place(3))
    host.free.set()
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [3]


async def test_a_cursor_waits_for_the_request_that_the_model_is_busy_with():
    host, in_flight = Host(), InFlightRequests()
    prefetcher = Prefetcher(in_flight, host, None, Pages(), as_it_is)
    request = InFlight(place(0), asyncio.get_running_loop().create_future())
    in_flight.begin(request)
    prefetcher.at_cursor(place(3))
    await asyncio.sleep(0.01)
    assert host.model.prefilled == []
    assert not request.token.cancelled
    in_flight.end(request)
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [3]


@pytest.mark.parametrize(
    ("changes", "prefilled"),
    [
        ({}, [(("here",), ("next",))]),
        # Other files are not read.
        ({"readable": None}, []),
        # The user wants nothing done ahead.
        ({"settings": evolve(Settings(), work_ahead=False)}, []),
    ],
)
async def test_where_there_was_no_completion_what_the_next_line_wants_is_prefilled(
    monkeypatch, changes, prefilled
):
    def prepare(completer, snapshot, *, next_line=False):
        return Prepared(evolve(snapshot.request, excerpts=("next" if next_line else "here",)))

    monkeypatch.setattr(prefetch, "LINE_SECONDS", 0.0)
    host, in_flight = Host(), InFlightRequests()
    prefetcher = Prefetcher(in_flight, host, None, Pages(), prepare)
    prefetcher.after_none(evolve(place(1), **{"readable": Readable(Path("/p/a.py")), **changes}))
    # As many turns of the loop as one that is planned needs, and more.
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert host.model.prefilled == prefilled
    assert not in_flight


async def test_a_key_that_comes_while_excerpts_are_chosen_waits_for_no_more_of_them(monkeypatch):
    chosen = []

    def prepare(completer, snapshot, *, next_line=False):
        chosen.append(next_line)
        in_flight.changed(snapshot.uri, "another text")
        return Prepared(snapshot.request)

    monkeypatch.setattr(prefetch, "LINE_SECONDS", 0.0)
    in_flight = InFlightRequests()
    prefetcher = Prefetcher(in_flight, Host(), None, Pages(), prepare)
    prefetcher.after_none(evolve(place(1), readable=Readable(Path("/p/a.py"))))
    await until(lambda: chosen)
    await until(lambda: not in_flight)
    assert chosen == [False]


@pytest.mark.parametrize(("left", "prefilled"), [("file:///a", []), ("file:///b", [3])])
async def test_what_is_planned_for_a_document_that_is_left_is_not_done(left, prefilled):
    host = Host()
    prefetcher = Prefetcher(InFlightRequests(), host, None, Pages(), as_it_is)
    prefetcher.at_cursor(place(3))
    prefetcher.leave(left)
    # As many turns of the loop as one that is planned needs, and more.
    for _ in range(20):
        await asyncio.sleep(0.001)
    prefetcher.loaded()
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert host.model.prefilled == prefilled


@pytest.mark.parametrize(
    ("engine", "host", "prefilled"),
    [
        ("http://127.0.0.1:8012", "127.0.0.1:8012", [1]),
        ("https://models.example.com", "models.example.com", []),
        # It sends the text on.
        ("http://127.0.0.1:8012", "models.example.com", []),
    ],
)
async def test_only_a_server_on_this_machine_works_ahead(engine, host, prefilled):
    host_of_model = Host()
    host_of_model.model.info = ScriptedModel({}, host=host).info
    prefetcher = Prefetcher(InFlightRequests(), host_of_model, None, Pages(), as_it_is)
    here = place(1)
    prefetcher.at_cursor(evolve(here, settings=evolve(here.settings, engine=engine)))
    # As many turns of the loop as one that is planned needs, and more.
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert host_of_model.model.prefilled == prefilled


@pytest.mark.parametrize("ending", ["pause", "close"])
async def test_nothing_is_begun_ahead_after_completions_were_paused_or_the_document_was_closed(
    monkeypatch, ending
):
    monkeypatch.setattr(prefetch, "SHOWN_SECONDS", 3600.0)
    session = FakeSession(continuing({"x = ": "1\n"}))
    completer = completer_on(session)
    connection = Connection(lambda settings, progress: completer)
    await connection.initialize(options={"workAhead": True})
    connection.open("x = \n")
    connection.send("textDocument/inlineCompletion", inline_params(0, 4, trigger=2), id=1)
    assert (await connection.reply(1))["result"]
    requests = connection.server.requests
    await until(lambda: requests.prefetcher.is_planned)
    if ending == "pause":
        connection.send("workspace/executeCommand", {"command": "aide.pause", "arguments": []}, id=2)
    else:
        connection.send("textDocument/didClose", {"textDocument": {"uri": "file:///a.py"}})
    await until(lambda: not requests.prefetcher.is_planned)
