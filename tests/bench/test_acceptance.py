"""The test of a model that was just added."""

import pytest

from aide_lsp.bench.acceptance import accept
from aide_lsp.errors import MemoryShortError
from aide_lsp.settings.fields import Settings
from tests.tiny_model import tiny_model_folder


def test_lack_of_memory_is_no_fault_of_the_model(tmp_path, monkeypatch):
    """It would be removed, with a download of gigabytes."""

    def short(*_):
        raise MemoryShortError("There is not enough memory.")

    folder = tiny_model_folder(tmp_path / "model")
    monkeypatch.setattr("aide_lsp.inference.onnx.open.open_session", short)
    with pytest.raises(MemoryShortError):
        accept(folder, Settings(), lambda check: None)
