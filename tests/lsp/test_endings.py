"""No server stays alive unresponsive or exits silently: dead editors, failing threads, a blocked loop."""

import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.lsp.raw_client import ROOT, RawClient, frame
from tests.patience import PATIENCE

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
INITIALIZE = {"jsonrpc": "2.0", "id": 1, "method": "initialize"}


def editor() -> subprocess.Popen:
    """A process whose number a client may send."""
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def kill(process: subprocess.Popen) -> None:
    process.kill()
    process.communicate()  # waits: its number means nothing any more


def set_off(client, fault: str) -> None:
    client.request("workspace/executeCommand", {"command": "aide.accepted", "arguments": [{"id": fault}]})


def said(client) -> str:
    client._threads[0].join(PATIENCE)
    return client.stderr.decode()


def test_editor_that_dies_right_after_initialize_takes_the_server_with_it():
    """Its stdin is held open by another process: this one."""
    with ExitStack() as stack:
        clients = [stack.enter_context(RawClient()) for _ in range(4)]
        editors = [editor() for _ in clients]
        for client, process in zip(clients, editors, strict=True):
            params = {"processId": process.pid, "capabilities": {}}
            initialized = {"jsonrpc": "2.0", "method": "initialized", "params": {}}
            client.send_bytes(frame({**INITIALIZE, "params": params}) + frame(initialized))
        kill(editors[0])
        for client, process, seconds in zip(clients[1:], editors[1:], (0.0, 0.1, 0.3), strict=True):
            client.reply(1)
            time.sleep(seconds)
            kill(process)
        for client in clients:
            assert client.process.wait(PATIENCE) == 1
            assert "the client's process ended" in said(client)


def test_dead_number_ends_a_server_whose_client_is_silent_but_not_one_whose_client_speaks():
    """The number may be one of another machine or container."""
    client_process = editor()
    kill(client_process)
    with RawClient() as silent, RawClient() as client:
        silent.initialize(processId=client_process.pid, initialized=False)
        client.initialize(processId=client_process.pid)
        assert silent.process.wait(PATIENCE) == 1
        time.sleep(1)
        assert client.command("aide.status")["version"]


@linux_only
def test_processes_that_started_this_one_are_known():
    code = "from aide_lsp.lsp.rpc.lifetime import starters; print(*starters())"
    script = (
        f"import os, subprocess; print(os.getpid()); subprocess.run([{sys.executable!r}, '-c', {code!r}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    parent, *known = map(int, done.stdout.split())
    assert {parent, os.getpid()} <= set(known)


@pytest.fixture
def broken():
    with RawClient(script="broken_server.py") as client:
        client.initialize()
        client.command("aide.status")
        yield client


@pytest.mark.parametrize("thread", ["reader", "writer"])
def test_thread_that_fails_for_want_of_memory_ends_the_process_with_a_sentence(broken, thread):
    set_off(broken, thread)
    with suppress(BrokenPipeError):
        while broken.process.poll() is None:  # the server reads one more message before it fails
            broken.request("aide/none")
            time.sleep(0.1)
    assert broken.process.wait(PATIENCE) == 1
    assert "not enough memory" in said(broken)


@linux_only
def test_without_memory_for_messages_the_server_says_so_and_either_answers_or_ends():
    with RawClient() as client:
        client.initialize()
        client.command("aide.status")
        status = Path(f"/proc/{client.process.pid}/status").read_text()
        used = int(status.partition("VmSize:")[2].split()[0]) * 1024
        resource.prlimit(client.process.pid, resource.RLIMIT_AS, (used + 2**22, used + 2**22))
        with suppress(BrokenPipeError, EOFError):
            for number in range(20):
                client.open("x" * (4 * 2**20), f"file:///{number}.py")
            assert client.command("aide.status")["version"]
            assert "MemoryError" in str(client.notifications)
            return
        assert client.process.wait(PATIENCE) == 1
        assert "not enough memory" in said(client)


@pytest.mark.parametrize(
    ("order", "kind"),
    [("exit", "SystemExit"), ("panic", "PanicException"), ("later-panic", "PanicException")],
)
def test_exception_that_nobody_catches_does_not_end_the_server(broken, order, kind):
    set_off(broken, order)
    assert broken.command("aide.status")["version"]
    while not any(f"{kind} at" in one["params"].get("message", "") for one in broken.notifications):
        broken.next_message()
    assert broken.command("aide.status")["version"]


def test_exception_that_ends_the_event_loop_ends_the_process_with_a_sentence(broken):
    set_off(broken, "later-exit")
    assert broken.process.wait(PATIENCE) == 1
    assert "The server exits: it failed (SystemExit" in said(broken)


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_event_loop_that_does_not_respond_ends_the_process_but_not_one_that_was_stopped(tmp_path, broken):
    """The one with the stacks of its threads; the other continues, as after a debugger or a laptop's lid."""
    log = tmp_path / "aide.log"
    broken.process.send_signal(signal.SIGSTOP)
    with RawClient("--log-file", str(log), script="broken_server.py") as client:
        client.initialize()
        began = time.monotonic()
        set_off(client, "deaf 60")
        assert client.process.wait(PATIENCE) == 1
        assert time.monotonic() - began > 4
        for text in (said(client), log.read_text()):
            assert "did not respond for 5 seconds" in text
            assert "in accepted" in text
            assert "in _read_all" in text
    broken.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    assert broken.command("aide.status")["version"]


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_native_code_that_computes_forever_and_holds_the_gil_ends_the_process_with_the_stacks(broken):
    set_off(broken, "native")
    assert broken.process.wait(PATIENCE) == -signal.SIGPROF
    assert "in accepted" in said(broken)
