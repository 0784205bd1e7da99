"""Fixtures that several folders share."""

import os
import signal
import subprocess
import sys

import pytest

from aide_lsp.settings.fields import Settings

pytest_plugins = ["tests.properties", "tests.stuck", "tests.temporary_files"]

TINY_CARD = """
id = "tiny"
path = "tiny.gguf"
context_length = 2048
fim = "qwen2.5-coder"
end_tokens = ["<|endoftext|>"]
default = true
"""


SETTING = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "AIDE_DEBUG", "_AIDE_COMPLETE")
"""Variables of whoever runs the tests that Aide or a library would follow."""


@pytest.fixture(scope="session", autouse=True)
def nobodys_settings(tmp_path_factory):
    """Nothing under test sees the settings of whoever runs the tests, or what earlier runs left."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("nobody")
        for name in ("XDG_CONFIG_HOME", "APPDATA", "LOCALAPPDATA", "AIDE_FAKE_DATA_DIR"):
            patch.setenv(name, str(folder / name))
        for name in SETTING:
            patch.delenv(name, raising=False)
        # In a background job or under nohup signals are ignored, also in all that is started from there.
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)
        yield


@pytest.fixture(scope="session")
def real_model_dir():
    """The converted default model; fetched and converted into the user's data folder the first time."""
    from aide_lsp.loading import model_folder

    return model_folder(Settings(provider="cpu"), lambda share, sentence: None)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user with a model card of their own, and nothing else."""
    home = tmp_path_factory.mktemp("home")
    cards = home / "config" / "aide" / "models"
    cards.mkdir(parents=True)
    from tests.tiny_model import tiny_gguf

    tiny_gguf(cards / "tiny.gguf")
    (cards / "tiny.toml").write_text(TINY_CARD, encoding="utf-8")
    (home / "x.py").write_text("def f(a, b):\n    return \n\n\ndef g():\n    pass\n", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def aide(home):
    """Run `aide` in that home; give the finished process."""

    def run(*arguments, stdin="", **extra):
        env = os.environ | {
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "AIDE_DATA_DIR": str(home / "data"),
            **extra,
        }
        command = [sys.executable, "-m", "aide_lsp", *arguments]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, env=env, cwd=home, timeout=120, check=False
        )

    return run
