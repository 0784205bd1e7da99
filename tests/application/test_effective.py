"""The settings in effect for people."""

import re

import pytest

from aide_lsp.application.effective import came_to
from aide_lsp.settings.fields import GROUPS, Settings
from aide_lsp.settings.reader import SettingsReader
from aide_lsp.settings.report import report_text
from tests.ledger.making import model_info


@pytest.fixture
def resolved(tmp_path):
    user = tmp_path / "settings.toml"
    user.write_text("temperature = 0.2\ntop_kk = 5\noff = ['<b>*.py']\n")
    return SettingsReader(user).resolve(tmp_path / "a.py")


def test_text_has_a_heading_then_problems_then_each_group(resolved):
    lines = report_text(resolved, "Settings for a.py").splitlines()
    assert lines[0] == "Settings for a.py"
    heads = [line for line in lines if line and not line.startswith(" ")]
    assert heads == ["Settings for a.py", "Problems", *GROUPS]
    assert "top_kk" in lines[lines.index("Problems") + 1]
    at = next(number for number, line in enumerate(lines) if line.startswith("  temperature"))
    assert re.search(r"0\.2 .*settings\.toml$", lines[at])
    assert lines[at + 1].split() == ["overrides", "0.7", "default"]


def test_what_aide_decides_itself_is_said():
    info = model_info(id="qwen")
    came = came_to(Settings(), info)
    assert {key: came[key] for key in ("model", "provider", "recipe")} == {
        "model": "qwen",
        "provider": "CPU",
        "recipe": "exact",
    }
    assert int(came["threads"]) >= 1
    assert came_to(Settings(model="mine", provider="cpu", recipe="fast", threads=3), info) == {}
    text = report_text(SettingsReader().resolve(), came_to=came)
    assert re.search(r"model +qwen +default", text)
    assert re.search(r"provider +\"auto\" \(CPU\) +default", text)
