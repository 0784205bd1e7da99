"""What people on one machine may type against: Aide with one engine or with one each, llama.cpp's server."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import psutil

from benchmarks.people.processes import CpuTime, memory_bytes, with_variable
from benchmarks.typing.editor import EditorEngine
from benchmarks.typing.llama_server import LlamaServerEngine
from benchmarks.typing.lsp_client import OWN_SERVER
from benchmarks.typing.replay import Engine

RUN_FOLDER = "XDG_RUNTIME_DIR"
"""The engine that editors share has its socket there, so that another folder means another engine."""
ENDING_SECONDS = 10


class System(Protocol):
    """A way to serve several people."""

    name: str

    @property
    def server(self) -> str:
        """Name and version that it reports."""
        ...

    async def serve(self, people: int) -> Sequence[Engine]:
        """Start what this many people need; return an engine for each, which is ready."""
        ...

    def pids(self) -> list[int]:
        """Return the ids of its processes."""
        ...

    def cpu_seconds(self) -> float:
        """CPU seconds of its processes."""
        ...

    async def stop(self) -> None:
        """End it."""
        ...


class AideSystem:
    """Aide's language server for each person, with the engine that the settings name."""

    def __init__(self, name: str, settings: dict[str, Any], folder: Path) -> None:
        self.name, self._settings, self._folder = name, settings, folder
        self._run = folder / "run"
        self._run.mkdir(parents=True, mode=0o700)
        self.editors: list[EditorEngine] = []
        self.env = {**os.environ, RUN_FOLDER: str(self._run)}
        self._time = CpuTime()

    @property
    def server(self) -> str:
        """See `System`."""
        return self.editors[0].server

    async def serve(self, people: int) -> list[EditorEngine]:
        """See `System`."""
        while len(self.editors) < people:
            await self.start(self.another())
        self._time.know(self.pids())
        return self.editors[:people]

    def another(self) -> EditorEngine:
        """Return an editor of another person, which is not started."""
        folder = self._folder / f"person-{len(self.editors) + 1}"
        folder.mkdir()
        # Before it is started, so that a server that never answers is ended too.
        self.editors.append(EditorEngine(self.name, self._settings, folder))
        return self.editors[-1]

    async def start(self, editor: EditorEngine) -> None:
        """Start an editor, and wait until its first answer."""
        await editor.start(OWN_SERVER, self.env)

    def pids(self) -> list[int]:
        """See `System`."""
        return with_variable(RUN_FOLDER, str(self._run))

    def engine_pids(self) -> list[int]:
        """Return the processes that are no editor's server, which is the engine if there is one."""
        servers = {editor.pid for editor in self.editors}
        return [pid for pid in self.pids() if pid not in servers]

    def cpu_seconds(self) -> float:
        """See `System`."""
        return self._time.seconds()

    def cpu_seconds_of_new_ones_too(self) -> float:
        """Look for processes first, which takes as long as a key may be late."""
        self._time.know(self.pids())
        return self._time.seconds()

    async def stop(self) -> None:
        """See `System`."""
        for editor in self.editors:
            await editor.stop()
        end([psutil.Process(pid) for pid in self.pids() if psutil.pid_exists(pid)])


class LlamaSystem:
    """llama.cpp's server with a slot for each person, asked as llama.vim asks it."""

    def __init__(self, name: str, program: Path, model: Path, threads: int) -> None:
        self.name, self._program, self._model, self._threads = name, program, model, threads
        self._people: list[LlamaServerEngine] = []

    @property
    def server(self) -> str:
        """See `System`."""
        return self._people[0].server

    async def serve(self, people: int) -> list[LlamaServerEngine]:
        """See `System`."""
        if len(self._people) != people:
            await self.stop()
            first = LlamaServerEngine(self.name)
            self._people = [first]
            await first.start(self._program, self._model, self._threads, slots=people)
            self._people += [first.another(self.name) for _ in range(people - 1)]
        return self._people

    def pids(self) -> list[int]:
        """See `System`."""
        return [self._people[0].pid]

    def cpu_seconds(self) -> float:
        """See `System`."""
        return self._people[0].cpu_seconds()

    async def stop(self) -> None:
        """See `System`."""
        for person in self._people[::-1]:
            await person.stop()
        self._people = []


def end(processes: Sequence[psutil.Process]) -> None:
    """End processes that this program has caused, kindly at first."""
    for process in processes:
        if process.is_running():
            process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(processes, ENDING_SECONDS)
    for process in alive:
        process.kill()


def megabytes(system: System) -> float:
    """Return the memory of all processes of a system."""
    return memory_bytes(system.pids()) / 1e6
