"""What the JSON of every run says about how it came about."""

import shlex
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

from benchmarks.machine import describe


def facts(
    program: str, arguments: list[str] | None, settings: Mapping[str, Any], others: float
) -> dict[str, Any]:
    """Return date, command, machine, and how much of it other programs used at most."""
    return {
        "program": program,
        "date": f"{date.today():%-d %B %Y}",
        "command": shlex.join(["python", "-m", program, *(sys.argv[1:] if arguments is None else arguments)]),
        "settings": dict(settings),
        "machine": describe(),
        "others": others,
    }
