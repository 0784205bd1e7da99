"""The text at the cursor is prefilled where the cursor is at last, as soon as the model can."""

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
from attrs import evolve

from aide_lsp.application.excerpts import Prepared, Readable
from aide_lsp.application.requests import request_of
from aide_lsp.lsp.requests import prefetch
from aide_lsp.lsp.requests.candidate_lists import CandidateLists
from aide_lsp.lsp.requests.in_flight import InFlight, InFlightRequests
from aide_lsp.lsp.requests.prefetch import Prefetcher
from aide_lsp.lsp.workspace.documents import Place
from aide_lsp.settings.fields import Settings
from tests.fakes import FakeSession, ScriptedModel, completer_on, continuing
from tests.lsp.in_process import Connection
from tests.lsp.raw_client import inline_params
from tests.lsp.requests.test_in_flight import snapshot
from tests.patience import PATIENCE

WORK_AHEAD = evolve(Settings(), work_ahead=True)
NO_FILES = request_of(evolve(WORK_AHEAD, context_share=0.0), "a\nb\nc\n", 1, "")


class Completer:
    """Notes where it prefills."""

    def __init__(self):
        self.prefilled, self.read_ahead = [], []
        self.info = ScriptedModel({}, context_share=0.25).info

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


def prefetcher_of(in_flight, host, prepare=as_it_is):
    def read_ahead(completer, snapshot, token):
        token.check()
        completer.read_ahead.append(snapshot.request.offset)

    work = SimpleNamespace(prepare=prepare, read_ahead=read_ahead)
    return Prefetcher(in_flight, host, CandidateLists(), work)


def place(offset, text="a\nb\nc\n"):
    """A place by its offset; 1, 3 and 5 are the ends of lines."""
    start = text.rfind("\n", 0, offset) + 1
    return evolve(
        snapshot(text, offset), settings=WORK_AHEAD, place=Place(text.count("\n", 0, offset), offset - start)
    )


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(prefetch, "BUSY_SECONDS", 0.0)


async def until(holds):
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0)


async def test_a_cursor_that_came_before_the_model_is_prefilled_once_it_is_loaded():
    host = Host(loaded=False)
    prefetcher = prefetcher_of(InFlightRequests(), host)
    prefetcher.at_cursor(place(1))
    prefetcher.at_cursor(place(3))
    await asyncio.sleep(0.01)
    host.completer = host.model
    prefetcher.loaded()
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [3]


async def test_where_a_cursor_is_prefilled_other_files_are_read_ahead():
    host = Host()
    prefetcher_of(InFlightRequests(), host).at_cursor(place(1))
    await until(lambda: host.model.read_ahead)
    assert host.model.read_ahead == host.model.prefilled


async def test_a_user_who_types_during_the_prefill_does_not_wait_for_other_files():
    host, in_flight = Host(), InFlightRequests()
    host.free.clear()
    prefetcher_of(in_flight, host).at_cursor(place(1))
    await until(lambda: in_flight)
    asked = InFlight(place(2, "ax\nb\nc\n"), asyncio.get_running_loop().create_future())
    in_flight.begin(asked)
    host.free.set()
    await until(lambda: host.model.prefilled)
    for _ in range(10):
        await asyncio.sleep(0)
    assert host.model.read_ahead == []
    in_flight.end(asked)
    assert not in_flight


async def test_nothing_is_prefilled_after_loading_where_the_text_has_changed():
    host = Host(loaded=False)
    prefetcher = prefetcher_of(InFlightRequests(), host)
    prefetcher.at_cursor(place(1))
    prefetcher.interrupt()
    host.completer = host.model
    prefetcher.loaded()
    prefetcher.at_cursor(place(3))
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [3]


async def test_a_cursor_that_moves_on_ends_the_prefill_it_left():
    host, in_flight = Host(), InFlightRequests()
    prefetcher = prefetcher_of(in_flight, host)
    host.free.clear()
    prefetcher.at_cursor(place(1))
    await until(lambda: in_flight)
    prefetcher.at_cursor(place(3))
    host.free.set()
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [3]


LINES = "def area(width, height):\n    return width * height\n"
AREA, BODY, END = LINES.index("width"), LINES.index("return"), LINES.index("\n")


@pytest.mark.parametrize(
    ("moves", "exact", "prefilled"),
    [
        # To another line, wherever in it: to its end.
        ([0], False, [END]),
        ([AREA], False, [END]),
        ([BODY, AREA], False, [len(LINES) - 1, END]),
        # Within the line: to this place, but for the beginning of the line.
        ([0, AREA], False, [END, AREA]),
        ([BODY, BODY - 4], False, [len(LINES) - 1, len(LINES) - 1]),
        ([AREA, AREA], False, [END, END]),
        # With the mouse.
        ([AREA], True, [AREA]),
        ([BODY], True, [len(LINES) - 1]),
        # An empty line, and the end of a line.
        ([len(LINES)], False, [len(LINES)]),
        ([END], False, [END]),
    ],
)
async def test_where_someone_is_likely_to_type_is_prefilled(moves, exact, prefilled):
    host = Host()
    prefetcher = prefetcher_of(InFlightRequests(), host)
    for count, offset in enumerate(moves, start=1):
        prefetcher.at_cursor(place(offset, LINES), exact=exact)
        await until(lambda count=count: len(host.model.prefilled) == count)
    assert host.model.prefilled == prefilled


