"""When the process ends, what reaches stdout, and what a flood does: the real process, byte by byte."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import psutil
import pytest

from tests.lsp.raw_client import ROOT, RawClient, command, frame, inline_params
from tests.patience import PATIENCE, wait_for

posix_only = pytest.mark.skipif(os.name == "nt", reason="signals and Unix sockets")


def test_exit_code_is_zero_after_shutdown_and_one_without():
    with RawClient() as client:
        client.initialize()
        assert client.end() == 0
    with RawClient() as client:
        client.initialize()
        client.notify("exit")
        assert client.process.wait(PATIENCE) == 1


@pytest.mark.parametrize(("shut_down", "code"), [(True, 0), (False, 1)])
def test_end_of_stdin_ends_the_process_though_a_worker_is_deaf(shut_down, code):
    with RawClient() as client:
        client.initialize()
        client.open("#deaf")
        running = client.ask()
        client.command("aide.status")
        if shut_down:
            client.result("shutdown")
            assert client.reply(running)["error"]["code"] == -32800
        client.process.stdin.close()
        assert client.process.wait(PATIENCE) == code


@posix_only
def test_editor_killed_while_it_holds_the_servers_stdin_open_ends_the_server():
    """The editor is a process of its own; the pipe stays open in ours, so only its death can be noticed."""
    editor = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with RawClient() as client:
            client.initialize(processId=editor.pid)
            client.open("#deaf")
            client.ask()
            client.command("aide.status")
            editor.kill()
            assert client.process.wait(PATIENCE) == 1
    finally:
        editor.kill()
        editor.communicate()


@posix_only
def test_editor_killed_ends_the_server_by_the_end_of_stdin():
    start = f"server = subprocess.Popen({command()!r}, stdin=subprocess.PIPE)"
    script = f"import subprocess; {start}; print(server.pid, flush=True); input()"
    editor = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    server = int(editor.stdout.readline())
    os.kill(editor.pid, signal.SIGKILL)
    editor.communicate()
    wait_for(lambda: not psutil.pid_exists(server))


@posix_only
def test_processes_that_the_server_started_end_with_it(tmp_path):
    with RawClient() as client:
        client.initialize()
        client.open(f"#child {tmp_path / 'pid'}")
        client.reply(client.ask())
        client.process.stdin.close()
        assert client.process.wait(PATIENCE) == 1
    child = int((tmp_path / "pid").read_text())
    wait_for(lambda: not psutil.pid_exists(child))


ENDING = """
import ctypes, os, subprocess, sys, time
from aide_lsp.lsp.rpc import lifetime

def hold_the_gil():
    ctypes.PyDLL(None).sleep(3600)

def fill_stderr():
    os.set_blocking(2, False)
    for size in (4096, 1):
        try:
            while True:
                os.write(2, bytes(size))
        except BlockingIOError:
            pass
    os.set_blocking(2, True)

"""


@contextmanager
def ending(code: str):
    """A process that ends itself so. No one reads its stderr while it runs."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", ENDING + code], cwd=ROOT, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


@posix_only
def test_processes_that_the_server_started_end_with_it_though_the_rest_takes_too_long():
    start = "child = subprocess.Popen(['sleep', '3600']); print(child.pid, flush=True)"
    with ending(f"{start}; lifetime.leave(5, lambda: time.sleep(3600))") as process:
        child = int(process.stdout.readline())
        try:
            assert process.wait(PATIENCE) == 5
            wait_for(lambda: not psutil.pid_exists(child))
        finally:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)


@posix_only
def test_process_ends_though_a_thread_in_native_code_holds_the_gil_and_says_where():
    with ending("lifetime.leave(0, hold_the_gil)") as process:
        assert process.wait(PATIENCE) == 1
        assert b"in hold_the_gil" in process.stderr.read()


@posix_only
@pytest.mark.parametrize("end", ["lifetime.leave(0, hold_the_gil)", "lifetime.die('It fails.')"])
def test_process_ends_though_stderr_is_full_and_no_one_reads_it(end):
    with ending(f"fill_stderr(); {end}") as process:
        assert process.wait(PATIENCE) == -signal.SIGALRM


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it has to look")
def test_process_without_children_does_not_look_for_them():
    """Importing what looks for them takes a moment, and on a busy machine more than that."""
    look = "import asyncio; lifetime._kill_children(); print('psutil' in sys.modules)"
    with ending(look) as process:
        said, _ = process.communicate(timeout=PATIENCE)
        assert said.split() == [b"False"]


def test_process_that_never_lived_is_not_waited_for():
    """As in a container, where the editor's number means nothing."""
    with RawClient() as client:
        client.initialize(processId=2**22 + 1)
        assert client.command("aide.status")["version"]
        assert client.end() == 0


def test_prints_of_python_and_native_code_do_not_reach_the_client():
    with RawClient() as client:
        client.initialize()
        client.open("#print")
        assert client.reply(client.ask())["result"]
        assert client.end() == 0
        assert b"hello" in client.stderr
        assert b"from C" in client.stderr


