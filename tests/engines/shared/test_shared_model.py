"""A model in another process completes as one in this process does, whatever happens in between."""

from contextlib import closing
from itertools import product

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.counting import BatchCounter
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.observer import UNOBSERVED
from aide_lsp.completion.window import cut_window
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.shared.client import EngineClient, OtherProtocolError
from aide_lsp.engines.shared.model import SharedModel, new_session
from aide_lsp.errors import BrokenSessionError, EngineChangedError, ServerError
from aide_lsp.explain.explanation import as_json, explain
from aide_lsp.inference.cancel import Cancelled, CancelToken
from tests.completion.test_completer import completer_of, request_at, with_parameters
from tests.engine_stand_in import EngineStandIn
from tests.fakes import babbling
from tests.patience import PATIENCE

MARKED = "import os\n\ndef f(a):\n    retu|\n    return a\n\nf(1)\n"
LINES = "".join(f"    value_{number} = other({number}) + {'x' * (number % 7)}\n" for number in range(400))
LONG = f"def f():\n{LINES}    result = val|\n{LINES}"
EXCERPTS = (Excerpt("src/a.py", 3, "a = 1\nb = 2\n", 2.0), Excerpt("src/b.py", 7, "c = 3\n", 1.0))


def model_of(script, **options):
    return completer_of(script, **options)._model


MODELS: list[SharedModel] = []
"""To be closed."""


def shared(engine: EngineStandIn, **options) -> SharedModel:
    client = EngineClient(Connection(engine.address, headers=new_session()))
    MODELS.append(SharedModel(client, ModelInfo("", "", "", "", 1, 1), **options))
    MODELS[-1].info = client.look(CancelToken()).info
    return MODELS[-1]


@pytest.fixture(autouse=True)
def closed():
    yield
    while MODELS:
        MODELS.pop().close()


@pytest.fixture
def engine(tmp_path):
    with EngineStandIn(model_of(babbling(3)), path=tmp_path / "engine") as found:
        yield found


def plain(completion):
    """A completion without what differs each time."""
    return evolve(completion, id="", first_token_ms=0.0, total_ms=0.0)


def complete(completer, request):
    return plain(completer.complete(request, CancelToken()))


def test_info_is_that_of_the_engine(engine):
    assert shared(engine).info == engine.model.info


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    st.sampled_from([MARKED, LONG, "|", "x = '|'\n", "a" * 300 + "|", "é𝄞 = f(|)\n\n\n"]),
    st.floats(0, 1),
    st.integers(1, 263),
    st.floats(0, 1),
    st.integers(1, 900),
    st.integers(0, 2),
    st.integers(-5, 1 << 70),
    st.sampled_from([0.0, 0.3]),
)
def test_completion_is_byte_for_byte_that_of_a_model_in_this_process(
    marked, temperature, top_k, top_p, num_context, candidate, seed, share
):
    request = request_at(marked, candidate=candidate, context_share=share, min_confidence=1e-9)
    request = evolve(
        with_parameters(
            request, temperature=temperature, top_k=top_k, top_p=top_p, num_context=num_context, seed=seed
        ),
        excerpts=EXCERPTS,
    )
    here = Completer(model_of(babbling(3)))
    found = complete(Completer(shared(ENGINE)), request)
    assert evolve(found, cached_tokens=0) == evolve(complete(here, request), cached_tokens=0)


def test_cold_and_warm_and_prefilled_then_the_same(engine):
    requests = [
        with_parameters(request_at(MARKED), temperature=0.8, seed=seed, num_context=num)
        for seed, num in product(range(3), (20, 200))
    ]
    here, there = Completer(engine.model), Completer(shared(engine))
    for request in requests:
        there.prefill(request, CancelToken())
        found = complete(there, request)
        there.clear_cache()
        assert evolve(complete(there, request), cached_tokens=0) == evolve(found, cached_tokens=0)
        assert evolve(complete(here, request), cached_tokens=0) == evolve(found, cached_tokens=0)
    assert complete(there, requests[0]).cached_tokens > 0


def test_what_a_completion_cost_is_what_the_engine_says(engine):
    request = request_at(MARKED, seed=1)
    found = Completer(shared(engine)).complete(request, CancelToken())
    here = Completer(model_of(babbling(3))).complete(request, CancelToken())
    assert (found.prompt_tokens, found.generated_tokens) == (here.prompt_tokens, here.generated_tokens)
    assert found.first_token_ms > 0


