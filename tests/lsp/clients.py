"""Editors as the server sees them: what they announce in `initialize`, and a client that acts as one."""

import asyncio
import sys

from attrs import evolve
from lsprotocol import types as t
from pytest_lsp import ClientServerConfig, make_test_lsp_client

from tests.lsp.raw_client import command
from tests.patience import PATIENCE

FOLDER = "file:///work-folder"


def announces(
    encodings=("utf-16",), *, inline=True, progress=True, configuration=True, watched=True
) -> t.ClientCapabilities:
    """Client capabilities; the parts an editor may lack are switches."""
    return t.ClientCapabilities(
        general=t.GeneralClientCapabilities(
            position_encodings=[t.PositionEncodingKind(e) for e in encodings]
        ),
        window=t.WindowClientCapabilities(work_done_progress=progress),
        workspace=t.WorkspaceClientCapabilities(
            configuration=configuration,
            workspace_folders=True,
            did_change_watched_files=t.DidChangeWatchedFilesClientCapabilities(dynamic_registration=watched),
        ),
        text_document=t.TextDocumentClientCapabilities(
            inline_completion=t.InlineCompletionClientCapabilities() if inline else None,
            completion=t.CompletionClientCapabilities(
                completion_item=t.ClientCompletionItemOptions(
                    documentation_format=[t.MarkupKind.Markdown],
                    insert_text_mode_support=t.ClientCompletionItemInsertTextModeOptions(
                        value_set=[t.InsertTextMode.AsIs]
                    ),
                )
            ),
        ),
    )


VSCODE = announces()
NEOVIM = announces(("utf-8", "utf-16", "utf-32"), watched=False)
EMACS = announces(("utf-32", "utf-8"), inline=False, progress=False)
LISTENING = evolve(VSCODE, experimental={"aide": True})
"""Those of a client that receives Aide's own notifications."""


def make_editor():
    """A test client that also takes dynamic registrations."""
    client = make_test_lsp_client()
    client.registrations = []

    @client.feature(t.CLIENT_REGISTER_CAPABILITY)
    def register(params: t.RegistrationParams) -> None:
        client.registrations.extend(params.registrations)

    return client


def make_listener():
    """A test client that keeps Aide's own notifications."""
    client = make_editor()
    client.statuses, client.readies = [], []
    client.feature("aide/status")(lambda params: client.statuses.append(params))
    client.feature("aide/ready")(lambda params: client.readies.append(params))
    return client


def server_of(*arguments: str, script: str = "fake_server.py", client=make_editor) -> ClientServerConfig:
    """A script of this folder as the server, with arguments, and the client that talks to it."""
    return ClientServerConfig(server_command=command(*arguments, script=script), client_factory=client)


FAKE = server_of()
REAL = ClientServerConfig(
    server_command=[sys.executable, "-m", "aide_lsp.lsp.main", "--stdio"], client_factory=make_editor
)


async def begin(client, capabilities=VSCODE, folders=(), options=None) -> t.InitializeResult:
    """Initialize, and wait until the model is loaded or has failed."""
    params = t.InitializeParams(
        capabilities=capabilities,
        initialization_options=options,
        workspace_folders=[t.WorkspaceFolder(uri=uri, name=uri) for uri in folders],
    )
    result = await client.initialize_session(params)
    await until(client, lambda status: status["state"] in ("ready", "failed"))
    return result


async def until(client, holds):
    """Ask for the status until something holds; return that status."""
    async with asyncio.timeout(PATIENCE):
        while not holds(status := await run(client, "aide.status")):
            await asyncio.sleep(0.02)
    return status


async def slow_begins(client, before: int):
    """Wait until a request with `#slow` is being worked on; `before` log messages came earlier."""
    async with asyncio.timeout(PATIENCE):
        while not any(message.message == "slow begins" for message in client.log_messages[before:]):
            await asyncio.sleep(0.01)


async def run(client, command: str, *arguments):
    """Run a command."""
    params = t.ExecuteCommandParams(command=command, arguments=list(arguments))
    return await client.workspace_execute_command_async(params)


def open_text(client, text: str, uri: str = "file:///work-folder/a.py", language: str = "python") -> str:
    """Open a document; return its URI."""
    item = t.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
    client.text_document_did_open(t.DidOpenTextDocumentParams(text_document=item))
    return uri


def change(client, uri: str, *changes, version: int = 2) -> None:
    """Change a document: texts that replace all, or (start, end, text) with positions as pairs."""
    events = [
        t.TextDocumentContentChangeWholeDocument(text=event)
        if isinstance(event, str)
        else t.TextDocumentContentChangePartial(
            range=t.Range(start=t.Position(*event[0]), end=t.Position(*event[1])), text=event[2]
        )
        for event in changes
    ]
    document = t.VersionedTextDocumentIdentifier(uri=uri, version=version)
    client.text_document_did_change(
        t.DidChangeTextDocumentParams(text_document=document, content_changes=events)
    )


def inline(client, uri: str, line: int = 0, character: int = 10_000, selected=None, *, invoked=False):
    """Ask for an inline completion; the request is sent now. Invoked: the user asked for it."""
    kinds = t.InlineCompletionTriggerKind
    params = t.InlineCompletionParams(
        context=t.InlineCompletionContext(
            trigger_kind=kinds.Invoked if invoked else kinds.Automatic, selected_completion_info=selected
        ),
        text_document=t.TextDocumentIdentifier(uri=uri),
        position=t.Position(line=line, character=character),
    )
    return asyncio.ensure_future(client.text_document_inline_completion_async(params))


async def inserted(client, uri: str, line: int = 0, character: int = 10_000) -> str | None:
    """The text that is offered; None: nothing."""
    items = await inline(client, uri, line, character)
    return items[0].insert_text if items else None
