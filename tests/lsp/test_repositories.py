"""A repository that someone else wrote does no harm: real server, files as an attacker would make them."""

import os
import sys
from pathlib import Path

import pytest

from tests.lsp.raw_client import RawClient

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such files there")


@pytest.fixture
def client():
    with RawClient() as client:
        yield client


def open_in(client, folder, workspace=True):
    """Open a document in a folder; return its URI."""
    client.initialize(workspaceFolders=[{"uri": folder.as_uri(), "name": "a"}] if workspace else None)
    uri = (folder / "a.py").as_uri()
    client.open("x = 1\n", uri)
    return uri


def parameters(client, uri):
    (item,) = client.reply(client.ask(uri=uri))["result"]
    return item["command"]["arguments"][0]["parameters"]


def megabytes(client):
    pages = Path(f"/proc/{client.process.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


def make_hostile(path: Path, kind: str) -> None:
    if kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "huge":
        with path.open("wb") as file:
            file.truncate(2_000_000_000)
    else:
        path.write_text("tool.aide." + ".".join(["a"] * 20_000) + " = 1")


def test_files_that_hang_or_fill_the_memory_are_left_alone(client, tmp_path):
    """Without the bounds: for ever, or gigabytes."""
    client.initialize(workspaceFolders=[{"uri": tmp_path.as_uri(), "name": "a"}])
    for kind in ("zero", "fifo", "folder", "huge", "dotted"):
        for name in (".aide.toml", "pyproject.toml"):
            folder = tmp_path / f"{kind}{name}"
            folder.mkdir()
            make_hostile(folder / name, kind)
            uri = (folder / "a.py").as_uri()
            client.open("x = 1\n", uri)
            assert [parameters(client, uri)["topK"] for _ in range(2)] == [50, 50], (kind, name)
    if Path("/proc/self/statm").exists():
        assert megabytes(client) < 300


def test_a_project_asks_for_4096_tokens_at_most_and_the_user_is_informed(client, tmp_path):
    (tmp_path / ".aide.toml").write_text("num_context = 32000\n")
    uri = open_in(client, tmp_path)
    report = client.command("aide.settings", {"uri": uri})
    assert report["settings"]["numContext"]["value"] <= 4096
    assert any("num_context" in problem["message"] for problem in report["problems"])


def test_what_everyone_may_write_to_does_not_count_and_it_is_shown_and_reported_once(client, tmp_path):
    (tmp_path / ".aide.toml").write_text("top_k = 7\n")
    tmp_path.chmod(0o1777)
    uri = open_in(client, tmp_path)
    assert parameters(client, uri)["topK"] == 50
    assert parameters(client, uri)["topK"] == 50
    shown = client.command("aide.settings", {"uri": uri})["text"]
    assert "is ignored because the folder" in shown
    shown = [
        one["params"]["message"] for one in client.notifications if one["method"] == "window/showMessage"
    ]
    assert ["is ignored because" in message for message in shown] == [True]


COMMANDS = {
    "aide.pinSeed": {},
    "aide.choosePreset": {"preset": "code"},
    "aide.troubleshoot": {
        "complaint": "repetitive",
        "apply": True,
        "position": {"line": 0, "character": 5},
    },
}


@pytest.mark.parametrize("place", ["loose", "shared"])
def test_nothing_is_written_where_there_is_no_project_of_the_user(client, tmp_path, place):
    if place == "shared":
        tmp_path.chmod(0o1777)
    uri = open_in(client, tmp_path, workspace=place == "shared")
    parameters(client, uri)
    for command, argument in COMMANDS.items():
        params = {"command": command, "arguments": [{"uri": uri} | argument]}
        reply = client.reply(client.request("workspace/executeCommand", params))
        said = {"loose": "belongs to no project", "shared": "is writable by everyone"}[place]
        assert said in str(reply.get("error") or reply["result"]), command
        assert list(tmp_path.iterdir()) == []
