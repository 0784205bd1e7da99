"""What each person types: traces of the typing benchmark, each in files of its own."""

from collections.abc import Sequence
from random import Random

from aide_lsp.errors import AideError
from benchmarks.typing.sources import Source, module_sources
from benchmarks.typing.trace import Trace, make_trace

MORE_MODULES = (
    "configparser", "csv", "fractions", "gettext", "optparse", "pprint", "shutil", "statistics", "string",
    "tarfile", "zipfile",
)  # fmt: skip
"""Of the standard library, besides those that the typing benchmark types."""
FILES_EACH = 2
LATEST_START_S = 3.0
"""People do not all open their files at the same moment."""


def sources() -> list[Source]:
    """Return Python sources that exist on every machine with Aide."""
    return module_sources() + module_sources(MORE_MODULES)


def make_traces(found: Sequence[Source], people: int, seed: int) -> list[Trace]:
    """Make a trace for each person; no two type in the same file.

    Raises:
        AideError: there are too few files, or one has too little code.
    """
    if len(found) < people:
        raise AideError(f"{people} people need {people} files to type, and there are {len(found)}.")
    each = min(FILES_EACH, len(found) // people)
    chance = Random(f"aide-people-v1:{seed}")
    order = chance.sample(list(found), len(found))
    return [
        make_trace(order[each * person : each * (person + 1)], seed * 100 + person)
        for person in range(people)
    ]


def starts(people: int, seed: int) -> list[float]:
    """Return how many seconds after the others' beginning each person begins."""
    chance = Random(f"aide-people-starts-v1:{seed}")
    return [round(chance.uniform(0, LATEST_START_S), 3) for _ in range(people)]
