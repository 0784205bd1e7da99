"""Integer forms of weight matrices, laid out as onnxruntime's operators read them.

Q8_0, Q5_0 and Q4_0 become int8 blocks of 32 columns without loss; everything else is rounded again to int8,
which adds at most 1/254 of a block's largest value.
"""

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.convert.gguf_file import Tensor
from aide_lsp.convert.weights import Linear

FloatArray = NDArray[np.float32]
BLOCK = 32
WIDE_BLOCKS = (128, 64, 32)
"""Columns that may share a scale: wide blocks mean fewer bytes and longer sums for the kernels."""
# Limits the float32 copy: the default model's embedding table would take 545 MB at once.
ROWS_AT_ONCE = 8192


@frozen
class BlockCodes:
    """A matrix in blocks of columns, one scale for each block."""

    codes: NDArray[np.uint8]
    """8 bit: (rows, columns), value + 128. 4 bit: (rows, columns / 2), low nibble first, value + 8."""
    scales: FloatArray
    """(rows, blocks); a value is (code - zero point) * scale."""


def widest_block(columns: int) -> int:
    """Return the widest block that divides `columns`."""
    return next(block for block in WIDE_BLOCKS if columns % block == 0)


def int8_blocks(linear: Linear, block: int) -> BlockCodes:
    """Return the stacked matrix of `linear` in 8-bit blocks of `block` columns."""
    parts = [tensor_int8_blocks(part, block) for part in linear.parts]
    ordered = [
        (p.codes, p.scales) if order is None else (p.codes[order], p.scales[order])
        for p, order in zip(parts, linear.orders, strict=True)
    ]
    return BlockCodes(np.concatenate([c for c, _ in ordered]), np.concatenate([s for _, s in ordered]))


def tensor_int8_blocks(tensor: Tensor, block: int = BLOCK) -> BlockCodes:
    """Return `tensor` in 8-bit blocks: exact for Q8_0, Q5_0 and Q4_0 in blocks of 32, otherwise rounded."""
    # Q4_K and others also store a minimum for each block. MatMulNBits takes it as a float zero point, but is
    # then more than 100 times slower for a single row.
    exact = {"Q8_0": _from_q8_0, "Q5_0": _from_q5_0, "Q4_0": _from_q4_0}
    if tensor.type_name in exact and block == BLOCK:
        return exact[tensor.type_name](tensor.raw)
    starts = range(0, tensor.shape[0], ROWS_AT_ONCE)
    chunks = [round_int8_blocks(tensor.floats(s, s + ROWS_AT_ONCE), block) for s in starts]
    return BlockCodes(np.concatenate([c.codes for c in chunks]), np.concatenate([c.scales for c in chunks]))


def round_int8_blocks(matrix: FloatArray, block: int = BLOCK) -> BlockCodes:
    """Round `matrix` (rows, columns) to 8-bit blocks, symmetric."""
    rows = matrix.shape[0]
    blocks = matrix.reshape(rows, -1, block)
    scales = (np.abs(blocks).max(axis=2) / 127).astype(np.float32)
    safe = np.where(scales == 0, np.float32(1), scales)
    codes = (np.rint(blocks / safe[..., None]) + 128).astype(np.uint8)
    return BlockCodes(codes.reshape(rows, -1), scales)


def tensor_int4_blocks(tensor: Tensor, block: int) -> BlockCodes:
    """Round `tensor` to 4 bits in blocks of `block` columns; the largest value of a block is exact."""
    starts = range(0, tensor.shape[0], ROWS_AT_ONCE)
    chunks = [_round_int4_blocks(tensor.floats(s, s + ROWS_AT_ONCE), block) for s in starts]
    return BlockCodes(np.concatenate([c.codes for c in chunks]), np.concatenate([c.scales for c in chunks]))


def int8_columns(matrix: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Round `matrix` (out, in) to int8 with one scale per output.

    Returns codes (in, out), as integer matrix products read them, and scales (out,).
    """
    scales = (np.abs(matrix).max(axis=1) / 127).astype(np.float32)
    safe = np.where(scales == 0, np.float32(1), scales)
    codes = np.rint(matrix / safe[:, None]).astype(np.int8)
    return np.ascontiguousarray(codes.T), scales


def _round_int4_blocks(matrix: FloatArray, block: int) -> BlockCodes:
    rows = matrix.shape[0]
    blocks = matrix.reshape(rows, -1, block)
    largest = np.abs(blocks).argmax(axis=2)
    # As in ggml's Q4_0: 4 bits reach from -8 to 7, so the largest value, whatever its sign, becomes -8.
    scales = np.take_along_axis(blocks, largest[..., None], axis=2)[..., 0] / -8
    safe = np.where(scales == 0, np.float32(1), scales)
    codes = np.clip(np.rint(blocks / safe[..., None]) + 8, 0, 15).astype(np.uint8).reshape(rows, -1)
    return BlockCodes(codes[:, 0::2] | codes[:, 1::2] << 4, scales.astype(np.float32))


# The layouts are those of https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h (`block_q8_0` etc.).
def _half(raw: NDArray[np.uint8]) -> FloatArray:
    """Scales stored as float16 in the first two bytes of each block, (rows, blocks)."""
    return np.ascontiguousarray(raw[..., :2]).view(np.float16)[..., 0].astype(np.float32)


def _from_q8_0(raw: NDArray[np.uint8]) -> BlockCodes:
    blocks = raw.reshape(raw.shape[0], -1, 34)
    codes = blocks[..., 2:] ^ np.uint8(0x80)  # two's complement + 128
    return BlockCodes(codes.reshape(raw.shape[0], -1), _half(blocks))


def _from_q4_0(raw: NDArray[np.uint8]) -> BlockCodes:
    blocks = raw.reshape(raw.shape[0], -1, 18)
    nibbles = np.concatenate([blocks[..., 2:] & 0x0F, blocks[..., 2:] >> 4], axis=2)
    # ggml's zero point is 8, ours 128.
    return BlockCodes((nibbles + np.uint8(120)).reshape(raw.shape[0], -1), _half(blocks))


def _from_q5_0(raw: NDArray[np.uint8]) -> BlockCodes:
    blocks = raw.reshape(raw.shape[0], -1, 22)
    nibbles = np.concatenate([blocks[..., 6:] & 0x0F, blocks[..., 6:] >> 4], axis=2)
    fifth = np.unpackbits(blocks[..., 2:6], axis=2, bitorder="little")
    # ggml's zero point is 16, ours 128.
    codes = nibbles + (fifth << 4) + np.uint8(112)
    return BlockCodes(codes.reshape(raw.shape[0], -1), _half(blocks))
