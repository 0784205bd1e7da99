"""Commands that show another completion: it is what the next request returns, and what the state reports."""

import asyncio

import pytest
import pytest_lsp
from lsprotocol import types as t
from pytest_lsp import LanguageClient

from tests.lsp.clients import (
    LISTENING,
    begin,
    change,
    inline,
    make_listener,
    open_text,
    run,
    server_of,
)
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")


CONFIG = server_of(client=make_listener)


@pytest_lsp.fixture(config=CONFIG, scope="module")
async def editor(client: LanguageClient, folder):
    await begin(client, LISTENING, [folder.as_uri()])
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=CONFIG, scope="module")
async def single(client: LanguageClient):
    await begin(client, LISTENING, options={"candidates": 1})
    yield
    await client.shutdown_session()


def place(uri: str, character: int = 6, **more) -> dict:
    return {"uri": uri, "position": {"line": 0, "character": character}, **more}


async def told(client, holds):
    """Wait for a state; return it."""
    async with asyncio.timeout(PATIENCE):
        while not (client.statuses and holds(client.statuses[-1])):
            await asyncio.sleep(0.01)
    return client.statuses[-1]


async def shows(client, answer: dict, *, pinned: bool = False):
    """Wait until the state says that the answer of a command is visible."""

    def holds(status):
        shown = status.shown
        return shown and (shown.seed, shown.candidate, shown.pinned) == (
            answer["seed"],
            answer["candidate"],
            pinned,
        )

    return await told(client, holds)


