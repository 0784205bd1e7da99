"""Handlers of the protocol's methods.

An async handler runs up to its first suspension before the next message is handled; so it must take its
snapshot first.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from attrs import evolve
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.lsp import items, notebook_handlers, settings_completion
from aide_lsp.lsp.client import ProfileError, folder_uris, read_profile
from aide_lsp.lsp.commands.arguments import Arguments
from aide_lsp.lsp.initialize import initialize_result
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.requests.snapshot import Snapshot
from aide_lsp.lsp.rpc.params import UNKNOWN_VERSION
from aide_lsp.lsp.workspace.documents import Place, is_too_large
from aide_lsp.settings.project_folders import PROJECT_FILE, PYPROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

    from aide_lsp.lsp.server import Server

log = logging.getLogger("aide.features")
CURSOR = "aide/cursor"


def register(server: Server) -> None:
    """Register all methods."""
    for method, handler in METHODS.items():
        server.feature(method)(handler)


def initialize(ls: Server, params: Any) -> dict[str, Any]:
    """Answer; nothing is loaded before `initialized`. (A client's first `initialize` rarely gets here.)"""
    try:
        profile = read_profile(params)
    except ProfileError as error:
        raise JsonRpcInvalidParams(str(error)) from None
    ls.begin(profile)
    if profile.process_id is not None:
        ls.watch(profile.process_id)
    return initialize_result(profile)


def initialized(ls: Server, params: Any) -> None:
    """Start up."""
    ls.start_up()


def shutdown(ls: Server, params: Any) -> None:
    """Cancel everything; only `exit` is accepted from now on."""
    ls.shut_down()


def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    """Add a document."""
    ls.start_up()
    item = params.text_document
    if is_too_large(item.text):
        ls.too_large(item.uri)
        return
    document = ls.documents.open(item.uri, str(item.language_id), max(0, item.version), item.text)
    ls.settings_documents.opened(document)
    ls.check_settings(item.uri)


def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    """Apply changes, in order."""
    uri, changes = params.text_document.uri, params.content_changes
    if any(is_too_large(change.text) for change in changes):
        ls.too_large(uri)
        return
    # Only the first one counts: a change of a part needs the text before it.
    is_complete = any(
        not isinstance(change, types.TextDocumentContentChangePartial) for change in changes[:1]
    )
    document = ls.documents.get(uri) or (ls.documents.recover(uri) if is_complete else None)
    if document is None:
        if ls.documents.miss(uri):
            log.warning("Changes to a document that is not open are ignored until it is opened.")
        return
    for change in changes:
        if isinstance(change, types.TextDocumentContentChangePartial):
            document.replace(_place(change.range.start), _place(change.range.end), change.text)
        else:
            document.replace_all(change.text)
    version = params.text_document.version
    document.version = document.version + 1 if version == UNKNOWN_VERSION else version
    ls.requests.changed(document)
    ls.settings_documents.changed(document)


def did_save(ls: Server, params: Any) -> None:
    """Follow a project file that is edited here: not every client watches files."""
    document = params.get("textDocument") if isinstance(params, dict) else None
    uri = document.get("uri") if isinstance(document, dict) else None
    if isinstance(uri, str) and uri.rpartition("/")[2] in (PROJECT_FILE, PYPROJECT):
        ls.review_settings()


def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    """Forget a document."""
    ls.drop(params.text_document.uri)


async def inline_completion(
    ls: Server, params: types.InlineCompletionParams
) -> list[types.InlineCompletionItem]:
    """Offer one completion at the cursor, or several if the user asks for them."""
    snapshot = _snapshot(ls, params)
    if isinstance(snapshot, NoCompletion):
        return []
    target, selected = items.at_cursor(params.position), params.context.selected_completion_info
    if selected is not None:
        snapshot, target = _with_selected(snapshot, selected)
    if params.context.trigger_kind is types.InlineCompletionTriggerKind.Invoked:
        snapshot = evolve(snapshot, count=snapshot.settings.candidates)
    answer = await ls.requests.complete(snapshot)
    return [items.inline_item(one, target, ls.status.source) for one in answer.completions if one.text]


async def completion(ls: Server, params: types.CompletionParams) -> types.CompletionList:
    """Offer a completion to a client that does not know inline completion; keys and values in settings files.

    Always one: such clients also say "invoked" for automatic requests while the user types a word.
    """
    found = await settings_completion.completions(ls, params.text_document.uri, params.position)
    if found or ls.profile.inline_completion:
        return types.CompletionList(is_incomplete=False, items=found)
    snapshot = _snapshot(ls, params)
    if not isinstance(snapshot, NoCompletion):
        column = snapshot.request.offset - snapshot.offset(Place(params.position.line, 0))
        target = items.over_word(snapshot.document, params.position, ls.documents.encoding, column)
        language_id = snapshot.request.language_id
        answer = await ls.requests.complete(snapshot)
        offered = [one for one in answer.completions if one.text]
        found = [items.completion_item(one, target, language_id, ls.status.source) for one in offered]
    # Incomplete: otherwise clients filter this list while the user types, and do not ask again.
    return types.CompletionList(is_incomplete=True, items=found)


def did_change_configuration(ls: Server, params: Any) -> None:
    """Take pushed settings; ask for them if the client can be asked."""
    ls.configuration.push(params.get("settings") if isinstance(params, dict) else None)
    ls.refresh_settings()


def did_change_folders(ls: Server, params: Any) -> None:
    """Follow the workspace folders; each may have its own settings."""
    event = params.get("event") if isinstance(params, dict) else None
    if not isinstance(event, dict):
        log.warning("A change of workspace folders was ignored: it contains no event.")
        return
    ls.configuration.change_folders(folder_uris(event.get("added")), folder_uris(event.get("removed")))
    ls.refresh_settings()


def did_change_watched_files(ls: Server, params: Any) -> None:
    """Report problems in a changed project file now. (Each request notices the change anyway.)"""
    ls.review_settings()


def cursor(ls: Server, params: Any) -> None:
    """Follow the cursor when it moves without an edit. Aide's own clients send this; errors are ignored."""
    try:
        at = (given := Arguments(CURSOR, [params])).document_position()
    except JsonRpcInvalidParams:
        return
    ls.requests.cursor(at.uri, at.place, exact=given.values.get("exact") is True)


def ignore(ls: Server, params: Any) -> None:
    """Accept a message that needs no reaction, such as `$/setTrace`."""


METHODS: dict[str, Callable[[Server, Any], Any]] = {
    types.INITIALIZE: initialize,
    types.INITIALIZED: initialized,
    types.SHUTDOWN: shutdown,
    types.SET_TRACE: ignore,
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: ignore,
    types.TEXT_DOCUMENT_DID_OPEN: did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: did_change,
    types.TEXT_DOCUMENT_DID_SAVE: did_save,
    types.TEXT_DOCUMENT_DID_CLOSE: did_close,
    types.TEXT_DOCUMENT_INLINE_COMPLETION: inline_completion,
    types.TEXT_DOCUMENT_COMPLETION: completion,
    types.TEXT_DOCUMENT_HOVER: settings_completion.hover,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: did_change_configuration,
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: did_change_folders,
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: did_change_watched_files,
    CURSOR: cursor,
    **notebook_handlers.METHODS,
}


def _snapshot(
    ls: Server, params: types.InlineCompletionParams | types.CompletionParams
) -> Snapshot | NoCompletion:
    """Take the snapshot; if there is none, note why and end what runs for the document."""
    uri = params.text_document.uri
    snapshot = ls.requests.snapshot(uri, _place(params.position))
    # A request is where a changed project file is noticed if the client watches no files.
    ls.show_new_problems()
    if isinstance(snapshot, NoCompletion):
        ls.requests.supersede(uri)
        ls.requests.declined(uri, _place(params.position), snapshot)
    return snapshot


def _with_selected(
    snapshot: Snapshot, selected: types.SelectedCompletionInfo
) -> tuple[Snapshot, items.Target]:
    """Continue from the entry selected in the client's list, as if it were in the text already."""
    start = snapshot.offset(_place(selected.range.start))
    end = max(start, snapshot.offset(_place(selected.range.end)))
    before, after = snapshot.request.text[:start], snapshot.request.text[end:]
    text = before + selected.text
    request = evolve(snapshot.request, text=text + after, offset=len(text))
    snapshot = evolve(snapshot, request=request, selected=selected.text)
    return snapshot, items.Target(selected.range, selected.text)


def _place(position: types.Position) -> Place:
    return Place(position.line, position.character)
