"""Small models with random weights: a GGUF file, and the model folder the converter makes of it.

`tiny_gguf` writes the file, `tiny_model_folder` converts it too; both take well under three seconds.
The vocabulary is byte-level BPE: 256 bytes, a few merges, and the special tokens of the FIM format, so
any text can be encoded. Weights are random: what such a model says means nothing, but it is always
the same for the same seed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import frozen

SPECIAL_TOKENS = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
)
MERGES = (
    "Ġ Ġ",
    "ĠĠ ĠĠ",
    "d e",
    "de f",
    "r e",
    "re t",
    "u r",
    "ur n",
    "ret urn",
    "s e",
    "se l",
    "sel f",
    "Ġ ret",
    "i n",
)
END_TOKENS = ("<|endoftext|>", "<|fim_pad|>", "<|file_sep|>", "<|repo_name|>")


@frozen
class Layout:
    """Which tensors the layers of an architecture have."""

    layer_norm: bool = False
    gated: bool = True
    gate_in_up: bool = False
    fused: bool = False
    norms: tuple[str, ...] = ("attn_norm", "ffn_norm")
    head_norms: bool = False
    row_norms: bool = False
    positions: bool = False


LAYOUTS = {
    "qwen3": Layout(head_norms=True),
    "seed_oss": Layout(norms=("attn_norm", "post_attention_norm")),
    "olmo2": Layout(norms=("post_attention_norm", "post_ffw_norm"), row_norms=True),
    "phi3": Layout(fused=True, gate_in_up=True),
    "stablelm": Layout(layer_norm=True),
    "starcoder": Layout(layer_norm=True, gated=False, fused=True, positions=True),
    "starcoder2": Layout(layer_norm=True, gated=False),
    "gemma2": Layout(norms=("attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm")),
    "gemma3": Layout(
        norms=("attn_norm", "ffn_norm", "post_attention_norm", "post_ffw_norm"), head_norms=True
    ),
}
"""Architectures that differ from llama's."""


@frozen
class TinySpec:
    """Sizes of a tiny model."""

    architecture: str = "qwen2"
    tied: bool = True
    biases: bool = True
    layer_count: int = 2
    hidden_size: int = 64
    intermediate_size: int = 96
    head_count: int = 4
    kv_head_count: int = 2
    context_length: int = 2048
    vocab_size: int = 384
    rope_base: float = 10000.0
    matrix_type: str = "F32"
    """ggml's name of the type that the layers' matrices are stored in: F32, F16, Q8_0, Q4_0, Q4_1, Q5_0."""
    rope_factors: bool = False
    """Is there a `rope_freqs.weight`, as in Llama 3.1?"""
    long_rope: bool = False
    """Are there `rope_factors_short.weight` and `rope_factors_long.weight`, as in Phi 3?"""
    mlp_biases: bool = False
    """Have the matrices after attention biases too?"""
    rope_scaling: tuple[tuple[str, float | str], ...] = ()
    """Metadata about rotary scaling, without `{architecture}.rope.`."""
    rope_divisor: float = 1.0
    """What positions are divided by according to `rope_scaling`."""
    key_length: int = 0
    """Width of one head; 0: the file does not state it."""
    metadata: tuple[tuple[str, bool | int | float | str], ...] = ()
    """More metadata, without the name of the architecture."""
    embedding_spread: float = 1.0
    seed: int = 1

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.key_length or self.hidden_size // self.head_count

    @property
    def layout(self) -> Layout:
        """Which tensors there are."""
        return LAYOUTS.get(self.architecture, Layout())


