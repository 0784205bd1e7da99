"""The token that each request must have: in a file that only its owner can read."""

import os
import stat
from pathlib import Path
from secrets import token_urlsafe

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
        TokenError: the file cannot be used.
        OSError: it cannot be written.
    """
    file = folder / NAME
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written under another name first: another process that starts now sees all of it, or nothing.
    draft = folder / f".{NAME}.{os.getpid()}"
    if not file.exists():
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(token_urlsafe(32) + "\n")
        try:
            # Unlike `rename`, it never replaces the file that another process has made.
            os.link(draft, file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file, read_token(file)


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
