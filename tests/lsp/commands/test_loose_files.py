"""Commands that write to a project file ask first where there is no project."""

import pytest
import pytest_lsp
from lsprotocol import types as t
from pytest_lsp import LanguageClient

from tests.lsp.clients import FAKE, NEOVIM, VSCODE, begin, inline, open_text, run


@pytest_lsp.fixture(config=FAKE)
async def editor(client: LanguageClient):
    yield
    await client.shutdown_session()


async def begin_in_neovim(client, folder) -> None:
    """Start as Neovim does, which calls a file's own folder the workspace."""
    await client.initialize_session(
        t.InitializeParams(
            capabilities=NEOVIM,
            client_info=t.ClientInfo(name="Neovim", version="0.11.4"),
            workspace_folders=[t.WorkspaceFolder(uri=folder.as_uri(), name="it")],
        )
    )


@pytest.mark.parametrize("client_name", ["VS Code without a folder", "Neovim"])
async def test_pin_and_preset_in_a_loose_file_ask_and_write_nothing_before(editor, tmp_path, client_name):
    if client_name == "Neovim":
        await begin_in_neovim(editor, tmp_path)
    else:
        await begin(editor, VSCODE)
    uri = open_text(editor, "x = ", (tmp_path / "a.py").as_uri())
    await inline(editor, uri)
    path = tmp_path / ".aide.toml"
    for command, more in (("aide.pinSeed", {}), ("aide.choosePreset", {"preset": "code"})):
        asked = await run(editor, command, {"uri": uri, **more})
        assert asked["confirm"] == str(path)
        assert f"Create {path}?" in asked["message"]
        assert not path.exists()
    written = await run(editor, "aide.pinSeed", {"uri": uri, "create": True})
    assert written["path"] == str(path)
    # From now on it is a project.
    assert (await run(editor, "aide.choosePreset", {"uri": uri, "preset": "code"}))["path"] == str(path)


async def test_troubleshooting_in_a_loose_file_asks_too(editor, tmp_path):
    await begin_in_neovim(editor, tmp_path)
    uri = open_text(editor, "x = ", (tmp_path / "a.py").as_uri())
    await inline(editor, uri)
    where = {"uri": uri, "position": {"line": 0, "character": 4}, "complaint": "repetitive", "apply": True}
    path = tmp_path / ".aide.toml"
    assert (await run(editor, "aide.troubleshoot", where))["confirm"] == str(path)
    assert not path.exists()
    assert (await run(editor, "aide.troubleshoot", {**where, "create": True}))["written"] == str(path)


async def test_adopting_compared_parameters_in_a_loose_file_asks_too(editor, tmp_path):
    await begin_in_neovim(editor, tmp_path)
    uri = open_text(editor, "x = ", (tmp_path / "a.py").as_uri())
    given, path = {"uri": uri, "parameters": {"temperature": 0.2}}, tmp_path / ".aide.toml"
    assert (await run(editor, "aide.writeParameters", given))["confirm"] == str(path)
    assert not path.exists()
    assert (await run(editor, "aide.writeParameters", {**given, "create": True}))["path"] == str(path)


async def test_folder_that_neovim_found_by_a_marker_is_a_project(editor, tmp_path):
    (tmp_path / ".git").mkdir()
    await begin_in_neovim(editor, tmp_path)
    uri = open_text(editor, "x = ", (tmp_path / "a.py").as_uri())
    await inline(editor, uri)
    assert (await run(editor, "aide.pinSeed", {"uri": uri}))["path"] == str(tmp_path / ".aide.toml")