def byte_characters() -> list[str]:
    """Return the 256 characters that byte-level BPE writes bytes as (GPT-2's bytes_to_unicode)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(spare)) for byte in range(256)]


def tiny_vocabulary(size: int) -> tuple[list[str], list[int]]:
    """Return tokens and their ggml types: normal 1, control 3, unused 5."""
    tokens = [*byte_characters(), *dict.fromkeys(merge.replace(" ", "") for merge in MERGES)]
    types = [1] * len(tokens) + [3] * len(SPECIAL_TOKENS)
    tokens += SPECIAL_TOKENS
    padding = [f"[PAD{index}]" for index in range(len(tokens), size)]
    return tokens + padding, types + [5] * len(padding)


def tiny_weights(spec: TinySpec) -> dict[str, np.ndarray]:
    """Return float32 weights by GGUF name, q and k in the order of the architecture's own files."""
    draw = np.random.Generator(np.random.Philox(spec.seed))
    layout = spec.layout
    queries, kv = spec.head_count * spec.head_dim, spec.kv_head_count * spec.head_dim
    hidden, wide = spec.hidden_size, spec.intermediate_size
    shapes = {"attn_q": (queries, hidden), "attn_k": (kv, hidden), "attn_v": (kv, hidden)}
    if layout.fused:
        shapes = {"attn_qkv": (queries + 2 * kv, hidden)}
    before = tuple(shapes)
    shapes |= {"attn_output": (hidden, queries)}
    if layout.gated and not layout.gate_in_up:
        shapes |= {"ffn_gate": (wide, hidden)}
    shapes |= {"ffn_up": (wide * (1 + layout.gate_in_up), hidden), "ffn_down": (hidden, wide)}

    def normal(*shape: int, scale: float) -> np.ndarray:
        return (draw.standard_normal(shape) * scale).astype(np.float32)

    def norm(name: str, width: int) -> dict[str, np.ndarray]:
        gain = {f"{name}.weight": 1 + normal(width, scale=0.2)}
        return gain | ({f"{name}.bias": normal(width, scale=0.2)} if layout.layer_norm else {})

    weights = {"token_embd.weight": normal(spec.vocab_size, hidden, scale=spec.embedding_spread)}
    for layer in range(spec.layer_count):
        for name, shape in shapes.items():
            weights[f"blk.{layer}.{name}.weight"] = normal(*shape, scale=1.5 / shape[1] ** 0.5)
        for name in before if spec.biases else ():
            weights[f"blk.{layer}.{name}.bias"] = normal(shapes[name][0], scale=0.3)
        for name in ("attn_output", "ffn_gate", "ffn_up", "ffn_down") if spec.mlp_biases else ():
            if name in shapes:
                weights[f"blk.{layer}.{name}.bias"] = normal(shapes[name][0], scale=0.5)
        for name in layout.norms:
            weights |= norm(f"blk.{layer}.{name}", hidden)
        for name, width in (("attn_q_norm", queries), ("attn_k_norm", kv)):
            if layout.head_norms or layout.row_norms:
                width = spec.head_dim if layout.head_norms else width
                weights[f"blk.{layer}.{name}.weight"] = 1 + normal(width, scale=0.2)
    weights |= norm("output_norm", hidden)
    if not spec.tied:
        weights["output.weight"] = normal(spec.vocab_size, hidden, scale=1.0)
    if layout.positions:
        weights["position_embd.weight"] = normal(spec.context_length, hidden, scale=0.5)
    if spec.long_rope:
        half = spec.head_dim // 2
        weights["rope_factors_short.weight"] = np.linspace(1, 3, half, dtype=np.float32)
        weights["rope_factors_long.weight"] = np.linspace(2, 40, half, dtype=np.float32)
    if spec.rope_factors:
        weights["rope_freqs.weight"] = np.linspace(1, 4, spec.head_dim // 2, dtype=np.float32)
    return weights


def tiny_gguf(
    path: Path, spec: TinySpec | None = None, tokenizer: Mapping[str, object] | None = None
) -> Path:
    """Write a tiny model to `path` and return it; `tokenizer` is other metadata about its vocabulary."""
    from gguf import GGMLQuantizationType, GGUFWriter
    from gguf.quants import quantize

    spec = spec or TinySpec()
    writer = GGUFWriter(path, spec.architecture)
    _write_sizes(writer, spec)
    adders = {bool: writer.add_bool, int: writer.add_uint32, str: writer.add_string, list: writer.add_array}
    for key, value in (tokenizer or _tokenizer_metadata(spec.vocab_size)).items():
        # The format has no empty lists.
        if value != []:
            adders[type(value)](key, value)
    for name, weight in tiny_weights(spec).items():
        kind = GGMLQuantizationType[spec.matrix_type if weight.ndim == 2 else "F32"]
        writer.add_tensor(name, quantize(weight, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tokenizer_metadata(size: int) -> dict[str, object]:
    tokens, types = tiny_vocabulary(size)
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": list(MERGES),
    }


def tiny_card(end_tokens: Sequence[str] = END_TOKENS) -> dict[str, object]:
    """Return the facts of a model card that fit the tiny model."""
    return {"id": "tiny", "fim": "qwen2.5-coder", "end_tokens": list(end_tokens), "source_sha256": "0" * 64}


def tiny_model_folder(folder: Path, spec: TinySpec | None = None, recipe: str = "exact") -> Path:
    """Write and convert a tiny model, in this process, into the new folder `folder`; return it.

    `spec`: by default, matrices are stored in a type that the recipe does not leave to another one.
    """
    from aide_lsp.convert.worker import write_model_folder

    spec = spec or TinySpec(matrix_type="Q4_1" if recipe.startswith("int4") else "F32")
    folder.mkdir(parents=True)
    source = tiny_gguf(folder.with_name(f"{folder.name}.gguf"), spec)
    job = {"source": str(source), "folder": str(folder), "model": tiny_card(), "recipe": recipe}
    write_model_folder(job)
    return folder


def _write_sizes(writer, spec: TinySpec) -> None:
    writer.add_context_length(spec.context_length)
    writer.add_embedding_length(spec.hidden_size)
    writer.add_block_count(spec.layer_count)
    writer.add_feed_forward_length(spec.intermediate_size)
    writer.add_head_count(spec.head_count)
    writer.add_head_count_kv(spec.kv_head_count)
    writer.add_rope_freq_base(spec.rope_base)
    add_eps = writer.add_layer_norm_eps if spec.layout.layer_norm else writer.add_layer_norm_rms_eps
    add_eps(1e-6)
    if spec.key_length:
        writer.add_key_length(spec.key_length)
        writer.add_value_length(spec.key_length)
    for key, value in (*((f"rope.{key}", value) for key, value in spec.rope_scaling), *spec.metadata):
        add = {str: writer.add_string, bool: writer.add_bool, int: writer.add_uint32}
        add.get(type(value), writer.add_float32)(f"{spec.architecture}.{key}", value)
