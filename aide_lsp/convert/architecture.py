"""The sizes and constants of the transformer in a GGUF file, and its rotary tables.

Supports `qwen2` and `llama` decoders; anything else is a `ConversionError` that names what was found.
"""

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.convert.gguf_file import GgufFile
from aide_lsp.errors import ConversionError

FloatArray = NDArray[np.float32]

# Architecture -> whether the rows of q and k are stored in interleaved rotary order. llama.cpp's converter
# permutes them for `llama` (convert_hf_to_gguf.py, LlamaModel.permute) but not for `qwen2`.
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
    head_count: int
    """Query heads."""
    kv_head_count: int
    """Key and value heads (grouped-query attention)."""
    head_dim: int
    rope_base: float
    """Base of the rotary frequencies."""
    rope_factor: float
    """Linear rotary scaling: positions are divided by this; 1 is off."""
    norm_eps: float
    """Added to the mean square in RMSNorm."""
    context_length: int
    """Positions the model was trained for."""


def read_architecture(file: GgufFile) -> Architecture:
    """Read the sizes from the metadata; raise ConversionError for anything unsupported."""
    name = str(file.value("general.architecture"))
    if name not in INTERLEAVED_ROTARY:
        known = ", ".join(INTERLEAVED_ROTARY)
        raise ConversionError(f"{file.path.name} contains a '{name}' model; supported architectures: {known}")
    # Files may leave out `key_length`, `head_count_kv` and `freq_base`; the defaults are llama.cpp's.
    heads = file.whole(f"{name}.attention.head_count")
    hidden = file.whole(f"{name}.embedding_length")
    head_dim = file.whole(f"{name}.attention.key_length", hidden // heads)
    architecture = Architecture(
        name=name,
        vocab_size=file.tensor("token_embd.weight").shape[0],
        hidden_size=hidden,
        intermediate_size=file.whole(f"{name}.feed_forward_length"),
        layer_count=file.whole(f"{name}.block_count"),
        head_count=heads,
        kv_head_count=file.whole(f"{name}.attention.head_count_kv", heads),
        head_dim=head_dim,
        rope_base=float(file.number(f"{name}.rope.freq_base", 10000.0)),
        rope_factor=_rope_factor(file, name),
        norm_eps=float(file.number(f"{name}.attention.layer_norm_rms_epsilon")),
        context_length=file.whole(f"{name}.context_length"),
    )
    _check(file, architecture)
    return architecture


def _rope_factor(file: GgufFile, name: str) -> float:
    """Return what positions are divided by, with llama.cpp's defaults (llama-model.cpp, load_hparams)."""
    kind = file.metadata.get(f"{name}.rope.scaling.type", "linear")
    if kind not in ("none", "linear"):
        raise ConversionError(f"{file.path.name} uses rotary scaling '{kind}'; supported: none, linear")
    # The second key is that of older files.
    keys = [f"{name}.rope.scaling.factor", f"{name}.rope.scale_linear"]
    key = next((key for key in keys if key in file.metadata), None)
    # A factor of 0 means that there is none.
    if kind == "none" or key is None or file.metadata[key] == 0:
        return 1.0
    return float(file.number(key))


def _check(file: GgufFile, a: Architecture) -> None:
    rotary = file.metadata.get(f"{a.name}.rope.dimension_count", a.head_dim)
    widths = (a.hidden_size, a.intermediate_size, a.head_count * a.head_dim)
    value_dim = file.metadata.get(f"{a.name}.attention.value_length", a.head_dim)
    scale = f"{a.name}.rope.scaling.attn_factor"
    # GroupQueryAttention rotates entire heads, of multiples of 16 dimensions, and gives keys and values one
    # width; blocks of int8 have 32 columns.
    checks = [
        (a.head_count % a.kv_head_count, "has a number of heads that is not a multiple of its KV heads"),
        (rotary != a.head_dim, f"rotates {rotary} of {a.head_dim} dimensions; supported: all of them"),
        (value_dim != a.head_dim, "has value heads and key heads of different widths"),
        (a.head_dim % 16, f"has heads of {a.head_dim} dimensions; supported: multiples of 16"),
        (file.metadata.get(scale, 1) != 1, "has scaled attention, which is not supported"),
        (any(width % 32 for width in widths), "has widths that are not multiples of 32"),
        (file.metadata.get(f"{a.name}.expert_count"), "is a mixture of experts, which is not supported"),
    ]
    for failed, what in checks:
        if failed:
            raise ConversionError(f"{file.path.name} {what}")


def rotary_tables(file: GgufFile, a: Architecture) -> tuple[FloatArray, FloatArray]:
    """Return cosines and sines, each (context_length, head_dim / 2).

    `rope_freqs.weight`, if present, divides each frequency (Llama 3.1 and later).
    """
    # In float64: float32 would leave too few digits for the fraction of a large angle.
    frequencies = a.rope_base ** (-np.arange(0, a.head_dim, 2, dtype=np.float64) / a.head_dim)
    if "rope_freqs.weight" in file.tensors:
        frequencies /= file.vector("rope_freqs.weight", len(frequencies)).astype(np.float64)
    angles = np.outer(np.arange(a.context_length, dtype=np.float64) / a.rope_factor, frequencies)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)