def test_explanation_is_that_of_a_model_in_this_process(engine):
    for marked, seed in product((MARKED, LONG, "x = fo|"), range(3)):
        request = evolve(
            with_parameters(request_at(marked), temperature=0.7, seed=seed, num_context=300),
            excerpts=EXCERPTS,
        ).with_options(context_share=0.4)
        here = as_json(explain(Completer(model_of(babbling(3))), request, CancelToken()))
        there = as_json(explain(Completer(shared(engine)), request, CancelToken()))
        assert without_times(there) == without_times(here)
        assert len(there["tokens"]) > 1
        assert {stage["name"] for stage in there["stages"]} == {stage["name"] for stage in here["stages"]}
        assert [s for s in there["stages"] if s["ms"] <= 0] == [s for s in here["stages"] if s["ms"] <= 0]


def without_times(found):
    """JSON without what differs each time."""
    left_out = ("ms", "id", "first_token_ms", "total_ms", "cached_tokens")
    if isinstance(found, dict):
        return {key: without_times(value) for key, value in found.items() if key not in left_out}
    return [without_times(one) for one in found] if isinstance(found, list | tuple) else found


def test_user_types_then_few_questions_are_asked_for_each_key(engine):
    completer, text = Completer(shared(engine)), LONG.replace("|", "")
    offset = LONG.index("|")
    for typed in range(12):
        before = len(engine.requests)
        marked = f"{text[:offset]}{'ue_1 = abcdef'[:typed]}|{text[offset:]}"
        completer.complete(request_at(marked, num_context=600, seed=1), CancelToken())
        asked = engine.names()[before:]
        assert asked.count("generate") == 1
        assert len(asked) <= (5 if typed == 0 else 3), asked


@given(st.lists(st.text("ab \n", max_size=40), max_size=30), st.integers(1, 60))
def test_counts_that_come_together_then_the_window_is_the_same(lines, budget):
    head = tail = "\n".join(lines)
    exact = lambda text: len(text) // 2 + text.count("a") % 3  # noqa: E731
    batches = []

    def ask(texts):
        batches.append(texts)
        return [exact(text) for text in texts]

    found = BatchCounter(ask).settle(lambda count: cut_window(head, tail, budget, count))
    assert found == cut_window(head, tail, budget, exact)
    assert all(len({*texts}) == len(texts) for texts in batches)


def test_reader_stops_then_the_engine_stops(engine):
    model = shared(engine)
    generation = model.generate(*prompt_of(model), CancelToken())
    assert next(iter(generation))
    generation.close()
    assert generation.finish_reason == "stop"
    assert engine.cancelled.wait(PATIENCE)
    # And the next request is answered.
    assert model.count_tokens("abc") == 3


def prompt_of(model, **changes):
    """A prompt and its options."""
    request = request_at(MARKED, max_tokens=400, **changes)
    completer = Completer(model)
    request = completer._in_effect(request)
    return completer._prompt(request, UNOBSERVED), request.options


def test_cancel_at_any_moment_then_cancelled_and_the_next_request_is_answered(engine):
    model = shared(engine)
    request = request_at(MARKED, seed=5)
    expected = complete(Completer(model), request)
    for at in range(12):
        cancel = CancelToken()
        engine.disturb = lambda name, line, at=at, cancel=cancel: cancel.cancel() if line >= at else None
        completer = Completer(model)
        try:
            found = plain(completer.complete(request, cancel))
        except Cancelled:
            found = None
        engine.disturb = lambda name, line: None
        assert found is None or evolve(found, cached_tokens=0) == evolve(expected, cached_tokens=0)
        again = complete(Completer(model), request)
        assert evolve(again, cached_tokens=0) == evolve(expected, cached_tokens=0)


@pytest.mark.parametrize(
    "said", [b"", b"garbage\n", b"3\r\n{}\n\r\n", b'7\r\n{"a":1}\r\n', b"5\r\nfalse\r\n"]
)
@pytest.mark.parametrize("at", [0, 1, 4])
def test_engine_is_lost_in_the_middle_then_it_counts_as_broken(engine, at, said):
    model = shared(engine)
    engine.disturb = lambda name, line: said if line == at else None
    with pytest.raises(BrokenSessionError):
        complete(Completer(model), request_at(MARKED, seed=5))


def answer(body: bytes, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@pytest.mark.parametrize("name", ["tokens", "prefill"])
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"x",
        answer(b"[]"),
        answer(b"{}"),
        answer(b"nonsense"),
        answer(b'{"counts": [1], "tokens": "3"}'),
        answer(b'{"counts": [true, -1], "tokens": true}'),
        answer(b"{}", b"404 Not Found"),
    ],
)
def test_engine_answers_a_question_with_anything_then_it_counts_as_broken(engine, name, said):
    model = shared(engine)
    engine.disturb = lambda asked, line: said if asked == name else None
    with pytest.raises(BrokenSessionError):
        Completer(model).prefill(request_at(MARKED), CancelToken())


