"""The GPU check, on the CPU: the same code with a tiny model."""

import numpy as np
import pytest
from device import lend_device

from benchmarks.gpu import check as gpu_check
from benchmarks.gpu import cuda_libraries
from benchmarks.gpu.agreement import TOLERANCE, compare, compare_rows, cutting_changes
from benchmarks.gpu.bandwidth import slope
from benchmarks.gpu.bound_graph import BoundGraph, Rows
from benchmarks.gpu.random_model import SHAPES, random_file, scale_of, write_random_model
from benchmarks.gpu.steps import report_product

TINY = SHAPES["tiny"]
IDS = [(index * 7919 + 13) % TINY.vocab_size for index in range(600)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("random")


@pytest.fixture(scope="module")
def graphs(folder):
    for recipe in ("fp16", "float"):
        write_random_model(TINY, recipe, folder / recipe)
    return {recipe: BoundGraph(folder / recipe, "cpu", 1024) for recipe in ("fp16", "float")}


def rows(logits: list[float], ids: list[int]) -> Rows:
    return Rows(np.array([ids]), np.array([logits], np.float32), np.zeros((1, 2), np.float32))


def test_shapes_have_the_sizes_of_the_real_models():
    assert SHAPES["0.5b"].parameter_count() == 494_032_768
    assert SHAPES["1.5b"].parameter_count() == 1_543_714_304


@pytest.mark.parametrize("name", ["token_embd.weight", "blk.1.ffn_down.weight", "blk.0.attn_q.bias"])
def test_random_weights_are_exact_in_float16_and_always_the_same(name):
    values = random_file(TINY).tensor(name).floats()
    assert np.array_equal(values, values.astype(np.float16).astype(np.float32))
    assert np.array_equal(values[3:7], random_file(TINY).tensor(name).floats(3, 7))
    assert values.std() > 0


def test_weights_are_scaled_so_that_products_come_out_of_order_one():
    step, middle = scale_of("blk.0.ffn_gate.weight", (256, 128))
    assert middle == 0
    assert 0.5 < step * 127 / 3**0.5 * 128**0.5 < 2


def test_fp16_agrees_with_float_on_the_cpu(graphs):
    found = compare(graphs["fp16"], graphs["float"], IDS)
    assert found.rows == 256 + 1 + 1 + 8 + 40 + 300 + 212
    assert found.holds
    assert 0 < found.largest < TOLERANCE


def test_agreement_fails_when_a_kv_buffer_holds_something_else(graphs, tmp_path):
    write_random_model(TINY, "fp16", tmp_path)
    broken = BoundGraph(tmp_path, "cpu", 1024)
    reference = graphs["float"]
    for graph in (broken, reference):
        graph.forward(IDS[:64], 0, [63])
    buffer = broken._buffers["past_value_0"]
    buffer.update_inplace(buffer.numpy() + np.float16(1))
    found = compare_rows(broken.forward(IDS[64:66], 64, [0, 1]), reference.forward(IDS[64:66], 64, [0, 1]))
    assert not found.holds


def test_another_choice_is_excused_only_where_the_reference_is_undecided():
    close = compare_rows(rows([5.05, 5.0], [7, 8]), rows([5.06, 5.04], [8, 7]))
    assert (close.same, close.excused, close.holds) == (0, 1, True)
    clear = compare_rows(rows([5.0, 4.9], [7, 8]), rows([5.0, 4.5], [8, 7]))
    assert (clear.same, clear.excused, clear.holds) == (0, 0, False)


@pytest.mark.parametrize("other", [rows([float("nan"), 1.0], [7, 8]), rows([5.0, 4.0], [1, 2])])
def test_numbers_that_are_none_and_strange_candidates_are_no_agreement(other):
    assert not compare_rows(other, rows([5.0, 4.0], [7, 8])).holds


def test_even_cuts_give_the_same_bits_in_float32(graphs):
    changes = cutting_changes(graphs["float"], IDS[:258], [2, 64])
    assert changes == {2: 0.0, 64: 0.0}


def test_slope_is_free_of_a_constant_cost():
    assert slope(100, 1.5, 300, 2.5) == 200.0
    assert slope(100, 2.0, 300, 1.5) == 200.0


def test_libraries_are_looked_for_along_the_path(tmp_path, capsys):
    """A file that is no library is named and passed over."""
    file = tmp_path / "nvidia" / "cu13" / "lib" / "libcudart.so.13"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no library")
    assert cuda_libraries.preload([str(tmp_path), ""]) == []
    assert str(file) in capsys.readouterr().err


def test_check_on_the_cpu_says_that_cuda_was_not_tried(capsys):
    assert gpu_check.main(["--cpu", "--repeats", "1"]) == gpu_check.NO_DEVICE
    out = capsys.readouterr().out
    assert "No CUDA device is used" in out
    assert "the session got CPUExecutionProvider" in out
    assert "CUDA was not tested" in out
    assert "agrees with the CPU" not in out


@pytest.mark.parametrize("cuda_graphs", [True, False])
def test_product_on_a_device_is_compared_and_timed(graphs, folder, monkeypatch, capsys, cuda_graphs):
    lend_device(monkeypatch)
    ids = (IDS * 2)[:1100]
    arguments = (TINY, folder / "fp16", folder / "float", "cuda", ids, 1.0, 1, cuda_graphs)
    assert report_product(*arguments)
    out = capsys.readouterr().out
    assert "agrees" in out
    assert "same bits" in out
    assert "each token after 512" in out
    assert ("with CUDA graphs on CUDA:" if cuda_graphs else "without CUDA graphs on CUDA:") in out


def test_help_says_what_is_needed_and_what_the_status_means(capsys):
    with pytest.raises(SystemExit):
        gpu_check.parse(["--help"])
    out = capsys.readouterr().out
    assert "onnxruntime-gpu" in out
    assert "77" in out
