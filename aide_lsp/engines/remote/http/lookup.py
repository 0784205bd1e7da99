"""Looks for a server before it is connected to: a host's name, within a limit, or a process behind a socket.

The system's own lookup of names may take minutes, and cannot be ended.
"""

import socket
from collections.abc import Callable
from threading import Thread
from time import monotonic

POLL_SECONDS = 0.05
"""How often it is checked whether anyone still waits."""


def look_up(name: str, port: int, seconds: float, is_ended: Callable[[], bool]) -> None:
    """Return once the system knows where a host is; what follows finds it quickly.

    Args:
        name: the host's.
        port: its port.
        seconds: the limit.
        is_ended: whether no one waits anymore.

    Raises:
        OSError: there is no such host.
        TimeoutError: the limit has passed, or it was ended.
    """
    failures: list[OSError] = []

    def run() -> None:
        try:
            socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        except OSError as error:
            failures.append(error)
        except ValueError:
            failures.append(socket.gaierror(socket.EAI_NONAME, "it is no name"))

    thread = Thread(target=run, name="aide-lookup", daemon=True)
    thread.start()
    until = monotonic() + seconds
    while thread.is_alive() and not is_ended() and (left := until - monotonic()) > 0:
        thread.join(min(left, POLL_SECONDS))
    if failures:
        raise failures[0]
    if thread.is_alive():
        raise TimeoutError


def someone_listens(path: str) -> bool:
    """Whether a process listens on a Unix socket; a killed one leaves its file."""
    probe = socket.socket(socket.AF_UNIX)
    with probe:
        probe.settimeout(1.0)
        try:
            probe.connect(path)
        except (TimeoutError, BlockingIOError):
            return True  # too busy to answer
        except OSError:
            return False
    return True
