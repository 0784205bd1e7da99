"""Smoothing changes how values are spread, and never what is computed."""

import numpy as np
import pytest
from tiny_model import TinySpec, tiny_gguf

from aide_lsp.convert.architecture import read_architecture
from aide_lsp.convert.gguf_file import open_gguf
from aide_lsp.convert.smoothing import SITES, smooth
from aide_lsp.convert.weights import read_layer

SPEC = TinySpec(head_count=4, kv_head_count=2)
DRAW = np.random.default_rng(5)
WIDTHS = {"qkv": 64, "attention_output": 64, "ffn": 64, "down": 96}
MAXIMA = {site: DRAW.lognormal(0, 2, WIDTHS[site]).astype(np.float32) for site in SITES}


@pytest.fixture
def layers(tmp_path):
    file = open_gguf(tiny_gguf(tmp_path / "m.gguf", SPEC))
    a = read_architecture(file)
    layer = read_layer(file, a, 0)
    return layer, smooth(a, layer, MAXIMA)


def attention_branch(layer, x, shares):
    """Values of the second half of qkv's rows, mixed with made-up attention shares, then the output."""
    qkv = (x * layer.attention_norm.gain) @ layer.qkv.floats().T + layer.qkv.scaled_bias()
    queries, keys, values = np.split(qkv, [64, 96], axis=1)
    heads = values.reshape(len(x), 2, 16)[:, [0, 0, 1, 1]]  # each value head serves two query heads
    mixed = np.einsum("hts,shd->thd", shares, heads).reshape(len(x), 64)
    return queries, keys, mixed @ layer.attention_output.floats().T


def test_smooth_keeps_the_function_of_attention(layers):
    x, shares = DRAW.standard_normal((5, 64)), DRAW.random((4, 5, 5))
    for before, after in zip(*(attention_branch(layer, x, shares) for layer in layers), strict=True):
        np.testing.assert_allclose(after, before, rtol=1e-4, atol=1e-4)


def test_smooth_keeps_the_function_of_the_feed_forward_network(layers):
    x = DRAW.standard_normal((5, 64))

    def branch(layer):
        normal = x * layer.ffn_norm.gain
        gate = normal @ layer.gate.floats().T
        gated = gate / (1 + np.exp(-gate)) * (normal @ layer.up.floats().T)
        return gated @ layer.down.floats().T

    np.testing.assert_allclose(branch(layers[1]), branch(layers[0]), rtol=1e-4, atol=1e-4)


def test_smooth_evens_out_the_channels(layers):
    """After smoothing a channel's activation and its weights have the same range."""
    _, smoothed = layers
    gain = smoothed.ffn_norm.gain / layers[0].ffn_norm.gain
    activations = MAXIMA["ffn"] * gain
    weights = np.abs(np.concatenate([smoothed.gate.floats(), smoothed.up.floats()])).max(axis=0)
    # `up` is scaled once more for `down`, so only the gate's share can be compared where it is larger.
    gate = np.abs(smoothed.gate.floats()).max(axis=0)
    assert weights.shape == gate.shape
    assert (activations >= 0.99 * gate).all()
    assert np.ptp(np.log(activations)) < np.ptp(np.log(MAXIMA["ffn"]))
