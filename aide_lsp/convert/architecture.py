"""The sizes and constants of the transformer in a GGUF file, read from its metadata.

What files do not say is in `transformer/families.py`. Anything that the graph could not compute is a
`ConversionError` that names what was found. Needs no weights: it also works on a header alone.
"""

from collections.abc import Mapping

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from aide_lsp.convert.gguf_file import GgufFile
from aide_lsp.convert.transformer import families
from aide_lsp.convert.transformer.families import FAMILIES, OPTIONAL, Family
from aide_lsp.convert.transformer.rotary import Rotary, Yarn
from aide_lsp.errors import ConversionError

SCALINGS = ("none", "linear", "yarn")
ROPE_FACTORS, SHORT_FACTORS = "rope_freqs.weight", "rope_factors_short.weight"
LONG_FACTORS = "rope_factors_long.weight"
MOST_POSITIONS = 1 << 17
"""Models are used up to this length: the tables of rotations have a row for each position, and grow by up to
1 KB with it, whatever a file claims."""


@frozen
class Architecture:
    """Sizes and constants of a decoder."""

    name: str
    """A key of `FAMILIES`."""
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
    norm_eps: float
    """Added to the mean square or variance of norms."""
    context_length: int
    """Positions the model was trained for, at most `MOST_POSITIONS`; where texts of any length are rotated
    alike."""
    rotary: Rotary
    """Of layers that attend to everything."""
    window_rotary: Rotary
    """Of layers with a window; mostly the same."""
    window: int
    """Positions that a token sees in layers with a window, itself included; 0: no layer has one."""
    attention_scale: float
    """Multiplies products of queries and keys."""
    attention_cap: float
    """Bound of these products (c * tanh(x / c)); 0: none."""
    embedding_scale: float
    """Multiplies embeddings; 1 is off."""
    residual_scale: float
    """Multiplies what attention and feed-forward network add to the stream; 1 is off."""
    logit_scale: float
    """Divides logits; 1 is off."""
    logit_cap: float
    """Bound of logits; 0: none."""

    @property
    def family(self) -> Family:
        """What is the same in all models of this architecture."""
        return FAMILIES[self.name]

    def has_window(self, layer: int) -> bool:
        """Whether tokens see only the latest positions in this layer."""
        every = self.family.open_every
        return self.window > 0 and not (every and layer % every == every - 1)

    def is_rotated(self, layer: int) -> bool:
        """Whether queries and keys of this layer are rotated."""
        every = self.family.unrotated_every
        return self.rotary.dimensions > 0 and not (every and layer % every == every - 1)


