"""The architectures that can be converted: one row of facts for each, from which one graph is built.

A GGUF file names its architecture and states sizes; a row says what the file leaves unsaid. To support
another one, add a row, its tensors to `LAYOUTS` in `tests/tiny_model.py`, and a tiny model to
`tests/convert/test_architectures.py`, which compares it with llama.cpp (its `src/models` show what to write).
"""

from collections.abc import Mapping

from attrs import field, frozen

SILU, GELU = "silu", "gelu"
"""Activations; `gelu` is the one approximated by tanh."""


@frozen
class Family:
    """What the decoders of one architecture are made of."""

    layer_norm: bool = False
    """LayerNorm with biases instead of RMSNorm."""
    norms_before: bool = True
    """Attention and feed-forward network get a normalized stream."""
    norms_after: bool = False
    """What attention and feed-forward network add to the stream is normalized."""
    ffn_norm: str = "ffn_norm"
    """Tensor of the norm before the feed-forward network."""
    head_norms: bool = False
    """Each head of queries and keys is normalized before it is rotated."""
    row_norms: bool = False
    """Queries and keys are normalized over all heads together."""
    gated: bool = True
    """The feed-forward network is down(activation(gate) * up), otherwise down(activation(up))."""
    gate_in_up: bool = False
    """The tensor of `up` holds the rows of the gate first."""
    activation: str = SILU
    """`silu` or `gelu`."""
    interleaved: bool = False
    """The rows of q and k are stored in interleaved rotary order."""
    learned_positions: bool = False
    """Positions are a table added to the embedding; nothing is rotated."""
    unrotated_every: int = 0
    """Each layer of this number is not rotated; 0: all are."""
    rotation_switch: bool = False
    """Files may say that nothing is rotated, by `rope.scaling.finetuned`."""
    embedding_by_width: bool = False
    """Embeddings are multiplied by the square root of their width."""
    open_every: int = 0
    """Where the file states a window, each layer of this number attends to everything; 0: none does."""
    window_rope_base: float | None = None
    """Rotary base of layers with a window, which are then not scaled; None: all layers are rotated alike."""
    width_scaled_layers: int = 0
    """Models of this many layers scale queries by hidden size / heads instead of by the size of a head."""
    large_values: bool = False
    """Values inside may exceed what float16 holds."""
    reads: Mapping[str, float] = field(factory=dict)
    """Metadata that changes what is computed, if this architecture has it; and the value if it is missing."""


WINDOW, ATTENTION_SCALE = "attention.sliding_window", "attention.scale"
EMBEDDING_SCALE, RESIDUAL_SCALE, LOGIT_SCALE = "embedding_scale", "residual_scale", "logit_scale"
ATTENTION_CAP, LOGIT_CAP = "attn_logit_softcapping", "final_logit_softcapping"
OPTIONAL: Mapping[str, float] = {
    WINDOW: 0,
    ATTENTION_SCALE: 0,
    EMBEDDING_SCALE: 0,
    RESIDUAL_SCALE: 0,
    LOGIT_SCALE: 0,
    ATTENTION_CAP: 0,
    LOGIT_CAP: 0,
}
"""All of it, without the name of the architecture; 0 is off everywhere."""

# llama.cpp's converter permutes q and k of the architectures that it rotates in pairs of neighbors.
FAMILIES: Mapping[str, Family] = {
    "qwen2": Family(),
    "qwen3": Family(head_norms=True),
    "llama": Family(interleaved=True, reads={WINDOW: 0}),
    "granite": Family(
        interleaved=True,
        rotation_switch=True,
        reads={ATTENTION_SCALE: 0, EMBEDDING_SCALE: 0, RESIDUAL_SCALE: 0, LOGIT_SCALE: 0},
    ),
    "smollm3": Family(interleaved=True, unrotated_every=4, reads={ATTENTION_SCALE: 0}),
    "seed_oss": Family(ffn_norm="post_attention_norm", reads={ATTENTION_SCALE: 0}),
    "olmo2": Family(norms_before=False, norms_after=True, row_norms=True),
    # The windows that files state are those of the original models; llama.cpp ignores them.
    "phi3": Family(gate_in_up=True, reads={WINDOW: 0}),
    "stablelm": Family(layer_norm=True),
    "starcoder": Family(layer_norm=True, gated=False, activation=GELU, learned_positions=True),
    "starcoder2": Family(
        layer_norm=True,
        gated=False,
        activation=GELU,
        # Files do not state the window of the original models, which is 4,096; llama.cpp has none.
        reads={WINDOW: 4096},
    ),
    "gemma": Family(activation=GELU, embedding_by_width=True),
    "gemma2": Family(
        activation=GELU,
        embedding_by_width=True,
        norms_after=True,
        open_every=2,
        width_scaled_layers=46,
        large_values=True,
        reads={WINDOW: 4096, ATTENTION_CAP: 50, LOGIT_CAP: 30},
    ),
    "gemma3": Family(
        activation=GELU,
        embedding_by_width=True,
        norms_after=True,
        head_norms=True,
        open_every=6,
        window_rope_base=10000,
        width_scaled_layers=62,
        large_values=True,
        reads={WINDOW: 0, LOGIT_CAP: 0},
    ),
}
"""Name in the file's metadata -> facts."""
