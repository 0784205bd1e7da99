"""The local engine: what its session receives, and which text comes out."""

import numpy as np
import pytest
from attrs import evolve

from aide_lsp.completion.model import ALL_PARAMETERS
from aide_lsp.completion.observer import CompletionObserver
from aide_lsp.completion.prompt import build_prompt
from aide_lsp.engines.local import LoadedModel, LocalModel
from aide_lsp.engines.turns import SHARED_CHUNK_ROWS
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import Parameters
from tests.fakes import (
    CONTROL_TOKENS,
    VOCAB_SIZE,
    ByteTokenizer,
    FakeSession,
    babbling,
    continuing,
    description,
    saying,
)

BOS = VOCAB_SIZE - 1
GREEDY = GenerationOptions(Parameters(temperature=0.0, seed=0), max_tokens=40)


def model_of(script, **options) -> tuple[LocalModel, FakeSession]:
    session = FakeSession(script, **options)
    return LocalModel(LoadedModel(ByteTokenizer(), session, description())), session


def prompt_for(before: str, after: str = "\n"):
    return build_prompt(before, after, 1000, len, reads_suffix=True)


def generate(model: LocalModel, before: str, options: GenerationOptions = GREEDY):
    generation = model.generate(prompt_for(before), options, CancelToken())
    text = "".join(generation)
    generation.close()
    return text, generation


def test_info_is_what_folder_and_session_say():
    model, _ = model_of(babbling(), context_length=2000)
    info = model.info
    assert (info.id, info.engine, info.device, info.recipe) == ("fake", "onnx", "cpu", "exact")
    assert (info.limits.vocab_size, info.limits.context_length) == (VOCAB_SIZE, 2000)
    assert (info.runs_on, info.folder, info.honored) == ("CPU, recipe exact", None, ALL_PARAMETERS)
    assert info.reads_suffix
    without_format = LoadedModel(ByteTokenizer(), FakeSession(babbling()), description(fim=None))
    assert not LocalModel(without_format).info.reads_suffix


def test_generate_does_not_show_the_healed_text():
    model, session = model_of(continuing({"def f():\n   ": " return 1\n"}))
    assert generate(model, "def f():\n    ret")[0] == "urn 1\n"
    shown = bytes(i for i in session.forwards[0][0] if i < 256)
    assert shown.rstrip(b" ").endswith(b"def f():\n")


def test_generate_begins_as_the_user_did_where_the_model_would_not():
    model, _ = model_of(continuing({"def f():\n   ": " return 1\n", "def f():\n    rai": "se\n"}))
    assert generate(model, "def f():\n    rai")[0] == "se\n"


@pytest.mark.parametrize("name", CONTROL_TOKENS)
def test_generate_ends_at_any_control_token(name):
    """Also if neither the card nor the format names it: the model has left the text."""

    def script(held):
        logits = np.zeros(VOCAB_SIZE, np.float32)
        logits[ord("y") if held[-1] == ord("=") else CONTROL_TOKENS[name] if held[-1] == ord("y") else 0] = 9
        return logits

    model = LocalModel(LoadedModel(ByteTokenizer(), FakeSession(script), description(fim=None)))
    text, generation = generate(model, "x =")
    assert (text, generation.finish_reason) == ("y", "stop")


def test_generate_while_a_word_is_typed_prefills_nothing_again():
    model, session = model_of(continuing({"value =": " function(argument)\n"}))
    generate(model, "x = 1\nvalue = ")
    for typed in ("f", "fu", "fun", "func"):
        session.forwards.clear()
        text, generation = generate(model, "x = 1\nvalue = " + typed)
        assert text == " function(argument)\n".removeprefix(" " + typed)
        assert generation.timings.cached_tokens >= generation.timings.prompt_tokens - 2


@pytest.mark.parametrize("before", ["", "x", "x = ", "def f(", "\u00e9t\u00e9", "\U0001f600", "a" * 200])
def test_generate_never_loses_text_before_the_cursor(before):
    """What the session has run is suffix, prefix and then the text."""
    for seed in range(5):
        model, session = model_of(babbling(seed))
        warm = evolve(GREEDY, parameters=Parameters(temperature=1.0, seed=seed))
        text, _ = generate(model, before, warm)
        read = ByteTokenizer().decode(session.held)
        assert len(text) > 1
        assert read.startswith("\n" + before + text[0])


def test_generate_counts_only_new_tokens():
    model, _ = model_of(continuing({"def f():\n   ": " return 1\n"}))
    text, generation = generate(model, "def f():\n    ret", evolve(GREEDY, max_tokens=3))
    assert (text, generation.finish_reason) == ("urn", "length")


@pytest.mark.parametrize(("max_tokens", "text"), [(2, "a\ufffd"), (3, "a\u00e9"), (9, "a\u00e9b")])
def test_generate_gives_complete_characters_and_the_rest_of_a_broken_one_at_the_end(max_tokens, text):
    model, _ = model_of(saying("a\u00e9b", after=len("x\n") + 4))
    generation = model.generate(prompt_for("x\n"), evolve(GREEDY, max_tokens=max_tokens), CancelToken())
    pieces = [(piece, generation.finish_reason) for piece in generation]
    assert "".join(piece for piece, _ in pieces) == text
    assert all(reason is None for piece, reason in pieces if piece != "\ufffd")


