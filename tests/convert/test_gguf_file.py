"""The GGUF reader against files from the `gguf` package, and against damaged ones."""

import itertools
import math
import random

import gguf
import numpy as np
import pytest
from tiny_model import TinySpec, tiny_gguf, tiny_weights

from aide_lsp.convert.architecture import read_architecture, rotary_divisors
from aide_lsp.convert.gguf_file import open_gguf, read_gguf_header
from aide_lsp.convert.tokenizer_json import tokenizer_json
from aide_lsp.convert.weights import check_tensors
from aide_lsp.errors import ConversionError
from tests.convert.test_architectures import SPECS


def test_open_gguf_reads_what_the_gguf_package_reads(tmp_path):
    path = tiny_gguf(tmp_path / "m.gguf", TinySpec(matrix_type="Q5_0"))
    file, reader = open_gguf(path), gguf.GGUFReader(path)
    theirs = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    assert file.metadata == theirs
    assert list(file.tensors) == [tensor.name for tensor in reader.tensors]
    for tensor in reader.tensors:
        ours = file.tensor(tensor.name)
        assert ours.type_name == tensor.tensor_type.name
        np.testing.assert_array_equal(ours.raw, tensor.data.view(np.uint8).reshape(ours.raw.shape))


def test_the_header_alone_is_enough_for_all_checks(tmp_path):
    path = tiny_gguf(tmp_path / "m.gguf", TinySpec(matrix_type="Q5_0"))
    whole, file = path.read_bytes(), open_gguf(path)
    end = next(size for size in range(0, len(whole), 32) if read_gguf_header(whole[:size], "m.gguf"))
    header = read_gguf_header(whole[:end], "m.gguf")
    assert end < len(whole) / 4
    assert header.metadata == file.metadata
    assert [(t.name, t.type_name, t.shape) for t in header.tensors.values()] == [
        (t.name, t.type_name, t.shape) for t in file.tensors.values()
    ]
    check_tensors(header, read_architecture(header))
    tokenizer_json(header)


def test_the_beginning_of_something_else_is_refused():
    with pytest.raises(ConversionError, match="is not a GGUF file"):
        read_gguf_header(b"<!DOCTYPE html>" * 10, "page.html")


def test_floats_of_some_rows(tmp_path):
    file = open_gguf(tiny_gguf(tmp_path / "m.gguf"))
    stored = tiny_weights(TinySpec())["blk.0.ffn_up.weight"]
    np.testing.assert_array_equal(file.tensor("blk.0.ffn_up.weight").floats(3, 5), stored[3:5])


def test_damaged_headers_end_in_a_conversion_error_or_are_read(tmp_path):
    draw, path = random.Random(11), tmp_path / "m.gguf"
    whole = tiny_gguf(path).read_bytes()
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(draw.choice([1, 8])):
            damaged[draw.randrange(24 if draw.random() < 0.3 else 6000)] = draw.randrange(256)
        path.write_bytes(damaged)
        try:
            open_gguf(path)
        except ConversionError:
            refused += 1
    assert refused > 100


ODD = (0, -1, 2**31, 2**63, 1e308, math.nan, math.inf, "", "x", [], [1], ["a"], [[1]], True, None)


@pytest.mark.parametrize("name", ["qwen2", "qwen2-yarn", "gemma2", "granite", "phi3-longrope"])
def test_values_that_cannot_be_meant_end_in_a_conversion_error_or_are_read(tmp_path, name):
    file = open_gguf(tiny_gguf(tmp_path / "m.gguf", SPECS[name]))
    said = []
    for key, value in itertools.product(file.metadata, ODD):
        odd = type(file)(file.path, {**file.metadata, key: value}, file.tensors)
        try:
            architecture = read_architecture(odd)
            architecture.rotary.tables(8, rotary_divisors(odd, architecture))
            check_tensors(odd, architecture)
            tokenizer_json(odd)
        except ConversionError as error:
            said.append(str(error))
    assert len(said) > 100
    assert max(map(len, said)) < 300


@pytest.mark.parametrize(("key", "value"), [("rope.scaling.type", "longrope"), ("rope.dimension_count", 7)])
def test_read_architecture_when_rotary_variant_is_unknown_then_says_so(tmp_path, key, value):
    file = open_gguf(tiny_gguf(tmp_path / "m.gguf"))
    metadata = {**file.metadata, f"qwen2.{key}": value}
    with pytest.raises(ConversionError, match=str(value)):
        read_architecture(type(file)(file.path, metadata, file.tensors))


def test_linear_rotary_scaling_stretches_positions(tmp_path):
    file = open_gguf(tiny_gguf(tmp_path / "m.gguf"))
    scaled = {**file.metadata, "qwen2.rope.scaling.type": "linear", "qwen2.rope.scaling.factor": 4.0}
    other = type(file)(file.path, scaled, file.tensors)
    plain_cos, _ = read_architecture(file).rotary.tables(2048, None)
    scaled_cos, _ = read_architecture(other).rotary.tables(2048, None)
    np.testing.assert_allclose(scaled_cos[4::4], plain_cos[1 : len(scaled_cos[4::4]) + 1], atol=1e-6)
