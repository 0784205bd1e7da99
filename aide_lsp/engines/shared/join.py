"""Joins the engine that a user's editors share; starts it where none runs.

Of several editors that start at once, one gets the lock and starts the engine; the others join it. Whatever
goes wrong is a `SharingError` within a bounded time: the editor then runs the model alone.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import IO, Any

from attrs import field, frozen

from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.remote.http.failures import BadStatus
from aide_lsp.engines.remote.http.lookup import someone_listens
from aide_lsp.engines.shared.client import EngineClient, EngineFacts, OtherProtocolError
from aide_lsp.engines.shared.model import new_session
from aide_lsp.engines.shared.place import SharedPlace, SharingError, cannot_write
from aide_lsp.errors import ServerError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.progress import Progress

LISTEN_SECONDS = 20.0
"""Limit for an engine to listen after it was started."""
LOADING_SECONDS = 90.0
"""Limit for an engine to load its model."""
POLL_SECONDS = 0.05
GARBAGE_TRIES = 3
"""So often an engine may answer with something that is none: it may be just about to end."""
API_KEY = "AIDE_API_KEY"
"""Of a server: the engine needs none."""
STARTING = "Starting the engine that your editors share"


@frozen
class Joined:
    """A client of an engine."""

    client: EngineClient
    facts: EngineFacts
    presence: Connection = field(repr=False)
    "Stays open: the engine ends some time after the last one is closed."
    was_started: bool
    "Whether this client has started the engine."


class _NotYetError(Exception):
    """The engine is loading its model."""


class _KilledError(SharingError):
    """The engine was killed while it started."""


def join_or_start(place: SharedPlace, command: Sequence[str], progress: Progress) -> Joined:
    """Return a client of the engine at a place; start it with a command if none is there.

    Raises:
        SharingError: there is none, and none can be started.
    """
    try:
        return _join_or_start(place, command, progress)
    except OSError as error:
        raise SharingError(cannot_write(place.folder, error)) from None


def _join_or_start(place: SharedPlace, command: Sequence[str], progress: Progress) -> Joined:
    from filelock import FileLock, Timeout

    until, garbage = monotonic() + LOADING_SECONDS, 0
    lock = FileLock(place.lock, mode=0o600)
    while monotonic() < until:
        try:
            if (found := _join(place, was_started=False)) is not None:
                return found
        except _NotYetError:
            progress(None, STARTING)
            sleep(POLL_SECONDS)
            continue
        except ServerError as error:
            garbage += 1
            if garbage == GARBAGE_TRIES:
                raise SharingError(_what_answers(error)) from None
            sleep(POLL_SECONDS)
            continue
        # Not waited for: whoever has it starts the engine, which can then be joined.
        with suppress(Timeout), lock.acquire(timeout=0):
            progress(None, STARTING)
            # Someone may have started one, and released the lock, since the look above.
            with suppress(_NotYetError):
                if (found := _join(place, was_started=False)) is not None:
                    return found
                try:
                    return _start(place, command)
                except _KilledError:
                    # Whoever kills an engine may mean the last one: once more, then it is no accident.
                    return _start(place, command)
        sleep(POLL_SECONDS)
    raise SharingError(f"it was not ready within {LOADING_SECONDS:.0f} s")


def _start(place: SharedPlace, command: Sequence[str]) -> Joined:
    """Start an engine and wait until it answers."""
    place.prepare()
    with _log(place.log) as log:
        process = _spawn([*command, *place.options()], log, place.folder)
    started = monotonic()
    try:
        return _wait(place, process, started)
    except BaseException:
        process.kill()
        raise
    finally:
        # Waits for its end, so that the system can forget it.
        Thread(target=process.wait, name="aide-engine", daemon=True).start()


def _wait(place: SharedPlace, process: "subprocess.Popen[bytes]", started: float) -> Joined:
    broken_off = 0
    while True:
        passed, listens = monotonic() - started, False
        try:
            if (found := _join(place, was_started=True)) is not None:
                return found
        except _NotYetError:
            listens = True
        except ServerError as error:
            # It listens before it can answer, and may be killed while it answers.
            broken_off += error.kind == "broken-off"
            if error.kind not in ("timeout", "broken-off") or broken_off == GARBAGE_TRIES:
                raise SharingError(_what_answers(error)) from None
            listens = True
        if (status := process.poll()) is not None:
            failed = _KilledError if status < 0 else SharingError
            raise failed(f"it could not be started; {place.log} says why")
        if passed > (LOADING_SECONDS if listens else LISTEN_SECONDS):
            raise SharingError(f"it did not answer within {passed:.0f} s; {place.log} may say why")
        sleep(POLL_SECONDS)


def _join(place: SharedPlace, *, was_started: bool) -> Joined | None:
    """Return a client of the engine that is there; None: none is.

    Raises:
        _NotYetError: it is loading.
        ServerError: something answers, but no engine that can be joined.
    """
    found = place.address()
    if found is None:
        return None
    address, token = found
    if address.socket and not someone_listens(address.socket):
        return None  # what a killed engine has left
    headers = new_session()
    presence = Connection(address, token, headers)
    try:
        facts = EngineClient(presence).look(CancelToken())
    except BadStatus as answer:
        presence.close()
        if answer.status == 503:
            raise _NotYetError from None
        raise ServerError("unreadable", f"it answers with status {answer.status}") from None
    except ServerError as error:
        presence.close()
        if error.kind in ("refused", "unreachable"):
            return None
        raise
    return Joined(EngineClient(Connection(address, token, headers)), facts, presence, was_started)


def _what_answers(error: ServerError) -> str:
    if isinstance(error, OtherProtocolError):
        return "the one that runs speaks another version of the protocol"
    if error.kind == "timeout":
        return "the one that runs does not answer"
    return "what answers is no engine of Aide"


def _log(file: Path) -> IO[bytes]:
    """Open the log of an engine; of the last one, nothing is kept."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    return os.fdopen(descriptor, "wb")


def _spawn(command: Sequence[str], log: IO[bytes], folder: Path) -> "subprocess.Popen[bytes]":
    """Start a process that outlives this one, and has nothing of it: no terminal, no files, no folder."""
    windows: dict[str, Any] = {}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        windows = {"creationflags": flags | subprocess.CREATE_BREAKAWAY_FROM_JOB}
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != API_KEY},
        start_new_session=True,
        close_fds=True,
        **windows,
    )
