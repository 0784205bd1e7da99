"""Items say exactly what is inserted where."""

from attrs import evolve
from lsprotocol import types

from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.lsp import items
from aide_lsp.settings.fields import Parameters

PLACE = types.Position(line=2, character=5)
COMPLETION = Completion(
    id="a",
    text="a, b): c",
    finish_reason="stop",
    empty_reason=None,
    empty_message=None,
    seed=7,
    parameters=Parameters(),
    prompt_tokens=1,
    cached_tokens=0,
    generated_tokens=1,
    first_token_ms=1.0,
    total_ms=1.0,
    from_cache=True,
    candidate=0,
    confidence=1.0,
)
CLOSED = evolve(COMPLETION, replaces=1)


def over(first, last):
    return types.Range(
        start=types.Position(line=2, character=first), end=types.Position(line=2, character=last)
    )


def test_a_completion_replaces_nothing():
    assert items.inline_item(COMPLETION, items.at_cursor(PLACE), {"model": "m"}).range == over(5, 5)


def test_a_completion_takes_the_place_of_a_bracket_that_the_editor_closed():
    assert items.inline_item(CLOSED, items.at_cursor(PLACE), {"model": "m"}).range == over(5, 6)
    word = items.Target(over(2, 5), "sum")
    item = items.completion_item(CLOSED, word, "python", {"model": "m"})
    assert (item.text_edit.range, item.text_edit.new_text) == (over(2, 6), "suma, b): c")
    again = items.completed(CLOSED, PLACE, {"model": "m"})["range"]
    assert again == {"start": {"line": 2, "character": 5}, "end": {"line": 2, "character": 6}}


def test_the_rest_of_a_completion_keeps_what_it_replaces():
    closed = evolve(COMPLETION, text="(a, b): c").after("(", ")")
    assert (closed.text, closed.typed, closed.added, closed.replaces) == ("a, b): c", "(", ")", 1)
    rest = closed.after("a,")
    assert (rest.text, rest.typed, rest.added, rest.replaces) == (" b): c", "(a,", ")", 1)
    assert closed.after("a(", ")") is None
    assert closed.after("") is closed


def test_a_completion_is_explained_where_it_was_generated():
    def request(text, offset):
        return CompletionRequest(
            text, offset, "python", "a.py", GenerationOptions(Parameters(), max_tokens=8)
        )

    there = request("f\r\n.", 1)
    assert request("f(a)\r\n.", 3).before_typing("(a", ")") == there
    assert request("f{\r\n  a\r\n}\r\n.", 7).before_typing("{\n  a", "\n}") == there
