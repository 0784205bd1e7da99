"""Models on the disk: kept, converted once, replaced when stale, removed; and the commands for it."""

import json
import shutil
import sys
from contextlib import contextmanager

import pytest
from attrs import evolve
from click.testing import CliRunner

from aide_lsp.catalog import download, store
from aide_lsp.catalog.cards import read_card, shipped_folder
from aide_lsp.cli.main import main
from aide_lsp.completion.fim import FORMATS
from aide_lsp.convert import convert as convert_module
from aide_lsp.disk import sha256_of
from aide_lsp.errors import CardError, ConversionError, ModelFilesError
from aide_lsp.inference.onnx.model_folder import FORMAT, read_model_folder, verify_files
from tests.convert.graphs import graph_with_weights_in


def ignore(share, sentence):
    pass


@pytest.fixture
def converter(monkeypatch):
    """A converter that writes a manifest and one small file; keeps what it was asked for."""
    asked = []

    def convert(source, destination, model, recipe, progress):
        asked.append((source.name, recipe, dict(model)))
        progress(0.5, "half")
        destination.mkdir()
        (destination / "model.onnx").write_bytes(b"graph")
        record = {"sha256": sha256_of(destination / "model.onnx"), "size": 5}
        sizes = ("context_length", "vocab_size", "hidden_size", "layer_count", "kv_head_count", "head_dim")
        manifest = {
            "format": FORMAT,
            "model": model["id"],
            "recipe": recipe,
            "layout": "aide",
            "source_sha256": model["source_sha256"],
            "aide_version": "0",
            "architecture": "llama",
            "kv_dtype": "float32",
            "candidate_count": 64,
            "fim": model["fim"],
            "end_tokens": [],
            "files": {"model.onnx": record},
        } | dict.fromkeys(sizes, 8)
        (destination / "manifest.json").write_text(json.dumps(manifest))
        return destination

    monkeypatch.setattr(convert_module, "convert", convert)
    return asked


@pytest.fixture
def source(tiny_model, monkeypatch):
    """Let the tiny model's bytes come from nowhere; counts how often."""
    fetches = []

    def append(source, partial, work, on_bytes):
        fetches.append(partial.done)
        partial.append(tiny_model.data[partial.done :])

    monkeypatch.setattr(download, "append_from", append)
    return fetches


def test_model_is_fetched_and_converted_once(tiny_model, folders, converter, source):
    folder = store.ensure(tiny_model.card, "exact", ignore)
    assert folder == store.ensure(tiny_model.card, "exact", ignore)
    assert read_model_folder(folder).model == "tiny"
    assert source == [0]
    facts = {"id": "tiny", "fim": None, "end_tokens": [], "source_sha256": tiny_model.card.sha256}
    assert converter == [("tiny.gguf", "exact", facts)]


def test_converted_model_needs_no_file_any_more(tiny_model, folders, converter, source):
    folder = store.ensure(tiny_model.card, "exact", ignore)
    store.model_file(tiny_model.card).unlink()
    assert store.ensure(tiny_model.card, "exact", ignore) == folder
    assert source == [0]


def test_what_another_process_converted_meanwhile_is_not_converted_again(
    tiny_model, folders, converter, source, monkeypatch
):
    @contextmanager
    def slow_lock(folder, progress):
        """While this process waits for the lock, its holder finishes the same work."""
        monkeypatch.setattr(store, "locked", download.locked)
        store.ensure(tiny_model.card, "exact", ignore)
        yield

    monkeypatch.setattr(store, "locked", slow_lock)
    store.ensure(tiny_model.card, "exact", ignore)
    assert len(converter) == 1


def test_damaged_file_is_fetched_again_before_it_is_converted(tiny_model, folders, converter, source):
    file = store.fetch(tiny_model.card, ignore)
    file.write_bytes(bytes(len(tiny_model.data)))
    store.ensure(tiny_model.card, "exact", ignore)
    assert source == [0, 0]
    assert file.read_bytes() == tiny_model.data


def test_what_killed_conversions_left_is_removed_whatever_their_recipe(
    tiny_model, folders, converter, source
):
    store.fetch(tiny_model.card, ignore)
    own = store.folder_of(tiny_model.card)
    before = {path.name for path in own.iterdir()}
    for name in (
        ".fast-0123-f1.ab_cd.partial",
        ".fast-0123-f1.ab_cd.partial.weights",
        ".import-0123-f1.partial",
    ):
        (own / name).mkdir()
        (own / name / "weights").write_bytes(b"x")
    folder = store.ensure(tiny_model.card, "exact", ignore)
    assert {path.name for path in own.iterdir()} == before | {folder.name}


