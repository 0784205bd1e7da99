"""One model for many clients: whatever the others do, each gets what it would get alone."""

from pathlib import Path
from threading import Event, Thread

import pytest
from attrs import evolve, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.completion.observer import CompletionObserver
from aide_lsp.completion.prompt import build_prompt
from aide_lsp.engines import engine as engine_module
from aide_lsp.engines.engine import MOST_CACHES, MOST_REQUESTS, MOST_SESSIONS, Engine
from aide_lsp.engines.local import LoadedModel, LocalModel, load_model
from aide_lsp.engines.request_queue import LONGEST
from aide_lsp.errors import BrokenSessionError, BusyError, MemoryShortError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import RowRule
from aide_lsp.settings.fields import Parameters
from tests.fakes import VOCAB_SIZE, ByteTokenizer, FakeSession, babbling, description
from tests.patience import PATIENCE

RULES = {
    "pairs": RowRule(multiple=2),
    "blocks": RowRule(block=32),
    "steps": RowRule(block=32, step=8),
}
WARM = GenerationOptions(Parameters(1.0, 50, 0.95, seed=3), max_tokens=12)
PROMPT = build_prompt("x = 1\n" * 40 + "def f(a):\n    return a", "\n", 1000, len, reads_suffix=True)


def parts(session=None):
    return LoadedModel(ByteTokenizer(), session or FakeSession(babbling()), description())


def text_of(model, prompt=PROMPT, options=WARM, cancel=None, **observer):
    """The text, and how it ended."""
    generation = model.generate(prompt, options, cancel or CancelToken(), **observer)
    try:
        return "".join(generation), generation.finish_reason
    finally:
        generation.close()


@frozen
class Asked:
    """One request of a client."""

    before: str
    after: str
    document: str
    options: GenerationOptions
    does: str
    "`generate`, `prefill`, `prefill next`, or `cancel`: generate, and cancel at one of the next forwards."


texts = st.text("ab (\n", max_size=12).flatmap(
    lambda tail: st.sampled_from(["", "x = 1\n" * 60]).map(lambda t: t + tail)
)
asked = st.builds(
    Asked,
    before=texts,
    after=st.sampled_from(["", "\n", ")\ny = 2\n"]),
    document=st.sampled_from(["", "a.py", "b.py"]),
    options=st.builds(
        GenerationOptions,
        parameters=st.builds(
            Parameters,
            temperature=st.sampled_from([0.0, 0.7, 1.0]),
            top_k=st.sampled_from([1, 50, 64, VOCAB_SIZE]),
            top_p=st.sampled_from([0.5, 0.95, 1.0]),
            seed=st.integers(0, 3),
        ),
        max_tokens=st.integers(0, 10),
        candidate=st.integers(0, 2),
    ),
    does=st.sampled_from(["generate", "generate", "prefill", "prefill next", "cancel"]),
)
clients = st.lists(st.lists(asked, min_size=1, max_size=4), min_size=2, max_size=4)


