"""A transformer decoder in NumPy, float64, written from the papers: the oracle of the converter's tests.

Reads the same weights as the tiny GGUF file holds, before any conversion, and shares no code with the
converter: RMSNorm, rotary embedding, grouped-query attention with a causal mask, SwiGLU.
"""

import numpy as np
from tiny_model import TinySpec


def logits(spec: TinySpec, weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """Return the logits of every position, (len(ids), vocab_size)."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    x = w["token_embd.weight"][ids]
    for layer in range(spec.layer_count):
        part = {name.split(".", 2)[2]: value for name, value in w.items() if name.startswith(f"blk.{layer}.")}
        x = x + _attention(spec, w, part, _norm(x, part["attn_norm.weight"]))
        normal = _norm(x, part["ffn_norm.weight"])
        gate, up = _linear(part, "ffn_gate", normal), _linear(part, "ffn_up", normal)
        x = x + _linear(part, "ffn_down", gate / (1 + np.exp(-gate)) * up)
    head = w.get("output.weight", w["token_embd.weight"])
    return _norm(x, w["output_norm.weight"]) @ head.T


def _linear(part: dict, name: str, x: np.ndarray) -> np.ndarray:
    return x @ part[f"{name}.weight"].T + part.get(f"{name}.bias", 0)


def _norm(x: np.ndarray, gain: np.ndarray) -> np.ndarray:
    return x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-6) * gain


def _attention(spec: TinySpec, w: dict, part: dict, x: np.ndarray) -> np.ndarray:
    queries = _heads(spec, part, "attn_q", x, spec.head_count)
    keys = _heads(spec, part, "attn_k", x, spec.kv_head_count)
    values = _heads(spec, part, "attn_v", x, spec.kv_head_count)
    angles = np.outer(np.arange(len(x)) / spec.rope_divisor, _frequencies(spec, w))
    queries, keys = _rotate(spec, queries, angles), _rotate(spec, keys, angles)
    group = spec.head_count // spec.kv_head_count
    mask = np.triu(np.full((len(x), len(x)), -np.inf), 1)
    if window := dict(spec.metadata).get("attention.sliding_window"):
        mask += np.tril(np.full((len(x), len(x)), -np.inf), -window)
    outputs = []
    for head in range(spec.head_count):
        scores = queries[head] @ keys[head // group].T / np.sqrt(spec.head_dim) + mask
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        outputs.append(shares / shares.sum(axis=-1, keepdims=True) @ values[head // group])
    return _linear(part, "attn_output", np.concatenate(outputs, axis=-1))


def _heads(spec: TinySpec, part: dict, name: str, x: np.ndarray, count: int) -> np.ndarray:
    rows = _linear(part, name, x)
    return rows.reshape(len(x), count, spec.head_dim).swapaxes(0, 1)


def _frequencies(spec: TinySpec, w: dict) -> np.ndarray:
    half = np.arange(spec.head_dim // 2)
    return spec.rope_base ** (-2 * half / spec.head_dim) / w.get("rope_freqs.weight", 1)


def _rotate(spec: TinySpec, x: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Rotate pairs: neighbors in `llama` files (llama.cpp's NORM), halves apart in `qwen2` (NEOX)."""
    cos, sin = np.cos(angles), np.sin(angles)
    out = np.empty_like(x)
    half = spec.head_dim // 2
    first, second = (np.s_[..., 0::2], np.s_[..., 1::2])
    if spec.architecture == "qwen2":
        first, second = np.s_[..., :half], np.s_[..., half:]
    out[first] = x[first] * cos - x[second] * sin
    out[second] = x[first] * sin + x[second] * cos
    return out
