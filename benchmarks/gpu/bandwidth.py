"""Measures how fast a device reads weights: products of one row with large matrices.

Decoding a token is such products and little else, so the bytes of the weights divided by this rate are the
time that no decoding step can beat.
"""

import time
from statistics import median
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from benchmarks.gpu.bound_graph import PROVIDERS

DEPTH = 4096  # length of the row: about a model's hidden size, so that the kernel is one that models use
REPEATS = 20
MIB = 1 << 20
# Two sizes, because their difference does not contain the cost of a call. Both are far larger than any cache.
SIZES = {"cuda": (512 * MIB, 1536 * MIB), "cpu": (128 * MIB, 384 * MIB)}
# CUDA runs float16 products; the CPU would convert the matrix first.
TYPES: dict[str, tuple[Any, int]] = {
    "cuda": (np.float16, TensorProto.FLOAT16),
    "cpu": (np.float32, TensorProto.FLOAT),
}


def measure(device: str) -> float:
    """Return bytes per second."""
    session = _session(device)
    small, large = SIZES[device]
    return slope(small, _seconds(session, device, small), large, _seconds(session, device, large))


def slope(small: int, small_s: float, large: int, large_s: float) -> float:
    """Return bytes per second from the times of two sizes, or the large one alone if noise swapped them."""
    if large_s <= small_s:
        return large / large_s
    return (large - small) / (large_s - small_s)


def _session(device: str) -> Any:
    element = TYPES[device][1]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["row", "matrix"], ["product"])],
        "read",
        [
            helper.make_tensor_value_info("row", element, [1, DEPTH]),
            helper.make_tensor_value_info("matrix", element, [DEPTH, "N"]),
        ],
        [helper.make_tensor_value_info("product", element, [1, "N"])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=[PROVIDERS[device]])


def _seconds(session: Any, device: str, size: int) -> float:
    dtype = TYPES[device][0]
    columns = size // (DEPTH * np.dtype(dtype).itemsize)
    # Not zeros: a device may run cooler, and so faster, with them.
    block = np.random.default_rng(0).standard_normal((DEPTH, 1024), dtype=np.float32).astype(dtype)
    matrix = np.tile(block, columns // 1024)
    io = session.io_binding()
    for name, array in {"row": np.ones((1, DEPTH), dtype), "matrix": matrix}.items():
        io.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0))
    io.bind_output("product", device)
    return median(_timed(session, io) for _ in range(REPEATS))


def _timed(session: Any, io: Any) -> float:
    started = time.perf_counter()
    session.run_with_iobinding(io)
    io.synchronize_outputs()
    return time.perf_counter() - started
