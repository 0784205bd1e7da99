"""End to end: the real server process, clients with the capabilities of real editors, a fake model."""

import asyncio

import pytest
import pytest_lsp
from lsprotocol import types as t
from pytest_lsp import LanguageClient

from aide_lsp.lsp.commands.table import COMMANDS
from aide_lsp.settings.fields import PARAMETERS, camel
from tests.lsp.clients import (
    EMACS,
    FAKE,
    FOLDER,
    NEOVIM,
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


@pytest_lsp.fixture(config=FAKE, scope="module")
async def vscode(client: LanguageClient):
    client.result = await begin(client, VSCODE, [FOLDER])
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=FAKE, scope="module")
async def emacs(client: LanguageClient):
    client.result = await begin(client, EMACS)
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=FAKE, scope="module")
async def neovim(client: LanguageClient):
    client.result = await begin(client, NEOVIM)
    yield
    await client.shutdown_session()


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_initialize_offers_inline_completion_and_no_list_to_a_client_that_knows_it(vscode):
    offered = vscode.result.capabilities
    assert offered.inline_completion_provider is not None
    # Only settings files have one, and only where the user asks for it.
    assert offered.completion_provider == t.CompletionOptions()
    assert offered.text_document_sync.change == t.TextDocumentSyncKind.Incremental
    assert list(offered.execute_command_provider.commands) == [command.name for command in COMMANDS]


async def test_loading_is_shown_as_progress_from_begin_to_end(vscode):
    def kinds() -> list[str]:
        return [report.kind for reports in vscode.progress_reports.values() for report in reports]

    await until(vscode, lambda _: "end" in kinds())  # it may be sent after the state
    assert len(vscode.progress_reports) == 1
    assert kinds()[0] == "begin"
    assert kinds()[-1] == "end"


async def test_project_files_are_watched_where_the_client_can(vscode):
    await until(vscode, lambda _: vscode.registrations)
    assert vscode.registrations[0].method == t.WORKSPACE_DID_CHANGE_WATCHED_FILES


async def test_item_goes_to_the_cursor_and_says_what_made_it(vscode):
    uri = open_text(vscode, "def f():\n    ")
    (item,) = await inline(vscode, uri, 1, 4)
    assert item.insert_text == "pass  # 13"
    assert item.range == t.Range(start=t.Position(1, 4), end=t.Position(1, 4))
    (made,) = item.command.arguments
    assert made.keys() == {"id", "seed", "candidate", "parameters", "finishReason", "model"}
    assert made["parameters"].keys() == {camel(key) for key in PARAMETERS}
    assert made["parameters"]["seed"] == made["seed"]
    before = (await run(vscode, "aide.status"))["accepted"]
    # As where its first lines are accepted, and then the rest.
    for _ in range(2):
        await run(vscode, item.command.command, made)
    accepted = (await run(vscode, "aide.status"))["accepted"]
    assert accepted == {"count": before["count"] + 1, "ids": [*before["ids"], made["id"]]}


async def test_entry_selected_in_the_list_is_completed_further(vscode):
    uri = open_text(vscode, "x.app", "file:///work-folder/selected.py")
    span = t.Range(start=t.Position(0, 2), end=t.Position(0, 5))
    (item,) = await inline(vscode, uri, 0, 5, t.SelectedCompletionInfo(range=span, text="append"))
    assert item.insert_text == "appendpass  # 8"
    assert item.range == span


async def check_columns(client, encoding: str, column: int, end: int) -> None:
    """Complete at the end of the text and change it, by columns in the client's units."""
    assert client.result.capabilities.position_encoding == encoding
    uri = open_text(client, "é😀ab", f"file:///{encoding}.py")
    assert await inserted(client, uri, 0, column) == "pass  # 4"
    change(client, uri, ((0, end), (0, column), "xyz!"))
    assert await inserted(client, uri) == "pass  # 6"
    assert (await run(client, "aide.status"))["positionEncoding"] == encoding


