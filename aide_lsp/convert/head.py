"""The two ends of the graph, embedding table and head, and the choice of candidates.

The head of a small model is a third of its weights, so a 4-bit copy proposes a shortlist and the 8-bit head
decides among it: the logits that leave the graph are the 8-bit head's.
"""

import numpy as np
from attrs import frozen

from aide_lsp.convert.gguf_file import Tensor
from aide_lsp.convert.onnx_file import DataFile, GraphWriter, Stored
from aide_lsp.convert.quantize import BLOCK, BlockCodes, tensor_int4_blocks, tensor_int8_blocks, widest_block
from aide_lsp.convert.recipes import Recipe, block_node, block_product, scaled

# Sorting the logits of an entire vocabulary in NumPy takes 11 ms for each token, half of a forward.
CANDIDATES = 64


@frozen
class LogitTransform:
    """What follows the head's product. It keeps the order of logits, so it is computed for few of them."""

    scale: float
    """Divides logits; 1 is off."""
    cap: float
    """Bound of logits (c * tanh(x / c)); 0: none."""

    def add(self, graph: GraphWriter, logits: str, output: str) -> None:
        """Add the nodes that turn float32 `logits` into `output`."""
        logits = scaled(graph, "float32", logits, 1 / self.scale)
        if self.cap:
            cap = graph.constant("logit_cap", np.array(self.cap, np.float32))
            share = graph.node("Div", [logits, cap], "logit_share")
            logits = graph.node("Mul", [graph.node("Tanh", [share], "logit_bounded"), cap], "logit_capped")
        # Gives the output its name.
        graph.node("Identity", [logits], output)

    @property
    def is_off(self) -> bool:
        """Whether the product is the logits."""
        return self.scale == 1 and not self.cap


def embed(graph: GraphWriter, recipe: Recipe, name: str, table: Tensor, ids: str) -> str:
    """Add the lookup of rows `ids` of `table`; the result has one more axis, (..., hidden_size)."""
    if recipe.head == "int8-blocks":
        _table_blocks(graph, name, table)
        return _gather_blocks(graph, name, ids, f"{name}.rows")
    weight = graph.constant(name, table.floats().astype(recipe.head))
    return graph.node("Gather", [weight, ids], f"{name}.rows")


def candidates(
    graph: GraphWriter, recipe: Recipe, name: str, head: Tensor, hidden: str, ending: LogitTransform
) -> None:
    """Add the outputs `candidate_logits` and `candidate_ids`, (P, candidate count), best first.

    `hidden` is (P, hidden_size) after the final norm; `name` is the head's name, which is the embedding
    table's if the model ties them.
    """
    if ending.is_off:
        _best(graph, recipe, name, head, hidden, "candidate_logits")
    else:
        _best(graph, recipe, name, head, hidden, "candidate_products")
        ending.add(graph, "candidate_products", "candidate_logits")


def _best(graph: GraphWriter, recipe: Recipe, name: str, head: Tensor, hidden: str, products: str) -> None:
    """Add the greatest products of the head, best first, and the output `candidate_ids`."""
    count = graph.constant("candidate_count", np.array([min(CANDIDATES, head.shape[0])], np.int64))
    if not recipe.shortlist or head.shape[0] <= recipe.shortlist:
        logits = _full_head(graph, recipe, name, head, hidden)
        graph.node("TopK", [logits, count], [products, "candidate_ids"])
        return
    rough = block_product(graph, f"{name}.rough", hidden, _rough_head(head), 4)
    size = graph.constant("shortlist_size", np.array([recipe.shortlist], np.int64))
    # Unsorted, because the 8-bit logits determine the order.
    graph.node("TopK", [rough, size], ["rough_logits", "shortlist"], sorted=0)
    _table_blocks(graph, name, head)
    rows = _gather_blocks(graph, name, "shortlist", "shortlist_rows")  # (P, shortlist, hidden_size)
    last = graph.constant("last_axis", np.array([-1], np.int64))
    column = graph.node("Unsqueeze", [hidden, last], "hidden_column")
    exact = graph.node(
        "Squeeze", [graph.node("MatMul", [rows, column], "exact_column"), last], "exact_logits"
    )
    graph.node("TopK", [exact, count], [products, "best"])
    graph.node("GatherElements", ["shortlist", "best"], "candidate_ids", axis=1)


def _rough_head(head: Tensor) -> BlockCodes:
    # The shortlist is long enough to make up for what wide blocks lose.
    return tensor_int4_blocks(head, widest_block(head.shape[1]))


