"""Downloads a file of the Hugging Face Hub into a `PartialFile`, resuming where it stopped.

Within `PATIENCE` seconds it is known whether the Hub can be reached. A copy in the user's Hub cache is used
first. The user's token is sent only if the Hub refuses the file without it. `hf_hub_download` is not used: if
the Hub cannot be reached it retries for 23 s and more, and since 2.x it discards what a killed download had
received.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from aide_lsp import __version__
from aide_lsp.catalog.cards import HubSource
from aide_lsp.catalog.partial import PartialFile, SourceError, UnreachableError
from aide_lsp.disk import sha256_of
from aide_lsp.errors import DownloadError

PATIENCE = 4.0
"""Seconds to wait for an answer from the Hub, including the name lookup and every address."""
# Seconds without a byte; in all, a slow line may take as long as it needs.
_READ_TIMEOUT = 30.0
# Attempts in a row that bring no byte; a line that keeps breaking off is used as long as it brings some.
_RETRIES = 5
_PAUSE = 0.5
"""Seconds before the second attempt; before each further one it is as much longer."""
_FINAL = frozenset(range(400, 500)) - {408, 425, 429}
"""Statuses that another attempt would not change."""
_BLOCK = 1 << 20
# A killed download loses no more than this.
_MARK_EVERY = 16 << 20

LOGIN_WANTED = (401, 403)
HEADERS = {"user-agent": f"aide/{__version__}"}
"""Replaces the library's own, which names the versions of Python and PyTorch."""

T = TypeVar("T")


def append_from_hub(
    source: HubSource, partial: PartialFile, on_bytes: Callable[[int], None], endpoint: str | None = None
) -> None:
    """Append the rest of the file, reporting the bytes so far. `endpoint` replaces the Hub's address."""
    cached = _cached(source)
    if cached is not None and _copied(cached, partial, on_bytes):
        return
    url, token = _locate(source, partial, endpoint)
    failures = 0
    while partial.done < partial.size:
        before = partial.done
        error = _stream(url, token, partial, on_bytes)
        partial.mark()
        failures = 0 if partial.done > before else failures + 1
        if failures > _RETRIES or (error is not None and _status_of(error) in _FINAL):
            raise _refusal_of(error or EOFError("it sends no data"))
        time.sleep(_PAUSE * failures)


def _cached(source: HubSource) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ValueError as error:  # the library reads the address when it is imported
        raise SourceError("has an invalid address: correct HF_ENDPOINT") from error

    found = try_to_load_from_cache(source.repo, source.file, revision=source.revision)
    return Path(found) if isinstance(found, str) else None


def _copied(file: Path, partial: PartialFile, on_bytes: Callable[[int], None]) -> bool:
    """Append the rest of the file from the Hub's cache; return whether that worked.

    A copy that is damaged or cannot be read is left alone: it is not ours.
    """
    try:
        # First, since bytes once appended are kept.
        if file.stat().st_size != partial.size or sha256_of(file) != partial.sha256:
            return False
        with file.open("rb") as stream:
            stream.seek(partial.done)
            while block := stream.read(_BLOCK):
                partial.append(block)
                on_bytes(partial.done)
    except OSError:
        return False
    return partial.done == partial.size


def _locate(source: HubSource, partial: PartialFile, endpoint: str | None) -> tuple[str, str | None]:
    """Ask the Hub about the file; return the URL to read it from, and the token if one is needed."""
    from huggingface_hub import hf_hub_url

    url = hf_hub_url(source.repo, source.file, revision=source.revision, endpoint=endpoint)
    token = None
    try:
        try:
            facts = _facts(url, None)
        except Exception as error:
            # Only now, because the library may renew a login over the network.
            token = _within(PATIENCE, _token) if _status_of(error) in LOGIN_WANTED else None
            if token is None:
                raise
            facts = _facts(url, token)
    except Exception as error:
        raise _refusal_of(error) from error
    # The Hub names large files by their sha256, so a replaced file is noticed before it is downloaded.
    if facts.size not in (None, partial.size) or (
        len(facts.etag or "") == 64 and facts.etag != partial.sha256
    ):
        raise SourceError("has a file with this name that does not match the model card")
    return url, token


def _token() -> str | None:
    """Return the user's token, unless HF_HUB_DISABLE_IMPLICIT_TOKEN forbids using it."""
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    # Not `get_token`, which ignores HF_HUB_DISABLE_IMPLICIT_TOKEN.
    return build_hf_headers().get("authorization", "").removeprefix("Bearer ") or None


def _facts(url: str, token: str | None) -> Any:
    from huggingface_hub import get_hf_file_metadata

    def ask() -> Any:
        # With None instead of False, the library would send the token that the user has stored.
        return get_hf_file_metadata(url, token=token or False, timeout=PATIENCE, headers=HEADERS)

    # Once abandoned, the thread ends by the timeout of the request itself.
    return _within(PATIENCE, ask)


def _stream(
    url: str, token: str | None, partial: PartialFile, on_bytes: Callable[[int], None]
) -> Exception | None:
    """Read as much of one response as arrives; return what interrupted it."""
    try:
        _read_answer(url, token, partial, on_bytes)
    # A full disk, or bytes that cannot be the model's: asking for the rest would not help.
    except DownloadError:
        raise
    except Exception as error:
        return error
    return None


def _read_answer(url: str, token: str | None, partial: PartialFile, on_bytes: Callable[[int], None]) -> None:
    from huggingface_hub import get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

    # `identity`: ranges count the bytes of the file, not of a compressed answer.
    # The client drops the token on a redirect to another host.
    headers = build_hf_headers(token=token or False, headers=HEADERS) | {"Accept-Encoding": "identity"}
    if partial.done:
        headers["Range"] = f"bytes={partial.done}-"
    marked = partial.done
    with get_session().stream("GET", url, headers=headers, timeout=_READ_TIMEOUT) as answer:
        hf_raise_for_status(answer)
        if partial.done and not _goes_on(answer, partial.done):
            partial.restart()
            marked = 0
        # No chunk size: it would make the client collect bytes, which an interruption would lose.
        for block in answer.iter_bytes():
            partial.append(block)
            if partial.done - marked >= _MARK_EVERY:
                partial.mark()
                marked = partial.done
            on_bytes(partial.done)


def _goes_on(answer: Any, offset: int) -> bool:
    # A server without ranges answers with status 200 and the file from its beginning.
    return bool(
        answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {offset}-")
    )


def _within(seconds: float, work: Callable[[], T]) -> T:
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


def _refusal_of(error: BaseException) -> SourceError:
    """Return the reason why the Hub did not provide the file."""
    for cause in _chain(error):
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
    last = list(_chain(error))[-1]
    return UnreachableError(str(last).partition("\n")[0] or type(last).__name__)


def _status_of(error: BaseException) -> int | None:
    return next((status for cause in _chain(error) if (status := _status_in(cause))), None)


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


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the deepest cause first, which says most."""
    if error is not None:
        yield from _chain(error.__cause__ or error.__context__)
        yield error
