"""The ledger as tables for a terminal, and what its completions say together.

In: entries. Out: lines, and figures for each set of parameters. It does not know where entries are kept.
"""

from collections.abc import Sequence
from datetime import datetime
from statistics import median
from typing import Any

import attrs
from attrs import frozen

from aide_lsp.invisible import escaped
from aide_lsp.ledger.entry import Entry
from aide_lsp.settings.fields import PARAMETERS, Parameters, label
from aide_lsp.text_table import text_table

SHORT = 8
"""Digits of an id that are shown: enough to name one of two thousand."""
_NAMES = {key: label(key).upper() for key in PARAMETERS} | {"temperature": "T", "num_context": "CONTEXT"}
_UNSEEDED = tuple(key for key in PARAMETERS if key != "seed")
_HEAD = ("TIME", "ID", "FILE", *(_NAMES[key] for key in PARAMETERS), "TOKENS", "MS", "OUTCOME")
_STATS_HEAD = (
    *(_NAMES[key] for key in _UNSEEDED), "MADE", "SHOWN", "ACCEPTED", "RATE", "FIRST MS", "MS"
)  # fmt: skip


@frozen
class Stats:
    """The completions made with one set of parameters, the seed left aside."""

    parameters: Parameters
    "Without a seed."
    made: int
    "Completions made."
    shown: int
    "Those of them that an editor was given."
    accepted: int
    "Those of them that the user took."
    rate: float | None
    "Accepted of shown; None: none was shown."
    first_token_ms: float
    "Median milliseconds until the first token."
    total_ms: float
    "Median milliseconds for the answer."


def log_lines(entries: Sequence[Entry]) -> list[str]:
    """Render entries as a table, in the order given."""
    return text_table([_HEAD, *(_row(entry) for entry in entries)])


def stats_of(entries: Sequence[Entry]) -> list[Stats]:
    """Put entries together by their parameters; what was made most comes first."""
    sets: dict[Parameters, list[Entry]] = {}
    for entry in entries:
        sets.setdefault(attrs.evolve(entry.parameters, seed=None), []).append(entry)
    return sorted((_stats(*item) for item in sets.items()), key=lambda stats: -stats.made)


def stats_lines(stats: Sequence[Stats]) -> list[str]:
    """Render figures as a table."""
    return text_table([_STATS_HEAD, *(_stats_row(one) for one in stats)])


def entry_json(entry: Entry) -> dict[str, Any]:
    """Return an entry for programs, without the text it may hold."""
    facts = attrs.asdict(entry, filter=lambda field, _: field.name not in ("text", "completion"))
    return _flat(facts) | {"has_text": entry.text is not None}


def stats_json(stats: Stats) -> dict[str, Any]:
    """Return the figures of one set of parameters for programs."""
    return _flat(attrs.asdict(stats, filter=lambda field, _: field.name != "seed"))


def _flat(facts: dict[str, Any]) -> dict[str, Any]:
    """Put the parameters among the other facts."""
    return {
        name: value
        for key, held in facts.items()
        for name, value in (held.items() if key == "parameters" else [(key, held)])
    }


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        datetime.fromtimestamp(entry.time).strftime("%m-%d %H:%M:%S"),
        entry.id[:SHORT],
        _file(entry),
        *(_short(getattr(entry.parameters, key)) for key in PARAMETERS),
        str(entry.generated_tokens),
        f"{entry.total_ms:.0f}",
        _outcome(entry),
    )


def _short(value: float | int | None) -> str:
    """Write a parameter's value: a seed may have thousands of digits."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 20 else text[:19] + "…"


def _file(entry: Entry) -> str:
    """The file's name where it is kept; else a piece of its hash, the same for the same file."""
    if entry.path is None:
        return f"#{entry.path_hash[:6]}"
    name = entry.path.replace("\\", "/").rpartition("/")[2]
    shown = escaped(name)
    return (shown if len(shown) <= 24 else "…" + shown[-23:]) or "-"


def _outcome(entry: Entry) -> str:
    if entry.accepted is not None:
        return "accepted"
    if entry.empty_reason is not None:
        return f"empty ({entry.empty_reason})"
    return "shown" if entry.shown else "made"


def _stats(parameters: Parameters, entries: list[Entry]) -> Stats:
    shown = [entry for entry in entries if entry.shown or entry.accepted is not None]
    accepted = sum(entry.accepted is not None for entry in shown)
    return Stats(
        parameters,
        made=len(entries),
        shown=len(shown),
        accepted=accepted,
        rate=accepted / len(shown) if shown else None,
        first_token_ms=median(entry.first_token_ms for entry in entries),
        total_ms=median(entry.total_ms for entry in entries),
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
