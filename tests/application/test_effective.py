"""The settings in effect for people."""

import re
from types import SimpleNamespace

import pytest

from aide_lsp.application import effective
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
    mine = Settings(model="mine", provider="cpu", recipe="fast", threads=3, context_share=0.1)
    assert came_to(mine, info) == {}
    text = report_text(SettingsReader().resolve(), came_to=came)
    assert re.search(r"model +qwen +default", text)
    assert re.search(r"provider +\"auto\" \(CPU\) +default", text)


@pytest.mark.parametrize(
    ("project", "says"),
    [
        ("", r"context_share +0\.25, from the model +default"),
        ("context_share = 0.125", r"context_share +0\.125 +\S+\.aide\.toml"),
        (
            "context_share = 0.4",
            r"context_share +0\.4 \(0\.25, from the model, which a project can only lower\) +\S+\.aide\.toml",
        ),
        ("context_share = 0.5", r"context_share +0\.5 \(0\.25, from the model\) +\S+\.aide\.toml"),
    ],
)
def test_the_share_of_other_files_is_the_models_and_a_project_lowers_it(tmp_path, project, says):
    (tmp_path / ".aide.toml").write_text(project)
    resolved = SettingsReader(tmp_path / "none.toml").resolve(tmp_path / "a.py", folder=tmp_path)
    came = came_to(resolved.settings, model_info(context_share=0.25))
    assert re.search(says, report_text(resolved, came_to=came))


def test_before_a_model_is_loaded_its_share_of_other_files_is_that_of_its_card(monkeypatch):
    assert came_to(Settings())["context_share"] == "0, from the model"
    card = SimpleNamespace(id="own", context_share=0.25)
    monkeypatch.setattr(effective, "card_of", lambda settings: card)
    assert came_to(Settings())["context_share"] == "0.25, from the model"
    assert came_to(Settings(engine="http://127.0.0.1:8012"))["context_share"].startswith("0, ")
