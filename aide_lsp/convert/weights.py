"""The weights of a decoder, under common names and in the order that the graph uses.

The bytes of matrices stay in the file until they are needed. Missing tensors and wrong shapes are a
`ConversionError`.
"""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.convert.architecture import INTERLEAVED_ROTARY, Architecture
from aide_lsp.convert.gguf_file import GgufFile, Tensor
from aide_lsp.errors import ConversionError

FloatArray = NDArray[np.float32]
_MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
_LAYER_TENSORS = frozenset(
    (
        *(f"{matrix}.{part}" for matrix in _MATRICES for part in ("weight", "bias")),
        *("attn_norm.weight", "ffn_norm.weight"),
        "attn_rot_embd.weight",  # in old files; the same as the metadata, and not read by llama.cpp either
    )
)
_MODEL_TENSORS = ("token_embd.weight", "output.weight", "output_norm.weight", "rope_freqs.weight")


@frozen
class Linear:
    """A matrix (and bias) of one layer: several tensors stacked, rows reordered for the graph."""

    parts: Sequence[Tensor]
    """Tensors of (rows, in_features), stacked in this order."""
    orders: Sequence[NDArray[np.intp] | None]
    """For each part the order of its rows; None leaves them as stored."""
    bias: FloatArray | None
    """Added to the output, (rows of all parts); None if the file has none."""
    input_scale: FloatArray | None = None
    """Multiplies the columns, (in_features,); None is all ones. Set by smoothing."""
    output_scale: FloatArray | None = None
    """Multiplies rows and bias, (out_features,); None is all ones. Set by smoothing."""

    @property
    def rows(self) -> int:
        """Out features."""
        return sum(part.shape[0] for part in self.parts)

    def floats(self) -> FloatArray:
        """Return the matrix as float32 with scales applied, (out_features, in_features)."""
        rows = [part.floats() for part in self.parts]
        matrix = np.concatenate([r if o is None else r[o] for r, o in zip(rows, self.orders, strict=True)])
        if self.input_scale is not None:
            matrix *= self.input_scale
        if self.output_scale is not None:
            matrix *= self.output_scale[:, None]
        return matrix

    def scaled_bias(self) -> FloatArray | None:
        """Return the bias with the output scale applied."""
        if self.bias is None or self.output_scale is None:
            return self.bias
        return self.bias * self.output_scale


def stacked(first: Linear, second: Linear) -> Linear:
    """Return both matrices as one, the rows of `second` last. Neither may have scales."""
    assert all(one.input_scale is one.output_scale is None for one in (first, second))
    parts, orders = [*first.parts, *second.parts], [*first.orders, *second.orders]
    return Linear(parts, orders, _stacked_bias([first.bias, second.bias], [first.rows, second.rows]))


def linear(file: GgufFile, a: Architecture, layer: int, *names: str) -> Linear:
    """Return the tensors `blk.{layer}.{name}` of one layer, stacked.

    Raises ConversionError if one is missing or its shape does not match the metadata.
    """
    parts = [file.tensor(f"blk.{layer}.{name}.weight") for name in names]
    for name, part in zip(names, parts, strict=True):
        if part.shape != _shape(a, name):
            raise ConversionError(
                f"{file.path.name}: '{part.name}' is {part.shape}, expected {_shape(a, name)}"
            )
    orders = [_row_order(a, name) for name in names]
    rows = [part.shape[0] for part in parts]
    biases = [
        _bias(file, f"blk.{layer}.{name}.bias", count, order)
        for name, count, order in zip(names, rows, orders, strict=True)
    ]
    return Linear(parts, orders, _stacked_bias(biases, rows))


@frozen
class LayerWeights:
    """The weights of one transformer layer."""

    attention_norm: FloatArray
    """Gain before attention, (hidden_size,)."""
    qkv: Linear
    """Queries, keys and values in one matrix."""
    attention_output: Linear
    """Back to the residual stream."""
    ffn_norm: FloatArray
    """Gain before the feed-forward network, (hidden_size,)."""
    gate: Linear
    """Goes through SiLU."""
    up: Linear
    """Multiplied with the gate."""
    down: Linear
    """Back to the residual stream."""


