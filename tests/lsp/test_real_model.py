"""The real server with the real model: what an editor gets, and that a seed is a promise."""

import random

import pytest
import pytest_lsp
from attrs import asdict
from pytest_lsp import LanguageClient

from aide_lsp.cli.sample import sample
from aide_lsp.settings.fields import Parameters, camel
from tests.lsp.clients import REAL, VSCODE, begin, change, inline, open_text, run

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.real_model]
TEXT, OFFSET = sample()
LINE, CHARACTER = TEXT.count("\n", 0, OFFSET), OFFSET - TEXT.rfind("\n", 0, OFFSET) - 1


@pytest_lsp.fixture(config=REAL, scope="module")
async def editor(client: LanguageClient, real_model_dir):
    client.result = await begin(client, VSCODE, options={"ledger": "off", "seed": 7, "maxTokens": 48})
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=REAL, scope="module")
async def other_editor(client: LanguageClient, real_model_dir):
    """A second process, which has read nothing yet."""
    client.result = await begin(client, VSCODE, options={"ledger": "off", "seed": 7, "maxTokens": 48})
    yield
    await client.shutdown_session()


async def offered(client, uri, line=LINE, character=CHARACTER):
    items = await inline(client, uri, line, character)
    assert len(items) == 1
    return items[0]


async def test_completes_the_sample_with_code_and_says_what_made_it(editor):
    uri = open_text(editor, TEXT, "file:///work-folder/temperatures.py")
    item = await offered(editor, uri)
    made = item.command.arguments[0]
    assert "celsius" in item.insert_text
    assert made["seed"] == 7
    assert made["parameters"] == {camel(key): value for key, value in asdict(Parameters(seed=7)).items()}
    # It must still be Python.
    compile(TEXT[:OFFSET] + item.insert_text + TEXT[OFFSET:], "temperatures.py", "exec")


async def test_same_text_cursor_and_seed_after_any_history_then_the_same_completion(editor, other_editor):
    """Warm after typing and jumping elsewhere, and cold in another process."""
    uri = open_text(editor, "", "file:///work-folder/history.py")
    chance = random.Random(3)
    version = 2
    for _ in range(12):
        at = chance.randrange(len(TEXT))
        change(editor, uri, TEXT[:at], version=version)
        line = TEXT.count("\n", 0, at)
        await inline(editor, uri, line, at - TEXT.rfind("\n", 0, at) - 1)
        version += 1
    change(editor, uri, TEXT, version=version)
    warm = await offered(editor, uri)
    cold = await offered(other_editor, open_text(other_editor, TEXT, "file:///work-folder/cold.py"))
    assert warm.insert_text == cold.insert_text


async def test_regenerate_then_a_new_seed_and_the_next_request_gives_that_one(editor):
    uri = open_text(editor, TEXT, "file:///work-folder/again.py")
    place = {"uri": uri, "position": {"line": LINE, "character": CHARACTER}}
    again = await run(editor, "aide.regenerate", place)
    item = await offered(editor, uri)
    assert item.command.arguments[0]["seed"] != 7
    assert item.insert_text == again["insertText"]


async def test_top_k_past_the_candidates_of_the_graph_then_it_is_not_cut_down(editor):
    uri = open_text(editor, TEXT, "file:///work-folder/wide.py")
    place = {"uri": uri, "position": {"line": LINE, "character": CHARACTER}}
    wide = await run(
        editor, "aide.regenerate", {**place, "seed": 5, "parameters": {"topK": 151936, "topP": 1}}
    )
    assert wide["parameters"]["topK"] == 151936


async def test_candidates_have_texts_of_their_own_and_the_first_is_what_comes_by_itself(other_editor):
    uri = open_text(other_editor, TEXT, "file:///work-folder/several.py")
    items = await inline(other_editor, uri, LINE, CHARACTER, invoked=True)
    facts = [item.command.arguments[0] for item in items]
    assert [fact["seed"] for fact in facts] == [7] * len(items)
    assert len({item.insert_text for item in items}) == len(items) > 1
    assert items[0].insert_text == (await offered(other_editor, uri)).insert_text
