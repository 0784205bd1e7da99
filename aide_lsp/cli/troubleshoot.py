"""`aide troubleshoot`: what to change against a complaint, tried out at a cursor.

In: arguments. Out: text on stdout; with `--apply` the project file. It does not know the rules
(`troubleshooting.py`) nor how a file is edited (`project_file.py`).
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click
from attrs import frozen

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.main import colored, effective_settings, load
from aide_lsp.cli.options import PlaceCommand, given_values, json_option, parameter_options, place_argument
from aide_lsp.cli.terminal import say
from aide_lsp.settings.fields import label
from aide_lsp.settings.troubleshooting import COMPLAINTS, Proposal, propose, within

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest
    from aide_lsp.settings.fields import Parameters, Settings

WORDS = "\b\n" + "\n".join(f"  {name:<13} {complaint.means}" for name, complaint in COMPLAINTS.items())


@click.command(cls=PlaceCommand, epilog=f"Complaints:\n\n{WORDS}")
@click.argument("complaint", type=click.Choice(list(COMPLAINTS)))
@place_argument(required=False, metavar="[FILE:LINE:COL]")
@click.option("--path", "name", default="", help="File name of the text from stdin: tells its language.")
@click.option("--apply", "accepted", is_flag=True, help="Write the proposed values to the project file.")
@json_option("the proposal and both completions")
@parameter_options
def troubleshoot(
    complaint: str, place: str | None, name: str, accepted: bool, as_json: bool, **options: Any
) -> None:
    """Propose other parameters against a complaint, and show what they would write.

    With a place, both completions are shown, made with the same seed. Nothing is written but with --apply;
    the project file keeps its comments and its layout.

    \b
      aide troubleshoot repetitive
      aide troubleshoot off-topic src/app.py:12:9
      aide troubleshoot off-topic src/app.py:12:9 --apply
    """
    from aide_lsp.cli import one_shot

    trials: list[Trial] = []
    if place is None:
        path = Path.cwd() / (name or "x")
        proposal = _without_model(complaint, effective_settings(path, options))
        applied = _apply(proposal, path, given_values(options)) if accepted else None
    else:
        text, offset, path = one_shot.read_place(place, name, sys.stdin)
        settings = effective_settings(path, options)
        completer = load(settings)
        request = one_shot.request_of(settings, text, offset, path)
        proposal = _proposal(complaint, settings, completer, request)
        # Before the completions: what cannot be written is known before anything takes time.
        applied = _apply(proposal, path.absolute(), given_values(options)) if accepted else None
        trials = _trials(proposal, settings, completer, request)
    if as_json:
        say(json_text(_as_json(proposal, trials, applied)))
        return
    for line in (*_lines(proposal), *_trial_lines(trials), *_last_lines(proposal, applied)):
        say(line)


@frozen
class Trial:
    """What one set of parameters wrote."""

    title: str
    """`Now` or `Then`."""
    request: "CompletionRequest"
    """What was asked."""
    completion: "Completion"
    """What was answered."""


@frozen
class Applied:
    """What became of the proposed values."""

    path: Path | None
    """The file that was written; None: it had the values already."""
    notes: tuple[str, ...]
    """Values that are not in effect, and why."""


def _without_model(complaint: str, settings: "Settings") -> Proposal:
    """Propose by what the model's card says, and load nothing."""
    from aide_lsp.loading import known_limits
    from aide_lsp.settings.fields import new_seed

    limits = within(known_limits(settings), settings.max_num_context)
    return propose(complaint, settings.parameters, limits, new_seed())


def _proposal(
    complaint: str, settings: "Settings", completer: "Completer", request: "CompletionRequest"
) -> Proposal:
    """Propose for a text, as far as the loaded model allows."""
    from aide_lsp.cli import one_shot
    from aide_lsp.loading import limits_of
    from aide_lsp.settings.fields import new_seed

    one_shot.check_limits(completer, settings)
    parameters = settings.parameters
    seed = new_seed() if parameters.seed is None else parameters.seed
    limits = within(limits_of(completer), settings.max_num_context)
    return propose(complaint, parameters, limits, seed, completer.reads_all(request))


