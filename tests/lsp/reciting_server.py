"""The real server process with the real completer, on a model that recites, a byte at a time and slowly.

Run as `python reciting_server.py [options of aide-lsp]`. After `total =` it says
` alpha + beta`, after `total = g` `amma`. Each token takes a moment, so that a test can type meanwhile.
"""

import os
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

sys.path.insert(0, str(Path(__file__).parents[2]))

from aide_lsp.lsp.main import main
from tests.fakes import FakeSession, completer_on, continuing

TOKEN_SECONDS = 0.06


def load(settings, progress):
    """Create the completer; report progress as a download does."""
    progress(0.25, "Fetching the model")
    time.sleep(0.3)
    progress(None, "Loading the model")
    session = FakeSession(
        continuing({"total =": " alpha + beta", "total = g": "amma"}),
        on_forward=lambda count: time.sleep(TOKEN_SECONDS),
    )
    return completer_on(session, "reciter")


if __name__ == "__main__":
    # Completions of tests do not belong into the ledger of whoever runs them.
    os.environ.setdefault("AIDE_DATA_DIR", os.environ.get("AIDE_FAKE_DATA_DIR") or mkdtemp())
    sys.exit(main(sys.argv[1:], load))
