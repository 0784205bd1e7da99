"""Nothing leaves the machine, and no file is written outside Aide's own folders: what the system saw of it.

The server (typing, cancelled requests), `aide complete`, `aide doctor` and a conversion run for half a minute
under strace, as a user runs them: the real runtime, and nothing in the environment that a library could take
for a test machine, where some are silent of their own accord. What counts is what the system was asked for.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import frozen

from aide_lsp.bench.typing_lsp import Connection
from aide_lsp.settings_reference import REPOSITORY
from tests.conftest import TINY_CARD
from tests.tiny_model import tiny_gguf

SECONDS = 30
KEY_SECONDS = 0.15
MAKING = (
    *("open", "openat", "openat2", "creat", "mkdir", "mkdirat", "mknod", "mknodat", "truncate"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
)
"""System calls that may make or change a file."""
NAME_LOOKUP = {"/etc/resolv.conf", "/etc/hosts", "/etc/gai.conf"}
COMMANDS = (
    ("models", "convert", "tiny"),
    ("complete", "x.py:2:12"),
    ("doctor",),
    ("explain", "x.py:2:12", "--json"),
    ("settings", "x.py"),
    ("log", "--stats"),
)


@frozen
class Call:
    """A system call that did not fail."""

    name: str
    arguments: str

    @property
    def paths(self) -> list[str]:
        """The paths it names, made absolute: strace writes a folder's path behind its number."""
        found = re.findall(r'(?:[\w-]+<([^>]*)>, )?"([^"]*)"', self.arguments)
        return [os.path.normpath(Path(folder, path)) for folder, path in found]

    @property
    def makes(self) -> bool:
        """Whether it makes a file or opens one to write."""
        opens = self.name.startswith("open")
        return self.name in MAKING and (
            not opens or bool(re.search(r"O_(WRONLY|RDWR|CREAT)", self.arguments))
        )


def test_nothing_is_sent_looked_up_or_left_elsewhere(tmp_path):
    need_strace(tmp_path)
    home = home_with_tiny_model(tmp_path / "home")
    traces = tmp_path / "traces"
    traces.mkdir()
    use_aide(home, traces)
    calls = [call for trace in traces.iterdir() for call in calls_in(trace.read_text("utf-8", "replace"))]

    assert [call for call in calls if call.name == "io_uring_setup"] == [], "strace sees nothing of that"
    sockets = [call for call in calls if call.name == "socket"]
    assert [call for call in sockets if not call.arguments.startswith("AF_UNIX")] == []
    assert [call for call in calls if call.name in ("connect", "bind")] == []
    assert {path for call in calls for path in call.paths} & NAME_LOOKUP == set()
    made = {path for call in calls if call.makes for path in call.paths}
    own = {path for path in made if is_own(Path(path), home)}
    assert made - own == set()
    # It was really used, and strace saw it.
    assert any(path.endswith("/manifest.json") for path in own)
    assert any(path.endswith("/ledger.sqlite") for path in own)


def need_strace(folder: Path) -> None:
    """Skip with a sentence; a machine that tests every change must have it."""
    command = ["strace", "-qq", "-o", str(folder / "try"), "true"]
    if shutil.which("strace") and subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return
    sentence = "It was not tested that nothing is sent: strace is missing, or may not trace here."
    if os.environ.get("CI"):
        pytest.fail(sentence)
    pytest.skip(sentence)


def home_with_tiny_model(home: Path) -> Path:
    """Make the home of somebody whose only model is tiny."""
    cards = home / ".config" / "aide" / "models"
    cards.mkdir(parents=True)
    tiny_gguf(cards / "tiny.gguf")
    (cards / "tiny.toml").write_text(TINY_CARD, encoding="utf-8")
    cards.with_name("settings.toml").write_text('provider = "cpu"\n', encoding="utf-8")
    (home / "x.py").write_text("def f(a, b):\n    return \n", encoding="utf-8")
    return home


def traced(home: Path, traces: Path, name: str, *command: str) -> list[str]:
    """Return the command that runs `command` under strace, in an environment of few words."""
    kept = [f"{key}={os.environ[key]}" for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ]
    # What a user may have set for a test of their own must not bring it back.
    environment = [*kept, f"HOME={home}", "LANG=C.UTF-8", "ORT_DISABLE_TELEMETRY=0"]
    calls = ",".join(f"?{call}" for call in ("%network", "io_uring_setup", *MAKING))
    strace = ["strace", "-ff", "--seccomp-bpf", "-qq", "-y", "-s", "4096", "-e", f"trace={calls}"]
    return ["env", "-i", "-C", str(home), *environment, *strace, "-o", str(traces / name), *command]


def use_aide(home: Path, traces: Path) -> None:
    """Type in one file for half a minute; meanwhile run the commands."""

    def run(arguments: tuple[str, ...]) -> None:
        command = traced(home, traces, arguments[0], sys.executable, "-m", "aide_lsp", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    run(COMMANDS[0])
    with ThreadPoolExecutor(1) as other:
        typing = other.submit(asyncio.run, type_for_a_while(home, traces))
        for arguments in COMMANDS[1:]:
            run(arguments)
        assert typing.result(SECONDS * 4) > 5


async def type_for_a_while(home: Path, traces: Path) -> int:
    """Ask at each key, and cancel every other request; return how many were answered."""
    server = Connection({}, lambda method, params: None)
    await server.start(traced(home, traces, "server", sys.executable, "-m", "aide_lsp.lsp.main"))
    root, answered = home.as_uri(), 0
    folders = [{"uri": root, "name": "home"}]
    await server.ask("initialize", {"capabilities": {}, "rootUri": root, "workspaceFolders": folders})
    server.notify("initialized", {})
    document = {"uri": f"{root}/x.py", "languageId": "python", "version": 0, "text": ""}
    server.notify("textDocument/didOpen", {"textDocument": document})
    text, version, end = "", 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
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
        await asyncio.wait([reply], timeout=SECONDS)
        answered += reply.exception() is None
        await asyncio.sleep(KEY_SECONDS)
    await server.stop()
    return answered


def calls_in(trace: str) -> list[Call]:
    """Read what strace wrote of one thread; calls that failed made nothing."""
    lines = re.findall(r"^(\w+)\((.*)\) += (?!-1 )", trace, re.MULTILINE)
    return [Call(name, arguments) for name, arguments in lines]


def is_own(path: Path, home: Path) -> bool:
    """Whether a file may be made: in Aide's folders, or Python's copies of modules where those are."""
    folders = (home / ".config" / "aide", home / ".local" / "share" / "aide")
    installed = (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix))
    return (
        any(path.is_relative_to(folder) for folder in folders)
        or (path.is_relative_to(home) and any(folder.is_relative_to(path) for folder in folders))
        or ("__pycache__" in path.parts and any(path.is_relative_to(folder) for folder in installed))
        or path == Path(os.devnull)
    )
