"""Simulates how many keys are answered before the next one in a project, with and without other files.

Replays typing traces in files of the packages, at the times of their keys, on a clock of its own: it only
moves on by what the engine would take for what it has to run, so a busy machine changes nothing. All but the
model is real, as in `benchmarks.context.keys`.

    python -m benchmarks.context.answered
    python -m benchmarks.context.answered --typing --projects 12 --seconds 20    # traces of typing.project
    python -m benchmarks.context.answered --lands line    # jumps lead to the beginning of a line
    python -m benchmarks.context.answered --model qwen2.5-coder-1.5b --forward-ms 41 --row-ms 6.8
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path

from attrs import define, field

from aide_lsp.application.excerpts import Readable, RequestPreparer
from aide_lsp.application.requests import request_of
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.session import Candidates
from aide_lsp.lsp.requests.prefetch import LINE_SECONDS, typing_offset
from aide_lsp.settings.fields import Settings, with_values
from benchmarks.context.items import projects
from benchmarks.context.keys import Silent, make, silent_completer
from benchmarks.context.tree import unpacked
from benchmarks.real_code.packages import Archive
from benchmarks.real_code.walk import add_cache_option
from benchmarks.typing.project import PACKAGES, project_traces
from benchmarks.typing.trace import Event, Trace


class Timed(Silent):
    """A session on a clock of its own: a forward takes time, and is canceled when something else happens."""

    def __init__(
        self, vocab_size: int, context_length: int, end: int, *, forward_ms: float, row_ms: float
    ) -> None:
        """Take the sizes of the model; the time of each forward, and of each of its rows."""
        super().__init__(vocab_size, context_length, end)
        self._forward_s, self._row_s = forward_ms / 1000, row_ms / 1000
        self.now, self.until = 0.0, inf

    def forward(
        self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken
    ) -> Candidates:
        """See `Session`."""
        ends = self.now + self._forward_s + self._row_s * len(ids)
        if ends > self.until:
            self.now = max(self.now, self.until)
            raise Cancelled
        self.now = ends
        return super().forward(ids, past, logit_rows, cancel)


@define
class Typist:
    """Types traces with one setting."""

    settings: Settings
    completer: Completer
    session: Timed
    answer_s: float
    lands: str = "there"
    "Where in its line a jump leads: `there`, where is typed then, or at the beginning of the `line`."
    keys: int = 0
    answered: int = 0
    jumps: int = 0
    "After which is typed."
    first_answered: int = 0
    "Of the first keys after these."
    before_first: int = 0
    "Keys after these until one is answered."
    _is_waiting: bool = False

    def type(self, trace: Trace, paths: Sequence[Path], root: Path, seconds: float) -> None:
        """Replay a trace up to a time. As in the server, generation goes on while the user types on."""
        places = _Places(self.settings, self.completer, trace, paths, root, self.lands)
        self._is_waiting = False
        events = [event for event in trace.events if event.at <= seconds and event.do != "open"]
        texts = list(trace.begins)
        moments = [places.after(event, texts) for event in events]
        times = [*(event.at for event in events), inf]
        self.keys += sum(event.do == "key" for event in events)
        session, at = self.session, 0
        session.now = 0.0
        while at < len(events):
            session.now = max(session.now, times[at])
            # The worker is free: it takes the newest request.
            while times[at + 1] <= session.now:
                self._count(events, at, is_answered=False)
                at += 1
            request, useless = places.request(*moments[at]), times[useless_at(events, at)]
            is_answered = self._is_answered(events[at], request, times[at + 1], useless)
            self._count(events, at, is_answered=is_answered)
            if is_answered:
                self._rest(request, places.request(*moments[at], next_line=True), times[at + 1])
            at += 1

    def _count(self, events: Sequence[Event], at: int, *, is_answered: bool) -> None:
        if events[at].do == "jump":
            self._is_waiting = False
            return
        is_first = at > 0 and events[at - 1].do == "jump"
        self.jumps += is_first
        self._is_waiting = self._is_waiting or is_first
        if is_answered:
            self.answered += 1
            self.first_answered += is_first
            self._is_waiting = False
        self.before_first += self._is_waiting

    def _is_answered(
        self, event: Event, request: CompletionRequest, next_at: float, useless_at: float
    ) -> bool:
        session = self.session
        session.until = useless_at
        try:
            if event.do == "jump":
                self.completer.prefill(request, CancelToken())
                return False
            self.completer.clear_cache()
            self.completer.complete(request, CancelToken())
        except Cancelled:
            return False
        # If it is not the answer to the newest key, it most likely says something else than was typed.
        if session.now >= next_at:
            return False
        session.now += self.answer_s
        is_answered = session.now <= next_at
        session.now = min(session.now, next_at)
        return is_answered

    def _rest(self, request: CompletionRequest, next_line: CompletionRequest, next_at: float) -> None:
        """Prefill what the next line may want, as the server does until the next key."""
        session = self.session
        if session.now + LINE_SECONDS >= next_at:
            return
        session.now += LINE_SECONDS
        session.until = next_at
        with suppress(Cancelled):
            self.completer.prefill_next(request, next_line.excerpts, CancelToken())


@define
class _Places:
    """The requests of a trace."""

    settings: Settings
    completer: Completer
    trace: Trace
    paths: Sequence[Path]
    root: Path
    lands: str
    preparer: RequestPreparer = field(factory=RequestPreparer)

    def after(self, event: Event, texts: list[str]) -> tuple[Event, tuple[str, ...]]:
        """Apply an event to the texts; return them as they are then."""
        if event.do == "key":
            text = texts[event.file]
            texts[event.file] = text[: event.start] + event.text + text[event.end :]
        return event, tuple(texts)

    def request(self, event: Event, texts: tuple[str, ...], *, next_line: bool = False) -> CompletionRequest:
        """Return the request at an event's cursor; `next_line`: with the excerpts of the next line."""
        path, language = self.paths[event.file], self.trace.sources[event.file].language
        text, cursor = texts[event.file], event.start + len(event.text)
        if event.do == "jump":
            landed = text.rfind("\n", 0, cursor) + 1 if self.lands == "line" else cursor
            cursor = typing_offset(text, landed, exact=False)
        request = request_of(self.settings, text, cursor, str(path), language)
        opened = {one: texts[number] for number, one in enumerate(self.paths) if one != path}
        readable, info = Readable(path, self.root, open_texts=opened), self.completer.info
        return self.preparer.prepare(
            request, readable, info, next_line=next_line or event.do == "jump"
        ).request


