"""The real server process with the real completer, on a model of random logits with bytes as tokens.

Run as `python babbling_server.py [options of aide-lsp]`.
"""

import os
import sys
from pathlib import Path
from tempfile import mkdtemp

sys.path.insert(0, str(Path(__file__).parents[2]))

from aide_lsp.lsp.main import main
from tests.fakes import FakeSession, babbling, completer_on


def load(settings, progress):
    """Make the completer; a text with `#hold` is never read to its end."""
    session = FakeSession(babbling())

    def look(count: int) -> None:
        # Without the sign: another prompt may begin with one too, and it is not run twice.
        session.hold = bytes(i for i in session.forwards[-1][0] if i < 256).lstrip(b"#").startswith(b"hold")

    session.on_forward = look
    return completer_on(session, "babbler")


if __name__ == "__main__":
    # Completions of tests do not belong into the ledger of whoever runs them.
    os.environ.setdefault("AIDE_DATA_DIR", os.environ.get("AIDE_FAKE_DATA_DIR") or mkdtemp())
    sys.exit(main(sys.argv[1:], load))