@pytest.mark.parametrize("damage", ["manifest.json", "model.onnx"])
def test_damaged_conversion_is_converted_again(tiny_model, folders, converter, source, damage, monkeypatch):
    monkeypatch.setattr(convert_module, "convert", replacing(convert_module.convert))
    folder = store.ensure(tiny_model.card, "exact", ignore)
    (folder / damage).write_bytes(b"")
    assert not store.is_converted(folder)
    assert store.is_converted(store.ensure(tiny_model.card, "exact", ignore))
    assert len(converter) == 2


def test_damaged_conversion_that_another_process_removes_meanwhile_counts_as_removed(
    tiny_model, folders, converter, source, monkeypatch
):
    folder = store.ensure(tiny_model.card, "exact", ignore)

    @contextmanager
    def waiting(*arguments):
        shutil.rmtree(folder)
        yield

    monkeypatch.setattr(store, "locked", waiting)
    assert store.remove_damaged(tiny_model.card, "exact", ignore)


def replacing(convert):
    def convert_again(source, destination, *args):
        for file in destination.glob("*"):
            file.unlink()
        if destination.exists():
            destination.rmdir()
        return convert(source, destination, *args)

    return convert_again


def test_conversion_of_another_file_is_not_used_and_goes(tiny_model, folders, converter, source):
    old = store.converted_folder(evolve(tiny_model.card, sha256="b" * 64), "exact")
    other_recipe = store.converted_folder(evolve(tiny_model.card, sha256="b" * 64), "fp16")
    for folder in (old, other_recipe):
        folder.mkdir(parents=True)
    new = store.ensure(tiny_model.card, "exact", ignore)
    assert new != old
    assert not old.exists()
    assert other_recipe.exists()
    assert store.state_of(tiny_model.card).recipes == ("exact",)


def test_error_of_the_converter_leaves_nothing_to_be_used(tiny_model, folders, source, monkeypatch):
    def fail(*args):
        raise ConversionError("no")

    monkeypatch.setattr(convert_module, "convert", fail)
    with pytest.raises(ConversionError):
        store.ensure(tiny_model.card, "exact", ignore)
    assert store.state_of(tiny_model.card).recipes == ()
    assert store.state_of(tiny_model.card).fetched


def test_states_of_a_model(tiny_model, folders, converter, source):
    card = tiny_model.card
    assert store.state_of(card) == store.DiskState(False, 0, (), 0)
    store.fetch(card, ignore)
    assert store.state_of(card) == store.DiskState(True, 0, (), card.size)
    store.ensure(card, "fp16", ignore)
    store.ensure(card, "exact", ignore)
    assert store.state_of(card).recipes == ("exact", "fp16")
    freed = store.remove(card, ignore)
    assert freed > card.size
    assert store.state_of(card) == store.DiskState(False, 0, (), 0)
    assert store.remove(card, ignore) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no modes")
def test_folders_are_closed_to_others(tiny_model, folders, source):
    file = store.fetch(tiny_model.card, ignore)
    for folder in (file.parent, file.parent.parent, store.data_folder()):
        assert folder.stat().st_mode & 0o077 == 0


def own_card(folders, path, more=""):
    folder = folders / "config" / "aide" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    text = f"id = 'own'\npath = '{path}'\ncontext_length = 64\nend_tokens = ['<end>']\n{more}"
    (folder / "own.toml").write_text(text)
    return read_card(folder / "own.toml")


def test_own_file_is_converted_where_it_is_and_never_removed(tiny_model, folders, converter):
    file = folders / "own.gguf"
    file.write_bytes(tiny_model.data)
    card = own_card(folders, file, "fim = 'qwen2.5-coder'\n")
    folder = store.ensure(card, "exact", ignore)
    facts = {
        "id": "own",
        "fim": "qwen2.5-coder",
        "end_tokens": ["<end>"],
        "source_sha256": tiny_model.card.sha256,
    }
    assert converter == [("own.gguf", "exact", facts)]
    file.write_bytes(tiny_model.data + b"changed")
    assert store.ensure(card, "exact", ignore) != folder
    store.remove(card, ignore)
    assert file.exists()


def test_own_file_that_is_missing_is_reported(folders):
    card = own_card(folders, folders / "nowhere.gguf")
    for get in (store.fetch, lambda *args: store.ensure(card, "exact", ignore)):
        with pytest.raises(ModelFilesError, match=r"nowhere\.gguf does not exist.*own\.toml"):
            get(card, ignore)


