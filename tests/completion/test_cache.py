"""The completion cache."""

import attrs
import pytest
from attrs import evolve, field, frozen

from aide_lsp.completion.cache import CompletionCache, Found, key_of
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.context.known_names import KnownNames, NamesOf
from aide_lsp.inference.options import NOT_IN_KEY, GenerationOptions
from aide_lsp.settings.fields import Parameters

REQUEST = CompletionRequest(
    text="x = \n",
    offset=4,
    language_id="python",
    path="a.py",
    options=GenerationOptions(Parameters(), max_tokens=64),
)
NAMES = KnownNames((NamesOf("b.py", ("bar", "foo")),))
OTHER_VALUES = {int: 7, float: 0.125, str: "another", tuple: (Excerpt("b.py", 1, "b\n", 1.0),)}


def typed(text: str, request: CompletionRequest = REQUEST) -> CompletionRequest:
    before, after = request.text[: request.offset] + text, request.text[request.offset :]
    return evolve(request, text=before + after, offset=len(before))


def with_options(**changes) -> CompletionRequest:
    return evolve(REQUEST, options=evolve(REQUEST.options, **changes))


def get(cache: CompletionCache[str], request: CompletionRequest) -> Found[str] | None:
    return cache.get(key_of(request))


def filled() -> CompletionCache[str]:
    cache: CompletionCache[str] = CompletionCache(capacity=2)
    cache.put(key_of(REQUEST), "foo(bar)", "answer")
    return cache


@pytest.mark.parametrize(("text", "rest"), [("", "foo(bar)"), ("f", "oo(bar)"), ("foo(bar", ")")])
def test_get_gives_what_is_left(text, rest):
    assert get(filled(), typed(text)) == Found("answer", rest, text)


def test_a_name_of_another_module_can_be_typed_along_after_it_has_ended():
    cache: CompletionCache[str] = CompletionCache()
    cache.put(key_of(evolve(REQUEST, names=NAMES)), "foo(bar)", "answer")
    assert get(cache, typed("foo(", evolve(REQUEST, names=None))) == Found("answer", "bar)", "foo(")


@pytest.mark.parametrize("text", ["g", "foo(bar)", "foo(bar);", " f"])
def test_get_when_typed_differently_gives_nothing(text):
    assert get(filled(), typed(text)) is None


def closed(text: str, added: str) -> CompletionRequest:
    """As `typed`, in an editor that puts something after the cursor."""
    request = typed(text)
    after = added + request.text[request.offset :]
    return evolve(request, text=request.text[: request.offset] + after)


def test_get_where_the_editor_closed_a_bracket_gives_what_takes_its_place():
    cache = filled()
    assert get(cache, closed("foo(", ")")) == Found("answer", "bar", "foo(", 0, ")")
    cache.put(key_of(REQUEST), "foo(bar) + 1", "longer")
    assert get(cache, closed("foo(", ")")) == Found("longer", "bar) + 1", "foo(", 1, ")")
    assert get(cache, closed("foo(b", ")")) == Found("longer", "ar) + 1", "foo(b", 1, ")")
    assert get(cache, typed("foo(bar)")) == Found("longer", " + 1", "foo(bar)")


@pytest.mark.parametrize(("text", "added"), [("foo(", "]"), ("foo", ")"), ("foo((", "))"), ("", ")")])
def test_get_where_something_else_is_after_the_cursor_gives_nothing(text, added):
    assert get(filled(), closed(text, added)) is None


def test_get_with_a_seed_where_the_editor_closed_a_bracket_gives_nothing():
    cache, seeded = CompletionCache(), with_options(parameters=Parameters(seed=1))
    cache.put(key_of(seeded), "foo(bar)", "answer")
    request = closed("foo(", ")")
    assert get(cache, evolve(request, options=seeded.options)) is None


@pytest.mark.parametrize(
    "request_",
    [
        evolve(REQUEST, text="x = \n\n"),
        evolve(REQUEST, text="y = \n"),
        evolve(REQUEST, text="xx= f\n", offset=5),
        evolve(REQUEST, offset=3),
        evolve(REQUEST, path="b.py"),
        with_options(parameters=Parameters(temperature=0.1)),
        with_options(parameters=Parameters(seed=1)),
        with_options(max_tokens=65),
        with_options(candidate=1),
        with_options(show="all"),
        with_options(min_confidence=0.5),
        with_options(context_share=0.5),
    ],
)
def test_get_when_anything_differs_gives_nothing(request_):
    assert get(filled(), request_) is None


def changed(value: object) -> list[tuple[attrs.Attribute, object]]:
    """Return an attrs instance with one field changed, for each of its fields that is no attrs instance."""
    found = []
    for one in attrs.fields(type(value)):
        old = getattr(value, one.name)
        if not attrs.has(type(old)):
            new = NAMES if one.name == "names" else OTHER_VALUES[int if old is None else type(old)]
            assert new != old
            found.append((one, evolve(value, **{one.name: new})))
    return found


def every_change() -> list[tuple[attrs.Attribute, CompletionRequest]]:
    """Return the request with one field changed, for each field of it, its options and its parameters."""
    options = [(one, evolve(REQUEST, options=options)) for one, options in changed(REQUEST.options)]
    parameters = [
        (one, with_options(parameters=parameters)) for one, parameters in changed(REQUEST.options.parameters)
    ]
    return [*changed(REQUEST), *options, *parameters]


