"""Reading manifests, and exports without one."""

import hashlib
import json

import pytest

from aide_lsp.errors import ModelFilesError
from aide_lsp.inference.onnx.model_folder import FORMAT, is_intact, read_model_folder, seal, verify_files


def manifest(**changes):
    return {
        "format": FORMAT,
        "model": "small",
        "recipe": "exact",
        "layout": "aide",
        "source_sha256": "ab",
        "aide_version": "0.1.0",
        "architecture": "qwen2",
        "context_length": 512,
        "vocab_size": 300,
        "hidden_size": 64,
        "layer_count": 2,
        "kv_head_count": 2,
        "head_dim": 16,
        "kv_dtype": "float32",
        "candidate_count": 64,
        "fim": None,
        "end_tokens": [1, 2],
        "files": {},
    } | changes


def write(folder, content, **files):
    entries = {}
    for name, data in files.items():
        (folder / name).write_bytes(data)
        entries[name] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    (folder / "manifest.json").write_text(json.dumps(content | {"files": entries}))


def test_read_when_files_have_their_sizes_then_gives_the_manifest(tmp_path):
    write(tmp_path, manifest(), weights=b"abc")
    info = read_model_folder(tmp_path)
    assert (info.model, info.graph, info.end_tokens, info.fim) == ("small", "model.onnx", {1, 2}, None)
    assert [(file.name, file.size) for file in info.files] == [("weights", 3)]
    assert verify_files(tmp_path) == []


def test_verify_when_one_byte_differs_then_names_the_file(tmp_path):
    write(tmp_path, manifest(), weights=b"abc", graph=b"def")
    (tmp_path / "weights").write_bytes(b"abd")
    read_model_folder(tmp_path)
    assert [sentence.partition(" ")[0] for sentence in verify_files(tmp_path)] == ["weights"]


def test_read_when_a_file_is_shorter_or_missing_then_says_so(tmp_path):
    write(tmp_path, manifest(), weights=b"abc")
    (tmp_path / "weights").write_bytes(b"ab")
    with pytest.raises(ModelFilesError, match="has 2 bytes instead of 3"):
        read_model_folder(tmp_path)
    (tmp_path / "weights").unlink()
    with pytest.raises(ModelFilesError, match="weights is missing"):
        read_model_folder(tmp_path)


@pytest.mark.parametrize("name", ["../weights", "/etc/passwd", "a/../../b", ""])
def test_read_when_a_file_is_outside_then_is_refused(tmp_path, name):
    content = manifest(files={name: {"sha256": "", "size": 1}})
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ModelFilesError, match="leads out of the folder"):
        read_model_folder(tmp_path)


@pytest.mark.parametrize("change", [{"vocab_size": "many"}, {"end_tokens": None}, {"files": []}])
def test_read_when_an_entry_has_the_wrong_type_then_says_so(tmp_path, change):
    (tmp_path / "manifest.json").write_text(json.dumps(manifest(**change)))
    with pytest.raises(ModelFilesError, match="cannot be used"):
        read_model_folder(tmp_path)


def test_read_when_the_graph_is_in_a_subfolder_then_is_found(tmp_path):
    (tmp_path / "onnx").mkdir()
    (tmp_path / "onnx" / "model_q4.onnx").write_bytes(b"")
    (tmp_path / "tokenizer.json").write_text("{}")
    (tmp_path / "config.json").write_text(
        json.dumps(
            {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "eos_token_id": [7, 8]}
        )
    )
    (tmp_path / "generation_config.json").write_text(json.dumps({"eos_token_id": 9}))
    info = read_model_folder(tmp_path)
    assert (info.graph, info.head_dim, info.kv_head_count) == ("onnx/model_q4.onnx", 16, 2)
    assert info.end_tokens == {7, 8, 9}


@pytest.mark.parametrize("wrapped", [False, True])
def test_read_when_an_export_puts_a_token_before_texts_then_prompts_begin_with_it(tmp_path, wrapped):
    special = {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}
    start, text = {"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    step = {"type": "TemplateProcessing", "single": [start, text], "special_tokens": special}
    steps = {"type": "Sequence", "processors": [{"type": "ByteLevel"}, step]}
    (tmp_path / "model.onnx").write_bytes(b"")
    (tmp_path / "tokenizer.json").write_text(json.dumps({"post_processor": steps if wrapped else step}))
    assert read_model_folder(tmp_path).bos == 1
    (tmp_path / "tokenizer.json").write_text(json.dumps({"post_processor": {**step, "single": [text]}}))
    assert read_model_folder(tmp_path).bos is None


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([], "contains no model"),
        (["model.onnx"], "no tokenizer.json"),
        (["a.onnx", "b.onnx", "tokenizer.json"], "several graphs"),
    ],
)
def test_read_when_an_export_is_not_complete_then_says_what_to_do(tmp_path, files, words):
    for name in files:
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelFilesError, match=words):
        read_model_folder(tmp_path)


def test_read_when_there_is_no_folder_then_says_how_to_get_one(tmp_path):
    with pytest.raises(ModelFilesError, match="aide models fetch"):
        read_model_folder(tmp_path / "none")


def test_no_digit_of_a_manifest_can_change_unseen(tmp_path):
    manifest = seal({"format": FORMAT, "context_length": 2048, "end_tokens": [7], "fim": None})
    assert is_intact(manifest)
    assert is_intact({key: value for key, value in manifest.items() if key != "checksum"})  # never sealed
    for changed in ({"context_length": 2049}, {"end_tokens": [6]}, {"checksum": "0" * 64}, {"fin": None}):
        assert not is_intact(manifest | changed)


def test_manifest_that_differs_from_its_checksum_is_refused(tmp_path):
    from tests.tiny_model import tiny_model_folder

    folder = tiny_model_folder(tmp_path / "tiny")
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"context_length": 2048', '"context_length": 2049'))
    with pytest.raises(ModelFilesError, match="checksum"):
        read_model_folder(folder)