def _full_head(graph: GraphWriter, recipe: Recipe, name: str, head: Tensor, hidden: str) -> str:
    """Add the logits of the entire vocabulary as float32, (P, vocab_size)."""
    rows, columns = head.shape
    if recipe.head == "int8-blocks":
        _table_blocks(graph, name, head)
        return _full_head_blocks(graph, name, graph.stored, hidden, rows, columns)
    weight = graph.constant(name, head.floats().astype(recipe.head))
    return _full_head_floats(graph, recipe, weight, hidden)


def write_head_graphs(
    data: DataFile, recipe: Recipe, name: str, head: Tensor, stored: dict[str, Stored], ending: LogitTransform
) -> None:
    """Write two graphs, whose weights are those of the main graph, `stored`.

    head.onnx maps `hidden` to `logits`; head_rows.onnx maps `hidden` and token `ids` to their `logits`.
    """
    # Graphs of their own, loaded when they are first needed: most completions need only the candidates.
    rows, columns = head.shape
    graph = GraphWriter(data)
    ending.add(graph, _all_logits(graph, recipe, name, head, stored), "logits")
    graph.save("head.onnx", {"hidden": ("float32", ["P", columns])}, {"logits": ("float32", ["P", rows])})
    # The runtime prepares no lookup: it loads in milliseconds and takes no memory, unlike the entire head.
    graph = GraphWriter(data)
    ending.add(graph, _some_logits(graph, recipe, name, head, stored), "logits")
    graph.save(
        "head_rows.onnx",
        {"hidden": ("float32", [1, columns]), "ids": ("int64", ["N"])},
        {"logits": ("float32", [1, "N"])},
    )


def _all_logits(
    graph: GraphWriter, recipe: Recipe, name: str, head: Tensor, stored: dict[str, Stored]
) -> str:
    if recipe.head == "int8-blocks":
        return _full_head_blocks(graph, name, stored, "hidden", *head.shape)
    hidden = graph.node("Cast", ["hidden"], "hidden_cast", to=stored[name].element_type)
    return _full_head_floats(graph, recipe, graph.shared(name, stored[name], head.shape), hidden)


def _some_logits(
    graph: GraphWriter, recipe: Recipe, name: str, head: Tensor, stored: dict[str, Stored]
) -> str:
    rows, columns = head.shape
    if recipe.head == "int8-blocks":
        graph.shared(f"{name}.codes", stored[f"{name}.codes"], (rows, columns))
        graph.shared(f"{name}.scales", stored[f"{name}.scales"], (rows, columns // BLOCK))
        picked = _gather_blocks(graph, name, "ids", "picked")
    else:
        weight = graph.shared(name, stored[name], (rows, columns))
        picked = graph.node("Cast", [graph.node("Gather", [weight, "ids"], "picked_rows")], "picked", to=1)
    turned = graph.node("Transpose", [picked], "picked_columns")
    return graph.node("MatMul", ["hidden", turned], "picked_logits")


def _table_blocks(graph: GraphWriter, name: str, table: Tensor) -> None:
    if f"{name}.codes" not in graph.stored:
        blocks = tensor_int8_blocks(table)
        graph.constant(f"{name}.codes", blocks.codes)
        graph.constant(f"{name}.scales", blocks.scales)


def _gather_blocks(graph: GraphWriter, name: str, ids: str, output: str) -> str:
    inputs = [f"{name}.codes", ids, f"{name}.scales"]
    layout = {"bits": 8, "block_size": BLOCK, "gather_axis": 0, "quantize_axis": 1}
    return graph.contrib("GatherBlockQuantized", inputs, output, **layout)


def _full_head_blocks(
    graph: GraphWriter, name: str, stored: dict[str, Stored], hidden: str, rows: int, columns: int
) -> str:
    # The bytes of the lookup table, in the shape that MatMulNBits expects: the weights are stored once.
    shape = (rows, columns // BLOCK, BLOCK)
    codes = graph.shared(f"{name}.product_codes", stored[f"{name}.codes"], shape)
    scales = graph.shared(f"{name}.product_scales", stored[f"{name}.scales"], shape[:2])
    sizes = {"N": rows, "K": columns, "bits": 8, "block_size": BLOCK}
    return block_node(graph, f"{name}.logits", [hidden, codes, scales], sizes)


def _full_head_floats(graph: GraphWriter, recipe: Recipe, weight: str, hidden: str) -> str:
    logits = graph.node("Gemm", [hidden, weight], "head_logits", transB=1)
    if recipe.dtype == "float32":
        return logits
    return graph.node("Cast", [logits], "head_logits_float32", to=1)
