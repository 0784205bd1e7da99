"""Commands about the server's state: status, settings, accepted, pause, resume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aide_lsp.application.effective import came_to
from aide_lsp.lsp.workspace.uris import location_of
from aide_lsp.settings.fields import KEYS, camel, label
from aide_lsp.settings.report import report_json, report_text

if TYPE_CHECKING:
    from aide_lsp.lsp.commands.arguments import Arguments
    from aide_lsp.lsp.server import Server


def status(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Report the complete state. With `uri`, the parameters are those in effect for that document."""
    report = ls.status.report(arguments.optional_uri(), [document.uri for document in ls.documents])
    return {**report, "client": ls.profile.name, "positionEncoding": ls.documents.encoding}


def settings(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Report the settings in effect for a document, as JSON, as text, and as a page.

    With `parameters`, as for a request with these parameters.
    """
    from aide_lsp.application.settings_page import settings_page

    request, uri = arguments.values.get("parameters"), arguments.optional_uri()
    resolved = ls.configuration.resolve(uri, request if isinstance(request, Mapping) else None)
    report = report_json(resolved, ls.configuration.limits, camel)
    path = location_of(uri).path if uri else None
    completer = ls.host.completer
    came = came_to(resolved.settings, completer.info if completer else None)
    language = ls.documents.language_of(uri) if uri else ""
    title = f"Settings for {path.name if path else 'no file'}{f' ({language})' if language else ''}"
    return {
        "uri": arguments.values.get("uri"),
        **report,
        "text": report_text(resolved, title, came),
        "html": settings_page(resolved, str(path) if path else None, _in_use(ls), came),
    }


def _in_use(ls: Server) -> dict[str, str]:
    """What the settings of the model came to."""
    report = ls.status.report()
    found = {
        "Model": report["model"],
        "Device": report["device"] and not report["server"] and report["device"].upper(),
        "Note": report["deviceNote"],
        "Recipe": report["recipe"],
        "Engine": report["shares"],
        **_server_in_use(report["server"]),
    }
    return {name: value for name, value in found.items() if value}


def _server_in_use(server: dict[str, Any] | None) -> dict[str, str]:
    """What the server is, and what it does not do."""
    if server is None:
        return {}
    return {
        "Text is sent to": server["host"],
        "Server": server["engine"],
        "No effect there": ", ".join(map(label, map(KEYS.__getitem__, server["ignored"]))),
        "Seed": "" if server["replays"] else "no promise of the same completion",
        "Problem": server["problem"] or "",
    }


def accepted(ls: Server, arguments: Arguments) -> None:
    """Record that a completion was accepted. Clients send this automatically; it is never rejected."""
    # Cut: a client may send anything, and the status repeats it.
    ls.status.accepted(str(arguments.values.get("id", ""))[:80])


def pause(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Stop what is running, and offer nothing until `resume`."""
    ls.snooze.cancel()
    ls.status.pause(True)
    ls.screen.clear()
    for document in ls.documents:
        ls.requests.supersede(document.uri)
    return {"state": "paused", "message": "Completions are paused."}


def resume(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Offer completions again, also if they were snoozed."""
    ls.snooze.cancel()
    ls.status.pause(False)
    ls.requests.retry()
    return {"state": ls.host.state, "message": ls.host.message or "Completions are on again."}
