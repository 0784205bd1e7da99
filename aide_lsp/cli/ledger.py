"""The commands `aide log` and `aide replay`: what was completed with what, and the same again.

In: arguments. Out: text on stdout, an exit status: `replay` gives 0 for reproduced, 1 for not. It does not
know how the ledger is kept (`ledger.file`) or a completion made again (`ledger.replay`).
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import PlaceCommand, json_option, place_argument
from aide_lsp.cli.terminal import say

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest
    from aide_lsp.ledger.entry import Entry
    from aide_lsp.ledger.replay import Replay

FLUSH_SECONDS = 6.0
EMPTY = 'The ledger is empty: nothing was completed yet, or it is off (setting ledger = "off").'


@click.command("log")
@click.option(
    "-n", "count", default=20, show_default=True, type=click.IntRange(1, 1_000_000), help="How many, at most."
)
@click.option("--stats", is_flag=True, help="Acceptance and median times for each set of parameters.")
@json_option("all that is known, without any text,")
@click.option("--clear", is_flag=True, help="Forget all completions.")
def log(count: int, stats: bool, as_json: bool, clear: bool) -> None:
    """Show the last completions: when, for which file, with which parameters and seed, accepted or not.

    The ledger lies on this machine only. It holds hashes and figures, and source text only where you set
    `ledger = "text"`. Without that, files are shown as a piece of a hash.
    """
    from aide_lsp.ledger import report

    path = ledger_path()
    if clear:
        count = _clear(path)
        told = f"The ledger is empty now; {count} completion{'' if count == 1 else 's'} forgotten."
        say(json_text({"forgotten": count}) if as_json else told)
        return
    entries = newest(path, None if stats else count)
    if as_json:
        facts = map(report.stats_json, report.stats_of(entries)) if stats else map(report.entry_json, entries)
        say(json_text(list(facts)))
    elif not entries:
        say(EMPTY, err=True)
    else:
        lines = report.stats_lines(report.stats_of(entries)) if stats else report.log_lines(entries)
        say("\n".join(lines))


@click.command("replay", cls=PlaceCommand)
@click.argument("completion_id", metavar="ID")
@place_argument(required=False, metavar="[FILE[:LINE:COL]]")
@json_option("the outcome")
def replay(completion_id: str, place: str | None, as_json: bool) -> None:
    """Make a completion of the ledger again, and say "reproduced" or which input differs.

    ID is that of `aide log`, or its beginning. FILE is needed where the ledger holds no source text; the
    cursor is where it was, if no LINE and COL are given. Where the completion was accepted and stands in
    the file, it is left out. The exit status is 0 if the same came out, byte for byte, else 1.
    """
    outcome = _replay(completion_id, place)
    if as_json:
        from attrs import asdict

        say(json_text(asdict(outcome)))
    else:
        say("\n".join(outcome.lines()))
    sys.exit(0 if outcome.reproduced else 1)


def keep(
    mode: str, request: "CompletionRequest", completions: "Sequence[Completion]", completer: "Completer"
) -> None:
    """Put completions of the command line into the ledger; an error there is reported and does no harm."""
    from attrs import evolve

    from aide_lsp.ledger.recorder import LedgerRecorder

    recorder = LedgerRecorder(ledger_path)
    for completion in completions:
        recorder.record(mode, evolve(request, candidate=completion.candidate), completion, completer)
    recorder.flush(FLUSH_SECONDS)
    if recorder.problem:
        say(recorder.problem, err=True)


def ledger_path() -> Path:
    """Where the ledger lies."""
    from aide_lsp.loading import ledger_file

    return ledger_file()


def newest(path: Path, count: int | None) -> "list[Entry]":
    """Read the last entries, newest first; no file is made by looking."""
    if not path.exists():
        return []
    from aide_lsp.ledger.file import ROWS, opened

    with opened(path) as ledger:
        return ledger.newest(count or ROWS)


def _clear(path: Path) -> int:
    """Forget all completions; return how many there were."""
    if not path.exists():
        return 0
    from aide_lsp.ledger.file import forget

    return forget(path)


def _replay(completion_id: str, place: str | None) -> "Replay":
    from aide_lsp.ledger import replay as replaying

    entry, salt = _entry(completion_id)
    text, offset, path = _question(entry, place)
    problem = replaying.problem(entry, text)
    if problem is not None or text is None:
        return replaying.Replay(entry.id, reproduced=False, note=problem or "")
    whole = replaying.restored(entry, text, salt) if place else text
    differing = replaying.text_differences(entry, whole, offset, salt)
    if differing:
        return replaying.Replay(entry.id, reproduced=False, differences=tuple(differing))
    return _ask_again(entry, whole, salt, path)


def _ask_again(entry: "Entry", text: str, salt: bytes, path: str) -> "Replay":
    from aide_lsp.cli.main import effective_settings, load
    from aide_lsp.errors import ModelError
    from aide_lsp.ledger import replay as replaying
    from aide_lsp.loading import limits_of

    try:
        completer = load(effective_settings(None, replaying.settings_values(entry), strict=False))
    except ModelError as error:
        missing = replaying.Difference(
            "model", f"the model: {entry.model} then, which cannot be had: {error}"
        )
        return replaying.Replay(entry.id, reproduced=False, differences=(missing,))
    return replaying.replay(entry, text, salt, path, completer, limits_of(completer))


def _entry(completion_id: str) -> "tuple[Entry, bytes]":
    from aide_lsp.errors import LedgerError
    from aide_lsp.ledger.file import opened

    path = ledger_path()
    if not path.exists():
        raise LedgerError(EMPTY)
    with opened(path) as ledger:
        return ledger.find(completion_id), ledger.salt


def _question(entry: "Entry", place: str | None) -> "tuple[str | None, int, str]":
    """The text, the cursor in it and its path: from the command line, else from the ledger."""
    if place is None:
        return entry.text, entry.offset, entry.path or ""
    from aide_lsp.cli.one_shot import read_file, read_place

    if Path(place).is_file():
        return read_file(Path(place)), entry.offset, place
    text, offset, path = read_place(place, "", sys.stdin)
    return text, entry.offset if place == "-" else offset, str(path)
