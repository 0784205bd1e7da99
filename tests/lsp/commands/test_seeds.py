"""Several candidates, and the commands that return to a seed, pin and unpin it; with a fake model."""

import asyncio

import pytest
import pytest_lsp
from pytest_lsp import LanguageClient

from tests.lsp.clients import FAKE, VSCODE, begin, change, inline, open_text, run

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_lsp.fixture(config=FAKE, scope="module")
async def editor(client: LanguageClient, folder):
    await begin(client, VSCODE, [folder.as_uri()])
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=FAKE, scope="module")
async def seeded(client: LanguageClient):
    await begin(client, VSCODE, options={"seed": 7, "candidates": 5})
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=FAKE, scope="module")
async def client_of_random(client: LanguageClient, folder):
    await begin(client, VSCODE, [folder.as_uri()], options={"seed": "random"})
    yield
    await client.shutdown_session()


@pytest.fixture
def clean(folder):
    """No project file before or after."""
    yield folder
    for name in (".aide.toml", "pyproject.toml"):
        (folder / name).unlink(missing_ok=True)


def made(items) -> list[dict]:
    return [item.command.arguments[0] for item in items]


def place(uri: str, character: int = 6) -> dict:
    return {"uri": uri, "position": {"line": 0, "character": character}}


def in_folder(client, folder, text: str = "#drawn", name: str = "a.py") -> str:
    return open_text(client, text, (folder / name).as_uri())