@pytest.fixture
def export(folders):
    """A folder as exporters write it, with a graph that keeps its weights in a file next to it."""
    folder = folders / "export"
    (folder / "onnx").mkdir(parents=True)
    (folder / "onnx" / "model.onnx").write_bytes(graph_with_weights_in("model.onnx_data"))
    (folder / "onnx" / "model.onnx_data").write_bytes(b"weights")
    (folder / "onnx" / "model_fp16.onnx").write_bytes(b"another graph")
    tokenizer = {"added_tokens": [{"id": 7, "content": "<end>"}], "model": {}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    (folder / "config.json").write_text(json.dumps({"vocab_size": 9, "eos_token_id": 3}))
    return folder


def test_export_of_others_is_imported_with_what_the_card_says(folders, export):
    card = own_card(folders, export, "fim = 'prefix'\n")
    folder = store.ensure(card, "exact", ignore)
    assert folder == store.ensure(card, "fp16", ignore)
    info = read_model_folder(folder)
    assert (info.model, info.recipe, info.layout) == ("own", "imported", "optimum")
    assert (info.fim, info.context_length, info.end_tokens) == ("prefix", 64, {3, 7})
    assert sorted(file.name for file in info.files) == [
        "onnx/model.onnx",
        "onnx/model.onnx_data",
        "tokenizer.json",
    ]
    assert verify_files(folder) == []
    store.remove(card, ignore)
    assert (export / "onnx" / "model.onnx_data").read_bytes() == b"weights"


def test_export_is_imported_again_when_it_changes(folders, export):
    card = own_card(folders, export)
    before = store.ensure(card, "exact", ignore)
    (export / "tokenizer.json").write_text((export / "tokenizer.json").read_text() + "\n")
    after = store.ensure(card, "exact", ignore)
    assert before != after
    assert not before.exists()


def test_export_without_tokenizer_or_with_unknown_end_token_is_reported(folders, export):
    card = evolve(own_card(folders, export), end_tokens=("<stop>",))
    with pytest.raises(CardError, match=r"'<stop>' is not a special token of .*It has <end>"):
        store.ensure(card, "exact", ignore)
    (export / "tokenizer.json").unlink()
    with pytest.raises(ModelFilesError, match=r"no tokenizer\.json"):
        store.ensure(card, "exact", ignore)
    assert store.state_of(card).recipes == ()


def run(*arguments, status=0, answer=None):
    result = CliRunner().invoke(main, ["models", *arguments], input=answer)
    assert result.exit_code == status, result.output
    return result.output


def test_commands_from_list_to_remove(folders, export, monkeypatch):
    own_card(folders, export)
    assert "own" in run("list")
    assert "not fetched" in run("list")
    assert "aide models convert own" in run("path", "own", "--recipe", "exact", status=1)
    assert "is ready: " in run("convert", "own", "--recipe", "exact")
    assert "converted: imported" in run("list")
    (facts,) = [card for card in json.loads(run("list", "--json")) if card["id"] == "own"]
    assert facts["recipes"] == ["imported"]
    assert "imported-" in run("path", "own", "--recipe", "exact")
    assert run("path", "own", "--file").strip() == str(export)
    assert "Aborted" in run("remove", "own", answer="n\n", status=1)
    assert "MB freed" in run("remove", "own", "--yes")
    assert "own is not on this machine" in run("remove", "own", "--yes")


def test_commands_name_the_nearest_id_and_recipe(folders):
    assert "Did you mean 'smollm2-135m'?" in run("fetch", "smollm", status=1)
    assert "exact" in run("convert", "smollm2-135m", "--recipe", "exakt", status=2)
    assert "not fetched yet: aide models fetch smollm2-135m" in run(
        "path", "smollm2-135m", "--file", status=1
    )


@pytest.mark.parametrize("command", [("fetch",), ("fetch", "--no-convert"), ("convert",)])
def test_card_with_an_unknown_fim_format_is_refused_before_anything_is_fetched(folders, source, command):
    folder = folders / "config" / "aide" / "models"
    folder.mkdir(parents=True)
    shipped = (shipped_folder() / "smollm2-135m.toml").read_text()
    card = shipped.replace("context_length", 'fim = "codelama"\ncontext_length')
    (folder / "mine.toml").write_text(card.replace('"smollm2-135m"', '"mine"'))
    output = run(command[0], "mine", *command[1:], status=1)
    assert f'fim: expected a fill-in-the-middle format ({", ".join(FORMATS)}), found "codelama"' in output
    assert not (store.data_folder() / "models" / "mine").exists()
    assert source == []


def test_list_shows_valid_cards_next_to_an_invalid_one(folders):
    folder = folders / "config" / "aide" / "models"
    folder.mkdir(parents=True)
    (folder / "bad.toml").write_text("id = 3")
    output = run("list")
    assert "qwen2.5-coder-0.5b" in output
    assert "bad.toml cannot be used" in output
