"""Sessions on CUDA: the same code on a stand-in with the CPU's kernels and a device's memory."""

import numpy as np
import pytest
from device import lend_device, open_on_device
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_model import tiny_model_folder

from aide_lsp.errors import SessionError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.drafting import Drafter
from aide_lsp.inference.generate import generate
from aide_lsp.inference.onnx import session_aide
from aide_lsp.inference.onnx.cuda_graphs import MOST_GRAPHS, NOT_CAPTURED, CudaGraphs
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache, RowRule
from aide_lsp.inference.self_test import keeps_bits
from aide_lsp.inference.slots import Slots
from aide_lsp.settings.fields import Parameters

TEXT = np.random.default_rng(1).integers(0, 384, size=2000).tolist()
WARM = Parameters(1.0, 50, 0.95, seed=3)
RULE = RowRule(block=32, step=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model_folder(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="module")
def cpu(folder):
    return open_session(folder, "cpu", 2)


@pytest.fixture(scope="module")
def patched():
    with pytest.MonkeyPatch.context() as monkeypatch:
        lend_device(monkeypatch)
        yield monkeypatch


@pytest.fixture
def cuda(folder, patched):
    session = open_on_device(folder)
    assert (session.provider, session.provider_note, session.row_rule) == ("cuda", None, RULE)
    return session


def best_after(session, past, begin, end):
    """Run a piece of the text after `past` tokens; return the best tokens and all logits of its last."""
    found = session.forward(TEXT[begin:end], past, [end - begin - 1], CancelToken())
    return found.ids, session.full_logits()


def test_forward_when_it_runs_on_a_device_then_reads_what_it_is_complete(cpu, cuda):
    places = ((0, 0, 32), (0, 100, 132), (32, 132, 140), (40, 140, 148), (36, 200, 208), (8, 300, 332))
    for place in places:
        for found, expected in zip(best_after(cuda, *place), best_after(cpu, *place), strict=True):
            np.testing.assert_array_equal(found, expected)


def said(session, prompt, drafter, cache, count):
    """Return what is generated, and keys, values and logits of all that."""
    tokens = list(
        generate(session, cache, prompt, GenerationOptions(WARM, count), CancelToken(), drafter=drafter)
    )
    list(generate(session, cache, prompt + tokens, GenerationOptions(WARM, 1), CancelToken()))
    return tokens, session.full_logits().tobytes(), kv_bytes(session, len(prompt) + count)


def kv_bytes(session, length):
    return {name: array.tobytes() for name, array in session.kv.arrays(length).items()}


histories = st.lists(
    st.tuples(st.integers(1, 1100), st.lists(st.integers(0, 3), max_size=12), st.integers(1, 20)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(histories)
def test_generate_when_steps_are_captured_then_all_is_as_on_a_cold_cpu(cpu, folder, patched, history):
    """With several texts held, drafts of their ends, buffers that grow, and graphs that come and go."""
    cuda = open_on_device(folder)
    slots, drafter = Slots(cuda, max_bytes=3 * cuda.kv.bytes + 1), Drafter()
    for length, tail, count in history:
        prompt = TEXT[:length] + tail
        found = said(cuda, prompt, drafter, slots.take(prompt), count)
        assert found == said(cpu, prompt, None, PrefixCache(), count)


def test_generate_when_texts_come_and_go_then_few_graphs_serve_them(cuda):
    one = cuda.kv.bytes
    slots = Slots(cuda, max_bytes=3 * one)
    for turn in range(30):
        prompt = TEXT[turn * 40 :][:100] + TEXT[: turn * 30]
        list(generate(cuda, slots.take(prompt), prompt, GenerationOptions(WARM, 3), CancelToken()))
        assert slots.bytes <= 3 * one
    assert len(cuda._session.graphs) <= 8
    assert NOT_CAPTURED not in cuda._session.launches[-2:]


def test_generate_when_tokens_repeat_then_drafts_save_steps(cuda):
    prompt, launches = [5, 6, 7, 8] * 20, cuda._session.launches
    greedy = Parameters(0.0, 50, 0.95, seed=0)
    counts = []
    for drafter in (None, Drafter()):
        launches.clear()
        generation = generate(
            cuda, PrefixCache(), prompt, GenerationOptions(greedy, 40), CancelToken(), drafter=drafter
        )
        tokens = list(generation)
        counts.append((tokens, len(launches)))
    (plain, plain_count), (drafted, drafted_count) = counts
    assert plain == drafted
    assert plain_count > 40 > drafted_count


def test_generate_when_a_prompt_grows_by_a_token_then_one_replay_runs_it(cuda):
    cache = PrefixCache()
    for length in range(100, 140):
        cuda._session.launches.clear()
        list(generate(cuda, cache, TEXT[:length], GenerationOptions(WARM, 1), CancelToken()))
        captured = [number for number in cuda._session.launches if number != NOT_CAPTURED]
        assert len(captured) == 1 or length in (100, 129)  # a block of 32 is full
    graph_count = len(cuda._session.graphs)
    list(generate(cuda, cache, TEXT[:150], GenerationOptions(WARM, 30), CancelToken()))
    assert len(cuda._session.graphs) == graph_count


def test_generate_when_others_used_the_cache_amid_it_then_continues_in_the_same_forwards(cuda):
    alone = list(generate(cuda, PrefixCache(), TEXT[:97], GenerationOptions(WARM, 40), CancelToken()))
    cache, found = PrefixCache(), []
    for token in generate(cuda, cache, TEXT[:97], GenerationOptions(WARM, 40), CancelToken()):
        found.append(token)
        if len(found) in (5, 31):
            list(generate(cuda, cache, TEXT[200:260], GenerationOptions(WARM, 3), CancelToken()))
    assert found == alone


def test_generate_when_a_context_ends_then_stops_there(cuda):
    prompt = (TEXT + TEXT)[: cuda.context_length - 3]
    generation = generate(
        cuda, PrefixCache(), prompt, GenerationOptions(WARM, 20), CancelToken(), drafter=Drafter()
    )
    assert len(list(generation)) == 4
    assert generation.finish_reason == "length"


def test_forward_when_cancelled_before_a_step_then_nothing_runs(cuda):
    cancel = CancelToken()
    cancel.cancel()
    cuda._session.launches.clear()
    with pytest.raises(Cancelled):
        cuda.forward(TEXT[:8], 0, [7], cancel)
    assert cuda._session.launches == []


def test_run_when_cancelled_amid_a_graph_then_it_is_not_ended_half_way(cuda, monkeypatch):
    cancel, ended = CancelToken(), []
    real = cuda._session.run_with_iobinding

    def cancelled_meanwhile(binding, options):
        cancel.cancel()
        ended.append(options.terminate)
        options.terminate = False
        real(binding, options)

    monkeypatch.setattr(cuda._session, "run_with_iobinding", cancelled_meanwhile)
    cuda.forward(TEXT[:8], 0, [7], cancel)
    cancel = CancelToken()
    cuda.forward(TEXT[:32], 0, [31], cancel)
    assert ended == [False, True]


def test_open_when_steps_cannot_be_captured_then_runs_without_and_says_why(folder, patched):
    with pytest.MonkeyPatch.context() as monkeypatch:
        working = session_aide.load

        def without_capture(path, provider, threads, *, cuda_graphs=False):
            loaded = working(path, provider, threads, cuda_graphs=cuda_graphs)
            if cuda_graphs:
                monkeypatch.setattr(loaded.session, "run_with_iobinding", refuses)
            return loaded

        def refuses(binding, options):
            raise RuntimeError("operation not permitted when stream is capturing")

        monkeypatch.setattr(session_aide, "load", without_capture)
        session = open_on_device(folder)
    assert session.provider_note is not None
    assert session.provider_note.startswith("Running without CUDA graphs, which is slower: The model")
    assert "stream is capturing" in session.provider_note
    assert keeps_bits(session)
    assert set(session._session.launches) == {None}


def test_keeps_bits_when_steps_are_captured_then_yes(cuda):
    assert keeps_bits(cuda)


def test_errors_of_the_model_when_on_cuda_then_are_said_once(folder, patched):
    with pytest.raises(SessionError, match="outside the model's 384"):
        open_on_device(folder).forward([384] * 8, 0, [7], CancelToken())


def test_release_when_graphs_were_captured_then_the_next_completion_is_the_same(cuda):
    options = GenerationOptions(WARM, 20)
    prompts = (TEXT[:700], TEXT[300:1500])
    slots = Slots(cuda, 10**9)

    def ask(prompt):
        return list(generate(cuda, slots.take(prompt), prompt, options, CancelToken(), drafter=Drafter()))

    before = [ask(prompt) for prompt in prompts]
    slots.shrink()
    assert [ask(prompt) for prompt in prompts] == before
    assert cuda.kv.capacity > 0


class Buffer:
    def __init__(self, place, capacity=1024):
        self._place, self._capacity = place, capacity

    def shape(self):
        return [1, 2, self._capacity, 64]

    def data_ptr(self):
        return self._place


def test_number_when_places_and_plan_are_the_same_then_so_is_the_graph():
    graphs = CudaGraphs()
    here, there = ({"past_key_0": Buffer(place)} for place in (1, 2))
    first = graphs.number(here, 1024)
    assert graphs.number({"past_key_0": Buffer(1)}, 1024) == first >= 0
    roomy = {"past_key_0": Buffer(1, 2048)}
    others = [graphs.number(there, 1024), graphs.number(here, 2048), graphs.number(roomy, 1024)]
    assert len({first, *others}) == 4


def test_number_when_many_were_captured_then_no_more_are():
    graphs = CudaGraphs()
    numbers = [graphs.number({"past_key_0": Buffer(place)}, 1024) for place in range(MOST_GRAPHS + 2)]
    assert numbers[-2:] == [NOT_CAPTURED] * 2
    assert len(set(numbers[:-2])) == MOST_GRAPHS
    assert graphs.number({"past_key_0": Buffer(0)}, 1024) == numbers[0]