async def test_columns_of_vscode_are_utf16_units(vscode):
    await check_columns(vscode, "utf-16", 5, 3)


async def test_columns_of_neovim_are_utf8_bytes(neovim):
    await check_columns(neovim, "utf-8", 8, 6)


async def test_columns_of_emacs_are_code_points(emacs):
    await check_columns(emacs, "utf-32", 4, 2)


async def test_changes_of_one_message_are_applied_in_order(vscode):
    uri = open_text(vscode, "one\ntwo\n", "file:///work-folder/order.py")
    change(vscode, uri, ((0, 0), (1, 0), ""), ((0, 3), (0, 3), "\r\nthree"), "12345", ((0, 5), (9, 9), "6"))
    assert await inserted(vscode, uri) == "pass  # 6"


async def test_empty_file_is_completed(vscode):
    assert await inserted(vscode, open_text(vscode, "", "file:///work-folder/empty.py")) == "pass  # 0"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#decline", "test-reason"),
        ("#session", "error"),
        ("#empty", "nothing-left"),
        ("x\n" * 2_500_001, "too-large"),
    ],
    ids=["declined", "fault", "empty", "huge"],
)
async def test_nothing_to_offer_is_an_empty_answer_and_a_reason_but_no_popup(vscode, text, reason):
    before = len(vscode.messages)
    uri = open_text(vscode, text, "file:///work-folder/nothing.py")
    assert await inline(vscode, uri) == []
    last = (await run(vscode, "aide.status"))["lastRequest"]
    assert (last["shown"], last["reason"]) == (False, reason)
    assert last["message"]
    assert len(vscode.messages) == before


async def test_in_its_own_settings_files_aide_lists_settings_instead_of_guessing_them(vscode):
    uri = open_text(vscode, "top_", "file:///work-folder/.aide.toml", "toml")
    assert await inline(vscode, uri) == []
    assert (await run(vscode, "aide.status"))["lastRequest"]["reason"] == "settings-file"


async def test_request_is_logged_in_one_line_without_source_text(vscode):
    uri = open_text(vscode, "secret = ", "file:///work-folder/log.py")
    before = len(vscode.log_messages)
    await inserted(vscode, uri)
    await run(vscode, "aide.status")
    (line,) = [message.message for message in vscode.log_messages[before:]]
    assert "tokens 100 prompt / 90 cached / 5 generated, first token 10 ms, 100.0 tokens/s, stop" in line
    assert "secret" not in line


async def test_newest_request_of_a_document_wins_and_each_is_answered_once(vscode):
    uri = open_text(vscode, "#slow 0.3", "file:///work-folder/burst.py")
    answers = await asyncio.gather(*[inline(vscode, uri) for _ in range(50)])
    assert [bool(answer) for answer in answers] == [False] * 49 + [True]


async def test_documents_do_not_supersede_each_other(vscode):
    uris = [open_text(vscode, "#slow 0.05", f"file:///work-folder/{n}.py") for n in range(3)]
    assert all(await asyncio.gather(*[inline(vscode, uri) for uri in uris]))


async def test_cancel_is_answered_at_once_and_ends_the_running_generation(vscode):
    stats = open_text(vscode, "#stats", "file:///work-folder/stats.py")
    early = int((await inserted(vscode, stats)).split()[3])
    uri = open_text(vscode, "#slow 20", "file:///work-folder/cancel.py")
    before = len(vscode.log_messages)
    request = inline(vscode, uri)
    await slow_begins(vscode, before)
    (msg_id,) = vscode.protocol._request_futures
    vscode.cancel_request(t.CancelParams(id=msg_id))
    with pytest.raises(Exception, match="canceled"):
        await request
    # The worker is free again long before the 20 s are over.
    assert int((await inserted(vscode, stats)).split()[3]) == early + 1


