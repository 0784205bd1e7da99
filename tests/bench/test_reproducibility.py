"""The replay of editing histories: on a tiny model, on one that breaks the promise, and on the real one."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import evolve

from aide_lsp.bench.histories import open_history
from aide_lsp.bench.reproducibility import ModelLoader, Plan, open_model, replay
from aide_lsp.context.reader import ContextReader
from tests.fakes import ByteTokenizer, FakeSession, babbling, description
from tests.tiny_model import TinySpec, tiny_model_folder

PLAN = Plan(histories=4, requests=20, first=2, max_tokens=8, num_context=1600)
"""A token is a byte here. The first histories have no other file that matches well enough to be read."""


def differing(model: ModelLoader, plan: Plan = PLAN) -> dict[str, int]:
    """Return how many answers differ, by the way in which requests were repeated."""
    outcome = replay(model, plan, lambda share, sentence: None)
    assert outcome.compared[0].answers == plan.requests
    assert sum(compared.answers for compared in outcome.compared[1:]) > 0
    assert 0 < outcome.cached_tokens < outcome.prompt_tokens
    assert outcome.with_files > plan.requests / 10
    assert 0 < outcome.with_names < outcome.with_files
    return {compared.title: compared.differ for compared in outcome.compared}


def test_a_session_that_depends_on_the_text_alone_then_nothing_differs():
    model = ModelLoader(ByteTokenizer(), description(), lambda threads: FakeSession(babbling()))
    assert set(differing(model).values()) == {0}


def test_a_session_that_remembers_then_it_is_noticed():
    def remembering(threads):
        session = FakeSession(lambda ids: babbling(len(session.forwards) % 7)(ids))
        return session

    found = differing(ModelLoader(ByteTokenizer(), description(), remembering))
    assert found["nothing was prefilled yet"] > 0


def test_a_reader_of_other_files_that_remembers_then_it_is_noticed(monkeypatch):
    remembered, select = {}, ContextReader.select

    def remembering(reader, place, limit, aside=False):
        if reader not in remembered:
            remembered[reader] = select(reader, place, limit, aside=aside)
        return remembered[reader]

    monkeypatch.setattr(ContextReader, "select", remembering)
    model = ModelLoader(ByteTokenizer(), description(), lambda threads: FakeSession(babbling()))
    assert differing(model)["nothing was prefilled yet"] > 0


@pytest.mark.parametrize(
    ("spec", "recipe"),
    [
        *((TinySpec(), recipe) for recipe in ("exact", "int4", "fast", "fp16")),
        # A window and bounds; norms of heads, whose size makes rows depend on each other; learned positions.
        (TinySpec("gemma2", biases=False, metadata=(("attention.sliding_window", 100),)), "exact"),
        (TinySpec("gemma3", biases=False, key_length=256), "exact"),
        (TinySpec("starcoder", kv_head_count=1), "exact"),
    ],
    ids=lambda one: one.architecture if isinstance(one, TinySpec) else one,
)
def test_a_tiny_model_then_nothing_differs(spec, recipe, tmp_path):
    model = open_model(tiny_model_folder(tmp_path / "model", spec, recipe), "cpu")
    model = evolve(model, description=evolve(model.description, fim="qwen2.5-coder"))
    assert set(differing(model).values()) == {0}


def test_histories_are_the_same_for_the_same_number_and_visit_many_languages():
    def requests(number):
        with TemporaryDirectory() as folder:
            history = open_history(number, Path(folder), max_tokens=8, num_context=200)
            return [(history.step(), history.state()) for _ in range(20)]

    assert requests(3) == requests(3) != requests(4)
    assert len({request.language_id for n in range(20) for request, _ in requests(n)}) >= 6


def test_files_on_the_disk_and_in_the_editor_are_what_a_history_says(tmp_path):
    history = open_history(5, tmp_path, max_tokens=8, num_context=200)
    states = []
    for _ in range(200):
        request, state = history.step(), history.state()
        assert {path.name: path.read_bytes().decode() for path in tmp_path.iterdir()} == state.saved
        assert state.opened[request.path] == request.text
        states.append(state)
    assert len({tuple(sorted(state.saved)) for state in states}) > 1
    assert any(state.opened.items() - state.saved.items() for state in states)


def test_prompts_that_the_completion_cache_answered_count_neither_as_run_nor_as_cached(monkeypatch):
    with TemporaryDirectory() as folder:
        history = open_history(1, Path(folder), max_tokens=8, num_context=200)
        request = history.step()
    monkeypatch.setattr(type(history), "step", lambda self: request)
    model = ModelLoader(ByteTokenizer(), description(), lambda threads: FakeSession(babbling()))
    once = replay(model, evolve(PLAN, histories=1, requests=1), lambda share, sentence: None)
    often = replay(model, evolve(PLAN, histories=1, requests=4), lambda share, sentence: None)
    assert (once.reused, often.reused) == (0, 3)
    assert (often.prompt_tokens, often.cached_tokens) == (once.prompt_tokens, once.cached_tokens)


@pytest.mark.real_model
def test_the_real_model_then_nothing_differs(real_model_dir):
    plan = Plan(histories=2, requests=8, first=22, max_tokens=12, loadings=1)
    assert set(differing(open_model(real_model_dir, "cpu"), plan).values()) == {0}
