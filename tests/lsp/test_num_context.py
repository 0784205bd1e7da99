"""Num Context at its maximum and one above it, on the real server with a model that takes 2,048 tokens."""

import os

import pytest

from aide_lsp.completion.window import LINE_TOKENS
from tests.lsp.raw_client import RawClient
from tests.patience import wait_for

MOST = 2048 - 256
TEXT = "1\n" * (MOST // 2)
"""As many tokens: two a line."""
LINE = (MOST // 2 - LINE_TOKENS) // 2
"""Where both sides of the window are full."""


@pytest.fixture
def client(home):
    env = os.environ | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "AIDE_DATA_DIR": str(home / "data"),
    }
    with RawClient(script="real_server.py", env=env) as client:
        client.initialize(initializationOptions={"numContext": MOST, "maxTokens": 4096, "temperature": 1})
        wait_for(lambda: client.command("aide.status")["state"] == "ready")
        yield client


def test_the_maximum_is_reported_and_read_and_one_more_is_refused(client):
    client.open(TEXT)
    report = client.command("aide.settings", {"uri": "file:///a.py"})["settings"]["numContext"]
    assert (report["value"], report["maximum"]) == (MOST, MOST)
    assert "1 to 1792" in report["allowed"]
    place = {"uri": "file:///a.py", "position": {"line": LINE, "character": 0}}
    made = client.command("aide.regenerate", place | {"seed": 1})
    assert made["parameters"]["numContext"] == MOST
    last = client.command("aide.status")["lastRequest"]
    # And the control tokens. What is missing is for the rest of the cursor's line.
    assert last["promptTokens"] == MOST - LINE_TOKENS + 3
    assert last["generatedTokens"] > 0
    request = {"command": "aide.regenerate", "arguments": [place | {"parameters": {"numContext": MOST + 1}}]}
    refused = client.reply(client.request("workspace/executeCommand", request))
    assert (
        "from 1 to 1792 (the model's 2048 minus space for the completion), found 1793"
        in refused["error"]["message"]
    )
    client.notify("workspace/didChangeConfiguration", {"settings": {"aide": {"numContext": MOST + 1}}})
    report = client.command("aide.settings", {"uri": "file:///a.py"})
    assert report["settings"]["numContext"]["value"] != MOST + 1
    assert "found 1793" in report["text"]
