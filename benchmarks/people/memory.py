"""Starts four editors one after another, lets each complete in files of two languages, and measures memory.

With one engine for all of them, and with an engine for each. The completions are real, in files of this
repository; each is waited for.

    python -m benchmarks.people.memory --json memory.json
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from attrs import asdict, frozen

from aide_lsp.errors import AideError
from benchmarks.llama_cpp.engines import ROOT
from benchmarks.people.page import memory_table
from benchmarks.people.processes import memory_bytes
from benchmarks.people.run import facts
from benchmarks.people.systems import AideSystem
from benchmarks.typing.editor import EditorEngine
from benchmarks.typing.gate import watching
from benchmarks.typing.sources import Source, read_source

PROGRAM = "benchmarks.people.memory"
EDITORS = 4
FILES = (
    "aide_lsp/loading.py", "editors/vscode/src/extension.ts", "editors/nvim/lua/aide/init.lua", "README.md",
    "aide_lsp/errors.py", "editors/vscode/package.json", "pyproject.toml", "docs/privacy.md",
)  # fmt: skip
"""Two for each editor."""
PLACES = (0.3, 0.6, 0.9)
"""Where in a file completions are requested, as parts of its lines."""
ANSWER_SECONDS = 120


@frozen
class Row:
    """What one more editor costs."""

    engine: str
    editor: int
    "The first, the second, ..."
    languages: tuple[str, ...]
    "In which it completed."
    ready_s: float
    "Seconds from its start to its first answer."
    server_mb: float
    "Memory of its server alone."
    added_mb: float
    "How much more all processes have than before it was started."
    total_mb: float
    "Memory of all processes."
    answered: int
    "Completions with a text."


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__.split("\n")[0])
    parser.add_argument("--engines", default="local,shared", help="of local and shared [both]")
    parser.add_argument("--settings", type=json.loads, default={}, help="Aide's settings, as JSON [none]")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    rows, others = list[Row](), 0.0
    with tempfile.TemporaryDirectory(prefix="aide-people-") as folder:
        for engine in options.engines.split(","):
            settings = {"ledger": "off", **options.settings, "engine": engine}
            system = AideSystem(engine, settings, Path(folder) / engine)
            try:
                found, used = asyncio.run(measure(system))
            except AideError as error:
                print(error, file=sys.stderr)
                return 1
            rows, others = rows + found, max(others, used)
    print(memory_table([asdict(row) for row in rows]))
    if options.json:
        run = facts(PROGRAM, arguments, options.settings, others)
        run |= {"rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(run, indent=1), encoding="utf-8")
    return 0


async def measure(system: AideSystem) -> tuple[list[Row], float]:
    """Start the editors one after another; return also how much of the machine others used at most."""
    try:
        async with watching(system.cpu_seconds_of_new_ones_too) as windows:
            rows = [row async for row in one_after_another(system)]
        return rows, max(window.others for window in windows)
    finally:
        await system.stop()


async def one_after_another(system: AideSystem) -> AsyncIterator[Row]:
    """Start the editors, and let each complete before the next one is started."""
    total = 0.0
    for number in range(EDITORS):
        editor = system.another()
        started = time.perf_counter()
        await system.start(editor)
        ready = time.perf_counter() - started
        sources = [read_source(ROOT / name) for name in FILES[2 * number : 2 * number + 2]]
        editor.begin()
        answered = sum([await complete(editor, file, source) for file, source in enumerate(sources)])
        before, total = total, memory_bytes(system.pids()) / 1e6
        yield Row(
            engine=system.name,
            editor=number + 1,
            languages=tuple(source.language for source in sources),
            ready_s=ready,
            server_mb=memory_bytes([editor.pid]) / 1e6,
            added_mb=total - before,
            total_mb=total,
            answered=answered,
        )


async def complete(editor: EditorEngine, file: int, source: Source) -> int:
    """Request completions in a file; return how many have a text."""
    editor.open(file, source, source.text)
    lines, found = source.text.split("\n"), 0
    for place in PLACES:
        before = "\n".join(lines[: int(place * len(lines))])
        request = editor.ask(file, source.text, len(before))
        await asyncio.wait([request.answered], timeout=ANSWER_SECONDS)
        if request.fault is not None:
            raise AideError(request.fault)
        found += request.offer is not None and bool(request.offer.text)
    return found


if __name__ == "__main__":
    sys.exit(main())
