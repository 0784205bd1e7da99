"""What docs/parameters.md promises is what `aide settings` reports."""

import json
import re

import pytest

from aide_lsp.settings_reference import REPOSITORY
from aide_lsp.troubleshooting import COMPLAINTS, label

PAGE = (REPOSITORY / "docs/parameters.md").read_text(encoding="utf-8")
KEYS = ("temperature", "top_k", "top_p", "num_context", "seed")


def documented(key: str) -> tuple[str, str]:
    """The range and the default in the page's table."""
    (row,) = re.findall(rf"^\| {label(key)} \| `{key}` \| (.*?) \| (.*?) \|", PAGE, re.MULTILINE)
    return row


@pytest.fixture(scope="module")
def reported(home):
    """What `aide settings --json` says for a user who set nothing."""
    import os
    import subprocess
    import sys

    env = os.environ | {"XDG_CONFIG_HOME": str(home / "config"), "AIDE_DATA_DIR": str(home / "data")}
    command = [sys.executable, "-m", "aide_lsp", "settings", "--json"]
    run = subprocess.run(command, capture_output=True, text=True, env=env, cwd=home, timeout=60, check=True)
    return json.loads(run.stdout)["settings"]


@pytest.mark.parametrize("key", KEYS)
def test_documented_range_and_default_are_those_reported(key, reported):
    span, default = documented(key)
    told = reported[key]
    if bounds := re.search(r"from (\S+) to (.+)", span):
        low, high = bounds.groups()
        assert float(low) == told["minimum"]
        assert high.startswith("the model's") or float(high) == told["maximum"]
    assert default == (f"`{json.dumps(told['default'])}`" if told["default"] is not None else default)
    assert (told["default"] is None) == default.startswith("none")
    assert told["value"] == told["default"]


def test_page_has_a_section_for_each_parameter_and_a_row_for_each_complaint():
    sections = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert [label(key) for key in KEYS if label(key) not in sections] == []
    assert [name for name in COMPLAINTS if f"| `{name}` |" not in PAGE] == []
