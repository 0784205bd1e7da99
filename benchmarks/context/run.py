"""Completes items in this process, by the code that the server runs, with one setting or another.

What was done is appended to a file of JSON lines, one a line, so that a run can be ended at any time and
continued by the same command.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from attrs import asdict, evolve, frozen

from aide_lsp.application.excerpts import Readable, RequestPreparer
from aide_lsp.application.requests import request_of
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.settings.fields import Settings
from benchmarks.context.items import Item
from benchmarks.context.tree import Trees, saved


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


@frozen
class Compared:
    """How items are completed."""

    settings: Settings
    names: bool = True
    "Whether names of modules and members of types are known."


@frozen
class _Editor:
    """Sets which files must not be read."""

    folder: Path
    context_off: tuple[str, ...]

    def of(self, path: Path) -> tuple[Mapping[str, Any], Path | None]:
        """See `FolderSettings`."""
        return {"context_off": list(self.context_off)}, self.folder


def request_for(item: Item, root: Path, settings: Settings, info: ModelInfo) -> CompletionRequest:
    """Build the request for an item, with excerpts, as an editor that has its project and file open."""
    hole = item.hole
    text, document = hole.before + hole.after, root / hole.path
    request = request_of(settings, text, len(hole.before), str(document), hole.language)
    readable = Readable(document, root, folders=_Editor(root, settings.context_off))
    with saved(document, text):
        # What an earlier one has read is of another text of the file.
        return RequestPreparer().prepare(request, readable, info).request


def take(
    items: Sequence[Item],
    compared: Mapping[str, Compared],
    completer: Completer,
    done: set[tuple[str, str]],
    trees: Trees,
    end: float,
) -> Iterator[Answer]:
    """Complete every item that is not done in each way, or once for all that ask the same.

    Args:
        items: places to complete.
        compared: ways to complete them, by name. They take turns.
        completer: opened with the settings of any of them.
        done: items and ways that are left out.
        trees: where the items' projects are.
        end: in seconds of the monotonic clock; no item begins later.
    """
    for item in items:
        left = [name for name in compared if (item.hole.id, name) not in done]
        if not left:
            continue
        if monotonic() >= end:
            return
        known = dict[CompletionRequest, Answer]()
        for name in left:
            request = _request(item, trees, compared[name], completer.info)
            if not request.excerpts:
                request = request.with_options(context_share=0.0)
            if request not in known:
                known[request] = _complete(item, name, request, completer)
            yield evolve(known[request], setting=name)


def changed(
    items: Sequence[Item], compared: Mapping[str, Compared], info: ModelInfo, trees: Trees
) -> Iterator[Item]:
    """Yield the items at which not the same is read or known of other files, and of types."""
    for item in items:
        requests = [_request(item, trees, one, info) for one in compared.values()]
        if len({(one.excerpts, one.names) for one in requests}) > 1:
            yield item


def _request(item: Item, trees: Trees, compared: Compared, info: ModelInfo) -> CompletionRequest:
    request = request_for(item, trees.root(item.archive), compared.settings, info)
    return request if compared.names else evolve(request, names=None)


def _complete(item: Item, setting: str, request: CompletionRequest, completer: Completer) -> Answer:
    started = monotonic()
    completion = completer.complete(request, CancelToken())
    return Answer(
        id=item.hole.id,
        language=item.hole.language,
        kind=item.hole.kind,
        name=item.name,
        truth=item.hole.truth,
        setting=setting,
        completion=completion.text,
        excerpts=len(request.excerpts),
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
