"""Aide itself as a client of the protocols of others: `engine_kind` is "openai" or "llama.cpp"."""

import pytest

from aide_lsp.cli.commands.engine import report_lines
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.model import ALL_PARAMETERS
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.look import look_at_server
from aide_lsp.engines.remote.model import RemoteModel
from aide_lsp.server_address import server_address
from tests.completion.test_completer import complete, request_at
from tests.fakes import continuing
from tests.serve.serving import TOKEN, running

MARKED = "def add(a, b):\n    return |\n\nprint(add(1, 2))\n"
KINDS = ("openai", "llama.cpp")


@pytest.fixture(scope="module")
def server():
    with running(script=continuing({"(a, b):\n": "    return a + b\n"})) as found:
        yield found


def choice_of(server, kind):
    host, port = server.address
    return ServerChoice(server_address(f"http://{host}:{port}"), kind=kind, key=TOKEN)


@pytest.mark.parametrize("kind", KINDS)
def test_completion_then_that_of_the_server(server, kind):
    model = RemoteModel(choice_of(server, kind))
    try:
        found = complete(Completer(model), request_at(MARKED))
        assert (found.text, found.finish_reason) == ("a + b", "stop")
        assert model.info.honored == ALL_PARAMETERS
        assert (model.info.id, model.info.context_length, model.info.vocabulary_size > 0) == (
            "fake",
            4096,
            True,
        )
    finally:
        model.close()


@pytest.mark.parametrize("kind", KINDS)
def test_an_unfinished_word_then_the_rest_of_it(server, kind):
    model = RemoteModel(choice_of(server, kind))
    try:
        found = complete(Completer(model), request_at(MARKED.replace("return |", "ret|")))
        assert found.text.startswith("urn")
    finally:
        model.close()


@pytest.mark.parametrize("kind", KINDS)
def test_check_then_the_server_is_what_it_should_be(server, kind):
    report = look_at_server(choice_of(server, kind))
    assert (report.problem, "fake" in "\n".join(report_lines(report))) == ("", True)
