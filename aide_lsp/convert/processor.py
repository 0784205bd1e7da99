"""Tests whether this processor multiplies unsigned by signed bytes without clipping the sums.

The recipe `fast` needs that. Processors with VNNI or dot-product instructions can; on others onnxruntime adds
pairs of products in 16 bits, which clip, and the model silently gets worse
(https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html, "When and why do I need to try
U8U8?"). The test runs the operator on the largest values.
"""

import numpy as np
import onnx
from onnx import helper

WIDTH = 256


def integer_products_are_exact() -> bool:
    """Return whether MatMulInteger of the largest bytes gives the exact sum, for one row and for many."""
    import onnxruntime

    inputs = [
        helper.make_tensor_value_info("a", onnx.TensorProto.UINT8, ["M", WIDTH]),
        helper.make_tensor_value_info("b", onnx.TensorProto.INT8, [WIDTH, 64]),
    ]
    outputs = [helper.make_tensor_value_info("y", onnx.TensorProto.INT32, ["M", 64])]
    node = helper.make_node("MatMulInteger", ["a", "b"], ["y"])
    graph = helper.make_graph([node], "probe", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    weights = np.full((WIDTH, 64), 127, np.int8)
    # The runtime has different kernels for one row and for many.
    for rows in (1, 32):
        (sums,) = session.run(None, {"a": np.full((rows, WIDTH), 255, np.uint8), "b": weights})
        if (sums != WIDTH * 255 * 127).any():
            return False
    return True
