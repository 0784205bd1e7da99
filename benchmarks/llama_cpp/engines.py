"""Worker processes, one for each engine: start, request, stop."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from attrs import frozen

ROOT = Path(__file__).parents[2]


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
        """End the process."""
        self._process.kill()
        self._process.communicate()
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


def aide_spec(folder: Path) -> EngineSpec:
    """Describe Aide on a converted model."""
    recipe = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["recipe"]
    return EngineSpec(f"Aide {recipe}", "benchmarks.llama_cpp.aide_worker", sys.executable, folder)
