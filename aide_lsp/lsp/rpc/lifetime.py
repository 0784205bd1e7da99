"""Ends the process: when the client says so or dies, never later, whatever threads still run."""

import faulthandler
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread, Timer
from time import sleep
from typing import NoReturn

POLL_SECONDS = 3.0
"""As often as vscode-languageserver-node does."""
GRACE_SECONDS = 2.0
"""Time for flushing. With `POLL_SECONDS`, the 5 seconds that docs/server.md promises."""
LAST_SECONDS = 3.0
"""After these, the process ends without Python: a thread in native code may hold the GIL."""
SILENCE_SECONDS = 3.0
_RECENT = 1000
_leaving = Lock()


def leave(code: int, last: Callable[[], object] = lambda: None) -> NoReturn:
    """End the process and its children now, whatever threads run; call `last` (to flush) before.

    `sys.exit` would wait for native code on other threads, which may take as long as a generation.
    """
    if not _leaving.acquire(blocking=False):
        sleep(GRACE_SECONDS)  # another thread is ending the process
        os._exit(code)
    try:
        _end_without_python()
        limit = Timer(GRACE_SECONDS, os._exit, (code,))
        limit.daemon = True
        limit.start()
        _kill_children()  # first: what follows may take all the time there is
        last()
        _kill_children()  # those started in the meantime
        sys.stderr.flush()
    finally:
        os._exit(code)


def die(sentence: str) -> NoReturn:
    """End the process where nothing else can be relied on, such as without memory."""
    _end_without_python()  # stderr may be full, and no one reads it
    with suppress(OSError):
        # Not sys.stderr: a thread that hangs may hold its lock.
        os.write(2, b"aide-lsp: " + sentence.encode("ascii", "replace") + b"\n")
    os._exit(1)


def _end_without_python() -> None:
    """End the process in `LAST_SECONDS` even if no thread can run Python anymore."""
    with suppress(RuntimeError, OSError, ValueError):  # no memory for a thread; stderr is closed
        # A thread of its own in C, which needs no GIL. It writes to stderr where each thread is.
        faulthandler.dump_traceback_later(LAST_SECONDS, exit=True)
    if sys.platform != "win32":
        # The kernel ends it even if stderr is full and no one reads it.
        signal.setitimer(signal.ITIMER_REAL, LAST_SECONDS + 1)


def starters() -> frozenset[int]:
    """Return the processes that started this one: its parent, the parent's parent, and so on.

    Call it right after the start, while they live: one of them may be the client, and soon dead.
    """
    found, process_id = list[int](), os.getppid()
    # Ids are reused: without the second condition, a chain read while it changes could be a circle.
    while process_id > 1 and process_id not in found:
        found.append(process_id)
        process_id = _parent_of(process_id)
    return frozenset(found)


def watch(
    process_id: int, started_by: frozenset[int], sends: Callable[[float], bool], gone: Callable[[], None]
) -> None:
    """Call `gone`, on a separate thread, when the client's process has ended.

    A process id unknown here may be from another container or machine. Then the client proves that it is
    alive by the next message it sends.

    Args:
        process_id: the client's, as it reports it.
        started_by: processes whose ids are known to be valid here.
        sends: waits that many seconds for a message and returns whether one came.
        gone: called from any thread.
    """
    # 0 and negative numbers stand for groups of processes in `kill`.
    if process_id <= 0:
        return
    known = process_id in started_by or _alive(process_id)

    def wait_for_end() -> None:
        if not known and sends(SILENCE_SECONDS):
            return
        _wait_for_end(process_id)
        gone()

    Thread(target=wait_for_end, name="aide-client-watch", daemon=True).start()


def was_likely_here(process_id: int) -> bool:
    """Return whether an id without a process was likely assigned here, at about the time of our own."""
    # Linux assigns ids in ascending order, so that of a client that has just died is close to ours.
    return abs(os.getpid() - process_id) < _RECENT


class Starter:
    """The process that started this one. A server that waits for a client must not outlive it."""

    def __init__(self) -> None:
        self.gone: Callable[[str], object] = lambda reason: die(f"The server exits: {reason}.")
        """Called with the reason when that process has ended, on a separate thread."""
        starter = os.getppid()
        if starter > 1:  # else it was started by the system, or from outside a container
            Thread(target=self._wait, args=(starter,), name="aide-starter-watch", daemon=True).start()

    def _wait(self, process_id: int) -> None:
        _wait_for_end(process_id)
        self.gone("the process that started it ended")


if sys.platform == "win32":
    _SYNCHRONIZE, _INFINITE, _TIMEOUT, _NO_RIGHT = 0x00100000, 0xFFFFFFFF, 0x102, 5

    def _wait(process_id: int, milliseconds: int) -> int | None:
        """Wait on a handle; None: there is no such process. (On Windows signal 0 is CTRL_C_EVENT.)"""
        import ctypes

        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        # By default ctypes takes a result for a C int of 32 bits, which would cut off a handle.
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = kernel.OpenProcess(_SYNCHRONIZE, False, process_id)
        if not handle:
            return _TIMEOUT if ctypes.get_last_error() == _NO_RIGHT else None
        try:
            return int(kernel.WaitForSingleObject(ctypes.c_void_p(handle), milliseconds))
        finally:
            kernel.CloseHandle(ctypes.c_void_p(handle))

    def _alive(process_id: int) -> bool:
        return _wait(process_id, 0) == _TIMEOUT

    def _wait_for_end(process_id: int) -> None:
        while _wait(process_id, _INFINITE) == _TIMEOUT:  # no right to wait for it: the end of stdin must do
            sleep(3600)

    def _parent_of(process_id: int) -> int:
        return 0

else:

    def _wait_for_end(process_id: int) -> None:
        """Wait on a process descriptor, which copes with zombies and reused ids; poll where there is none."""
        if sys.platform == "linux":
            import select

            try:
                descriptor = os.pidfd_open(process_id)
            except (ProcessLookupError, OverflowError):
                return
            except OSError:
                pass  # Linux before 5.3 has no descriptors, and a container may forbid them
            else:
                ended = select.poll()
                ended.register(descriptor, select.POLLIN)
                ended.poll()
                return
        while _alive(process_id):
            sleep(POLL_SECONDS)

    def _alive(process_id: int) -> bool:
        try:
            os.kill(process_id, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            pass  # it exists, but belongs to another user
        return True

    def _parent_of(process_id: int) -> int:
        """Return the parent's id; 0: unknown."""
        try:
            stat = Path(f"/proc/{process_id}/stat").read_bytes()
            # The second field, the name in parentheses, may itself contain blanks and parentheses.
            return int(stat.rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            return 0


def _kill_children() -> None:
    """Kill what we started (a conversion, a download): no one would wait for it."""
    if not _has_children():  # then psutil need not be imported, which takes long on a busy machine
        return
    import psutil

    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.Error:
            continue


def _has_children() -> bool:
    """Return whether there may be any."""
    if sys.platform == "linux":
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        except ChildProcessError:
            return False
    return True
