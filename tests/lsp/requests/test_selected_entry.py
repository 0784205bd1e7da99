"""A completion that continues the entry selected in a client's list, as VS Code requests it."""

from tests.lsp.raw_client import RawClient, inline_params

SOON, NEVER = "#slow 0.5", "#slow 60"


def begun(client, entry: str, typed: int) -> None:
    """Ask with that entry selected, of which so many characters are typed, and cancel as VS Code does."""
    client.initialize({"experimental": {"aide": True}})
    client.command("aide.status")
    client.open(entry[:typed])
    first = asked(client, entry, typed)
    while "slow begins" not in str(client.notifications):
        client.next_message()
    client.notify("$/cancelRequest", {"id": first})


def asked(client, entry: str, typed: int) -> int:
    params = inline_params(0, typed, "file:///a.py", 2)
    start, end = {"line": 0, "character": 0}, {"line": 0, "character": typed}
    params["context"]["selectedCompletionInfo"] = {"range": {"start": start, "end": end}, "text": entry}
    return client.request("textDocument/inlineCompletion", params)


def key(client, text: str, column: int) -> None:
    place = {"line": 0, "character": column}
    change = {"range": {"start": place, "end": place}, "text": text}
    document = {"uri": "file:///a.py", "version": 2}
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})


def test_keys_that_spell_the_selected_entry_end_nothing():
    with RawClient() as client:
        begun(client, SOON, 2)
        key(client, SOON[2], 2)
        (item,) = client.reply(asked(client, SOON, 3))["result"]
        assert item["insertText"] == f"{SOON}pass  # {len(SOON)}"
        assert item["range"]["end"]["character"] == 3
        client.open("#stats", "file:///stats.py")
        (item,) = client.reply(client.ask(uri="file:///stats.py", trigger=2))["result"]
        assert "early 0" in item["insertText"]


def test_another_key_ends_what_continues_the_selected_entry():
    with RawClient() as client:
        begun(client, NEVER, 2)
        key(client, "x", 2)
        (item,) = client.reply(client.ask(trigger=2))["result"]
        assert item["insertText"].startswith("pass")
