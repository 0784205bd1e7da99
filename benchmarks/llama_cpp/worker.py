"""A process that holds one engine and times what it is asked to do.

One JSON object per line on stdin, one per line on stdout. The engine prepares a piece of work outside the
timed section and returns it; only the work is timed. Runs under the Python that has the engine: standard
library only.

    {"do": "load", "model": PATH, "ids": [...], "threads": 2}
    {"do": "prefill", "tokens": 512}                          a prompt with nothing cached, and one token
    {"do": "decode", "past": 512, "count": 32}                tokens one after another
    {"do": "extend", "past": 512, "tokens": 8, "repeat": 12}  more tokens on a warm cache, and one token
    {"do": "memory"}  {"do": "versions"}
"""

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from benchmarks.load_meter import core_count, read_clocks, usage

Work = Callable[[], object]
MEMORY_FIELDS = {"VmRSS": "rss", "RssAnon": "private", "VmHWM": "peak"}


class Engine(Protocol):
    """What is measured. Every method but `versions` prepares and returns the work to time."""

    def versions(self) -> dict[str, str]:
        """Return the versions of the libraries that compute."""
        ...

    def load(self, model: str, ids: list[int], threads: int) -> Work:
        """Open a model; `ids` is the text that all prompts are cut from."""
        ...

    def prefill(self, tokens: int) -> Work:
        """Run the first `tokens` ids from an empty cache and choose one token."""
        ...

    def decode(self, past: int, count: int) -> Work:
        """Generate `count` tokens, one at a time, after `past` cached ids."""
        ...

    def extend(self, past: int, tokens: int, repeat: int) -> Work:
        """After `past` cached ids run `tokens` others and choose one token; `repeat` times."""
        ...


def serve(engine: Engine) -> None:
    """Answer messages until stdin ends; an exception is answered as {"error": ...}."""
    # Libraries print to stdout; only answers may.
    answers = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        try:
            answer = _answer(engine, json.loads(line))
        except Exception as error:
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def _answer(engine: Engine, message: dict[str, Any]) -> dict[str, Any]:
    task = message.pop("do")
    if task == "memory":
        return memory(Path(f"/proc/{_process_of(engine) or 'self'}/status").read_text())
    if task == "versions":
        return dict(engine.versions())
    work = getattr(engine, task)(**message)
    operations = message.get("count") or message.get("repeat") or 1
    before = read_clocks(_process_of(engine))
    work()
    used = usage(before, read_clocks(_process_of(engine)), core_count())
    return {"seconds": used.wall_s / operations, "operations": operations, **used.as_dict()}


def _process_of(engine: Engine) -> int | None:
    """Return the process in which the engine computes, if it is not this one."""
    return getattr(engine, "pid", None)


def memory(status: str) -> dict[str, int]:
    """Return bytes by kind from the text of /proc/self/status."""
    values = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return {name: int(values[field].split()[0]) * 1024 for field, name in MEMORY_FIELDS.items()}
