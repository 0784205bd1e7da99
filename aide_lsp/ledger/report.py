"""Tables of the ledger's completions for a terminal, and statistics for each set of parameters."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any

import attrs
from attrs import frozen

from aide_lsp.invisible import escaped
from aide_lsp.ledger.columns import COLUMNS, COMPRESSED
from aide_lsp.ledger.entry import Entry
from aide_lsp.settings.fields import PARAMETERS, Parameters, label
from aide_lsp.text_table import text_table

SHORT = 8
"""Digits of an id to show: enough to identify one of 2,000."""
LONGEST_NAME, LONGEST_NAMES = 24, 60
_NAMES = {key: label(key).upper() for key in PARAMETERS} | {"temperature": "T", "num_context": "CONTEXT"}
_UNSEEDED = tuple(key for key in PARAMETERS if key != "seed")
_HEAD = ("TIME", "ID", "FILE", *(_NAMES[key] for key in PARAMETERS), "TOKENS", "MS", "OUTCOME", "OTHER FILES")
_STATS_HEAD = (
    *(_NAMES[key] for key in _UNSEEDED), "GENERATED", "SHOWN", "ACCEPTED", "RATE", "FIRST MS", "MS"
)  # fmt: skip


@frozen
class Stats:
    """Statistics of the completions generated with one set of parameters, whatever their seed."""

    parameters: Parameters
    "The parameters, without a seed."
    made: int
    "Completions generated."
    shown: int
    "Completions sent to an editor."
    accepted: int
    "Completions that the user accepted."
    rate: float | None
    "Share of the shown completions that were accepted; None: none was shown."
    first_token_ms: float
    "Median milliseconds until the first token."
    total_ms: float
    "Median milliseconds for the complete answer."


def log_lines(entries: Sequence[Entry]) -> list[str]:
    """Render entries as a table, in the given order; with their servers, if a server ran any of them."""
    rows = [_HEAD, *(_row(entry) for entry in entries)]
    if any(entry.provenance.host for entry in entries):
        servers = ["SERVER", *(_host(entry) for entry in entries)]
        rows = [(*row, server) for row, server in zip(rows, servers, strict=True)]
    return text_table(rows)


def stats_of(entries: Sequence[Entry]) -> list[Stats]:
    """Group entries by their parameters, the largest group first."""
    sets: dict[Parameters, list[Entry]] = {}
    for entry in entries:
        # Most seeds are drawn: with them, each completion would be a set of its own.
        sets.setdefault(attrs.evolve(entry.parameters, seed=None), []).append(entry)
    return sorted((_stats(*item) for item in sets.items()), key=lambda stats: -stats.made)


def stats_lines(stats: Sequence[Stats]) -> list[str]:
    """Render statistics as a table."""
    return text_table([_STATS_HEAD, *(_stats_row(one) for one in stats)])


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON, without any source text."""
    facts = {column.name: column.value(entry) for column in COLUMNS if column.name not in COMPRESSED}
    excerpts = [attrs.asdict(excerpt) for excerpt in entry.excerpts]
    return facts | {"excerpts": excerpts, "has_text": entry.text is not None}


def stats_json(stats: Stats) -> dict[str, Any]:
    """Return statistics as JSON."""
    facts = attrs.asdict(stats, filter=lambda field, _: field.name != "seed")
    parameters: dict[str, Any] = facts.pop("parameters")
    return parameters | facts


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        datetime.fromtimestamp(entry.time).strftime("%m-%d %H:%M:%S"),
        entry.id[:SHORT],
        _file(entry),
        *(_short(getattr(entry.parameters, key)) for key in PARAMETERS),
        str(entry.figures.generated_tokens),
        f"{entry.figures.total_ms:.0f}",
        _outcome(entry),
        _other_files(entry),
    )


def _short(value: float | int | None) -> str:
    """Format a parameter's value; a seed may have thousands of digits."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 20 else text[:19] + "…"


def _file(entry: Entry) -> str:
    """Return the file's name if it is recorded, else the beginning of its hash."""
    if entry.path is None:
        return f"#{entry.path_hash[:6]}"
    return _name(entry.path) or "-"


def _other_files(entry: Entry) -> str:
    """Say on how many other files it depends, and their names where they are recorded."""
    count = len({excerpt.path_hash for excerpt in entry.excerpts} - {""})
    paths = dict.fromkeys(excerpt.path for excerpt in entry.full_excerpts or () if excerpt.path)
    names = ", ".join(map(_name, paths))
    shown = names if len(names) <= LONGEST_NAMES else names[: LONGEST_NAMES - 1] + "…"
    return f"{count}: {shown}" if shown else str(count or "-")


def _host(entry: Entry) -> str:
    """Name the server that ran the model."""
    return escaped(entry.provenance.host)[:LONGEST_NAMES] or "-"


def _name(path: str) -> str:
    shown = escaped(path.replace("\\", "/").rpartition("/")[2])
    return shown if len(shown) <= LONGEST_NAME else "…" + shown[1 - LONGEST_NAME :]


def _outcome(entry: Entry) -> str:
    if entry.figures.empty_reason is not None:
        return f"empty ({entry.figures.empty_reason})"
    outcome = "shown" if entry.shown else "generated"
    outcome = outcome if entry.accepted is None else "accepted"
    return f"{outcome} (last resort)" if entry.figures.note else outcome


def _stats(parameters: Parameters, entries: list[Entry]) -> Stats:
    # An accepted completion was shown, even if that event was dropped.
    shown = [entry for entry in entries if entry.shown or entry.accepted is not None]
    accepted = sum(entry.accepted is not None for entry in shown)
    return Stats(
        parameters,
        made=len(entries),
        shown=len(shown),
        accepted=accepted,
        rate=accepted / len(shown) if shown else None,
        first_token_ms=median(entry.figures.first_token_ms for entry in entries),
        total_ms=median(entry.figures.total_ms for entry in entries),
    )


def _stats_row(stats: Stats) -> tuple[str, ...]:
    return (
        *(_short(getattr(stats.parameters, key)) for key in _UNSEEDED),
        str(stats.made),
        str(stats.shown),
        str(stats.accepted),
        "-" if stats.rate is None else f"{stats.rate:.0%}",
        f"{stats.first_token_ms:.0f}",
        f"{stats.total_ms:.0f}",
    )
