"""An editor without a screen: starts a language server and requests inline completions from it.

Any server with `textDocument/inlineCompletion` will do.
"""

import asyncio
import os
import shlex
import time
from pathlib import Path
from typing import Any

from attrs import frozen
from lsprotocol import types
from pygls.lsp.client import LanguageClient

CAPABILITIES = types.ClientCapabilities(
    workspace=types.WorkspaceClientCapabilities(configuration=True, workspace_folders=True),
    window=types.WindowClientCapabilities(work_done_progress=True),
    text_document=types.TextDocumentClientCapabilities(
        inline_completion=types.InlineCompletionClientCapabilities()
    ),
)
START_S = 900  # the server may fetch and convert its model first
ANSWER_S = 300


@frozen
class Answer:
    """Answer to one request."""

    text: str
    "What is inserted at the cursor; empty: nothing."
    replaces: int
    "How many characters after the cursor that replaces."
    seconds: float
    "From request to answer."


class Editor:
    """A client with one server. Use as an asynchronous context manager."""

    def __init__(self, command: str, settings: dict[str, Any], folder: Path) -> None:
        self._command, self._settings, self._folder = shlex.split(command), settings, folder
        self._client = _client(settings)
        self._opened = 0
        self.server = "unknown server"
        """Name and version that the server reports."""

    async def __aenter__(self) -> "Editor":
        await self._client.start_io(*self._command)
        folder = types.WorkspaceFolder(self._folder.as_uri(), self._folder.name)
        params = types.InitializeParams(
            CAPABILITIES,
            process_id=os.getpid(),
            root_uri=folder.uri,
            workspace_folders=[folder],
            # A benchmark's completions would push the user's own out of the ledger.
            initialization_options={"ledger": "off", **self._settings},
        )
        found = await asyncio.wait_for(self._client.initialize_async(params), START_S)
        if found.server_info:
            self.server = f"{found.server_info.name} {found.server_info.version}"
        self._client.initialized(types.InitializedParams())
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.wait_for(self._client.shutdown_async(None), ANSWER_S)
        self._client.exit(None)
        await self._client.stop()  # type: ignore[no-untyped-call]

    async def complete(
        self,
        prefix: str,
        suffix: str,
        timeout: float = ANSWER_S,
        name: str | None = None,
        language: str = "python",
    ) -> Answer:
        """Open a document with the cursor between `prefix` and `suffix`, request once, and close it."""
        self._opened += 1
        uri = (self._folder / (name or f"hole{self._opened}.py")).as_uri()
        document = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=prefix + suffix)
        self._client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        started = time.perf_counter()
        result = await asyncio.wait_for(
            self._client.text_document_inline_completion_async(
                types.InlineCompletionParams(
                    text_document=types.TextDocumentIdentifier(uri),
                    position=position(prefix),
                    context=types.InlineCompletionContext(types.InlineCompletionTriggerKind.Invoked),
                )
            ),
            timeout,
        )
        seconds = time.perf_counter() - started
        self._client.text_document_did_close(
            types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri))
        )
        return Answer(*inserted(result, position(prefix), suffix), seconds)


def position(prefix: str) -> types.Position:
    """Return the cursor after `prefix`, in UTF-16 units, which every server knows."""
    lines = prefix.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return types.Position(line=len(lines) - 1, character=len(lines[-1].encode("utf-16-le")) // 2)


def inserted(result: Any, cursor: types.Position, suffix: str) -> tuple[str, int]:
    """Return what the first item inserts at the cursor, and how many characters of `suffix` it replaces.

    ("", 0): there is no item.

    Raises:
        ValueError: it replaces text before the cursor or in other lines, which this program does not support.
    """
    items = getattr(result, "items", result)
    if not items:
        return "", 0
    text, span = items[0].insert_text, items[0].range or types.Range(cursor, cursor)
    if span.start != cursor or span.end.line != cursor.line:
        raise ValueError(f"the server's item replaces {span}, the cursor is at {cursor}")
    replaced = suffix.encode("utf-16-le")[: 2 * (span.end.character - cursor.character)]
    return text if isinstance(text, str) else str(text.value), len(replaced.decode("utf-16-le"))


def _client(settings: dict[str, Any]) -> LanguageClient:
    client = LanguageClient("aide-benchmark", "1")

    def configuration(params: types.ConfigurationParams) -> list[dict[str, Any]]:
        return [settings for _ in params.items]

    client.feature(types.WORKSPACE_CONFIGURATION)(configuration)

    def ignore(_: Any) -> None:
        return None

    for method in (
        types.CLIENT_REGISTER_CAPABILITY,
        types.WINDOW_WORK_DONE_PROGRESS_CREATE,
        types.WINDOW_LOG_MESSAGE,
        types.WINDOW_SHOW_MESSAGE,
        types.WINDOW_SHOW_MESSAGE_REQUEST,
        types.PROGRESS,
    ):
        client.feature(method)(ignore)
    return client