@pytest.mark.parametrize(("one", "request_"), every_change(), ids=lambda value: getattr(value, "name", ""))
def test_every_field_is_in_the_key_unless_its_metadata_says_otherwise(one, request_):
    is_excluded = one.metadata == NOT_IN_KEY
    assert (key_of(request_) == key_of(REQUEST)) is is_excluded
    assert is_excluded is (one.name in ("most_card_share", "deadline_ms", "drawn_seed"))


def test_a_field_that_is_added_later_is_in_the_key():
    @frozen
    class LaterParameters(Parameters):
        min_p: float = 0.0

    @frozen
    class LaterOptions(GenerationOptions):
        min_confidence: float = field(default=0.0, kw_only=True)
        priority: int = field(default=0, kw_only=True, metadata=NOT_IN_KEY)

    @frozen
    class LaterRequest(CompletionRequest):
        other_files: tuple[str, ...] = ()

    def key(min_p=0.0, other_files=(), **options):
        later = LaterOptions(LaterParameters(min_p=min_p), 64, **options)
        return key_of(LaterRequest("x = \n", 4, "python", "a.py", later, other_files=other_files))

    assert key() == key(priority=1)
    assert len({key(), key(min_p=0.1), key(min_confidence=0.5), key(other_files=("b.py",))}) == 4


def excerpted(request: CompletionRequest, *texts: str) -> CompletionRequest:
    return evolve(request, excerpts=tuple(Excerpt("b.py", 1 + n, text, 1.0) for n, text in enumerate(texts)))


def test_an_identical_request_needs_the_same_excerpts_whatever_their_scores():
    cache = CompletionCache()
    cache.put(key_of(excerpted(REQUEST, "a\n")), "foo(bar)", "answer")
    same = evolve(REQUEST, excerpts=(Excerpt("b.py", 1, "a\n", 0.5),))
    assert get(cache, same) is not None
    for texts in ((), ("b\n",), ("a\n", "b\n")):
        assert get(cache, excerpted(REQUEST, *texts)) is None


@pytest.mark.parametrize("text", ["foo(", "foo(bar)\n    "])
def test_an_answer_that_is_typed_along_goes_on_with_other_excerpts_also_in_the_next_line(text):
    cache, seeded = CompletionCache(), with_options(parameters=Parameters(seed=1))
    for request in (REQUEST, seeded):
        cache.put(key_of(excerpted(request, "a\n")), "foo(bar)\n    return", "answer")
    rest = Found("answer", "foo(bar)\n    return".removeprefix(text), text)
    assert get(cache, excerpted(typed(text), "b\n")) == rest
    assert get(cache, excerpted(typed(text, seeded), "b\n")) is None


def test_line_ends_are_not_in_the_key():
    one, other = (
        evolve(REQUEST, text=f"a{end}x = {end}b", offset=len(f"a{end}x = ")) for end in ("\n", "\r\n")
    )
    assert key_of(one) == key_of(other)


def candidate(number: int) -> CompletionRequest:
    """One of several: all have the seed that was drawn for the first."""
    return with_options(parameters=Parameters(seed=9), candidate=number)


def test_another_candidate_that_is_typed_along_gives_what_is_left_of_it():
    cache: CompletionCache[str] = CompletionCache()
    cache.put(key_of(REQUEST), "foo(bar)", "first")
    cache.put(key_of(candidate(1)), "foo(baz)", "second")
    cache.put(key_of(candidate(2)), "qux", "third")
    assert get(cache, typed("foo(b")) == Found("first", "ar)", "foo(b")
    assert get(cache, typed("foo(baz")) == Found("second", ")", "foo(baz")
    assert get(cache, typed("q")) == Found("third", "ux", "q")
    assert get(cache, REQUEST) == Found("first", "foo(bar)")
    # A seed that is set allows the same request only.
    assert get(cache, typed("q", candidate(0))) is None


def test_get_with_a_seed_answers_only_the_same_request():
    seeded = with_options(parameters=Parameters(seed=1))
    cache = filled()
    cache.put(key_of(seeded), "foo(bar)", "seeded")
    assert get(cache, seeded) == Found("seeded", "foo(bar)")
    assert get(cache, typed("f", seeded)) is None


def test_put_drops_what_was_used_longest_ago():
    cache = filled()
    other, third = evolve(REQUEST, text="y = \n"), evolve(REQUEST, text="z = \n")
    cache.put(key_of(other), "1", "other")
    assert get(cache, REQUEST)
    cache.put(key_of(third), "2", "third")
    assert get(cache, other) is None
    assert get(cache, REQUEST)
    assert get(cache, third)


def test_forget_drops_all_that_would_answer():
    cache = filled()
    cache.put(key_of(typed("f")), "oo(baz)", "later")
    cache.forget(key_of(typed("fo")))
    assert get(cache, typed("fo")) is None
    assert get(cache, typed("f")) is None


def test_empty_answers_are_kept_too():
    cache = filled()
    cache.put(key_of(typed("1")), "", "nothing")
    assert get(cache, typed("1")) == Found("nothing", "")


def test_the_cache_holds_no_documents():
    cache: CompletionCache[str] = CompletionCache()
    cache.put(key_of(evolve(REQUEST, text="marker\n", offset=6)), "text", "answer")
    assert "marker" not in repr(vars(cache)) + repr([vars_of(e) for e in cache._entries.values()])


def vars_of(entry: object) -> dict[str, object]:
    return attrs.asdict(entry)
