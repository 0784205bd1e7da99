"""A team server in processes of its own, on this machine."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from secrets import token_urlsafe
from tempfile import TemporaryDirectory

import psutil
import yaml
from attrs import frozen

from aide_lsp.errors import AideError

START_SECONDS = 180


@frozen
class TeamProcess:
    """A server that runs."""

    process: "subprocess.Popen[bytes]"
    url: str
    token: str
    file: Path
    seconds: float
    "From the command until all replicas were loaded."

    def replicas(self) -> list[psutil.Process]:
        """Return the processes of replicas, the oldest first."""
        own = [one for one in self.processes() if "ray::ServeReplica" in _name(one)]
        return sorted(own, key=lambda one: one.pid)

    def processes(self) -> list[psutil.Process]:
        """Return all processes of it."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def memory_mb(self) -> dict[str, float]:
        """Return its memory without pages that are shared (PSS) if possible: replicas, and all else."""
        replicas = {one.pid for one in self.replicas()}
        sums = {"replicas": 0.0, "ray": 0.0}
        for one in self.processes():
            used = one.memory_full_info()
            size = getattr(used, "pss", used.uss) / 1e6
            sums["replicas" if one.pid in replicas else "ray"] += size
        return sums

    def change(self, scaling: Mapping[str, object] | None = None, **args: object) -> None:
        """Change what the file says of the model, and of the number of replicas, and have it applied."""
        data = yaml.safe_load(self.file.read_text(encoding="utf-8"))
        data["applications"][0]["args"] |= args
        data["applications"][0]["deployments"][0]["autoscaling_config"] |= scaling or {}
        self.file.write_text(yaml.safe_dump(data), encoding="utf-8")
        self.process.send_signal(signal.SIGHUP)


@contextmanager
def team_server() -> Iterator[TeamProcess]:
    """Start a server with two replicas of the default model, one thread each; stop it in the end.

    Raises:
        AideError: it does not start.
    """
    # Ray is only in the environment of `make test-team`.
    from aide_lsp.team.config import EXAMPLE

    with TemporaryDirectory(prefix="aide-team-") as name, socket.socket() as free:
        folder, token = Path(name), token_urlsafe(24)
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        data = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
        data["http_options"]["port"] = port
        data["applications"][0]["args"]["token_file"] = str(folder / "token")
        (folder / "token").write_text(token, encoding="ascii")
        (folder / "token").chmod(0o600)
        (folder / "serve.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
        command = [sys.executable, "-m", "aide_lsp", "serve", "--ray", "--config", str(folder / "serve.yaml")]
        began = time.perf_counter()
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            until(lambda: "Aide serves" in (folder / "log").read_text() or process.poll() is not None)
            if process.poll() is not None:
                raise AideError((folder / "log").read_text())
            url, seconds = f"http://127.0.0.1:{port}", time.perf_counter() - began
            yield TeamProcess(process, url, token, folder / "serve.yaml", seconds)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(120)


def until(condition: Callable[[], object], seconds: float = START_SECONDS) -> float:
    """Wait until something is true; return how many seconds that took.

    Raises:
        AideError: it did not happen.
    """
    began = time.perf_counter()
    while not condition():
        if time.perf_counter() - began > seconds:
            raise AideError(f"It did not happen within {seconds:.0f} seconds.")
        time.sleep(0.05)
    return time.perf_counter() - began


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
