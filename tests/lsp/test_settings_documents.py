"""Settings files that are open in the editor: their problems are shown in them as they are typed."""

import asyncio

import pytest_lsp
from lsprotocol import types as t
from pytest_lsp import LanguageClient

from tests.lsp.clients import FAKE, NEOVIM, announces, begin, change, open_text, run
from tests.patience import PATIENCE


@pytest_lsp.fixture(config=FAKE)
async def editor(client: LanguageClient):
    yield
    await client.shutdown_session()


async def shown(client, uri: str, holds) -> list:
    """Wait until the problems shown in a document are as wanted."""
    async with asyncio.timeout(PATIENCE):
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


def asked(client, uri: str, line: int, character: int):
    place = t.Position(line, character)
    params = t.CompletionParams(text_document=t.TextDocumentIdentifier(uri=uri), position=place)
    return client.text_document_completion_async(params)


async def test_keys_and_values_are_completed_in_settings_files_and_nothing_elsewhere(editor, tmp_path):
    await begin(editor, NEOVIM, [tmp_path.as_uri()])
    text = '"\N{GRINNING FACE}" = 1\nto\npreset = "c\n'
    uri = open_text(editor, text, (tmp_path / ".aide.toml").as_uri(), "toml")
    keys = {item.label: item for item in (await asked(editor, uri, 1, 2)).items}
    assert {"top_k", "top_p", "temperature"} <= set(keys)
    assert keys["top_k"].text_edit.new_text == "top_k = "
    assert keys["top_k"].text_edit.range == t.Range(t.Position(1, 0), t.Position(1, 2))
    assert "Default: `50`" in keys["top_k"].documentation.value
    values = (await asked(editor, uri, 2, 11)).items
    assert [item.label for item in values][:2] == ['"code"', '"factual"']
    assert values[0].text_edit.range.start == t.Position(2, 9)
    other = open_text(editor, "to", (tmp_path / "a.py").as_uri())
    assert list((await asked(editor, other, 0, 2)).items) == []
    params = t.HoverParams(text_document=t.TextDocumentIdentifier(uri=uri), position=t.Position(2, 1))
    assert "set of parameters" in (await editor.text_document_hover_async(params)).contents.value


async def test_client_that_can_gets_completion_for_settings_files_only(editor, tmp_path):
    capabilities = announces()
    capabilities.text_document.completion.dynamic_registration = True
    capabilities.text_document.hover = t.HoverClientCapabilities(dynamic_registration=True)
    result = await begin(editor, capabilities, [tmp_path.as_uri()])
    assert result.capabilities.completion_provider is None
    found = {one.method: one.register_options for one in editor.registrations}
    for method in ("textDocument/completion", "textDocument/hover"):
        selector = found[method]["documentSelector"]
        assert "**/.aide.toml" in [one["pattern"] for one in selector]
        assert all("pattern" in one for one in selector)


async def test_other_toml_files_are_left_alone(editor, tmp_path):
    await begin(editor, NEOVIM, [tmp_path.as_uri()])
    other = open_text(editor, "top_kk = 5\n", (tmp_path / "Cargo.toml").as_uri(), "toml")
    uri = open_text(editor, "top_kk = 5\n", (tmp_path / ".aide.toml").as_uri(), "toml")
    await shown(editor, uri, lambda found: len(found) == 1)
    assert other not in editor.diagnostics
