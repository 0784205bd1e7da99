"""Opening a model: its card, and files that another process repairs at the same time."""

from types import SimpleNamespace

import pytest

from aide_lsp import loading as startup
from aide_lsp.catalog import store
from aide_lsp.engines.shared import open as opening
from aide_lsp.engines.shared.place import SharingError
from aide_lsp.errors import ModelFilesError, SessionError
from aide_lsp.inference.onnx import processor
from aide_lsp.settings.fields import Settings
from tests.fakes import ScriptedModel
from tests.tiny_model import tiny_model_folder


@pytest.mark.parametrize(
    ("fim", "reads_suffix", "share"), [("qwen2.5-coder", True, 0.25), (None, False, 0.0)]
)
def test_the_card_counts_as_it_is_now_also_for_a_model_converted_earlier(
    tmp_path, monkeypatch, fim, reads_suffix, share
):
    folder = tiny_model_folder(tmp_path / "tiny")
    monkeypatch.setattr(startup, "card_of", lambda settings: SimpleNamespace(fim=fim, context_share=0.25))
    info = startup.open_completer(folder, Settings(provider="cpu", threads=1)).info
    assert (info.reads_suffix, info.context_share) == (reads_suffix, share)


@pytest.mark.parametrize(
    ("error", "was_damaged", "is_gone", "loads"),
    [
        # Another process is at it, or just was.
        (ModelFilesError("There is no model folder."), False, True, 2),
        (ModelFilesError("It has another size."), True, True, 2),
        (SessionError("It cannot be loaded."), True, True, 2),
        (SessionError("It cannot be loaded."), False, True, 2),
        (SessionError("It cannot be loaded."), False, False, 1),
    ],
)
def test_load_is_tried_again_where_files_may_be_sound_by_now(monkeypatch, error, was_damaged, is_gone, loads):
    tried = []

    def load(settings, progress, open_folder):
        tried.append(settings)
        if len(tried) == 1:
            raise error
        return "loaded"

    monkeypatch.setattr(startup, "_load", load)
    monkeypatch.setattr(startup, "remove_damaged", lambda settings, progress: was_damaged)
    monkeypatch.setattr(startup, "_is_gone", lambda settings: is_gone)
    if loads == 1:
        with pytest.raises(SessionError):
            startup.load_completer(Settings(), lambda share, sentence: None)
    else:
        assert startup.load_completer(Settings(), lambda share, sentence: None) == "loaded"
    assert len(tried) == loads


@pytest.mark.parametrize(
    ("recipe", "converted", "converts"),
    [
        ("auto", (), True),
        ("auto", ("exact",), False),
        ("auto", ("fast",), True),
        ("fast", ("exact",), True),
        ("fast", ("exact", "fast"), False),
        ("int4", ("int4_fp16",), False),
        ("int4", ("exact",), True),
    ],
)
def test_shared_engine_needs_a_conversion_then_it_comes_before_the_engine(
    monkeypatch, recipe, converted, converts
):
    did = []
    settings = Settings(engine="shared", recipe=recipe)
    monkeypatch.setattr(processor, "has_amx", lambda: False)
    monkeypatch.setattr(store, "state_of", lambda card: SimpleNamespace(recipes=converted))
    monkeypatch.setattr(startup, "model_folder", lambda settings, progress: did.append("converts"))
    model = ScriptedModel({})
    monkeypatch.setattr(opening, "open_shared", lambda choice, progress: did.append("joins") or model)
    completer = startup.load_completer(settings, lambda share, sentence: None)
    assert completer.info is model.info
    assert did == (["converts", "joins"] if converts else ["joins"])


@pytest.mark.parametrize(
    ("settings", "amx", "expected"),
    [
        (Settings(provider="cpu"), False, "exact"),
        (Settings(provider="cpu"), True, "fast"),
        (Settings(provider="cpu", recipe="exact"), True, "exact"),
        (Settings(provider="cpu", recipe="int4"), True, "int4"),
        # Its card has no recipe of its own for AMX.
        (Settings(provider="cpu", model="qwen2.5-coder-1.5b"), True, "exact"),
    ],
)
def test_recipe_is_that_of_the_card_for_this_processor(monkeypatch, settings, amx, expected):
    monkeypatch.setattr(processor, "has_amx", lambda: amx)
    assert startup.choose_recipe(settings, startup.card_of(settings)) == expected


def test_engine_cannot_be_shared_then_the_model_runs_here_and_says_why(tmp_path, monkeypatch):
    def refuse(choice, progress):
        raise SharingError("the disk of /x is full")

    folder = tiny_model_folder(tmp_path / "tiny")
    monkeypatch.setattr(opening, "open_shared", refuse)
    monkeypatch.setattr(store, "state_of", lambda card: SimpleNamespace(recipes=("exact",)))
    monkeypatch.setattr(
        startup, "_load", lambda settings, progress, open_folder: open_folder(folder, settings)
    )
    settings = Settings(engine="shared", provider="cpu", threads=1)
    completer = startup.load_completer(settings, lambda share, sentence: None)
    assert completer.info.sharing == "alone"
    assert completer.info.shares.endswith('although the setting engine is "shared": the disk of /x is full.')
