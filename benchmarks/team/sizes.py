"""Computes what a team of a size needs, from measured figures and stated assumptions, and writes the page.

python -m benchmarks.team.sizes > docs/team-sizes.md
"""

import argparse
import math

from attrs import frozen

from aide_lsp.settings.fields import Parameters
from benchmarks.markdown import markdown_table

SIZES = (100, 10_000, 1_000_000)


@frozen
class Input:
    """A number, and where it is from."""

    value: float
    unit: str
    what: str
    source: str


PAGE_OF = "../benchmarks/results/2026-11-zen4-2-cores.md"
ZEN4 = f"[Zen 4, typing]({PAGE_OF}#typing)"
SPEED = f"[Zen 4, speed]({PAGE_OF})"
KEYS = Input(3.3, "per second", "keys of someone who types", "the traces of `benchmarks.typing`")
RUNS = Input(
    0.24, "per key", "requests that the editor does not answer itself", f"83 of 343 keys, {ZEN4}, typing on"
)
CPU = Input(17.6, "CPU seconds", "for 100 keys with the 0.5B model", ZEN4)
PREFILL = Input(
    436,
    "tokens per second",
    "prefilled, none of them cached, on 2 threads",
    f"512 tokens in 1,175 ms, {ZEN4}, speed",
)
KV = Input(24.4, "KB", "for a token kept ready", "25 MB for 1,024, [settings](settings.md), `cache_mb`")
CONTEXT = Input(Parameters().num_context, "tokens", "read for a request", "the default of `num_context`")
TYPING = Input(0.10, "of all", "who type at the same moment", "assumption: measure it with `/metrics`")
PRESENT = Input(
    0.30, "of all", "whose text is kept ready", "assumption: the editors in use within some minutes"
)
REPLY = Input(16, "tokens", "generated for a request", "assumption: a line")
CORES = Input(32, "cores", "of a machine", "assumption")
BUSY = Input(0.5, "of the cores", "in use in the busiest minute, so that nobody waits", "assumption")
INPUTS = (KEYS, RUNS, CPU, PREFILL, KV, CONTEXT, TYPING, PRESENT, REPLY, CORES, BUSY)


@frozen
class Need:
    """What a team needs in its busiest minute."""

    people: int
    typing: float
    requests: float
    "Per second."
    tokens: float
    "Generated per second."
    cores: float
    machines: int
    kept_gb: float
    "Memory for text that is kept ready."


def need(people: int) -> Need:
    """Compute it."""
    typing = people * TYPING.value
    keys = typing * KEYS.value
    requests = keys * RUNS.value
    cores = keys * CPU.value / 100
    return Need(
        people=people,
        typing=typing,
        requests=requests,
        tokens=requests * REPLY.value,
        cores=cores,
        machines=math.ceil(round(cores / BUSY.value / CORES.value, 6)),
        kept_gb=people * PRESENT.value * CONTEXT.value * KV.value / 1_000_000,
    )


def lost_seconds() -> float:
    """Return how long the first request takes after its editor moved to another replica."""
    return CONTEXT.value / PREFILL.value


def page() -> str:
    """Return the page."""
    inputs = [[f"{one.value:,g} {one.unit}", one.what, one.source] for one in INPUTS]
    needs = [need(people) for people in SIZES]
    rows = [
        ["people who type", *(f"{one.typing:,.0f}" for one in needs)],
        ["requests per second", *(f"{one.requests:,.0f}" for one in needs)],
        ["tokens generated per second", *(f"{one.tokens:,.0f}" for one in needs)],
        ["busy cores", *(f"{one.cores:,.0f}" for one in needs)],
        ["machines without a GPU", *(f"{one.machines:,}" for one in needs)],
        ["memory for text kept ready, GB", *(f"{one.kept_gb:,.1f}" for one in needs)],
    ]
    return PAGE.format(
        inputs=markdown_table(["", "what", "from"], inputs),
        needs=markdown_table(["developers", *(f"{people:,}" for people in SIZES)], rows),
        lost=f"{lost_seconds():.1f}",
        one=f"{need(SIZES[0]).requests:.0f}",
    )


PAGE = """\
# What a team needs

Computed by `python -m benchmarks.team.sizes`, for the busiest minute, with the 0.5B model in the recipe
`exact`. For other inputs, change them there. Nobody has run a team of these sizes yet: this is arithmetic.

{needs}

The inputs:

{inputs}

**An editor that moves to another replica** (a replica died, or replicas were added) waits {lost} s for its
first answer: its text is read again. After that, all is as before. When one of N replicas goes, 1/N of the
editors move.

**Memory of replicas** comes on top of the text kept ready: see [measured](../benchmarks/results/team.md).

**GPUs.** Aide's own engine has not been measured on a GPU yet, so there is no figure for one. Measure T, the
tokens per second that your GPU generates for many people at once, with your model. GPUs = tokens per second
in the table / T / 0.5, and more for reading prompts.

## Where it breaks first

1. **The engine runs one forward at a time.** It takes turns between people, and does not put several of them
   into one forward. On CPUs that costs little, as the forward of one person uses all its cores. Most of a GPU
   would be idle.
2. **Ray's proxy**, at the requests per second that one can pass on
   ([measured](../benchmarks/results/team.md)): with 10,000 developers there must be one on each machine
   (`proxy_location: EveryNode`), behind a load balancer.
3. **One Ray cluster.** One controller for all replicas is no design for a million developers. Have a cluster
   for each site, or for some thousand developers, and let each editor's `engine` name its own.

## When to take vLLM or SGLang instead

When a GPU is to serve many people: they put many requests into one forward. Aide's editors talk to them
directly ([servers](servers.md)), and Ray Serve or any gateway can be in front of them. What you give up: the
same seed then does not promise the same text, and there are no explanations. For some 100 developers on CPUs
({one} requests per second), replicas of Aide's engine do.
"""


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m benchmarks.team.sizes", description=__doc__.split("\n")[0]
    ).parse_args()
    print(page(), end="")
