"""Recipes: how the matrices of a model are stored and multiplied.

A recipe is a row of `RECIPES`; each of its words selects a function of this file that adds the nodes of one
matrix product.

    exact    int8 weights and activations in blocks of 32 to 128 columns
    int4     the same, but 4 bits for weights that the file has in 4 bits; for CUDA as `int4_fp16`
    fast     int8 weights by column and int8 activations by row, smoothed; for the CPU
    fp16     float16 throughout; for CUDA
    float    float32, the reference for measuring the others
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from attrs import frozen

from aide_lsp.convert.architecture import Architecture
from aide_lsp.convert.onnx_file import GraphWriter
from aide_lsp.convert.quantize import (
    BLOCK,
    BlockCodes,
    int4_matrix,
    int8_blocks,
    int8_columns,
    padding,
    widest_block,
)
from aide_lsp.convert.weights import LayerWeights, Linear, stacked
from aide_lsp.errors import ConversionError

# On the CPU, this accuracy level rounds activations to int8 in blocks; sums are float32.
ACCURACY_INT8 = 4


@frozen
class Recipe:
    """How one model is stored."""

    name: str
    """Name for users, and the manifest's `recipe`."""
    matrices: str
    """Storage of the layers' matrices: a key of `PRODUCTS`."""
    head: str
    """Storage of embedding table and head: `int8-blocks`, `float16` or `float32`."""
    dtype: str
    """Element type of activations and KV cache: `float32` or `float16`."""
    shortlist: int
    """Candidates that a 4-bit head proposes to the 8-bit head; 0: no shortlist."""
    smoothed: bool
    """Whether the range of activations is moved into the weights first."""

    @property
    def packed(self) -> bool:
        """Whether its matrices are for the CPU's integer kernels, which pack them."""
        return self.matrices.startswith("int") and self.dtype == "float32"


RECIPES: Mapping[str, Recipe] = {
    # With a shortlist of 256, the true 50 best tokens were all among the 64 candidates (benchmarks/results,
    # Fidelity).
    "exact": Recipe("exact", "int8-blocks", "int8-blocks", "float32", shortlist=256, smoothed=False),
    "int4": Recipe("int4", "int4-blocks", "int8-blocks", "float32", shortlist=256, smoothed=False),
    "fast": Recipe("fast", "int8-columns", "int8-blocks", "float32", shortlist=256, smoothed=True),
    "int4_fp16": Recipe("int4_fp16", "int4-blocks", "float16", "float16", shortlist=0, smoothed=False),
    "fp16": Recipe("fp16", "float16", "float16", "float16", shortlist=0, smoothed=False),
    "float": Recipe("float", "float32", "float32", "float32", shortlist=0, smoothed=False),
}


def find_recipe(name: str) -> Recipe:
    """Return the recipe `name`; raise ConversionError if there is none."""
    if name not in RECIPES:
        raise ConversionError(
            f"unknown recipe '{name}'; known: {', '.join(name for name in RECIPES if name != 'float')}"
        )
    return RECIPES[name]


def check_recipe(recipe: Recipe, a: Architecture) -> None:
    """Raise ConversionError if models of this architecture cannot be stored by `recipe`."""
    family = a.family
    if recipe.smoothed and not (family.gated and family.norms_before):
        raise ConversionError(
            f"the recipe '{recipe.name}' cannot smooth a '{a.name}' model, whose layers lack "
            f"{'a gate' if family.norms_before else 'norms before them'}; use the recipe 'exact'"
        )
    if recipe.dtype == "float16" and family.large_values:
        raise ConversionError(
            f"the recipe '{recipe.name}' computes in float16, which does not hold the large values of a "
            f"'{a.name}' model; use the recipe 'exact'"
        )


def multiply(graph: GraphWriter, recipe: Recipe, name: str, x: str, linear: Linear) -> str:
    """Add `x @ linear.T + bias` and return the name of the result."""
    return PRODUCTS[recipe.matrices](graph, recipe, name, x, linear)


def scaled(graph: GraphWriter, dtype: str, x: str, factor: float) -> str:
    """Add `x * factor`, unless the factor is 1, and return the name of the result."""
    if factor == 1:
        return x
    constant = graph.constant(f"times_{factor}", np.array(factor, dtype))
    return graph.node("Mul", [x, constant], f"{x}.scaled")


