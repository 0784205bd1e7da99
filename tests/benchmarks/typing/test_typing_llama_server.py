"""llama.cpp's server as llama.vim asks it: against a stub of the server."""

import asyncio
import json
import sys

import pytest

from benchmarks.llama_cpp import build_server as build_llama_server
from benchmarks.typing.llama_server import LlamaServerEngine, kept_under, shown, window
from tests.patience import PATIENCE

STUB = """#!{python}
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
if "--version" in sys.argv:
    print("version: 1 (stub)", file=sys.stderr)
    sys.exit()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self): self.say({{}})
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open({log!r}, "a") as log:
            log.write(json.dumps(asked) + chr(10))
        if asked["prompt"].endswith("slow"):
            time.sleep(1.0)
        costs = {{"timings/prompt_n": 5, "timings/cache_n": 90, "timings/predicted_n": 3}}
        self.say({{"content": "lo world", **costs}})
    def say(self, answer):
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
port = int(sys.argv[sys.argv.index("--port") + 1])
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.fixture
async def started(tmp_path):
    """Starts engines over the stub, which records what they post."""
    program, log = tmp_path / "llama-server", tmp_path / "log"
    program.write_text(STUB.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    engines = []

    async def start(as_llama_vim=False):
        engine = LlamaServerEngine("llama.cpp", as_llama_vim)
        await engine.start(program, tmp_path / "model.gguf", threads=2)
        engines.append(engine)
        return engine, lambda: [json.loads(line) for line in log.read_text().splitlines()][1:]

    yield start
    for engine in engines:
        await engine.stop()


async def answered(request, seconds=PATIENCE):
    await asyncio.wait_for(request.answered, seconds)
    return request.offer.text


async def test_a_key_is_posted_as_llama_vim_posts_it(started):
    engine, posted = await started()
    text = "first\n    print('hel\nlast\n"
    request = engine.ask(0, text, text.index("hel") + 3)
    assert await answered(request) == "lo world"
    assert (request.tokens.prompt, request.tokens.cached, request.tokens.generated) == (95, 90, 3)
    [asked] = posted()
    assert asked["input_prefix"] == "first\n"
    assert asked["prompt"] == "    print('hel"
    assert asked["input_suffix"] == "\nlast\n\n"
    assert (asked["n_predict"], asked["t_max_predict_ms"], asked["cache_prompt"]) == (128, 250, True)


async def test_as_llama_vim_typing_along_is_answered_from_what_is_kept_and_anything_else_is_asked(started):
    engine, posted = await started(as_llama_vim=True)
    await answered(engine.ask(0, "hel", 3))
    along = engine.ask(0, "hello w", 7)
    assert await answered(along) == "orld"
    assert (along.tokens.prompt, along.tokens.generated) == (0, 0)
    assert len(posted()) == 1
    await answered(engine.ask(0, "help", 4))
    assert len(posted()) == 2


async def test_no_request_with_much_text_after_the_cursor(started):
    engine, posted = await started()
    assert await answered(engine.ask(0, "print(one, two)", 3)) == ""
    assert posted() == []


async def test_a_request_that_is_dropped_is_cancelled(started):
    engine, _ = await started()
    request = engine.ask(0, "slow", 4)
    await asyncio.sleep(0.1)
    engine.drop(request)
    assert await answered(engine.ask(0, "slower", 6)) == "lo world"
    await asyncio.sleep(1.2)
    assert not request.answered.done()


async def test_as_llama_vim_a_late_answer_serves_what_was_typed_meanwhile(started):
    engine, posted = await started(as_llama_vim=True)
    first = engine.ask(0, "slow", 4)
    await asyncio.sleep(0.1)
    engine.drop(first)
    second = engine.ask(0, "slowlo", 6)
    assert await answered(second) == " world"
    assert len(posted()) == 1


async def test_only_as_llama_vim_it_is_asked_where_the_cursor_goes(started):
    for as_llama_vim in (False, True):
        engine, posted = await started(as_llama_vim)
        engine.jump(0, "hel", 3)
        await answered(engine.ask(0, "hello", 5))
        asked = [one["prompt"] for one in posted() if one["prompt"]]
        assert ("hel" in asked) is as_llama_vim


async def test_each_key_is_asked_about_and_no_answer_is_kept(started):
    engine, posted = await started()
    await answered(engine.ask(0, "hel", 3))
    assert await answered(engine.ask(0, "hello w", 7)) == "lo world"
    assert len(posted()) == 2


def test_the_window_has_256_lines_before_and_64_after():
    lines = [f"line {number}" for number in range(600)]
    text = "\n".join(lines)
    cursor = text.index("line 300") + 4
    found = window(text, cursor)
    assert found["input_prefix"].split("\n")[0] == "line 44"
    assert found["prompt"] == "line"
    assert found["input_suffix"].startswith(" 300\nline 301\n")
    assert found["input_suffix"].endswith("line 364\n")


def test_a_blank_line_is_requested_from_its_beginning_and_shown_from_the_cursor():
    text = "def f():\n        \nlast"
    found = window(text, 13)
    assert (found["prompt"], found["input_suffix"]) == ("", "\nlast\n")
    assert kept_under(found) == ("def f():\n", "\nlast\n")
    assert shown("    return 1\n\n", text, 13) == "return 1"
    assert shown("    return 1", "x = ", 4) == "    return 1"


def test_the_server_is_built_from_unpacked_sources_without_fetching(tmp_path, monkeypatch, capsys):
    source = tmp_path / "llama_cpp_python-1" / "vendor" / "llama.cpp"
    source.mkdir(parents=True)
    commands = []
    monkeypatch.setattr(build_llama_server, "run", lambda *command: commands.append(command))
    assert build_llama_server.main([str(tmp_path), "--jobs", "3"]) == 0
    assert [command[0] for command in commands] == ["cmake", "cmake"]
    assert str(source) in commands[0]
    assert "-DGGML_NATIVE=ON" in commands[0]
    assert capsys.readouterr().out.strip().endswith("build/bin/llama-server")