async def test_answer_to_a_text_that_changed_meanwhile_is_not_given(vscode):
    uri = open_text(vscode, "#slow 1.0", "file:///work-folder/stale.py")
    before = len(vscode.log_messages)
    request = inline(vscode, uri)
    await slow_begins(vscode, before)
    change(vscode, uri, ((0, 9), (0, 9), " typed"))
    assert await request == []
    request = inline(vscode, uri)
    vscode.text_document_did_close(t.DidCloseTextDocumentParams(t.TextDocumentIdentifier(uri)))
    assert await request == []


async def test_client_without_inline_completion_gets_a_list_item_over_the_word(emacs):
    assert emacs.result.capabilities.completion_provider is not None
    uri = open_text(emacs, "x = é😀\nreturn val", "file:///list.py")
    params = t.CompletionParams(text_document=t.TextDocumentIdentifier(uri), position=t.Position(1, 10))
    answer = await emacs.text_document_completion_async(params)
    assert answer.is_incomplete
    (item,) = answer.items
    assert item.label == "valpass  # 17"
    assert item.text_edit.new_text == "valpass  # 17"
    assert item.text_edit.range == t.Range(start=t.Position(1, 7), end=t.Position(1, 10))
    assert item.detail == f"Aide, seed {item.command.arguments[0]['seed']}"
    assert item.documentation.value == "```python\nvalpass  # 17\n```"


async def test_regenerate_gives_another_seed_and_the_next_request_returns_it(vscode):
    uri = open_text(vscode, "#drawn", "file:///work-folder/again.py")
    (first,) = await inline(vscode, uri)
    place = {"uri": uri, "position": {"line": 0, "character": 6}}
    made = await run(vscode, "aide.regenerate", place)
    assert made["insertText"] == f"drawn {made['seed']} 0"
    assert made["seed"] == made["parameters"]["seed"] != first.command.arguments[0]["seed"]
    (second,) = await inline(vscode, uri)
    assert second.command.arguments[0]["id"] == made["id"]
    change(vscode, uri, ((0, 6), (0, 6), "!"))
    (third,) = await inline(vscode, uri)
    assert third.command.arguments[0]["id"] != made["id"]


async def test_regenerate_takes_a_seed_and_parameters(vscode):
    uri = open_text(vscode, "given", "file:///work-folder/given.py")
    place = {"uri": uri, "position": {"line": 0, "character": 5}}
    parameters = {"topK": 3, "top_p": 0.5}
    made = await run(vscode, "aide.regenerate", {**place, "seed": -(2**70), "parameters": parameters})
    assert made["seed"] == -(2**70)
    assert (made["parameters"]["topK"], made["parameters"]["topP"]) == (3, 0.5)


PLACE = {"uri": "file:///work-folder/a.py", "position": {"line": 0, "character": 0}}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "takes one object"),
        ([{"uri": 5}], "takes one object"),
        ([{"uri": "file:///x"}], "whole numbers"),
        ([{"uri": "file:///x", "position": {"line": True, "character": 0}}], "whole numbers"),
        ([{**PLACE, "seed": 1.5}], "seed: expected a whole number"),
        ([{**PLACE, "parameters": {"topK": 0}}], "from 1 to 1000"),
        ([{**PLACE, "parameters": {"top": 0}}], "Unknown parameter"),
        ([{**PLACE, "parameters": [1]}], "must be an object"),
    ],
    ids=range(8),
)
async def test_invalid_arguments_of_a_command_are_rejected_with_a_sentence(vscode, arguments, sentence):
    open_text(vscode, "x", PLACE["uri"])
    with pytest.raises(Exception, match=sentence) as caught:
        await run(vscode, "aide.regenerate", *arguments)
    assert caught.value.code == -32602


async def test_unknown_command_is_refused(vscode):
    with pytest.raises(Exception, match="Unknown command") as caught:
        await run(vscode, "aide.nothing")
    assert caught.value.code == -32602


async def test_status_reports_version_model_device_and_state(vscode):
    status = await run(vscode, "aide.status")
    assert status["version"]
    assert status["state"] == "ready"
    assert status["model"] == "fake-model"
    assert (status["device"], status["deviceNote"]) == ("cpu", "no GPU asked for")
    assert status["settingsProblems"] == []
