"""Typing traces: what a person does in an editor, key by key, made from real source files.

A trace has texts with passages cut out, and timed events that type them again, with jumps between places and
files. After all events every text is what it was. The same files and seed give the same trace.
"""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal

from attrs import define, field, frozen

from benchmarks.typing.keys import delay, strokes
from benchmarks.typing.sources import Source, cuts, indent_unit

LOOKS = (0.8, 2.5)
"""Shortest and longest time, in seconds, that a person looks at a place without typing there."""


@frozen
class Event:
    """Something the person does."""

    at: float
    "Seconds since the trace began."
    do: Literal["open", "key", "jump"]
    "Open a file; press a key that changes the text; move the cursor elsewhere."
    file: int
    start: int
    "First code point that is replaced; for a jump: where the cursor goes."
    end: int = 0
    "After the last one that is replaced."
    text: str = ""
    "What is put there; the cursor is after it."
    hole: int = -1
    "Which passage is typed."
    reached: int = -1
    "Code points of the passage typed by then; -1: the text is not a beginning of it."


@frozen
class Trace:
    """What one person does in a minute."""

    sources: tuple[Source, ...]
    "The files, as they are at the end."
    begins: tuple[str, ...]
    "Their texts at the beginning."
    holes: tuple[str, ...]
    "The passages that are typed."
    events: tuple[Event, ...]
    "In order of time."

    @property
    def name(self) -> str:
        """Name for reports."""
        return f"{self.sources[0].language}: {', '.join(source.name for source in self.sources)}"

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return self.events[-1].at


@define
class _Hole:
    """A passage that was cut out of a file, and how much of it is typed."""

    file: int
    number: int
    start: int
    target: str
    typed: int = 0


@define
class _Typist:
    """Makes the events. Typing at one place moves all places after it."""

    sources: Sequence[Source]
    chance: Random
    holes: list[_Hole]
    events: list[Event] = field(factory=list)
    clock: float = 0.0
    opened: set[int] = field(factory=set)

    def go(self, hole: _Hole) -> None:
        """Go to the end of what is typed of a passage; open its file if needed."""
        if hole.file not in self.opened:
            self.opened.add(hole.file)
            self._add("open", hole.file, 0)
        self._add("jump", hole.file, self._offset(hole) + hole.typed)

    def look(self, file: int) -> None:
        """Look at some place of an open file."""
        length = len(self.sources[file].text) - sum(len(h.target) - h.typed for h in self._in(file))
        self._add("jump", file, self.chance.randrange(length + 1))
        self.clock += self.chance.uniform(*LOOKS)

    def type(self, hole: _Hole, until: int) -> None:
        """Continue a passage until `until` of its code points are typed."""
        text, offset = self.sources[hole.file].text, self._offset(hole)
        target, base = hole.target[hole.typed : until], offset + hole.typed
        line = (text[: hole.start] + hole.target[: hole.typed]).rpartition("\n")[2]
        typed = ""
        for index, stroke in enumerate(strokes(line, target, indent_unit(text), self.chance)):
            self.clock += delay("jump" if index == 0 else stroke.place, self.chance)
            typed = typed[: stroke.start] + stroke.text + typed[stroke.end :]
            reached = hole.typed + len(typed) if target.startswith(typed) else -1
            start, end = base + stroke.start, base + stroke.end
            self._add("key", hole.file, start, end, stroke.text, hole.number, reached)
        hole.typed = until

    def _add(self, do: Literal["open", "key", "jump"], file: int, start: int, *more: int | str) -> None:
        self.events.append(Event(round(self.clock, 4), do, file, start, *more))  # type: ignore[arg-type]

    def _in(self, file: int) -> Iterator[_Hole]:
        return (hole for hole in self.holes if hole.file == file)

    def _offset(self, hole: _Hole) -> int:
        before = (other for other in self._in(hole.file) if other.start < hole.start)
        return hole.start - sum(len(other.target) - other.typed for other in before)


def make_trace(sources: Sequence[Source], seed: int) -> Trace:
    """Make a trace: two passages of the first file, and one of each other file in between.

    Raises:
        AideError: a file has too little code.
    """
    # Each trace has its own random numbers, so that one more file changes no other trace.
    chance = Random(f"aide-typing-v1:{seed}:" + ":".join(source.sha256 for source in sources))
    found = [
        (file, *cut) for file, source in enumerate(sources) for cut in cuts(source, 1 + (file == 0), chance)
    ]
    holes = [_Hole(file, number, start, text) for number, (file, start, text) in enumerate(found)]
    begins = [source.text for source in sources]
    # From the end, so that the starts of the others stay correct.
    for hole in sorted(holes, key=lambda hole: -hole.start):
        text = begins[hole.file]
        begins[hole.file] = text[: hole.start] + text[hole.start + len(hole.target) :]
    typist = _Typist(sources, chance, holes)
    first, second, *others = holes
    typist.go(first)
    typist.type(first, _somewhere(first.target, chance))
    for other in others:
        typist.go(other)
        typist.type(other, len(other.target))
    typist.look(first.file)
    typist.go(first)
    typist.type(first, len(first.target))
    typist.go(second)
    typist.type(second, len(second.target))
    return Trace(tuple(sources), tuple(begins), tuple(hole.target for hole in holes), tuple(typist.events))


def _somewhere(target: str, chance: Random) -> int:
    """Choose where typing is interrupted: after a letter in the middle third."""
    third = len(target) // 3
    places = [at for at in range(third, 2 * third) if target[at - 1].isalnum()]
    return chance.choice(places) if places else len(target)
