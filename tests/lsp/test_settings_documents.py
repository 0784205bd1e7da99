"""Settings files that are open in the editor: their problems are shown in them as they are typed."""

import asyncio
import sys

import pytest_lsp
from pytest_lsp import ClientServerConfig, LanguageClient

from tests.lsp.clients import NEOVIM, begin, change, make_editor, open_text, run
from tests.lsp.raw_client import FAKE_SERVER

CONFIG = ClientServerConfig(server_command=[sys.executable, FAKE_SERVER], client_factory=make_editor)


@pytest_lsp.fixture(config=CONFIG)
async def editor(client: LanguageClient):
    yield
    await client.shutdown_session()


async def shown(client, uri: str, holds) -> list:
    """Wait until the problems shown in a document are as wanted."""
    async with asyncio.timeout(8):
        while uri not in client.diagnostics or not holds(client.diagnostics[uri]):
            await asyncio.sleep(0.01)
    return client.diagnostics[uri]


def place(diagnostic) -> tuple:
    start, end = diagnostic.range.start, diagnostic.range.end
    return (start.line, start.character, end.line, end.character)


async def test_problems_follow_what_is_typed_and_go_with_the_file(editor, tmp_path):
    await begin(editor, NEOVIM, [tmp_path.as_uri()])
    path = tmp_path / ".aide.toml"
    text = "# \N{GRINNING FACE}\ntop_k = 0\n"
    uri = open_text(editor, text, path.as_uri(), "toml")
    (problem,) = await shown(editor, uri, lambda found: len(found) == 1)
    assert place(problem) == (1, 8, 1, 9)
    assert problem.message.startswith("top_k: expected a whole number from 1")
    change(editor, uri, 'preset = "cod"; # \n', version=2)
    (problem,) = await shown(editor, uri, lambda found: found and "TOML" in found[0].message)
    assert place(problem)[0] == 0
    change(editor, uri, '"\N{GRINNING FACE}" = 1\ntop_k = 7\n', version=3)
    (problem,) = await shown(editor, uri, lambda found: found and "unknown" in found[0].message)
    # In the units of this client: bytes.
    assert place(problem) == (0, 0, 0, 6)
    change(editor, uri, "top_k = 7\n", version=4)
    await shown(editor, uri, lambda found: not found)
    change(editor, uri, "top_k = 0\n", version=5)
    await shown(editor, uri, lambda found: len(found) == 1)
    editor.text_document_did_close(closing(uri))
    await shown(editor, uri, lambda found: not found)


def closing(uri: str):
    from lsprotocol import types as t

    return t.DidCloseTextDocumentParams(text_document=t.TextDocumentIdentifier(uri=uri))


async def test_problem_of_a_saved_file_stays_in_the_report_until_it_is_fixed(editor, tmp_path):
    """A message is told once; where the settings are listed, the problem stays."""
    path = tmp_path / ".aide.toml"
    path.write_text("top_kk = 5\n")
    await begin(editor, NEOVIM, [tmp_path.as_uri()])
    uri = open_text(editor, "x", (tmp_path / "a.py").as_uri())
    for _ in range(2):
        report = await run(editor, "aide.settings", {"uri": uri})
        assert ["top_kk" in problem["message"] for problem in report["problems"]] == [True]
        assert "unknown setting" in report["text"]
    assert len(editor.messages) == 1
    path.write_text("top_k = 5\n")
    assert (await run(editor, "aide.settings", {"uri": uri}))["problems"] == []


async def test_problem_of_a_file_that_is_open_is_shown_in_it_and_in_no_message(editor, tmp_path):
    path = tmp_path / ".aide.toml"
    await begin(editor, NEOVIM, [tmp_path.as_uri()])
    uri = open_text(editor, "", path.as_uri(), "toml")
    await shown(editor, uri, lambda found: not found)
    path.write_text("top_kk = 5\n")
    change(editor, uri, "top_kk = 5\n", version=2)
    await shown(editor, uri, lambda found: len(found) == 1)
    other = open_text(editor, "x", (tmp_path / "a.py").as_uri())
    assert (await run(editor, "aide.settings", {"uri": other}))["problems"]
    assert editor.messages == []


async def test_other_toml_files_are_left_alone(editor, tmp_path):
    await begin(editor, NEOVIM, [tmp_path.as_uri()])
    other = open_text(editor, "top_kk = 5\n", (tmp_path / "Cargo.toml").as_uri(), "toml")
    uri = open_text(editor, "top_kk = 5\n", (tmp_path / ".aide.toml").as_uri(), "toml")
    await shown(editor, uri, lambda found: len(found) == 1)
    assert other not in editor.diagnostics
