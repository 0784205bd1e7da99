"""When the process ends, and how: at the client's word, with the client's death, never later.

In: the client's process id; an exit code. Out: a call when the client is gone; the end of this process, with
its child processes. It does not know why it ends, nor what the worker is doing at that moment.
"""

import os
import sys
from collections.abc import Callable
from threading import Lock, Thread, Timer
from time import sleep
from typing import NoReturn

POLL_SECONDS = 3.0
GRACE_SECONDS = 2.0
_leaving = Lock()


def leave(code: int, last: Callable[[], object] = lambda: None) -> NoReturn:
    """End the process now, running threads or not; `last` (flushing) gets a moment.

    `sys.exit` would wait for native code on other threads, which may take as long as a generation.
    """
    if not _leaving.acquire(blocking=False):
        sleep(GRACE_SECONDS)  # another thread ends the process; it ends us too
        os._exit(code)
    limit = Timer(GRACE_SECONDS, os._exit, (code,))
    limit.daemon = True
    limit.start()
    try:
        last()
        _kill_children()
        sys.stderr.flush()
    finally:
        os._exit(code)


def watch(process_id: int, gone: Callable[[], None]) -> None:
    """Call `gone`, on a thread of its own, when that process has ended.

    Does nothing if it cannot be seen from the start: in a container the number means another process or none.
    """
    if process_id <= 0 or (sys.platform != "win32" and not _alive(process_id)):
        return

    def wait_and_tell() -> None:
        _wait_for_end(process_id)
        gone()

    Thread(target=wait_and_tell, name="aide-client-watch", daemon=True).start()


if sys.platform == "win32":

    def _wait_for_end(process_id: int) -> None:
        """Wait on a handle. (Signal 0 is CTRL_C_EVENT there, so `os.kill` is no probe.)"""
        import ctypes

        synchronize, infinite = 0x00100000, 0xFFFFFFFF
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = ctypes.c_void_p
        handle = kernel.OpenProcess(synchronize, False, process_id)
        if handle:
            kernel.WaitForSingleObject(ctypes.c_void_p(handle), infinite)
            return
        while True:  # no right to wait for it: the end of stdin has to do
            sleep(3600)

else:

    def _wait_for_end(process_id: int) -> None:
        """Wait on a process descriptor, which also sees zombies and reused numbers; else poll."""
        if sys.platform == "linux":
            import select

            try:
                descriptor = os.pidfd_open(process_id)
            except ProcessLookupError:
                return
            except OSError:
                pass
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
        except ProcessLookupError:
            return False
        except (PermissionError, OverflowError):
            pass
        return True


def _kill_children() -> None:
    """Kill what we started (a conversion, a download): nobody would wait for it."""
    if "subprocess" not in sys.modules and "multiprocessing" not in sys.modules:
        return
    import psutil

    for child in psutil.Process().children(recursive=True):
        try:
            child.kill()
        except psutil.Error:
            continue