def test_generate_when_closed_early_then_it_has_stopped():
    model, _ = model_of(continuing({"x = ": "foo(bar)\n"}))
    generation = model.generate(prompt_for("x = "), GREEDY, CancelToken())
    assert next(iter(generation)) == "f"
    generation.close()
    assert generation.finish_reason == "stop"


def test_generate_when_cancelled_then_raises():
    model, session = model_of(continuing({"x = ": "foo(bar)\n"}))
    token = CancelToken()
    session.on_forward = lambda count: token.cancel()
    with pytest.raises(Cancelled):
        "".join(model.generate(prompt_for("x = "), GREEDY, token))
    with pytest.raises(Cancelled):
        model.prefill(prompt_for("x = "), GREEDY, token)


def test_prefill_runs_what_generate_would_run_and_no_more():
    model, _ = model_of(continuing({"x = 1\ny =": " 2\n"}))
    count = model.prefill(prompt_for("x = 1\ny = "), GREEDY, CancelToken())
    assert count == len("x = 1\ny =\n") + 3
    assert model.prefill(prompt_for("x = 1\ny = "), GREEDY, CancelToken()) <= 2
    text, generation = generate(model, "x = 1\ny = ")
    assert (text, generation.timings.cached_tokens >= count - 2) == ("2\n", True)


def test_prefill_next_then_both_the_prompt_and_the_next_one_are_held():
    model, session = model_of(babbling())
    here, there = "x = 1\ny = " * 8, prompt_for("z = 2\n" * 60)
    first, _ = generate(model, here)
    asked = len(session.forwards)
    count = model.prefill(evolve(there, is_next=True), GREEDY, CancelToken())
    rows = [len(ids) for ids, _, _ in session.forwards[asked:]]
    assert count > 4 * SHARED_CHUNK_ROWS
    assert max(rows) == SHARED_CHUNK_ROWS
    again, generation = generate(model, here)
    assert again == first
    assert generation.timings.prompt_tokens - generation.timings.cached_tokens <= 2
    assert model.prefill(there, GREEDY, CancelToken()) <= 2


def test_prefill_next_when_it_is_interrupted_then_what_was_run_stays():
    model, session = model_of(babbling())
    generate(model, "x = 1\n" * 20)
    there, token = evolve(prompt_for("z = 2\n" * 60), is_next=True), CancelToken()
    asked = len(session.forwards)
    session.on_forward = lambda count: token.cancel() if count == asked + 3 else None
    with pytest.raises(Cancelled):
        model.prefill(there, GREEDY, token)
    left = model.prefill(there, GREEDY, CancelToken())
    cold, _ = model_of(babbling())
    whole = cold.prefill(evolve(there, is_next=False), GREEDY, CancelToken())
    assert 0 < left <= whole - 2 * SHARED_CHUNK_ROWS


def test_prefill_next_when_nothing_was_asked_then_nothing_is_done():
    model, _ = model_of(babbling())
    assert model.prefill(evolve(prompt_for("x = "), is_next=True), GREEDY, CancelToken()) == 0


def test_self_test_leaves_what_was_prefilled():
    model, _ = model_of(babbling())
    model.prefill(prompt_for("x = 1\ny = "), GREEDY, CancelToken())
    assert model.self_test()
    assert model.prefill(prompt_for("x = 1\ny = "), GREEDY, CancelToken()) <= 2


def test_release_memory_drops_what_was_prefilled():
    model, _ = model_of(babbling())
    count = model.prefill(prompt_for("x = 1\ny = "), GREEDY, CancelToken())
    model.release_memory()
    assert model.prefill(prompt_for("x = 1\ny = "), GREEDY, CancelToken()) == count


class SpacedTokenizer(ByteTokenizer):
    """Of a model that was trained on texts with a blank before them."""

    space_prefix = True

    def control_name(self, token: int) -> str:
        return "<|bos|>" if token == BOS else ""


class RenderedPrompts(CompletionObserver):
    traces = True

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def rendered(self, rendered) -> None:
        self.pieces = [piece.text for piece in rendered.pieces]


@pytest.mark.parametrize(("before", "read"), [("x = ", b" x ="), ("x", b"")])
def test_prompt_begins_with_bos_and_the_blank_that_the_model_was_trained_on(before, read):
    """The blank is before the text left of the cursor only, if there is any, never before healed text."""
    folder = evolve(description(), bos=BOS)
    session = FakeSession(saying("1", after=10**6))
    model, observer = LocalModel(LoadedModel(SpacedTokenizer(), session, folder)), RenderedPrompts()
    model.generate(prompt_for(before, "after\n"), GREEDY, CancelToken(), observer).close()
    assert observer.pieces[0] == "<|bos|>"
    assert observer.pieces[-2:] == ["<|fim_middle|>", read.decode()]
    "".join(model.generate(prompt_for(before, "after\n"), evolve(GREEDY, max_tokens=1), CancelToken()))
    assert session.held[0] == BOS
    assert bytes(i for i in session.held if i < 256).startswith(b"after\n" + read)


def test_a_card_lets_a_model_read_other_files_only_if_its_format_names_them():
    shares = [
        LoadedModel(ByteTokenizer(), FakeSession(babbling()), description(fim=fim), context_share=0.25).info
        for fim in ("qwen2.5-coder", None)
    ]
    assert [info.context_share for info in shares] == [0.25 if info.reads_files else 0.0 for info in shares]
    assert not shares[1].reads_files
