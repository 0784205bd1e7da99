"""The token that each request must have: in a file that only its owner can read."""

import os
import stat
from contextlib import suppress
from pathlib import Path
from secrets import token_urlsafe

from aide_lsp.disk import refusal
from aide_lsp.errors import AideError

NAME = "serve.token"
SHORTEST = 16
"""Characters. A shorter one could be guessed."""
LONGEST = 4_096


class TokenError(AideError):
    """The token cannot be used."""


def own_token(folder: Path) -> tuple[Path, str]:
    """Return the token of a data folder and its file; make it if there is none.

    Raises:
        TokenError: the file cannot be used or written.
    """
    file = folder / NAME
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.exists():
            _make(file)
    except OSError as error:
        raise TokenError(
            f"The token file {file} cannot be written: {refusal(error)}. Fix that, or set AIDE_DATA_DIR to "
            "another folder, then try again."
        ) from error
    return file, read_token(file)


def _make(file: Path) -> None:
    # Written under another name first: another process that starts now sees all of it, or nothing.
    draft = file.with_name(f".{NAME}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(token_urlsafe(32) + "\n")
        # Unlike `rename`, it never replaces the file that another process has made.
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def read_token(file: Path) -> str:
    """Return the token in a file.

    Raises:
        TokenError: the file cannot be used.
    """
    try:
        with file.open("rb") as stream:
            found = os.fstat(stream.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise TokenError(f"The token file {file} is not a file.")
            if os.name != "nt" and found.st_mode & 0o007:
                raise TokenError(
                    f"Everyone on this machine can read or change the token file {file}. Run `chmod 600` on "
                    "it, and put another token into it if others may have read this one."
                )
            if os.name != "nt" and found.st_uid not in (0, os.geteuid()):
                raise TokenError(f"The token file {file} belongs to another user, who can change it.")
            text = stream.read(LONGEST + 2)
    except OSError as error:
        raise TokenError(f"The token file {file} cannot be read: {error.strerror}.") from error
    token = text.decode("ascii", "replace").strip()
    if not SHORTEST <= len(token) <= LONGEST or not all("!" <= character <= "~" for character in token):
        raise TokenError(
            f"The token file {file} holds no token: expected {SHORTEST} to {LONGEST:,} printable ASCII "
            "characters without blanks."
        )
    return token
