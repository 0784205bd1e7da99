"""The weights of a decoder, under common names and in the order that the graph uses.

The bytes of matrices stay in the file until they are needed. Missing tensors and wrong shapes are a
`ConversionError`; `check_tensors` finds them in a header alone.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from aide_lsp.convert.architecture import LONG_FACTORS, ROPE_FACTORS, SHORT_FACTORS, Architecture
from aide_lsp.convert.gguf_file import GgufFile, Tensor
from aide_lsp.errors import ConversionError

FloatArray = NDArray[np.float32]
_UNUSED = ("attn_rot_embd.weight",)
"""In old files; the same as the metadata, and not read by llama.cpp either."""


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

    Raises ConversionError if one is missing.
    """
    parts = [file.tensor(f"blk.{layer}.{name}.weight") for name in names]
    orders = [_row_order(a, name) for name in names]
    rows = [part.shape[0] for part in parts]
    biases = [
        _bias(file, f"blk.{layer}.{name}.bias", count, order)
        for name, count, order in zip(names, rows, orders, strict=True)
    ]
    return Linear(parts, orders, _stacked_bias(biases, rows))


@frozen
class Norm:
    """RMSNorm, or LayerNorm if it has a bias."""

    gain: FloatArray
    """(hidden_size,)"""
    bias: FloatArray | None = None
    """(hidden_size,)"""


@frozen
class LayerWeights:
    """The weights of one transformer layer."""

    attention_norm: Norm | None
    """Before attention."""
    qkv: Linear
    """Queries, keys and values in one matrix."""
    query_norm: FloatArray | None
    """Gain of RMSNorm, (head_dim,) for each head or all heads together; None: there is no norm."""
    key_norm: FloatArray | None
    """The same for keys."""
    attention_output: Linear
    """Back to the residual stream."""
    attention_end: Norm | None
    """After attention, before its result is added to the stream."""
    ffn_norm: Norm | None
    """Before the feed-forward network."""
    gate: Linear | None
    """Goes through the activation; None: `up` does."""
    up: Linear
    """Multiplied with the gate."""
    down: Linear
    """Back to the residual stream."""
    ffn_end: Norm | None
    """After the feed-forward network, before its result is added to the stream."""


def read_layer(file: GgufFile, a: Architecture, index: int) -> LayerWeights:
    """Return layer `index`; raise ConversionError if a tensor is missing or has the wrong shape."""
    family = a.family

    def norm(name: str, present: bool) -> Norm | None:
        return read_norm(file, a, f"blk.{index}.{name}") if present else None

    def head_norm(name: str) -> FloatArray | None:
        width = _head_norms(a).get(name)
        return None if width is None else file.vector(f"blk.{index}.{name}.weight", width)

    up = linear(file, a, index, "ffn_up")
    gate = linear(file, a, index, "ffn_gate") if _has_gate_tensor(a) else None
    if family.gate_in_up:
        gate, up = _halves(up)
    return LayerWeights(
        attention_norm=norm("attn_norm", family.norms_before),
        # One matrix, because GroupQueryAttention takes the three in one input.
        qkv=linear(file, a, index, *_qkv_names(file, index)),
        query_norm=head_norm("attn_q_norm"),
        key_norm=head_norm("attn_k_norm"),
        attention_output=linear(file, a, index, "attn_output"),
        attention_end=norm("post_attention_norm", family.norms_after),
        ffn_norm=norm(family.ffn_norm, family.norms_before),
        gate=gate,
        up=up,
        down=linear(file, a, index, "ffn_down"),
        ffn_end=norm("post_ffw_norm", family.norms_after),
    )


def _halves(both: Linear) -> tuple[Linear, Linear]:
    """Return the first and the second half of the rows of one tensor."""
    (tensor,), half = both.parts, both.rows // 2
    gate, up = (
        Linear(
            [evolve(tensor, shape=(half, *tensor.shape[1:]), raw=tensor.raw[rows])],
            [None],
            None if both.bias is None else both.bias[rows],
        )
        for rows in (slice(None, half), slice(half, None))
    )
    return gate, up


def read_norm(file: GgufFile, a: Architecture, name: str) -> Norm:
    """Return the norm `name`; raise ConversionError if it is missing or has another width."""
    gain = file.vector(f"{name}.weight", a.hidden_size)
    return Norm(gain, file.vector(f"{name}.bias", a.hidden_size) if a.family.layer_norm else None)


