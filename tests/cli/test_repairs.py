"""What `aide doctor` advises where the model cannot be loaded or run."""

import pytest

from aide_lsp.cli import checks
from aide_lsp.errors import MemoryShortError, SessionError
from aide_lsp.inference.onnx import runtime
from aide_lsp.settings.fields import Settings


@pytest.mark.parametrize(
    ("error", "provider", "problem", "repair"),
    [
        (SessionError("It cannot be loaded."), "auto", None, 'aide models convert, or set provider = "cpu"'),
        (SessionError("It cannot be loaded."), "auto", "there is no CUDA device", "aide models convert"),
        (SessionError("It cannot be loaded."), "cpu", None, "aide models convert"),
        (MemoryShortError("There is not enough memory. Close other programs."), "auto", None, ""),
    ],
)
def test_another_device_is_advised_only_where_there_is_a_gpu(
    monkeypatch, tmp_path, error, provider, problem, repair
):
    def fails(folder, settings):
        raise error

    monkeypatch.setattr(checks, "_load", fails)
    monkeypatch.setattr(runtime, "cuda_problem", lambda: problem)
    (found,) = checks.self_test(tmp_path, Settings(provider=provider))
    assert (found.level, found.detail, found.repair) == ("fail", str(error), repair)
