"""The decoder as ONNX graphs, in the "aide" layout: `model.onnx`, two for the head, and their data file.

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
from numpy.typing import NDArray
from onnx import TensorProto

from aide_lsp.convert.architecture import Architecture, rotary_divisors
from aide_lsp.convert.gguf_file import GgufFile, Tensor
from aide_lsp.convert.head import CANDIDATES, LogitTransform, candidates, embed, write_head_graphs
from aide_lsp.convert.onnx_file import DataFile, GraphWriter
from aide_lsp.convert.recipes import Recipe, feed_forward, multiply, scaled
from aide_lsp.convert.weights import (
    POSITIONS,
    LayerWeights,
    Norm,
    check_tensors,
    embedding_tensors,
    read_layer,
    read_norm,
)

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
    layers written; `extra_outputs` names inner results to put out in place of the candidates (calibration),
    and there is no head then.
    """
    data = DataFile(folder)
    try:
        decoder = DecoderGraph(GraphWriter(data), recipe, a)
        check_tensors(file, a)
        table, head = embedding_tensors(file)
        _write_model(decoder, file, table, head, edit, layer_done, extra_outputs)
        if not extra_outputs:
            head_name = "embedding" if head is table else "head"
            write_head_graphs(data, recipe, head_name, head, decoder.graph.stored, _ending(a))
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
    _rotary_tables(d, rotary_divisors(file, d.a))
    x = embed(d.graph, d.recipe, "embedding", table, "input_ids")
    x = scaled(d.graph, d.recipe.dtype, x, d.a.embedding_scale)
    if d.a.family.learned_positions:
        x = _with_positions(d, x, file.tensor(POSITIONS))
    branch = ""  # what the last block adds to the residual stream: nothing yet
    for index in range(d.a.layer_count):
        branch, x = _layer(d, index, edit(index, read_layer(file, d.a, index)), branch, x)
        layer_done(index + 1)
    normal, _ = _norm(d, "final_norm", read_norm(file, d.a, "output_norm"), branch, x)
    rows = d.graph.node(
        "Squeeze", [normal, d.graph.constant("first_axis", np.array([0], np.int64))], "final_rows"
    )
    # Nobody reads them while the model is calibrated, and over all rows they would take a third of the time.
    if not extra_outputs:
        candidates(d.graph, d.recipe, "embedding" if head is table else "head", head, rows, _ending(d.a))
    # Also where it changes nothing, because the node gives the output its name.
    d.graph.node("Cast", [rows], "hidden", to=1)
    d.graph.save("model.onnx", _inputs(d), _outputs(d, extra_outputs))


def _with_positions(d: DecoderGraph, x: str, table: Tensor) -> str:
    """Add to the embeddings `x` the rows of `table` for their positions."""
    graph = d.graph
    one, axis = (graph.constant(name, np.array(1, np.int64)) for name in ("one", "rows_axis"))
    zero = graph.constant("zero", np.array(0, np.int64))
    ones = graph.node("Add", [graph.node("Mul", ["input_ids", zero], "zeros"), one], "ones")
    # Rows are at seqlens_k - S + 1, ..., seqlens_k. Without shapes, which a device would not know.
    count = graph.node("ReduceSum", [ones], "row_count", keepdims=1)
    last = graph.node("Cast", ["seqlens_k"], "last_position", to=TensorProto.INT64)
    before = graph.node("Sub", [last, count], "position_before")
    positions = graph.node("Add", [before, graph.node("CumSum", [ones, axis], "row_numbers")], "positions")
    weight = graph.constant("position_table", table.floats().astype(d.recipe.dtype))
    return graph.node("Add", [x, graph.node("Gather", [weight, positions], "position_rows")], "positioned")


def _ending(a: Architecture) -> LogitTransform:
    return LogitTransform(a.logit_scale, a.logit_cap)


def _rotary_tables(d: DecoderGraph, divisors: NDArray[np.float64] | None) -> None:
    a = d.a
    for layer in range(a.layer_count):
        cos, sin = _table_names(a, layer)
        if cos and cos not in d.graph.stored:
            rotary = a.window_rotary if a.has_window(layer) else a.rotary
            # Divisors belong to the scaling that layers with a window may lack.
            tables = rotary.tables(a.context_length, divisors if rotary == a.rotary else None)
            for name, values in zip((cos, sin), tables, strict=True):
                d.graph.constant(name, values.astype(d.recipe.dtype))


def _table_names(a: Architecture, layer: int) -> tuple[str, str]:
    """Return the names of cosines and sines of a layer; empty if it is not rotated."""
    if not a.is_rotated(layer):
        return "", ""
    suffix = "_window" if a.has_window(layer) and a.window_rotary != a.rotary else ""
    return f"rotary_cos{suffix}", f"rotary_sin{suffix}"


