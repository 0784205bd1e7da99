"""Looks at a repository of the Hugging Face Hub: which files it has, and how one of them begins.

Nothing is kept on the disk. What the Hub sends is bounded in size and time, and used only as far as it is
valid: sizes and sha256 are pinned in a card, and verified when the file is downloaded.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from attrs import field, frozen

from aide_lsp.catalog.adding.facts import SPLIT
from aide_lsp.catalog.adding.source import HubAddress
from aide_lsp.catalog.card_rules import MOST
from aide_lsp.catalog.hub_client import (
    FINAL,
    READ_TIMEOUT,
    causes,
    refusal_of,
    request_headers,
    status_of,
    with_login,
    within,
)
from aide_lsp.catalog.partial import SourceError, UnreachableError
from aide_lsp.disk import megabytes
from aide_lsp.errors import AideError, DownloadError
from aide_lsp.invisible import escaped

LISTING_SECONDS = 20.0
"""Seconds to wait for the list of a repository's files."""
LISTING_BYTES = 16 << 20
"""Size limit of that list; a repository with a thousand files has 0.4 MB."""
HEADER_BYTES = 48 << 20
"""Size limit of a file's metadata: twice that of a vocabulary of 256,000 tokens."""
HEADER_SECONDS = 240.0
"""Time limit for reading it: at 2 Mbit/s, 60 MB."""
MOST_SHOWN = 12
"""Files that a message lists."""
QUANTIZATION = "Q4_K_M"
"""Chosen if a repository has several files: most repositories have it, and lead with it."""
_FIRST_LOOK = 1 << 20
# A vocabulary is read in one attempt; a line that breaks off gets others, which go on where it stopped.
_ATTEMPTS = 3
# Parts of a model that cannot complete text alone.
_PARTS = re.compile(r"mmproj|imatrix", re.IGNORECASE)
T = TypeVar("T")


@frozen
class HubFile:
    """A file of a repository, at one commit."""

    repo: str
    file: str
    """Path in the repository."""
    commit: str
    size: int
    sha256: str
    license: str
    """As the repository states it; empty: it states none."""
    others: tuple[str, ...] = ()
    """Other files that could have been chosen, with their sizes; empty if the user named the file."""
    token: str | None = field(default=None, repr=False)
    """The user's token, if the Hub wanted one."""


@frozen
class _Entry:
    """One file of a listing."""

    name: str
    size: int
    sha256: str
    """Empty: the Hub does not know it."""


def look_up(address: HubAddress) -> HubFile:
    """Ask the Hub about a file; choose one if none is named.

    Raises:
        DownloadError: the Hub does not have it, does not show it, or cannot be reached.
    """
    try:
        listing, token = with_login(lambda token: _listing(address, token))
    except Exception as error:
        raise _refused(error, address) from error
    entries = _entries(listing)
    chosen = _choose(address, entries)
    _check(chosen, address)
    commit = listing.get("sha")
    if not isinstance(commit, str) or not re.fullmatch("[0-9a-f]{40}", commit):
        raise DownloadError(f"The Hugging Face Hub names no commit of {address.repo}. Try again later.")
    others = [] if address.file else [one for one in _candidates(entries) if one != chosen]
    return HubFile(
        repo=address.repo,
        file=chosen.name,
        commit=commit,
        size=chosen.size,
        sha256=chosen.sha256,
        license=_license(listing),
        others=tuple(_shown(others)),
        token=token,
    )


def read_header(file: HubFile, parse: Callable[[bytes], T | None]) -> T:
    """Read the beginning of a file, as much of it as `parse` needs, and return what that returns.

    `parse` returns None if the bytes end too early.

    Raises:
        DownloadError: the file cannot be read, or `parse` is not content with `HEADER_BYTES`.
        ConversionError: as `parse`.
    """
    data, looked = bytearray(), 0
    deadline = time.monotonic() + HEADER_SECONDS
    for attempt in range(_ATTEMPTS):
        try:
            for is_all in _grow(file, data, deadline):
                # Twice as much each time: parsing again and again takes no longer than parsing the last time.
                if is_all or len(data) >= max(_FIRST_LOOK, 2 * looked):
                    looked = len(data)
                    if (found := parse(bytes(data))) is not None:
                        return found
        except AideError:
            raise
        except Exception as error:
            if attempt + 1 == _ATTEMPTS or status_of(error) in FINAL:
                raise _refused(error, HubAddress(file.repo, file.file, file.commit)) from error
        if len(data) >= min(HEADER_BYTES, file.size):
            break
    raise SourceError(
        f"{file.file} cannot be used: its metadata does not end within {megabytes(len(data))}, so it is "
        "damaged or incomplete. Choose another file."
    )


