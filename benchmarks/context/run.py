"""Completes items in this process, by the code that the server runs, with one setting or another.

What was done is appended to a file of JSON lines, one a line, so that a run can be ended at any time and
continued by the same command.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic

from attrs import asdict, evolve, frozen

from aide_lsp.application.requests import request_of
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.context.excerpt import Selection
from aide_lsp.context.reader import ContextPlace, ContextReader
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.settings.fields import Settings
from benchmarks.context.items import Item
from benchmarks.context.tree import saved, unpack
from benchmarks.real_code.packages import fetch

MOST_EXCERPTS = 64


@frozen
class Answer:
    """One item with one setting."""

    id: str
    language: str
    kind: str
    name: str
    "Of another file, that the removed text begins with."
    truth: str
    "What its author wrote."
    setting: str
    "What was set, as JSON."
    completion: str
    excerpts: int
    "How many were chosen; the model reads as many of them as its share holds."
    prompt_tokens: int
    seconds: float


class Projects:
    """Archives, unpacked when they are needed."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder, self._cache = folder, cache

    def root(self, item: Item) -> Path:
        """Return the folder of an item's project."""
        root = self._folder / item.archive.file.removesuffix(".tar.gz")
        if not root.exists():
            unpack(fetch(item.archive, self._cache), root)
        return root


def choose(item: Item, root: Path, reader: ContextReader) -> Selection:
    """Choose excerpts for an item as an editor would that has its file open."""
    hole = item.hole
    text = hole.before + hole.after
    document = root / hole.path
    place = ContextPlace(document, root, text, len(hole.before), hole.language, {}, lambda path: None)
    with saved(document, text):
        return reader.select(place, MOST_EXCERPTS)


def request_for(item: Item, settings: Settings, selection: Selection) -> CompletionRequest:
    """Build the request for an item."""
    hole = item.hole
    request = request_of(settings, hole.before + hole.after, len(hole.before), hole.path, hole.language)
    return evolve(request, excerpts=selection.excerpts)


def take(
    items: Sequence[Item],
    settings: Mapping[str, Settings],
    completer: Completer,
    done: set[tuple[str, str]],
    projects: Projects,
    end: float,
) -> Iterator[Answer]:
    """Complete every item that is not done with each setting; none begins after `end`.

    Args:
        items: places to complete.
        settings: compared settings by name. They take turns.
        completer: opened with any of them.
        done: items and settings that are left out.
        projects: where the items' projects are.
        end: in seconds of the monotonic clock.
    """
    for item in items:
        left = [name for name in settings if (item.hole.id, name) not in done]
        if not left:
            continue
        if monotonic() >= end:
            return
        # A reader of its own: what it has read is of another text of the file.
        selection = choose(item, projects.root(item), ContextReader())
        for name in left:
            share = settings[name].context_share
            yield _complete(item, name, settings[name], completer, selection if share else Selection())


def _complete(
    item: Item, setting: str, settings: Settings, completer: Completer, selection: Selection
) -> Answer:
    started = monotonic()
    completion = completer.complete(request_for(item, settings, selection), CancelToken())
    return Answer(
        id=item.hole.id,
        language=item.hole.language,
        kind=item.hole.kind,
        name=item.name,
        truth=item.hole.truth,
        setting=setting,
        completion=completion.text,
        excerpts=len(selection.excerpts),
        prompt_tokens=completion.prompt_tokens,
        seconds=round(monotonic() - started, 3),
    )


def read_answers(path: Path) -> list[Answer]:
    """Read a file of answers; one that was cut off while it was written is left out."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    return [Answer(**json.loads(line)) for line in lines if line.endswith("}")]


def append(path: Path, answer: Answer) -> None:
    """Add an answer to a file."""
    with path.open("a", encoding="utf-8") as file:
        # First, because the last line may have been cut off.
        file.write("\n" + json.dumps(asdict(answer)))
