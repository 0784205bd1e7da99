"""Matrices that keep the 4 bits a file has: their values, and what keeps more bits."""

import numpy as np
import pytest
from tiny_model import TinySpec, tiny_gguf

from aide_lsp.convert.gguf_file import TENSOR_TYPES, Tensor, open_gguf
from aide_lsp.convert.quantize import BLOCK, int4_matrix, padding, stored_int4
from aide_lsp.convert.weights import Linear

DRAW = np.random.default_rng(5)
BY_NAME = {name: number for number, (name, _, _) in TENSOR_TYPES.items()}


def tensor_of(kind, tmp_path):
    """Return a matrix of that type with random values."""
    if kind != "Q4_K":
        file = open_gguf(tiny_gguf(tmp_path / "m.gguf", TinySpec(matrix_type=kind)))
        return file.tensor("blk.0.ffn_down.weight")
    # `gguf` writes no Q4_K; any bytes after the two scales are valid.
    rows, blocks = 24, 3
    raw = DRAW.integers(0, 256, (rows, blocks, 144), dtype=np.uint8)
    raw[..., :4] = np.abs(DRAW.standard_normal((rows, blocks, 2)) * 0.01).astype(np.float16).view(np.uint8)
    return Tensor("m", BY_NAME[kind], (rows, blocks * 256), raw.reshape(rows, -1))


def linear(*parts, orders=None):
    return Linear(parts, orders or [None] * len(parts), None)


def restored(matrix, columns):
    """Return the values that the product multiplies with."""
    codes = np.stack([matrix.blocks.codes & 15, matrix.blocks.codes >> 4], axis=-1)
    values = codes.reshape(*matrix.blocks.scales.shape, BLOCK).astype(np.float32) - 8
    values = (values * matrix.blocks.scales[..., None]).reshape(len(codes), -1)
    if not matrix.sums:
        return values
    count, width = columns // BLOCK, columns // BLOCK + padding(columns)
    extra = values[:, columns:]
    assert extra.shape[1] == 2 * width
    assert (extra[:, count:width] == 0).all()
    offsets = extra[:, :count] + extra[:, width : width + count]
    return values[:, :columns] + np.repeat(offsets, BLOCK, axis=1)


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_1", "Q4_K"])
def test_stored_int4_has_the_values_of_the_file(tmp_path, kind):
    tensor = tensor_of(kind, tmp_path)
    stored = stored_int4(tensor)
    values = (stored.codes.astype(np.float32) - 8) * stored.scales[..., None] + stored.offsets[..., None]
    expected = tensor.floats()
    assert np.abs(values.reshape(expected.shape) - expected).max() < 1e-5 * np.abs(expected).max()


def test_int4_matrix_of_a_symmetric_type_then_exact_and_without_sums(tmp_path):
    tensor = tensor_of("Q4_0", tmp_path)
    matrix = int4_matrix(linear(tensor))
    assert not matrix.sums
    np.testing.assert_array_equal(restored(matrix, tensor.shape[1]), tensor.floats())


@pytest.mark.parametrize("kind", ["Q4_1", "Q4_K"])
def test_int4_matrix_of_a_type_with_minima_then_within_a_64th_of_the_greatest_offset(tmp_path, kind):
    tensor = tensor_of(kind, tmp_path)
    error = np.abs(restored(int4_matrix(linear(tensor)), tensor.shape[1]) - tensor.floats())
    assert error.max() < np.abs(stored_int4(tensor).offsets).max() / 64


def test_int4_matrix_when_stacked_and_reordered_then_rows_are_in_that_order(tmp_path):
    tensor = tensor_of("Q4_K", tmp_path)
    order = np.arange(tensor.shape[0])[::-1]
    alone = restored(int4_matrix(linear(tensor)), tensor.shape[1])
    both = restored(int4_matrix(linear(tensor, tensor, orders=[order, None])), tensor.shape[1])
    np.testing.assert_array_equal(both, np.concatenate([alone[::-1], alone]))


@pytest.mark.parametrize("kind", ["Q5_0", "Q8_0", "F16", "F32"])
def test_int4_matrix_when_a_part_has_more_bits_then_none(tmp_path, kind):
    other, four = tensor_of(kind, tmp_path), tensor_of("Q4_0", tmp_path)
    assert int4_matrix(linear(four, other)) is None
    assert int4_matrix(linear(other)) is None
