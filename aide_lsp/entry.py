"""The process `aide`: signals, standard streams and the exit status (docs/cli.md) of every subcommand.

On Linux, a forked child does the work. No Python signal handler can interrupt native steps such as loading a
tokenizer or a forward pass, but a parent that only waits can end them. This module imports nothing slow: its
signal handlers must be in place before the user presses Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # importing typing takes longer than everything here
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
    # Until `_handle` or `_wait` installs handlers, the system ends the process, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

GRACE_SECONDS = 0.15
"""Time for the child to end its own children and remove partial files after an interrupt.

docs/cli.md promises that everything has ended within 0.3 seconds.
"""
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
# Linux sends the first when memory runs out; native code that gets none ends with one of the others.
_MEMORY_SIGNALS = ("SIGKILL", "SIGABRT", "SIGSEGV", "SIGBUS")


def main() -> NoReturn:
    """Run the command `aide` and end the process."""
    _open_streams()
    # A signal that is ignored from the start (nohup, a background job) stays ignored.
    signals = [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    if _forks():
        _run_in_child(signals)
    _leave(_run(signals))


def _run_in_child(signals: list[int]) -> None:
    """Run the command in a child and end with it; return only if the system allows no child."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if it were ignored, the child's status would be lost
    # A signal that comes before either process has its handlers waits for them.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        lifeline, held = os.pipe()
        child = os.fork()
    except OSError:
        return
    if child:
        os._exit(_wait(child, signals))
    # Held here as well, the lifeline would never close.
    os.close(held)
    _leave(_run(signals, lifeline))


def _forks() -> bool:
    """Return whether to use a child. A server ends in its own way, and shell completion must be fast."""
    plain = "_AIDE_COMPLETE" in os.environ or sys.argv[1:2] == ["serve"]
    return sys.platform == "linux" and not plain


def _open_streams() -> None:
    """Open closed standard streams; otherwise the next file opened would take their number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if number == 0 else os.O_WRONLY)
        if number and getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        # Characters that the terminal's encoding lacks are escaped instead of ending the command.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _handle(signals: list[int], quiet: bool) -> None:
    """Unwind on the first signal, which cleans up files and children.

    Further signals are ignored if `quiet`: the parent kills this process. Otherwise they end it at once,
    because the first one can be lost: an exception that is raised in a finalizer goes nowhere.
    """

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        for each in signals:
            signal.signal(each, signal.SIG_IGN if quiet else signal.SIG_DFL)
        if quiet:
            # Libraries turn it into errors of their own, which the user need not see.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, 1)
            os.dup2(nowhere, 2)
        raise Interrupted(number)

    for number in signals:
        signal.signal(number, interrupt)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


class Interrupted(BaseException):
    """The process received a signal to end; the first argument is its number.

    It is not a `KeyboardInterrupt`, because libraries handle those in their own ways.
    """


def _wait(child: int, signals: list[int]) -> int:
    """Wait for the child, forward signals to it, and return the exit status."""
    received: list[int] = []

    def end(number: int, frame: FrameType | None) -> None:
        # Kill it if this is the second signal, or if it takes too long.
        _send(child, signal.SIGKILL if received else number)
        if number != signal.SIGALRM:
            received.append(number)
            signal.setitimer(signal.ITIMER_REAL, GRACE_SECONDS)

    for number in (*signals, signal.SIGALRM):
        signal.signal(number, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    # It resumes after a signal handler (PEP 475).
    _, status = os.waitpid(child, 0)
    if received:
        _say("\nInterrupted.")
        return 128 + received[0]
    if not os.WIFSIGNALED(status):
        return os.WEXITSTATUS(status)
    name = signal.Signals(os.WTERMSIG(status)).name
    hint = " Most likely memory ran out: close other programs, or choose a smaller model." * (
        name in _MEMORY_SIGNALS
    )
    _say(f"Error: The system ended Aide ({name}).{hint}")
    return 128 + os.WTERMSIG(status)


def _send(child: int, number: int) -> None:
    try:
        os.kill(child, number)
    except ProcessLookupError:
        return


def _end_with(lifeline: int) -> None:
    """End this process when its parent ends, even if the parent was killed."""
    from threading import Thread

    def watch() -> None:
        os.read(lifeline, 1)
        os._exit(128 + signal.SIGTERM)

    try:
        Thread(target=watch, name="parent-watch", daemon=True).start()
    except RuntimeError:
        return  # the system allows no thread, but the work may still be possible


def _run(signals: list[int], lifeline: int | None = None) -> int:
    """Run the command; return the exit status. `lifeline` closes when the parent of this child ends."""
    try:
        _handle(signals, quiet=lifeline is not None)
        if lifeline is not None:
            _end_with(lifeline)
        from aide_lsp.cli.main import run

        status = run()
        sys.stdout.flush()  # here, where a full disk or a closed pipe becomes an exit status
        return status
    except Interrupted as error:
        if lifeline is None:
            _say("\nInterrupted.")
        return 128 + int(error.args[0])
    except BrokenPipeError:
        from aide_lsp.cli.errors import BROKEN_PIPE

        return BROKEN_PIPE
    except OSError as error:
        _say(f"Error: The output cannot be written: {error.strerror}.")
        return 1


def _say(sentence: str) -> None:
    try:
        os.write(2, sentence.encode() + b"\n")
    except OSError:
        return


def _leave(status: int) -> NoReturn:
    """End without teardown: everything is written, and unloading native libraries takes time."""
    try:
        sys.stderr.flush()
    finally:
        os._exit(status)
