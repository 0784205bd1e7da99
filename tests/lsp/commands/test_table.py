"""The table of commands, the editors' extensions and their pages name the same commands."""

import json
import re

import pytest

from aide_lsp.lsp.commands.dispatch import handler_of
from aide_lsp.lsp.commands.table import COMMANDS
from tools.generate.pages import REPOSITORY

VSCODE = REPOSITORY / "editors" / "vscode"
NEOVIM = REPOSITORY / "editors" / "nvim"
VSCODE_ONLY = {
    "Complete at the Cursor": "complete",
    "Compare Completions": "compare",
    "Next Candidate": "nextCandidate",
    "Previous Candidate": "previousCandidate",
    "Turn Off or On for This File": "offFile",
    "Turn Off or On for This Language": "offLanguage",
    "Restart Server": "restart",
    "Show Log": "showLog",
    "Write to Project": "writeTrial",
    "Keep as Is": "keepTrial",
}
"""Title and id of commands that are the extension's alone."""
VSCODE_HIDDEN = {"menu", "openFile", "tryIt", "usePreset"}
"""Commands that the extension registers and runs itself, without an entry in the palette."""
NEOVIM_ONLY = {"compare", "install", "log", "on", "restart"}
"""Subcommands that are the plugin's alone."""


def sources(folder, *suffixes) -> str:
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in suffixes]
    assert files
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_handler_and_a_text(command):
    assert handler_of(command).__name__ == command.handler.partition(":")[2]
    assert command.name.startswith("aide.")
    assert command.summary
    assert not command.summary.endswith(".")


def test_no_two_commands_share_a_name_title_or_subcommand():
    for field in ("name", "handler", "vscode", "neovim"):
        values = [getattr(command, field) for command in COMMANDS if getattr(command, field)]
        assert len(values) == len(set(values))


def test_vscode_contributes_what_the_table_says_under_the_same_titles():
    manifest = json.loads((VSCODE / "package.json").read_text(encoding="utf-8"))
    contributed = {entry["command"]: entry["title"] for entry in manifest["contributes"]["commands"]}
    expected = {f"aide.editor.{one.name.removeprefix('aide.')}": one.vscode for one in COMMANDS if one.vscode}
    assert contributed == expected | {f"aide.editor.{name}": title for title, name in VSCODE_ONLY.items()}


def test_vscode_registers_what_it_contributes():
    table = re.search(r"const table: .*?\{\n(.*?)\n  \};", sources(VSCODE / "src", ".ts"), re.DOTALL)
    assert table is not None
    registered = set(re.findall(r"^    (\w+): ", table[1], re.MULTILINE))
    shown = {command.name.removeprefix("aide.") for command in COMMANDS if command.vscode}
    assert registered == shown | set(VSCODE_ONLY.values()) | VSCODE_HIDDEN


def test_neovim_has_what_the_table_says():
    found = re.findall(r"\bname = '(\w+)'", (NEOVIM / "lua/aide/commands.lua").read_text(encoding="utf-8"))
    assert len(found) == len(set(found))
    assert set(found) == {command.neovim for command in COMMANDS if command.neovim} | NEOVIM_ONLY


def test_help_of_neovim_describes_every_subcommand():
    text = (NEOVIM / "doc" / "aide.txt").read_text(encoding="utf-8")
    described = set(re.findall(r"\*:Aide-(\w+)\*", text))
    assert described == {command.neovim for command in COMMANDS if command.neovim} | NEOVIM_ONLY


def test_pages_of_the_editors_show_every_command_to_their_users():
    vscode, neovim = ((folder / "README.md").read_text(encoding="utf-8") for folder in (VSCODE, NEOVIM))
    assert [one.vscode for one in COMMANDS if one.vscode not in vscode] == []
    assert [one.neovim for one in COMMANDS if one.neovim and f":Aide {one.neovim}" not in neovim] == []


@pytest.mark.parametrize(("folder", "suffix"), [(VSCODE / "src", ".ts"), (NEOVIM, ".lua")])
def test_editors_send_no_command_that_the_server_does_not_have(folder, suffix):
    text = re.sub(r"require\('[^']*'\)", "", sources(folder, suffix))
    calls = re.findall(r"\b(?:run\w*|show|another)(?:<\w+>)?\([^'\n]*'(aide\.\w+)'", text)
    params = re.findall(r"\bcommand = '(aide\.\w+)'", text)
    assert len(set(calls)) > 8
    assert {*calls, *params} <= {command.name for command in COMMANDS}