@pytest.mark.parametrize("at", range(8))
def test_engine_is_replaced_then_its_text_goes_on_and_is_not_doubled(engine, at):
    request = with_parameters(request_at(MARKED), temperature=0.9, seed=11)
    expected = complete(Completer(shared(engine)), request)
    model, lost = shared(engine, restarts=1), []

    def lose(name, line):
        if line == at and not lost:
            lost.append(at)
            return b""
        return None

    engine.disturb = lose
    assert evolve(complete(Completer(model), request), cached_tokens=0) == evolve(expected, cached_tokens=0)
    assert lost == [at]
    here = as_json(explain(Completer(model_of(babbling(3))), request, CancelToken()))
    lost.clear()
    there = as_json(explain(Completer(model), request, CancelToken()))
    assert without_times(there) == without_times(here)


def test_engine_of_another_kind_replaces_it_then_no_text_is_mixed(engine):
    model, lost = shared(engine, restarts=1), []

    def lose(name, line):
        if line == 4 and not lost:
            lost.append(1)
            engine.model = model_of(babbling(99))
            return b""
        return None

    engine.disturb = lose
    with pytest.raises(BrokenSessionError):
        complete(Completer(model), with_parameters(request_at(MARKED), temperature=0.9, seed=11))


@pytest.mark.parametrize("at", [-1, 0, 1, 4])
def test_engine_with_another_model_replaces_it_then_it_is_noticed_whatever_it_says(engine, at):
    model, lost, said = shared(engine, restarts=3), [], []

    def lose(name, line):
        if name == "generate" and line == at and not lost:
            lost.append(1)
            # Of the same bytes, as those of another recipe often are at the beginning.
            engine.machine = "another"
            return b""
        return None

    prompt, options = prompt_of(model)
    with closing(model.generate(prompt, options, CancelToken())) as generation:
        expected = "".join(generation)
    engine.disturb = lose
    generation = model.generate(prompt, options, CancelToken())
    with closing(generation), pytest.raises(EngineChangedError):
        said.extend(generation)
    assert lost
    assert len("".join(said)) < len(expected)


@pytest.mark.parametrize("ask", ["count_tokens", "prefill", "self_test", "release_memory"])
def test_engine_with_another_model_answers_a_question_then_it_is_noticed(engine, ask):
    model = shared(engine)
    given = {"count_tokens": ("abc",), "prefill": (*prompt_of(model), CancelToken())}.get(ask, ())
    engine.machine = "another"
    with pytest.raises(EngineChangedError):
        getattr(model, ask)(*given)


def test_another_engine_ends_its_text_sooner_then_what_was_said_is_not_taken_for_all(engine):
    model, lost = shared(engine, restarts=1), []

    def lose(name, line):
        if line == 6 and not lost:
            lost.append(1)
            engine.shorten = 3
            return b""
        return None

    engine.disturb = lose
    prompt, options = prompt_of(model)
    generation = model.generate(prompt, options, CancelToken())
    with closing(generation), pytest.raises(BrokenSessionError):
        list(generation)
    assert lost


def test_engine_with_too_little_memory_then_that_is_the_error(engine):
    body = b'{"error": {"code": "memory", "message": "Too little."}}'
    said = answer(body, b"503 x")
    model = shared(engine)
    engine.disturb = lambda name, line: said if name == "generate" else None
    with pytest.raises(Exception, match="Too little") as raised:
        complete(Completer(model), request_at(MARKED))
    assert type(raised.value).__name__ == "MemoryShortError"


@pytest.mark.parametrize(("protocol", "advice"), [(0, "Update Aide there"), (2, "Update Aide here")])
def test_engine_speaks_another_version_then_it_says_so(protocol, advice):
    with EngineStandIn(model_of(babbling(3)), protocol=protocol) as other:
        with pytest.raises(OtherProtocolError, match=advice) as raised:
            shared(other)
        assert isinstance(raised.value, ServerError)


def test_other_operations(engine):
    model = shared(engine)
    assert model.self_test() is True
    model.release_memory()
    assert model.failure is None
    assert model.is_back()
    assert engine.names()[-2:] == ["self-test", "release"]
    assert len(engine.sessions) == 1


ENGINE = EngineStandIn(model_of(babbling(3))).__enter__()
"""One for all examples of a property."""
