"""Lets people type on two replicas while these die, are replaced, change their recipe, go and come.

Each person waits for each answer. Each text is compared with that of an engine in this process.

Needs the environment of `make test-team`:

    .venv-team/bin/python -m benchmarks.team --json team.json
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from attrs import asdict, evolve, frozen

from aide_lsp.errors import AideError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.loading import load_engine, model_folder
from aide_lsp.serve.machine import machine_of
from aide_lsp.server_address import server_address
from aide_lsp.settings.fields import Settings
from benchmarks.people.run import facts
from benchmarks.people.traces import MORE_MODULES, make_traces, starts
from benchmarks.team.person import OPTIONS, Asked, Person
from benchmarks.team.phases import Phase, phase
from benchmarks.team.server import TeamProcess, team_server, until
from benchmarks.typing.figures import quantile
from benchmarks.typing.replay import Pace, replay
from benchmarks.typing.sources import module_sources
from benchmarks.typing.trace import Trace

PROGRAM = "benchmarks.team"
STILL_MORE_MODULES = ("ast", "calendar", "cmd", "doctest", "ftplib", "pickle")
PINGS = 300
RECIPES = ("exact", "fast")
"""That of the first parts, and that of the others."""
FEW = 2
"""So many people type on when one replica is enough."""
SCALING = {
    "min_replicas": 1,
    "max_replicas": 2,
    "target_ongoing_requests": FEW + 1,
    "upscale_delay_s": 2,
    "downscale_delay_s": 2,
    "look_back_period_s": 4,
}
MOST_KEPT = 50
"""Texts that differ, in the figures."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; the exit status is 3 if a text is not what it should be, or someone got none."""
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--people", type=int, default=20, help="how many type [20]")
    add("--slower", type=float, default=2.0, help="how much slower than the traces they type [2]")
    add("--seconds", type=float, default=25.0, help="of each of six parts, at least [25]")
    add("--check", type=int, default=400, help="how many texts are compared, at most [400]")
    add("--seed", type=int, default=1, help="chooses files, places, keys and times [1]")
    add("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    try:
        run = facts(PROGRAM, arguments, {"seed": 1, "temperature": 0.7, "max_tokens": 8}, 0.0)
        run |= measure(options)
    except AideError as error:
        print(error, file=sys.stderr)
        return 1
    text = json.dumps(run, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text, encoding="utf-8")
    return 3 if run["different"] or any(None in phase["back_s"] for phase in run["phases"][1:]) else 0


def measure(options: argparse.Namespace) -> dict[str, object]:
    """Return the figures."""
    for recipe in RECIPES:
        # Not while people wait for it.
        model_folder(Settings(recipe=recipe), lambda done, text: None)
    found = module_sources(MORE_MODULES) + module_sources() + module_sources(STILL_MORE_MODULES)
    traces = [slowed(one, options.slower) for one in make_traces(found, options.people, options.seed)]
    with team_server() as server:
        address = server_address(server.url)
        assert address is not None
        people = [Person(number, address, server.token) for number in range(options.people)]
        note(f"loaded after {server.seconds:.1f} s")
        ping = pings(server)
        phases = asyncio.run(Typing(server, people, traces, options).all_parts())
        memory = server.memory_mb()
    asked = [one for person in people for one in person.asked if one.text]
    note(f"comparing texts; {len(asked)} have begun")
    checked, different = compare(asked, options.check)
    return {
        "people": options.people,
        "started_s": server.seconds,
        "ping_ms": ping,
        "memory_mb": memory,
        "phases": [asdict(one) for one in phases],
        "equal": checked - len(different),
        "different": len(different),
        "texts": different[:MOST_KEPT],
    }


def slowed(trace: Trace, factor: float) -> Trace:
    """Return a trace at a slower pace, which begins soon before its first key."""
    first = next(event.at for event in trace.events if event.do == "key")
    return evolve(
        trace, events=tuple(evolve(event, at=max(0.0, event.at - first) * factor) for event in trace.events)
    )


@frozen
class Typing:
    """People who type on a server, to which something happens in each part."""

    server: TeamProcess
    people: Sequence[Person]
    traces: Sequence[Trace]
    options: argparse.Namespace

    async def all_parts(self) -> list[Phase]:
        """Let people type in all parts."""
        for person in self.people:
            person.start()
        tasks = self._begin()
        phases = [
            await self._part("undisturbed", self.people),
            await self._part("a replica is killed", self.people, self._kill),
            await self._part("replicas are replaced", self.people, lambda: self._change(cache_mb=900)),
            await self._part("the recipe changes", self.people, lambda: self._change(recipe=RECIPES[1])),
        ]
        await _end(tasks[FEW:])
        phases.append(await self._part("few type: one replica goes", self.people[:FEW], self._scale))
        await _end(tasks[:FEW])
        tasks = self._begin()
        phases.append(await self._part("all type: one comes", self.people, lambda: has(self.server, 2)))
        await _end(tasks)
        for person in self.people:
            await asyncio.get_running_loop().run_in_executor(None, person.stop)
        return phases

    def _begin(self) -> "list[asyncio.Task[None]]":
        async def type_one(person: Person, trace: Trace, start: float) -> None:
            await asyncio.sleep(start)
            await replay(person, trace, Pace(patient=True))

        delays = starts(len(self.people), self.options.seed)
        return [
            asyncio.ensure_future(type_one(*one))
            for one in zip(self.people, self.traces, delays, strict=True)
        ]

    async def _part(
        self,
        name: str,
        people: Sequence[Person],
        event: Callable[[], Callable[[], bool]] | None = None,
    ) -> Phase:
        """Let something happen, wait until the replicas are as they should be, and for the rest of the part.

        `event`: returns what is true once they are.
        """
        note(name)
        began, replaced = time.perf_counter(), None
        if event is not None:
            is_done = event()
            replaced = await asyncio.get_running_loop().run_in_executor(None, lambda: until(is_done))
        await asyncio.sleep(max(0.0, self.options.seconds - (time.perf_counter() - began)))
        return evolve(phase(name, people, began, time.perf_counter()), replaced_s=replaced)

    def _kill(self) -> Callable[[], bool]:
        dead = self.server.replicas()[0]
        dead.send_signal(signal.SIGKILL)
        return lambda: is_back(self.server, dead.pid)

    def _change(self, **args: object) -> Callable[[], bool]:
        old = {one.pid for one in self.server.replicas()}
        self.server.change(**args)
        return lambda: are_new(self.server, old)

    def _scale(self) -> Callable[[], bool]:
        self.server.change(SCALING)
        return has(self.server, 1)


async def _end(tasks: "Sequence[asyncio.Task[None]]") -> None:
    for one in tasks:
        one.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def has(server: TeamProcess, count: int) -> Callable[[], bool]:
    """Return a function that says whether there are this many replicas."""
    return lambda: len(server.replicas()) == count


def is_back(server: TeamProcess, dead: int) -> bool:
    """Return whether there are two replicas again."""
    pids = {one.pid for one in server.replicas()}
    return len(pids) == 2 and dead not in pids


def are_new(server: TeamProcess, old: set[int]) -> bool:
    """Return whether all replicas are new."""
    pids = {one.pid for one in server.replicas()}
    return len(pids) == 2 and not pids & old


def compare(asked: Sequence[Asked], most: int) -> tuple[int, list[dict[str, object]]]:
    """Return how many texts were compared with those of a plain engine, and those that differ from them.

    Texts that did not become complete are compared as far as they came.
    """
    chosen = asked if len(asked) <= most else asked[:: -(-len(asked) // most)]
    checked, different = 0, list[dict[str, object]]()
    for recipe in RECIPES:
        engine, wanted = load_engine(Settings(recipe=recipe), lambda done, text: None), dict[object, str]()
        model = engine.session("alone")
        for one in (one for one in chosen if one.recipe == recipe):
            if one.prompt not in wanted:
                with closing(model.generate(one.prompt, OPTIONS, CancelToken())) as generation:
                    wanted[one.prompt] = "".join(generation)
            text, checked = wanted[one.prompt], checked + 1
            if one.machine == machine_of(engine.info) and one.is_right(text):
                continue
            before = one.prompt.parts[0].text[-40:]
            found = {"expected": text, "got": one.text, "finish": one.finish, "answered": one.machine}
            different.append({"document": one.prompt.document, "before": before, **found})
            note(f"differs: {different[-1]}")
    return checked, different


def note(text: str) -> None:
    """Say how far it is."""
    print(text, file=sys.stderr, flush=True)


def pings(server: TeamProcess) -> dict[str, float]:
    """Return how long a request takes that needs no model, one after the other."""
    connection = HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    times = []
    for _ in range(PINGS):
        began = time.perf_counter()
        connection.request("GET", "/aide/v1/engine", headers={"Authorization": f"Bearer {server.token}"})
        connection.getresponse().read()
        times.append(1e3 * (time.perf_counter() - began))
    connection.close()
    times.sort()
    return {"p50": quantile(times, 0.5), "p95": quantile(times, 0.95), "per_second_of_8": rate(server)}


def rate(server: TeamProcess) -> float:
    """Return how many such requests are answered in a second if 8 clients ask at once."""

    def ask(_: int) -> None:
        connection = HTTPConnection(server.url.removeprefix("http://"), timeout=30)
        for _ in range(PINGS // 4):
            connection.request("GET", "/aide/v1/engine", headers={"Authorization": f"Bearer {server.token}"})
            connection.getresponse().read()
        connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    return 8 * (PINGS // 4) / (time.perf_counter() - began)


if __name__ == "__main__":
    sys.exit(main())
