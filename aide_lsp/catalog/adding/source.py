"""What a user names as the source of a new model: a file, a folder, or a file of the Hugging Face Hub."""

import os
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from attrs import frozen

from aide_lsp.errors import DownloadError, ModelFilesError

HUB_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
FORMS = "hf:OWNER/REPO/FILE.gguf, or hf:OWNER/REPO"
"""How to name a file of the Hub."""
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_REVISION = r"[A-Za-z0-9][A-Za-z0-9._/-]*"
# What follows the repository in the address of a page or file of the Hub.
_KINDS = ("blob", "resolve", "raw", "tree")


@frozen
class LocalSource:
    """A GGUF file, or a folder with an exported ONNX decoder."""

    path: Path
    """Absolute. Links are kept: what they lead to may have no useful name."""


@frozen
class HubAddress:
    """A file of a repository of the Hub, or one to choose there."""

    repo: str
    file: str | None = None
    """None: to be chosen."""
    revision: str | None = None
    """A branch, tag or commit; None: the newest."""
    quantization: str | None = None
    """A part of the name of the file to choose, such as `Q8_0`."""


def parse_source(text: str) -> LocalSource | HubAddress:
    """Return what a user's words name.

    Raises:
        DownloadError: it is an address that is not the Hub's, or no valid one.
        ModelFilesError: there is no such file or folder.
    """
    text = text.strip()
    if text.lower().startswith("hf:"):
        return _address(text[3:].lstrip("/"), text)
    if text.lower().startswith("file:///"):
        # On Windows, the path begins with a drive: /C:/...
        return _local(re.sub(r"^/(?=[A-Za-z]:)", "", unquote(urlsplit(text).path)))
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        return _from_url(urlsplit(text), text)
    if text.startswith(("hf.co/", "huggingface.co/")):
        return _from_url(urlsplit("https://" + text), text)
    return _local(text)


def hub_host() -> str:
    """Return the host of the Hub: the user's HF_ENDPOINT, or the public one."""
    return urlsplit(os.environ.get("HF_ENDPOINT", "")).netloc or HUB_HOSTS[0]


def _local(text: str) -> LocalSource:
    path = Path(text)
    # There may be no such user.
    with suppress(RuntimeError):
        path = path.expanduser()
    if text and path.exists():
        return LocalSource(path.absolute())
    # A relative path, or a repository that was copied without `hf:`.
    hint = f" For a file of the Hugging Face Hub: hf:{text}" if re.fullmatch(f"{_NAME}/{_NAME}", text) else ""
    raise ModelFilesError(
        f"There is no file or folder {text!r}. Give the path of a GGUF file, of a folder "
        f"with an ONNX model, or {FORMS}.{hint}"
    )


def _address(words: str, text: str) -> HubAddress:
    """Parse `OWNER/REPO`, `OWNER/REPO/FILE`, with `@REVISION` or, like llama.cpp, `:QUANTIZATION`."""
    words, _, revision = words.partition("@")
    words, _, quantization = words.partition(":")
    parts = words.split("/")
    repo, file = "/".join(parts[:2]), "/".join(parts[2:])
    if not re.fullmatch(f"{_NAME}/{_NAME}", repo):
        raise DownloadError(f"{text!r} names no repository of the Hugging Face Hub. Expected {FORMS}.")
    if revision and not (re.fullmatch(_REVISION, revision) and ".." not in revision):
        raise DownloadError(f"{revision!r} is no branch, tag or commit. Expected {FORMS}@REVISION.")
    if file and (quantization or not _is_member(file)):
        raise DownloadError(f"{text!r} names no file of a repository. Expected {FORMS}.")
    if quantization and not re.fullmatch(r"[A-Za-z0-9_]+", quantization):
        raise DownloadError(f"{quantization!r} is no quantization. Expected a word such as Q4_K_M.")
    return HubAddress(repo, file or None, revision or None, quantization or None)


def _from_url(url: SplitResult, text: str) -> HubAddress:
    """Take the address of a repository, of a file's page, or of a download apart."""
    if url.scheme not in ("http", "https") or url.netloc.lower() not in (*HUB_HOSTS, hub_host()):
        raise DownloadError(
            f"Aide downloads models only from the Hugging Face Hub. Download {text} yourself, then run "
            "aide models add with the path of the file."
        )
    owner, repo, *rest = [*unquote(url.path).strip("/").split("/"), ""][:1000]
    # The page of a repository shows a file so.
    file, revision = parse_qs(url.query).get("show_file_info", [""])[0], ""
    if rest and rest[0] in _KINDS and len(rest) > 2:
        revision = f"@{rest[1]}"
        # Without the empty part at the end that was added above.
        file = file if rest[0] == "tree" else "/".join(rest[2:-1])
    words = f"{owner}/{repo}/{file}".rstrip("/") + revision
    return _address(words, text)


def _is_member(file: str) -> bool:
    # As the rule of model cards: a path inside the repository.
    return file.isprintable() and "\\" not in file and not {"", ".", ".."} & set(file.split("/"))
