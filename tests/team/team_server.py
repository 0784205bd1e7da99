"""A team server with the real model and a small one, in processes of its own, and its clients."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager, nullcontext
from copy import deepcopy
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread

import psutil
import yaml
from attrs import frozen

from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.remote.open import open_remote_model
from aide_lsp.engines.shared.client import EngineClient
from aide_lsp.engines.shared.model import SharedModel
from aide_lsp.engines.shared.wire import from_options, from_prompt
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.server_address import server_address
from aide_lsp.settings.fields import Parameters
from aide_lsp.team.config import EXAMPLE
from tests.patience import PATIENCE
from tests.tiny_model import tiny_gguf

TOKEN = "the-token-of-these-tests"
SMALL = "/small"
START_SECONDS = 240
SECONDS = 120
"""No test waits for longer; most wait for far less."""


@frozen
class TeamServer:
    """A server that runs."""

    process: subprocess.Popen
    port: int
    file: Path
    log: Path

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method="GET", path="/aide/v1/engine", body=None, *, token=TOKEN, session="", under="", **headers
    ):
        """Send one request on a connection of its own; return status, headers and body."""
        path = under + path
        connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if session:
            headers["X-Session-Id"] = session
        try:
            connection.request(method, path, body if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def lines(self, session, text, under="", **options):
        """Return the lines of a generation, without how long it took."""
        status, headers, body = self.ask(
            "POST", "/aide/v1/generate", generation(text, **options), session=session, under=under
        )
        assert status == 200, body
        return headers, [line | {"timings": None} for line in map(json.loads, body.splitlines())]

    def counted(self, session, name="aide_requests_total", under=""):
        """Return a figure of the replica that a session is kept at, summed over its labels."""
        text = self.ask(path="/metrics", session=session, under=under)[2].decode()
        return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name))

    def model(self, session, restarts=1):
        """Return the model as an editor has it."""
        headers = {"X-Session-Id": session}
        client = EngineClient(Connection(server_address(self.url), TOKEN, headers))
        info = client.look(CancelToken()).info
        return SharedModel(client, info, lambda sent: nullcontext(), restarts=restarts)

    def remote(self, under=""):
        """Return the model as an editor has it that knows nothing but the address."""
        return open_remote_model(ServerChoice(server_address(self.url + under), key=TOKEN))

    def apply(self, **changes):
        """Write the file with changes, and have it applied."""
        write_config(self.file, self.port, **changes)
        self.process.send_signal(signal.SIGHUP)

    def processes(self):
        """Return this process and all that it has started."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def replicas(self, of="default"):
        """Return the processes of a model's replicas, the oldest first."""
        found = [one for one in self.processes() if f"ray::ServeReplica:{of}:" in name_of(one)]
        return sorted(found, key=lambda one: (one.create_time(), one.pid))

    def two_sessions(self, under=""):
        """Return two sessions that different replicas answer."""
        first = "session-0"
        for number in range(1, 64):
            before = self.counted(first, under=under)
            self.lines(f"session-{number}", "x", under, max_tokens=1)
            if self.counted(first, under=under) == before:
                return first, f"session-{number}"
        raise AssertionError("all sessions are at one replica")


def name_of(process):
    """Return a process's title; empty: it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def generation(text, **options):
    """Return the body of a request for a text."""
    return {
        "prompt": from_prompt(prompt_of(text)),
        "options": from_options(options_of(**options)),
        "traces": False,
    }


def prompt_of(text):
    return Prompt((PromptPart(PartKind.PREFIX, text), PromptPart(PartKind.SUFFIX, "\n")), document="a.py")


def options_of(seed=7, max_tokens=24, temperature=0.7):
    return GenerationOptions(Parameters(seed=seed, temperature=temperature), max_tokens=max_tokens)


def generated(model, text, **options):
    """Return what a model generates for a text."""
    with closing(model.generate(prompt_of(text), options_of(**options), CancelToken())) as generation:
        return "".join(generation)


class Work:
    """Clients that ask again and again, each in a thread of its own."""

    def __init__(self, ask):
        """`ask`: called with a client's name; returns what it was told."""
        self.found, self.failed = [], []
        self._ask, self._threads, self._counts, self._is_over = ask, [], {}, Event()

    def start(self, names):
        """Let clients of these names begin."""
        for name in names:
            self._counts[name] = 0
            self._threads.append(Thread(target=self._run, args=(name,)))
            self._threads[-1].start()

    def stop(self):
        """Let them end what they ask."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, answers):
        """Wait until each client has had so many more answers, or one has failed."""
        before = dict(self._counts)
        until(lambda: self.failed or all(self._counts[one] >= before[one] + answers for one in before))

    def _run(self, name):
        try:
            while not self._is_over.is_set():
                self.found.append(self._ask(name))
                self._counts[name] += 1
        except BaseException as error:
            self.failed.append(repr(error))


@contextmanager
def working(ask):
    """Give clients; stop them in the end."""
    work = Work(ask)
    try:
        yield work
    finally:
        work.stop()


def write_config(file, port, *, small=None, scaling=None, **args):
    """Write the example as a user would change it, with a second model at `/small`.

    `small` and `scaling`: the `args` and the `autoscaling_config` of the second one that differ.
    """
    data = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    data["http_options"]["port"] = port
    token = {"token_file": str(file.with_name("token"))}
    data["applications"][0]["args"] |= token | args
    # These tests need no room for more.
    data["applications"][0]["deployments"][0]["ray_actor_options"]["num_cpus"] = 0.3
    other = deepcopy(data["applications"][0]) | {"name": "small", "route_prefix": SMALL}
    other["args"] = token | {"model": "small", "threads": 1} | (small or {})
    options = other["deployments"][0]
    options["autoscaling_config"] |= {"min_replicas": 1, "max_replicas": 1} | (scaling or {})
    data["applications"].append(other)
    file.write_text(yaml.safe_dump(data), encoding="utf-8")


def add_small_model(folder):
    """Add the second model, with random weights, as a user does."""
    tiny_gguf(folder / "small.gguf")
    command = [sys.executable, "-m", "aide_lsp", "models", "add", str(folder / "small.gguf")]
    subprocess.run([*command, "--yes", "--no-test"], check=True, capture_output=True)


@contextmanager
def running(folder):
    """Start a server with two replicas; stop it in the end."""
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    file, log = folder / "serve.yaml", folder / "log"
    write_config(file, port)
    command = [sys.executable, "-m", "aide_lsp", "serve", "--ray", "--yes", "--config", str(file)]
    env = os.environ | {"TMPDIR": str(short_folder(folder))}
    with log.open("w") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env=env, start_new_session=True)
    server = TeamServer(process, port, file, log)
    try:
        until(lambda: "Aide serves" in log.read_text() or process.poll() is not None, START_SECONDS)
        assert process.poll() is None, log.read_text()
        yield server
    finally:
        left = server.processes() if process.poll() is None else []
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(SECONDS)
        psutil.wait_procs(left, timeout=PATIENCE)
        for one in left:
            if one.is_running():
                one.kill()
        shutil.rmtree(short_folder(folder), ignore_errors=True)


def short_folder(folder):
    """Return where temporary files of the server are: the paths of sockets are short."""
    found = Path("/tmp") / f"at-{os.getpid()}-{folder.name[-12:]}"
    found.mkdir(mode=0o700, exist_ok=True)
    return found


def until(condition, seconds=SECONDS):
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)
    return found
