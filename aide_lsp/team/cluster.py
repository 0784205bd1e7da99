"""Runs Ray on this machine for as long as the command runs, and serves what `serve.yaml` says.

On a cluster, Ray runs already, and `serve deploy serve.yaml` does this. Call
`loopback.prepare` before you import this module.
"""

import logging
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import ray
from ray import serve
from ray.serve._private.api import serve_start

from aide_lsp.errors import AideError
from aide_lsp.team.config import TeamConfig, read_config

OBJECT_STORE_BYTES = 80_000_000
"""Ray's least. Nothing is stored there: texts travel in messages."""
START_ATTEMPTS = 3
"""Ray gives some of its processes 15 seconds to start, whatever else the machine has to do."""
POLL_SECONDS = 0.5
Say = Callable[[str], object]


class ClusterError(AideError):
    """Ray did not start, or a model did not."""


def run(file: Path, config: TeamConfig, say: Say) -> int:
    """Serve until a signal comes; return the exit status. On SIGHUP, read the file again, and apply it.

    Raises:
        ClusterError: it could not be started.
    """
    signals = SimpleQueue[int]()
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    with _local_ray() as logs:
        client = serve_start(
            http_options=config.schema.http_options.model_dump(), proxy_location=config.schema.proxy_location
        )
        with _caught(signals):
            try:
                client.deploy_apps(config.schema)
                if not _wait(signals, logs):
                    return 0
                say(f"Aide serves with {_count(config)} at {config.url}")
                while signals.get() == getattr(signal, "SIGHUP", None):
                    _apply(client, file, say)
            finally:
                # Replicas end what they generate, as long as graceful_shutdown_timeout_s allows.
                # What Ray says of its own end is not for users.
                with redirect_stderr(StringIO()):
                    serve.shutdown()
    return 0


def _apply(client: Any, file: Path, say: Say) -> None:
    """Change what is served to what the file says now: one replica after the other."""
    try:
        config = read_config(file)
    except AideError as error:
        say(f"{error} Everything stays as it was.")
        return
    client.deploy_apps(config.schema)
    say(f"Applying {file}: replicas are replaced one after the other.")


@contextmanager
def _local_ray() -> Iterator[Path]:
    """Start Ray on this machine only; stop it in the end."""
    # Ray makes its folders readable for everyone; nobody gets into this one.
    with tempfile.TemporaryDirectory(prefix="aide-", ignore_cleanup_errors=True) as folder:
        _start(folder)
        try:
            yield Path(folder, "session_latest", "logs")
        finally:
            ray.shutdown()


def _start(folder: str) -> None:
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            ray.init(
                address="local",
                namespace="serve",
                include_dashboard=False,
                object_store_memory=OBJECT_STORE_BYTES,
                log_to_driver=False,
                logging_level="ERROR",
                _temp_dir=folder,
            )
            return
        except Exception as error:
            ray.shutdown()
            if attempt == START_ATTEMPTS:
                raise ClusterError(f"Ray did not start ({type(error).__name__}): {error}") from error


def _wait(signals: "SimpleQueue[int]", logs: Path) -> bool:
    """Wait until all models are loaded; return False if a signal came first.

    Raises:
        ClusterError: one cannot be loaded.
    """
    while True:
        found = serve.status().applications
        for name, application in found.items():
            if application.status in ("DEPLOY_FAILED", "UNHEALTHY"):
                reasons = [application.message, *(one.message for one in application.deployments.values())]
                raise ClusterError(f"{name} could not be started: {_reason(reasons)}")
        if found and all(application.status == "RUNNING" for application in found.values()):
            return True
        try:
            return signals.get(timeout=POLL_SECONDS) < 0
        except Empty:
            continue


def _reason(messages: list[str]) -> str:
    """Return the last line of what Ray says, which names the error."""
    lines = [line.strip() for message in messages for line in message.splitlines() if line.strip()]
    errors = [line for line in lines if "Error: " in line]
    return (errors or lines or ["for an unknown reason"])[-1]


def _count(config: TeamConfig) -> str:
    paths = list(config.models)
    return "one model" if len(paths) == 1 else f"{len(paths)} models ({', '.join(paths)})"


@contextmanager
def _caught(signals: "SimpleQueue[int]") -> Iterator[None]:
    """Queue the signals that end the server or let it read its file again."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda got, frame: signals.put(got)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
