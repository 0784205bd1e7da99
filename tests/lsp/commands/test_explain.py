"""`aide.explain` over LSP: the completion that was shown, explained; canceled like any request."""

import asyncio

import pytest
import pytest_lsp
from lsprotocol import types as t
from pygls.exceptions import JsonRpcInvalidParams
from pytest_lsp import LanguageClient

from tests.lsp.clients import VSCODE, begin, open_text, run, server_of

SERVER = server_of(script="babbling_server.py")
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_lsp.fixture(config=SERVER, scope="module")
async def editor(client: LanguageClient):
    await begin(client, VSCODE, options={"temperature": 1.0, "maxTokens": 12, "show": "all"})
    yield
    await client.shutdown_session()


def at(uri: str, line: int = 0, character: int = 4, **more):
    return {"uri": uri, "position": {"line": line, "character": character}, **more}


async def test_explains_the_completion_that_is_shown(editor):
    uri = open_text(editor, "x = ", "file:///work-folder/shown.py")
    for seed in (1, 2):  # the second time another one is shown here
        shown = await run(editor, "aide.regenerate", at(uri, seed=seed))
        answer = await run(editor, "aide.explain", at(uri))
        completion = answer["explanation"]["completion"]
        assert (completion["text"], completion["seed"]) == (shown["insertText"], seed)
        assert (answer["asShown"], bool(shown["insertText"])) == (True, True)
        assert answer["html"].startswith("<!doctype html>")


async def test_explains_what_other_parameters_and_seeds_give(editor):
    uri = open_text(editor, "x = ", "file:///work-folder/others.py")
    answer = await run(editor, "aide.explain", at(uri, seed=5, candidate=1, parameters={"topK": 3}))
    completion = answer["explanation"]["completion"]
    assert (completion["seed"], completion["candidate"], completion["parameters"]["top_k"]) == (5, 1, 3)
    assert answer["asShown"] is None
    assert all(token["step"]["after_top_k"] == 3 for token in answer["explanation"]["tokens"])


async def test_nothing_is_explained_where_nothing_can_be_completed(editor):
    answer = await run(editor, "aide.explain", at("file:///work-folder/not-open.py"))
    assert answer["reason"] == "unknown-document"


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ({"uri": "file:///x"}, "whole numbers, 0 or more"),
        (at("file:///work-folder/others.py", candidate=-1), "candidate"),
        (at("file:///work-folder/others.py", parameters={"topP": 2}), "topP: expected"),
    ],
)
async def test_invalid_arguments_are_refused(editor, argument, said):
    open_text(editor, "x = ", "file:///work-folder/others.py")
    with pytest.raises(JsonRpcInvalidParams, match=said):
        await run(editor, "aide.explain", argument)


async def test_explaining_ends_when_it_is_cancelled_or_a_newer_request_comes(editor):
    """The model would never answer: only a cancel ends it."""
    uri = open_text(editor, "#hold forever\nx = ", "file:///work-folder/hold.py")
    request = asyncio.ensure_future(run(editor, "aide.explain", at(uri, 1, 4)))
    await asyncio.sleep(0.05)
    (msg_id,) = editor.protocol._request_futures
    editor.cancel_request(t.CancelParams(id=msg_id))
    with pytest.raises(Exception, match="canceled"):
        await request
    request = asyncio.ensure_future(run(editor, "aide.explain", at(uri, 1, 4)))
    await asyncio.sleep(0.05)
    newer = asyncio.ensure_future(run(editor, "aide.explain", at(uri, 1, 4)))
    assert (await request)["reason"] == "superseded"
    editor.text_document_did_close(t.DidCloseTextDocumentParams(t.TextDocumentIdentifier(uri)))
    assert (await newer)["reason"] == "superseded"
    other = open_text(editor, "x = ", "file:///work-folder/after.py")
    assert "explanation" in await run(editor, "aide.explain", at(other))
