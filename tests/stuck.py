"""A test that hangs fails, and says where: the stacks of all threads, and the processes it may wait for.

A pytest plugin. The limit is far beyond what any test takes, or its fixtures, or its cleanup. A test that
native code keeps from failing is ended by pytest's `faulthandler_timeout`, together with the run.
"""

import signal

import psutil
import pytest

from aide_lsp.lsp.rpc.watchdog import stacks

LIMIT_SECONDS = 900
MOST_STUCK = 2
"""After so many, the rest is not run: all may wait for the same, one after another."""
_stuck: list[str] = []


def pytest_addoption(parser):
    parser.addini(
        "stuck_seconds",
        "Seconds after which a test fails, whatever it is waiting for.",
        default=str(LIMIT_SECONDS),
    )


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item):
    """Interrupt fixtures."""
    return (yield from _limited(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    """Interrupt the test itself."""
    return (yield from _limited(item))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item):
    """Interrupt the cleanup."""
    return (yield from _limited(item))


def _limited(item):
    """Interrupt what takes too long, wherever Python can be interrupted."""
    if not hasattr(signal, "setitimer"):
        return (yield)

    def fail(number, frame):
        if item.nodeid not in _stuck:
            _stuck.append(item.nodeid)
        pytest.fail(f"It hangs.\n{stacks()}\nProcesses that it has started:\n{_processes()}", pytrace=False)

    seconds = float(item.config.getini("stuck_seconds"))
    before = signal.signal(signal.SIGALRM, fail)
    # Again and again: event loops only log what a callback raises, and a `finally` may hang as well.
    signal.setitimer(signal.ITIMER_REAL, seconds, seconds / 10)
    try:
        return (yield)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish(nodeid):
    """End the run when nothing works anymore."""
    if len(_stuck) == MOST_STUCK and nodeid == _stuck[-1]:
        # The status for an interrupted run: `tools/again` must not take the rest for tests that passed.
        pytest.exit(f"{MOST_STUCK} tests hung, so the rest is not run.", returncode=2)


def _processes() -> str:
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            found.append(f"  {process.pid} {process.status()} {' '.join(process.cmdline())[:300]}\n")
        except psutil.Error:  # it has just ended
            continue
    return "".join(found) or "  none\n"
