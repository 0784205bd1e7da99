"""The real server process with the real completer, on a model of random logits whose session fails on order.

Run as `python faulty_server.py [options of aide-lsp]`. The first N forwards of a text with an order fail,
whichever session runs them: `#fail N` as CUDA does, `#short N` for want of memory, `#hang N` gives no result
until it is ended (which it is soon: ticks are short), `#freeze N` not even then, `#compute N` takes a core
for a second. The session says it is on a GPU unless the CPU is asked for;
with `#load` in the text it cannot be loaded on the GPU after that.
"""

import logging
import os
import re
import sys
import time
from pathlib import Path
from tempfile import mkdtemp
from threading import Event

sys.path.insert(0, str(Path(__file__).parents[2]))

from aide_lsp.completion.completer import Completer
from aide_lsp.engines.local import LoadedModel, LocalModel
from aide_lsp.errors import SessionError
from aide_lsp.inference import forward_watch
from aide_lsp.lsp.main import main
from tests.fakes import ByteTokenizer, FakeSession, babbling, description

ORDER = re.compile(rb"#(fail|short|hang|freeze|compute) (\d+)")
failed: dict[bytes, int] = {}
log = logging.getLogger("aide.fake")
gpu_is_gone = False


class FaultySession(FakeSession):
    """Fails where the text says so."""

    def forward(self, ids, past, logit_rows, cancel):
        global gpu_is_gone
        text = bytes(i for i in [*self.held[:past], *ids] if i < 256)
        order = ORDER.search(text)
        if order and failed.get(order[0], 0) < int(order[2]):
            failed[order[0]] = failed.get(order[0], 0) + 1
            gpu_is_gone = gpu_is_gone or b"#load" in text
            getattr(self, order[1].decode())(cancel)
        return super().forward(ids, past, logit_rows, cancel)

    def fail(self, cancel):
        raise RuntimeError("CUDA failure 700: an illegal memory access was encountered")

    def short(self, cancel):
        raise RuntimeError("std::bad_alloc")

    def hang(self, cancel):
        ended = Event()
        with cancel.watch(ended.set):
            ended.wait()
        cancel.check()
        raise RuntimeError("Exiting due to terminate flag being set to true.")

    def compute(self, cancel):
        until = time.thread_time() + 1.0
        while time.thread_time() < until:
            pass

    def freeze(self, cancel):
        while True:
            time.sleep(1)


class LoggingCompleter(Completer):
    """Logs the seed of each try."""

    def complete(self, request, cancel, *rest):
        log.info("seed %s", request.options.drawn_seed)
        return super().complete(request, cancel, *rest)


def load(settings, progress):
    """Make the completer."""
    log.info("loading for %s", settings.provider)
    if gpu_is_gone and settings.provider != "cpu":
        raise SessionError("No CUDA device is available.")
    session = FaultySession(babbling())
    session.provider = "cpu" if settings.provider == "cpu" else "cuda"
    return LoggingCompleter(LocalModel(LoadedModel(ByteTokenizer(), session, description("faulty"))))


if __name__ == "__main__":
    # Completions of tests do not belong into the ledger of whoever runs them.
    os.environ.setdefault("AIDE_DATA_DIR", os.environ.get("AIDE_FAKE_DATA_DIR") or mkdtemp())
    # Not shorter: on a busy machine, a forward that does not hang takes many times as long as alone.
    forward_watch.TICK_SECONDS = 0.15
    sys.exit(main(sys.argv[1:], load))
