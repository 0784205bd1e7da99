"""Adds matrices to a converted model as the runtime's kernels pack them, to be memory-mapped.

Without this the runtime packs every matrix into memory of its own at each start. With it, a model loads in
half the time, several servers share one copy, and the system may reclaim the memory. On loading, the runtime
packs each matrix again and uses the copy in the file only if both have the same hash: on another processor,
or with another version, it ignores the copy.

Matrices are packed one by one, in graphs of one product: packing the entire model at once would take as much
memory as all matrices in both forms.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import onnx
from onnx import TensorProto, helper

from aide_lsp.convert.onnx_file import DATA_FILE, aligned
from aide_lsp.errors import ConversionError

_PRODUCTS = {"MatMulNBits": TensorProto.FLOAT, "MatMulIntegerToFloat": TensorProto.UINT8}
"""Operators that pack a matrix, and the element type of their first input."""
_PACKED = "prepacked"
_ERRORS_ONLY = 3


def add_packed_matrices(folder: Path) -> None:
    """Extend the graph `model.onnx` in `folder` and its data file.

    Raises ConversionError if the runtime cannot load a product.
    """
    path = folder / "model.onnx"
    model = onnx.load(str(path), load_external_data=False)
    arrays = {tensor.name: tensor for tensor in model.graph.initializer}
    # Not in the system's folder for temporary files, which is often small, or in memory.
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}."))
    # In the same folder, because a graph cannot name a data file of another one.
    alone = folder / "product.onnx"
    try:
        for node in model.graph.node:
            if node.op_type in _PRODUCTS:
                alone.write_bytes(_product_alone(node, arrays, model).SerializeToString())
                _copy_packed(_saved_by_runtime(alone, scratch), folder / DATA_FILE, arrays)
    finally:
        alone.unlink(missing_ok=True)
        shutil.rmtree(scratch, ignore_errors=True)
    path.write_bytes(model.SerializeToString())


def _product_alone(
    node: onnx.NodeProto, arrays: dict[str, TensorProto], model: onnx.ModelProto
) -> onnx.ModelProto:
    """Return a graph that consists of `node`."""
    used = [arrays[name] for name in node.input if name in arrays]
    factor = helper.make_tensor_value_info(node.input[0], _PRODUCTS[node.op_type], None)
    result = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "product", [factor], [result], initializer=used)
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def _saved_by_runtime(path: Path, scratch: Path) -> Path:
    import onnxruntime

    saved = scratch / path.name
    options = onnxruntime.SessionOptions()
    # The runtime warns that a saved graph is for this kind of processor only, which is the purpose here.
    options.log_severity_level = _ERRORS_ONLY
    options.optimized_model_filepath = str(saved)
    options.add_session_config_entry("session.save_external_prepacked_constant_initializers", "1")
    for name, value in (("file_name", DATA_FILE), ("min_size_in_bytes", "1024")):
        options.add_session_config_entry(f"session.optimized_model_external_initializers_{name}", value)
    try:
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    # The runtime's exceptions have no common base but Exception.
    except Exception as error:
        raise ConversionError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load the converted model: {error}"
        ) from error
    return saved


def _copy_packed(saved: Path, data: Path, arrays: dict[str, TensorProto]) -> None:
    """Append the packed matrices of the graph `saved` to the file `data`, and note where they are."""
    packed = onnx.load(str(saved), load_external_data=False).graph.initializer
    # The runtime adds and renames arrays, but not those that it packs.
    with saved.with_name(DATA_FILE).open("rb") as source, data.open("r+b") as target:
        target.seek(0, 2)
        for tensor in packed:
            for entry in tensor.external_data:
                if entry.key.startswith(_PACKED) and tensor.name in arrays:
                    moved = "|".join(_moved(entry.value, source, target))
                    arrays[tensor.name].external_data.add(key=entry.key, value=moved)


def _moved(entry: str, source: BinaryIO, target: BinaryIO) -> Iterator[str]:
    """Yield the parts of an entry, KERNEL+HASH|OFFSET;LENGTH;CHECKSUM|..., its bytes appended to `target`.

    The format is that of onnxruntime's `core/framework/tensor_external_data_info.cc`.
    """
    kernel, *buffers = entry.split("|")
    yield kernel
    for buffer in buffers:
        offset, length, checksum = buffer.split(";")
        start = aligned(target.tell())
        source.seek(int(offset))
        target.seek(start)
        target.write(source.read(int(length)))
        yield f"{start};{length};{checksum}"