def feed_forward(
    graph: GraphWriter, recipe: Recipe, name: str, x: str, layer: LayerWeights, activation: str
) -> str:
    """Add `down(activation(gate(x)) * up(x))` and return the name of the result."""
    if layer.gate is None:
        up = multiply(graph, recipe, f"{name}.up", x, layer.up)
        active = _active(graph, activation, name, up)
        return multiply(graph, recipe, f"{name}.down", active, layer.down)
    if recipe.matrices == "int8-columns":
        return _feed_forward_by_rows(graph, recipe, name, x, layer, layer.gate, activation)
    # One product for both, because its threads synchronize half as often.
    both = multiply(graph, recipe, f"{name}.gate_up", x, stacked(layer.gate, layer.up))
    sizes = graph.constant("ffn_halves", np.array([layer.gate.rows, layer.up.rows], np.int64))
    gate, up = f"{name}.gate", f"{name}.up"
    graph.node("Split", [both, sizes], [gate, up], axis=-1)
    gated = graph.node("Mul", [_active(graph, activation, name, gate), up], f"{name}.gated")
    return multiply(graph, recipe, f"{name}.down", gated, layer.down)


def block_product(
    graph: GraphWriter, name: str, x: str, codes: BlockCodes, bits: int, dtype: str = "float32"
) -> str:
    """Add a product with a matrix in integer blocks; `x` has elements of type `dtype`."""
    rows, blocks = codes.scales.shape
    columns = codes.codes.shape[1] * 8 // bits
    weight = graph.constant(f"{name}.codes", codes.codes.reshape(rows, blocks, -1))
    scales = graph.constant(f"{name}.scales", codes.scales.astype(dtype))
    sizes = {"N": rows, "K": columns, "bits": bits, "block_size": columns // blocks}
    return block_node(graph, name, [x, weight, scales], sizes)


def block_node(graph: GraphWriter, name: str, inputs: Sequence[str], sizes: Mapping[str, int]) -> str:
    """Add the node of a product in integer blocks whose weights are in the graph."""
    # No zero points: the default is the middle, 128 or 8, and so are these.
    return graph.contrib("MatMulNBits", inputs, name, **sizes, accuracy_level=ACCURACY_INT8)


def _multiply_blocks(graph: GraphWriter, recipe: Recipe, name: str, x: str, linear: Linear) -> str:
    # Blocks of 128 are a sixth faster. For queries, keys and values, a fifteenth of a layer, they would cost
    # more fidelity than for all the rest (benchmarks/results).
    block = BLOCK if name.endswith(".qkv") else widest_block(linear.parts[0].shape[1])
    return _block_product(graph, recipe, name, x, linear, int8_blocks(linear, block), 8)


def _multiply_stored(graph: GraphWriter, recipe: Recipe, name: str, x: str, linear: Linear) -> str:
    matrix = int4_matrix(linear)
    if matrix is None:
        return _multiply_blocks(graph, recipe, name, x, linear)
    if matrix.sums:
        x = _with_sums(graph, name, x, linear.parts[0].shape[1])
    return _block_product(graph, recipe, name, x, linear, matrix.blocks, 4)


def _block_product(
    graph: GraphWriter, recipe: Recipe, name: str, x: str, linear: Linear, codes: BlockCodes, bits: int
) -> str:
    product = name if linear.bias is None else f"{name}.product"
    return _add_bias(graph, recipe, name, block_product(graph, product, x, codes, bits, recipe.dtype), linear)


def _with_sums(graph: GraphWriter, name: str, x: str, columns: int) -> str:
    """Add `x` followed by the sums of its blocks, twice; `x` is (1, rows, columns)."""
    # 0 keeps an axis.
    shape = graph.constant("sums_shape", np.array([0, 0, -1, BLOCK], np.int64))
    last = graph.constant("last_axis", np.array([-1], np.int64))
    blocks = graph.node("Reshape", [x, shape], f"{name}.blocks")
    sums = graph.node("ReduceSum", [blocks, last], f"{name}.sums", keepdims=0)
    if count := padding(columns):
        pads = graph.constant(f"sums_pads_{count}", np.array([0, 0, 0, 0, 0, count], np.int64))
        sums = graph.node("Pad", [sums, pads], f"{name}.padded_sums")
    return graph.node("Concat", [x, sums, sums], f"{name}.input", axis=-1)


def _multiply_floats(graph: GraphWriter, recipe: Recipe, name: str, x: str, linear: Linear) -> str:
    matrix = np.ascontiguousarray(linear.floats().T).astype(recipe.matrices)
    product_name = name if linear.bias is None else f"{name}.product"
    product = graph.node("MatMul", [x, graph.constant(f"{name}.weight", matrix)], product_name)
    return _add_bias(graph, recipe, name, product, linear)


def _add_bias(graph: GraphWriter, recipe: Recipe, name: str, product: str, linear: Linear) -> str:
    bias = linear.scaled_bias()
    if bias is None:
        return product
    # A separate node, because CUDA's block products take no bias.
    return graph.node("Add", [product, graph.constant(f"{name}.bias", bias.astype(recipe.dtype))], name)


def _multiply_by_rows(graph: GraphWriter, recipe: Recipe, name: str, x: str, linear: Linear) -> str:
    codes, row_scale = _quantize_rows(graph, name, x)
    product = _integer_product(graph, f"{name}.product", codes, linear)
    scaled = f"{name}.scaled" if linear.bias is not None else name
    return _add_bias(graph, recipe, name, graph.node("Mul", [product, row_scale], scaled), linear)


def _quantize_rows(graph: GraphWriter, name: str, x: str) -> tuple[str, str]:
    """Add the rounding of each row of `x` to uint8 around 128, scaled by its largest value.

    Returns (codes, scale of each row). No row depends on another, and integer sums have no order: the
    product has the same bits however the rows are cut into batches.
    """
    last = graph.constant("last_axis", np.array([-1], np.int64))
    high = graph.node("ReduceMax", [x, last], f"{name}.high")
    low = graph.node("ReduceMin", [x, last], f"{name}.low")
    largest = graph.node("Max", [high, graph.node("Neg", [low], f"{name}.negated")], f"{name}.largest")
    # A row of zeros would be divided by zero.
    floor = graph.constant("smallest_range", np.array(1e-20, np.float32))
    scale = graph.node("Max", [largest, floor], f"{name}.row_scale")
    normal = graph.node("Div", [x, scale], f"{name}.normal")
    step = graph.constant("row_step", np.array(1 / 127, np.float32))
    center = graph.constant("row_center", np.array(128, np.uint8))
    return graph.node("QuantizeLinear", [normal, step, center], f"{name}.rows"), scale


def _integer_product(graph: GraphWriter, name: str, codes: str, linear: Linear) -> str:
    # Signed: with unsigned weights the kernel (that of DynamicQuantizeMatMul too) took more than twice as
    # long.
    weight, scales = int8_columns(linear.floats())
    inputs = [
        codes,
        graph.constant(f"{name}.codes", weight),
        graph.constant("row_step", np.array(1 / 127, np.float32)),
        graph.constant(f"{name}.scales", scales),
        graph.constant("row_center", np.array(128, np.uint8)),
    ]
    # Not DynamicQuantizeMatMul: it scales all rows alike, so that the bits of a row would depend on the
    # others.
    return graph.contrib("MatMulIntegerToFloat", inputs, name)


def _feed_forward_by_rows(
    graph: GraphWriter,
    recipe: Recipe,
    name: str,
    x: str,
    layer: LayerWeights,
    gates: Linear,
    activation: str,
) -> str:
    if any(one.bias is not None for one in (gates, layer.up, layer.down)):
        gate = _multiply_by_rows(graph, recipe, f"{name}.gate", x, gates)
        up = _multiply_by_rows(graph, recipe, f"{name}.up", x, layer.up)
        gated = graph.node("Mul", [_active(graph, activation, name, gate), up], f"{name}.gated")
        return _multiply_by_rows(graph, recipe, f"{name}.down", gated, layer.down)
    # Without biases, a rounding and a product are saved.
    codes, row_scale = _quantize_rows(graph, name, x)
    gate = _integer_product(graph, f"{name}.gate_product", codes, gates)
    up = _integer_product(graph, f"{name}.up", codes, layer.up)
    gate = graph.node("Mul", [gate, row_scale], f"{name}.gate")
    gated = graph.node("Mul", [_active(graph, activation, name, gate), up], f"{name}.gated")
    # `up` stays unscaled, because the next rounding divides each row by its largest value anyway.
    codes, gated_scale = _quantize_rows(graph, f"{name}.gated", gated)
    product = _integer_product(graph, f"{name}.down_product", codes, layer.down)
    both = graph.node("Mul", [row_scale, gated_scale], f"{name}.both_scales")
    return graph.node("Mul", [product, both], f"{name}.down")


def _active(graph: GraphWriter, activation: str, name: str, x: str) -> str:
    return ACTIVATIONS[activation](graph, f"{name}.{activation}", x)


def _silu(graph: GraphWriter, name: str, x: str) -> str:
    return graph.contrib("QuickGelu", [x], name, alpha=1.0)


def _gelu(graph: GraphWriter, name: str, x: str) -> str:
    # The approximation by tanh.
    return graph.contrib("FastGelu", [x], name)


ACTIVATIONS: Mapping[str, Callable[[GraphWriter, str, str], str]] = {"silu": _silu, "gelu": _gelu}

Product = Callable[[GraphWriter, Recipe, str, str, Linear], str]
PRODUCTS: Mapping[str, Product] = {
    "int8-blocks": _multiply_blocks,
    "int4-blocks": _multiply_stored,
    "int8-columns": _multiply_by_rows,
    "float16": _multiply_floats,
    "float32": _multiply_floats,
}