def read_architecture(file: GgufFile) -> Architecture:
    """Read the sizes from the metadata; raise ConversionError for anything unsupported."""
    name = str(file.value("general.architecture"))
    if name not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise ConversionError(f"{file.path.name} contains a '{name}' model; supported architectures: {known}")
    family, optional = FAMILIES[name], _optional(file, name)
    # Files may leave out `key_length`, `head_count_kv` and `freq_base`; the defaults are llama.cpp's.
    heads = file.whole(f"{name}.attention.head_count")
    hidden = file.whole(f"{name}.embedding_length")
    layers = file.whole(f"{name}.block_count")
    head_dim = file.whole(f"{name}.attention.key_length", hidden // heads)
    norm_eps = "layer_norm_epsilon" if family.layer_norm else "layer_norm_rms_epsilon"
    context = _context_length(file, name)
    rotary = _rotary(file, name, head_dim)
    usual_scale = (hidden / heads if layers == family.width_scaled_layers else head_dim) ** -0.5
    architecture = Architecture(
        name=name,
        vocab_size=file.tensor("token_embd.weight").shape[0],
        hidden_size=hidden,
        intermediate_size=file.whole(f"{name}.feed_forward_length"),
        layer_count=layers,
        head_count=heads,
        kv_head_count=file.whole(f"{name}.attention.head_count_kv", heads),
        head_dim=head_dim,
        norm_eps=float(file.number(f"{name}.attention.{norm_eps}")),
        context_length=context,
        rotary=rotary,
        window_rotary=_window_rotary(file, family, rotary),
        # A window that no text fills is none.
        window=0 if optional[families.WINDOW] >= context else int(optional[families.WINDOW]),
        attention_scale=optional[families.ATTENTION_SCALE] or usual_scale,
        attention_cap=optional[families.ATTENTION_CAP],
        embedding_scale=hidden**0.5 if family.embedding_by_width else optional[families.EMBEDDING_SCALE] or 1,
        residual_scale=optional[families.RESIDUAL_SCALE] or 1,
        logit_scale=optional[families.LOGIT_SCALE] or 1,
        logit_cap=optional[families.LOGIT_CAP],
    )
    _check(file, architecture)
    return architecture


def _context_length(file: GgufFile, name: str) -> int:
    whole = min(file.whole(f"{name}.context_length"), MOST_POSITIONS)
    # LongRoPE rotates longer texts in another way, from the first token on: no key could be kept.
    return min(whole, _trained_positions(file, name)) if SHORT_FACTORS in file.tensors else whole


def _optional(file: GgufFile, name: str) -> Mapping[str, float]:
    """Return all of OPTIONAL as it applies to this file."""
    reads, found = FAMILIES[name].reads, dict(OPTIONAL)
    for key in OPTIONAL:
        stated = f"{name}.{key}"
        # 0 is off, in a file too.
        value = file.number(stated) if file.metadata.get(stated) else 0
        if key in reads:
            found[key] = float(value if stated in file.metadata else reads[key])
        elif value and not (key == families.WINDOW and value >= _context_length(file, name)):
            raise ConversionError(
                f"{file.path.name} has '{stated}' = {value}, which Aide cannot apply to a '{name}' model"
            )
    return found


def _rotary(file: GgufFile, name: str, head_dim: int) -> Rotary:
    """Return the rotation, with llama.cpp's defaults (llama-model.cpp, load_hparams)."""
    family, switch = FAMILIES[name], file.metadata.get(f"{name}.rope.scaling.finetuned")
    if family.learned_positions or (family.rotation_switch and switch is False):
        return Rotary(0, 1.0)
    kind = file.metadata.get(f"{name}.rope.scaling.type", "linear")
    if kind not in SCALINGS and not (kind == "longrope" and SHORT_FACTORS in file.tensors):
        known = ", ".join(SCALINGS)
        raise ConversionError(f"{file.path.name} uses rotary scaling '{kind}'; supported: {known}")
    plain = Rotary(
        file.whole(f"{name}.rope.dimension_count", head_dim),
        float(file.number(f"{name}.rope.freq_base", 10000.0)),
        length=float(file.number(f"{name}.rope.scaling.attn_factor", 1.0)),
    )
    # The second key is that of older files.
    keys = [f"{name}.rope.scaling.factor", f"{name}.rope.scale_linear"]
    key = next((key for key in keys if key in file.metadata), None)
    # A factor of 0 means that there is none.
    if kind in ("none", "longrope") or key is None or file.metadata[key] == 0:
        return plain
    factor = float(file.number(key))
    if kind == "yarn" and plain.base <= 1:
        raise ConversionError(f"{file.path.name} uses rotary scaling 'yarn' with a base of {plain.base}")
    if kind == "linear":
        return evolve(plain, factor=factor)
    return evolve(plain, yarn=Yarn(factor, _trained_positions(file, name)))


def _trained_positions(file: GgufFile, name: str) -> int:
    """Return the positions before the model was extended."""
    whole = file.whole(f"{name}.context_length")
    return file.whole(f"{name}.rope.scaling.original_context_length", whole)


def _window_rotary(file: GgufFile, family: Family, rotary: Rotary) -> Rotary:
    if family.window_rope_base is None:
        return rotary
    name = str(file.value("general.architecture"))
    base = file.number(f"{name}.rope.freq_base_swa", family.window_rope_base)
    return Rotary(rotary.dimensions, float(base))


def _check(file: GgufFile, a: Architecture) -> None:
    value_dim = file.metadata.get(f"{a.name}.attention.value_length", a.head_dim)
    rotated = a.rotary.dimensions
    widths = (a.hidden_size, a.intermediate_size, a.head_count * a.head_dim)
    # Its gains would have to be in the order of `_row_order`, too.
    has_head_norms = a.family.head_norms or a.family.row_norms
    # GroupQueryAttention takes heads of multiples of 16 dimensions, rotates multiples of 16 of them, and
    # gives keys and values one width; blocks of int8 have 32 columns.
    checks = [
        (a.head_count % a.kv_head_count, "has a number of heads that is not a multiple of its KV heads"),
        (value_dim != a.head_dim, "has value heads and key heads of different widths"),
        (a.head_dim % 16, f"has heads of {a.head_dim} dimensions; supported: multiples of 16"),
        (
            rotated % 2 or a.rotary.padded > a.head_dim or (has_head_norms and rotated != a.rotary.padded),
            f"rotates {rotated} of {a.head_dim} dimensions, which Aide cannot",
        ),
        (any(width % 32 for width in widths), "has widths that are not multiples of 32"),
        *((_is_on(file, f"{a.name}.{key}", off), what) for key, off, what in UNSUPPORTED),
        (_is_on(file, "split.count", 1), "is one of several parts; merge them with `llama-gguf-split`"),
    ]
    for failed, what in checks:
        if failed:
            raise ConversionError(f"{file.path.name} {what}")


UNSUPPORTED = (
    ("rope.scaling.yarn_attn_factor", 1, "has scaled attention, which is not supported"),
    ("expert_count", 0, "is a mixture of experts, which is not supported"),
    ("attention.causal", True, "is no model that continues text: its tokens see what comes after them"),
)
"""Metadata without the architecture's name, the value that means nothing, and what any other value means."""


def _is_on(file: GgufFile, key: str, off: float) -> bool:
    return bool(file.metadata.get(key, off) != off)


def rotary_divisors(file: GgufFile, a: Architecture) -> NDArray[np.float64] | None:
    """Return what the frequencies of pairs are divided by (Llama 3.1, LongRoPE); None: nothing."""
    for name in (SHORT_FACTORS, ROPE_FACTORS):
        if name in file.tensors:
            return file.vector(name, a.rotary.dimensions // 2).astype(np.float64)
    return None
