"""Measures how large each activation gets while the model prefills code.

The model runs once over a fixed text that comes with Aide, with the recipe `exact`, in onnxruntime. The text
is the same on every machine, so the converted weights are too, up to the runtime's rounding.
"""

from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aide_lsp.convert.architecture import Architecture
from aide_lsp.convert.gguf_file import GgufFile
from aide_lsp.convert.graph import write_decoder
from aide_lsp.convert.recipes import RECIPES
from aide_lsp.convert.smoothing import SITES
from aide_lsp.inference.tokenizer import Tokenizer

Maxima = Sequence[Mapping[str, NDArray[np.float32]]]
TEXT = "calibration.txt"
TOKENS_AT_ONCE = 512

# The input of each matrix, by its name in `graph` and `recipes`.
SITE_OUTPUTS = {"qkv": "attention_norm", "attention_output": "heads", "ffn": "ffn_norm", "down": "ffn.gated"}


def activation_maxima(file: GgufFile, a: Architecture, tokenizer: Path, scratch: Path) -> Maxima:
    """Return the largest absolute activations, one mapping from SITES to (channels,) for each layer.

    `scratch` is an empty folder whose content can be removed afterwards.
    """
    import onnxruntime

    names = [f"layers.{layer}.{SITE_OUTPUTS[site]}" for layer in range(a.layer_count) for site in SITES]
    write_decoder(file, a, RECIPES["exact"], scratch, extra_outputs=names)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Waiting threads that spin would take the processor from the editor.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    graph = scratch / "model.onnx"
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    largest = [np.zeros(0, np.float32)] * len(names)
    for ids in _calibration_ids(tokenizer):
        results = session.run(names, _inputs(a, ids))
        largest = [_larger(known, seen) for known, seen in zip(largest, results, strict=True)]
    by_layer = [largest[start : start + len(SITES)] for start in range(0, len(largest), len(SITES))]
    return [dict(zip(SITES, arrays, strict=True)) for arrays in by_layer]


def _larger(known: NDArray[np.float32], seen: NDArray[np.float32]) -> NDArray[np.float32]:
    now: NDArray[np.float32] = np.abs(seen).max(axis=(0, 1))
    return now if not known.size else np.maximum(known, now)


def _calibration_ids(tokenizer: Path) -> list[list[int]]:
    text = (resources.files("aide_lsp.convert") / TEXT).read_text(encoding="utf-8")
    ids = Tokenizer.from_file(tokenizer).encode(text)
    return [ids[start : start + TOKENS_AT_ONCE] for start in range(0, len(ids), TOKENS_AT_ONCE)]


def _inputs(a: Architecture, ids: Sequence[int]) -> dict[str, NDArray[np.generic]]:
    count = len(ids)
    empty = np.zeros((1, a.kv_head_count, count, a.head_dim), np.float32)
    buffers = {f"past_{part}_{layer}": empty for layer in range(a.layer_count) for part in ("key", "value")}
    return {
        "input_ids": np.array([ids], np.int64),
        "seqlens_k": np.array([count - 1], np.int32),
        "total_sequence_length": np.array(count, np.int32),
        # All rows, because the end of the last layer runs only for these.
        "logit_rows": np.arange(count),
        **buffers,
    }
