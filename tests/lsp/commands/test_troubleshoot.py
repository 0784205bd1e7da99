"""`aide.troubleshoot` over the protocol: both completions with one seed, reasons, bounds, canceling."""

import asyncio

import pytest
import pytest_lsp
from lsprotocol import types as t
from pytest_lsp import LanguageClient

from aide_lsp.cli.sample import sample
from tests.lsp.clients import FAKE, REAL, VSCODE, begin, inserted, open_text, run

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_lsp.fixture(config=FAKE, scope="module")
async def editor(client: LanguageClient, tmp_path_factory):
    client.root = tmp_path_factory.mktemp("project")
    await begin(client, VSCODE, [client.root.as_uri()])
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(
    config=REAL,
    scope="module",
)
async def real_editor(client: LanguageClient, real_model_dir):
    await begin(client, VSCODE, options={"seed": 7, "maxTokens": 32})
    yield
    await client.shutdown_session()


async def troubleshoot(editor, complaint, text="x = ", **more):
    uri = open_text(editor, text, (editor.root / "a.py").as_uri())
    place = {"uri": uri, "position": {"line": 0, "character": len(text)}}
    return await run(editor, "aide.troubleshoot", {**place, "complaint": complaint, **more})


async def test_troubleshoot_shows_both_completions_with_one_seed_and_the_reasons(editor):
    answer = await troubleshoot(editor, "incoherent")
    before, after = answer["before"], answer["after"]
    assert before["text"] == after["text"] == "pass  # 4"
    assert before["parameters"]["seed"] == after["parameters"]["seed"]
    assert answer["changes"] == {"temperature": 0.5, "topP": 0.8, "numContext": 1024}
    assert {key: after["parameters"][key] for key in answer["changes"]} == answer["changes"]
    assert before["parameters"]["temperature"] == 0.7
    assert len(answer["reasons"]) == 3
    assert answer["bounds"] == []


async def test_troubleshoot_at_a_bound_of_the_model_says_so(editor):
    editor.workspace_did_change_configuration(
        t.DidChangeConfigurationParams(settings={"aide": {"numContext": 3840, "temperature": 0}})
    )
    answer = await troubleshoot(editor, "off-topic")
    assert answer["changes"] == {}
    assert answer["bounds"][-1] == "Num Context is 3840, its maximum."
    editor.workspace_did_change_configuration(t.DidChangeConfigurationParams(settings={"aide": {}}))


async def test_troubleshoot_asks_for_no_more_context_where_the_whole_text_is_read(editor):
    answer = await troubleshoot(editor, "incoherent", text="#whole")
    assert answer["changes"] == {"temperature": 0.5, "topP": 0.8}
    assert "the model already reads the complete file" in answer["bounds"][0]


async def test_troubleshoot_never_asks_for_more_context_than_the_user_allows(editor):
    editor.workspace_did_change_configuration(
        t.DidChangeConfigurationParams(settings={"aide": {"maxNumContext": 768}})
    )
    answer = await troubleshoot(editor, "incoherent")
    assert answer["bounds"] == ["Num Context is 768, its maximum."]
    editor.workspace_did_change_configuration(t.DidChangeConfigurationParams(settings={"aide": {}}))


async def test_troubleshoot_inconsistent_takes_the_seed_that_was_shown(editor):
    answer = await troubleshoot(editor, "inconsistent", seed=12)
    assert answer["changes"] == {"seed": 12}
    assert answer["after"]["parameters"]["seed"] == 12
    assert answer["reasons"][1].startswith("Change one parameter at a time")


async def test_troubleshoot_when_a_newer_request_comes_then_it_ends_and_says_so(editor):
    uri = (editor.root / "a.py").as_uri()
    request = asyncio.ensure_future(troubleshoot(editor, "repetitive", "#slow 20"))
    await asyncio.sleep(0.1)
    assert await inserted(editor, open_text(editor, "y", uri)) == "pass  # 1"
    answer = await request
    assert answer["reason"] == "superseded"
    assert answer["changes"] == {"temperature": 0.9, "topP": 1.0}


