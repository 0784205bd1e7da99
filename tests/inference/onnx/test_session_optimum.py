"""Exports of others: a decoder made here from plain operators, run with and without a warm cache."""

import numpy as np
import onnxruntime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aide_lsp.errors import ModelFilesError, SessionError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.generate import generate
from aide_lsp.inference.onnx.model_folder import read_model_folder
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.onnx.session_optimum import best_first
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.settings.fields import Parameters
from tests.inference.onnx.exported_decoder import CONTEXT, HEAD_DIM, KV_HEADS, LAYERS, VOCAB, write_export

GREEDY = Parameters(0.0, 0, 1.0, seed=0)
WARM = Parameters(1.0, 20, 0.95, seed=3)
LONG = np.random.default_rng(1).integers(0, VOCAB, size=200).tolist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("export")
    write_export(path)
    return path


@pytest.fixture(scope="module")
def session(folder):
    return open_session(folder, "cpu", 1)


def from_nothing(folder, ids, dtype="float32"):
    """Return the logits of the last token, by one run without a cache and without our code."""
    runtime = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    empty = np.zeros((1, KV_HEADS, 0, HEAD_DIM), dtype)
    past = {f"past_key_values.{layer}.{half}": empty for layer in range(LAYERS) for half in ("key", "value")}
    rows = {"input_ids": [ids], "attention_mask": [[1] * len(ids)], "position_ids": [range(len(ids))]}
    feed = {**{name: np.array(value, dtype=np.int64) for name, value in rows.items()}, **past}
    return runtime.run(["logits"], feed)[0][0, -1].astype(np.float32)


def tokens(session, cache, prompt, sampling=GREEDY, count=5):
    return list(generate(session, cache, prompt, GenerationOptions(sampling, count), CancelToken()))


def test_read_when_there_is_no_manifest_then_reads_the_files_next_to_the_graph(folder):
    info = read_model_folder(folder)
    assert (info.layout, info.recipe, info.graph) == ("optimum", "imported", "model.onnx")
    assert (info.context_length, info.vocab_size, info.architecture) == (CONTEXT, VOCAB, "llama")
    assert info.end_tokens == {48, 49}


@pytest.mark.parametrize("length", [1, 2, 63, 64, 65, 130, 200])
def test_generate_when_compared_with_recomputation_then_says_the_same(folder, session, length):
    prompt = LONG[:length]
    expected = []
    for _ in range(5):
        expected.append(int(from_nothing(folder, prompt + expected).argmax()))
    assert tokens(session, PrefixCache(), prompt) == expected


def test_forward_when_compared_with_recomputation_then_logits_are_close(folder, session):
    session.forward(LONG[:70], 0, [69], CancelToken())
    got = session.forward(LONG[70:75], 70, [0, 4], CancelToken())
    for row, length in ((0, 71), (1, 75)):
        expected = from_nothing(folder, LONG[:length])
        assert session.full_logits()[row] == pytest.approx(expected, abs=1e-4)
        assert got.logits[row] == pytest.approx(expected[got.ids[row]], abs=1e-4)
        assert (np.diff(got.logits[row]) <= 0).all()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.lists(st.integers(0, VOCAB - 1), max_size=3)),
        min_size=1,
        max_size=5,
    )
)
def test_generate_when_cache_is_warm_then_bits_are_those_of_a_cold_one(session, history):
    """Prompts that share beginnings of any length with what was run before."""
    cache = PrefixCache()
    for length, tail in history:
        prompt = LONG[:length] + tail
        warm = tokens(session, cache, prompt, WARM)
        warm_bits = (
            session.full_logits().tobytes(),
            {k: v.tobytes() for k, v in session.arrays(len(prompt)).items()},
        )
        held = list(cache.ids)
        cold = tokens(session, PrefixCache(), prompt, WARM)
        cold_bits = (
            session.full_logits().tobytes(),
            {k: v.tobytes() for k, v in session.arrays(len(prompt)).items()},
        )
        assert warm == cold
        assert warm_bits == cold_bits
        assert held[: len(prompt)] == prompt


@pytest.mark.parametrize("shape", [{"dtype": "float16"}, {"positions": False}, {"keep": True}], ids=str)
def test_generate_when_the_graph_has_other_inputs_then_reads_them_from_it(tmp_path, shape):
    write_export(tmp_path, **shape)
    write_export(tmp_path / "same", **{**shape, "positions": True, "keep": False})
    session, prompt = open_session(tmp_path, "cpu", 1), LONG[:70]
    got = session.forward(prompt, 0, [69], CancelToken())
    assert got.ids[0, 0] == tokens(session, PrefixCache(), prompt, count=1)[0]
    if "dtype" in shape:
        assert session.arrays(3)["past_key_values.0.key"].dtype == np.float16
        assert got.logits.dtype == np.float32
    expected = from_nothing(tmp_path / "same", prompt, shape.get("dtype", "float32"))
    assert session.full_logits()[0] == pytest.approx(expected, abs=2e-2 if "dtype" in shape else 1e-4)


def test_forward_when_it_was_cancelled_then_the_session_continues(folder, session):
    cancel = CancelToken()
    before = session.forward(LONG[:70], 0, [69], CancelToken())
    cancel.cancel()
    with pytest.raises(Cancelled):
        session.forward(LONG[70:75], 70, [4], cancel)
    again = session.forward(LONG[68:70], 68, [1], CancelToken())
    assert again.logits == pytest.approx(before.logits, abs=1e-4)


def test_forward_when_context_is_exceeded_then_says_so(session):
    with pytest.raises(SessionError, match=f"the model takes at most {CONTEXT}"):
        session.forward([1] * (CONTEXT + 1), 0, [0], CancelToken())


def test_open_when_an_input_is_unknown_then_names_it(tmp_path):
    write_export(tmp_path, extra=["encoder_states"])
    with pytest.raises(ModelFilesError, match="encoder_states"):
        open_session(tmp_path, "cpu", 1)


def test_open_when_there_is_no_configuration_then_the_graph_is_enough(tmp_path):
    write_export(tmp_path, config=False)
    session = open_session(tmp_path, "cpu", 1)
    assert (session.vocab_size, session.context_length) == (VOCAB, 2048)
    assert len(tokens(session, PrefixCache(), [1, 2, 3])) == 5


@given(st.lists(st.sampled_from([0.0, -0.0, 1.0, 2.0, -np.inf]), min_size=3, max_size=40), st.data())
def test_candidates_when_logits_are_equal_are_those_with_the_lowest_ids(values, data):
    logits = np.array(values, dtype=np.float32)
    count = data.draw(st.integers(1, logits.size))
    assert best_first(logits, count).tolist() == sorted(range(logits.size), key=lambda i: -logits[i])[:count]


@pytest.mark.parametrize("places", [[0], [3], [0, 1, 2, 3, 4]])
def test_candidates_when_a_logit_is_nan_have_it_so_that_it_is_noticed(places):
    logits = np.array([1.0, 5.0, 2.0, 5.0, np.inf], dtype=np.float32)
    logits[places] = np.nan
    assert np.isnan(logits[best_first(logits, 2)]).any()
