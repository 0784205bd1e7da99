"""The replay: against an engine that answers on demand, and against the real server with a fake model."""

import asyncio
import json
import selectors
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.errors import AideError
from benchmarks.typing import replay as typing_replay
from benchmarks.typing.editor import EditorEngine, offered, position, utf16
from benchmarks.typing.lsp_client import OWN_SERVER
from benchmarks.typing.replay import Pace, Request, Tokens, replay
from benchmarks.typing.sources import Source, module_sources
from benchmarks.typing.trace import Event, Trace, make_trace

FAKE_SERVER = Path(__file__).parents[2] / "lsp" / "fake_server.py"
RECITING_SERVER = FAKE_SERVER.with_name("reciting_server.py")
RECORDER = """
import json, sys
log = open(sys.argv[1], "w")
def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
    sys.stdout.buffer.flush()
asked = 0
while line := sys.stdin.buffer.readline():
    sys.stdin.buffer.readline()
    message = json.loads(sys.stdin.buffer.read(int(line.split(b":")[1])))
    log.write(json.dumps(message) + "\\n")
    log.flush()
    method, number = message.get("method"), message.get("id")
    if method == "initialize":
        send({"id": number, "result": {"capabilities": {}, "serverInfo": {"name": "recorder"}}})
    elif method == "textDocument/inlineCompletion":
        asked += 1
        if asked == 1:
            send({"id": number, "result": {"items": [{"insertText": "x"}]}})
    elif method == "shutdown":
        send({"id": number, "result": None})
    elif method == "exit":
        break
"""


def trace_of(*keys, holes=("abcdef",)):
    """A trace that types letters at the given seconds into an empty file."""
    source = Source("a.py", "python", holes[0])
    events = [Event(0.0, "open", 0, 0), Event(0.0, "jump", 0, 0)]
    events += [Event(at, "key", 0, n, n, holes[0][n], 0, n + 1) for n, at in enumerate(keys)]
    return Trace((source,), ("",), holes, tuple(events))


class ScriptedEngine:
    """An engine that answers only the requests with these numbers, each after its number of seconds."""

    name = "scripted"

    def __init__(self, after):
        self.after, self.asked, self.calls = after, [], []

    def begin(self):
        self.calls.append("begin")

    def open(self, file, source, text):
        self.calls.append(("open", source.name, text))

    def edit(self, file, event, before, after):
        self.calls.append(("edit", before, after))

    def jump(self, file, text, cursor):
        self.calls.append(("jump", text, cursor))

    def ask(self, file, text, cursor):
        loop = asyncio.get_running_loop()
        request = Request(time.perf_counter(), loop.create_future())
        self.calls.append(("ask", text, cursor))
        seconds = self.after.get(len(self.asked))
        if seconds is not None:
            request.tokens = Tokens(10, 7, 3)
            loop.call_later(seconds, request.answer, "text")
        self.asked.append(request)
        return request

    def limit(self, request):
        self.calls.append(("limit", self.asked.index(request)))

    def drop(self, request):
        self.calls.append(("drop", self.asked.index(request)))

    def cpu_seconds(self):
        return 0.0


class Waiting(selectors.DefaultSelector):
    """Lets time pass only where a loop would wait for it."""

    now = 1.0

    def select(self, timeout=None):
        self.now += timeout or 0.0
        return super().select(0)


@pytest.fixture
def virtual(monkeypatch):
    """Run a coroutine in a time of its own, in which nothing else takes any."""
    waiting = Waiting()
    loop = asyncio.SelectorEventLoop(waiting)
    loop.time = lambda: waiting.now
    clock = SimpleNamespace(perf_counter=loop.time)
    monkeypatch.setattr(typing_replay, "time", clock)
    monkeypatch.setattr(sys.modules[__name__], "time", clock)
    yield loop.run_until_complete
    loop.close()


def test_a_key_that_had_no_answer_when_the_next_came_is_not_answered(virtual):
    engine = ScriptedEngine({0: 0.01, 1: 5.0, 2: 0.01})
    found = virtual(replay(engine, trace_of(0.0, 1.0, 1.2), Pace()))
    assert [one.waited is not None for one in found] == [True, False, True]
    assert [one.text for one in found] == ["text", "", "text"]
    assert found[0].tokens == Tokens(10, 7, 3)
    assert found[0].waited == pytest.approx(0.01)
    assert found[1].tokens is None
    assert 0.0 < found[0].waited < 1.0
    assert found[1].left == pytest.approx(0.2)


