"""Integer forms of weight matrices, laid out as onnxruntime's operators read them.

Q8_0, Q5_0 and Q4_0 become int8 blocks of 32 columns without loss; everything else is rounded again to int8,
which adds at most 1/254 of a block's largest value.

Matrices that a file stores in 4 bits can keep the file's own values. Types such as Q4_K have a scale and a
minimum for each block of 32 columns: value = scale * code + minimum. Kernels for 4 bits take a scale and a
zero point that is one of the 16 codes, which would move each block by up to half a step: as much error as
storing the matrix in 4 bits had caused. So the zero point is the middle, 8, and what is left,

    offset = minimum + 8 * scale,

is a number for each block, by which the sum of that block's activations is multiplied. These sums become
more columns of the same product (`recipes`), and the offsets more columns of the matrix: once rounded to 4
bits, and once what that rounding leaves.
"""

from collections.abc import Callable, Mapping

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
_MIDDLE = 8  # of 4 bits


@frozen
class BlockCodes:
    """A matrix in blocks of columns, one scale for each block."""

    codes: NDArray[np.uint8]
    """8 bit: (rows, columns), value + 128. 4 bit: (rows, columns / 2), low nibble first, value + 8."""
    scales: FloatArray
    """(rows, blocks); a value is (code - zero point) * scale."""


@frozen
class StoredInt4:
    """A matrix as it is stored: a value is (code - 8) * scale + offset."""

    codes: NDArray[np.uint8]
    """(rows, blocks, 32), from 0 to 15."""
    scales: FloatArray
    """(rows, blocks)."""
    offsets: FloatArray
    """(rows, blocks)."""


@frozen
class Int4Matrix:
    """A matrix as it is multiplied."""

    blocks: BlockCodes
    """In 4 bits. Columns: those of the matrix and, if `sums` is set, twice one for each block of 32 of them,
    with `padding`."""
    sums: bool
    """Whether the factor must be followed by the sums of its blocks, twice."""


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
    chunks = [round_int4_blocks(tensor.floats(s, s + ROWS_AT_ONCE), block) for s in starts]
    return BlockCodes(np.concatenate([c.codes for c in chunks]), np.concatenate([c.scales for c in chunks]))


def int8_columns(matrix: FloatArray) -> tuple[NDArray[np.int8], FloatArray]:
    """Round `matrix` (out, in) to int8 with one scale per output.

    Returns codes (in, out), as integer matrix products read them, and scales (out,).
    """
    scales = (np.abs(matrix).max(axis=1) / 127).astype(np.float32)
    safe = np.where(scales == 0, np.float32(1), scales)
    codes = np.rint(matrix / safe[:, None]).astype(np.int8)
    return np.ascontiguousarray(codes.T), scales


def round_int4_blocks(matrix: FloatArray, block: int = BLOCK) -> BlockCodes:
    """Round `matrix` (rows, columns) to 4-bit blocks, the largest value of each exactly."""
    rows = matrix.shape[0]
    blocks = matrix.reshape(rows, -1, block)
    largest = np.abs(blocks).argmax(axis=2)
    # As in ggml's Q4_0: 4 bits reach from -8 to 7, so the largest value, whatever its sign, becomes -8.
    scales = np.take_along_axis(blocks, largest[..., None], axis=2)[..., 0] / -8
    safe = np.where(scales == 0, np.float32(1), scales)
    codes = np.clip(np.rint(blocks / safe[..., None]) + 8, 0, 15).astype(np.uint8).reshape(rows, -1)
    return BlockCodes(pack_nibbles(codes), scales.astype(np.float32))


