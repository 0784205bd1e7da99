"""The API key of a server: from the environment, else from the system's keyring. Never in a file of Aide's.

The library `keyring` is optional. Keyrings may ask the user to unlock them, and some never answer: each
question has its own thread, and a limit.
"""

import os
from collections.abc import Callable
from threading import Thread
from typing import Any, TypeVar

from aide_lsp.errors import AideError

T = TypeVar("T")
VARIABLE = "AIDE_API_KEY"
SERVICE = "aide"
"""The name of Aide's entries in a keyring; their user is the server's host."""
LONGEST_KEY = 4_096
SECONDS = 30.0
"""How long a keyring may take to answer: the user may have to unlock it."""
INSTALL = (
    "Aide's Python has no library for keyrings. Install it next to Aide (`pip install keyring`, or "
    f"`uv tool install --with keyring ...`), or set {VARIABLE} in the environment of your editor."
)


class KeyringError(AideError):
    """The keyring cannot be used."""


def read_key(host: str) -> str:
    """Return the API key for a server; empty: there is none, or no keyring that can be asked."""
    if key := os.environ.get(VARIABLE, "").strip():
        return key
    try:
        return _within_limit(lambda keyring: keyring.get_password(SERVICE, host)) or ""
    except KeyringError:
        return ""


def store_key(host: str, key: str) -> str:
    """Store the API key for a server in the keyring; return the keyring's name.

    Raises:
        KeyringError: it is no key, or there is no keyring, or it refuses; the message says what to do.
    """
    if not key or len(key) > LONGEST_KEY or not all("!" <= character <= "~" for character in key):
        raise KeyringError(
            f"Nothing was stored: expected 1 to {LONGEST_KEY:,} characters without blanks, as an API key has."
        )

    def store(keyring: Any) -> str:
        keyring.set_password(SERVICE, host, key)
        # Some backends store nothing, and say nothing.
        if keyring.get_password(SERVICE, host) != key:
            raise KeyringError(f"The keyring did not keep the key. Set {VARIABLE} instead.")
        return _name(keyring)

    return _within_limit(store)


def remove_key(host: str) -> bool:
    """Remove the API key for a server from the keyring; return whether there was one.

    Raises:
        KeyringError: there is no keyring, or it refuses.
    """

    def remove(keyring: Any) -> bool:
        if keyring.get_password(SERVICE, host) is None:
            return False
        keyring.delete_password(SERVICE, host)
        return True

    return _within_limit(remove)


def _within_limit(job: Callable[[Any], T]) -> T:
    """Run a job with the keyring's library."""
    try:
        import keyring
    except ImportError as error:
        raise KeyringError(INSTALL) from error
    outcome: list[T | Exception] = []

    def run() -> None:
        try:
            outcome.append(job(keyring))
        # Backends raise whatever their system does; what they say may name the key.
        except Exception as error:
            outcome.append(error)

    thread = Thread(target=run, name="aide-keyring", daemon=True)
    thread.start()
    thread.join(SECONDS)
    if not outcome:
        raise KeyringError(f"The keyring did not answer within {SECONDS:.0f} s. Unlock it, then try again.")
    (found,) = outcome
    if isinstance(found, KeyringError):
        raise found
    if isinstance(found, Exception):
        kind = type(found).__name__
        raise KeyringError(f"The keyring cannot be used ({kind}). Set {VARIABLE} instead.") from None
    return found


def _name(keyring: Any) -> str:
    name = getattr(keyring.get_keyring(), "name", "")
    return name if isinstance(name, str) and name.isprintable() else ""
