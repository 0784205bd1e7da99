"""Hostile folders of exported models are rejected in one sentence, and nothing outside them is read."""

import json
import os
import socket
import threading

import pytest

from aide_lsp import plain_file
from aide_lsp.catalog import store
from aide_lsp.catalog.external_data import external_files
from aide_lsp.disk import sha256_of
from aide_lsp.errors import AideError, CardError, ModelFilesError
from aide_lsp.inference.onnx.model_folder import FORMAT, read_model_folder
from aide_lsp.inference.tokenizer import Tokenizer
from tests.catalog.test_store import ignore, own_card
from tests.convert.graphs import graph_with_weights_in, hidden_in
from tests.inference.onnx.exported_decoder import write_export

TOKENIZER = {"added_tokens": [{"id": 7, "content": "<end>"}], "model": {}}


@pytest.fixture
def export(folders):
    """A folder with a graph, its weights and a tokenizer, next to a secret."""
    folder = folders / "export"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(graph_with_weights_in("model.onnx_data"))
    (folder / "model.onnx_data").write_bytes(b"weights!")
    (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER))
    (folders / "secret").write_text("root:x:0:0")
    return folder


def take_over(folders, export):
    """Take the folder over; whatever comes of it, no other thread or process waits for anything."""
    return store.ensure(own_card(folders, export), "exact", ignore)


def refused(folders, export, words):
    with pytest.raises(AideError, match=words) as caught:
        take_over(folders, export)
    assert len(str(caught.value)) < 1000
    kept = [file for file in (folders / "data").rglob("*") if file.is_file() and file.name != "lock"]
    assert kept == []


def test_files_are_copied_and_share_nothing_with_the_users(folders, export):
    folder = take_over(folders, export)
    for name in ("model.onnx", "model.onnx_data", "tokenizer.json"):
        assert (folder / name).stat().st_nlink == 1
        assert not (folder / name).samefile(export / name)
        assert sha256_of(folder / name) == sha256_of(export / name)
    with (export / "model.onnx_data").open("r+b") as file:
        file.write(b"changed!")
    assert (folder / "model.onnx_data").read_bytes() == b"weights!"


def test_a_real_export_is_taken_over(folders):
    write_export(folders / "real")
    info = read_model_folder(take_over(folders, folders / "real"))
    assert (info.recipe, [file.name for file in info.files]) == ("imported", ["tokenizer.json", "model.onnx"])


def test_only_the_weights_that_the_graph_names_are_copied(folders, export):
    (export / "other.bin").write_bytes(b"other weights")
    (export / "unused.bin").symlink_to("/etc/passwd")
    (export / "parts").mkdir()
    (export / "parts" / "1.bin").write_bytes(b"1")
    (export / "model.onnx").write_bytes(
        graph_with_weights_in("model.onnx_data", "parts/1.bin", "./model.onnx_data")
    )
    folder = take_over(folders, export)
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    assert files == ["manifest.json", "model.onnx", "model.onnx_data", "parts/1.bin", "tokenizer.json"]


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx_data", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("target", ["/etc/passwd", "../secret", "nowhere", "/dev/zero", "itself"])
def test_links_are_refused(folders, export, name, target):
    (export / name).unlink(missing_ok=True)
    (export / name).symlink_to(name if target == "itself" else target)
    refused(folders, export, f"{name} is a link|no tokenizer.json|contains no model")


