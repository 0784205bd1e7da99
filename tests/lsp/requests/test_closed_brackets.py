"""A completion that goes on after a bracket that the editor has closed, as the client gets it."""

import asyncio

from tests.fakes import FakeSession, completer_on, continuing
from tests.lsp.in_process import Connection
from tests.lsp.raw_client import inline_params

TEXT = "if f(a)\n    b()\n"


def test_it_replaces_the_bracket_and_stays_when_the_bracket_is_typed_over():
    async def run() -> None:
        session = FakeSession(continuing({"if f(a": "):\n    c()", "if f(a)": " and d:\n"}))
        completer = completer_on(session)
        connection = Connection(lambda settings, progress: completer)
        # Without work ahead, the model runs for requests only.
        await connection.initialize(options={"workAhead": False})
        connection.open(TEXT)
        items = []
        for number, column in enumerate((6, 7)):
            connection.send("textDocument/inlineCompletion", inline_params(0, column, trigger=2), id=number)
            items += (await connection.reply(number))["result"]
        place = [(item["range"]["start"]["character"], item["range"]["end"]["character"]) for item in items]
        assert [item["insertText"] for item in items] == ["):", ":"]
        assert place == [(6, 7), (7, 7)]

    asyncio.run(run())
