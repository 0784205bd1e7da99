"""Moves the range of activations into the weights, so that both fit 8 bits.

The layers get other weights but compute the same function: what a norm's gain, a row of `up` or a row of `v`
loses, the columns of the next matrix gain. Follows SmoothQuant (Xiao et al. 2022,
https://arxiv.org/abs/2211.10438).
"""

from collections.abc import Mapping

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from aide_lsp.convert.architecture import Architecture
from aide_lsp.convert.weights import LayerWeights, Linear, Norm

FloatArray = NDArray[np.float32]

# How much of the range moves: 0 leaves it in the activations, 1 moves all of it to the weights.
# 0.5 is the paper's default; 0.65 gave about the same fidelity.
ALPHA = 0.5

# The inputs of a layer's matrices, named after fields of `LayerWeights`.
SITES = ("qkv", "attention_output", "ffn", "down")


def smooth(a: Architecture, layer: LayerWeights, maxima: Mapping[str, FloatArray]) -> LayerWeights:
    """Return `layer` with smoothed inputs; `maxima` holds an array of (channels,) for each of SITES.

    The layer has norms before its blocks, and a gate: `recipes.check_recipe` refuses others.
    """
    assert layer.attention_norm
    assert layer.ffn_norm
    assert layer.gate
    qkv = _factors(maxima["qkv"], layer.qkv)
    ffn = _factors(maxima["ffn"], layer.gate, layer.up)
    down = _factors(maxima["down"], layer.down)
    value, heads = _head_factors(a, _factors(maxima["attention_output"], layer.attention_output))
    return evolve(
        layer,
        attention_norm=_divided(layer.attention_norm, qkv),
        qkv=evolve(layer.qkv, input_scale=qkv, output_scale=np.float32(1) / value),
        attention_output=evolve(layer.attention_output, input_scale=heads),
        ffn_norm=_divided(layer.ffn_norm, ffn),
        gate=evolve(layer.gate, input_scale=ffn),
        up=evolve(layer.up, input_scale=ffn, output_scale=np.float32(1) / down),
        down=evolve(layer.down, input_scale=down),
    )


def _divided(norm: Norm, factors: FloatArray) -> Norm:
    return Norm(norm.gain / factors, None if norm.bias is None else norm.bias / factors)


def _factors(maxima: FloatArray, *matrices: Linear) -> FloatArray:
    """Return the factor by which to divide each input channel, (channels,)."""
    weights: FloatArray = np.max([np.abs(matrix.floats()).max(axis=0) for matrix in matrices], axis=0)
    # Channels that the calibration text never uses have no range. The paper's code has the same lower limit.
    activations = np.maximum(maxima, 1e-5)
    factors = activations**ALPHA / np.maximum(weights, 1e-5) ** (1 - ALPHA)
    return np.asarray(np.clip(factors, 1e-4, 1e4), np.float32)


def _head_factors(a: Architecture, wanted: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Combine the factors of all query heads that use one value head.

    Returns factors for the rows of q, k and v, and for the columns of the attention's output matrix.
    """
    group = a.head_count // a.kv_head_count
    by_value_head = wanted.reshape(a.kv_head_count, group, a.head_dim)
    # The geometric mean, because the heads of a group differ and none of them should lose its precision.
    shared = np.exp(np.log(by_value_head).mean(axis=1, keepdims=True))
    untouched = np.ones((a.head_count + a.kv_head_count) * a.head_dim, np.float32)
    rows = np.concatenate([untouched, shared.reshape(-1).astype(np.float32)])
    return rows, np.broadcast_to(shared, by_value_head.shape).reshape(-1).astype(np.float32)
