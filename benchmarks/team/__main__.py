"""Lets people type on two replicas, kills one replica, then has both replaced, and checks each text.

Each person waits for each answer.

Needs the environment of `make test-team`:

    .venv-team/bin/python -m benchmarks.team --json team.json
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from attrs import asdict, evolve

from aide_lsp.errors import AideError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.loading import load_engine
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


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; the exit status is 3 if a text is not what it should be, or someone got none."""
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--people", type=int, default=20, help="how many type [20]")
    add("--slower", type=float, default=2.0, help="how much slower than the traces they type [2]")
    add("--seconds", type=float, default=25.0, help="of each of three parts [25]")
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
    found = module_sources(MORE_MODULES) + module_sources() + module_sources(STILL_MORE_MODULES)
    traces = [slowed(one, options.slower) for one in make_traces(found, options.people, options.seed)]
    with team_server() as server:
        address = server_address(server.url)
        assert address is not None
        people = [Person(number, address, server.token) for number in range(options.people)]
        note(f"loaded after {server.seconds:.1f} s")
        ping = pings(server)
        phases = asyncio.run(type_and_break(server, people, traces, options))
        memory = server.memory_mb()
    asked = [one for person in people for one in person.asked if one.text]
    note(f"comparing texts; {len(asked)} have begun")
    equal, different = compare(asked, options.check)
    return {
        "people": options.people,
        "started_s": server.seconds,
        "ping_ms": ping,
        "memory_mb": memory,
        "phases": [asdict(one) for one in phases],
        "equal": equal,
        "different": different,
    }


def slowed(trace: Trace, factor: float) -> Trace:
    """Return a trace at a slower pace, which begins soon before its first key."""
    first = next(event.at for event in trace.events if event.do == "key")
    return evolve(
        trace, events=tuple(evolve(event, at=max(0.0, event.at - first) * factor) for event in trace.events)
    )


async def type_and_break(
    server: TeamProcess, people: Sequence[Person], traces: Sequence[Trace], options: argparse.Namespace
) -> list[Phase]:
    """Let people type in three parts: undisturbed, after a kill, after a change."""
    for person in people:
        person.start()

    async def type_one(person: Person, trace: Trace, start: float) -> None:
        await asyncio.sleep(start)
        await replay(person, trace, Pace(patient=True))

    pairs = zip(people, traces, starts(len(people), options.seed), strict=True)
    typing = [asyncio.ensure_future(type_one(*pair)) for pair in pairs]
    loop, phases = asyncio.get_running_loop(), list[Phase]()
    began = time.perf_counter()
    await asyncio.sleep(options.seconds)
    killed = time.perf_counter()
    note("killing a replica")
    phases.append(phase("undisturbed", people, began, killed))
    dead = server.replicas()[0]
    dead.send_signal(signal.SIGKILL)
    replaced = await loop.run_in_executor(None, lambda: until(lambda: is_back(server, dead.pid)))
    await asyncio.sleep(max(0.0, options.seconds - (time.perf_counter() - killed)))
    note(f"replaced after {replaced:.1f} s; changing the file")
    changed = time.perf_counter()
    phases.append(evolve(phase("a replica is killed", people, killed, changed), replaced_s=replaced))
    old = {one.pid for one in server.replicas()}
    server.change(cache_mb=900)
    replaced = await loop.run_in_executor(None, lambda: until(lambda: are_new(server, old)))
    await asyncio.sleep(max(0.0, options.seconds - (time.perf_counter() - changed)))
    phases.append(
        evolve(phase("replicas are replaced", people, changed, time.perf_counter()), replaced_s=replaced)
    )
    note(f"changed after {replaced:.1f} s")
    for one in typing:
        one.cancel()
    await asyncio.gather(*typing, return_exceptions=True)
    await loop.run_in_executor(None, lambda: [person.stop() for person in people])
    return phases


def is_back(server: TeamProcess, dead: int) -> bool:
    """Return whether there are two replicas again."""
    pids = {one.pid for one in server.replicas()}
    return len(pids) == 2 and dead not in pids


def are_new(server: TeamProcess, old: set[int]) -> bool:
    """Return whether all replicas are new."""
    pids = {one.pid for one in server.replicas()}
    return len(pids) == 2 and not pids & old


def compare(asked: Sequence[Asked], most: int) -> tuple[int, int]:
    """Return how many texts are, as far as they came, those of a plain engine, and how many are not."""
    model = load_engine(Settings(), lambda done, text: None).session("alone")
    wanted, equal, different = dict[object, str](), 0, 0
    chosen = asked if len(asked) <= most else asked[:: -(-len(asked) // most)]
    for one in chosen:
        if one.prompt not in wanted:
            with closing(model.generate(one.prompt, OPTIONS, CancelToken())) as generation:
                wanted[one.prompt] = "".join(generation)
        text = wanted[one.prompt]
        if not (same := one.is_right(text)):
            note(f"expected {text!r}, got {one.text!r} ({one.finish})")
        equal, different = equal + same, different + (not same)
    return equal, different


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
