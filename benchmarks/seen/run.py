"""Types scripts in an editor, in real time, and returns what was on the screen."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import psutil
from attrs import frozen

from benchmarks.load_meter import STAT, core_count, machine_seconds
from benchmarks.seen.files import SUFFIX
from benchmarks.seen.script import Passage, Script
from benchmarks.seen.timeline import Key, State, Typed
from benchmarks.typing.lsp_client import process_seconds
from benchmarks.typing.sources import indent_unit

INDENTED_S = 0.06
"""After Enter, until the editor has indented the line."""
LAST_S = 1.0
"""After the last key of a passage."""


class Editor(Protocol):
    """An editor with something that completes."""

    def start(self, file: Path | None = None) -> None:
        """Start it, with a file open."""

    def wait_ready(self) -> None:
        """Wait until completions can come."""

    def open(self, path: Path) -> None:
        """Open a file."""

    def go(self, line: int) -> None:
        """Put the cursor at the end of a line; from 0."""

    def press(self, key: str) -> None:
        """Press a key."""

    def indent(self, wanted: str, unit: str) -> None:
        """Correct the indentation of the line that Enter began."""

    def text(self) -> str:
        """Return the text of the open file."""
        ...

    def states(self) -> list[State]:
        """Return what was on the screen so far."""
        ...

    def close(self) -> None:
        """End it."""


@frozen
class Taken:
    """What came of a script."""

    passages: tuple[Typed, ...]
    others: float
    "Share of the machine that other programs used meanwhile."
    astray: tuple[str, ...]
    "Files in which the editor made something else of the keys than expected."


def type_script(editor: Editor, script: Script, folder: Path, most_keys: int = 1_000_000) -> Taken:
    """Type a script, or the first keys of it; the files are written to a folder of the editor's."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [
        folder / f"{folder.name}{n}.{SUFFIX.get(source.language, 'txt')}"
        for n, source in enumerate(script.sources)
    ]
    for path, text in zip(paths, script.begins, strict=True):
        path.write_text(text, encoding="utf-8")
    before, spent = _clocks()
    typed, texts, astray = list[tuple[Key, ...]](), list(script.begins), list[str]()
    for passage, look in zip(script.passages, script.looking, strict=True):
        if sum(map(len, typed)) + 1 >= most_keys:
            break
        editor.open(paths[passage.file])
        time.sleep(look)
        editor.go(passage.line)
        unit = indent_unit(script.sources[passage.file].text)
        presses = min(len(passage.presses), most_keys - sum(map(len, typed)))
        typed.append(type_passage(editor, passage, presses, unit))
        time.sleep(LAST_S)
        texts[passage.file] = _with(texts[passage.file], passage)
        is_all = bool(passage.text) and presses == len(passage.presses)
        if is_all and editor.text().rstrip("\n") != texts[passage.file].rstrip("\n"):
            astray.append(paths[passage.file].name)
    states = editor.states()
    after, spent_after = _clocks()
    others = (after[1] - before[1] - (spent_after - spent)) / ((after[0] - before[0]) * core_count())
    return Taken(tuple(_cut(keys, states) for keys in typed), max(0.0, others), tuple(astray))


def type_passage(editor: Editor, passage: Passage, most: int, unit: str) -> tuple[Key, ...]:
    """Type a passage at the cursor."""
    keys, due = list[Key](), time.monotonic()
    presses = passage.presses[:most]
    for press, after in zip(presses, [*presses[1:], None], strict=True):
        due = max(due + press.wait, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
        keys.append(Key(time.monotonic(), press.key))
        editor.press(press.key)
        # A line that stays blank keeps no indentation.
        if press.key == "Enter" and after is not None and after.key != "Enter":
            time.sleep(min(INDENTED_S, after.wait / 2))
            editor.indent(press.indent, unit)
    return tuple(keys)


def _cut(keys: Sequence[Key], states: Sequence[State]) -> Typed:
    """Keep the states of a passage: from the one before its first key."""
    first = max((n for n, state in enumerate(states) if state.since <= keys[0].at), default=0)
    end = keys[-1].at + LAST_S
    return Typed(tuple(keys), tuple(state for state in states[first:] if state.since < end))


def _with(text: str, passage: Passage) -> str:
    lines = text.split("\n")
    lines[passage.line] += passage.text
    return "\n".join(lines)


def _clocks() -> tuple[tuple[float, float], float]:
    """Return wall time and busy seconds of the machine, and those of this process and all that it started."""
    own = process_seconds(psutil.Process().pid)
    return (time.perf_counter(), machine_seconds(STAT.read_text())), own
