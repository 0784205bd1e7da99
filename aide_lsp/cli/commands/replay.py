"""`aide replay`: generates a completion of the ledger again; the exit status says whether it is the same."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import (
    PlaceCommand,
    checked_values,
    engine_options,
    json_option,
    lenient_settings,
    place_argument,
    workspace_option,
)
from aide_lsp.cli.places import PlaceError, read_file, read_place
from aide_lsp.cli.progress import load
from aide_lsp.cli.requests import check_workspace, prepare
from aide_lsp.cli.terminal import say

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.errors import ModelError
    from aide_lsp.ledger.differences import OtherFiles
    from aide_lsp.ledger.entry import Entry
    from aide_lsp.ledger.replay import Replay


@click.command(cls=PlaceCommand)
@click.argument("completion_id", metavar="ID")
@place_argument(required=False, metavar="[FILE[:LINE:COL]]")
@workspace_option
@json_option("the outcome")
@engine_options
def replay(
    completion_id: str, place: str | None, workspace: Path | None, as_json: bool, **engine: Any
) -> None:
    """Generate a recorded completion again, and compare.

    Reports "Reproduced", or which input differs. The exit status is 0 if the completion is the same, byte for
    byte, and 1 if not.

    ID is an id from `aide log`, or the start of one. FILE is required if the ledger holds no source text.
    Without LINE and COL, the cursor is where it was. If you accepted the completion and it is still in the
    file, it is left out. What the model read of other files is read from them again.

    A completion that a server generated is only asked of that server again, if your settings or --engine name
    it. Aide says whether that server promises the same completion for the same seed.
    """
    outcome = _replay(completion_id, place, workspace, checked_values(engine))
    if as_json:
        from attrs import asdict

        say(json_text(asdict(outcome)))
    else:
        say("\n".join(outcome.lines()))
    sys.exit(0 if outcome.reproduced else 1)


def _replay(
    completion_id: str, place: str | None, workspace: Path | None, engine: Mapping[str, Any]
) -> "Replay":
    from aide_lsp.application import ledger
    from aide_lsp.errors import ModelError
    from aide_lsp.ledger import replay as replaying
    from aide_lsp.ledger.differences import text_differences

    entry, salt = ledger.find(completion_id)
    text, offset, path = _document(entry, place)
    if place is not None:
        check_workspace(Path(path), workspace)
    problem = replaying.problem(entry, text)
    if problem is not None or text is None:
        return replaying.Replay(entry.id, reproduced=False, note=problem or "")
    text = replaying.restored(entry, text, salt) if place else text
    differing = text_differences(entry, text, offset, salt)
    if differing:
        return replaying.Replay(entry.id, reproduced=False, differences=tuple(differing))
    settings = lenient_settings({**engine, **replaying.settings_values(entry)})
    if (other := replaying.no_server(entry, settings)) is not None:
        return replaying.Replay(entry.id, reproduced=False, differences=(other,))
    try:
        completer = load(settings)
    except ModelError as error:
        return _without_model(entry, error)
    if place is None:
        files = _recorded_files(entry)
    else:
        files = files_now(entry, text, Path(path), workspace, completer)
    return replaying.replay(entry, text, salt, path, completer, files)


def _without_model(entry: "Entry", error: "ModelError") -> "Replay":
    from aide_lsp.ledger.differences import Difference
    from aide_lsp.ledger.replay import Replay

    model = entry.provenance.model
    missing = Difference("model", f"the model: {model} then, which is not available now: {error}")
    return Replay(entry.id, reproduced=False, differences=(missing,))


def _recorded_files(entry: "Entry") -> "OtherFiles":
    """Return what the ledger holds of other files."""
    from aide_lsp.context.excerpt import Selection
    from aide_lsp.context.known_names import KnownNames, NamesOf
    from aide_lsp.ledger.differences import OtherFiles

    kept = entry.full_excerpts or ()
    lines = tuple(one for one in kept if one.first_line)
    names = tuple(NamesOf.from_excerpt(one) for one in kept if not one.first_line)
    known = KnownNames.at(names, (entry.text or "")[: entry.offset])
    return OtherFiles(Selection(lines, files=tuple(dict.fromkeys(one.path for one in lines))), names=known)


def files_now(
    entry: "Entry", text: str, path: Path, workspace: Path | None, completer: "Completer"
) -> "OtherFiles":
    """Return the other files of the project as they are now."""
    from aide_lsp.ledger.differences import OtherFiles
    from aide_lsp.ledger.replay import request_again

    prepared = prepare(request_again(entry, text, str(path)), path, workspace, completer)

    def text_of(name: str) -> str | None:
        try:
            return read_file(prepared.root / name) if prepared.root is not None else None
        except PlaceError:  # it has become unreadable meanwhile
            return None

    return OtherFiles(prepared.selection, text_of, prepared.request.names)


def _document(entry: "Entry", place: str | None) -> "tuple[str | None, int, str]":
    """Return text, cursor and path, from the command line or else from the ledger."""
    if place is None:
        return entry.text, entry.offset, entry.path or ""
    if Path(place).is_file() or (":" not in place and place != "-"):
        return read_file(Path(place)), entry.offset, str(Path(place).absolute())
    text, offset, path = read_place(place, "", sys.stdin)
    return text, entry.offset if place == "-" else offset, str(path.absolute())