def _grow(file: HubFile, data: bytearray, deadline: float) -> Iterator[bool]:
    """Append what one answer brings to `data`; after each piece, yield whether it is all there is."""
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    most = min(HEADER_BYTES, file.size)
    url = hf_hub_url(file.repo, file.file, revision=file.commit)
    headers = request_headers(file.token) | {"Range": f"bytes={len(data)}-{most - 1}"}
    with get_session().stream("GET", url, headers=headers, timeout=READ_TIMEOUT) as answer:
        hf_raise_for_status(answer)
        total = re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.headers.get("Content-Range", ""))
        if total is not None and int(total[1]) != file.size:
            raise SourceError(
                f"The Hugging Face Hub states two sizes of {file.file}: {file.size} and {total[1][:20]} "
                "bytes."
            )
        # A server without ranges sends the file from its beginning.
        if answer.status_code != 206:
            data.clear()
        for block in answer.iter_bytes():
            data += block[: most - len(data)]
            if len(data) >= most:
                break
            yield False
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"The Hugging Face Hub sent {megabytes(len(data))} of {file.file} in "
                    f"{HEADER_SECONDS:.0f} seconds, which is too slow. Try again later."
                )
        # Also where the answer ends early.
        yield True


def _listing(address: HubAddress, token: str | None) -> Mapping[str, Any]:
    """Return the Hub's facts about a repository and its files."""
    from urllib.parse import quote

    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    # https://huggingface.co/docs/hub/api: `blobs` adds the size and sha256 of each file.
    at = f"/revision/{quote(address.revision, safe='')}" if address.revision else ""
    url = f"{constants.ENDPOINT}/api/models/{address.repo}{at}?blobs=true"

    def ask() -> bytes:
        data = bytearray()
        with get_session().stream(
            "GET", url, headers=request_headers(token), timeout=LISTING_SECONDS
        ) as answer:
            hf_raise_for_status(answer)
            for block in answer.iter_bytes():
                data += block
                if len(data) > LISTING_BYTES:
                    raise SourceError(f"The list of files of {address.repo} is too long.")
        return bytes(data)

    try:
        listing = json.loads(within(LISTING_SECONDS, ask))
    except (ValueError, RecursionError) as error:
        raise UnreachableError("The Hugging Face Hub sent what is no list of files.") from error
    if not isinstance(listing, dict):
        raise UnreachableError("The Hugging Face Hub sent what is no list of files.")
    return listing


def _entries(listing: Mapping[str, Any]) -> list[_Entry]:
    """Return the files of a listing, as far as their entries are valid."""
    siblings = listing.get("siblings")
    found = []
    for one in siblings if isinstance(siblings, list) else ():
        name = one.get("rfilename") if isinstance(one, dict) else None
        if not isinstance(name, str) or not name.isprintable() or len(name) > 500:
            continue
        large = one.get("lfs") if isinstance(one.get("lfs"), dict) else {}
        size, sha256 = large.get("size", one.get("size")), large.get("sha256")
        is_size = isinstance(size, int) and not isinstance(size, bool) and 0 < size < MOST
        is_hash = isinstance(sha256, str) and re.fullmatch("[0-9a-f]{64}", sha256)
        found.append(_Entry(name, size if is_size else 0, str(sha256) if is_hash else ""))
    return found


def _candidates(entries: Sequence[_Entry]) -> list[_Entry]:
    """Return the files that are complete models."""
    return [
        one
        for one in entries
        if one.name.lower().endswith(".gguf") and not _PARTS.search(one.name) and not SPLIT.search(one.name)
    ]


def _choose(address: HubAddress, entries: Sequence[_Entry]) -> _Entry:
    if address.file is not None:
        return _named(address.file, address.repo, entries)
    candidates = _candidates(entries)
    if not candidates:
        raise DownloadError(_without_models(address.repo, entries))
    if len(candidates) == 1 and address.quantization is None:
        return candidates[0]
    word = address.quantization or QUANTIZATION
    pattern = re.compile(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9_])", re.IGNORECASE)
    found = [one for one in candidates if pattern.search(one.name)]
    if len(found) == 1:
        return found[0]
    raise DownloadError(
        f"{address.repo} has {len(candidates)} GGUF files, and {len(found) or 'none'} of them "
        f"with {word}: {', '.join(_shown(candidates))}. Name one: hf:{address.repo}/FILE.gguf"
    )


def _named(file: str, repo: str, entries: Sequence[_Entry]) -> _Entry:
    found = next((one for one in entries if one.name == file), None)
    if found is not None:
        return found
    near = get_close_matches(file[:200], [one.name for one in entries], n=1)
    candidates = _candidates(entries)
    hint = (
        f"Did you mean {near[0]}?" if near else f"It has {', '.join(_shown(candidates)) or 'no GGUF file'}."
    )
    raise DownloadError(f"{repo} has no file {file}. {hint}")


