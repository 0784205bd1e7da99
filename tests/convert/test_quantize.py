"""Integer forms of weights: what is exact, and how far the rest is from the original."""

import numpy as np
import pytest
from tiny_model import TinySpec, tiny_gguf

from aide_lsp.convert.gguf_file import open_gguf
from aide_lsp.convert.quantize import (
    BLOCK,
    int8_columns,
    round_int8_blocks,
    tensor_int4_blocks,
    tensor_int8_blocks,
)

MATRIX = np.random.default_rng(3).standard_normal((24, 96)).astype(np.float32)


def tensor(tmp_path, kind):
    return open_gguf(tiny_gguf(tmp_path / "m.gguf", TinySpec(matrix_type=kind))).tensor("blk.0.ffn_up.weight")


def restore(blocks, zero_point):
    values = blocks.codes.astype(np.float32) - zero_point
    return (values.reshape(*blocks.scales.shape, BLOCK) * blocks.scales[..., None]).reshape(values.shape)


@pytest.mark.parametrize("kind", ["Q8_0", "Q5_0", "Q4_0"])
def test_int8_blocks_of_symmetric_types_are_exact(tmp_path, kind):
    stored = tensor(tmp_path, kind)
    np.testing.assert_array_equal(restore(tensor_int8_blocks(stored), 128), stored.floats())


@pytest.mark.parametrize("kind", ["Q4_1", "F16", "F32"])
def test_int8_blocks_of_other_types_are_within_half_a_step(tmp_path, kind):
    stored = tensor(tmp_path, kind)
    blocks = tensor_int8_blocks(stored)
    steps = np.repeat(blocks.scales, BLOCK, axis=1)
    assert (np.abs(restore(blocks, 128) - stored.floats()) <= 0.5001 * steps).all()


def test_int4_blocks_are_within_one_step_and_keep_the_largest(tmp_path):
    stored = tensor(tmp_path, "F32")
    blocks = tensor_int4_blocks(stored, BLOCK)
    codes = np.stack([blocks.codes & 15, blocks.codes >> 4], axis=-1).reshape(stored.shape).astype(np.float32)
    restored = (codes - 8) * np.repeat(blocks.scales, BLOCK, axis=1)
    error = np.abs(restored - stored.floats())
    assert (error <= 1.0001 * np.abs(np.repeat(blocks.scales, BLOCK, axis=1))).all()
    largest = np.abs(stored.floats()).reshape(-1, BLOCK).argmax(axis=1)
    assert error.reshape(-1, BLOCK)[np.arange(len(largest)), largest].max() < 1e-5


def test_int8_columns_are_within_half_a_step():
    codes, scales = int8_columns(MATRIX)
    assert codes.shape == (96, 24)
    assert (np.abs(codes.T * scales[:, None] - MATRIX) <= 0.5001 * scales[:, None]).all()


def test_zero_blocks_stay_zero():
    blocks = round_int8_blocks(np.zeros((2, 64), np.float32))
    assert (restore(blocks, 128) == 0).all()
