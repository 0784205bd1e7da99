"""Worker processes, one for each engine: start, request, stop."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).parents[2]
STOP_SECONDS = 10


@frozen
class EngineSpec:
    """What one engine is."""

    name: str
    "Its name in the table."
    module: str
    python: str
    "Python that has the engine."
    model: Path
    "A GGUF file or a model folder."


class EngineError(Exception):
    """A worker cannot start or answered with an error."""


class Worker:
    """A running worker. Use as a context manager."""

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        # Without the script's own folder on the path: `import llama_cpp` must find the library.
        command = [spec.python, "-P", "-m", spec.module]
        # The other Python does not have this repository on its path.
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        # A file, not a pipe: a pipe that no one reads would stop a talkative engine.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._process = subprocess.Popen(
            command,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process: by closing its standard input, so that it can end what it has started."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def ask(self, do: str, **message: Any) -> dict[str, Any]:
        """Send one message and wait for its answer.

        Raises:
            EngineError: the worker ended or answered with an error.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **message}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise EngineError(f"{self.spec.name} ended without an answer:\n{self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise EngineError(f"{self.spec.name} cannot {do}: {answer['error']}")
        return answer

    def _last_words(self) -> str:
        self._process.kill()
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return "\n".join(lines[-5:])


def llama_spec(python: str, model: Path) -> EngineSpec:
    """Describe llama.cpp on a GGUF file."""
    return EngineSpec("llama.cpp", "benchmarks.llama_cpp.llama_worker", python, model)


def server_spec(program: Path, model: Path) -> EngineSpec:
    """Describe llama.cpp's own server, a program, on a GGUF file."""
    os.environ["LLAMA_SERVER"] = str(program)
    return EngineSpec("llama.cpp", "benchmarks.llama_cpp.server_worker", sys.executable, model)


def aide_spec(folder: Path) -> EngineSpec:
    """Describe Aide on a converted model."""
    recipe = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["recipe"]
    return EngineSpec(f"Aide {recipe}", "benchmarks.llama_cpp.aide_worker", sys.executable, folder)