def _without_models(repo: str, entries: Sequence[_Entry]) -> str:
    if any(SPLIT.search(one.name) for one in entries):
        return (
            f"{repo} has only GGUF files that are split into parts, which Aide cannot read. Choose a smaller "
            "quantization or another repository with the model in one file."
        )
    return (
        f"{repo} has no GGUF file of a model. Look for a repository with the same model as GGUF; its name "
        "usually ends in -GGUF."
    )


def _check(entry: _Entry, address: HubAddress) -> None:
    if not entry.name.lower().endswith(".gguf"):
        raise DownloadError(f"{entry.name} is not a GGUF file. Name a file that ends in .gguf.")
    if SPLIT.search(entry.name):
        raise DownloadError(
            f"{entry.name} is one part of a split model, which Aide cannot read. Choose a file of "
            f"{address.repo} that has the model in one piece, or merge the parts with llama-gguf-split "
            "--merge and add the merged file."
        )
    if not entry.size or not entry.sha256:
        raise DownloadError(
            f"The Hugging Face Hub does not state size and sha256 of {entry.name}, so that a download cannot "
            "be verified. Download it yourself, then run aide models add with the path of the file."
        )


def _shown(entries: Sequence[_Entry]) -> list[str]:
    names = [f"{one.name} ({megabytes(one.size)})" if one.size else one.name for one in entries]
    more = [f"and {len(names) - MOST_SHOWN} more"] if len(names) > MOST_SHOWN else []
    return names[:MOST_SHOWN] + more


def _license(listing: Mapping[str, Any]) -> str:
    """Return the license that the repository's page states."""
    card = listing.get("cardData")
    card = card if isinstance(card, dict) else {}
    stated = card.get("license")
    # `other` is the Hub's word for what has a name of its own.
    if stated == "other":
        stated = card.get("license_name") or stated
    tags = listing.get("tags")
    if not isinstance(stated, str):
        words = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
        stated = next((tag.partition(":")[2] for tag in words if tag.startswith("license:")), "")
    return stated


def _refused(error: Exception, address: HubAddress) -> DownloadError:
    """Say what the Hub refused, and what to do."""
    if isinstance(error, DownloadError):
        return error
    names = {type(cause).__name__ for cause in causes(error)}
    repo, where = address.repo, f"{_endpoint()}/{address.repo}"
    login = "log in with `hf auth login` (or set HF_TOKEN)"
    if "GatedRepoError" in names:
        return SourceError(
            f"{repo} is gated: accept its terms at {where}, {login}, then try again. Nothing was downloaded."
        )
    if "RevisionNotFoundError" in names:
        return SourceError(f"{repo} has no revision {address.revision}. Look at {where}/commits/main.")
    if "EntryNotFoundError" in names or "RemoteEntryNotFoundError" in names:
        return SourceError(f"{repo} has no file {address.file}. Look at {where}/tree/main.")
    if "DisabledRepoError" in names:
        return SourceError(f"The Hugging Face Hub has disabled {repo}. Choose another repository.")
    status = status_of(error)
    if "RepositoryNotFoundError" in names or status == 404:
        return SourceError(
            f"There is no public repository {repo} at {_endpoint()}. Correct its name; if it is private, "
            f"{login} with an account that may read it, then try again."
        )
    if status in (401, 403):
        return SourceError(f"The Hugging Face Hub does not show {repo} to you: {login}, then try again.")
    if status == 429:
        return UnreachableError(
            f"The Hugging Face Hub takes no more requests from here for now{_wait(error)}. Try again then, "
            f"or {login}, which allows more."
        )
    reason = refusal_of(error)
    if isinstance(reason, UnreachableError):
        return UnreachableError(
            f"The Hugging Face Hub cannot be reached ({reason}). Try again later, or add a file that is on "
            "your disk."
        )
    return SourceError(f"The Hugging Face Hub {reason}.")


def _wait(error: Exception) -> str:
    """Return a phrase for how long the Hub asks to wait."""
    for cause in causes(error):
        headers = getattr(getattr(cause, "response", None), "headers", {})
        # `RateLimit: "api";r=0;t=123` is the Hub's own, with seconds in `t`.
        found = re.search(r";t=(\d{1,5})", headers.get("ratelimit", "")) or re.fullmatch(
            r"(\d{1,5})", headers.get("retry-after", "")
        )
        if found:
            return f" (it asks to wait {found[1]} seconds)"
    return ""


def _endpoint() -> str:
    from huggingface_hub import constants

    return escaped(str(constants.ENDPOINT))