def read_layer(file: GgufFile, a: Architecture, index: int) -> LayerWeights:
    """Return layer `index`; raise ConversionError if a tensor is missing or has the wrong shape."""
    return LayerWeights(
        attention_norm=file.vector(f"blk.{index}.attn_norm.weight", a.hidden_size),
        # One matrix, because GroupQueryAttention takes the three in one input.
        qkv=linear(file, a, index, "attn_q", "attn_k", "attn_v"),
        attention_output=linear(file, a, index, "attn_output"),
        ffn_norm=file.vector(f"blk.{index}.ffn_norm.weight", a.hidden_size),
        gate=linear(file, a, index, "ffn_gate"),
        up=linear(file, a, index, "ffn_up"),
        down=linear(file, a, index, "ffn_down"),
    )


def check_tensors(file: GgufFile, a: Architecture) -> None:
    """Raise ConversionError if the file has a tensor that the graph would not use.

    It would convert without it, and compute something else.
    """
    layers = {str(index) for index in range(a.layer_count)}
    for name in file.tensors:
        block, _, rest = name.removeprefix("blk.").partition(".")
        in_layer = name.startswith("blk.") and block in layers and rest in _LAYER_TENSORS
        if not in_layer and name not in _MODEL_TENSORS:
            raise ConversionError(
                f"{file.path.name} has a tensor '{name}' that the conversion cannot use; without it, the "
                "model would compute something else"
            )


def _stacked_bias(biases: Sequence[FloatArray | None], rows: Sequence[int]) -> FloatArray | None:
    """Return the biases of stacked matrices as one, 0 for a matrix that has none; None if all have none."""
    if all(bias is None for bias in biases):
        return None
    return np.concatenate(
        [np.zeros(n, np.float32) if bias is None else bias for bias, n in zip(biases, rows, strict=True)]
    )


def _bias(file: GgufFile, name: str, rows: int, order: NDArray[np.intp] | None) -> FloatArray | None:
    if name not in file.tensors:
        return None
    values = file.vector(name, rows)
    # llama.cpp's converter permutes the biases of q and k too.
    return values if order is None else values[order]


def _shape(a: Architecture, name: str) -> tuple[int, int]:
    queries, keys = a.head_count * a.head_dim, a.kv_head_count * a.head_dim
    shapes = {
        "attn_q": (queries, a.hidden_size),
        "attn_k": (keys, a.hidden_size),
        "attn_v": (keys, a.hidden_size),
        "attn_output": (a.hidden_size, queries),
        "ffn_gate": (a.intermediate_size, a.hidden_size),
        "ffn_up": (a.intermediate_size, a.hidden_size),
        "ffn_down": (a.hidden_size, a.intermediate_size),
    }
    return shapes[name]


def _row_order(a: Architecture, name: str) -> NDArray[np.intp] | None:
    """Return the order that turns interleaved rotary rows (0, d/2, 1, d/2 + 1, ...) back into halves."""
    if name not in ("attn_q", "attn_k") or not INTERLEAVED_ROTARY[a.name]:
        return None
    heads = a.head_count if name == "attn_q" else a.kv_head_count
    rows = np.arange(heads * a.head_dim).reshape(heads, a.head_dim // 2, 2)
    return rows.swapaxes(1, 2).reshape(-1)


def embedding_tensors(file: GgufFile) -> tuple[Tensor, Tensor]:
    """Return (embedding table, head), the same tensor twice if the model ties them.

    Files often contain a tied table twice, in different precision. If a sample of rows agrees up to rounding,
    the finer one serves both ends, which is closer to the model and takes half the memory.
    """
    table = file.tensor("token_embd.weight")
    head = file.tensors.get("output.weight", table)
    if head.shape != table.shape:
        raise ConversionError(
            f"{file.path.name}: head {head.shape} and embedding {table.shape} differ in shape"
        )
    if head is table or not _same_values(table, head):
        return table, head
    # More bytes for a row mean more bits for a value.
    finer = max(table, head, key=lambda tensor: tensor.raw.shape[1])
    return finer, finer


def _same_values(first: Tensor, second: Tensor) -> bool:
    rows = np.linspace(0, first.shape[0] - 1, num=min(64, first.shape[0]), dtype=int)
    a = np.concatenate([first.floats(r, r + 1) for r in rows])
    b = np.concatenate([second.floats(r, r + 1) for r in rows])
    # Rounding normal values to Q4_0 changes them by 0.09 of their size; unrelated tables differ by 1.4 of it.
    return float(np.linalg.norm(a - b)) < 0.15 * float(np.linalg.norm(b)) + 1e-12
