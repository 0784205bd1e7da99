"""The real server when something below it fails: it reports that in one sentence and keeps running."""

import os
import signal
import time

import pytest

from tests.lsp.raw_client import RawClient
from tests.patience import PATIENCE


@pytest.fixture(scope="module")
def client():
    with RawClient() as client:
        client.initialize()
        yield client


KINDS = ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "PanicException", "StopIteration", "MemoryError"]


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_a_completion_raises_the_request_has_a_reason_and_the_next_one_works(client, kind):
    client.open(f"#raise {kind} secret", f"file:///{kind}.py")
    assert client.reply(client.ask(uri=f"file:///{kind}.py"))["result"] in (None, [], {"items": []})
    last = client.command("aide.status")["lastRequest"]
    assert (last["shown"], last["reason"]) == (False, "error")
    assert {"MemoryError": "not enough memory"}.get(kind, kind) in last["message"]
    client.open("x = ", "file:///fine.py")
    assert client.reply(client.ask(uri="file:///fine.py"))["result"]
    assert "secret" not in str(client.notifications)


# -- a session that fails


@pytest.fixture
def faulty():
    with RawClient(script="faulty_server.py") as client:
        client.initialize()
        yield client


def complete(client, text, uri="file:///a.py"):
    """Open a text and ask at its end; return what became of it, and the status then.

    What the model says is random, and may be nothing: tokens that were generated are an answer.
    """
    client.open(text, uri)
    client.reply(client.ask(line=text.count("\n"), uri=uri))
    status = client.command("aide.status")
    return status["lastRequest"].get("generatedTokens"), status


def shown(client):
    """What the user was shown."""
    client.drain()
    return [m["params"]["message"] for m in client.notifications if m["method"] == "window/showMessage"]


def logged(client, beginning):
    client.drain()
    lines = [m["params"]["message"] for m in client.notifications if m["method"] == "window/logMessage"]
    return [line.removeprefix(beginning) for line in lines if line.startswith(beginning)]


def test_session_that_fails_once_is_loaded_again_and_the_request_answered_with_its_seed(faulty):
    tokens, status = complete(faulty, "#fail 1\nx = ")
    assert tokens
    assert (status["state"], status["device"], shown(faulty)) == ("ready", "cuda", [])
    assert logged(faulty, "loading for ") == ["auto", "auto"]
    first, second = logged(faulty, "seed ")[:2]
    assert first == second == str(status["lastRequest"]["seed"])


def test_session_that_fails_twice_moves_to_the_cpu_with_one_message(faulty):
    tokens, status = complete(faulty, "#fail 2\nx = ")
    assert tokens
    assert (status["state"], status["device"]) == ("ready", "cpu")
    assert logged(faulty, "loading for ") == ["auto", "auto", "cpu"]
    assert len(set(logged(faulty, "seed ")[:3])) == 1
    (message,) = shown(faulty)
    assert "CPU" in message
    assert "illegal memory access" in message
    assert complete(faulty, "y = ", "file:///b.py")[0]
    assert len(shown(faulty)) == 1


def test_gpu_that_is_gone_when_it_is_loaded_again_then_the_cpu_with_one_message(faulty):
    tokens, status = complete(faulty, "#fail 1 #load\nx = ")
    assert tokens
    assert (status["state"], status["device"], len(shown(faulty))) == ("ready", "cpu", 1)
    assert "No CUDA device" in shown(faulty)[0]


def test_session_that_fails_everywhere_is_failed_with_a_reason_until_the_settings_come_again(faulty):
    tokens, status = complete(faulty, "#fail 3\nx = ")
    assert tokens is None
    assert (status["state"], status["lastRequest"]["shown"]) == ("failed", False)
    assert "illegal memory access" in status["message"]
    moved, gave_up = shown(faulty)
    assert "CPU" in moved
    assert "no completions" in gave_up
    tokens, status = complete(faulty, "y = ", "file:///b.py")
    assert (tokens, status["lastRequest"]["reason"]) == (None, "failed")
    faulty.notify("workspace/didChangeConfiguration", {"settings": {}})
    tokens, status = complete(faulty, "y = ", "file:///c.py")
    assert tokens
    assert (status["state"], status["device"]) == ("ready", "cuda")


def test_memory_that_is_short_once_then_the_request_is_answered_from_smaller_caches(faulty):
    tokens, status = complete(faulty, "#short 1\nx = ")
    assert tokens
    assert (status["state"], shown(faulty), logged(faulty, "loading for ")) == ("ready", [], ["auto"])


def test_memory_that_stays_short_then_the_request_has_the_reason_and_others_are_answered(faulty):
    tokens, status = complete(faulty, "#short 1000\nx = ")
    assert (tokens, status["state"]) == (None, "ready")
    assert "not enough memory" in status["lastRequest"]["message"]
    assert complete(faulty, "y = ", "file:///b.py")[0]


# -- a forward that hangs


def test_forward_that_hangs_is_ended_the_model_loaded_again_and_the_user_informed_once(faulty):
    tokens, status = complete(faulty, "#hang 1\nx = ")
    assert tokens
    assert (status["state"], status["device"]) == ("ready", "cuda")
    assert logged(faulty, "loading for ") == ["auto", "auto"]
    (message,) = shown(faulty)
    assert "gave no result within" in message
    assert complete(faulty, "#hang 1 again\nx = ", "file:///b.py")[0]
    assert len(shown(faulty)) == 1


def test_forward_that_hangs_on_the_gpu_every_time_then_the_cpu(faulty):
    tokens, status = complete(faulty, "#hang 2\nx = ")
    assert tokens
    assert (status["state"], status["device"], len(shown(faulty))) == ("ready", "cpu", 2)


def test_forward_that_cannot_be_ended_then_the_server_says_so_and_ends(faulty):
    faulty.open("#freeze 1\nx = ")
    faulty.ask(line=1)
    with pytest.raises(EOFError):
        faulty.reply("never")
    assert faulty.process.wait(PATIENCE) == 1
    # Whether it is started again is up to the editor.
    assert any("cannot be stopped, so the server exits" in message for message in shown(faulty))
    (stacks,) = [line for line in logged(faulty, "") if "Threads:" in line]
    assert "in freeze" in stacks


def test_forward_that_computes_for_long_on_the_cpu_is_not_taken_for_a_hanging_one():
    with RawClient(script="faulty_server.py") as client:
        client.initialize(initializationOptions={"provider": "cpu"})
        tokens, status = complete(client, "#compute 1\nx = ")
        assert tokens
        assert (status["state"], logged(client, "loading for "), shown(client)) == ("ready", ["cpu"], [])


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="there is no SIGSTOP here")
def test_process_that_is_stopped_in_a_forward_is_not_taken_for_a_hanging_one(faulty):
    faulty.open("#hang 1\nx = ")
    request = faulty.ask(line=1)
    for _ in range(3):
        os.kill(faulty.process.pid, signal.SIGSTOP)
        time.sleep(1.5)  # ten ticks
        os.kill(faulty.process.pid, signal.SIGCONT)
    assert shown(faulty) == []
    faulty.reply(request)
    assert len(shown(faulty)) == 1