async def test_the_next_candidates_come_one_by_one_and_then_the_first_again(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/next.py")
    (first,) = await inline(editor, uri)
    seed = first.command.arguments[0]["seed"]
    for index in (1, 2, 0):
        answer = await run(editor, "aide.candidate", place(uri, step=1))
        assert answer["insertText"] == f"drawn {seed} {index}"
        assert (answer["index"], answer["count"], answer.get("message")) == (index, 3, None)
        await shows(editor, answer)
        for invoked in (False, True):
            (item,) = await inline(editor, uri, invoked=invoked)
            assert item.command.arguments[0]["id"] == answer["id"]


async def test_back_from_the_first_leads_to_the_last_one_that_exists(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/back.py")
    await inline(editor, uri)
    for step, index in ((-1, 1), (-1, 0), (-1, 1), (1, 2), (1, 0), (-1, 2)):
        answer = await run(editor, "aide.candidate", place(uri, step=step))
        assert answer["index"] == index


async def test_what_was_paged_to_goes_on_while_it_is_typed(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/typed.py")
    await inline(editor, uri)
    second = await run(editor, "aide.candidate", place(uri, step=1))
    text = second["insertText"]
    for length in (1, 6, len(text) - 1):
        change(editor, uri, "#drawn" + text[:length])
        (item,) = await inline(editor, uri)
        assert item.insert_text == text[length:]
        assert item.command.arguments[0]["id"] == second["id"]
        await shows(editor, second)
    change(editor, uri, "#drawn" + text)
    await told(editor, lambda status: status.shown is None)


async def test_asked_again_while_one_is_generated_it_waits_for_that_one(editor):
    uri = open_text(editor, "#slow 0.5 #drawn", "file:///elsewhere/again.py")
    await inline(editor, uri)
    at = place(uri, 16, step=1)
    answers = await asyncio.gather(*(run(editor, "aide.candidate", at) for _ in range(3)))
    assert [answer["index"] for answer in answers] == [1, 1, 1]
    assert len({answer["id"] for answer in answers}) == 1


async def test_where_nothing_is_visible_the_first_candidate_is_shown(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/first.py")
    answer = await run(editor, "aide.candidate", place(uri, step=-1))
    assert (answer["index"], answer["count"], answer["candidate"]) == (0, 3, 0)
    await shows(editor, answer)


async def test_a_press_before_the_first_is_there_waits_for_it(editor):
    uri = open_text(editor, "#slow 0.5 #drawn", "file:///elsewhere/early.py")
    asked = inline(editor, uri)
    await told(editor, lambda status: status.busy)
    answer = await run(editor, "aide.candidate", place(uri, 16, step=1))
    (item,) = await asked
    assert (answer["index"], answer["id"]) == (0, item.command.arguments[0]["id"])


async def test_it_says_that_there_is_no_other_candidate(editor, single):
    uri = open_text(editor, "same", "file:///elsewhere/same.py")
    (item,) = await inline(editor, uri)
    answer = await run(editor, "aide.candidate", place(uri, 4, step=1))
    assert (answer["insertText"], answer["index"], answer["count"]) == (item.insert_text, 0, 1)
    assert (answer["reason"], "no other candidate" in answer["message"]) == ("no-other", True)
    uri = open_text(single, "#drawn", "file:///elsewhere/one.py")
    await inline(single, uri)
    assert "candidates is 1" in (await run(single, "aide.candidate", place(uri, step=1)))["message"]


async def test_a_request_ends_it_and_what_was_visible_stays(editor):
    uri = open_text(editor, "#slow 0.3 #drawn", "file:///elsewhere/ends.py")
    await inline(editor, uri)
    asked = asyncio.ensure_future(run(editor, "aide.candidate", place(uri, 16, step=1)))
    await told(editor, lambda status: status.busy)
    (again,) = await inline(editor, uri)
    assert (await asked)["reason"] == "superseded"
    assert again.insert_text != ""
    shown = again.command.arguments[0]
    await shows(editor, shown)


@pytest.mark.parametrize("step", [0, 2, "1", None, True])
async def test_a_step_is_one_forward_or_back(editor, step):
    with pytest.raises(Exception, match="step must be 1"):
        await run(editor, "aide.candidate", place("file:///elsewhere/next.py", step=step))


async def test_regenerate_tries_new_seeds_and_says_so_when_the_text_stays(editor):
    uri = open_text(editor, "same", "file:///elsewhere/stays.py")
    (item,) = await inline(editor, uri)
    answer = await run(editor, "aide.regenerate", place(uri, 4))
    assert (answer["insertText"], answer["id"]) == (item.insert_text, item.command.arguments[0]["id"])
    assert (answer["reason"], "8 new seeds" in answer["message"]) == ("no-other", True)
    await shows(editor, answer)
    low = await run(editor, "aide.regenerate", place(uri, 4, parameters={"temperature": 0}))
    assert "Temperature 0" not in (low.get("message") or "")  # not tried yet: what is shown was drawn


async def test_at_temperature_0_regenerate_says_at_once_that_nothing_differs(editor, folder):
    (folder / ".aide.toml").write_text("temperature = 0.0\n")
    uri = open_text(editor, "#stats", (folder / "a.py").as_uri())
    (item,) = await inline(editor, uri)
    answer = await run(editor, "aide.regenerate", place(uri))
    assert (answer["insertText"], answer["reason"]) == (item.insert_text, "no-other")
    assert "With Temperature 0 there is only this text" in answer["message"]
    assert (await run(editor, "aide.candidate", place(uri, step=1)))["message"] == answer["message"]
    (folder / ".aide.toml").unlink()


async def test_pin_and_unpin_change_the_sign_at_once_and_not_the_text(editor, folder):
    uri = open_text(editor, "#drawn", (folder / "pin.py").as_uri())
    await inline(editor, uri)
    second = await run(editor, "aide.candidate", place(uri, step=1))
    await shows(editor, second)
    await run(editor, "aide.pinSeed", place(uri))
    await shows(editor, second, pinned=True)
    (item,) = await inline(editor, uri)
    assert item.command.arguments[0]["id"] == second["id"]
    other = await run(editor, "aide.regenerate", place(uri))
    assert other["seed"] != second["seed"]
    await shows(editor, other)
    back = await run(editor, "aide.previousSeed", place(uri))
    assert back["id"] == second["id"]
    await shows(editor, back, pinned=True)
    await run(editor, "aide.unpinSeed", {"uri": uri})
    await shows(editor, second)
    (item,) = await inline(editor, uri)
    assert item.command.arguments[0]["id"] == second["id"]


async def test_a_project_file_that_is_saved_in_the_editor_changes_the_sign_at_once(editor, folder):
    uri = open_text(editor, "#drawn", (folder / "saved.py").as_uri())
    (item,) = await inline(editor, uri)
    shown = item.command.arguments[0]
    await shows(editor, shown)
    file = folder / ".aide.toml"
    for text, pinned in ((f"seed = {shown['seed']}\n", True), ("seed = 4\n", False)):
        file.write_text(text)
        document = t.TextDocumentIdentifier(file.as_uri())
        editor.text_document_did_save(t.DidSaveTextDocumentParams(document))
        await shows(editor, shown, pinned=pinned)
    file.unlink()


async def test_complete_changes_nothing_that_is_visible(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/compare.py")
    (item,) = await inline(editor, uri)
    shown = item.command.arguments[0]
    asked = [
        run(editor, "aide.complete", place(uri, seed=seed, parameters={"temperature": 0.2}))
        for seed in (1, 2, 3)
    ]
    answers = await asyncio.gather(*asked)
    assert [answer["insertText"] for answer in answers] == [f"drawn {seed} 0" for seed in (1, 2, 3)]
    assert {answer["parameters"]["temperature"] for answer in answers} == {0.2}
    await shows(editor, shown)
    back = await run(editor, "aide.previousSeed", place(uri))
    assert back["reason"] == "no-previous"


async def test_a_request_ends_comparing(editor):
    uri = open_text(editor, "#slow 5 #drawn", "file:///elsewhere/compares.py")
    asked = asyncio.ensure_future(run(editor, "aide.complete", place(uri, 16, seed=1)))
    await told(editor, lambda status: status.busy)
    change(editor, uri, "#drawn")
    await inline(editor, uri)
    assert (await asked)["reason"] == "superseded"


async def test_what_is_in_effect_in_the_document_is_told_at_once(editor, folder):
    uri = open_text(editor, "#drawn", (folder / "write.py").as_uri())
    await inline(editor, uri)
    await run(editor, "aide.writeParameters", {"uri": uri, "parameters": {"temperature": 0.2, "topK": 7}})
    status = await told(editor, lambda one: one.document and one.document.parameters.temperature == 0.2)
    assert (status.document.uri, status.document.language) == (uri, "python")
    (folder / ".aide.toml").unlink()


async def test_after_resume_the_client_is_told_to_ask_again(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/resumed.py")
    await run(editor, "aide.pause")
    assert await inline(editor, uri, 0, 6) == []
    status = await told(editor, lambda one: one.nothing and one.nothing.reason == "paused")
    assert (status.nothing.uri, status.state) == (uri, "paused")
    before = len(editor.readies)
    await run(editor, "aide.resume")
    async with asyncio.timeout(PATIENCE):
        while len(editor.readies) == before:
            await asyncio.sleep(0.01)
    assert editor.readies[-1].uri == uri


async def test_where_completions_are_switched_on_again_the_client_is_told_to_ask_again(editor, folder):
    (folder / ".aide.toml").write_text('off = ["*.py"]\n')
    uri = open_text(editor, "#drawn", (folder / "off.py").as_uri())
    assert await inline(editor, uri) == []
    status = await told(editor, lambda one: one.nothing and one.nothing.uri == uri)
    assert (status.nothing.reason, status.document.off) == ("off", status.nothing.message)
    before = len(editor.readies)
    (folder / ".aide.toml").unlink()
    editor.workspace_did_change_watched_files(t.DidChangeWatchedFilesParams(changes=[]))
    async with asyncio.timeout(PATIENCE):
        while len(editor.readies) == before:
            await asyncio.sleep(0.01)
    assert editor.readies[-1].uri == uri
    await told(editor, lambda one: one.document.off is None)


async def test_what_the_cursor_left_is_no_longer_shown(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/left.py")
    (item,) = await inline(editor, uri)
    await shows(editor, item.command.arguments[0])
    editor.protocol.notify("aide/cursor", place(uri, 2))
    status = await told(editor, lambda one: one.shown is None)
    assert status.nothing is None
