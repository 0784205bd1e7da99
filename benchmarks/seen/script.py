"""What is pressed in a real editor: passages of code, typed as in the typing benchmark, key by key.

The editor closes brackets and quotes, and indents. So a closing bracket that is on the right of the cursor is
typed over; one that the editor put on a line below is reached with the arrow keys; and after Enter the driver
corrects the indentation. Only passages for which this suffices are typed, and which a person would type: the
file is complete without them, too. Nobody writes the line that opens a block above the block.
"""

from collections.abc import Callable, Iterator, Sequence
from random import Random

from attrs import evolve, frozen

from aide_lsp.syntax.languages import language_of
from benchmarks.real_code.source import errors, parse
from benchmarks.typing.keys import delay, strokes
from benchmarks.typing.sources import Source, Suits, cuts, indent_unit, is_code
from benchmarks.typing.trace import LOOKS

PAIRS = {"(": ")", "[": "]", "{": "}"}
CLOSING = " \t)]},;"
"""Lines of these alone are code as well."""
PROSE = {"markdown": 0.8, "html": 0.5}
"""Languages whose passages need no code, but this share of letters and blanks in each line."""


@frozen
class Press:
    """One key."""

    wait: float
    "Seconds after the key before."
    key: str
    "A character, `Enter`, `Backspace`, or `Below`: to the end of the line below."
    indent: str = ""
    "After Enter: the indentation of the new line."


@frozen
class Passage:
    """Some lines that are typed at one place."""

    file: int
    line: int
    "At whose end the cursor goes first, from 0."
    presses: tuple[Press, ...]
    text: str
    "What is typed; empty: only its beginning."


@frozen
class Script:
    """What one person does in a minute."""

    language: str
    sources: tuple[Source, ...]
    begins: tuple[str, ...]
    "The files' texts before."
    passages: tuple[Passage, ...]
    "In order."
    looking: tuple[float, ...]
    "Seconds at each file before the cursor goes to the passage."

    @property
    def name(self) -> str:
        """Name for reports."""
        return f"{self.language}: {', '.join(source.name for source in self.sources)}"


def make_script(sources: Sequence[Source], seed: int, *, comes_back: bool = True) -> Script:
    """Make a script: a passage of the first file, one of each other file, and another one of the first.

    The last one only if the person `comes_back`.

    Raises:
        AideError: a file has too few passages.
    """
    chance = Random(f"aide-seen-v1:{seed}:" + ":".join(source.sha256 for source in sources))
    found = [
        (file, start, text)
        for file, source in enumerate(sources)
        for start, text in cuts(
            source,
            1 + (comes_back and file == 0),
            chance,
            suits_of(source.language),
            leaves_complete(source),
        )
    ]
    begins = [source.text for source in sources]
    for file, start, text in sorted(found, key=lambda one: -one[1]):
        begins[file] = begins[file][:start] + begins[file][start + len(text) :]
    texts, passages, missing = list(begins), list[Passage](), list(found)
    again = found[1:2] if comes_back else []
    for hole in (found[0], *found[1 + len(again) :], *again):
        file, start, text = hole
        missing.remove(hole)
        offset = start - sum(len(other[2]) for other in missing if other[0] == file and other[1] < start)
        unit = indent_unit(sources[file].text)
        passages.append(_passage(file, texts[file], offset, text, unit, chance))
        texts[file] = texts[file][:offset] + text + texts[file][offset:]
    assert texts == [source.text for source in sources]
    looking = tuple(chance.uniform(*LOOKS) for _ in passages)
    return Script(sources[0].language, tuple(sources), tuple(begins), tuple(passages), looking)


def slowly(script: Script, seconds: float) -> Script:
    """Return the same keys, each the same time after the one before."""
    return evolve(
        script,
        passages=tuple(
            evolve(one, presses=tuple(evolve(press, wait=seconds) for press in one.presses))
            for one in script.passages
        ),
    )


def just_opened(source: Source, seed: int, keys: int) -> Script:
    """Return the first keys in a file that was just opened."""
    script = make_script([source], seed, comes_back=False)
    first = evolve(script.passages[0], presses=script.passages[0].presses[:keys], text="")
    return evolve(script, passages=(first,), looking=script.looking[:1])


def suits_of(language: str) -> Suits:
    """Return what lines of a language may be typed."""
    share = PROSE.get(language)
    if share is None:
        return lambda lines: is_code([one for one in lines if one.strip(CLOSING)]) and _can_be_pressed(lines)
    return lambda lines: _can_be_pressed(lines) and all(_letters(line) >= share for line in lines)


def leaves_complete(source: Source) -> Callable[[int, int], bool]:
    """Return whether a file is complete without a passage: no more faults, and no block without its head."""
    text, faults = source.text, _faults(source.text, source.language)

    def is_complete(start: int, end: int) -> bool:
        below = next((line for line in text[end:].split("\n") if line.strip()), "")
        if _depth(below) > _depth(text[start:end].rpartition("\n")[2]):
            return False
        return _faults(text[:start] + text[end:], source.language) <= faults

    return is_complete


def opened_by(line: str) -> str | None:
    """Return the closing brackets of those that a line opens; None: it closes one that it did not open."""
    closers, quote = "", ""
    for index, sign in enumerate(line):
        if quote:
            quote = "" if sign == quote and line[index - 1] != "\\" else quote
        elif sign in "\"'`":
            quote = sign
        elif sign in PAIRS:
            closers = PAIRS[sign] + closers
        elif sign in PAIRS.values():
            if not closers.startswith(sign):
                return None
            closers = closers[1:]
    return None if quote else closers


def typable(lines: Sequence[str]) -> bool:
    """Whether the lines can be typed in an editor that closes brackets, as described above."""
    below: list[str] = []
    for line in lines:
        rest = line.strip()
        if below and rest.startswith(below[-1]):
            rest = rest[len(below.pop()) :]
        closers = opened_by(rest)
        if closers is None or (closers and not rest.endswith(tuple(PAIRS))):
            return False
        if closers:
            below.append(closers)
    return not below


def _can_be_pressed(lines: Sequence[str]) -> bool:
    return typable(lines) and all(line.isascii() for line in lines)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _faults(text: str, language: str) -> int:
    if not language_of(language).grammar:
        return 0
    tree = parse(text, language)
    # In HTML, a tag that closes nothing is no error.
    return errors(tree) + str(tree.root_node).count("erroneous")


def _letters(line: str) -> float:
    return sum(sign.isalpha() or sign == " " for sign in line.strip()) / max(1, len(line.strip()))


def _passage(file: int, before: str, offset: int, text: str, unit: str, chance: Random) -> Passage:
    assert before.startswith("\n", offset)
    return Passage(file, before.count("\n", 0, offset), tuple(_presses(text, unit, chance)), text)


def _presses(text: str, unit: str, chance: Random) -> Iterator[Press]:
    """Press the keys of a passage, which begins with a line end."""
    below: list[str] = []
    for number, line in enumerate(text.split("\n")[1:]):
        rest = line.lstrip(" \t")
        if below and rest.startswith(below[-1]):
            yield Press(delay("enter", chance), "Below")
            rest = rest[len(below.pop()) :]
        else:
            # Before the first key, the person finds the place.
            yield Press(delay("enter" if number else "jump", chance), "Enter", line[: len(line) - len(rest)])
        for index, stroke in enumerate(strokes("", rest, unit, chance)):
            yield Press(delay(stroke.place if index else "line", chance), stroke.text or "Backspace")
        if closers := opened_by(rest):
            below.append(closers)
