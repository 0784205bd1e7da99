"""Makes a small decoder in the layout others export, with random weights and plain operators."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS, HEADS, KV_HEADS, HEAD_DIM, VOCAB, CONTEXT = 2, 4, 2, 8, 50, 256
HIDDEN = HEADS * HEAD_DIM
ONNX_TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}


class Graph:
    """Nodes and weights, collected under names that count up."""

    def __init__(self, dtype: str, seed: int) -> None:
        self.dtype, self.random = dtype, np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def node(self, op, *inputs, to=None, **attributes):
        name = to or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, values, dtype="int64"):
        name = f"constant_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def weight(self, *shape):
        return self.constant(self.random.normal(size=shape) * shape[0] ** -0.5, self.dtype)


def write_export(
    folder: Path, *, dtype="float32", positions=True, keep=False, extra=(), config=True, seed=0
) -> None:
    """Write the graph, `tokenizer.json` and by default the configuration next to them."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(build(dtype, positions, keep, extra, seed), str(folder / "model.onnx"))
    tokenizer = {"added_tokens": [{"id": 48, "content": "<end>", "special": True}]}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    if config:
        (folder / "config.json").write_text(
            json.dumps(
                {
                    "max_position_embeddings": CONTEXT,
                    "vocab_size": VOCAB,
                    "eos_token_id": 49,
                    "model_type": "llama",
                }
            )
        )
        (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<end>"}))


def build(dtype, positions, keep, extra, seed) -> onnx.ModelProto:
    g, kind = Graph(dtype, seed), ONNX_TYPES[dtype]
    inputs = [
        value("input_ids", TensorProto.INT64, [1, "S"]),
        value("attention_mask", TensorProto.INT64, [1, "T"]),
    ]
    where, key_positions = row_positions(g, positions, inputs)
    hidden = g.node(
        "Add",
        g.node("Gather", g.weight(VOCAB, HIDDEN), "input_ids"),
        g.node("Gather", g.weight(CONTEXT, HIDDEN), where),
    )
    visible = g.node("LessOrEqual", key_positions, g.node("Unsqueeze", where, g.constant([2])))
    outputs = []
    for layer in range(LAYERS):
        for half in ("key", "value"):
            inputs.append(value(f"past_key_values.{layer}.{half}", kind, [1, KV_HEADS, "P", HEAD_DIM]))
            outputs.append(value(f"present.{layer}.{half}", kind, [1, KV_HEADS, "T", HEAD_DIM]))
        hidden = g.node("Add", hidden, attention(g, layer, normalized(g, hidden), visible))
        inner = g.node("Relu", g.node("MatMul", normalized(g, hidden), g.weight(HIDDEN, 2 * HIDDEN)))
        hidden = g.node("Add", hidden, g.node("MatMul", inner, g.weight(2 * HIDDEN, HIDDEN)))
    if keep:
        inputs.append(value("num_logits_to_keep", TensorProto.INT64, []))
        begin = g.node("Unsqueeze", g.node("Neg", "num_logits_to_keep"), g.constant([0]))
        hidden = g.node("Slice", hidden, begin, g.constant([2**62]), g.constant([1]))
    g.node("MatMul", normalized(g, hidden), g.weight(HIDDEN, VOCAB), to="logits")
    inputs += [value(name, TensorProto.INT64, [1]) for name in extra]
    outputs.insert(0, value("logits", kind, [1, None, VOCAB]))
    graph = helper.make_graph(g.nodes, "decoder", inputs, outputs, g.weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def row_positions(g, positions, inputs):
    """Return the names of (1, S) positions of the rows and (T,) positions of the keys."""
    zero, one = g.constant(0), g.constant(1)
    total = g.node("Squeeze", g.node("Shape", "attention_mask", start=1))
    keys = g.node("Range", zero, total, one)
    if positions:
        inputs.append(value("position_ids", TensorProto.INT64, [1, "S"]))
        return "position_ids", keys
    begin = g.node("Sub", total, g.node("Squeeze", g.node("Shape", "input_ids", start=1)))
    return g.node("Unsqueeze", g.node("Range", begin, total, one), g.constant([0])), keys


def normalized(g, hidden):
    return g.node("LayerNormalization", hidden, g.constant(np.ones(HIDDEN), g.dtype))


def attention(g, layer, hidden, visible):
    query = heads(g, g.node("MatMul", hidden, g.weight(HIDDEN, HIDDEN)), HEADS)
    key, val = (
        g.node(
            "Concat",
            f"past_key_values.{layer}.{half}",
            heads(g, g.node("MatMul", hidden, g.weight(HIDDEN, KV_HEADS * HEAD_DIM)), KV_HEADS),
            to=f"present.{layer}.{half}",
            axis=2,
        )
        for half in ("key", "value")
    )
    scores = g.node("MatMul", query, g.node("Transpose", repeated(g, key), perm=[0, 1, 3, 2]))
    scores = g.node("Mul", scores, g.constant(HEAD_DIM**-0.5, g.dtype))
    masked = g.node(
        "Where", g.node("Unsqueeze", visible, g.constant([1])), scores, g.constant(-60000.0, g.dtype)
    )
    mixed = g.node("MatMul", g.node("Softmax", masked, axis=-1), repeated(g, val))
    joined = g.node("Reshape", g.node("Transpose", mixed, perm=[0, 2, 1, 3]), g.constant([1, -1, HIDDEN]))
    return g.node("MatMul", joined, g.weight(HIDDEN, HIDDEN))


def heads(g, flat, count):
    split = g.node("Reshape", flat, g.constant([1, -1, count, HEAD_DIM]))
    return g.node("Transpose", split, perm=[0, 2, 1, 3])


def repeated(g, value_name):
    """Repeat each head of keys or values for the heads of queries that share it."""
    index = np.repeat(np.arange(KV_HEADS), HEADS // KV_HEADS)
    return g.node("Gather", value_name, g.constant(index), axis=1)


def value(name, kind, shape):
    return helper.make_tensor_value_info(name, kind, shape)