def test_linked_folders_are_refused(folders, export):
    (export / "etc").symlink_to("/etc")
    (export / "model.onnx").write_bytes(graph_with_weights_in("etc/passwd"))
    refused(folders, export, "etc is a link")
    (export / "model.onnx").unlink()
    (export / "onnx").symlink_to(export)
    refused(folders, export, "contains no model")


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx_data", "tokenizer.json", "config.json"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "folder"])
def test_special_files_are_refused_at_once(folders, export, name, kind):
    (export / name).unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(export / name)
    elif kind == "folder":
        (export / name).mkdir()
    else:
        at = os.open(export, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(f"/proc/self/fd/{at}/{name}")
        os.close(at)
    refused(folders, export, "is not a regular file|no tokenizer.json|contains no model")


@pytest.mark.parametrize("path", ["/dev/zero", "pipe"])
def test_a_device_or_pipe_as_the_model_itself_is_refused(folders, path):
    os.mkfifo(folders / "pipe")
    refused(folders, folders / path, "is not a regular file")


@pytest.mark.parametrize(
    "location",
    [
        *["/etc/passwd", "../secret", "parts/../../secret", "..", "..\\secret", "C:\\secret", "C:secret"],
        *["\\\\host\\share", "//host/share", "", ".", "a\0b", "manifest.json", "*/_ORT_MEM_ADDR_/*"],
        *["file:///etc/passwd", "~/x", "n\n", "/"],
    ],
)
def test_weights_outside_the_folder_are_refused(folders, export, location):
    (export / "model.onnx").write_bytes(graph_with_weights_in("model.onnx_data", location))
    refused(folders, export, "keeps weights in|cannot be read: No such file|is not a regular file")


@pytest.mark.parametrize("place", ["node", "subgraph", "function", "list", "sparse", "training"])
def test_weights_are_found_wherever_a_graph_may_have_them(folders, export, place):
    (export / "model.onnx").write_bytes(hidden_in(place, "../secret"))
    refused(folders, export, r"keeps weights in '\.\./secret'")


@pytest.mark.parametrize(
    "graph",
    [
        b"", b"graph", b"\x3a\xff\xff\xff\xff\x0f", b"\x3a\x02\x0a", b"\xff" * 20, b"\x0b" * 50,
        b"\x3a" + b"\x80" * 9 + b"\x01", b"\x08" * 3,
    ],
)  # fmt: skip
def test_what_is_no_graph_is_refused(folders, export, graph):
    (export / "model.onnx").write_bytes(graph)
    refused(folders, export, "model.onnx cannot be used: it is")


def test_a_graph_nested_too_deeply_is_refused(tmp_path):
    def field(number, content):
        length = len(content)
        size = bytearray()
        while length >= 0x80:
            size.append(length & 0x7F | 0x80)
            length >>= 7
        return bytes([number << 3 | 2]) + bytes(size) + bytes([length]) + content

    graph = b""
    for _ in range(2000):
        graph = field(1, field(5, field(6, graph)))
    (tmp_path / "deep.onnx").write_bytes(field(7, graph))
    with (tmp_path / "deep.onnx").open("rb") as file, pytest.raises(ValueError, match="nested too deeply"):
        external_files(file)


def test_a_file_larger_than_the_disk_or_a_graph_is_refused(folders, export):
    with (export / "model.onnx_data").open("wb") as file:
        file.truncate(1 << 43)
    refused(folders, export, "the disk has space for")
    with (export / "model.onnx").open("wb") as file:
        file.truncate((1 << 31) + 1)
    refused(folders, export, "a graph may have")


def test_a_file_that_grows_meanwhile_does_not_fill_the_disk(folders, export, monkeypatch):
    data = export / "model.onnx_data"
    data.write_bytes(bytes(3 << 20))
    stop = threading.Event()

    def grow():
        with data.open("ab") as file:
            while not stop.is_set():
                file.write(bytes(1 << 16))

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        folder = take_over(folders, export)
    finally:
        stop.set()
        writer.join()
    assert read_model_folder(folder).files


DEEP = "[" * 200_000 + "]" * 200_000


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json", "tokenizer_config.json", "manifest.json"])
@pytest.mark.parametrize(
    "content",
    [
        DEEP,
        f'{{"a": {DEEP}}}',
        '{"a": ' * 200_000,
        "[]",
        "nul",
        "\x00",
        '{"a": 1' + "0" * 5000 + "}",
        '"\\ud800"',
    ],
    ids=["deep", "deep inside", "never closed", "list", "no JSON", "NUL", "digits", "surrogate"],
)
def test_json_files_that_cannot_be_read_are_refused(folders, export, name, content):
    (export / name).write_text(content)
    refused(folders, export, f"{name} (cannot be|has format)")


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json"])
def test_json_files_of_any_size_are_refused_before_they_are_parsed(folders, export, name, monkeypatch):
    with (export / name).open("wb") as file:
        file.truncate(2_000_000_000)
    refused(folders, export, f"{name} cannot be read: it is larger than 64 MB")


@pytest.mark.parametrize(
    "tokenizer",
    [
        {"added_tokens": [{"id": 1e999, "content": "<end>"}]},
        {"added_tokens": [{"id": "x", "content": "<end>"}]},
        {"added_tokens": [{"content": "<end>"}]},
        {"added_tokens": [7]},
        {"added_tokens": 7},
        {"added_tokens": {"a": 1}},
        {"added_tokens": [{"id": [], "content": []}]},
    ],
)
def test_tokenizers_of_another_form_are_refused(folders, export, tokenizer):
    (export / "tokenizer.json").write_text(json.dumps(tokenizer))
    refused(folders, export, "tokenizer.json cannot be read|cannot be used")


@pytest.mark.parametrize(
    "vocabulary",
    [{"a": 1 << 33}, {"a": 5_000_000_000_000}, {"a": -1}, {"a": "b"}, {"a": 1.5}, {}, {"a": None}],
)
def test_a_vocabulary_with_odd_ids_costs_no_memory(tmp_path, vocabulary):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"type": "BPE", "vocab": vocabulary, "merges": []}}))
    with pytest.raises(ModelFilesError):
        Tokenizer.from_file(path)


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"../secret": {"sha256": "", "size": 10}}},
        {"files": {"/etc/passwd": {"sha256": "", "size": 10}}},
        {"files": {"model.onnx": {"sha256": "", "size": 10**4000}}},
        {"files": {"model.onnx": {"sha256": "", "size": -1}}},
        {"files": {"model.onnx": {"sha256": "", "size": 1e999}}},
        {"files": {"": {}}},
        {"files": {"a\0b": {"sha256": "", "size": 10}}},
        {"graph": "../model.onnx"},
        {"graph": "/etc/passwd"},
        {"graph": 3},
        {"context_length": 10**30},
        {"vocab_size": -5},
        {"vocab_size": True},
        {"layer_count": 1e999},
        {"end_tokens": [1e999]},
        {"end_tokens": [-1]},
        {"end_tokens": 5},
        {"format": 10**300},
    ],
)
def test_hostile_manifests_are_refused(folders, export, change):
    numbers = ("context_length", "vocab_size", "hidden_size", "layer_count", "kv_head_count", "head_dim")
    words = ("model", "recipe", "layout", "source_sha256", "aide_version", "architecture", "kv_dtype")
    manifest = {"format": FORMAT, "fim": None, "end_tokens": [], "files": {}, "candidate_count": 64}
    manifest |= dict.fromkeys(numbers, 8) | dict.fromkeys(words, "optimum")
    (export / "manifest.json").write_text(json.dumps(manifest))
    take_over(folders, export)
    store.remove(own_card(folders, export), ignore)
    (export / "manifest.json").write_text(json.dumps(manifest | change))
    refused(folders, export, "manifest.json (cannot be used|has format)|is missing")


def test_the_message_about_a_link_says_what_to_do(folders, export):
    (export / "tokenizer.json").unlink()
    (export / "tokenizer.json").symlink_to("/etc/passwd")
    refused(folders, export, "Replace it with the file itself")


def test_a_file_swapped_for_a_pipe_after_the_look_is_not_waited_for(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("{}")
    os.mkfifo(tmp_path / "pipe")
    real = os.open
    monkeypatch.setattr(plain_file.os, "open", lambda path, flags: real(tmp_path / "pipe", flags))
    with pytest.raises(ModelFilesError, match="is not a regular file"):
        plain_file.open_plain(tmp_path / "file")


def test_unknown_end_tokens_of_a_hostile_tokenizer_are_reported_in_few_words(folders, export):
    many = [{"id": number, "content": "<" + "x" * 50 + f"{number}>"} for number in range(1000)]
    (export / "tokenizer.json").write_text(json.dumps({"added_tokens": many}))
    with pytest.raises(CardError, match=r"'<end>' is not a special token") as caught:
        take_over(folders, export)
    assert len(str(caught.value)) < 1000
