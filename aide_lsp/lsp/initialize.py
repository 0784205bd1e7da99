"""Answers `initialize` before pygls is imported, which takes half a second."""

from typing import Any

from aide_lsp import __version__
from aide_lsp.lsp.client import ClientProfile, ProfileError, read_profile
from aide_lsp.lsp.commands.table import COMMANDS
from aide_lsp.lsp.rpc.messages import message_id

TRIGGERS = [".", "(", "[", "{", ",", "=", ":"]
"""Characters after which clients without inline completion ask automatically, as they do in words."""
INCREMENTAL = 2
"""`TextDocumentSyncKind.Incremental`, from the library that is not imported yet."""


def profile_of(message: Any) -> ClientProfile | None:
    """Read a valid `initialize` request; None: it is not one, and the protocol will say why."""
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        return None
    if message.get("method") != "initialize" or message_id(message.get("id")) is None:
        return None
    try:
        return read_profile(message.get("params"))
    except ProfileError:
        return None


def initialize_result(profile: ClientProfile) -> dict[str, Any]:
    """Return what the server offers this client."""
    capabilities: dict[str, Any] = {
        "positionEncoding": profile.encoding,
        "textDocumentSync": {"openClose": True, "change": INCREMENTAL, "save": True},
        # All notebooks, with all their cells.
        "notebookDocumentSync": {"notebookSelector": [{"notebook": "*", "cells": [{"language": "*"}]}]},
        "inlineCompletionProvider": {},
        "executeCommandProvider": {"commands": [command.name for command in COMMANDS]},
        "workspace": {"workspaceFolders": {"supported": True, "changeNotifications": True}},
    }
    if not profile.inline_completion:  # others would get everything twice
        capabilities["completionProvider"] = {"triggerCharacters": TRIGGERS}
    elif not profile.registers_completion:  # for settings files; elsewhere the list is empty
        capabilities["completionProvider"] = {}
    return {"capabilities": capabilities, "serverInfo": {"name": "aide-lsp", "version": __version__}}
