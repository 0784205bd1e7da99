"""Runs a graph in the "aide" layout with everything bound to one device.

The KV buffers are on the device, and past and present are the same memory. Needs onnxruntime and NumPy only;
the language server has its own session.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from attrs import frozen
from numpy.typing import NDArray

CANDIDATES = 64
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
OUTPUTS = ("candidate_ids", "candidate_logits", "hidden")


@frozen(eq=False)
class Rows:
    """The output of the graph, P rows."""

    ids: NDArray[np.int64]  # (P, 64), best first
    logits: NDArray[np.float32]  # (P, 64)
    hidden: NDArray[np.float32]  # (P, hidden_size)


@frozen(eq=False)
class Binding:
    """Inputs and outputs of one shape of call."""

    io: Any
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class BoundGraph:
    """One open graph with KV buffers for `capacity` tokens."""

    def __init__(self, folder: Path, device: str, capacity: int) -> None:
        self.device, self.capacity = device, capacity
        self.session = _open(folder / "model.onnx", device)
        self._bindings: dict[tuple[int, int], Binding] = {}
        self._buffers = {
            node.name: self._on_device(np.zeros(_shape(node.shape, capacity), _dtype(node.type)))
            for node in self.session.get_inputs()
            if node.name.startswith("past_")
        }

    @property
    def providers(self) -> list[str]:
        """The providers that the session got, first choice first."""
        return list(self.session.get_providers())

    def nodes_by_provider(self) -> dict[str, Counter[str]]:
        """Return how many nodes of each operator each provider got."""
        found: dict[str, Counter[str]] = {}
        for part in self.session.get_provider_graph_assignment_info():
            found.setdefault(part.ep_name, Counter()).update(node.op_type for node in part.get_nodes())
        return found

    def forward(self, ids: Sequence[int], past: int, rows: Sequence[int]) -> Rows:
        """Run `ids` at positions `past`, `past + 1`, ...; return the output of `rows`."""
        shape = len(ids), len(rows)
        if shape not in self._bindings:
            self._bindings[shape] = self._bind(*shape)
        binding = self._bindings[shape]
        values = {
            "input_ids": np.array([ids], np.int64),
            "seqlens_k": np.array([past + len(ids) - 1], np.int32),
            "total_sequence_length": np.array(past + len(ids), np.int32),
            "logit_rows": np.array(rows, np.int64),
        }
        for name, value in values.items():
            binding.inputs[name].update_inplace(value)
        # A small copy to the device may still be in progress on another stream when the call returns.
        binding.io.synchronize_inputs()
        self.session.run_with_iobinding(binding.io)
        binding.io.synchronize_outputs()
        return Rows(*(binding.outputs[name].numpy() for name in OUTPUTS))

    def _bind(self, length: int, rows: int) -> Binding:
        # The operator reads the total length on the host (its kernel's input 6 is CPU memory).
        host = onnxruntime.OrtValue.ortvalue_from_numpy(np.array(1, np.int32))
        inputs = {
            "input_ids": self._on_device(np.zeros((1, length), np.int64)),
            "seqlens_k": self._on_device(np.zeros(1, np.int32)),
            "total_sequence_length": host,
            "logit_rows": self._on_device(np.zeros(rows, np.int64)),
        }
        hidden = self.session.get_outputs()[2].shape[1]
        outputs = {
            "candidate_logits": self._on_device(np.zeros((rows, CANDIDATES), np.float32)),
            "candidate_ids": self._on_device(np.zeros((rows, CANDIDATES), np.int64)),
            "hidden": self._on_device(np.zeros((rows, hidden), np.float32)),
        }
        io = self.session.io_binding()
        for name, value in {**inputs, **self._buffers}.items():
            io.bind_ortvalue_input(name, value)
        # GroupQueryAttention then appends in place instead of copying the buffers.
        present = {name.replace("past", "present"): value for name, value in self._buffers.items()}
        for name, value in {**outputs, **present}.items():
            io.bind_ortvalue_output(name, value)
        return Binding(io, inputs, outputs)

    def _on_device(self, array: NDArray[Any]) -> Any:
        return onnxruntime.OrtValue.ortvalue_from_numpy(array, self.device, 0)


def _open(path: Path, device: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    providers = list(dict.fromkeys([PROVIDERS[device], PROVIDERS["cpu"]]))
    session = onnxruntime.InferenceSession(str(path), options, providers=providers)
    # If a provider cannot be loaded, the runtime uses the CPU and only logs it.
    if PROVIDERS[device] not in session.get_providers():
        raise RuntimeError(f"requested {PROVIDERS[device]}, got {', '.join(session.get_providers())}")
    return session


def _shape(shape: Sequence[int | str], capacity: int) -> list[int]:
    return [size if isinstance(size, int) else capacity for size in shape]


def _dtype(name: str) -> type:
    return np.float16 if "float16" in name else np.float32
