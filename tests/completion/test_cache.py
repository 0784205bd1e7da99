"""The completion cache."""

import pytest
from attrs import evolve

from aide_lsp.completion.cache import CompletionCache, Found, Question
from aide_lsp.settings.fields import Parameters

QUESTION = Question(
    prefix="x = ",
    suffix="\n",
    language=("python", "a.py"),
    parameters=Parameters(),
    max_tokens=64,
    candidate=0,
)


def typed(text: str, question: Question = QUESTION) -> Question:
    return evolve(question, prefix=question.prefix + text)


def filled() -> CompletionCache[str]:
    cache: CompletionCache[str] = CompletionCache(capacity=2)
    cache.put(QUESTION, "foo(bar)", "answer")
    return cache


@pytest.mark.parametrize(("text", "rest"), [("", "foo(bar)"), ("f", "oo(bar)"), ("foo(bar", ")")])
def test_get_gives_what_is_left(text, rest):
    assert filled().get(typed(text)) == Found("answer", rest)


@pytest.mark.parametrize("text", ["g", "foo(bar)", "foo(bar);", " f"])
def test_get_when_typed_differently_gives_nothing(text):
    assert filled().get(typed(text)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"suffix": "\n\n"},
        {"prefix": "y = "},
        {"prefix": "xx= f"},
        {"language": ("python", "b.py")},
        {"parameters": Parameters(temperature=0.1)},
        {"parameters": Parameters(seed=1)},
        {"max_tokens": 65},
        {"candidate": 1},
    ],
)
def test_get_when_anything_differs_gives_nothing(change):
    assert filled().get(evolve(QUESTION, **change)) is None


def candidate(number: int) -> Question:
    """One of several: all have the seed that was drawn for the first."""
    return evolve(QUESTION, parameters=Parameters(seed=9), candidate=number)


def test_another_candidate_that_is_typed_along_gives_what_is_left_of_it():
    cache: CompletionCache[str] = CompletionCache()
    cache.put(QUESTION, "foo(bar)", "first")
    cache.put(candidate(1), "foo(baz)", "second")
    cache.put(candidate(2), "qux", "third")
    assert cache.get(typed("foo(b")) == Found("first", "ar)")
    assert cache.get(typed("foo(baz")) == Found("second", ")")
    assert cache.get(typed("q")) == Found("third", "ux")
    assert cache.get(QUESTION) == Found("first", "foo(bar)")
    assert cache.get(typed("q", candidate(0))) is None  # a seed that is set allows the same question only


def test_get_with_a_seed_answers_only_the_same_question():
    seeded = evolve(QUESTION, parameters=Parameters(seed=1))
    cache = filled()
    cache.put(seeded, "foo(bar)", "seeded")
    assert cache.get(seeded) == Found("seeded", "foo(bar)")
    assert cache.get(typed("f", seeded)) is None


def test_put_drops_what_was_used_longest_ago():
    cache = filled()
    other, third = evolve(QUESTION, prefix="y"), evolve(QUESTION, prefix="z")
    cache.put(other, "1", "other")
    assert cache.get(QUESTION)
    cache.put(third, "2", "third")
    assert cache.get(other) is None
    assert cache.get(QUESTION)
    assert cache.get(third)


def test_forget_drops_all_that_would_answer():
    cache = filled()
    cache.put(typed("f"), "oo(baz)", "later")
    cache.forget(typed("fo"))
    assert cache.get(typed("fo")) is None
    assert cache.get(typed("f")) is None


def test_empty_answers_are_kept_too():
    cache = filled()
    cache.put(typed("1"), "", "nothing")
    assert cache.get(typed("1")) == Found("nothing", "")