async def test_explicit_request_gives_three_to_choose_from_and_an_automatic_one_gives_one(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/several.py")
    assert len(await inline(editor, uri)) == 1
    items = await inline(editor, uri, invoked=True)
    facts = made(items)
    seed = facts[0]["seed"]
    assert [item.insert_text for item in items] == [f"drawn {seed} {n}" for n in range(3)]
    assert [fact["candidate"] for fact in facts] == [0, 1, 2]
    assert {fact["seed"] for fact in facts} == {seed}
    assert len({fact["id"] for fact in facts}) == 3
    assert all(fact["parameters"]["seed"] == seed for fact in facts)


async def test_the_number_of_candidates_is_a_setting(seeded):
    uri = open_text(seeded, "#drawn", "file:///elsewhere/five.py")
    items = await inline(seeded, uri, invoked=True)
    assert [item.insert_text for item in items] == [f"drawn 7 {n}" for n in range(5)]


async def test_candidates_of_one_text_are_shown_once(editor):
    uri = open_text(editor, "same", "file:///elsewhere/same.py")
    assert len(await inline(editor, uri, invoked=True)) == 1


async def test_a_newer_request_ends_one_with_several_candidates(editor):
    uri = open_text(editor, "#slow 5 #drawn", "file:///elsewhere/slow.py")
    asked = inline(editor, uri, invoked=True)
    await asyncio.sleep(0.05)
    change(editor, uri, "#drawn")
    assert len(await inline(editor, uri)) == 1
    assert await asked == []


async def test_previous_seed_goes_back_step_by_step_and_the_next_request_gives_it(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/back.py")
    first = made(await inline(editor, uri))[0]
    second = await run(editor, "aide.regenerate", place(uri))
    third = await run(editor, "aide.regenerate", place(uri))
    assert len({first["seed"], second["seed"], third["seed"]}) == 3
    for before in (second, first):
        back = await run(editor, "aide.previousSeed", place(uri))
        assert (back["id"], back["seed"]) == (before["id"], before["seed"])
        assert back["insertText"] == f"drawn {before['seed']} 0"
        assert made(await inline(editor, uri))[0]["id"] == before["id"]
    nothing = await run(editor, "aide.previousSeed", place(uri))
    assert (nothing["insertText"], nothing["reason"]) == ("", "no-previous")
    again = await run(editor, "aide.regenerate", place(uri))
    assert (await run(editor, "aide.previousSeed", place(uri)))["id"] == first["id"]
    assert again["seed"] != first["seed"]


async def test_after_regenerate_several_candidates_begin_with_that_one_and_share_its_seed(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/begin.py")
    again = await run(editor, "aide.regenerate", place(uri))
    items = await inline(editor, uri, invoked=True)
    assert made(items)[0]["id"] == again["id"]
    assert [item.insert_text for item in items] == [f"drawn {again['seed']} {n}" for n in range(3)]


async def test_previous_seed_elsewhere_or_after_an_edit_has_nothing(editor):
    uri = open_text(editor, "#drawn", "file:///elsewhere/moved.py")
    await inline(editor, uri)
    await run(editor, "aide.regenerate", place(uri))
    assert (await run(editor, "aide.previousSeed", place(uri, 2)))["reason"] == "no-previous"
    change(editor, uri, "#drawn ")
    assert (await run(editor, "aide.previousSeed", place(uri)))["reason"] == "no-previous"
    unknown = await run(editor, "aide.previousSeed", place("file:///elsewhere/unknown.py"))
    assert unknown["reason"] == "unknown-document"


async def test_pin_writes_the_seed_that_is_shown_and_the_next_completion_repeats_its_text(editor, clean):
    uri = in_folder(editor, clean)
    await inline(editor, uri)
    shown = await run(editor, "aide.regenerate", place(uri))
    pinned = await run(editor, "aide.pinSeed", {"uri": uri})
    assert pinned["seed"] == shown["seed"]
    assert pinned["path"] == str(clean / ".aide.toml")
    assert f"seed = {shown['seed']}\n" in (clean / ".aide.toml").read_text()
    (item,) = await inline(editor, uri)
    assert item.insert_text == shown["insertText"]
    change(editor, uri, "#drawn elsewhere")
    assert made(await inline(editor, uri))[0]["seed"] == shown["seed"]


async def test_pin_takes_the_seed_shown_at_a_place(editor, clean):
    uri = in_folder(editor, clean)
    here = made(await inline(editor, uri, 0, 6))[0]
    change(editor, uri, "#drawn  ")
    await inline(editor, uri, 0, 7)
    change(editor, uri, "#drawn")
    assert (await run(editor, "aide.pinSeed", place(uri)))["seed"] == here["seed"]
    with pytest.raises(Exception, match="no completion has been shown here"):
        await run(editor, "aide.pinSeed", place(uri, 3))


async def test_unpin_takes_it_out_and_keeps_all_else(editor, clean):
    path = clean / ".aide.toml"
    path.write_text("# ours\ntop_k = 40  # wide\n\n[languages.go]\ntop_p = 0.5\n")
    before = path.read_text()
    uri = in_folder(editor, clean)
    await inline(editor, uri)
    await run(editor, "aide.pinSeed", {"uri": uri})
    assert path.read_text() != before
    assert (await run(editor, "aide.unpinSeed", {"uri": uri}))["path"] == str(path)
    assert path.read_text() == before
    nothing = await run(editor, "aide.unpinSeed", {"uri": uri})
    assert (nothing["path"], nothing["message"]) == (None, "No seed was pinned.")


async def test_pin_edits_pyproject_where_that_holds_the_settings(editor, clean):
    (clean / "pyproject.toml").write_text("[project]\nname = 'x'\n\n[tool.aide]\ntop_k = 40\n")
    uri = in_folder(editor, clean)
    (item,) = await inline(editor, uri)
    pinned = await run(editor, "aide.pinSeed", {"uri": uri})
    assert pinned["path"].endswith("pyproject.toml")
    assert not (clean / ".aide.toml").exists()
    assert (await inline(editor, uri))[0].insert_text == item.insert_text


async def test_pin_refuses_a_broken_file_and_says_where(editor, clean):
    (clean / ".aide.toml").write_text("top_k = \n")
    uri = in_folder(editor, clean)
    await inline(editor, uri)
    with pytest.raises(Exception, match=r"not valid TOML: .*line 1") as caught:
        await run(editor, "aide.pinSeed", {"uri": uri})
    assert caught.value.code == -32803
    assert (clean / ".aide.toml").read_text() == "top_k = \n"


async def test_pin_does_not_follow_a_link_out_of_the_folder(editor, clean, tmp_path):
    outside = tmp_path / "outside.toml"
    outside.write_text("top_k = 40\n")
    (clean / ".aide.toml").symlink_to(outside)
    uri = in_folder(editor, clean)
    await inline(editor, uri)
    with pytest.raises(Exception, match="outside the project"):
        await run(editor, "aide.pinSeed", {"uri": uri})
    assert outside.read_text() == "top_k = 40\n"


async def test_pin_says_when_the_editor_wins(seeded, tmp_path):
    (tmp_path / ".git").mkdir()
    uri = open_text(seeded, "#drawn", (tmp_path / "a.py").as_uri())
    shown = await run(seeded, "aide.regenerate", {**place(uri), "seed": 11})
    pinned = await run(seeded, "aide.pinSeed", {"uri": uri})
    assert pinned["seed"] == shown["seed"] == 11
    assert "The seed 7 stays in effect" in pinned["message"]
    assert "The seed 7 is in effect" in (await run(seeded, "aide.unpinSeed", {"uri": uri}))["message"]


@pytest.mark.parametrize("command", ["aide.pinSeed", "aide.unpinSeed", "aide.previousSeed"])
@pytest.mark.parametrize("arguments", [[], [{"uri": 5}], ["x"], [{"uri": "file:///x"}, 1]], ids=range(4))
async def test_invalid_arguments_are_refused_with_a_sentence(editor, command, arguments):
    with pytest.raises(Exception, match=f"{command} takes one object") as caught:
        await run(editor, command, *arguments)
    assert caught.value.code == -32602


async def test_pin_without_a_file_or_a_completion_is_refused(editor, clean):
    uri = in_folder(editor, clean, name="new.py")
    with pytest.raises(Exception, match="no completion has been shown here"):
        await run(editor, "aide.pinSeed", {"uri": uri})
    untitled = open_text(editor, "#drawn", "untitled:one")
    await inline(editor, untitled)
    with pytest.raises(Exception, match="not a file"):
        await run(editor, "aide.pinSeed", {"uri": untitled})
    assert list(clean.iterdir()) == []


async def test_a_random_seed_undoes_a_pinned_one_for_one_request_and_in_the_editor(editor, clean):
    (clean / ".aide.toml").write_text("seed = 5\n")
    uri = in_folder(editor, clean, name="undone.py")
    assert made(await inline(editor, uri))[0]["seed"] == 5
    argument = {**place(uri), "seed": "random"}
    seeds = {(await run(editor, "aide.regenerate", argument))["seed"] for _ in range(2)}
    assert len(seeds) == 2
    in_parameters = {**place(uri), "parameters": {"seed": "random", "topK": 40.0}}
    answer = await run(editor, "aide.regenerate", in_parameters)
    assert (answer["seed"] in {5, *seeds}, answer["parameters"]["topK"]) == (False, 40)
    shown = await run(editor, "aide.settings", {"uri": uri, "parameters": {"seed": "random"}})
    assert (shown["settings"]["seed"]["value"], shown["settings"]["seed"]["overrode"][0]["value"]) == (
        "random",
        5,
    )


async def test_the_editor_may_undo_a_seed_that_the_project_pins(client_of_random, clean):
    (clean / ".aide.toml").write_text("seed = 5\n")
    uri = in_folder(client_of_random, clean, name="editor.py")
    seeds = {made(await inline(client_of_random, uri))[0]["seed"]}
    change(client_of_random, uri, "#drawn ")
    seeds.add(made(await inline(client_of_random, uri))[0]["seed"])
    assert len(seeds) == 2
    pinned = await run(client_of_random, "aide.pinSeed", {"uri": uri})
    assert "A new random seed for each request stays in effect" in pinned["message"]
