"""Packed matrices: used if they are the runtime's own, otherwise ignored."""

import shutil

import numpy as np
import onnx
import pytest
from tiny_model import TinySpec, tiny_card, tiny_gguf

from aide_lsp.convert.convert import convert
from aide_lsp.convert.packing import add_packed_matrices
from aide_lsp.errors import ConversionError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.onnx.open import open_session


@pytest.fixture(scope="module", params=["exact", "int4", "fast"])
def folder(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    source = tiny_gguf(
        place / "tiny.gguf", TinySpec(matrix_type="Q4_1" if request.param == "int4" else "Q8_0")
    )
    return convert(source, place / "model", tiny_card(), request.param)


@pytest.fixture
def copy(folder, tmp_path):
    copied = shutil.copytree(folder, tmp_path / "copy")
    (copied / "manifest.json").write_text(
        (copied / "manifest.json").read_text().partition('"files"')[0] + '"files": {}}'
    )
    return copied


def packed_entries(folder):
    initializers = onnx.load(str(folder / "model.onnx"), load_external_data=False).graph.initializer
    return [entry for tensor in initializers for entry in tensor.external_data if "prepacked" in entry.key]


def edit_entries(folder, change):
    model = onnx.load(str(folder / "model.onnx"), load_external_data=False)
    for tensor in model.graph.initializer:
        kept = [(e.key, e.value) for e in tensor.external_data]
        del tensor.external_data[:]
        for key, value in kept:
            if "prepacked" not in key:
                tensor.external_data.add(key=key, value=value)
            elif changed := change(value):
                tensor.external_data.add(key=key, value=changed)
    (folder / "model.onnx").write_bytes(model.SerializeToString())


def logits(folder):
    session = open_session(folder, "cpu")
    found = session.forward(range(40), 0, [39], CancelToken())
    return found.ids.tobytes() + found.logits.tobytes() + session.full_logits().tobytes()


def test_packed_when_converted_then_every_matrix_of_the_layers_is(folder):
    graph = onnx.load(str(folder / "model.onnx"), load_external_data=False).graph
    products = [n for n in graph.node if n.op_type in ("MatMulNBits", "MatMulIntegerToFloat")]
    assert len(packed_entries(folder)) == len(products) > 8


def test_packed_when_left_out_then_logits_are_the_same(folder, copy):
    edit_entries(copy, lambda _: None)
    assert packed_entries(copy) == []
    assert logits(copy) == logits(folder)


def test_packed_when_their_hash_is_another_then_they_are_not_read(folder, copy):
    """As on a processor, or with a runtime, whose kernels pack in another way."""
    overwrite_packed(copy)
    edit_entries(copy, lambda value: value.replace("+", "+1", 1))
    assert logits(copy) == logits(folder)


def test_packed_when_their_hash_fits_then_they_are_read(folder, copy):
    """Otherwise the other tests would show nothing."""
    overwrite_packed(copy)
    assert logits(copy) != logits(folder)


def overwrite_packed(folder):
    data = np.memmap(folder / "model.onnx.data", np.uint8, "r+")
    for entry in packed_entries(folder):
        for buffer in entry.value.split("|")[1:]:
            offset, length, _ = map(int, buffer.split(";"))
            data[offset : offset + length] = 1
    data.flush()


def test_add_packed_matrices_when_the_data_is_cut_then_says_so_and_leaves_nothing(copy):
    names = {path.name for path in copy.iterdir()}
    (copy / "model.onnx.data").write_bytes(b"")
    with pytest.raises(ConversionError, match=r"ONNX Runtime .* cannot load the converted model"):
        add_packed_matrices(copy)
    assert {path.name for path in copy.iterdir()} == names
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]
