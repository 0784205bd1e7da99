"""`aide.complete` changes nothing about what is shown; `aide.writeParameters` edits the project file."""

import pytest
import pytest_lsp
from pytest_lsp import LanguageClient

from tests.lsp.clients import LISTENING, begin, inline, make_listener, open_text, run, server_of, until

CONFIG = server_of(client=make_listener)
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_lsp.fixture(config=CONFIG, scope="module")
async def editor(client: LanguageClient, folder):
    await begin(client, LISTENING, [folder.as_uri()])
    yield
    await client.shutdown_session()


@pytest.fixture
def uri(editor, folder):
    (folder / ".aide.toml").unlink(missing_ok=True)
    return open_text(editor, "#drawn", (folder / "a.py").as_uri())


def at(uri, **more):
    return {"uri": uri, "position": {"line": 0, "character": 6}, **more}


async def test_complete_uses_the_given_parameters_and_leaves_what_is_shown(editor, uri):
    (item, *_) = await inline(editor, uri)
    seed = item.command.arguments[0]["seed"]
    answers = [
        await run(editor, "aide.complete", at(uri, parameters={"temperature": 0.3, "seed": seed + more}))
        for more in (1, 2, 1)
    ]
    assert [one["seed"] for one in answers] == [seed + 1, seed + 2, seed + 1]
    assert answers[0]["insertText"] == answers[2]["insertText"] != answers[1]["insertText"]
    assert {one["parameters"]["temperature"] for one in answers} == {0.3}
    await until(editor, lambda _: not editor.statuses[-1].busy and editor.statuses[-1].shown is not None)
    assert editor.statuses[-1].shown.seed == seed
    pinned = await run(editor, "aide.pinSeed", {"uri": uri})
    assert pinned["seed"] == seed


async def test_complete_gives_the_candidate_that_is_asked_for(editor, uri):
    answer = await run(editor, "aide.complete", at(uri, candidate=2, parameters={"seed": 5}))
    assert (answer["seed"], answer["candidate"]) == (5, 2)


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"parameters": {"topK": 0}}, "topK: expected"),
        ({"parameters": {"top": 1}}, "Unknown parameter"),
        ({"candidate": -1}, "candidate must be"),
    ],
)
async def test_complete_refuses_what_is_out_of_range(editor, uri, more, sentence):
    with pytest.raises(Exception, match=sentence) as caught:
        await run(editor, "aide.complete", at(uri, **more))
    assert caught.value.code == -32602


async def test_complete_says_why_there_is_nothing(editor):
    answer = await run(editor, "aide.complete", at("file:///nowhere.py"))
    assert (answer["insertText"], answer["reason"]) == ("", "unknown-document")


async def test_written_parameters_are_in_effect_for_the_project(editor, uri, folder):
    answer = await run(
        editor, "aide.writeParameters", {"uri": uri, "parameters": {"temperature": 0.2, "topK": 9}}
    )
    assert answer["path"] == str(folder / ".aide.toml")
    assert answer["message"] == "Temperature 0.2 and Top K 9 are in effect for this project."
    assert (folder / ".aide.toml").read_text().endswith(".\ntemperature = 0.2\ntop_k = 9\n")
    (item, *_) = await inline(editor, uri)
    assert item.command.arguments[0]["parameters"]["topK"] == 9
    await run(editor, "aide.writeParameters", {"uri": uri, "parameters": {"topK": None}})
    assert (folder / ".aide.toml").read_text().endswith(".\ntemperature = 0.2\n")


@pytest.mark.parametrize("parameters", [{}, None, {"maxTokens": 3}, {"temperature": 2}, {"seed": "x"}])
async def test_only_valid_parameters_are_written(editor, uri, folder, parameters):
    with pytest.raises(Exception, match=r"parameters must|Unknown|expected") as caught:
        await run(editor, "aide.writeParameters", {"uri": uri, "parameters": parameters})
    assert caught.value.code == -32602
    assert not (folder / ".aide.toml").exists()
