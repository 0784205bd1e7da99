"""The real server process with a fake completer that follows orders in the document it completes.

Run as `python fake_server.py [--fake-load MODE] [options of aide-lsp]`. It loads as MODE says: `when FILE`
once there is that file, `fail` and `crash` raise. The text before the cursor gives orders: `#slow 5` takes
5 s unless canceled, `#deaf` an hour in any case, `#print` prints to stdout from Python and from C, `#child
FILE` starts a process and writes its number, `#decline`, `#crash` and `#session` raise, `#raise NAME` raises
that class, `#empty` is completed with nothing, `#stats` with what happened so far, `#drawn` with seed and
candidate; anything else with `pass  # <number of characters before the cursor>`. `#whole` is in a text that
Num Context holds.
"""

import builtins
import ctypes
import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import mkdtemp

from attrs import evolve

from aide_lsp.completion.model import ModelInfo
from aide_lsp.errors import DeclinedError, ModelError, SessionError
from aide_lsp.lsp.main import main

SLOW, RAISE = re.compile(r"#slow ([\d.]+)"), re.compile(r"#raise (\w+)")


class PanicException(BaseException):
    """What a panic in a Rust library becomes."""


class FakeCompleter:
    """Follows the orders in the text."""

    def __init__(self, model: str) -> None:
        self.info = ModelInfo(
            id=model,
            engine="fake",
            device="cpu",
            device_note="no GPU asked for",
            recipe="exact",
            vocabulary_size=1000,
            context_length=4096,
            runtime="1.0",
        )
        self.count = 0
        self.forgotten = self.freed = 0
        self.ended_early = 0

    def complete(self, request, cancel, observer=None):
        from aide_lsp.completion.request import Completion

        self.count += 1
        before = request.text[: request.offset]
        _obey(self, before, cancel)
        text = "" if "#empty" in before else f"pass  # {len(before)}"
        if "#stats" in before:
            text = f"calls {self.count} early {self.ended_early} forgotten {self.forgotten}"
        options = request.options
        seed = 1000 + self.count if options.parameters.seed is None else options.parameters.seed
        if "#drawn" in before:
            text = f"drawn {seed} {options.candidate}"
        return Completion(
            id=f"completion-{self.count}",
            text=text,
            finish_reason="stop",
            empty_reason=None if text else "nothing-left",
            empty_message=None if text else "The model ended at once.",
            seed=seed,
            parameters=evolve(options.parameters, seed=seed),
            prompt_tokens=100,
            cached_tokens=90,
            generated_tokens=5,
            first_token_ms=10.0,
            total_ms=50.0,
            from_cache=False,
            candidate=options.candidate,
        )

    def reads_all(self, request) -> bool:
        return "#whole" in request.text

    def release_memory(self) -> None:
        self.freed += 1

    def forget(self, request) -> None:
        self.forgotten += 1


def _obey(completer, before, cancel) -> None:
    cancel.check()
    if "#print" in before:
        print("Content-Length: 5\r\n\r\nhello", flush=True)
        ctypes.CDLL(None).puts(b"from C")
        ctypes.CDLL(None).fflush(None)
    if "#child" in before:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        Path(before.removeprefix("#child ")).write_text(str(child.pid))
    if "#decline" in before:
        raise DeclinedError("test-reason", "The fake declines.")
    if "#crash" in before:
        raise RuntimeError(f"secret text {before}")
    if named := RAISE.search(before):
        raise {"PanicException": PanicException, **vars(builtins)}[named[1]](before)
    if "#session" in before:
        raise SessionError("The runtime failed. Restart the server.")
    if slow := SLOW.search(before):
        logging.getLogger("aide.fake").info("slow begins")
        until = time.monotonic() + float(slow[1])
        while time.monotonic() < until:
            if cancel.cancelled:
                completer.ended_early += 1
            cancel.check()
            time.sleep(0.002)
    if "#deaf" in before:
        time.sleep(3600)


def load(mode: str):
    def load_completer(settings, progress):
        progress(None, "Fetching the model")
        progress(0.5, "Fetching the model")
        progress(None, "Loading the model")
        while mode.startswith("when ") and not Path(mode.removeprefix("when ")).exists():
            time.sleep(0.01)
        if mode == "fail":
            raise ModelError("The model cannot be fetched. Check the network and restart the server.")
        if mode == "crash":
            raise ValueError("secret path /home/user")
        return FakeCompleter(settings.model or "fake-model")

    return load_completer


if __name__ == "__main__":
    # Completions of tests do not belong into the ledger of whoever runs them.
    os.environ.setdefault("AIDE_DATA_DIR", os.environ.get("AIDE_FAKE_DATA_DIR") or mkdtemp())
    arguments = sys.argv[1:]
    mode = "ok"
    if arguments[:1] == ["--fake-load"]:
        mode, arguments = arguments[1], arguments[2:]
    sys.exit(main(arguments, load(mode)))