def test_calls_come_in_the_order_an_editor_makes_them(virtual):
    engine = ScriptedEngine({})
    virtual(replay(engine, trace_of(0.0, 0.05), Pace(limit_ms=0)))
    assert engine.calls == [
        "begin",
        ("open", "a.py", ""),
        ("jump", "", 0),
        ("edit", "", "a"),
        ("ask", "a", 1),
        ("edit", "a", "ab"),
        ("drop", 0),
        ("ask", "ab", 2),
        ("drop", 1),
    ]


def test_an_editor_stops_waiting_after_its_limit_and_not_where_there_is_an_answer(virtual):
    engine = ScriptedEngine({1: 0.0})
    virtual(replay(engine, trace_of(0.0, 0.3, 0.6), Pace(limit_ms=50)))
    assert [call for call in engine.calls if call[0] == "limit"] == [("limit", 0), ("limit", 2)]


def test_someone_patient_waits_for_each_answer_and_continues_as_fast_as_before(virtual):
    engine = ScriptedEngine({0: 0.4, 1: 0.4, 2: 0.0})
    started = time.perf_counter()
    found = virtual(replay(engine, trace_of(0.0, 0.2, 0.4), Pace(patient=True)))
    assert [one.text for one in found] == ["text"] * 3
    # Twice 0.4 s of waiting, and after each the 0.2 s that the trace leaves.
    assert time.perf_counter() - started == pytest.approx(1.2)
    assert max(one.late for one in found) < 0.01


def test_a_replay_ends_after_the_given_seconds_or_keys(virtual):
    trace = trace_of(0.0, 0.1, 0.2, 30.0)
    assert len(virtual(replay(ScriptedEngine({}), trace, Pace(seconds=1.0, limit_ms=0)))) == 3
    assert len(virtual(replay(ScriptedEngine(dict.fromkeys(range(9), 0.0)), trace, Pace(keys=2)))) == 2


@settings(deadline=None)
@given(st.text(), st.data())
def test_positions_are_those_of_utf_16(text, data):
    text = text.replace("\r", "")
    offset = data.draw(st.integers(0, len(text)))
    found = position(text, offset)
    line = text.split("\n")[found["line"]]
    before = line.encode("utf-16-le")[: 2 * found["character"]].decode("utf-16-le")
    assert "\n".join([*text.split("\n")[: found["line"]], before]) == text[:offset]
    assert utf16(before) == found["character"]


def item(text, start=None, end=None):
    found = {"insertText": text}
    if start is not None:
        found["range"] = {"start": {"line": 1, "character": start}, "end": {"line": 1, "character": end}}
    return found


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, ""),
        ([], ""),
        ({"items": []}, ""),
        ([item("cd")], "cd"),
        ({"items": [item("cd"), item("other")]}, "cd"),
        ([item("cd", 3, 3)], "cd"),
        ([item("𝕏cd", 1, 3)], "cd"),
        ([item("a𝕏cd", 0, 3)], "cd"),
        ([item("else", 0, 3)], ""),
        ([item("cd", 3, 4)], "cd"),
        ([item("a𝕏cd", 0, 4)], "cd"),
        ([item("cdrest", 3, 7)], "cd"),
        ([item("cd", 0, 2)], ""),
        ([{"insertText": {"kind": "snippet", "value": "cd"}}], "cd"),
    ],
)
def test_what_an_item_inserts_at_the_cursor(result, expected):
    assert offered(result, "first\na𝕏rest", 8) == expected


async def test_messages_are_those_of_an_editor(tmp_path):
    """Changes in order with growing versions; one request for each; the former one canceled."""
    (tmp_path / "recorder.py").write_text(RECORDER)
    log = tmp_path / "log"
    engine = EditorEngine("recorder", {"x": 1}, tmp_path)
    await engine.start([sys.executable, str(tmp_path / "recorder.py"), str(log)])
    try:
        trace = make_trace(module_sources()[:2], 4)
        hurried = evolve(trace, events=tuple(evolve(event, at=event.at / 50) for event in trace.events))
        found = await replay(engine, hurried, Pace(limit_ms=0))
    finally:
        await engine.stop()
    assert engine.server == "recorder"
    messages = [json.loads(line) for line in log.read_text().splitlines()]
    # The first document is the warm-up's.
    begin = next(n for n, message in enumerate(messages) if message["method"] == "textDocument/didClose") + 1
    texts, versions, open_ids = {}, {}, []
    for message in messages[begin:]:
        method, params = message["method"], message.get("params")
        if method == "textDocument/didOpen":
            texts[params["textDocument"]["uri"]] = params["textDocument"]["text"]
            versions[params["textDocument"]["uri"]] = 1
        elif method == "textDocument/didChange":
            uri = params["textDocument"]["uri"]
            versions[uri] += 1
            assert params["textDocument"]["version"] == versions[uri]
            texts[uri] = changed(texts[uri], *params["contentChanges"])
        elif method == "textDocument/inlineCompletion":
            assert open_ids == []
            assert params["context"] == {"triggerKind": 2}
            open_ids.append(message["id"])
        elif method == "$/cancelRequest":
            open_ids.remove(params["id"])
    assert len(found) == sum(event.do == "key" for event in trace.events)
    assert list(texts.values()) == [source.text for source in trace.sources]


