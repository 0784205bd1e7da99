"""What editors get to know of a server that runs the model."""

import pytest

from aide_lsp.application.server_facts import server_json
from tests.fakes import ScriptedModel


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1:8012", True),
        ("[::1]:8012", True),
        ("models.example.com", False),
        # What a server says of where it passes text on may be anything.
        ("models.example.com:port", False),
        ("[", False),
        ("a place", False),
    ],
)
def test_server_json_when_the_host_is_any_text_then_it_is_named(host, is_loopback):
    found = server_json(ScriptedModel({}, host=host).info)
    assert found is not None
    assert (found["host"], found["loopback"]) == (host, is_loopback)
