"""The real server process with the real completer, on a model that recites, a byte at a time and slowly.

Run as `python reciting_server.py [options of aide-lsp]`. After `total =` it says ` alpha + beta`, after
`total = g` `amma`, below a comment `# lines`, `# long` or `# late` two lines, and below `# broken` a third
one that does not fit. Each token takes a moment, so that a test can type meanwhile. What was prefilled and
completed is logged.
"""

import logging
import os
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

sys.path.insert(0, str(Path(__file__).parents[2]))

from aide_lsp.completion.completer import Completer
from aide_lsp.engines.local import LoadedModel, LocalModel
from aide_lsp.lsp.main import main
from tests.fakes import ByteTokenizer, FakeSession, continuing, description

TOKEN_SECONDS = 0.06
log = logging.getLogger("aide.fake")


class LoggingCompleter(Completer):
    """Logs what is done, also ahead of any request."""

    def complete(self, request, *rest):
        completion = super().complete(request, *rest)
        log.info("completed %s at %d", Path(request.path).name, request.offset)
        return completion

    def prefill(self, request, cancel):
        count = super().prefill(request, cancel)
        log.info("prefilled %s", Path(request.path).name)
        return count


def load(settings, progress):
    """Create the completer; report progress as a download does."""
    progress(0.25, "Fetching the model")
    time.sleep(0.3)
    progress(None, "Loading the model")
    session = FakeSession(
        continuing(
            {
                "total =": " alpha + beta",
                "total = g": "amma",
                "# lines\n": "first = 1\nsecond = 2\n",
                "# long\n": f"first = 1\nsecond = '{'a' * 80}'\n",
                "# one\n": "first = 1\n\n\n\n",
                "# broken\n": "first = 1\nsecond = 2\nthird = (3]\n",
                "# late\n": "the_first_line = 1\nsecond = 2\n",
            }
        ),
        on_forward=lambda count: time.sleep(TOKEN_SECONDS),
    )
    return LoggingCompleter(LocalModel(LoadedModel(ByteTokenizer(), session, description("reciter"))))


if __name__ == "__main__":
    # Completions of tests do not belong into the ledger of whoever runs them.
    os.environ.setdefault("AIDE_DATA_DIR", os.environ.get("AIDE_FAKE_DATA_DIR") or mkdtemp())
    sys.exit(main(sys.argv[1:], load))
