"""Runs the command that `workspace/executeCommand` names."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.lsp.commands.arguments import Arguments
from aide_lsp.lsp.commands.project import question
from aide_lsp.lsp.commands.table import COMMANDS, PACKAGE, Command
from aide_lsp.settings.edit import NoProjectError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aide_lsp.lsp.server import Server


def register(server: Server) -> None:
    """Import all handlers, so that no command waits for an import, and register the method."""
    handlers = {command.name: handler_of(command) for command in COMMANDS}

    def execute(ls: Server, params: types.ExecuteCommandParams) -> Any:
        handler = handlers.get(params.command)
        if handler is None:
            raise JsonRpcInvalidParams(f"Unknown command. Aide has {', '.join(handlers)}.")
        try:
            answer = handler(ls, Arguments(params.command, params.arguments or ()))
        except NoProjectError as error:
            return question(error)
        return _asked(answer) if inspect.isawaitable(answer) else answer

    server.feature(types.WORKSPACE_EXECUTE_COMMAND)(execute)


async def _asked(answer: Awaitable[Any]) -> Any:
    try:
        return await answer
    except NoProjectError as error:
        return question(error)


def handler_of(command: Command) -> Callable[[Server, Arguments], Any]:
    """Import a command's handler."""
    module, _, function = command.handler.partition(":")
    handler: Callable[[Server, Arguments], Any] = getattr(import_module(f"{PACKAGE}.{module}"), function)
    return handler