async def test_troubleshoot_when_it_declines_then_the_reason_and_no_completions(editor):
    answer = await troubleshoot(editor, "repetitive", "#decline")
    assert (answer["reason"], answer["message"]) == ("test-reason", "The fake declines.")
    assert "before" not in answer


@pytest.mark.parametrize(
    ("argument", "sentence"),
    [
        ({}, "takes one object"),
        ({"uri": "file:///x"}, "whole numbers"),
        ({"uri": "file:///x", "position": {"line": 0, "character": 0}}, "repetitive, incoherent"),
        (
            {"uri": "x", "position": {"line": 0, "character": 0}, "complaint": "repetitive", "seed": 1.5},
            "seed: expected a whole number",
        ),
    ],
    ids=range(4),
)
async def test_troubleshoot_with_invalid_arguments_is_refused_with_a_sentence(editor, argument, sentence):
    with pytest.raises(Exception, match=sentence) as caught:
        await run(editor, "aide.troubleshoot", argument)
    assert caught.value.code == -32602


async def test_troubleshoot_of_a_document_that_is_not_open_says_so(editor):
    place = {"uri": "file:///nowhere.py", "position": {"line": 0, "character": 0}}
    answer = await run(editor, "aide.troubleshoot", {**place, "complaint": "repetitive"})
    assert answer["reason"] == "unknown-document"


async def test_troubleshoot_accepted_then_the_project_file_holds_it_for_the_next_request(editor):
    file = editor.root / ".aide.toml"
    file.write_text("# ours\ntop_k = 40  # few\n", encoding="utf-8")
    answer = await troubleshoot(editor, "off-topic", apply=True)
    assert answer["written"] == str(file)
    assert answer["overridden"] == []
    assert answer["before"]["parameters"]["topK"] == 40
    assert file.read_text() == "# ours\ntop_k = 20  # few\ntop_p = 0.8\nnum_context = 1024\n"
    status = await run(editor, "aide.status", {"uri": (editor.root / "a.py").as_uri()})
    assert {key: status["parameters"][key] for key in answer["changes"]} == answer["changes"]
    file.unlink()


async def test_troubleshoot_accepted_when_the_editor_sets_it_too_then_it_says_so(editor):
    editor.workspace_did_change_configuration(
        t.DidChangeConfigurationParams(settings={"aide": {"temperature": 0.5}})
    )
    answer = await troubleshoot(editor, "repetitive", apply=True)
    assert answer["overridden"] == ["temperature"]
    editor.workspace_did_change_configuration(t.DidChangeConfigurationParams(settings={"aide": {}}))
    (editor.root / ".aide.toml").unlink()


async def test_troubleshoot_accepted_when_the_file_is_broken_then_it_stays_and_the_reason_is_reported(editor):
    file = editor.root / ".aide.toml"
    file.write_text("top_k = = 40\n", encoding="utf-8")
    answer = await troubleshoot(editor, "repetitive", apply=True)
    assert answer["written"] is None
    assert "not valid TOML" in answer["notWritten"]
    assert file.read_text() == "top_k = = 40\n"
    file.unlink()


@pytest.mark.real_model
async def test_troubleshoot_shows_the_very_completions_that_the_editor_gets(real_editor):
    """Before: what is offered now; after: what is offered with the proposed values set."""
    text, offset = sample()
    uri = open_text(real_editor, text, "file:///work-folder/trouble.py")
    line, character = text.count("\n", 0, offset), offset - text.rfind("\n", 0, offset) - 1
    place = {"uri": uri, "position": {"line": line, "character": character}}
    answer = await run(real_editor, "aide.troubleshoot", {**place, "complaint": "repetitive"})
    assert answer["before"]["text"] == await inserted(real_editor, uri, line, character)
    again = await run(real_editor, "aide.regenerate", {**place, "seed": 7, "parameters": answer["changes"]})
    assert answer["after"]["text"] == again["insertText"]
    assert answer["after"]["parameters"] == again["parameters"]