def changed(text, change):
    """Apply a change as a server does, in UTF-16."""
    lines = text.encode("utf-16-le").decode("utf-16-le").split("\n")

    def offset(place):
        before = sum(len(line) + 1 for line in lines[: place["line"]])
        units = lines[place["line"]].encode("utf-16-le")[: 2 * place["character"]]
        return before + len(units.decode("utf-16-le"))

    start, end = offset(change["range"]["start"]), offset(change["range"]["end"])
    assert change["rangeLength"] == utf16(text[start:end])
    return text[:start] + change["text"] + text[end:]


async def test_the_real_server_answers_and_reports_what_it_cost(tmp_path):
    engine = EditorEngine("fake", {"ledger": "off"}, tmp_path)
    await engine.start([sys.executable, str(FAKE_SERVER)])
    try:
        found = await replay(engine, trace_of(0.0, 0.1, 0.2), Pace(patient=True))
        assert engine.cpu_seconds() > 0
    finally:
        await engine.stop()
    assert engine.server.startswith("aide-lsp ")
    assert [one.text for one in found] == ["pass  # 1", "pass  # 2", "pass  # 3"]
    assert all(one.tokens is not None and one.tokens.prompt > 0 for one in found)
    assert not any(one.fault for one in found)


async def test_an_editor_that_debounces_asks_only_where_no_key_came(tmp_path):
    (tmp_path / "recorder.py").write_text(RECORDER)
    log = tmp_path / "log"
    engine = EditorEngine("recorder", {}, tmp_path, debounce_ms=300)
    await engine.start([sys.executable, str(tmp_path / "recorder.py"), str(log)])
    try:
        found = await replay(engine, trace_of(0.0, 0.1, 0.2, 1.2), Pace(limit_ms=0))
    finally:
        await engine.stop()
    assert len(found) == 4
    methods = [json.loads(line)["method"] for line in log.read_text().splitlines()]
    # The first request is the warm-up's.
    assert methods.count("textDocument/inlineCompletion") == 1 + 2
    assert methods.count("textDocument/didChange") == 4


async def test_an_answer_that_comes_after_the_editor_gave_up_is_requested_again(tmp_path, monkeypatch):
    """The server continues, sends `aide/ready`, and the editor asks once more."""
    engine = EditorEngine("reciter", {"ledger": "off", "temperature": 0}, tmp_path)
    await engine.start([sys.executable, str(RECITING_SERVER)])
    trace = Trace(
        (Source("a.py", "python", "total = alpha + beta"),),
        ("total ",),
        ("= alpha + beta",),
        (Event(0.0, "open", 0, 0), Event(0.0, "key", 0, 6, 6, "=", 0, 1)),
    )
    monkeypatch.setattr(typing_replay, "LAST_SECONDS", 60.0)
    try:
        [one] = await replay(engine, trace, Pace(limit_ms=60))
    finally:
        await engine.stop()
    assert one.text == " alpha + beta"
    assert one.waited > 0.06


async def test_a_server_that_ends_is_reported_with_its_last_words(tmp_path):
    engine = EditorEngine("broken", {}, tmp_path)
    with pytest.raises(AideError, match="no such model"):
        await engine.start([sys.executable, "-c", "import sys; sys.exit('no such model')"])
    await engine.stop()
    with pytest.raises(AideError, match="cannot be started"):
        await EditorEngine("missing", {}, tmp_path).start(["no-such-program-for-aide"])


def test_own_server_is_not_taken_from_the_current_folder(tmp_path):
    """A project may have modules of any name."""
    (tmp_path / "aide_lsp").mkdir()
    (tmp_path / "aide_lsp" / "__init__.py").write_text("raise SystemExit('taken over')", encoding="utf-8")
    run = subprocess.run(
        [*OWN_SERVER, "--version"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
