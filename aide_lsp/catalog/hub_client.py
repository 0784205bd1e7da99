"""Asks the Hugging Face Hub: how long to wait, when the user's token is sent, what its refusals mean."""

import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

from aide_lsp import __version__
from aide_lsp.catalog.partial import SourceError, UnreachableError

PATIENCE = 4.0
"""Seconds to wait for an answer from the Hub, including the name lookup and every address."""
READ_TIMEOUT = 30.0
"""Seconds without a byte; in all, a slow line may take as long as it needs."""
FINAL = frozenset(range(400, 500)) - {408, 425, 429}
"""Statuses that another attempt would not change."""
LOGIN_WANTED = (401, 403)
HEADERS = {"user-agent": f"aide/{__version__}"}
"""Replaces the library's own, which names the versions of Python and PyTorch."""

T = TypeVar("T")


def with_login(ask: Callable[[str | None], T]) -> tuple[T, str | None]:
    """Ask without the user's token, and with it only if that is refused; return the token that was needed."""
    try:
        return ask(None), None
    except Exception as error:
        # Only now, because the library may renew a login over the network.
        token = within(PATIENCE, user_token) if status_of(error) in LOGIN_WANTED else None
        if token is None:
            raise
    return ask(token), token


def user_token() -> str | None:
    """Return the user's token, unless HF_HUB_DISABLE_IMPLICIT_TOKEN forbids using it."""
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    # Not `get_token`, which ignores HF_HUB_DISABLE_IMPLICIT_TOKEN.
    return build_hf_headers().get("authorization", "").removeprefix("Bearer ") or None


def request_headers(token: str | None) -> dict[str, str]:
    """Return the headers of a request for a file or for facts."""
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    # `identity`: ranges count the bytes of the file, not of a compressed answer.
    # With None instead of False, the library would send the token that the user has stored.
    return build_hf_headers(token=token or False, headers=HEADERS) | {"Accept-Encoding": "identity"}


def within(seconds: float, work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise TimeoutError if that takes longer.

    A name lookup cannot be interrupted, and each of a host's addresses gets the full timeout, so the work
    runs in a thread that is abandoned.
    """
    answers: queue.SimpleQueue[tuple[T | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((work(), None))
        except BaseException as error:
            # Otherwise the waiting thread would report a timeout and lose the reason.
            answers.put((None, error))

    threading.Thread(target=run, daemon=True, name="hub-look-up").start()
    try:
        value, error = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if error is not None:
        raise error
    return value  # type: ignore[return-value]


def refusal_of(error: BaseException) -> SourceError:
    """Return the reason why the Hub did not provide the file."""
    for cause in causes(error):
        if type(cause).__name__ == "OfflineModeIsEnabled":
            return SourceError("is disabled (HF_HUB_OFFLINE is set)")
        status = _status_in(cause)
        if status in LOGIN_WANTED:
            return SourceError(f"requires a login with access to the repository (status {status})")
        if status == 404:
            return SourceError("does not have the file (status 404)")
        if status is not None:
            return UnreachableError(f"it answered with status {status}")
        if reason := _network_reason(cause):
            return UnreachableError(reason)
    last = list(causes(error))[-1]
    return UnreachableError(str(last).partition("\n")[0] or type(last).__name__)


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that caused an error; None: it has another cause."""
    return next((status for cause in causes(error) if (status := _status_in(cause))), None)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the deepest cause first, which says most."""
    if error is not None:
        yield from causes(error.__cause__ or error.__context__)
        yield error


def _status_in(error: BaseException) -> int | None:
    return getattr(getattr(error, "response", None), "status_code", None)


def _network_reason(error: BaseException) -> str | None:
    if isinstance(error, socket.gaierror):
        return "its name could not be resolved"
    if isinstance(error, ssl.SSLError):
        return f"its certificate was not accepted: {error.reason or error}"
    # By name, because the HTTP client's errors share no base with the system's.
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return "no answer in time"
    if type(error).__name__ == "ProxyError":
        return "the proxy refused the connection"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return None