def _trials(
    proposal: Proposal, settings: "Settings", completer: "Completer", request: "CompletionRequest"
) -> list[Trial]:
    """Complete with the present parameters and with the proposed ones, both with one seed."""
    from aide_lsp.cli import one_shot
    from aide_lsp.settings.fields import new_seed

    seed = next((one.seed for one in (proposal.after, proposal.before) if one.seed is not None), new_seed())
    found = []
    for title, parameters in (("Now", proposal.before), ("Then", proposal.after)):
        asked = attrs.evolve(request, parameters=attrs.evolve(parameters, seed=seed))
        found.append(Trial(title, asked, one_shot.answer(completer, settings, asked)))
    return found


def _trial_lines(trials: Sequence[Trial]) -> Iterator[str]:
    """Show both completions in their places."""
    from aide_lsp.cli import terminal

    for trial in trials:
        yield f"\n{trial.title}, with seed {trial.completion.seed}:\n"
        yield terminal.marked_source(
            trial.request.text, trial.request.offset, trial.completion.text, colored()
        )
        if trial.completion.empty_reason:
            yield f"  Nothing to show ({trial.completion.empty_reason}): {trial.completion.empty_message}"
    if trials and trials[0].completion.text == trials[1].completion.text:
        yield "\nHere, with this seed, both are the same text."


def _lines(proposal: Proposal) -> Iterator[str]:
    """Say what is proposed and why."""
    yield f"{proposal.complaint}: {COMPLAINTS[proposal.complaint].means}\n"
    for field in attrs.fields(type(proposal.before)):
        old, new = _value(proposal.before, field.name), _value(proposal.after, field.name)
        yield f"  {label(field.name):<12} {old:<8} {f'-> {new}' if old != new else ''}".rstrip()
    yield ""
    yield from proposal.reasons
    for bound in proposal.bounds:
        yield f"At its bound: {bound}"
    if not proposal.changes:
        yield "No parameter is left to change."


def _apply(proposal: Proposal, path: Path, given: Mapping[str, Any]) -> Applied:
    """Write the proposed values to the project file."""
    from aide_lsp.settings.edit import write_values

    if not proposal.changes:
        return Applied(None, ())
    written = write_values(path, None, proposal.values)
    effective, notes = effective_settings(path, {}, strict=False).parameters, []
    for key, value in proposal.values.items():
        if getattr(effective, key) != value:
            notes.append(
                f"{label(key)} is still {_value(effective, key)}: `aide settings` shows what overrides it."
            )
        if key in given:
            notes.append(f"Leave out --{key.replace('_', '-')}: the command line overrides the project file.")
    return Applied(written, tuple(notes))


def _last_lines(proposal: Proposal, applied: Applied | None) -> Iterator[str]:
    """Say what was written, or how to."""
    if not proposal.changes:
        return
    if applied is None:
        yield "\nWrite these values to the project file: the same command with --apply."
        return
    values = ", ".join(f"{key} = {value}" for key, value in proposal.values.items())
    written = applied.path
    yield f"\nWritten to {written}: {values}" if written else "\nThe project file has these values already."
    yield from applied.notes


def _as_json(proposal: Proposal, trials: Sequence[Trial], applied: Applied | None) -> dict[str, Any]:
    """Return all of it for programs."""
    return {
        "complaint": proposal.complaint,
        "changes": proposal.values,
        "reasons": proposal.reasons,
        "bounds": list(proposal.bounds),
        **{
            name: {"parameters": attrs.asdict(trial.request.parameters), "text": trial.completion.text}
            for name, trial in zip(("before", "after"), trials, strict=False)
        },
        "written": str(applied.path) if applied and applied.path else None,
        "notes": list(applied.notes) if applied else [],
    }


def _value(parameters: "Parameters", key: str) -> str:
    value = getattr(parameters, key)
    return "(none)" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
