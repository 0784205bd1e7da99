"""The transformer that a GGUF file holds: its sizes, and its weights under one set of names.

In: an open GGUF file. Out: `Architecture` (all numbers from the file's metadata) and `Linear`, the
rows of a matrix brought into the order that the graph computes in. Supported: `qwen2` and `llama`
decoders, with or without biases, with a tied or an untied head. Knows nothing of ONNX or of recipes.
"""

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.catalog.gguf_file import GgufFile, Tensor
from aide_lsp.errors import ConversionError

FloatArray = NDArray[np.float32]

# Architecture -> are the rows of q and k stored in interleaved rotary order? llama.cpp's converter
# permutes them for `llama` (convert_hf_to_gguf.py, LlamaModel.permute) and leaves `qwen2` alone.
INTERLEAVED_ROTARY = {"qwen2": False, "llama": True}


@frozen
class Architecture:
    """Sizes and constants of a decoder."""

    name: str
    """`qwen2` or `llama`."""
    vocab_size: int
    """Rows of the embedding table."""
    hidden_size: int
    """Width of the residual stream."""
    intermediate_size: int
    """Width inside the feed-forward network."""
    layer_count: int
    """Number of transformer layers."""
    head_count: int
    """Query heads."""
    kv_head_count: int
    """Key and value heads (grouped-query attention)."""
    head_dim: int
    """Width of one head."""
    rope_base: float
    """Base of the rotary frequencies."""
    rope_factor: float
    """Linear rotary scaling: positions are divided by this; 1 is off."""
    norm_eps: float
    """Added to the mean square in RMSNorm."""
    context_length: int
    """Positions the model was trained for."""