def test_thousands_of_cancels_leave_nothing_stuck():
    """Requests canceled by their own message or by the next request: one reply each, then work continues."""
    count = 10_000
    with RawClient() as client:
        client.initialize()
        client.open("x = 1\n#slow 0.05")
        requests = []
        for number in range(count):
            params = inline_params(number % 2, 99)
            request = {"jsonrpc": "2.0", "id": f"c{number}", "method": "textDocument/inlineCompletion"}
            cancel = {
                "jsonrpc": "2.0",
                "method": "$/cancelRequest",
                "params": {"id": f"c{number - number % 3}"},
            }
            requests.append(frame({**request, "params": params}) + frame(cancel))
        started = time.monotonic()
        client.send_bytes(b"".join(requests))
        client.reply(f"c{count - 1}", 60)
        seconds = time.monotonic() - started
        assert client.reply(client.ask(0))["result"]
        assert client.end() == 0
    replies = [client.replies[f"c{number}"] for number in range(count)]
    assert [len(reply) for reply in replies] == [1] * count
    codes = {reply["error"]["code"] for (reply,) in replies if "error" in reply}
    assert codes <= {-32800}
    print(f"{count / seconds:.0f} requests and cancels in a second")


def test_client_that_stops_reading_does_not_stop_the_server_from_hearing_it():
    with RawClient(read=False) as client:
        status = {
            "jsonrpc": "2.0",
            "method": "workspace/executeCommand",
            "params": {"command": "aide.status"},
        }
        start = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"capabilities": {}}}
        client.send_bytes(frame(start))
        for number in range(1, 2000):
            client.send_bytes(frame({**status, "id": number}))
        client.notify("exit")
        assert client.process.wait(PATIENCE) == 1


def test_client_for_which_too_much_is_queued_is_disconnected():
    with RawClient(read=False) as client:
        start = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"capabilities": {}}}
        client.send_bytes(frame(start))
        long_id = "x" * (4 * 2**20)
        with suppress(BrokenPipeError):
            for _ in range(20):
                client.send_bytes(frame({"jsonrpc": "2.0", "id": long_id, "method": "none"}))
        assert client.process.wait(PATIENCE) == 1
        client._threads[0].join(PATIENCE)
        assert b"16 MiB unread" in client.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "Usage: aide-lsp"),
        (["--version"], 0, "aide-lsp "),
        (["--nonsense"], 2, 'unknown option "--nonsense"'),
        (["--tcp"], 2, "--tcp needs a value"),
        (["--tcp", "nowhere"], 2, "is not an address"),
        (["--tcp", "0.0.0.0:7000"], 2, "is not this machine"),
        (["--stdio", "--tcp=1"], 2, "choose one"),
        (["--log-level", "loud"], 2, "--log-level must be one of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_line_answers_in_plain_words(arguments, code, said):
    done = subprocess.run(
        [sys.executable, "-m", "aide_lsp.lsp.main", *arguments], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == code
    assert said in (done.stdout if code == 0 else done.stderr)


def test_help_and_options_import_nothing_heavy():
    code = "import sys; from aide_lsp.lsp.main import main; main(['--help']); print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout
    assert "aide_lsp.lsp.main" in loaded
    for heavy in ("lsprotocol", "pygls", "asyncio", "numpy", "onnxruntime", "click"):
        assert f"'{heavy}'" not in loaded


def test_initialize_is_answered_before_the_runtime_is_imported():
    """What completing needs is imported after `initialized`, by the worker."""
    code = "import sys; import aide_lsp.lsp.server, aide_lsp.loading; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout
    assert "'lsprotocol.types'" in loaded
    for heavy in ("numpy", "onnxruntime", "tokenizers", "huggingface_hub", "psutil", "tqdm", "click"):
        assert f"'{heavy}'" not in loaded


def test_log_file_is_private_and_holds_no_text(tmp_path):
    path = tmp_path / "logs" / "aide.log"
    with RawClient("--log-file", str(path), "--log-level", "debug") as client:
        client.initialize()
        client.open("#crash secret")
        client.reply(client.ask())
        client.notify("textDocument/didChange", {"secret": "text"})
        assert client.end() == 0
    written = path.read_text()
    assert "RuntimeError at" in written
    assert "secret" not in written
    if os.name != "nt":
        assert path.stat().st_mode & 0o777 == 0o600


@posix_only
@pytest.mark.parametrize("closed", ["2>&-", "2>&- 1>&-", "0<&-"])
def test_server_whose_standard_streams_are_closed_serves_or_ends(closed):
    """Some launchers close what they do not need."""
    start = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words = ["sh", "-c", f'exec "$@" {closed}', "sh", *command()]
    with subprocess.Popen(words, cwd=ROOT, **pipes) as server:
        with suppress(BrokenPipeError):
            server.stdin.write(frame(start))
            server.stdin.flush()
        length = server.stdout.readline()
        assert length.startswith(b"Content-Length: ") == (closed == "2>&-")
        _, said = server.communicate(timeout=PATIENCE)
    assert server.returncode == 1  # the connection ended without `exit`
    assert b"Traceback" not in said
