"""A Ray cluster of two nodes on this machine, as docs/team.md has it, on loopback addresses of their own."""

import os
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import psutil
from attrs import frozen

from tests.patience import PATIENCE
from tests.team.team_server import SECONDS, name_of, short_folder

HEAD, WORKER = "127.0.0.2", "127.0.0.3"
RAY_TOKEN = "a-token-that-all-nodes-of-these-tests-have"
BIN = Path(sys.executable).parent
START_ATTEMPTS = 4
"""Ray gives some of its processes 15 seconds to start, whatever else the machine has to do."""


@frozen
class Cluster:
    """Two nodes that run."""

    folder: Path
    dashboard: int
    ports: tuple[int, int]
    "Of the proxies of both nodes."

    def deploy(self, file, **env):
        """Run `serve deploy`; return the finished process."""
        command = [BIN / "serve", "deploy", str(file), "--address", f"http://127.0.0.1:{self.dashboard}"]
        return subprocess.run(command, env=environment() | env, capture_output=True, text=True, check=False)

    def kill_worker(self):
        """End all processes of the second node at once, as if its machine lost its power."""
        end_all(short_folder(self.folder), WORKER)

    def ray_status(self, path, token=None):
        """Return the status of Ray's own server, which lets those with its token run code."""
        with closing(HTTPConnection("127.0.0.1", self.dashboard, timeout=SECONDS)) as connection:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request("GET", path, headers=headers)
            return connection.getresponse().status


def environment():
    """What the page says has to be set on each machine."""
    return os.environ | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": RAY_TOKEN,
        "RAY_USAGE_STATS_ENABLED": "0",
    }


@contextmanager
def two_nodes(folder):
    """Start them; stop them in the end."""
    temporary = short_folder(folder)
    gcs, dashboard, first, second = free_ports(4)
    try:
        head = ["--head", f"--port={gcs}", f"--dashboard-port={dashboard}", f"--temp-dir={temporary}"]
        start(temporary, HEAD, head)
        start(temporary, WORKER, [f"--address={HEAD}:{gcs}"], RAY_SERVE_WORKER_PROXY_HTTP_PORT=str(second))
        yield Cluster(folder, dashboard, (first, second))
    finally:
        end_all(temporary)
        shutil.rmtree(temporary, ignore_errors=True)


def start(temporary, address, options, **env):
    """Run `ray start` for one node."""
    command = [BIN / "ray", "start", f"--node-ip-address={address}", *options]
    command += ["--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats"]
    for _ in range(START_ATTEMPTS):
        # A file: what it starts keeps its output open.
        with (temporary / address).open("w+") as log:
            if not subprocess.run(command, env=environment() | env, stdout=log, stderr=log).returncode:
                return
        # It has left some processes.
        end_all(temporary, "" if address == HEAD else address)
    raise AssertionError((temporary / address).read_text())


def end_all(temporary, address=""):
    """End what Ray has started with this folder, at this address."""
    found = []
    for one in psutil.process_iter():
        name = name_of(one)
        if str(temporary) in name and address in name and one.pid != os.getpid():
            with suppress(psutil.Error):
                found += [one, *one.children(recursive=True)]
    for one in found:
        with suppress(psutil.Error):
            one.kill()
    psutil.wait_procs(found, timeout=PATIENCE)


def free_ports(count):
    """Return ports that nobody uses, none of which Ray gives to its workers."""
    with ExitStack() as held:
        found = []
        while len(found) < count:
            free = held.enter_context(socket.socket())
            free.bind(("127.0.0.1", 0))
            if not 10000 <= free.getsockname()[1] < 20000:
                found.append(free.getsockname()[1])
        return found
