"""`aide troubleshoot`: what to change against a complaint, tried out at a cursor.

In: arguments. Out: text on stdout; with `--apply` the project file. It does not know the rules
(`troubleshooting.py`) nor how a file is edited (`project_file.py`).
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from aide_lsp.cli import effective_settings, load, parameter_options
from aide_lsp.troubleshooting import COMPLAINTS, Proposal, label, propose, within

if TYPE_CHECKING:
    from aide_lsp.settings import Parameters, Settings

WORDS = "\b\n" + "\n".join(f"  {name:<13} {complaint.means}" for name, complaint in COMPLAINTS.items())


@click.command(epilog=f"Complaints:\n\n{WORDS}")
@click.argument("complaint", type=click.Choice(list(COMPLAINTS)))
@click.argument("place", metavar="[FILE:LINE:COL]", required=False)
@click.option("--path", "name", default="", help="File name of the text from stdin: tells its language.")
@click.option("--apply", "accepted", is_flag=True, help="Write the proposed values to the project file.")
@parameter_options
def troubleshoot(complaint: str, place: str | None, name: str, accepted: bool, **options: Any) -> None:
    """Propose other parameters against a complaint, and show what they would write.

    With a place, both completions are shown, made with the same seed. Nothing is written but with --apply;
    the project file keeps its comments and its layout.

    \b
      aide troubleshoot repetitive
      aide troubleshoot off-topic src/app.py:12:9
      aide troubleshoot off-topic src/app.py:12:9 --apply
    """
    from aide_lsp import one_shot

    if place is None:
        settings = effective_settings(Path(name or "x").absolute(), options)
        proposal = _without_model(complaint, settings)
        path = Path.cwd() / (name or "x")
    else:
        text, offset, path = one_shot.read_place(place, name, sys.stdin)
        settings = effective_settings(path, options)
        proposal = _at_place(complaint, settings, text, offset, path)
    for line in _last_lines(proposal, path.absolute(), accepted, options):
        click.echo(line)


def _without_model(complaint: str, settings: "Settings") -> Proposal:
    """Propose by what the model's card says, and load nothing."""
    from aide_lsp.settings import ModelLimits, new_seed
    from aide_lsp.startup import card_of

    limits = ModelLimits(sys.maxsize, card_of(settings).context_length)
    limits = within(limits, settings.max_num_context)
    proposal = propose(complaint, settings.parameters, limits, new_seed())
    for line in _lines(proposal):
        click.echo(line)
    return proposal


def _at_place(complaint: str, settings: "Settings", text: str, offset: int, path: Path) -> Proposal:
    """Propose, and complete with the present parameters and with the proposed ones, both with one seed."""
    from aide_lsp import one_shot, terminal
    from aide_lsp.settings import new_seed
    from aide_lsp.startup import limits_of

    completer = load(settings)
    seed = new_seed() if settings.parameters.seed is None else settings.parameters.seed
    limits = within(limits_of(completer), settings.max_num_context)
    proposal = propose(complaint, settings.parameters, limits, seed)
    for line in _lines(proposal):
        click.echo(line)
    shown = []
    for title, parameters in (("Now", proposal.before), ("Then", proposal.after)):
        tried = attrs.evolve(settings, parameters=attrs.evolve(parameters, seed=seed))
        completion = one_shot.complete(completer, tried, text, offset, path)
        shown.append(completion)
        click.echo(f"\n{title}, with seed {seed}:\n")
        click.echo(terminal.marked_source(text, offset, completion.text, sys.stdout.isatty()))
        if completion.empty_reason:
            click.echo(f"  Nothing to show ({completion.empty_reason}): {completion.empty_message}")
    if shown[0].text == shown[1].text:
        click.echo("\nHere, with this seed, both are the same text.")
    if _reads_no_more(proposal, *(completion.prompt_tokens for completion in shown)):
        click.echo("Both read the whole text: more Num Context changes nothing in this file.")
    return proposal


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


def _last_lines(proposal: Proposal, path: Path, accepted: bool, options: dict[str, Any]) -> Iterator[str]:
    """Write the values if they are accepted; say what happened."""
    from aide_lsp.project_file import write_values

    if not proposal.changes:
        return
    if not accepted:
        yield "\nWrite these values to the project file: the same command with --apply."
        return
    written = write_values(path, _project_folder(path), proposal.values)
    values = ", ".join(f"{key} = {value}" for key, value in proposal.values.items())
    yield f"\nWritten to {written}: {values}" if written else "\nThe project file has these values already."
    effective = effective_settings(path, {}, strict=False).parameters
    for key, value in proposal.values.items():
        if getattr(effective, key) != value:
            yield f"{label(key)} is still {_value(effective, key)}: `aide settings` shows what goes over it."
        if options.get(key) is not None:
            yield f"Leave out --{key.replace('_', '-')}: the command line goes over the project file."


def _project_folder(path: Path) -> Path:
    """Where a project file may be made: the repository's root, or beside the one there is, or the text."""
    from aide_lsp.settings_files import PROJECT_FILE, project_folders

    folders = list(project_folders(path, None))
    if (folders[-1] / ".git").exists():
        return folders[-1]
    return next((folder for folder in folders if (folder / PROJECT_FILE).is_file()), path.parent)


def _reads_no_more(proposal: Proposal, before: int, after: int) -> bool:
    return proposal.after.num_context > proposal.before.num_context and before == after


def _value(parameters: "Parameters", key: str) -> str:
    value = getattr(parameters, key)
    return "(none)" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
