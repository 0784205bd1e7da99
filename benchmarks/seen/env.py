"""The environment that the editors start in: a user of their own, with the models that are on the disk."""

import os
from pathlib import Path

from aide_lsp.catalog.store import data_folder
from benchmarks.llama_cpp.engines import ROOT

SERVER = ROOT / ".venv" / "bin" / "aide-lsp"
FOREIGN = {"TMUX", "NVIM", "VIMINIT", "VIM", "VIMRUNTIME", "VSCODE_IPC_HOOK_CLI"}


def user_env(home: Path, programs: Path) -> dict[str, str]:
    """Return an environment with settings, state, and ledger of its own, and `programs` on its path."""
    for name in ("config", "data", "state", "cache"):
        (home / name).mkdir(parents=True, exist_ok=True)
    models = home / "data" / "models"
    if not models.exists():
        models.symlink_to(data_folder() / "models")
    return {name: value for name, value in os.environ.items() if name not in FOREIGN} | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "AIDE_DATA_DIR": str(home / "data"),
    }