def pack_nibbles(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return codes from 0 to 15, two to a byte, the lower bits first; the last axis is halved."""
    return codes[..., 0::2] | codes[..., 1::2] << np.uint8(4)


def int4_matrix(linear: Linear) -> Int4Matrix | None:
    """Return the stacked matrix of `linear`; None if the file has more or fewer bits for a part of it."""
    if any(part.type_name not in _READERS for part in linear.parts):
        return None
    stored = [stored_int4(part) for part in linear.parts]
    ordered = [
        (one.codes, one.scales, one.offsets)
        if order is None
        else (one.codes[order], one.scales[order], one.offsets[order])
        for one, order in zip(stored, linear.orders, strict=True)
    ]
    codes, scales, offsets = (np.concatenate(arrays) for arrays in zip(*ordered, strict=True))
    blocks = BlockCodes(pack_nibbles(codes).reshape(len(codes), -1), scales)
    if not offsets.any():
        return Int4Matrix(blocks, sums=False)
    return Int4Matrix(_side_by_side(blocks, _offset_columns(offsets)), sums=True)


def padding(columns: int) -> int:
    """Return how many zeros follow the sums of blocks of this many columns, to fill blocks themselves."""
    return -(columns // BLOCK) % BLOCK


def _offset_columns(offsets: FloatArray) -> BlockCodes:
    """Return the offsets rounded to 4 bits, and then what that leaves of them."""
    columns = np.pad(offsets, ((0, 0), (0, padding(offsets.shape[1] * BLOCK))))
    coarse = round_int4_blocks(columns)
    fine = round_int4_blocks(columns - _floats(coarse))
    return _side_by_side(coarse, fine)


def _side_by_side(left: BlockCodes, right: BlockCodes) -> BlockCodes:
    codes = np.concatenate([left.codes, right.codes], axis=1)
    return BlockCodes(codes, np.concatenate([left.scales, right.scales], axis=1))


def _floats(blocks: BlockCodes) -> FloatArray:
    codes = np.stack([blocks.codes & 15, blocks.codes >> 4], axis=-1).reshape(*blocks.scales.shape, BLOCK)
    values = (codes.astype(np.float32) - _MIDDLE) * blocks.scales[..., None]
    return np.asarray(values.reshape(len(codes), -1), np.float32)


def stored_int4(tensor: Tensor) -> StoredInt4:
    """Read `tensor`, whose type has 4 bits."""
    return _READERS[tensor.type_name](tensor.raw)


# The layouts are those of https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h (`block_q4_K` etc.).
def _half(blocks: NDArray[np.uint8], at: int = 0) -> FloatArray:
    """Return the float16 at these bytes of each block, (rows, blocks)."""
    return np.ascontiguousarray(blocks[..., at : at + 2]).view(np.float16)[..., 0].astype(np.float32)


def _from_q8_0(raw: NDArray[np.uint8]) -> BlockCodes:
    blocks = raw.reshape(raw.shape[0], -1, 34)
    codes = blocks[..., 2:] ^ np.uint8(0x80)  # two's complement + 128
    return BlockCodes(codes.reshape(raw.shape[0], -1), _half(blocks))


def _from_q4_0(raw: NDArray[np.uint8]) -> BlockCodes:
    blocks = raw.reshape(raw.shape[0], -1, 18)
    # ggml's zero point is 8, ours 128.
    return BlockCodes((_nibbles(blocks[..., 2:]) + np.uint8(120)).reshape(raw.shape[0], -1), _half(blocks))


def _from_q5_0(raw: NDArray[np.uint8]) -> BlockCodes:
    blocks = raw.reshape(raw.shape[0], -1, 22)
    fifth = np.unpackbits(blocks[..., 2:6], axis=2, bitorder="little")
    # ggml's zero point is 16, ours 128.
    codes = _nibbles(blocks[..., 6:]) + (fifth << 4) + np.uint8(112)
    return BlockCodes(codes.reshape(raw.shape[0], -1), _half(blocks))


def _stored_q4_0(raw: NDArray[np.uint8]) -> StoredInt4:
    blocks = raw.reshape(len(raw), -1, 18)
    scales = _half(blocks, 0)
    return StoredInt4(_nibbles(blocks[..., 2:]), scales, np.zeros_like(scales))


def _stored_q4_1(raw: NDArray[np.uint8]) -> StoredInt4:
    blocks = raw.reshape(len(raw), -1, 20)
    scales, minima = _half(blocks, 0), _half(blocks, 2)
    return StoredInt4(_nibbles(blocks[..., 4:]), scales, minima + _MIDDLE * scales)


def _stored_q4_k(raw: NDArray[np.uint8]) -> StoredInt4:
    # 8 blocks of 32 share two scales, for their own scales and minima of 6 bits.
    large = raw.reshape(len(raw), -1, 144)
    packed = large[..., 4:16]
    first, second, mixed = packed[..., :4], packed[..., 4:8], packed[..., 8:]
    factors = np.concatenate([first & 63, (mixed & 15) | (first >> 6) << 4], axis=-1)
    lows = np.concatenate([second & 63, mixed >> 4 | (second >> 6) << 4], axis=-1)
    scales = (_half(large, 0)[..., None] * factors).reshape(len(raw), -1)
    minima = (-_half(large, 2)[..., None] * lows).reshape(len(raw), -1)
    # Each 32 bytes hold two blocks: one in the lower bits, one in the upper.
    pairs = large[..., 16:].reshape(len(raw), -1, BLOCK)
    codes = np.stack([pairs & 15, pairs >> 4], axis=2).reshape(len(raw), -1, BLOCK)
    return StoredInt4(codes, scales, minima + _MIDDLE * scales)


def _nibbles(packed: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the 32 codes of 16 bytes: the first 16 in the lower bits, the others in the upper."""
    return np.concatenate([packed & 15, packed >> 4], axis=-1)


_READERS: Mapping[str, Callable[[NDArray[np.uint8]], StoredInt4]] = {
    "Q4_0": _stored_q4_0,
    "Q4_1": _stored_q4_1,
    "Q4_K": _stored_q4_k,
}
