"""Language clients of editors that no test here runs: what they send, as their sources say.

Sublime Text's is the package LSP (`plugin/core/sessions.py`), Kakoune's is kakoune-lsp (`capabilities.rs`,
`language_features/completion.rs`). Their pages are in `editors/`.
"""

import pytest

from tests.lsp.raw_client import RawClient, frame

URI, FOLDER = "file:///work-folder/a.py", "file:///work-folder"
FOLDERS = {"rootUri": FOLDER, "workspaceFolders": [{"uri": FOLDER, "name": "work-folder"}]}
TEXT = "# 𝄞 é\nx = '𝄞' + su\n"
PLACE = {"line": 1, "character": len("x = '??' + su")}
"""Both count in UTF-16, as the server answers neither with another encoding."""

SUBLIME = {
    "general": {"markdown": {"parser": "Python-Markdown"}},
    "textDocument": {
        "synchronization": {"dynamicRegistration": True, "didSave": True},
        "completion": {
            "dynamicRegistration": True,
            "completionItem": {
                "snippetSupport": True,
                "documentationFormat": ["markdown", "plaintext"],
                "resolveSupport": {"properties": ["detail", "documentation", "additionalTextEdits"]},
                "insertTextModeSupport": {"valueSet": [2]},
                "labelDetailsSupport": True,
            },
            "insertTextMode": 2,
        },
    },
    "workspace": {"configuration": True, "workspaceFolders": True},
    "window": {"workDoneProgress": True},
}
KAKOUNE = {
    "general": {"markdown": {"parser": "kak-lsp"}},
    "textDocument": {
        "synchronization": {"dynamicRegistration": False, "didSave": True},
        "completion": {
            "dynamicRegistration": False,
            "completionItem": {
                "snippetSupport": True,
                "documentationFormat": ["markdown", "plaintext"],
                "resolveSupport": {"properties": ["additionalTextEdits", "detail", "documentation"]},
            },
            "contextSupport": False,
        },
    },
    "workspace": {"configuration": True, "workspaceFolders": True},
    "window": {"workDoneProgress": True},
    # Of clangd, from before the protocol had one.
    "offsetEncoding": ["utf-8", "utf-16"],
}


def begin(client, capabilities):
    """Start as the editor does: it answers that no settings are set, and that a progress may be shown."""
    offered = client.initialize(capabilities, **FOLDERS)["capabilities"]
    state = client.request("workspace/executeCommand", {"command": "aide.status", "arguments": []})
    while True:
        message = client.next_message()
        if "method" in message and "id" in message:
            items = message["params"].get("items")
            result = None if items is None else [None] * len(items)
            client.send_bytes(frame({"jsonrpc": "2.0", "id": message["id"], "result": result}))
        elif message.get("id") == state:
            if message["result"]["state"] == "ready":
                return offered
            state = client.request("workspace/executeCommand", {"command": "aide.status", "arguments": []})


@pytest.mark.parametrize(
    ("capabilities", "context"), [(SUBLIME, {"triggerKind": 1}), (KAKOUNE, None)], ids=["sublime", "kakoune"]
)
def test_the_list_has_one_entry_that_extends_the_word_at_the_cursor(capabilities, context):
    with RawClient() as client:
        offered = begin(client, capabilities)
        # Neither asks a server that does not say at once that it has a list.
        assert "completionProvider" in offered
        assert offered["textDocumentSync"]["openClose"]
        client.open(TEXT, URI)
        asked = {"textDocument": {"uri": URI}, "position": PLACE}
        found = client.result("textDocument/completion", asked | ({"context": context} if context else {}))
        (item,) = found["items"]
        assert found["isIncomplete"]
        assert item["detail"].startswith("Aide, seed ")
        # Both take an edit only within the line, and filter by the text that it replaces.
        start = {"line": 1, "character": PLACE["character"] - len("su")}
        assert item["textEdit"]["range"] == {"start": start, "end": PLACE}
        assert item["textEdit"]["newText"].startswith("supass")
        # The same text: otherwise kakoune-lsp inserts it as a snippet.
        assert item["filterText"] == item["textEdit"]["newText"]
        assert item.get("insertTextFormat", 1) == 1
        assert "additionalTextEdits" not in item
        assert client.end() == 0
