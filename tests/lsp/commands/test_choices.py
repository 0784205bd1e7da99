"""The commands for an editor's menus: pausing, listing the choices, choosing."""

import asyncio
import tomllib
from pathlib import Path

import pytest
import pytest_lsp
from pytest_lsp import LanguageClient

from aide_lsp.settings.presets import PRESETS
from aide_lsp.settings.troubleshooting import COMPLAINTS
from tests.lsp.clients import FAKE, VSCODE, begin, inline, open_text, run, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_lsp.fixture(config=FAKE, scope="module")
async def editor(client: LanguageClient, folder):
    await begin(client, VSCODE, [folder.as_uri()])
    yield
    await client.shutdown_session()


@pytest.fixture
def project(folder):
    """A file of the workspace that has no project file before or after."""
    yield (folder / "a.py").as_uri()
    (folder / ".aide.toml").unlink(missing_ok=True)


def ready_with(model: str):
    return lambda status: (status["state"], status["model"]) == ("ready", model)


async def test_while_paused_nothing_is_offered_and_it_is_said_why(editor):
    uri = open_text(editor, "#slow 60", "file:///elsewhere/paused.py")
    running = inline(editor, uri)
    await asyncio.sleep(0.05)
    assert (await run(editor, "aide.pause"))["state"] == "paused"
    assert await running == []
    assert await inline(editor, uri) == []
    status = await run(editor, "aide.status")
    assert (status["state"], status["lastRequest"]["reason"]) == ("paused", "paused")
    assert "paused. Resume" in status["lastRequest"]["message"]
    assert (await run(editor, "aide.resume"))["state"] == "ready"
    other = open_text(editor, "x", "file:///elsewhere/resumed.py")
    assert len(await inline(editor, other)) == 1


async def test_choices_are_those_of_the_tables(editor, project):
    answer = await run(editor, "aide.choices", {"uri": project})
    assert [one["name"] for one in answer["presets"]] == list(PRESETS)
    assert not any(one["current"] for one in answer["presets"])
    assert "Top K 40" in answer["presets"][0]["detail"]
    assert [one["name"] for one in answer["complaints"]] == list(COMPLAINTS)
    models = {one["id"]: one for one in answer["models"]}
    assert [one["id"] for one in answer["models"] if one["current"]] == ["qwen2.5-coder-0.5b"]
    assert all(set(one) == {"id", "detail", "current", "installed"} for one in models.values())


async def test_a_preset_goes_to_the_project_file_and_out_again(editor, project, folder):
    assert (await run(editor, "aide.choosePreset", {"uri": project, "preset": "code"}))["path"]
    assert tomllib.loads((folder / ".aide.toml").read_text()) == {"preset": "code"}
    answer = await run(editor, "aide.choices", {"uri": project})
    assert [one["name"] for one in answer["presets"] if one["current"]] == ["code"]
    uri = open_text(editor, "x = ", project)
    (item,) = await inline(editor, uri)
    assert item.command.arguments[0]["parameters"]["topK"] == 40
    await run(editor, "aide.choosePreset", {"uri": project, "preset": None})
    assert tomllib.loads((folder / ".aide.toml").read_text()) == {}


async def test_an_unknown_preset_is_refused_with_those_there_are(editor, project):
    with pytest.raises(Exception, match="code, factual, creative, conversational"):
        await run(editor, "aide.choosePreset", {"uri": project, "preset": "fast"})


async def test_a_chosen_model_is_written_to_the_users_file_and_loaded(editor):
    answer = await run(editor, "aide.selectModel", {"model": "smollm2-135m"})
    assert answer["path"].endswith("settings.toml")
    status = await until(editor, ready_with("smollm2-135m"))
    assert status["settingsProblems"] == []
    choices = await run(editor, "aide.choices")
    assert [one["id"] for one in choices["models"] if one["current"]] == ["smollm2-135m"]
    assert (await run(editor, "aide.selectModel", {"model": None}))["path"]
    await until(editor, ready_with("fake-model"))
    assert tomllib.loads(Path(answer["path"]).read_text()) == {}


@pytest.mark.parametrize("arguments", [[], [{}], [{"model": 5}], ["x"]], ids=range(4))
async def test_invalid_arguments_of_select_model_are_refused(editor, arguments):
    with pytest.raises(Exception, match=r"aide.selectModel takes one object"):
        await run(editor, "aide.selectModel", *arguments)


async def test_a_model_that_is_not_there_is_refused(editor):
    with pytest.raises(Exception, match="no-such-model"):
        await run(editor, "aide.selectModel", {"model": "no-such-model"})
