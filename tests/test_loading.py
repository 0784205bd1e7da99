"""Opening a model whose files another process repairs at the same time."""

import pytest

from aide_lsp import loading as startup
from aide_lsp.errors import ModelFilesError, SessionError
from aide_lsp.settings.fields import Settings


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

    def load(settings, progress):
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
