"""Measures what reading other files costs at a key.

    python -m benchmarks.context.cost

Projects are made of files of Python's standard library, in a temporary folder: one whose folder has the
median number of files, one with as many as are read, one of 50,000 files, and one with all of them in one
folder. A key within a line only checks that nothing has changed; a new line chooses again. Times are
processor times.
"""

import argparse
import sys
import sysconfig
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

from attrs import frozen

from aide_lsp.context.candidates import MOST_FILES
from aide_lsp.context.reader import ContextPlace, ContextReader
from benchmarks.machine import describe

KEYS = 400
YOUNG_S = 3.5
"""A file that was just written is read at every key. Wait until it is old."""
LIMIT = 12
"""Excerpts that a prompt has room for."""
Layout = Callable[[int], str]


@frozen
class Project:
    """A project to be made."""

    title: str
    count: int
    layout: Layout
    "The path of each file."


PROJECTS = (
    Project("20 files in the folder", 20, lambda number: f"package/m{number}.py"),
    Project(f"{MOST_FILES} files in the folder", MOST_FILES, lambda number: f"package/m{number}.py"),
    Project(
        "50,000 files, 20 in the folder",
        50_000,
        lambda number: f"part{number // 1000}/{number // 20 % 50}/m{number}.py",
    ),
    Project("50,000 files in the folder", 50_000, lambda number: f"package/m{number}.py"),
)


def main(arguments: list[str] | None = None) -> None:
    """Print a table."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.context.cost", description=str(__doc__).split("\n")[0]
    ).parse_args(arguments)
    print("\n".join(describe()), "\n")
    print("| project | files read | first, ms | a key, p50 | p95 | a new line, p50 | p95 | kept, MB |")
    print("|---|---|---|---|---|---|---|---|")
    texts = _texts()
    for project in PROJECTS:
        with tempfile.TemporaryDirectory() as folder:
            print(_measured(project, Path(folder), texts), flush=True)


def _texts() -> list[str]:
    """Return the texts of modules of usual size."""
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in paths]
    return [text for text in texts if 2_000 < len(text) < 60_000]


def _measured(project: Project, root: Path, texts: list[str]) -> str:
    (root / ".git").mkdir()
    (root / ".gitignore").write_text("__pycache__/\n*.pyc\n/build/\ndist/\n", encoding="utf-8")
    for number in range(project.count):
        path = root / project.layout(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        # What is in a folder that nobody looks into does not matter.
        path.write_text(texts[number % len(texts)] if number <= MOST_FILES else "", encoding="utf-8")
    document, text = root / project.layout(0), texts[0] + texts[1]
    time.sleep(YOUNG_S)
    reader = ContextReader()
    lines = text.split("\n")
    starts = [len("\n".join(lines[:number])) for number in range(5, len(lines) - 5)]

    def select(offset: int) -> float:
        start = time.thread_time()
        found = reader.select(ContextPlace(document, root, text, offset, "python"), LIMIT)
        files.append(len(found.files))
        return 1000 * (time.thread_time() - start)

    files: list[int] = []
    first = select(starts[0])
    same = [select(starts[0]) for _ in range(KEYS)]
    new = [select(starts[number % len(starts)]) for number in range(1, KEYS)]
    columns = [
        f"{files[-1]}",
        f"{first:.0f}",
        *_percentiles(same),
        *_percentiles(new),
        _kept(document, root, text),
    ]
    return f"| {project.title} | " + " | ".join(columns) + " |"


def _percentiles(times: list[float]) -> tuple[str, str]:
    cut = quantiles(times, n=20)
    return f"{cut[9]:.2f}", f"{cut[18]:.2f}"


def _kept(document: Path, root: Path, text: str) -> str:
    """Return how much memory a reader keeps, in MB."""
    tracemalloc.start()
    reader = ContextReader()
    reader.select(ContextPlace(document, root, text, 0, "python"), LIMIT)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return f"{size / 1e6:.1f}"


if __name__ == "__main__":
    sys.exit(main())