def check_tensors(file: GgufFile, a: Architecture) -> None:
    """Raise ConversionError unless the file has the tensors that the graph uses, and no others.

    With another one, it would convert without it, and compute something else. Needs no weights.
    """
    used = set()
    for name, shape, is_required in _expected(file, a):
        used.add(name)
        if (is_required or name in file.tensors) and file.tensor(name).shape != shape:
            raise ConversionError(
                f"{file.path.name}: '{name}' is {file.tensor(name).shape}, expected {shape}"
            )
    for name in file.tensors:
        if name not in used and not name.endswith(_UNUSED):
            raise ConversionError(
                f"{file.path.name} has a tensor '{name}' that the conversion cannot use; without it, the "
                "model would compute something else"
            )


def _expected(file: GgufFile, a: Architecture) -> Iterator[tuple[str, tuple[int, ...], bool]]:
    """Yield the tensors that the graph uses: name, shape, and whether there must be one."""
    hidden = (a.hidden_size,)
    table = (a.vocab_size, a.hidden_size)
    yield "token_embd.weight", table, True
    yield "output.weight", table, False
    if a.family.learned_positions:
        yield POSITIONS, (a.context_length, a.hidden_size), True
    else:
        yield from ((name, (a.rotary.dimensions // 2,), False) for name in ROTARY_FACTORS)
    norms = {"output_norm": True}
    for index in range(a.layer_count):
        block = f"blk.{index}."
        for name in (*_qkv_names(file, index), *OTHER_MATRICES):
            if name != "ffn_gate" or _has_gate_tensor(a):
                rows, columns = _shape(a, name)
                yield f"{block}{name}.weight", (rows, columns), True
                yield f"{block}{name}.bias", (rows,), False
        for name, width in _head_norms(a).items():
            yield f"{block}{name}.weight", (width,), True
        norms |= {f"{block}{name}": a.family.norms_before for name in ("attn_norm", a.family.ffn_norm)}
        norms |= {f"{block}{name}": True for name in ENDS if a.family.norms_after}
    for name, is_there in norms.items():
        if is_there:
            yield f"{name}.weight", hidden, True
            if a.family.layer_norm:
                yield f"{name}.bias", hidden, True


POSITIONS = "position_embd.weight"
ROTARY_FACTORS = (ROPE_FACTORS, SHORT_FACTORS, LONG_FACTORS)
ENDS = ("post_attention_norm", "post_ffw_norm")
OTHER_MATRICES = ("attn_output", "ffn_gate", "ffn_up", "ffn_down")


def _qkv_names(file: GgufFile, layer: int) -> Sequence[str]:
    """Return the names of the matrices that give queries, keys and values: one for all, or three."""
    fused = f"blk.{layer}.attn_qkv.weight" in file.tensors
    return ("attn_qkv",) if fused else ("attn_q", "attn_k", "attn_v")


def _has_gate_tensor(a: Architecture) -> bool:
    return a.family.gated and not a.family.gate_in_up


def _head_norms(a: Architecture) -> dict[str, int]:
    """Return the norms of queries and keys, with their widths."""
    if a.family.row_norms:
        return {"attn_q_norm": a.head_count * a.head_dim, "attn_k_norm": a.kv_head_count * a.head_dim}
    return dict.fromkeys(("attn_q_norm", "attn_k_norm"), a.head_dim) if a.family.head_norms else {}


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
        "attn_qkv": (queries + 2 * keys, a.hidden_size),
        "attn_q": (queries, a.hidden_size),
        "attn_k": (keys, a.hidden_size),
        "attn_v": (keys, a.hidden_size),
        "attn_output": (a.hidden_size, queries),
        "ffn_gate": (a.intermediate_size, a.hidden_size),
        "ffn_up": (a.intermediate_size * (1 + a.family.gate_in_up), a.hidden_size),
        "ffn_down": (a.hidden_size, a.intermediate_size),
    }
    return shapes[name]


def _row_order(a: Architecture, name: str) -> NDArray[np.intp] | None:
    """Return the order of rows that the kernel takes: halves of pairs, (0, 2, ..., 1, 3, ...) if interleaved.

    Where it rotates more dimensions than the model does, each half ends with some of those that follow.
    """
    turned, padded = a.rotary.dimensions, a.rotary.padded
    is_rotated = name in ("attn_q", "attn_k", "attn_qkv")
    if not is_rotated or (not a.family.interleaved and padded == turned):
        return None
    rotated = {"attn_q": a.head_count, "attn_k": a.kv_head_count, "attn_qkv": a.head_count + a.kv_head_count}
    rows, heads = np.arange(_shape(a, name)[0]).reshape(-1, a.head_dim), rotated[name]
    halves = np.arange(turned).reshape((-1, 2) if a.family.interleaved else (2, -1))
    rest = np.arange(turned, padded).reshape(2, -1)
    order = np.concatenate([halves.T if a.family.interleaved else halves, rest], axis=1).reshape(-1)
    rows[:heads, :padded] = rows[:heads, order]
    return rows.reshape(-1)


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
