"""What a client and an engine send each other: it arrives as it was, and what is invalid does not."""

import json
from contextlib import suppress

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.engines.shared import wire
from aide_lsp.errors import (
    BrokenSessionError,
    BusyError,
    MemoryShortError,
    PromptLengthError,
    StuckSessionError,
)
from aide_lsp.inference.cancel import Cancelled
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import Parameters
from aide_lsp.settings.limits import ModelLimits

LIMITS = ModelLimits(151_936, 32_768)
INFO = ModelInfo("m", "onnx", "cpu", "exact", 151_936, 32_768, replays=True, explains=True, device_note="why")

anything = st.text(st.characters(exclude_categories=()), max_size=30)
parts = st.one_of(
    st.builds(PromptPart, st.sampled_from(PartKind), anything),
    st.builds(
        lambda text, line, score: PromptPart(PartKind.EXCERPT, text, Excerpt("a/b.py", line, text, score)),
        anything,
        st.integers(0, 10_000),
        st.floats(-1e9, 1e9),
    ),
)
prompts = st.builds(
    Prompt,
    st.lists(parts, max_size=5).map(tuple),
    healed=anything,
    closers=anything,
    document=anything,
    is_next=st.booleans(),
)
options = st.builds(
    GenerationOptions,
    parameters=st.builds(
        Parameters,
        temperature=st.floats(0, 1),
        top_k=st.integers(1, 151_936),
        top_p=st.floats(0, 1),
        num_context=st.integers(1, 32_000),
        seed=st.none() | st.integers(-(1 << 200), 1 << 200),
    ),
    max_tokens=st.integers(0, 1000),
    candidate=st.integers(0, 100),
    show=st.sampled_from(["fitting", "all"]),
    min_confidence=st.floats(0, 1),
    deadline_ms=st.integers(0, 10_000),
    drawn_seed=st.integers(0, (1 << 31) - 1),
)
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | anything,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(anything, inner, max_size=3),
    max_leaves=8,
)


def sent(data):
    """What arrives of it."""
    return json.loads(json.dumps(data))


@given(prompts)
def test_prompt_when_sent_then_the_same(prompt):
    assert wire.to_prompt(sent(wire.from_prompt(prompt))) == prompt


@given(options)
def test_options_when_sent_then_the_same_with_the_drawn_seed(given_options):
    arrived = wire.to_options(sent(wire.from_options(given_options)), LIMITS)
    assert arrived == given_options
    assert arrived.drawn_seed == given_options.drawn_seed


def test_info_and_timings_when_sent_then_the_same():
    assert wire.to_info(sent(wire.from_info(INFO))) == INFO
    assert wire.to_info(sent(wire.from_info(INFO)) | {"news": 1}) == INFO
    timings = Timings(10, 3, 4, 2, 1.25, 0.1 + 0.2)
    assert wire.to_timings(sent(wire.from_timings(timings))) == timings


@pytest.mark.parametrize(
    "error",
    [
        Cancelled(),
        BusyError("much", 2.5),
        StuckSessionError("s"),
        BrokenSessionError("b"),
        MemoryShortError("m"),
        PromptLengthError("l"),
    ],
)
def test_error_when_sent_then_of_the_same_kind_with_its_message(error):
    arrived = wire.to_error(sent(wire.from_error(error)))
    assert type(arrived) is type(error)
    assert str(arrived) == str(error)
    assert getattr(arrived, "wait", None) == getattr(error, "wait", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("context_length", 0), ("context_length", -5), ("context_length", 1 << 40),
        pytest.param("vocabulary_size", 10**4000, id="huge"),
        pytest.param("device_note", "x" * 10**6, id="long"),
    ],
)  # fmt: skip
def test_fact_out_of_its_range_then_refused(name, value):
    with pytest.raises(wire.WireError, match=name):
        wire.to_info(wire.from_info(INFO) | {name: value})


def test_fact_with_half_a_character_then_it_can_be_recorded():
    assert wire.to_info(wire.from_info(INFO) | {"recipe": "a\ud800ä"}).recipe == "a?ä"


def test_error_of_a_library_when_sent_then_without_its_message():
    assert "secret" not in json.dumps(wire.from_error(ValueError("secret text")))


@pytest.mark.parametrize("error", [Cancelled(), ValueError("secret text")])
def test_error_without_a_message_for_others_when_sent_then_a_sentence(error):
    assert wire.from_error(error)["message"].endswith(".")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", -1), ("max_tokens", True), ("max_tokens", 1.5), ("max_tokens", 10**9),
        ("candidate", -1),
        ("show", "x"), ("min_confidence", float("nan")), ("min_confidence", 2), ("deadline_ms", float("inf")),
        ("drawn_seed", None), pytest.param("drawn_seed", 1 << 20_000, id="long"),
    ],
)  # fmt: skip
def test_option_out_of_its_range_then_refused(name, value):
    data = wire.from_options(GenerationOptions(Parameters(), 8)) | {name: value}
    with pytest.raises(wire.WireError, match=name):
        wire.to_options(data, LIMITS)


@pytest.mark.parametrize(
    ("name", "value"),
    [("top_k", 0), ("top_k", 151_937), ("temperature", 1.1), ("num_context", 10**9), ("top_p", None)],
)
def test_parameter_out_of_its_range_then_refused(name, value):
    data = wire.from_options(GenerationOptions(Parameters(), 8))
    data["parameters"] |= {name: value}
    with pytest.raises(wire.WireError, match=name):
        wire.to_options(data, LIMITS)


def test_prompt_of_a_client_that_prefills_nothing_for_the_next_line_then_read():
    data = wire.from_prompt(Prompt((PromptPart(PartKind.PREFIX, "x"),)))
    assert not wire.to_prompt({key: value for key, value in data.items() if key != "is_next"}).is_next
    with pytest.raises(wire.WireError, match="is_next"):
        wire.to_prompt(data | {"is_next": 1})


@given(junk, st.sampled_from(["prompt", "options", "info", "timings", "error"]), st.data())
def test_anything_that_arrives_then_a_value_or_a_sentence(value, what, data):
    valid = {
        "prompt": wire.from_prompt(Prompt((PromptPart(PartKind.PREFIX, "x"),))),
        "options": wire.from_options(GenerationOptions(Parameters(), 8)),
        "info": wire.from_info(evolve(INFO, host="h")),
        "timings": wire.from_timings(Timings()),
        "error": wire.from_error(BusyError("x")),
    }[what]
    key = data.draw(st.sampled_from(sorted(valid)))
    readers = {"options": lambda it: wire.to_options(it, LIMITS)}
    read = readers.get(what) or getattr(wire, f"to_{what}")
    for message in (value, valid | {key: value}):
        with suppress(wire.WireError):
            read(message)