def read_architecture(file: GgufFile) -> Architecture:
    """Read the sizes from the metadata; raise ConversionError for anything not supported."""
    name = str(file.value("general.architecture"))
    if name not in INTERLEAVED_ROTARY:
        known = ", ".join(INTERLEAVED_ROTARY)
        raise ConversionError(f"{file.path.name} holds a '{name}' model; architectures supported: {known}")
    heads = int(file.value(f"{name}.attention.head_count"))
    hidden = int(file.value(f"{name}.embedding_length"))
    head_dim = int(file.metadata.get(f"{name}.attention.key_length", hidden // max(heads, 1)))
    architecture = Architecture(
        name=name,
        vocab_size=file.tensor("token_embd.weight").shape[0],
        hidden_size=hidden,
        intermediate_size=int(file.value(f"{name}.feed_forward_length")),
        layer_count=int(file.value(f"{name}.block_count")),
        head_count=heads,
        kv_head_count=int(file.metadata.get(f"{name}.attention.head_count_kv", heads)),
        head_dim=head_dim,
        rope_base=float(file.metadata.get(f"{name}.rope.freq_base", 10000.0)),
        rope_factor=_rope_factor(file, name),
        norm_eps=float(file.value(f"{name}.attention.layer_norm_rms_epsilon")),
        context_length=int(file.value(f"{name}.context_length")),
    )
    _check(file, architecture)
    return architecture


def _rope_factor(file: GgufFile, name: str) -> float:
    kind = file.metadata.get(f"{name}.rope.scaling.type", "none")
    if kind not in ("none", "linear"):
        raise ConversionError(f"{file.path.name} uses rotary scaling '{kind}'; supported: none, linear")
    if kind == "none":
        return 1.0
    return float(file.value(f"{name}.rope.scaling.factor"))


def _check(file: GgufFile, a: Architecture) -> None:
    rotary = file.metadata.get(f"{a.name}.rope.dimension_count", a.head_dim)
    value_dim = file.metadata.get(f"{a.name}.attention.value_length", a.head_dim)
    faults = [
        (a.head_count < 1 or a.kv_head_count < 1 or a.layer_count < 1, "has no heads or no layers"),
        (a.kv_head_count and a.head_count % a.kv_head_count, "heads are no multiple of the KV heads"),
        (rotary != a.head_dim, f"rotates {rotary} of {a.head_dim} dimensions; only all are supported"),
        (value_dim != a.head_dim, "has value heads of another width than key heads"),
        (a.hidden_size % 32 or a.intermediate_size % 32, "has widths that are no multiples of 32"),
        (f"{a.name}.expert_count" in file.metadata, "is a mixture of experts, which is not supported"),
    ]
    for wrong, what in faults:
        if wrong:
            raise ConversionError(f"{file.path.name} {what}")


def rotary_tables(file: GgufFile, a: Architecture) -> tuple[FloatArray, FloatArray]:
    """Return cosines and sines, each (context_length, head_dim / 2).

    `rope_freqs.weight`, where present, divides each frequency (Llama 3.1 and later).
    """
    frequencies = a.rope_base ** (-np.arange(0, a.head_dim, 2, dtype=np.float64) / a.head_dim)
    if "rope_freqs.weight" in file.tensors:
        frequencies /= file.tensor("rope_freqs.weight").floats().astype(np.float64)
    angles = np.outer(np.arange(a.context_length, dtype=np.float64) / a.rope_factor, frequencies)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


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
    def in_features(self) -> int:
        """Columns of the matrix."""
        return self.parts[0].shape[1]

    @property
    def out_features(self) -> int:
        """Rows of all parts."""
        return sum(part.shape[0] for part in self.parts)

    def floats(self) -> FloatArray:
        """Return the whole matrix as float32, scales applied, (out_features, in_features)."""
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


def linear(file: GgufFile, a: Architecture, layer: int, *names: str) -> Linear:
    """Return the tensors `blk.{layer}.{name}` of one layer, stacked.

    Raises ConversionError if one is missing or its shape does not fit the metadata.
    """
    parts = [file.tensor(f"blk.{layer}.{name}.weight") for name in names]
    for name, part in zip(names, parts, strict=True):
        if part.shape != _shape(a, name):
            raise ConversionError(
                f"{file.path.name}: '{part.name}' is {part.shape}, expected {_shape(a, name)}"
            )
    orders = [_row_order(a, name) for name in names]
    biases = [
        _bias(file, f"blk.{layer}.{name}.bias", order) for name, order in zip(names, orders, strict=True)
    ]
    if all(bias is None for bias in biases):
        return Linear(parts, orders, None)
    rows = [np.zeros(p.shape[0], np.float32) if b is None else b for p, b in zip(parts, biases, strict=True)]
    return Linear(parts, orders, np.concatenate(rows))


@frozen
class Layer:
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


def read_layer(file: GgufFile, a: Architecture, index: int) -> Layer:
    """Return layer `index`; raise ConversionError if a tensor is missing or has the wrong shape."""
    return Layer(
        attention_norm=file.tensor(f"blk.{index}.attn_norm.weight").floats(),
        qkv=linear(file, a, index, "attn_q", "attn_k", "attn_v"),
        attention_output=linear(file, a, index, "attn_output"),
        ffn_norm=file.tensor(f"blk.{index}.ffn_norm.weight").floats(),
        gate=linear(file, a, index, "ffn_gate"),
        up=linear(file, a, index, "ffn_up"),
        down=linear(file, a, index, "ffn_down"),
    )


def _bias(file: GgufFile, name: str, order: NDArray[np.intp] | None) -> FloatArray | None:
    if name not in file.tensors:
        return None
    values = file.tensor(name).floats()
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
    """Order that takes interleaved rotary rows (0, d/2, 1, d/2 + 1, ...) back to halves."""
    if name not in ("attn_q", "attn_k") or not INTERLEAVED_ROTARY[a.name]:
        return None
    heads = a.head_count if name == "attn_q" else a.kv_head_count
    rows = np.arange(heads * a.head_dim).reshape(heads, a.head_dim // 2, 2)
    return rows.swapaxes(1, 2).reshape(-1)


def embedding_tensors(file: GgufFile) -> tuple[Tensor, Tensor]:
    """Return (embedding table, head), the same tensor twice where the model ties them.

    Files often hold a tied table twice in different precision. Where a sample of rows agrees up to
    rounding, the finer one serves both ends: nearer to the model, and half the memory.
    """
    table = file.tensor("token_embd.weight")
    head = file.tensors.get("output.weight", table)
    if head.shape != table.shape:
        raise ConversionError(
            f"{file.path.name}: head {head.shape} and embedding {table.shape} differ in shape"
        )
    if head is table or not _same_values(table, head):
        return table, head
    finer = max(table, head, key=lambda tensor: tensor.raw.shape[1])
    return finer, finer


def _same_values(first: Tensor, second: Tensor) -> bool:
    rows = np.linspace(0, first.shape[0] - 1, num=min(64, first.shape[0]), dtype=int)
    a = np.concatenate([first.floats(r, r + 1) for r in rows])
    b = np.concatenate([second.floats(r, r + 1) for r in rows])
    return float(np.linalg.norm(a - b)) < 0.15 * float(np.linalg.norm(b)) + 1e-12
