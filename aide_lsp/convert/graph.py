"""The decoder as an ONNX graph, in the "aide" layout: `model.onnx`, `head.onnx` and their data file.

    inputs   input_ids (1, S), seqlens_k (1,) = past + S - 1, total_sequence_length () = past + S,
             logit_rows (P,): rows of this call whose logits are wanted,
             past_key_l / past_value_l (1, kv_heads, MAX, head_dim): the KV buffers
    outputs  candidate_logits, candidate_ids (P, 64) best first, hidden (P, hidden_size),
             present_key_l / present_value_l: the same buffers

Only the wanted rows run through the end of the last layer and the head. Attention is onnxruntime's
GroupQueryAttention, which rotates queries and keys, and writes the KV buffers in place.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from attrs import frozen

from aide_lsp.convert.architecture import Architecture, rotary_tables
from aide_lsp.convert.gguf_file import GgufFile, Tensor
from aide_lsp.convert.head import CANDIDATES, candidates, embed, write_head_graph
from aide_lsp.convert.onnx_file import DataFile, GraphWriter
from aide_lsp.convert.recipes import Recipe, feed_forward, multiply
from aide_lsp.convert.weights import LayerWeights, check_tensors, embedding_tensors, read_layer

LayerEdit = Callable[[int, LayerWeights], LayerWeights]
Shape = Sequence[int | str | None]
ValueInfos = dict[str, tuple[str, Shape]]
LayersDone = Callable[[int], None]


@frozen
class DecoderGraph:
    """The graph being written."""

    graph: GraphWriter
    recipe: Recipe
    a: Architecture


def write_decoder(
    file: GgufFile,
    a: Architecture,
    recipe: Recipe,
    folder: Path,
    edit: LayerEdit = lambda _, layer: layer,
    layer_done: LayersDone = lambda _: None,
    extra_outputs: Sequence[str] = (),
) -> None:
    """Write the graphs of `file` into `folder`.

    `edit` may change the weights of a layer first (smoothing); `layer_done` is called with the number of
    layers written; `extra_outputs` names inner results that become outputs too (calibration).
    """
    data = DataFile(folder)
    try:
        decoder = DecoderGraph(GraphWriter(data), recipe, a)
        check_tensors(file, a)
        table, head = embedding_tensors(file)
        _write_model(decoder, file, table, head, edit, layer_done, extra_outputs)
        head_name = "embedding" if head is table else "head"
        write_head_graph(GraphWriter(data), recipe, head_name, head, decoder.graph.stored)
    finally:
        data.close()


def _write_model(
    d: DecoderGraph,
    file: GgufFile,
    table: Tensor,
    head: Tensor,
    edit: LayerEdit,
    layer_done: LayersDone,
    extra_outputs: Sequence[str],
) -> None:
    cos, sin = rotary_tables(file, d.a)
    d.graph.constant("rotary_cos", cos.astype(d.recipe.dtype))
    d.graph.constant("rotary_sin", sin.astype(d.recipe.dtype))
    x = embed(d.graph, d.recipe, "embedding", table, "input_ids")
    branch = ""  # what the last block adds to the residual stream: nothing yet
    for index in range(d.a.layer_count):
        branch, x = _layer(d, index, edit(index, read_layer(file, d.a, index)), branch, x)
        layer_done(index + 1)
    gain = file.vector("output_norm.weight", d.a.hidden_size)
    normal, _ = _norm(d, "final_norm", gain, branch, x)
    rows = d.graph.node(
        "Squeeze", [normal, d.graph.constant("first_axis", np.array([0], np.int64))], "final_rows"
    )
    candidates(d.graph, d.recipe, "embedding" if head is table else "head", head, rows)
    # Also where it changes nothing, because the node gives the output its name.
    d.graph.node("Cast", [rows], "hidden", to=1)
    d.graph.save("model.onnx", _inputs(d), _outputs(d, extra_outputs))


def _layer(d: DecoderGraph, index: int, layer: LayerWeights, branch: str, x: str) -> tuple[str, str]:
    """Add one layer; return (what it adds to the stream, the stream without it)."""
    name = f"layers.{index}"
    normal, x = _norm(d, f"{name}.attention_norm", layer.attention_norm, branch, x)
    heads = _attention(d, index, multiply(d.graph, d.recipe, f"{name}.qkv", normal, layer.qkv))
    # Only after attention, because the keys and values of all rows go into the KV buffers.
    if index == d.a.layer_count - 1:
        heads = d.graph.node("Gather", [heads, "logit_rows"], f"{name}.wanted_heads", axis=1)
        x = d.graph.node("Gather", [x, "logit_rows"], f"{name}.wanted_stream", axis=1)
    branch = multiply(d.graph, d.recipe, f"{name}.attention_output", heads, layer.attention_output)
    normal, x = _norm(d, f"{name}.ffn_norm", layer.ffn_norm, branch, x)
    return feed_forward(d.graph, d.recipe, f"{name}.ffn", normal, layer), x


def _norm(d: DecoderGraph, name: str, gain: np.ndarray, branch: str, x: str) -> tuple[str, str]:
    """Add `branch` to the stream `x`, then RMSNorm; return (normalized, stream)."""
    weight = d.graph.constant(f"{name}.gain", gain.astype(d.recipe.dtype))
    if not branch:
        inputs = [x, weight]
        return d.graph.node("SimplifiedLayerNormalization", inputs, name, epsilon=d.a.norm_eps, axis=-1), x
    # The fourth output is the sum, which the next block needs; the second and third exist only for training.
    outputs = [name, "", "", f"{name}.stream"]
    d.graph.contrib("SkipSimplifiedLayerNormalization", [branch, x, weight], outputs, epsilon=d.a.norm_eps)
    return name, outputs[3]


def _attention(d: DecoderGraph, index: int, qkv: str) -> str:
    # Key and value are empty: the first input contains all three.
    inputs = [qkv, "", "", f"past_key_{index}", f"past_value_{index}", "seqlens_k", "total_sequence_length"]
    outputs = [f"layers.{index}.heads", f"present_key_{index}", f"present_value_{index}"]
    return d.graph.contrib(
        "GroupQueryAttention",
        [*inputs, "rotary_cos", "rotary_sin"],
        outputs,
        num_heads=d.a.head_count,
        kv_num_heads=d.a.kv_head_count,
        do_rotary=1,
        rotary_interleaved=0,
        scale=d.a.head_dim**-0.5,
    )


def _inputs(d: DecoderGraph) -> ValueInfos:
    fixed: ValueInfos = {
        "input_ids": ("int64", [1, "S"]),
        "seqlens_k": ("int32", [1]),
        "total_sequence_length": ("int32", []),
        "logit_rows": ("int64", ["P"]),
    }
    return fixed | _buffers(d, "past")


def _outputs(d: DecoderGraph, extra: Sequence[str]) -> ValueInfos:
    # onnxruntime infers the shapes of the extra outputs; axes of any length fit all of them.
    fixed: ValueInfos = {
        "candidate_logits": ("float32", ["P", min(CANDIDATES, d.a.vocab_size)]),
        "candidate_ids": ("int64", ["P", min(CANDIDATES, d.a.vocab_size)]),
        "hidden": ("float32", ["P", d.a.hidden_size]),
    }
    return fixed | _buffers(d, "present") | {name: (d.recipe.dtype, [1, None, None]) for name in extra}


def _buffers(d: DecoderGraph, prefix: str) -> ValueInfos:
    shape: Shape = [1, d.a.kv_head_count, "MAX", d.a.head_dim]
    names = [f"{prefix}_{part}_{index}" for index in range(d.a.layer_count) for part in ("key", "value")]
    return dict.fromkeys(names, (d.recipe.dtype, shape))
