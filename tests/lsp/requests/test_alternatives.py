"""New seeds are tried until the text differs, and a candidate is added to a list once."""

import asyncio
from types import SimpleNamespace

import pytest
from attrs import evolve

from aide_lsp.lsp.requests import alternatives
from aide_lsp.lsp.requests.alternatives import MOST_SEEDS, nothing_drawn
from aide_lsp.lsp.requests.candidate_lists import CandidateList
from aide_lsp.settings.fields import Parameters
from tests.lsp.fake_server import FakeCompleter, load
from tests.lsp.in_process import Connection
from tests.lsp.requests.test_in_flight import snapshot
from tests.patience import PATIENCE

URI = "file:///a.py"
PLACE = {"uri": URI, "position": {"line": 0, "character": 2}}


class Sayings(FakeCompleter):
    """Says one text after another, whatever the seed."""

    def __init__(self, *texts: str) -> None:
        super().__init__("sayings")
        self.texts = list(texts)

    def complete(self, request, cancel, observer=None):
        completion = super().complete(request, cancel, observer)
        text = self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]
        reason = None if text else "nothing-to-add"
        return evolve(completion, text=text, empty_reason=reason, empty_message=reason)


async def at_a_place(*texts: str, **options):
    """Return how to run a command there, and the completer; the first text is visible."""
    completer = Sayings(*texts)
    connection = Connection(lambda settings, progress: completer)
    await connection.initialize(options={"workAhead": False, **options}, experimental={"aide": True})
    connection.open("x ", URI)

    async def ask(method: str, params: dict):
        number = f"{method} {completer.count}"
        connection.sent.clear()
        connection.send(method, params, id=number)
        return (await connection.reply(number))["result"]

    async def command(name: str, **more):
        return await ask("workspace/executeCommand", {"command": name, "arguments": [{**PLACE, **more}]})

    inline = {"textDocument": {"uri": URI}, "position": PLACE["position"], "context": {"triggerKind": 2}}
    await ask("textDocument/inlineCompletion", inline)
    return command, completer, connection


async def test_regenerate_goes_on_until_the_text_was_not_shown_here():
    command, completer, _ = await at_a_place("one", "two", "one", "", "two", "three")
    assert (await command("aide.regenerate"))["insertText"] == "two"
    answer = await command("aide.regenerate")
    assert (answer["insertText"], completer.count) == ("three", 6)
    assert "message" not in answer


async def test_regenerate_shows_an_earlier_text_again_if_there_is_no_new_one():
    command, completer, _ = await at_a_place("one", "two", *["two", "one"] * 8)
    await command("aide.regenerate")
    answer = await command("aide.regenerate")
    assert (answer["insertText"], answer.get("reason")) == ("one", None)
    assert completer.count == 2 + MOST_SEEDS


async def test_regenerate_gives_up_and_leaves_what_is_visible():
    command, completer, connection = await at_a_place("one")
    shown = connection.server.screen.visible
    answer = await command("aide.regenerate")
    assert (answer["insertText"], answer["reason"], completer.count) == ("one", "no-other", 1 + MOST_SEEDS)
    assert answer["message"] == alternatives.NO_OTHER_SEED
    assert connection.server.screen.visible is shown


async def test_a_seed_that_is_named_is_the_only_one_and_may_give_the_same_text():
    command, completer, _ = await at_a_place("one")
    answer = await command("aide.regenerate", seed=7)
    assert (answer["seed"], answer["insertText"], answer.get("reason")) == (7, "one", None)
    assert completer.count == 2


async def test_where_nothing_is_visible_regenerate_says_why_there_is_nothing():
    command, completer, connection = await at_a_place("")
    answer = await command("aide.regenerate")
    assert (answer["insertText"], answer["reason"]) == ("", "nothing-to-add")
    assert connection.server.screen.nothing.why.reason == "nothing-to-add"
    assert completer.count == 1 + MOST_SEEDS


