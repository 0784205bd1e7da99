"""`aide troubleshoot`: which parameters to change for a complaint, and what the change does at a place."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from attrs import frozen

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import (
    PlaceCommand,
    effective_settings,
    given_values,
    json_option,
    lenient_settings,
    parameter_options,
    path_option,
    place_argument,
    workspace_option,
)
from aide_lsp.cli.requests import load_request
from aide_lsp.cli.terminal import colored, marked_source, say
from aide_lsp.errors import SettingsError
from aide_lsp.settings.fields import PARAMETERS, label
from aide_lsp.settings.troubleshooting import COMPLAINTS, Proposal

if TYPE_CHECKING:
    from aide_lsp.application.troubleshooting import Trial
    from aide_lsp.completion.request import Completion, CompletionRequest

LIST = "\b\n" + "\n".join(f"  {name:<13} {complaint.means}" for name, complaint in COMPLAINTS.items())


@frozen
class Comparison:
    """Both completions, and what they were generated from."""

    request: "CompletionRequest"
    trial: "Trial"
    before: "Completion"
    after: "Completion"


@frozen
class Applied:
    """The outcome of writing the proposed values."""

    path: Path | None
    "The file that was written; None: it had the values already."
    notes: tuple[str, ...]
    "About values that are not in effect."


@click.command(cls=PlaceCommand, epilog=f"Complaints:\n\n{LIST}")
@click.argument("complaint", metavar="COMPLAINT", type=click.Choice(list(COMPLAINTS)))
@place_argument(required=False, metavar="[FILE:LINE:COL]")
@path_option
@workspace_option
@click.option("--apply", "accepted", is_flag=True, help="Write the proposed values to the project file.")
@click.option(
    "--create",
    is_flag=True,
    help="With --apply: if the file belongs to no project, create one in its folder.",
)
@json_option("the proposal and both completions")
@parameter_options
def troubleshoot(
    complaint: str,
    place: str | None,
    name: str,
    workspace: Path | None,
    accepted: bool,
    create: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Propose parameters that address a complaint.

    With a place, also completes there with the current and the proposed parameters, with the same seed.
    Nothing is written without --apply, which keeps the comments and the layout of the project file.

    \b
      aide troubleshoot repetitive
      aide troubleshoot off-topic src/app.py:12:9
      aide troubleshoot off-topic src/app.py:12:9 --apply
    """
    from aide_lsp.application.requests import check_limits
    from aide_lsp.application.troubleshooting import propose_unloaded, trial_of
    from aide_lsp.inference.cancel import CancelToken

    comparison: Comparison | None = None
    if place is None:
        path = Path.cwd() / (name or "x")
        proposal = propose_unloaded(complaint, effective_settings(path, options))
        applied = _apply(proposal, path, given_values(options), create) if accepted else None
    else:
        loaded = load_request(place, name, options, workspace)
        request, completer, path = loaded.request, loaded.completer, loaded.path
        check_limits(completer, loaded.settings)
        trial = trial_of(complaint, loaded.settings, completer, request)
        proposal = trial.proposal
        # Before the completions: what cannot be written is known before anything takes time.
        applied = _apply(proposal, path.absolute(), given_values(options), create) if accepted else None
        comparison = Comparison(request, trial, *trial.complete(completer, request, CancelToken()))
    if as_json:
        say(json_text(_as_json(proposal, comparison, applied)))
        return
    for line in (*_proposal_lines(proposal), *_completion_lines(comparison), *_last_lines(proposal, applied)):
        say(line)


def _apply(proposal: Proposal, path: Path, given: Mapping[str, Any], create: bool) -> Applied:
    """Write the proposed values to the project file."""
    from aide_lsp.application.choices import write_to_project
    from aide_lsp.settings.edit import NoProjectError

    if not proposal.changes:
        return Applied(None, ())
    try:
        written = write_to_project(path, None, proposal.values, lambda: lenient_settings(path=path), create)
    except NoProjectError as error:
        hint = "Add --create to create it, or set the values in your own settings.toml (see aide doctor)."
        raise SettingsError(f"{error} {hint}") from error
    notes = []
    for key in proposal.values:
        if key in written.overridden:
            value = _value(written.overridden[key])
            notes.append(f"{label(key)} is still {value}: `aide settings` shows what overrides it.")
        if key in given:
            notes.append(f"Omit --{key.replace('_', '-')}: the command line overrides the project file.")
    return Applied(written.path, tuple(notes))


def _proposal_lines(proposal: Proposal) -> Iterator[str]:
    yield f"{proposal.complaint}: {COMPLAINTS[proposal.complaint].means}\n"
    for key in PARAMETERS:
        old, new = (_value(getattr(one, key)) for one in (proposal.before, proposal.after))
        yield f"  {label(key):<12} {old:<8} {f'-> {new}' if old != new else ''}".rstrip()
    yield ""
    yield from proposal.reasons
    yield from proposal.bounds
    if not proposal.changes:
        yield "There is no parameter left to change."


def _completion_lines(comparison: Comparison | None) -> Iterator[str]:
    """Show both completions in their place."""
    if comparison is None:
        return
    for title, completion in (("Before", comparison.before), ("After", comparison.after)):
        yield f"\n{title}, with seed {completion.seed}:\n"
        text, offset = comparison.request.text, comparison.request.offset
        yield marked_source(text, offset, completion.text, colored(), replaces=completion.replaces)
        if completion.empty_reason:
            yield f"  No completion ({completion.empty_reason}): {completion.empty_message}"
    if comparison.before.text and comparison.before.text == comparison.after.text:
        yield "\nHere, with this seed, both completions are the same."


def _last_lines(proposal: Proposal, applied: Applied | None) -> Iterator[str]:
    """Say what was written, or how to write it."""
    if not proposal.changes:
        return
    if applied is None:
        yield "\nTo write these values to the project file, run the same command with --apply."
        return
    values = ", ".join(f"{key} = {value}" for key, value in proposal.values.items())
    written = applied.path
    yield f"\nWritten to {written}: {values}" if written else "\nThe project file has these values already."
    yield from applied.notes


def _as_json(proposal: Proposal, comparison: Comparison | None, applied: Applied | None) -> dict[str, Any]:
    completions: dict[str, Any] = {}
    if comparison is not None:
        found = zip(comparison.trial.parameters, (comparison.before, comparison.after), strict=True)
        before, after = (
            {"parameters": attrs.asdict(parameters), "text": completion.text}
            for parameters, completion in found
        )
        completions = {"before": before, "after": after}
    return {
        "complaint": proposal.complaint,
        "changes": proposal.values,
        "reasons": proposal.reasons,
        "bounds": list(proposal.bounds),
        **completions,
        "written": str(applied.path) if applied and applied.path else None,
        "notes": list(applied.notes) if applied else [],
    }


def _value(value: float | None) -> str:
    return "(none)" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
