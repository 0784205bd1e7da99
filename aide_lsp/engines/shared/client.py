"""Talks with an engine in another process: what it is, counts of tokens, and the lines of its streams.

Used by one thread at a time. What it raises is what the connection raises, and the engine's own errors.
"""

import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from attrs import frozen

from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.remote.http.connection import QUESTION_SECONDS, Answer, Connection
from aide_lsp.engines.remote.http.events import EventParser, UnreadableEventError
from aide_lsp.engines.remote.http.failures import BadStatus, broken_off, unreadable
from aide_lsp.engines.shared.wire import PROTOCOL, WireError, from_options, from_prompt, to_error, to_info
from aide_lsp.errors import EngineChangedError, ServerError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions

PATH = "/aide/v1"
SESSION_HEADER = "X-Session-Id"
MACHINE_HEADER = "X-Aide-Machine"
"""Names what computes an answer: the model, its recipe, the kind of machine."""
LONGEST_SECONDS = 600.0
"""Limit of an answer whose options have no deadline."""
GRACE_SECONDS = 10.0
"""So much longer than its deadline an answer may take: the engine itself ends what is late."""
MOST_TEXTS = 10_000
"""Texts that are counted with one request."""
_STATUS_CODES = {"length", "busy", "cancelled", "memory", "broken", "stuck", "session"}
"""Codes of errors that are the engine's own, whatever their status."""
_VERSION = re.compile(r"[\w.+-]{1,40}", re.ASCII)


class OtherProtocolError(ServerError):
    """An engine of Aide answers that has another version of the protocol."""

    def __init__(self, host: str, version: str, newer: bool) -> None:
        theirs = f"Aide {version}" if _VERSION.fullmatch(version) else "another version of Aide"
        update = "Update Aide here" if newer else "Update Aide there"
        super().__init__(
            "version",
            f"{host} runs {theirs}, whose protocol is not known here. {update}, and restart it.",
        )


@frozen
class EngineFacts:
    """What an engine says of itself."""

    version: str
    "Of Aide."
    machine: str
    "The same for all machines that give the same bytes."
    info: ModelInfo
    age: int = 0
    "Seconds since it was started."
    clients: int = 0
    "Clients that are connected, this one included."


class EngineClient:
    """One client of one engine."""

    def __init__(self, connection: Connection, machine: str = "") -> None:
        """Take the connection, whose headers name the session.

        `machine`: the kind that has to answer, as `EngineFacts` has it; empty: any, until `look` knows it.
        """
        self.connection, self.machine = connection, machine
        self._host = connection.address.host

    def look(self, cancel: CancelToken) -> EngineFacts:
        """Return what the engine is.

        Raises:
            BadStatus, Cancelled, ServerError: see `Connection.ask`; also for an answer that no engine gives.
        """
        facts = facts_in(self.connection.ask(f"{PATH}/engine", cancel=cancel), self._host)
        if facts is None:
            raise unreadable(self._host, "something else")
        self.machine = facts.machine
        return facts

    def ask(
        self, name: str, body: Mapping[str, Any], cancel: CancelToken, seconds: float = QUESTION_SECONDS
    ) -> dict[str, Any]:
        """Return the answer to one question.

        Raises:
            BadStatus, Cancelled, ServerError: see `Connection.ask`.
            BusyError, SessionError: what the engine says.
            EngineChangedError: another kind answers.
        """
        with self._open(name, body, cancel, seconds) as answer:
            found = answer.json()
        if not isinstance(found, dict):
            raise unreadable(self._host, "something else")
        return found

    def count(self, texts: Sequence[str]) -> list[int]:
        """Return the number of tokens of each text."""
        counts: list[int] = []
        for start in range(0, len(texts), MOST_TEXTS):
            some = texts[start : start + MOST_TEXTS]
            found: Any = self.ask("tokens", {"texts": some}, CancelToken()).get("counts")
            is_list = isinstance(found, list) and len(found) == len(some)
            if not is_list or not all(type(one) is int and 0 <= one <= 1 << 40 for one in found):
                raise unreadable(self._host, "counts that are none")
            counts += found
        return counts

    def lines(
        self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken, *, traces: bool
    ) -> Generator[dict[str, Any]]:
        """Yield the lines of a generation, the last one included; closing the iterator cancels it.

        Raises:
            BadStatus, Cancelled, ServerError: see `Connection.ask`.
            BusyError, SessionError: what the engine says.
            EngineChangedError: another kind answers. Its text must not follow the first one's.
        """
        body = {"prompt": from_prompt(prompt), "options": from_options(options), "traces": traces}
        deadline = options.deadline_ms / 1000.0
        seconds = deadline + GRACE_SECONDS if deadline else LONGEST_SECONDS
        parser = EventParser()
        with self._open("generate", body, cancel, seconds) as answer:
            pieces = answer.pieces()
            try:
                for piece in pieces:
                    for line in parser.feed(piece):
                        if "end" in line:
                            # To its end, so that the connection can be used again.
                            with suppress(ServerError):
                                for _ in pieces:
                                    pass
                        yield line
                        if "end" in line or "error" in line:
                            return
            except UnreadableEventError:
                raise unreadable(self._host, "a stream of data that is none") from None
            raise broken_off(self._host)

    @contextmanager
    def _open(
        self, name: str, body: Mapping[str, Any], cancel: CancelToken, seconds: float
    ) -> Iterator[Answer]:
        """Send a request, and yield the answer of the kind that has to give it."""
        try:
            with self.connection.open(f"{PATH}/{name}", body, cancel=cancel, seconds=seconds) as answer:
                found = answer.header(MACHINE_HEADER)
                if found and self.machine and found != self.machine:
                    raise EngineChangedError
                yield answer
        except BadStatus as status:
            # The engine's own errors, as what they are here.
            if (error := own_error(status)) is not None:
                raise error from None
            raise


def facts_in(found: Any, host: str) -> EngineFacts | None:
    """Return the facts in an answer to the question what an engine is; None: no engine of Aide's gives it.

    Raises:
        OtherProtocolError: it speaks another version of the protocol.
    """
    if not isinstance(found, dict) or "protocol" not in found or "aide" not in found:
        return None
    protocol, version, machine = found["protocol"], found["aide"], found.get("machine")
    if type(protocol) is not int or not isinstance(version, str):
        return None
    if protocol != PROTOCOL:
        raise OtherProtocolError(host, version, protocol > PROTOCOL)
    try:
        info = to_info(found.get("model"))
    except WireError:
        return None
    if not isinstance(machine, str) or len(machine) > 500 or not machine.isprintable():
        return None
    known = version if _VERSION.fullmatch(version) else ""
    return EngineFacts(known, machine, info, _count(found, "age"), _count(found, "clients"))


def _count(found: Mapping[str, Any], name: str) -> int:
    """Return a number that only people see; 0: an older engine does not say it, or it cannot be."""
    value = found.get(name)
    return value if type(value) is int and 0 <= value < 1 << 31 else 0


def own_error(answer: BadStatus) -> Exception | None:
    """Return the error that an engine reports with a status; None: it is not the engine's own."""
    try:
        error = json.loads(answer.said)["error"]
        return to_error(error) if error["code"] in _STATUS_CODES else None
    except (ValueError, KeyError, TypeError, RecursionError, WireError):
        return None
