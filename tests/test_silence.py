"""Nothing leaves the machine, and no file is written outside Aide's own folders: what the system saw of it.

The server (typing, canceled requests), `aide complete`, `aide doctor` and a conversion run for half a minute
in a trap, as a user runs them: the real runtime, and nothing in the environment that a library could take for
a test machine, where some are silent of their own accord. What counts is what the system was asked for.
"""

import asyncio
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.typing.lsp_client import Connection
from tests.conftest import TINY_CARD
from tests.tiny_model import tiny_gguf
from tests.traps import Trap, connecting, working_traps

SECONDS = 30
KEY_SECONDS = 0.15
ENOUGH = 10
"""Requests that must be answered, or nothing was tested."""
COMMANDS = (
    ("models", "convert", "tiny"),
    ("complete", "../x.py:2:12"),
    ("doctor",),
    ("explain", "../x.py:2:12", "--json"),
    ("settings", "../x.py"),
    ("log", "--stats"),
)
ROGUES = {
    "connects": connecting("AF_INET", "192.0.2.1"),
    "connects in IPv6": connecting("AF_INET6", "2001:db8::1"),
    "leaves a file": ["touch", "left"],
    "leaves a folder": ["mkdir", ".cache"],
}


def test_nothing_is_sent_looked_up_or_left_elsewhere(tmp_path):
    trap, home, traces = find_trap(tmp_path), home_with_tiny_model(tmp_path / "home"), tmp_path / "traces"
    traces.mkdir()
    use_aide(trap, home, traces)
    assert list(trap.offences(traces, home)) == []
    data = home / ".local" / "share" / "aide"
    assert (data / "ledger.sqlite").is_file()
    assert list(data.glob("models/tiny/*/manifest.json"))


@pytest.mark.parametrize("rogue", ROGUES)
def test_every_trap_that_works_here_catches_a_rogue(tmp_path, rogue):
    traps = [trap for trap in working_traps(tmp_path) if trap.blind_to != rogue]
    for trap in traps:
        home, traces = tmp_path / trap.name, tmp_path / f"{trap.name} traces"
        home.mkdir()
        traces.mkdir()
        command = caught(trap, home, traces, "rogue", *ROGUES[rogue])
        subprocess.run(command, capture_output=True, check=False)
        assert list(trap.offences(traces, home)) != [], trap.name


def find_trap(folder: Path) -> Trap:
    """Return the best trap, or skip with a sentence; a machine that tests every change must have one."""
    traps = working_traps(folder)
    if traps:
        return traps[0]
    sentence = "It was not tested that nothing is sent: neither strace nor unshare works here."
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def home_with_tiny_model(home: Path) -> Path:
    """Create a home folder whose only model is tiny, and a file to complete next to it."""
    cards = home / ".config" / "aide" / "models"
    cards.mkdir(parents=True)
    tiny_gguf(cards / "tiny.gguf")
    (cards / "tiny.toml").write_text(TINY_CARD, encoding="utf-8")
    cards.with_name("settings.toml").write_text('provider = "cpu"\n', encoding="utf-8")
    home.with_name("x.py").write_text("def f(a, b):\n    return \n", encoding="utf-8")
    return home


def caught(trap: Trap, home: Path, traces: Path, name: str, *command: str) -> list[str]:
    """Return the command that runs `command` in a trap, in an environment of few words."""
    kept = [f"{key}={os.environ[key]}" for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ]
    # What a user may have set must not bring anything back.
    user = [
        "ORT_DISABLE_TELEMETRY=0",
        "HF_HUB_DISABLE_TELEMETRY=0",
        "HF_TOKEN=hf_1",
        "HTTPS_PROXY=http://[::1]:9",
    ]
    environment = [*kept, f"HOME={home}", "LANG=C.UTF-8", *user]
    return ["env", "-i", "-C", str(home), *environment, *trap.command(traces / name, list(command))]


def use_aide(trap: Trap, home: Path, traces: Path) -> None:
    """Type in one file for half a minute; meanwhile run the commands."""

    def run(arguments: tuple[str, ...]) -> None:
        command = caught(trap, home, traces, arguments[0], sys.executable, "-m", "aide_lsp", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run(COMMANDS[0])
    with ThreadPoolExecutor(1) as other:
        typing = other.submit(asyncio.run, type_for_a_while(trap, home, traces))
        for arguments in COMMANDS[1:]:
            run(arguments)
        typing.result(SECONDS * 8)


async def type_for_a_while(trap: Trap, home: Path, traces: Path) -> None:
    """Ask at each key, and cancel every other request."""
    server = Connection({}, lambda method, params: None)
    await server.start(caught(trap, home, traces, "server", sys.executable, "-m", "aide_lsp.lsp.main"))
    root, answered = home.parent.as_uri(), 0
    folders = [{"uri": root, "name": "work"}]
    await server.ask("initialize", {"capabilities": {}, "rootUri": root, "workspaceFolders": folders})
    server.notify("initialized", {})
    document = {"uri": f"{root}/x.py", "languageId": "python", "version": 0, "text": ""}
    server.notify("textDocument/didOpen", {"textDocument": document})
    text, version, end = "", 0, time.monotonic() + SECONDS
    # Longer on a slow machine, so that some are answered anywhere.
    while (left := end - time.monotonic()) > 0 or (answered < ENOUGH and left > -4 * SECONDS):
        version += 1
        text += "def f(a, b):\n    return a + b\n\n"[version % 31]
        place = {"uri": document["uri"], "version": version}
        server.notify("textDocument/didChange", {"textDocument": place, "contentChanges": [{"text": text}]})
        where = {"line": text.count("\n"), "character": len(text.rpartition("\n")[2])}
        asked = {"textDocument": place, "position": where, "context": {"triggerKind": 1}}
        number, reply = server.request("textDocument/inlineCompletion", asked)
        if version % 2:
            await asyncio.sleep(KEY_SECONDS / 10)
            server.notify("$/cancelRequest", {"id": number})
        await asyncio.wait([reply], timeout=SECONDS * 4)
        answered += reply.exception() is None
        await asyncio.sleep(KEY_SECONDS)
    await server.stop()
    assert answered >= ENOUGH
