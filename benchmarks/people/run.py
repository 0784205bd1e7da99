"""What the JSON of every run says about how it came about."""

import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

from benchmarks.machine import command_line, describe


def facts(
    program: str, arguments: list[str] | None, settings: Mapping[str, Any], others: float
) -> dict[str, Any]:
    """Return date, command, machine, and how much of it other programs used at most."""
    return {
        "program": program,
        "date": f"{date.today():%-d %B %Y}",
        "command": command_line(program, sys.argv[1:] if arguments is None else arguments),
        "settings": dict(settings),
        "machine": describe(),
        "others": others,
    }
