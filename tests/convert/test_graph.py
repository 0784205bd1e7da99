"""Converted graphs against a NumPy decoder that reads the same weights."""

import numpy as np
import pytest
from tiny_model import TinySpec, tiny_gguf, tiny_model_folder, tiny_weights

from aide_lsp.convert.gguf_file import open_gguf
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.onnx.open import open_session
from tests.convert.reference_decoder import logits as reference_logits

IDS = np.random.default_rng(7).integers(0, 384, size=90).tolist()
SPECS = {
    "qwen2-tied": TinySpec(),
    "qwen2-untied": TinySpec(tied=False),
    "llama-tied": TinySpec(architecture="llama", biases=False),
    "llama-untied": TinySpec(architecture="llama", biases=False, tied=False),
    "llama-biases": TinySpec(architecture="llama", rope_base=50000.0),
    "llama-rope-factors": TinySpec(architecture="llama", biases=False, rope_factors=True),
    "llama-mlp-biases": TinySpec(architecture="llama", mlp_biases=True),
    # llama.cpp ignores the windows that llama files state.
    "llama-window": TinySpec(
        architecture="llama", biases=False, metadata=(("attention.sliding_window", 20),)
    ),
    "linear-scaling": TinySpec(
        rope_scaling=(("scaling.type", "linear"), ("scaling.factor", 4.0)), rope_divisor=4.0
    ),
    # What llama.cpp makes of files that leave out the type, or have the key of older versions.
    "scaling-without-type": TinySpec(rope_scaling=(("scaling.factor", 4.0),), rope_divisor=4.0),
    "scaling-by-the-old-key": TinySpec(rope_scaling=(("scale_linear", 4.0),), rope_divisor=4.0),
    "scaling-of-0": TinySpec(rope_scaling=(("scaling.type", "linear"), ("scaling.factor", 0.0))),
    "no-scaling": TinySpec(rope_scaling=(("scaling.type", "none"), ("scaling.factor", 4.0))),
    "one-kv-head": TinySpec(kv_head_count=1),
    "no-grouping": TinySpec(kv_head_count=4, biases=False),
    "4-bits": TinySpec(matrix_type="Q4_1"),
}


def run(folder, chunks, rows_of=range):
    """Run IDS in chunks of these sizes; return full logits, candidate ids and logits of the rows asked."""
    session = open_session(folder, "cpu", threads=1)
    past, full, ids, logits = 0, [], [], []
    for size in chunks:
        found = session.forward(IDS[past : past + size], past, list(rows_of(size)), CancelToken())
        full.append(session.full_logits())
        ids.append(found.ids)
        logits.append(found.logits)
        past += size
    return np.concatenate(full), np.concatenate(ids), np.concatenate(logits)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Makes each tiny model once."""
    made = {}

    def folder(spec, recipe):
        if (spec, recipe) not in made:
            path = tmp_path_factory.mktemp("models") / "model"
            made[spec, recipe] = tiny_model_folder(path, spec, recipe)
        return made[spec, recipe]

    return folder


def stored_weights(spec, path):
    """Return the weights by GGUF name as a file of that type has them."""
    return {name: tensor.floats() for name, tensor in open_gguf(tiny_gguf(path, spec)).tensors.items()}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_float_graph_gives_the_logits_of_the_reference(folders, spec, tmp_path):
    expected = reference_logits(spec, stored_weights(spec, tmp_path / "tiny.gguf"), IDS)
    full, _, _ = run(folders(spec, "float"), [len(IDS)])
    assert np.abs(full - expected).max() < 2e-4 * np.abs(expected).max()


@pytest.mark.parametrize("chunks", [[1, 89], [40, 50], [30, 30, 30], [2, 1, 1, 60, 26]])
def test_kv_cache_in_chunks_gives_the_same_logits(folders, chunks):
    spec = SPECS["qwen2-tied"]
    expected = reference_logits(spec, tiny_weights(spec), IDS)
    full, _, _ = run(folders(spec, "float"), chunks)
    assert np.abs(full - expected).max() < 2e-4 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["qwen2-tied", "llama-untied", "llama-mlp-biases", "llama-window"])
@pytest.mark.parametrize(("recipe", "tolerance"), [("exact", 0.06), ("fast", 0.08), ("fp16", 0.005)])
def test_recipes_stay_near_the_reference(folders, name, recipe, tolerance):
    spec = SPECS[name]
    expected = reference_logits(spec, tiny_weights(spec), IDS)
    full, _, _ = run(folders(spec, recipe), [len(IDS)])
    error = np.linalg.norm(full - expected) / np.linalg.norm(expected)
    assert error < tolerance


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1"])
def test_int4_is_as_near_to_the_weights_of_a_file_in_4_bits_as_exact(folders, kind, tmp_path):
    """On the CPU and, as far as this shows it, in float16 for a GPU."""
    spec = TinySpec(matrix_type=kind, mlp_biases=True)
    expected = reference_logits(spec, stored_weights(spec, tmp_path / "tiny.gguf"), IDS)
    errors = {}
    for recipe in ("exact", "int4", "int4_fp16"):
        full, _, _ = run(folders(spec, recipe), [len(IDS)])
        errors[recipe] = np.linalg.norm(full - expected) / np.linalg.norm(expected)
    assert max(errors["int4"], errors["int4_fp16"]) < 1.1 * errors["exact"]


@pytest.mark.parametrize("recipe", ["exact", "fast", "fp16", "float"])
def test_candidates_are_the_best_logits_in_order(folders, recipe):
    full, ids, logits = run(folders(SPECS["qwen2-untied"], recipe), [len(IDS)])
    best = np.sort(full, axis=1)[:, ::-1][:, : ids.shape[1]]
    assert ids.shape == (len(IDS), 64)
    assert (np.diff(logits, axis=1) <= 0).all()
    # The rounding of activations differs a little between the choice and the whole head.
    assert np.abs(logits - best).max() < 0.02 * np.abs(best).max()
    assert np.abs(np.take_along_axis(full, ids, axis=1) - logits).max() < 0.02 * np.abs(best).max()


def test_only_the_rows_requested_come_out(folders):
    spec = SPECS["qwen2-tied"]
    every, _, _ = run(folders(spec, "float"), [len(IDS)])
    some, _, _ = run(folders(spec, "float"), [len(IDS)], rows_of=lambda size: [size - 1, 3, 3])
    np.testing.assert_array_equal(some, every[[len(IDS) - 1, 3, 3]])


@pytest.mark.parametrize("recipe", ["exact", "int4", "fast"])
@pytest.mark.parametrize("chunks", [[2, 88], [44, 46], [10] * 9, [30, 60]])
def test_chunks_change_no_bit(folders, recipe, chunks):
    folder = folders(SPECS["4-bits" if recipe == "int4" else "qwen2-tied"], recipe)
    whole, cut = run(folder, [len(IDS)]), run(folder, chunks)
    for expected, found in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ["Q8_0", "Q5_0", "Q4_0", "Q4_1", "F16"])
def test_stored_types_are_read(tmp_path, kind):
    """The graph computes with what the file holds, rounded once; `exact` adds nothing to some types."""
    spec = TinySpec(architecture="llama", biases=False, matrix_type=kind)
    expected = reference_logits(spec, stored_weights(spec, tmp_path / "stored.gguf"), IDS)
    full, _, _ = run(tiny_model_folder(tmp_path / "model", spec, "float"), [len(IDS)])
    assert np.abs(full - expected).max() < 2e-4 * np.abs(expected).max()
