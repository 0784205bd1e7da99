"""Downloads a file of the Hugging Face Hub into a `PartialFile`, resuming where it stopped.

Within `PATIENCE` seconds it is known whether the Hub can be reached. A copy in the user's Hub cache is used
first. The user's token is sent only if the Hub refuses the file without it. `hf_hub_download` is not used: if
the Hub cannot be reached it retries for 23 s and more, and since 2.x it discards what a killed download had
received.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aide_lsp.catalog.cards import HubSource
from aide_lsp.catalog.hub_client import (
    FINAL,
    HEADERS,
    PATIENCE,
    READ_TIMEOUT,
    refusal_of,
    request_headers,
    status_of,
    with_login,
    within,
)
from aide_lsp.catalog.partial import PartialFile, SourceError
from aide_lsp.disk import sha256_of
from aide_lsp.errors import DownloadError

# Attempts in a row that bring no byte; a line that keeps breaking off is used as long as it brings some.
_RETRIES = 5
_PAUSE = 0.5
"""Seconds before the second attempt; before each further one it is as much longer."""
_BLOCK = 1 << 20
# A killed download loses no more than this.
_MARK_EVERY = 16 << 20


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
        if failures > _RETRIES or (error is not None and status_of(error) in FINAL):
            raise refusal_of(error or EOFError("it sends no data"))
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
    try:
        facts, token = with_login(lambda token: _facts(url, token))
    except Exception as error:
        raise refusal_of(error) from error
    # The Hub names large files by their sha256, so a replaced file is noticed before it is downloaded.
    if facts.size not in (None, partial.size) or (
        len(facts.etag or "") == 64 and facts.etag != partial.sha256
    ):
        raise SourceError("has a file with this name that does not match the model card")
    return url, token


def _facts(url: str, token: str | None) -> Any:
    from huggingface_hub import get_hf_file_metadata

    def ask() -> Any:
        # With None instead of False, the library would send the token that the user has stored.
        return get_hf_file_metadata(url, token=token or False, timeout=PATIENCE, headers=HEADERS)

    # Once abandoned, the thread ends by the timeout of the request itself.
    return within(PATIENCE, ask)


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
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    # The client drops the token on a redirect to another host.
    headers = request_headers(token)
    if partial.done:
        headers["Range"] = f"bytes={partial.done}-"
    marked = partial.done
    with get_session().stream("GET", url, headers=headers, timeout=READ_TIMEOUT) as answer:
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
