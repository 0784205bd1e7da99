"""Neovim in the available versions: always 0.11, and 0.12 if the setup could install it.

The Neovims that modules share run the model themselves in 0.11, and share an engine in 0.12: what one sees is
the same.
"""

import os
from pathlib import Path

import pytest

from editors.tests.nvim.session import Neovim
from tests.engine_processes import engine_folder

ROOT = Path(__file__).resolve().parents[3]
PROGRAMS = {
    "0.11": ROOT / ".editors" / "nvim011" / "bin" / "nvim",
    "0.12": ROOT / ".editors" / "nvim012" / "root" / "usr" / "bin" / "nvim",
}

SHARED = "require('aide').setup({ settings = { engine = 'shared' } })"


@pytest.fixture(scope="session", params=list(PROGRAMS))
def nvim_program(request):
    """The path of a Neovim."""
    path = PROGRAMS[request.param]
    if not path.exists():
        if request.param == "0.12":
            pytest.skip("Neovim 0.12 is not there: the Debian suite that has it could not be used.")
        pytest.fail(f"{path} is missing: editors/setup/nvim011.sh installs it (make test-editors runs it).")
    return path


@pytest.fixture(scope="session")
def nvim_env(editor_env, aide_lsp_path):
    """As a user who has installed the server: it is on the PATH, nothing is configured."""
    return editor_env | {"PATH": f"{aide_lsp_path.parent}{os.pathsep}{editor_env['PATH']}"}


@pytest.fixture(scope="session")
def engine_env():
    """The environment of Neovims that share an engine."""
    with engine_folder() as folder:
        yield {"XDG_RUNTIME_DIR": str(folder)}


@pytest.fixture(scope="module")
def shared_nvim(nvim_program, nvim_env, engine_env, tmp_path_factory):
    """One Neovim for the tests of a module; each opens files of its own."""
    folder = tmp_path_factory.mktemp("nvim")
    if nvim_program == PROGRAMS["0.11"]:
        nvim = Neovim(nvim_program, nvim_env, folder)
    else:
        nvim = Neovim(nvim_program, nvim_env | engine_env, folder, init=SHARED)
    yield nvim
    nvim.close()


@pytest.fixture
def nvim(shared_nvim, artifacts):
    """The module's Neovim. Screen and logs are kept: tests that pass do not overwrite them."""
    yield shared_nvim
    shared_nvim.keep(artifacts)


@pytest.fixture
def start_nvim(nvim_program, nvim_env, tmp_path, artifacts):
    """Start a Neovim of one's own: `start_nvim(init=..., file=..., env=...)`."""
    started = []

    def start(env=None, **options):
        nvim = Neovim(nvim_program, nvim_env | (env or {}), tmp_path / f"nvim{len(started)}", **options)
        started.append(nvim)
        return nvim

    yield start
    for nvim in started:
        nvim.keep(artifacts)
        nvim.close()
