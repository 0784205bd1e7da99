"""Commands that show another completion, or fix its seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.lsp import items
from aide_lsp.lsp.commands.arguments import Arguments, names_seed
from aide_lsp.lsp.commands.comparing import parameters_for
from aide_lsp.lsp.commands.project import failed, write_values, written_json
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.settings.fields import new_seed

if TYPE_CHECKING:
    from aide_lsp.completion.request import Completion
    from aide_lsp.lsp.server import Server


async def regenerate(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Generate another completion, with the given seed or with new ones until the text is another one."""
    at = arguments.document_position()
    snapshot = ls.requests.snapshot(at.uri, at.place)
    if isinstance(snapshot, NoCompletion):
        ls.requests.declined(at.uri, at.place, snapshot)
        return items.alternative(snapshot, at.position, ls.status.source)
    current = evolve(snapshot.settings.parameters, seed=new_seed())
    parameters = parameters_for(ls, snapshot, arguments, current)
    answer = await ls.alternatives.regenerate(snapshot, parameters, explicit=names_seed(arguments.values))
    return items.alternative(answer, at.position, ls.status.source)


async def candidate(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Show the next or the previous candidate of the seed that is visible."""
    at, step = arguments.document_position(), arguments.values.get("step")
    if step not in (1, -1) or isinstance(step, bool):
        raise JsonRpcInvalidParams("step must be 1 for the next candidate, or -1 for the previous one.")
    answer: Any = ls.requests.snapshot(at.uri, at.place)
    if isinstance(answer, NoCompletion):
        ls.requests.declined(at.uri, at.place, answer)
    else:
        answer = await ls.alternatives.candidate(answer, int(step))
    return items.alternative(answer, at.position, ls.status.source, numbered=True)


def previous_seed(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Return to the completion that was shown before the last one here."""
    at = arguments.document_position()
    snapshot = ls.requests.snapshot(at.uri, at.place)
    answer = snapshot if isinstance(snapshot, NoCompletion) else ls.alternatives.previous(snapshot)
    return items.alternative(answer, at.position, ls.status.source)


async def pin_seed(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Write the seed of the most recent completion, in the document or at a position, to the project file."""
    uri = arguments.uri()
    await ls.requests.whole(uri)
    shown = _shown(ls, uri, arguments)
    if shown is None:
        raise failed("There is no seed to pin: no completion has been shown here yet.")
    ls.requests.shown.hold(uri)
    written = write_values(ls, uri, {"seed": shown.seed}, arguments.create)
    message = f"The seed {shown.seed} is pinned for this project."
    if written.overridden:
        seed = written.overridden["seed"]
        still = "A new random seed for each request" if seed is None else f"The seed {seed}"
        message = f"{still} stays in effect here: a more specific rule or your editor's settings override it."
    return {"seed": shown.seed, **written_json(written, message)}


def unpin_seed(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Remove the seed from the project file."""
    ls.requests.shown.hold(arguments.uri())
    written = write_values(ls, arguments.uri(), {"seed": None})
    message = "No seed was pinned." if written.path is None else "The seed is no longer pinned."
    if written.overridden:
        message += f" The seed {written.overridden['seed']} is in effect here: it is also set elsewhere."
    return written_json(written, message)


def _shown(ls: Server, uri: str, arguments: Arguments) -> Completion | None:
    if arguments.values.get("position") is None:
        return ls.requests.shown.history.last(uri)
    snapshot = ls.requests.snapshot(uri, arguments.document_position().place)
    if isinstance(snapshot, NoCompletion):
        return None
    return ls.requests.shown.visible(snapshot)
