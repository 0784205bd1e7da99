"""The ledger over the protocol: what an editor received is recorded, what the user accepted is marked."""

import asyncio

import pytest
import pytest_asyncio
from lsprotocol import types as t

from aide_lsp.ledger.file import opened
from aide_lsp.settings.fields import Parameters
from tests.lsp.clients import (
    FAKE,
    VSCODE,
    begin,
    change,
    inline,
    inserted,
    open_text,
    run,
    slow_begins,
    until,
)
from tests.patience import PATIENCE

SECRET = "marker_of_the_source"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Where the server under test keeps its ledger."""
    folder = tmp_path / "data"
    monkeypatch.setenv("AIDE_DATA_DIR", str(folder))
    return folder


@pytest_asyncio.fixture
async def editor(data):
    """A server with that folder (pytest-lsp's own fixture would start it before `data` is there)."""
    client = await FAKE.start()
    yield client
    await client.shutdown_session()
    await client.stop()


async def kept(client, data, holds):
    """Read the ledger until something holds of its entries, newest first."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if (data / "ledger.sqlite").exists():
                with opened(data / "ledger.sqlite") as ledger:
                    entries = ledger.newest()
                if holds(entries):
                    return entries
            assert (await run(client, "aide.status"))["ledger"]["problem"] is None
            await asyncio.sleep(0.05)


async def test_completion_is_kept_without_its_text_and_marked_when_it_is_taken(editor, data):
    await begin(editor, VSCODE)
    uri = open_text(editor, f"{SECRET} = ", f"file:///{SECRET}.py")
    (item,) = await inline(editor, uri)
    await run(editor, item.command.command, *item.command.arguments)
    (entry,) = await kept(editor, data, lambda entries: entries and entries[0].accepted)
    (made,) = item.command.arguments
    assert (entry.id, entry.provenance.model) == (made["id"], "fake-model")
    assert (entry.language, entry.offset, entry.after_length) == ("python", len(SECRET) + 3, 0)
    assert (entry.parameters, entry.shown) == (Parameters(seed=made["seed"]), 1)
    assert SECRET.encode() not in b"".join(file.read_bytes() for file in data.iterdir())
    status = await run(editor, "aide.status")
    assert status["ledger"] == {"mode": "hashes", "problem": None, "dropped": 0}


async def test_text_is_kept_where_the_editor_says_so(editor, data):
    await begin(editor, VSCODE, options={"ledger": "text"})
    await inserted(editor, open_text(editor, "x = ", "file:///work-folder/x.py"))
    (entry,) = await kept(editor, data, lambda entries: entries)
    assert (entry.text, entry.path, entry.completion) == ("x = ", "/work-folder/x.py", "pass  # 4")


async def test_off_keeps_nothing(editor, data):
    await begin(editor, VSCODE, options={"ledger": "off"})
    assert await inserted(editor, open_text(editor, "x = "))
    assert (await run(editor, "aide.status"))["ledger"]["mode"] == "off"
    await asyncio.sleep(0.4)  # what is kept is written a moment later
    assert not data.exists()


async def test_completion_that_came_too_late_is_made_but_not_shown(editor, data):
    await begin(editor, VSCODE)
    uri = open_text(editor, "#slow 1.0", "file:///work-folder/late.py")
    request = inline(editor, uri)
    await slow_begins(editor, 0)
    change(editor, uri, ((0, 9), (0, 9), "!"))
    assert await request == []
    (entry,) = await kept(editor, data, lambda entries: entries)
    assert (entry.shown, entry.offset) == (0, 9)


async def test_candidates_are_kept_each_for_itself(editor, data):
    await begin(editor, VSCODE)
    uri = open_text(editor, "x = ")
    params = t.InlineCompletionParams(
        context=t.InlineCompletionContext(trigger_kind=t.InlineCompletionTriggerKind.Invoked),
        text_document=t.TextDocumentIdentifier(uri=uri),
        position=t.Position(line=0, character=4),
    )
    items = await editor.text_document_inline_completion_async(params)
    entries = await kept(editor, data, lambda entries: len(entries) == len(items))
    assert {entry.id for entry in entries} == {item.command.arguments[0]["id"] for item in items}


async def test_damaged_ledger_is_reported_by_the_status_and_completing_continues(editor, data):
    data.mkdir()
    (data / "ledger.sqlite").write_bytes(b"nonsense " * 1_000)
    await begin(editor, VSCODE)
    uri = open_text(editor, "x = ")
    assert await inserted(editor, uri) == "pass  # 4"
    status = await until(editor, lambda status: status["ledger"]["problem"])
    problem = status["ledger"]["problem"]
    assert "aide log --clear" in problem
    change(editor, uri, ((0, 4), (0, 4), "1"))
    assert await inserted(editor, uri) == "pass  # 5"
    assert editor.messages == []
    warnings = [message for message in editor.log_messages if message.type == t.MessageType.Warning]
    assert ["The ledger" in message.message for message in warnings] == [True]


async def test_ledger_that_cannot_be_written_is_reported_and_recording_resumes_when_it_can(editor, data):
    await begin(editor, VSCODE)
    (data / "ledger.sqlite").mkdir(parents=True)
    uri = open_text(editor, "a = ")
    assert await inserted(editor, uri)
    status = await until(editor, lambda status: status["ledger"]["problem"])
    assert "cannot be used" in status["ledger"]["problem"]
    (data / "ledger.sqlite").rmdir()
    change(editor, uri, "b = ")
    assert await inserted(editor, uri)
    await until(editor, lambda status: status["ledger"]["problem"] is None)
    assert await kept(editor, data, bool)
