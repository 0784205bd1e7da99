"""A server whose model says the same each time, slowly, so that a test sees what is shown meanwhile."""

import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIRST, WHOLE = "first = 1", "first = 1\nsecond = 2"
"""Below a line `# lines`: what is shown first, and all."""
LATE_FIRST, LATE_WHOLE = "the_first_line = 1", "the_first_line = 1\nsecond = 2"
"""Below `# late`, the first line takes longer than VS Code waits."""


def reciting_server(folder):
    """Write the program into a folder."""
    program = Path(folder) / "aide-lsp"
    command = shlex.join([sys.executable, str(ROOT / "tests" / "lsp" / "reciting_server.py")])
    program.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program