async def test_with_nothing_drawn_no_seed_is_tried():
    command, completer, _ = await at_a_place("one", temperature=0.0)
    answer = await command("aide.regenerate")
    assert (answer["message"], completer.count) == (nothing_drawn(Parameters(temperature=0.0)), 1)
    # With other parameters the text may be another one.
    assert (await command("aide.regenerate", parameters={"topK": 1}))["insertText"] == "one"
    assert completer.count == 2


async def test_a_request_ends_regenerate_and_what_is_visible_stays():
    connection = Connection(load("ok"))
    await connection.initialize(options={"workAhead": False})
    connection.open("#slow 0.2", URI)
    inline = {
        "textDocument": {"uri": URI},
        "position": {"line": 0, "character": 9},
        "context": {"triggerKind": 2},
    }
    connection.send("textDocument/inlineCompletion", inline, id="first")
    await connection.reply("first")
    kept = connection.server.screen.visible
    again = {**PLACE, "position": inline["position"]}
    connection.send(
        "workspace/executeCommand", {"command": "aide.regenerate", "arguments": [again]}, id="again"
    )
    connection.send(
        "workspace/executeCommand",
        {"command": "aide.candidate", "arguments": [{**again, "step": 1}]},
        id="next",
    )
    assert (await connection.reply("again"))["result"]["reason"] == "superseded"
    connection.send("$/cancelRequest", {"id": "next"})
    await connection.reply("next")
    async with asyncio.timeout(PATIENCE):
        while connection.server.requests._in_flight:
            await asyncio.sleep(0.001)
    assert connection.server.screen.visible is kept


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        (Parameters(temperature=0.0), "With Temperature 0 there"),
        (Parameters(top_k=1, top_p=0.0), "With Top K 1 and Top P 0 there"),
    ],
)
def test_what_leaves_nothing_to_chance_is_named(parameters, said):
    assert said in nothing_drawn(parameters)


def completion(number: int, text: str, typed: str = ""):
    return SimpleNamespace(
        id=f"{number}", candidate=number, text=text, typed=typed, parameters=Parameters(seed=3)
    )


def list_of(first, count: int = 3) -> CandidateList:
    at = snapshot("x = ", 4)
    return CandidateList(evolve(at, settings=evolve(at.settings, candidates=count)), first)


def test_a_page_asks_for_one_number_after_another_with_the_seed_of_the_first():
    found = list_of(completion(0, "a"))
    for number, text in ((1, "b"), (2, "c")):
        request = found.next_request(0)
        assert (request.options.candidate, request.options.parameters.seed) == (number, 3)
        assert found.add(completion(number, text))
    assert (found.is_complete, found.count) == (True, 3)
    assert [one.text for one in found.found] == ["a", "b", "c"]


def test_a_page_leaves_out_what_came_before_and_what_is_empty():
    found = list_of(completion(0, "a"))
    assert (found.count, found.add(completion(1, "a")), found.count) == (3, False, 2)
    assert (found.add(completion(2, "")), found.count, found.is_complete) == (False, 1, True)


def test_a_page_skips_a_number_that_another_one_was_replaced_by():
    found = list_of(completion(0, "a"))
    assert found.add(completion(2, "c"))  # candidate 1 did not fit
    assert (found.is_complete, found.count) == (True, 2)


def test_a_completion_that_was_typed_along_is_followed_by_the_candidates_of_this_place():
    found = list_of(completion(0, "a", typed="x"))
    assert found.next_request(0).options.candidate == 0


@pytest.mark.parametrize(
    ("index", "step", "generates", "target"),
    [(0, 1, False, 1), (1, 1, True, 0), (0, -1, False, 1), (1, -1, False, 0)],
)
def test_a_step_back_from_the_first_leads_to_the_last_that_exists(index, step, generates, target):
    found = list_of(completion(0, "a"))
    found.add(completion(1, "b"))
    assert (found.generates(index, step), found.target(index, step)) == (generates, target)
