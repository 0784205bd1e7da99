"""Converts a GGUF file into a model folder, in a child process.

`worker` does the work in its own process, so that its memory is returned and a crash or an out-of-memory kill
is harmless. It writes into a temporary folder next to the destination, which is renamed at the end, so that
an incomplete folder is never seen.
"""

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import IO, Any

from aide_lsp.errors import ConversionError
from aide_lsp.progress import Progress

WORKER = "aide_lsp.convert.worker"


def convert(
    source: Path,
    destination: Path,
    model: Mapping[str, Any],
    recipe: str = "exact",
    progress: Progress | None = None,
) -> Path:
    """Convert `source` into the folder `destination` and return it.

    `model` has `id`, `fim` (name or None), `end_tokens` (strings) and `source_sha256`. A destination that is
    complete and intact is kept. One conversion per destination runs at a time; others wait for it.

    Raises ConversionError if the file cannot be converted or the work was interrupted.
    """
    from filelock import FileLock

    destination.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(destination.with_name(f".{destination.name}.lock")):
        # The process that held the lock may have done the work.
        if _is_finished(destination, model, recipe):
            return destination
        _remove_leftovers(destination)
        # In the same folder, because a rename works only within one file system.
        partial = Path(
            tempfile.mkdtemp(prefix=f".{destination.name}.", suffix=".partial", dir=destination.parent)
        )
        try:
            job = {"source": str(source), "folder": str(partial), "model": dict(model), "recipe": recipe}
            run_worker(WORKER, job, progress or (lambda *_: None))
            _replace(partial, destination)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return destination


def _is_finished(destination: Path, model: Mapping[str, Any], recipe: str) -> bool:
    from aide_lsp.convert.manifest import CardFacts, holds

    return holds(destination, CardFacts(**model), recipe)


def _remove_leftovers(destination: Path) -> None:
    """Remove what a killed conversion left; the lock guarantees that none is running."""
    for path in destination.parent.glob(f".{destination.name}.*.partial*"):
        shutil.rmtree(path, ignore_errors=True)


def _replace(partial: Path, destination: Path) -> None:
    if destination.is_dir():
        shutil.rmtree(destination)
    else:
        destination.unlink(missing_ok=True)
    partial.rename(destination)


def run_worker(module: str, job: Mapping[str, Any], progress: Progress) -> Any:
    """Run `python -m module` with `job` as JSON, and return its result.

    The worker writes JSON lines: {"progress", "step"}, then {"result"} or {"error"}. Its standard input stays
    open while this process lives; the worker ends when it closes.
    """
    # -P: the current folder may be an untrusted project with modules of the same names.
    command = [sys.executable, "-P", "-m", module]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    last: deque[str] = deque(maxlen=1)
    with subprocess.Popen(command, **pipes, text=True, encoding="utf-8", errors="replace") as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        assert worker.stderr is not None
        # Read continuously: a full pipe would block the worker.
        complaints = Thread(target=last.extend, args=(filter(str.strip, worker.stderr),))
        complaints.start()
        try:
            # The worker has ended; its answer or its exit code says why.
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.write(json.dumps(job) + "\n")
                worker.stdin.flush()
            answer = _listen(worker.stdout, progress)
        finally:
            # Otherwise `wait` would last until the conversion is complete.
            if sys.exc_info()[0] is not None:
                worker.kill()
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.close()
            worker.wait()
            complaints.join()
        return _result(answer, worker.returncode, last[0].strip() if last else "no message")


def _listen(lines: IO[str], progress: Progress) -> Mapping[str, Any]:
    for line in lines:
        message: dict[str, Any] = json.loads(line)
        if "progress" not in message:
            return message
        progress(message["progress"], message["step"])
    return {}


def _result(answer: Mapping[str, Any], code: int, complaint: str) -> Any:
    if "result" in answer:
        return answer["result"]
    if "error" in answer:
        raise ConversionError(answer["error"])
    # How Linux ends a process when memory runs out.
    if -code == signal.SIGKILL:
        raise ConversionError(
            "The conversion was killed, probably because memory ran out. Free some memory and try again."
        )
    raise ConversionError(f"The conversion failed with exit code {code}: {complaint}")
