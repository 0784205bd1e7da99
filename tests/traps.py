"""Two traps that see what a process and its children do: strace, and a network namespace without any network.

Each wraps a command and reports what the command must not do: use the internet, look up a name, create a file
that is not Aide's. strace sees every system call. The namespace needs only util-linux and sees less: the
kernel counts packets that have no route (IPv4, which includes queries to name servers), and new files are
found in the home folder only.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from tools.generate.pages import REPOSITORY

MAKING = (
    *("open", "openat", "openat2", "creat", "mkdir", "mkdirat", "mknod", "mknodat", "truncate"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"),
)
"""System calls that may make or change a file."""
# strace sees nothing of what goes through io_uring.
CALLS = ("%network", "io_uring_setup", *MAKING)
NAME_LOOKUP = {"/etc/resolv.conf", "/etc/hosts", "/etc/gai.conf"}


@frozen
class Call:
    """A system call that did not fail."""

    name: str
    arguments: str

    @property
    def paths(self) -> list[str]:
        """The paths it names, made absolute: strace writes a folder's path after its number."""
        found = re.findall(r'(?:[\w-]+<([^>]*)>, )?"([^"]*)"', self.arguments)
        return [os.path.normpath(Path(folder, path)) for folder, path in found]

    @property
    def makes(self) -> bool:
        """Whether it makes a file or opens one to write."""
        opens = self.name.startswith("open")
        return self.name in MAKING and (
            not opens or bool(re.search(r"O_(WRONLY|RDWR|CREAT)", self.arguments))
        )

    @property
    def leads_out(self) -> bool:
        """Whether it makes a socket that leads out of this machine, or connects any."""
        inside = self.arguments.startswith("AF_UNIX")
        return self.name in ("connect", "bind", "io_uring_setup") or (self.name == "socket" and not inside)


class Strace:
    """Every system call of every process."""

    name = "strace"
    blind_to = ""

    def command(self, trace: Path, command: list[str]) -> list[str]:
        """Return the command that runs `command` in the trap."""
        calls = ",".join(f"?{call}" for call in CALLS)
        options = [
            "-ff",
            "--seccomp-bpf",
            "-qq",
            "-y",
            "-s",
            "4096",
            "-e",
            f"trace={calls}",
            "-o",
            str(trace),
        ]
        return ["strace", *options, *command]

    def offences(self, traces: Path, home: Path) -> Iterator[str]:
        """Name what was done that must not be."""
        for trace in traces.iterdir():
            for call in calls_in(trace.read_text("utf-8", "replace")):
                foreign = call.makes and any(not is_own(Path(path), home) for path in call.paths)
                if call.leads_out or foreign or NAME_LOOKUP.intersection(call.paths):
                    yield f"{trace.name}: {call.name}({call.arguments})"


class Namespace:
    """Counters of a network that leads nowhere, and the home folder."""

    name = "namespace"
    blind_to = "connects in IPv6"

    def command(self, trace: Path, command: list[str]) -> list[str]:
        """Return the command that runs `command` in the trap."""
        count = '"$@"; code=$?; cat /proc/net/snmp >"$0"; exit $code'
        return ["unshare", "--map-root-user", "--net", "sh", "-c", count, str(trace), *command]

    def offences(self, traces: Path, home: Path) -> Iterator[str]:
        """Name what was done that must not be."""
        for trace in traces.iterdir():
            names, numbers = re.findall(r"^Ip: (.*)$", trace.read_text("utf-8"), re.MULTILINE)
            counted = dict(zip(names.split(), map(int, numbers.split()), strict=True))
            if sent := counted["OutNoRoutes"] + counted["OutRequests"]:
                yield f"{trace.name}: {sent} packets or connections"
        for path in home.rglob("*"):
            if not is_own(path, home):
                yield f"{path}"


TRAPS = (Strace(), Namespace())
Trap = Strace | Namespace


def connecting(family: str, address: str) -> list[str]:
    """Return a command that connects: nothing goes out by that, but the system looks for a way."""
    code = f"import socket as s; s.socket(s.{family}, s.SOCK_DGRAM).connect(({address!r}, 9))"
    return [sys.executable, "-c", code]


def working_traps(folder: Path) -> list[Trap]:
    """Return those that see something on this machine, the best first."""
    return [trap for trap in TRAPS if _works(trap, folder / f"try {trap.name}")]


def _works(trap: Trap, traces: Path) -> bool:
    traces.mkdir()
    command = trap.command(traces / "try", connecting("AF_INET", "192.0.2.1"))
    try:
        subprocess.run(command, capture_output=True, check=False)
        return any(trap.offences(traces, traces / "nowhere"))
    except (OSError, ValueError):
        return False


def calls_in(trace: str) -> list[Call]:
    """Read what strace wrote of one thread; calls that failed made nothing."""
    lines = re.findall(r"^(\w+)\((.*)\) += (?!-1 )", trace, re.MULTILINE)
    return [Call(name, arguments) for name, arguments in lines]


def is_own(path: Path, home: Path) -> bool:
    """Whether a file may be made: in Aide's folders, or Python's copies of modules where those are."""
    folders = (home / ".config" / "aide", home / ".local" / "share" / "aide")
    installed = (REPOSITORY, Path(sys.prefix), Path(sys.base_prefix))
    return (
        any(path.is_relative_to(folder) for folder in folders)
        or (path.is_relative_to(home) and any(folder.is_relative_to(path) for folder in folders))
        or ("__pycache__" in path.parts and any(path.is_relative_to(folder) for folder in installed))
        or path == Path(os.devnull)
    )
