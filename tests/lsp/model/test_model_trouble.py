"""What keeps a model from serving, with the real server: damaged files, another device, too little memory."""

import os
import sys
import time

import pytest

from tests.lsp.raw_client import RawClient
from tests.patience import PATIENCE


@pytest.fixture(scope="module")
def folder(home, aide):
    """The converted tiny model of the user in `home`."""
    run = aide("models", "convert", "tiny")
    assert run.returncode == 0, run.stderr
    (folder,) = (home / "data" / "models" / "tiny").glob("exact-*")
    return folder


@pytest.fixture
def start(home):
    """Start servers of that user."""
    running = []

    def start(*arguments, limit=None, **options):
        env = os.environ | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "AIDE_DATA_DIR": str(home / "data"),
        }
        client = RawClient(*arguments, script="real_server.py", env=env, **(limited(limit) if limit else {}))
        running.append(client)
        client.initialize(initializationOptions=options)
        return client

    yield start
    for client in running:
        client.__exit__()


def flip(path):
    """Turn one bit over; size and time stay as they are."""
    times = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def until(client, holds):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        status = client.command("aide.status")
        if holds(status):
            return status
        time.sleep(0.05)
    raise AssertionError(f"the state stays {status['state']}: {status['message']}")


def shown_messages(client):
    client.drain()
    return [m["params"]["message"] for m in client.notifications if m["method"] == "window/showMessage"]


def is_ready(status):
    return status["state"] == "ready"


def test_damaged_weights_are_found_after_ready_reported_in_a_sentence_and_converted_again(folder, start):
    weights = folder / "model.onnx.data"
    good = weights.read_bytes()
    flip(weights)
    client = start("--verify-later")
    until(client, lambda status: "damaged" in (status["message"] or "") or shown_messages(client))
    client.open("x = ")
    client.reply(client.ask())  # answered, whenever it comes
    until(client, lambda status: is_ready(status) and weights.exists() and weights.read_bytes() == good)
    (message,) = shown_messages(client)
    assert "damaged" in message
    client.open("y = ", "file:///b.py")
    client.reply(client.ask(uri="file:///b.py"))
    assert client.command("aide.status")["lastRequest"]["generatedTokens"] > 0
    assert client.process.poll() is None


@pytest.mark.parametrize("name", ["tokenizer.json", "manifest.json"])
def test_damage_to_small_files_is_repaired_before_they_are_opened(folder, start, name):
    good = (folder / name).read_bytes()
    flip(folder / name)
    client = start()
    until(client, is_ready)
    assert (folder / name).read_bytes() == good
    assert shown_messages(client) == []


def test_two_servers_repair_one_model_at_once(folder, start):
    weights = folder / "model.onnx.data"
    good = weights.read_bytes()
    flip(weights)
    clients = [start("--verify-later"), start("--verify-later")]
    for client in clients:
        until(client, lambda status: is_ready(status) and weights.exists() and weights.read_bytes() == good)
        assert client.process.poll() is None
    for client in clients:
        assert len(shown_messages(client)) <= 1


# -- another device


def test_cuda_that_is_not_available_is_reported_and_the_cpu_serves(folder, start):
    from aide_lsp.inference.onnx.runtime import cuda_problem

    if cuda_problem() is None:
        pytest.skip("there is a GPU here")
    client = start(provider="cuda")
    status = until(client, is_ready)
    assert (status["device"], status["recipe"]) == ("cpu", "exact")
    (message,) = shown_messages(client)
    assert message.startswith('Aide: provider "cuda" cannot be used here. Running on the CPU: ')


def test_half_floats_on_the_cpu_are_refused_before_anything_is_converted(folder, start):
    client = start(provider="cpu", recipe="fp16")
    status = until(client, lambda status: status["state"] == "failed")
    assert "fp16 needs a GPU" in status["message"]
    assert shown_messages(client) == [f"Aide offers no completions. {status['message']}"]
    assert not list(folder.parent.glob("fp16-*"))
    client.notify("workspace/didChangeConfiguration", {"settings": {"aide": {"recipe": "auto"}}})
    until(client, is_ready)


def test_half_floats_on_the_cpu_are_refused_on_the_command_line(folder, aide):
    run = aide("complete", "x.py:2:12", "--provider", "cpu", "--recipe", "fp16")
    assert (run.returncode, run.stdout) == (1, "")
    assert "fp16 needs a GPU" in run.stderr
    assert not list(folder.parent.glob("fp16-*"))


# -- too little memory


def limited(count):
    """Options of a process that may use so much address space."""
    resource = pytest.importorskip("resource")
    return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (count, count))}


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_memory_limit_that_is_too_low_then_a_sentence_and_a_live_server(folder, start):
    client = start(limit=400_000_000, threads=1)
    status = until(client, lambda status: status["state"] not in ("starting", "loading"))
    assert status["state"] == "failed"
    assert "does not fit into memory" in status["message"]
    assert "0.40 GB (`ulimit -v`)" in status["message"]
    assert shown_messages(client) == [f"Aide offers no completions. {status['message']}"]
    client.open("x = ")
    client.reply(client.ask())
    last = client.command("aide.status")["lastRequest"]
    assert (last["shown"], last["message"]) == (False, status["message"])


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_memory_limit_that_suffices_is_no_reason_to_refuse(folder, start):
    client = start(limit=1_200_000_000, threads=1)
    assert until(client, lambda status: status["state"] not in ("starting", "loading"))["state"] == "ready"