async def test_where_someone_types_the_line_is_not_new():
    host = Host()
    prefetcher = prefetcher_of(InFlightRequests(), host)
    prefetcher.asked(place(END, LINES))
    prefetcher.at_cursor(place(AREA, LINES))
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [AREA]


@pytest.mark.parametrize(("before", "exact"), [([], True), ([0], False)])
async def test_a_place_that_is_sent_again_when_the_model_has_loaded_stays_the_place(before, exact):
    host = Host(loaded=False)
    prefetcher = prefetcher_of(InFlightRequests(), host)
    for offset in before:
        prefetcher.at_cursor(place(offset, LINES))
    prefetcher.at_cursor(place(AREA, LINES), exact=exact)
    host.completer = host.model
    prefetcher.loaded()
    prefetcher.at_cursor(place(AREA, LINES))
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [AREA]


async def test_a_cursor_that_moves_within_its_line_does_not_start_it_over():
    host, in_flight = Host(), InFlightRequests()
    prefetcher = prefetcher_of(in_flight, host)
    host.free.clear()
    prefetcher.at_cursor(place(AREA, LINES))
    await until(lambda: in_flight)
    for offset in (0, END, AREA):
        prefetcher.at_cursor(place(offset, LINES))
    host.free.set()
    await until(lambda: len(host.model.prefilled) == 2)
    assert host.model.prefilled == [END, AREA]


async def test_a_cursor_begins_while_what_it_ended_still_ends(monkeypatch):
    monkeypatch.setattr(prefetch, "BUSY_SECONDS", 3600.0)
    host, in_flight = Host(), InFlightRequests()
    prefetcher = prefetcher_of(in_flight, host)
    host.free.clear()
    prefetcher.at_cursor(place(1))
    await until(lambda: in_flight)
    prefetcher.at_cursor(place(3))
    await until(lambda: not prefetcher.is_planned)
    host.free.set()
    await until(lambda: host.model.prefilled)
    assert host.model.prefilled == [3]


CODE = "".join(f"def area{at}(width, height):\n    return width * height\n\n\n" for at in range(12))
JUMP = CODE.index("area6") - len("def ")


@pytest.mark.parametrize(("fim", "most"), [("qwen2.5-coder", 64), ("qwen2.5-coder-psm", 256 + 128)])
@pytest.mark.parametrize("column", [0, 8])
@pytest.mark.parametrize(
    ("typed", "deleted"), [("", ""), (" x", ""), ("\n", ""), ("\n    ", ""), ("", "width, height):")]
)
async def test_what_ends_a_line_or_begins_the_next_one_finds_its_prompt_prefilled(
    fim, most, column, typed, deleted
):
    session, prefilled = FakeSession(continuing({})), []
    completer = completer_on(session, fim=fim)
    prefill = completer.prefill
    completer.prefill = lambda request, cancel: prefilled.append(prefill(request, cancel))
    connection = Connection(lambda settings, progress: completer)
    await connection.initialize(options={"workAhead": True, "numContext": 1024})
    connection.open(CODE)
    line, end = CODE.count("\n", 0, JUMP), CODE.index("\n", JUMP)
    position = {"line": line, "character": column}
    connection.send("aide/cursor", {"uri": "file:///a.py", "position": position})
    await until(lambda: prefilled)
    run = session.rows_run
    head = CODE[: end - len(deleted)] + typed
    document, edits = {"uri": "file:///a.py", "version": 2}, [{"text": head + CODE[end:]}]
    connection.send("textDocument/didChange", {"textDocument": document, "contentChanges": edits})
    place = head.count("\n"), len(head.rpartition("\n")[2])
    connection.send("textDocument/inlineCompletion", inline_params(*place), id=1)
    await connection.reply(1)
    assert prefilled[0] > 600
    assert session.rows_run - run <= most


async def test_a_cursor_waits_for_the_request_that_the_model_is_busy_with():
    host, in_flight = Host(), InFlightRequests()
    prefetcher = prefetcher_of(in_flight, host)
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
        # No lines of other files are read.
        ({"readable": None}, []),
        ({"request": NO_FILES}, []),
        # The user wants nothing done ahead.
        ({"settings": evolve(WORK_AHEAD, work_ahead=False)}, []),
    ],
)
async def test_where_there_was_no_completion_what_the_next_line_wants_is_prefilled(
    monkeypatch, changes, prefilled
):
    def prepare(completer, snapshot, *, next_line=False):
        return Prepared(evolve(snapshot.request, excerpts=("next" if next_line else "here",)))

    monkeypatch.setattr(prefetch, "LINE_SECONDS", 0.0)
    host, in_flight = Host(), InFlightRequests()
    prefetcher = prefetcher_of(in_flight, host, prepare)
    there = {"readable": Readable(Path("/p/a.py")), **changes}
    prefetcher.after_none(evolve(place(1), **there))
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
    prefetcher = prefetcher_of(in_flight, Host(), prepare)
    there = evolve(place(1), readable=Readable(Path("/p/a.py")))
    prefetcher.after_none(there)
    await until(lambda: chosen)
    await until(lambda: not in_flight)
    assert chosen == [False]


@pytest.mark.parametrize(("left", "prefilled"), [("file:///a", []), ("file:///b", [3])])
async def test_what_is_planned_for_a_document_that_is_left_is_not_done(left, prefilled):
    host = Host()
    prefetcher = prefetcher_of(InFlightRequests(), host)
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
    prefetcher = prefetcher_of(InFlightRequests(), host_of_model)
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
