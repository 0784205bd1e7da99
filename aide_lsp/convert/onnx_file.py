"""Writes an ONNX graph: nodes in memory, weights streamed to a data file next to the graph.

Every large array in the data file is aligned, so that the runtime can map it into memory instead of reading
it. A second graph can refer to arrays that the first has written.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
from attrs import frozen
from numpy.typing import NDArray
from onnx import TensorProto, helper

DATA_FILE = "model.onnx.data"
CONTRIB = "com.microsoft"
OPSETS = {"": 21, CONTRIB: 1}
# Arrays of this size or more go to the data file, on pages of their own (the offset must be a multiple of the
# allocation granularity: 64 KiB on Windows).
EXTERNAL_BYTES = 1024
ALIGNMENT = 65536

ELEMENT_TYPES = {
    "float32": TensorProto.FLOAT,
    "float16": TensorProto.FLOAT16,
    "int64": TensorProto.INT64,
    "int32": TensorProto.INT32,
}


def aligned(offset: int) -> int:
    """Return the first offset at or after `offset` at which an array may begin."""
    return -(-offset // ALIGNMENT) * ALIGNMENT


@frozen
class Stored:
    """Place of an array in the data file."""

    offset: int
    """Bytes from the start of the file."""
    size: int
    """Bytes."""
    element_type: int
    """ONNX's number of the element type."""


class DataFile:
    """The data file of a model folder, written front to back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file: BinaryIO = (folder / DATA_FILE).open("wb")

    def append(self, array: NDArray[Any]) -> Stored:
        """Write `array` at the next aligned offset."""
        offset = aligned(self.file.tell())
        self.file.seek(offset)
        contiguous = np.ascontiguousarray(array)
        self.file.write(contiguous.data)
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        return Stored(offset, contiguous.nbytes, kind)

    def close(self) -> None:
        """Flush and close."""
        self.file.close()


class GraphWriter:
    """Collects the nodes and weights of one graph."""

    def __init__(self, data: DataFile) -> None:
        self.data = data
        self.stored: dict[str, Stored] = {}
        self._nodes: list[onnx.NodeProto] = []
        self._initializers: dict[str, onnx.TensorProto] = {}

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Add the weight `name` (once) and return its name."""
        # Layers share small constants, such as the number of an axis.
        if name in self._initializers:
            return name
        if array.nbytes < EXTERNAL_BYTES:
            self._initializers[name] = onnx.numpy_helper.from_array(np.ascontiguousarray(array), name)
            return name
        return self.shared(name, self.data.append(array), array.shape)

    def shared(self, name: str, stored: Stored, shape: Sequence[int]) -> str:
        """Add the weight `name` that is already in the data file, with `shape`."""
        tensor = TensorProto(name=name, dims=shape, data_type=stored.element_type)
        tensor.data_location = TensorProto.EXTERNAL
        place = {"location": DATA_FILE, "offset": str(stored.offset), "length": str(stored.size)}
        for key, value in place.items():
            tensor.external_data.add(key=key, value=value)
        self.stored[name] = stored
        self._initializers[name] = tensor
        return name

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: str | Sequence[str],
        domain: str = "",
        **attributes: Any,
    ) -> str:
        """Add a node and return the name of its first output."""
        names = [outputs] if isinstance(outputs, str) else list(outputs)
        node = helper.make_node(operator, list(inputs), names, name=names[0], domain=domain, **attributes)
        self._nodes.append(node)
        return names[0]

    def contrib(
        self, operator: str, inputs: Sequence[str], outputs: str | Sequence[str], **attributes: Any
    ) -> str:
        """Add a node of one of onnxruntime's own operators."""
        return self.node(operator, inputs, outputs, domain=CONTRIB, **attributes)

    def save(
        self, name: str, inputs: Mapping[str, tuple[str, Sequence[Any]]], outputs: Mapping[str, Any]
    ) -> None:
        """Write the graph `name`; inputs and outputs map names to (element type, shape)."""
        graph = helper.make_graph(
            self._nodes,
            "decoder",
            [_value_info(*item) for item in inputs.items()],
            [_value_info(*item) for item in outputs.items()],
            initializer=list(self._initializers.values()),
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        # IR version 10 belongs to opset 21. By default it is the newest that `onnx` knows, which the runtime
        # may not.
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="aide")
        (self.data.folder / name).write_bytes(model.SerializeToString())


def _value_info(name: str, kind: tuple[str, Sequence[Any]]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, ELEMENT_TYPES[kind[0]], list(kind[1]))
