"""What `aide doctor` advises where the model cannot be loaded or run."""

from types import SimpleNamespace

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


def test_a_slow_machine_is_not_advised_to_take_a_recipe_that_generates_more_slowly():
    slow = SimpleNamespace(tokens_per_second=1.0, first_token_ms=9000.0, prompt_tokens=147)
    found = checks._speed_finding(slow)
    assert (found.level, found.repair) == ("warn", "close other programs, or choose a smaller model")
