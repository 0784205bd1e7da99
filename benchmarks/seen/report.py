"""The tables of what was seen."""

from collections.abc import Sequence
from math import inf

from attrs import define, field

from benchmarks.markdown import markdown_table
from benchmarks.seen.run import Taken
from benchmarks.seen.timeline import Typed, figures, first_ghost
from benchmarks.typing.figures import quantile


@define
class Seen:
    """All that was typed in one editor."""

    name: str
    typing: dict[str, list[Taken]] = field(factory=dict)
    "In the rhythm of a person, by language."
    slow: dict[str, list[Taken]] = field(factory=dict)
    "At one key a second."
    opened: dict[str, list[Taken]] = field(factory=dict)
    "The first keys in a file just opened."
    started: list[float | None] = field(factory=list)
    "Seconds from the start of the editor to the first ghost text."


def tables(seen: Sequence[Seen]) -> str:
    """Return the tables as Markdown."""
    languages = list(dict.fromkeys(language for one in seen for language in one.typing))
    parts = []
    if languages:
        parts += ["Ghost text on the screen when the next key came:", "", _visible(seen, languages), ""]
    if opened := list(dict.fromkeys(language for one in seen for language in one.opened)):
        parts += ["From the first key in a file just opened to ghost text:", "", _first(seen, opened), ""]
    parts += ["In all languages:", "", _all(seen), ""]
    notes = [f"{one.name}: typed astray in {', '.join(names)}" for one in seen if (names := _astray(one))]
    return "\n".join([*parts, *notes])


def loads(seen: Sequence[Seen]) -> list[float]:
    """Return the shares of the machine that other programs used."""
    return [
        taken.others
        for one in seen
        for kind in (one.typing, one.slow, one.opened)
        for all_taken in kind.values()
        for taken in all_taken
    ]


def _visible(seen: Sequence[Seen], languages: Sequence[str]) -> str:
    rows = []
    for one in seen:
        cells = []
        for language in languages:
            found = figures(_passages(one.typing.get(language, ())))
            cells.append(f"{found.visible_share:.0%} of {found.keys}" if found.keys else "-")
        rows.append([one.name, *cells])
    return markdown_table(["", *languages], rows)


def _first(seen: Sequence[Seen], languages: Sequence[str]) -> str:
    rows = [
        [
            one.name,
            *(
                ", ".join(map(_seconds, map(first_ghost, _passages(one.opened.get(language, ()))))) or "-"
                for language in languages
            ),
        ]
        for one in seen
    ]
    return markdown_table(["", *languages], rows)


def _all(seen: Sequence[Seen]) -> str:
    titles = [
        "",
        "visible",
        "new ghost text, p50 / p95",
        "at one key a second, p50 / p95",
        "visible then",
        "vanished and back, shrunk and back, of 100 keys",
        "just opened, median",
        "start to first",
    ]
    return markdown_table(titles, [[one.name, *_cells(one)] for one in seen])


def _cells(one: Seen) -> list[str]:
    typed = figures(_everything(one.typing))
    slow = figures(_everything(one.slow))
    hundred = max(1, typed.keys) / 100
    return [
        f"{typed.visible_share:.0%}" if typed.keys else "-",
        f"{_ms(typed.new_ms(0.5))} / {_ms(typed.new_ms(0.95))}",
        f"{_ms(slow.new_ms(0.5))} / {_ms(slow.new_ms(0.95))}",
        f"{slow.visible_share:.0%}" if slow.keys else "-",
        f"{typed.vanished / hundred:.1f}, {typed.shrunk / hundred:.1f}" if typed.keys else "-",
        _median(list(map(first_ghost, _everything(one.opened)))),
        ", ".join(map(_seconds, one.started)) or "-",
    ]


def _median(found: Sequence[float | None]) -> str:
    if not found:
        return "-"
    value = quantile(sorted(inf if one is None else one for one in found), 0.5)
    return _seconds(None if value == inf else value)


def _everything(kind: dict[str, list[Taken]]) -> list[Typed]:
    return [typed for taken in kind.values() for typed in _passages(taken)]


def _passages(taken: Sequence[Taken]) -> list[Typed]:
    return [typed for one in taken for typed in one.passages]


def _astray(one: Seen) -> list[str]:
    kinds = [taken for kind in (one.typing, one.slow, one.opened) for taken in kind.values()]
    return [name for all_taken in kinds for taken in all_taken for name in taken.astray]


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f} ms"


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f} s"
