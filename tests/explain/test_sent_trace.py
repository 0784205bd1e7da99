"""What an engine in another process sends for an explanation: the same as it would be here, or refused."""

import json

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.completion.observer import CompletionObserver
from aide_lsp.engines.shared import stream
from aide_lsp.engines.shared.wire import WireError
from aide_lsp.explain.explanation import explain
from aide_lsp.explain.sent_trace import SentTrace
from aide_lsp.inference.cancel import CancelToken
from tests.completion.test_completer import completer_of, request_at
from tests.fakes import babbling

MARKED = "import os\n\ndef f(a):\n    retu|\n    return a\n\nf(1)\n"
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def lines_of(marked: str):
    """The lines that explaining a place sends, and its steps as they are here."""
    lines, request = [], request_at(marked)
    completer = completer_of(babbling(7))
    explanation = explain(completer, request, CancelToken())
    trace = SentTrace(explanation.completion.parameters, lines.append)
    completer.observe(
        request.with_options(parameters=explanation.completion.parameters), trace, CancelToken()
    )
    return json.loads(json.dumps(lines)), explanation


def test_step_when_sent_then_the_same_but_for_its_time():
    lines, explanation = lines_of(MARKED)
    steps = [stream.to_step(line) for line in lines if "step" in line]
    assert len(steps) >= len(explanation.tokens) > 1
    here = [evolve(token.step, ms=0.0) for token in explanation.tokens]
    assert [evolve(step, ms=0.0) for step, _, _ in steps][: len(here)] == here
    assert set(steps[-1][2]) == {"prefill", "forward", "sampling"}


def test_rendered_prompt_when_sent_then_its_pieces_are_the_same():
    lines, explanation = lines_of(MARKED)
    rendered = stream.to_rendered(lines[0]["rendered"], {})
    assert [(piece.kind, piece.text, piece.tokens) for piece in rendered.pieces] == [
        (part.kind, part.text, part.tokens) for part in explanation.prompt.parts
    ]
    assert rendered.healed_tokens == explanation.prompt.given_back_tokens
    assert rendered.format == explanation.prompt.format


@given(junk, st.sampled_from(["token", "candidates", "log_mass", "after_beginning", "ends", "text"]))
def test_step_with_junk_in_it_then_refused_or_of_the_right_types(found, key):
    lines, _ = STEP
    line = {**lines[1], "step": {**lines[1]["step"], key: found}}
    try:
        step, _, _ = stream.to_step(line)
    except WireError:
        return
    assert isinstance(step.token, int)
    assert isinstance(step.text, str)
    assert isinstance(step.ends, bool)


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"text": "a"},
        {"text": 1, "log_probability": 0.0, "timings": {}},
        {"text": "a", "log_probability": True, "timings": {}},
        pytest.param({"text": "a", "log_probability": 10**400, "timings": {}}, id="huge"),
        {"text": "a", "finish_reason": "because", "log_probability": 0.0, "timings": {}},
        {"text": "a", "log_probability": 0.0, "timings": {"prompt_tokens": -1}},
    ],
)
def test_piece_that_is_none_then_refused(line):
    with pytest.raises(WireError):
        stream.to_progress(line)


def test_step_with_a_number_that_is_too_large_then_refused():
    line = next(line for line in STEP[0] if "step" in line)
    with pytest.raises(WireError):
        stream.to_step(line | {"stages": {"forward": 10**400}})
    with pytest.raises(WireError):
        stream.to_step(line | {"step": line["step"] | {"log_mass": [10**400]}})


def test_observer_that_ignores_steps_then_nothing_happens():
    step, text, spent = stream.to_step(STEP[0][1])
    CompletionObserver().stepped(step, text)
    CompletionObserver().spent(spent)


STEP = lines_of(MARKED)
