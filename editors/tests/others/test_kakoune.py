"""Kakoune reads the configuration of `editors/kakoune.md`: what kakoune-lsp finds then, which is not here."""

import subprocess
import tomllib

import pytest

from editors.tests.others.test_helix_and_emacs import pasted, program
from tests.patience import PATIENCE

DECLARED = """#!/bin/sh
cat <<'KAK'
declare-option str lsp_servers
declare-option str lsp_completion_trigger fail
declare-option str enabled
define-command lsp-enable-window %{ set-option window enabled yes }
KAK
"""
"""What `kak-lsp` prints, as far as the page uses it."""
SAY = "echo -to-file said/%s %%opt{%s}"


@pytest.mark.parametrize("name", ["a.py", "a.cpp", "a.rs"])
def test_kakoune_then_the_page_names_one_server_and_requests_after_each_key(name, editor_env, tmp_path):
    kakoune = program("kakoune", "kak")
    for folder in ("bin", "config/kak", "said"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "bin" / "kak-lsp").write_text(DECLARED)
    (tmp_path / "bin" / "kak-lsp").chmod(0o755)
    (tmp_path / "config" / "kak" / "kakrc").write_text(pasted("kakoune.md", "kak"), encoding="utf-8")
    (tmp_path / name).touch()
    env = editor_env | {
        "PATH": f"{tmp_path / 'bin'}:{editor_env['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_RUNTIME_DIR": "",
    }
    options = ("lsp_servers", "lsp_completion_trigger", "enabled")
    then = "; ".join([*(SAY % (option, option) for option in options), "kill!"])
    command = [kakoune, "-ui", "dummy", "-e", then, name]
    subprocess.run(command, cwd=tmp_path, env=env, timeout=PATIENCE, check=True, capture_output=True)
    servers, trigger, enabled = ((tmp_path / "said" / option).read_text() for option in options)
    assert tomllib.loads(servers)["aide"]["command"] == "aide-lsp"
    assert (trigger, enabled) == ("", "yes")