@settings(max_examples=60, deadline=None)
@given(clients, st.sampled_from(sorted(RULES)), st.sampled_from([1, 2000, 10**6]))
def test_several_clients_at_once_then_each_gets_what_it_gets_alone(clients, rule, cache_bytes):
    """The fake session refuses forwards on what its KV cache does not hold, and of other shapes."""
    to_cancel = []

    def on_forward(count):
        if to_cancel and count % 3 == 0:
            to_cancel.pop().cancel()

    engine = Engine(parts(FakeSession(babbling(), row_rule=RULES[rule], on_forward=on_forward)))
    engine.slots._max_bytes, engine.slots._most_bytes = cache_bytes, MOST_CACHES * cache_bytes
    results = {}

    def run(number, requests):
        model = engine.session(str(number))
        for at, one in enumerate(requests):
            cancel = CancelToken()
            if one.does == "cancel":
                to_cancel.append(cancel)
            prompt = evolve(
                build_prompt(one.before, one.after, 1000, len, reads_suffix=True), document=one.document
            )
            try:
                if one.does.startswith("prefill"):
                    is_next = one.does == "prefill next"
                    model.prefill(evolve(prompt, is_next=is_next), one.options, cancel)
                else:
                    results[number, at] = text_of(model, prompt, one.options, cancel)
            except Cancelled:
                assert one.does == "cancel"

    threads = [Thread(target=run, args=client) for client in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    for (number, at), result in results.items():
        one = clients[number][at]
        prompt = build_prompt(one.before, one.after, 1000, len, reads_suffix=True)
        alone = LocalModel(parts(FakeSession(babbling(), row_rule=RULES[rule])))
        assert result == text_of(alone, prompt, one.options)
    expected = {
        (n, at) for n, client in enumerate(clients) for at, one in enumerate(client) if one.does == "generate"
    }
    assert expected <= set(results)
    assert engine.load.running == engine.load.waiting == 0


@pytest.mark.parametrize("top_k", [50, VOCAB_SIZE])
def test_explained_while_another_generates_then_its_steps_are_those_of_alone(top_k):
    options = evolve(WARM, parameters=Parameters(1.0, top_k, 0.95, seed=3))

    class Recorder(CompletionObserver):
        traces = True

        def __init__(self):
            self.drawn = []

        def drew(self, draw):
            self.drawn.append((draw.token, draw.full_logits().tobytes()))

    def drawn_by(model):
        recorder = Recorder()
        text_of(model, options=options, observer=recorder)
        return recorder.drawn

    engine, done = Engine(parts()), Event()

    def disturb():
        while not done.is_set():
            text_of(engine.session("other"), options=evolve(WARM, parameters=Parameters(seed=9)))

    thread = Thread(target=disturb)
    thread.start()
    try:
        drawn = drawn_by(engine.session("one"))
    finally:
        done.set()
        thread.join(PATIENCE)
    assert drawn == drawn_by(LocalModel(parts()))
    assert drawn


def test_newest_request_of_a_document_then_the_older_one_ends():
    session = FakeSession(babbling())
    engine, prompt, cancel = Engine(parts(session)), evolve(PROMPT, document="a.py"), CancelToken()
    older = engine.session("one").generate(prompt, WARM, cancel)
    pieces = iter(older)
    next(pieces)
    newer = engine.session("one").generate(prompt, WARM, CancelToken())
    with pytest.raises(Cancelled):
        list(pieces)
    older.close()
    assert "".join(newer) == text_of(LocalModel(parts()))[0]
    newer.close()


def test_same_document_of_another_client_then_both_go_on():
    engine, prompt = Engine(parts()), evolve(PROMPT, document="a.py")
    one = engine.session("one").generate(prompt, WARM, CancelToken())
    pieces = iter(one)
    begun = next(pieces)
    assert text_of(engine.session("other"), prompt) == text_of(LocalModel(parts()))
    assert begun + "".join(pieces) == text_of(LocalModel(parts()))[0]
    one.close()


def test_ended_session_whose_generation_still_runs_then_a_new_one_of_its_name_has_nothing_of_it():
    engine, alone = Engine(parts()), text_of(LocalModel(parts()))[0]
    old = engine.session("one").generate(PROMPT, WARM, CancelToken())
    pieces = iter(old)
    begun = next(pieces)
    engine.end_session("one")
    assert text_of(engine.session("one"))[0] == alone
    assert begun + "".join(pieces) == alone
    old.close()
    engine.end_session("one")
    assert engine.load.cached_bytes == engine.load.sessions == 0


def test_release_of_one_client_then_others_keep_what_they_have():
    session = FakeSession(babbling())
    engine = Engine(parts(session))
    for name in ("one", "other"):
        text_of(engine.session(name))
    engine.session("other").release_memory()
    for name, is_cached in [("one", True), ("other", False)]:
        generation = engine.session(name).generate(PROMPT, WARM, CancelToken())
        list(generation)
        assert (generation.timings.cached_tokens > 0) == is_cached
        generation.close()


def test_deadline_passed_while_it_waits_then_a_timeout_without_text():
    engine = Engine(parts())
    first = engine.session("one").generate(PROMPT, WARM, CancelToken())
    next(iter(first))
    assert text_of(engine.session("one"), options=evolve(WARM, deadline_ms=1)) == ("", "timeout")
    first.close()


def test_too_many_requests_then_busy_and_room_again_after_they_end():
    engine = Engine(parts())
    names = [str(number // LONGEST) for number in range(MOST_REQUESTS)]
    begun = [engine.session(name).generate(PROMPT, WARM, CancelToken()) for name in names]
    with pytest.raises(BusyError, match=str(MOST_REQUESTS)):
        engine.session("one").generate(PROMPT, WARM, CancelToken())
    assert engine.load.running + engine.load.waiting == MOST_REQUESTS
    for generation in begun:
        generation.close()
    assert text_of(engine.session("one"))[1]


def test_too_many_sessions_then_the_one_used_longest_ago_ends():
    engine = Engine(parts())
    text_of(engine.session("first"))
    for number in range(MOST_SESSIONS):
        engine.session(str(number))
    assert engine.load.sessions == MOST_SESSIONS
    assert engine.load.cached_bytes == 0


def test_memory_that_others_use_then_a_generation_waits_for_its_end():
    session = FakeSession(babbling())
    engine, results = Engine(parts(session)), []
    engine.slots._max_bytes = engine.slots._most_bytes = 100
    first = engine.session("one").generate(PROMPT, WARM, CancelToken())
    pieces = iter(first)
    next(pieces)
    thread = Thread(target=lambda: results.append(text_of(engine.session("other"))))
    thread.start()
    list(pieces)
    assert not results
    first.close()
    thread.join(PATIENCE)
    assert results == [text_of(LocalModel(parts()))]


def test_broken_session_then_all_requests_fail_and_the_owner_is_called_once():
    class Breaking(FakeSession):
        is_broken = False

        def forward(self, ids, past, logit_rows, cancel):
            if self.is_broken:
                raise BrokenSessionError("The runtime failed.")
            return super().forward(ids, past, logit_rows, cancel)

    session, called = Breaking(babbling()), []
    engine = Engine(parts(session))
    engine.breaks = called.append
    waits = engine.session("one").generate(PROMPT, WARM, CancelToken())
    session.is_broken = True
    for name in ("other", "third"):
        with pytest.raises(BrokenSessionError):
            text_of(engine.session(name))
    session.is_broken = False  # what it would give now is worth nothing
    with pytest.raises(BrokenSessionError):
        list(waits)
    waits.close()
    with pytest.raises(BrokenSessionError):
        engine.session("one").prefill(PROMPT, WARM, CancelToken())
    assert len(called) == 1


def test_memory_short_then_the_engine_drops_what_is_prefilled_and_goes_on():
    class Short(FakeSession):
        is_short = False

        def forward(self, ids, past, logit_rows, cancel):
            if self.is_short:
                raise MemoryShortError("Not enough memory.")
            return super().forward(ids, past, logit_rows, cancel)

    session = Short(babbling())
    engine = Engine(parts(session))
    expected = text_of(engine.session("other"))
    session.is_short = True
    with pytest.raises(MemoryShortError):
        text_of(engine.session("one"))
    session.is_short = False
    assert engine.load.cached_bytes == 0
    assert text_of(engine.session("other")) == expected


def test_self_test_then_it_runs_once_for_all():
    session = FakeSession(babbling())
    engine = Engine(parts(session))
    assert engine.session("one").self_test()
    rows = session.rows_run
    assert engine.session("other").self_test()
    assert session.rows_run == rows


@pytest.mark.real_model
def test_four_clients_at_once_with_the_real_model_then_each_gets_what_it_gets_alone(real_model_dir):
    source = Path(engine_module.__file__).read_text(encoding="utf-8").splitlines(keepends=True)
    options = [
        GenerationOptions(Parameters(1.0, top_k, 0.95, seed=seed), max_tokens=10)
        for seed, top_k in enumerate([50, 50, 200, 1])
    ]
    loaded = load_model(real_model_dir, "cpu", 2, fim="qwen2.5-coder")
    engine = Engine(loaded)

    def prompts_of(client):
        """Of someone who types on: warm after the first."""
        for line in (60, 61, 62):
            before, after = "".join(source[: line + 20 * client]), "".join(source[line + 20 * client :])
            yield build_prompt(before + "    return s", after, 300, loaded.count_tokens, reads_suffix=True)

    def texts_of(model, client):
        return [text_of(model, prompt, options[client])[0] for prompt in prompts_of(client)]

    together = {}

    def run(client):
        together[client] = texts_of(engine.session(str(client)), client)

    threads = [Thread(target=run, args=(client,)) for client in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    alone = {client: texts_of(LocalModel(loaded), client) for client in range(4)}
    assert together == alone
    assert all(any(texts) for texts in alone.values())
