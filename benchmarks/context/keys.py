"""Counts how much of the prompt is read again while someone types in a project, with and without other files.

Replays typing traces in files of the packages, as fast as it can. All but the model is real: a stand-in ends
every completion at once, so that only reading is counted.

    python -m benchmarks.context.keys
    python -m benchmarks.context.keys --half dev --projects 5 --with '{"num_context": 2048}'
    python -m benchmarks.context.keys --format qwen2.5-coder-psm
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import define, evolve, field, frozen
from numpy.typing import NDArray

from aide_lsp.application.excerpts import Readable, RequestPreparer
from aide_lsp.application.requests import request_of
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.engines.local import LoadedModel, LocalModel
from aide_lsp.errors import AideError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.onnx.model_folder import read_model_folder
from aide_lsp.inference.prefix_cache import RowRule
from aide_lsp.inference.session import Candidates
from aide_lsp.inference.tokenizer import Tokenizer
from aide_lsp.loading import card_of, model_folder
from aide_lsp.settings.fields import Settings, with_values
from benchmarks.context.items import projects, rank
from benchmarks.context.tree import unpacked
from benchmarks.machine import describe
from benchmarks.real_code.packages import Part
from benchmarks.real_code.walk import add_cache_option
from benchmarks.typing.sources import Source
from benchmarks.typing.trace import Event, Trace, make_trace

FILES = 3
"""Files of a project in which is typed."""
BYTES_PER_TOKEN = 24_576
"""Keys and values of the default model."""


@define
class NoKeysValues:
    """As large as the keys and values of a text, but empty."""

    length: int = 0

    @property
    def bytes(self) -> int:
        """See `KeysValues`."""
        return self.length * BYTES_PER_TOKEN

    def reserve(self, length: int) -> None:
        """See `KeysValues`."""
        self.length = max(self.length, length)

    def copy(self, length: int) -> "NoKeysValues":
        """See `KeysValues`."""
        return NoKeysValues(length)


class Silent:
    """A session that wants to end every text."""

    candidate_count = 1
    provider, provider_note = "cpu", None
    row_rule = RowRule(multiple=2)

    def __init__(self, vocab_size: int, context_length: int, end: int) -> None:
        self.vocab_size, self.context_length, self._end = vocab_size, context_length, end
        self.kv, self._rows = NoKeysValues(), 0

    def new_kv(self) -> NoKeysValues:
        """See `Session`."""
        return NoKeysValues()

    def use(self, kv: NoKeysValues) -> None:
        """See `Session`."""
        self.kv = kv

    def release(self) -> None:
        """See `Session`."""

    def forward(
        self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken
    ) -> Candidates:
        """See `Session`."""
        self._rows = len(logit_rows)
        shape = (self._rows, 1)
        return Candidates(np.full(shape, self._end, dtype=np.int64), np.ones(shape, dtype=np.float32))

    def full_logits(self) -> NDArray[np.float32]:
        """See `Session`."""
        logits = np.zeros((self._rows, self.vocab_size), dtype=np.float32)
        logits[:, self._end] = 1
        return logits

    def logits_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """See `Session`."""
        return (ids == self._end).astype(np.float32)


@frozen
class Key:
    """What one key cost."""

    new_line: bool
    tokens: int
    "Of the prompt."
    run: int
    "Those of them that were not in the KV cache."


@define
class Typist:
    """Types traces with one setting."""

    settings: Settings
    completer: Completer
    keys: list[Key] = field(factory=list)

    def type(self, trace: Trace, paths: Sequence[Path], root: Path) -> None:
        """Replay a trace: ask at every key, and prefill where the cursor goes."""
        texts, preparer = list(trace.begins), RequestPreparer()
        for event in trace.events:
            if event.do == "open":
                continue
            text = texts[event.file]
            if event.do == "key":
                text = texts[event.file] = text[: event.start] + event.text + text[event.end :]
            cursor = event.start + len(event.text)
            path, source = paths[event.file], trace.sources[event.file]
            request = request_of(self.settings, text, cursor, str(path), source.language)
            opened = {one: texts[number] for number, one in enumerate(paths) if one != path}
            readable = Readable(path, root, open_texts=opened)
            # As the server does where the cursor goes.
            prepared = preparer.prepare(request, readable, self.completer.info, next_line=event.do == "jump")
            self._ask(event, prepared.request)

    def _ask(self, event: Event, request: CompletionRequest) -> None:
        if event.do != "key":
            self.completer.prefill(request, CancelToken())
            return
        answer = self.completer.complete(request, CancelToken())
        run = 0 if answer.from_cache else answer.prompt_tokens - answer.cached_tokens
        self.keys.append(Key("\n" in event.text, answer.prompt_tokens, run))


def main(arguments: list[str] | None = None) -> None:
    """Type in every project, with and without other files."""
    options = parse(arguments)
    compared = [
        with_values(Settings(), {"temperature": 0.0} | own) for own in (options.without, options.others)
    ]
    typists = [Typist(settings, silent_completer(settings, options.format)) for settings in compared]
    with unpacked(options.cache) as trees:
        count = 0
        for archive, part, files in projects(options.half == "dev", options.cache):
            trace = make(part, files)
            if trace is None or count == options.projects:
                continue
            count += 1
            root = trees.root(archive)
            paths = [root / source.name for source in trace.sources]
            for typist in typists:
                typist.type(trace, paths, root)
    print(f"{count} projects; {', '.join(describe())}\n\n{report(options, typists)}")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.context.keys", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("--half", choices=("dev", "held-out"), default="dev", help="which half of the projects [dev]")
    add("--projects", type=int, help="most projects [all]")
    add(
        "--without",
        type=json.loads,
        default={"context_share": 0.0},
        help='settings of the first row, as JSON [{"context_share": 0.0}]',
    )
    add(
        "--with",
        dest="others",
        type=json.loads,
        default={"context_share": 0.25},
        help='settings of the second row, as JSON [{"context_share": 0.25}]',
    )
    add("--format", help="write prompts in this FIM format [the model's]")
    add_cache_option(parser)
    return parser.parse_args(arguments)


def silent_completer(
    settings: Settings, fim: str | None = None, session_of: Callable[[int, int, int], Silent] = Silent
) -> Completer:
    """Return a completer with the tokenizer and prompt of the model in use, or with another format."""
    return Completer(silent_model(settings, fim, session_of))


def silent_model(
    settings: Settings, fim: str | None = None, session_of: Callable[[int, int, int], Silent] = Silent
) -> LocalModel:
    """Return a model that has the tokenizer of the one in use, and whose texts end at once."""
    folder = model_folder(settings, lambda share, sentence: None)
    description = evolve(read_model_folder(folder), fim=fim or card_of(settings).fim)
    tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
    session: Any = session_of(description.vocab_size, description.context_length, min(description.end_tokens))
    return LocalModel(LoadedModel(tokenizer, session, description), cache_mb=settings.cache_mb)


def make(part: Part, files: dict[str, str]) -> Trace | None:
    """Make a trace in the first files, by hash, that have enough code; None: there are too few."""
    usable: list[Source] = []
    for path in sorted(files, key=rank):
        source = Source(path, part.language, files[path])
        try:
            make_trace([source], 1)
        except AideError:
            continue
        usable.append(source)
        if len(usable) == FILES:
            break
    try:
        # Passages are cut elsewhere where there are several files.
        return make_trace(usable, 1) if len(usable) == FILES else None
    except AideError:
        return None


def report(options: argparse.Namespace, typists: Sequence[Typist]) -> str:
    """Render what the keys cost, one row for each setting."""
    rows = [
        "| settings | keys | prompt tokens | read at a key | most of them read | of these at a new line |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for settings, typist in zip((options.without, options.others), typists, strict=True):
        keys = typist.keys
        most = [key for key in keys if 2 * key.run > key.tokens]
        cells = (
            f"`{json.dumps(settings)}`",
            str(len(keys)),
            f"{sum(key.tokens for key in keys) / len(keys):.0f}",
            f"{sum(key.run for key in keys) / len(keys):.1f}",
            f"{100 * len(most) / len(keys):.2f} %",
            str(sum(key.new_line for key in most)),
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