def useless_at(events: Sequence[Event], at: int) -> int:
    """Return the first event after which what is generated for one is useless: nothing was just typed on."""
    cursor = events[at].start + len(events[at].text)
    for number, event in enumerate(events[at + 1 :], start=at + 1):
        if event.do != "key" or event.file != events[at].file or not event.start == event.end == cursor:
            return number
        cursor += len(event.text)
    return len(events)


def main(arguments: list[str] | None = None) -> None:
    """Type in every project, with and without other files."""
    options = parse(arguments)
    typists = []
    for own in (options.without, options.others):
        settings = with_values(Settings(), {"temperature": 0.0, "model": options.model} | own)
        sessions: list[Timed] = []

        def timed(*sizes: int, sessions: list[Timed] = sessions) -> Timed:
            sessions.append(Timed(*sizes, forward_ms=options.forward_ms, row_ms=options.row_ms))
            return sessions[-1]

        completer = silent_completer(settings, session_of=timed)
        typists.append(Typist(settings, completer, sessions[-1], options.answer_ms / 1000, options.lands))
    count = 0
    with unpacked(options.cache) as trees:
        for trace, archive in traces(options):
            count += 1
            root = trees.root(archive)
            for typist in typists:
                typist.type(trace, [root / source.name for source in trace.sources], root, options.seconds)
    print(f"{count} traces\n\n{report(options, typists)}")


def traces(options: argparse.Namespace) -> Iterator[tuple[Trace, Archive]]:
    """Yield traces, and the archives of their projects."""
    if options.typing:
        found = project_traces(PACKAGES, options.projects, options.seed)
        yield from ((one.trace, one.archive) for one in found)
        return
    count = 0
    for archive, part, files in projects(True, options.cache):
        trace = make(part, files) if count < options.projects else None
        if trace is not None:
            count += 1
            yield trace, archive


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.context.answered", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("--projects", type=int, default=6, help="traces [6]")
    add("--typing", action="store_true", help="traces of benchmarks.typing.project [those of context.keys]")
    add("--seed", type=int, default=1, help="chooses the traces of benchmarks.typing.project [1]")
    add("--seconds", type=float, default=inf, help="most seconds of each [all]")
    add("--model", help="its tokenizer and format are used [the default model]")
    add("--forward-ms", type=float, default=18, help="of each forward [18, those of the default model]")
    add("--row-ms", type=float, default=2.2, help="of each token in a forward [2.2, likewise]")
    add("--answer-ms", type=float, default=60, help="from the first token to the answer [60]")
    add("--lands", choices=("there", "line"), default="there", help="where in its line a jump leads [there]")
    add("--without", type=json.loads, default={"context_share": 0.0}, help="settings of the first row")
    add(
        "--with",
        dest="others",
        type=json.loads,
        default={"context_share": 0.25},
        help="settings of the second row",
    )
    add_cache_option(parser)
    return parser.parse_args(arguments)


def report(options: argparse.Namespace, typists: Sequence[Typist]) -> str:
    """Render one row for each setting."""
    rows = [
        "| settings | keys | answered before the next key | jumps | first key answered | keys before that |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for settings, typist in zip((options.without, options.others), typists, strict=True):
        cells = (
            f"`{json.dumps(settings)}`",
            str(typist.keys),
            f"{100 * typist.answered / typist.keys:.1f} %",
            str(typist.jumps),
            f"{100 * typist.first_answered / typist.jumps:.0f} %",
            f"{typist.before_first / typist.jumps:.1f}",
        )
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