def _layer(d: DecoderGraph, index: int, layer: LayerWeights, branch: str, x: str) -> tuple[str, str]:
    """Add one layer; return (what it adds to the stream, the stream without it)."""
    name = f"layers.{index}"
    normal, x = _norm(d, f"{name}.attention_norm", layer.attention_norm, branch, x)
    heads = _attention(d, index, layer, multiply(d.graph, d.recipe, f"{name}.qkv", normal, layer.qkv))
    # Only after attention, because the keys and values of all rows go into the KV buffers.
    if index == d.a.layer_count - 1:
        heads = d.graph.node("Gather", [heads, "logit_rows"], f"{name}.wanted_heads", axis=1)
        x = d.graph.node("Gather", [x, "logit_rows"], f"{name}.wanted_stream", axis=1)
    branch = multiply(d.graph, d.recipe, f"{name}.attention_output", heads, layer.attention_output)
    branch = _end(d, f"{name}.attention_end", layer.attention_end, branch)
    normal, x = _norm(d, f"{name}.ffn_norm", layer.ffn_norm, branch, x)
    branch = feed_forward(d.graph, d.recipe, f"{name}.ffn", normal, layer, d.a.family.activation)
    return _end(d, f"{name}.ffn_end", layer.ffn_end, branch), x


def _norm(d: DecoderGraph, name: str, norm: Norm | None, branch: str, x: str) -> tuple[str, str]:
    """Add `branch` to the stream `x`, then normalize; return (normalized, stream)."""
    if norm is None:
        stream = d.graph.node("Add", [branch, x], f"{name}.stream") if branch else x
        return stream, stream
    kind = "LayerNormalization" if d.a.family.layer_norm else "SimplifiedLayerNormalization"
    weights = _norm_weights(d, name, norm)
    if not branch:
        return d.graph.node(kind, [x, *weights], name, epsilon=d.a.norm_eps, axis=-1), x
    # The fourth output is the sum, which the next block needs; the second and third exist only for training.
    outputs = [name, "", "", f"{name}.stream"]
    d.graph.contrib(f"Skip{kind}", [branch, x, *weights], outputs, epsilon=d.a.norm_eps)
    return name, outputs[3]


def _end(d: DecoderGraph, name: str, norm: Norm | None, branch: str) -> str:
    """Normalize and scale what a block adds to the stream, where the architecture does."""
    if norm is not None:
        branch, _ = _norm(d, name, norm, "", branch)
    return scaled(d.graph, d.recipe.dtype, branch, d.a.residual_scale)


def _norm_weights(d: DecoderGraph, name: str, norm: Norm) -> list[str]:
    gain = d.graph.constant(f"{name}.gain", norm.gain.astype(d.recipe.dtype))
    if norm.bias is None:
        return [gain]
    return [gain, d.graph.constant(f"{name}.bias", norm.bias.astype(d.recipe.dtype))]


def _attention(d: DecoderGraph, index: int, layer: LayerWeights, qkv: str) -> str:
    # Key and value are empty where the first input contains all three.
    parts = [qkv, "", ""] if layer.query_norm is None else _normalized_heads(d, index, layer, qkv)
    inputs = [*parts, f"past_key_{index}", f"past_value_{index}", "seqlens_k", "total_sequence_length"]
    outputs = [f"layers.{index}.heads", f"present_key_{index}", f"present_value_{index}"]
    cos, sin = _table_names(d.a, index)
    attributes: dict[str, float] = {"scale": d.a.attention_scale}
    if d.a.attention_cap:
        attributes["softcap"] = d.a.attention_cap
    if d.a.has_window(index):
        attributes["local_window_size"] = d.a.window
    return d.graph.contrib(
        "GroupQueryAttention",
        [*inputs, cos, sin] if cos else inputs,
        outputs,
        num_heads=d.a.head_count,
        kv_num_heads=d.a.kv_head_count,
        do_rotary=1 if cos else 0,
        rotary_interleaved=0,
        **attributes,
    )


def _normalized_heads(d: DecoderGraph, index: int, layer: LayerWeights, qkv: str) -> list[str]:
    """Add the norms of queries and keys; return queries, keys and values."""
    graph, a, name = d.graph, d.a, f"layers.{index}"
    widths = [a.head_count * a.head_dim, *[a.kv_head_count * a.head_dim] * 2]
    parts = [f"{name}.{part}" for part in ("queries", "keys", "values")]
    graph.node("Split", [qkv, graph.constant("qkv_widths", np.array(widths, np.int64))], parts, axis=-1)
    for position, gain in enumerate((layer.query_norm, layer.key_norm)):
        assert gain is not None
        part = parts[position]
        weight = graph.constant(f"{part}.gain", gain.astype(d.recipe.dtype))
        # 0: as many as there are.
        apart = graph.constant(f"{part}.apart", np.array([0, 0, -1, len(gain)], np.int64))
        together = graph.constant("heads_together", np.array([0, 0, -1], np.int64))
        heads = graph.node("Reshape", [part, apart], f"{part}.heads")
        normal = graph.node(
            "SimplifiedLayerNormalization", [heads, weight], f"{part}.normal", epsilon=a.norm_eps, axis=-1
        )
        parts[position] = graph.node("Reshape", [normal, together], f"{part}.rows")
    return parts


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
    found: ValueInfos = {name: (d.recipe.dtype, [1, None, None]) for name in extra}
    if not extra:
        count = min(CANDIDATES, d.a.vocab_size)
        found = {"candidate_logits": ("float32", ["P", count]), "candidate_ids": ("int64", ["P", count])}
    return found | {"hidden": ("float32", ["P", d.a.hidden_size])} | _buffers(d, "present")


def _buffers(d: DecoderGraph, prefix: str) -> ValueInfos:
    shape: Shape = [1, d.a.kv_head_count, "MAX", d.a.head_dim]
    names = [f"{prefix}_{part}_{index}" for index in range(d.a.layer_count) for part in ("key", "value")]
    return dict.fromkeys(names, (d.recipe.dtype, shape))
