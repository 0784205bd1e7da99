"""Adds matrices to a converted model as the runtime's kernels pack them, to be memory-mapped.

Without this the runtime packs every matrix into memory of its own at each start. With it, a model loads in
half the time, several servers share one copy, and the system may reclaim the memory. On loading, the runtime
packs each matrix again and uses the copy in the file only if both have the same hash: on another processor,
or with another version, it ignores the copy.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import onnx

from aide_lsp.convert.onnx_file import DATA_FILE, aligned
from aide_lsp.errors import ConversionError

_PACKED = "prepacked"
_ERRORS_ONLY = 3


def add_packed_matrices(folder: Path) -> None:
    """Extend the graph `model.onnx` in `folder` and its data file.

    While it runs, it needs disk space for two more copies of the matrices.

    Raises ConversionError if the runtime cannot load the graph.
    """
    # Not in the system's folder for temporary files, which is often small, or in memory.
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}."))
    try:
        saved = _saved_by_runtime(folder / "model.onnx", scratch)
        _copy_packed(saved, folder / "model.onnx")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


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


def _copy_packed(saved: Path, path: Path) -> None:
    """Append the packed matrices of the graph `saved` to the data file of the graph `path`."""
    own = onnx.load(str(path), load_external_data=False)
    matrices = {tensor.name: tensor for tensor in own.graph.initializer}
    packed = onnx.load(str(saved), load_external_data=False).graph.initializer
    # The runtime adds and renames arrays, but not those that it packs.
    with saved.with_name(DATA_FILE).open("rb") as source, path.with_name(DATA_FILE).open("r+b") as target:
        target.seek(0, 2)
        for tensor in packed:
            for entry in tensor.external_data:
                if entry.key.startswith(_PACKED) and tensor.name in matrices:
                    moved = "|".join(_moved(entry.value, source, target))
                    matrices[tensor.name].external_data.add(key=entry.key, value=moved)
    path.write_bytes(own.SerializeToString())


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
