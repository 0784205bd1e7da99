"""The address of a server that runs the model, as it is written in the setting `engine`.

Text is sent there: so it is encrypted on every network, and nothing in the address can be a secret that
messages, logs, and reports would repeat.
"""

import re
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from attrs import frozen

LOCAL = "local"
"""The value of `engine` for Aide's own engine: the model runs in this process."""
SHARED = "shared"
"""The value of `engine` for Aide's own engine in a process of its own, for all editors of this user."""
OWN = (LOCAL, SHARED)
EXPECTED = f'"{LOCAL}", "{SHARED}", or the address of a server, such as http://127.0.0.1:8012 or https://models.example.com'
LONGEST_ADDRESS = 500
_WRITTEN = re.compile(r"[!-~]+")
"""Printable ASCII without blanks: names in other scripts have a form in ASCII."""
_HOST = re.compile(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?\.?")
DEFAULT_PORTS = {"http": 80, "https": 443}
_EXAMPLE_HOST = re.compile(r"[\w.-]+(:\d+)?(/\S*)?\Z", re.ASCII)


@frozen
class ServerAddress:
    """Where a server is."""

    url: str
    """Scheme, host, port and path, without a slash at the end."""
    host: str
    """Host and port for people; the port only if it is not the scheme's."""
    is_loopback: bool
    """Whether the server is on this machine."""
    socket: str = ""
    """Path of its Unix socket; empty: it is reached through the network."""

    @property
    def is_encrypted(self) -> bool:
        """Whether what is sent is encrypted on the way."""
        return self.url.startswith("https:")


@lru_cache(maxsize=64)
def server_address(engine: str) -> ServerAddress | None:
    """Return where the server of a valid value of `engine` is; None: Aide itself runs the model here."""
    if engine in OWN:
        return None
    parts = urlsplit(engine)
    name = parts.hostname or ""
    host = f"[{name}]" if ":" in name else name
    if parts.port is not None and parts.port != DEFAULT_PORTS[parts.scheme]:
        host += f":{parts.port}"
    return ServerAddress(f"{parts.scheme}://{host}{parts.path.rstrip('/')}", host, is_loopback(name))


@lru_cache(maxsize=64)
def address_error(engine: str) -> str | None:
    """Describe what makes a value of `engine` invalid; None if it is valid.

    Never repeats what may be a password or a key.
    """
    if engine in OWN:
        return None
    if len(engine) > LONGEST_ADDRESS:
        return f"expected an address of at most {LONGEST_ADDRESS} characters, found {len(engine):,}"
    if not _WRITTEN.fullmatch(engine) or "\\" in engine:
        return f"expected {EXPECTED}; found one with blanks, backslashes, or characters that are not ASCII"
    try:
        parts = urlsplit(engine)
        # First, so that no other message repeats it.
        return _secret_error(parts) or _place_error(parts, parts.port, engine)
    except ValueError:
        return f"expected {EXPECTED}; found a host or a port that is none"


def _secret_error(parts: SplitResult) -> str | None:
    """Describe what an address must not have; an address without a scheme may have it too."""
    advice = "Store an API key with `aide engine key`, or set AIDE_API_KEY"
    if "@" in parts.netloc or (not parts.netloc and "@" in parts.path):
        return f"expected an address without a user name or password; found one with @. {advice}"
    if parts.query or parts.fragment:
        return f"expected an address without ? and #; found one that has them. {advice}"
    return None


def _place_error(parts: SplitResult, port: int | None, engine: str) -> str | None:
    # `localhost:8012` is a scheme and a path to the parser.
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        found = engine.removeprefix("//")
        scheme = "http" if is_loopback(re.split(r"[:/]", found)[0]) else "https"
        is_host = _EXAMPLE_HOST.match(found) and ("." in found or found.startswith("localhost"))
        meant = f'; perhaps you mean "{scheme}://{found}"' if is_host else ""
        return f'expected {EXPECTED}; found "{_cut(engine)}"{meant}'
    name = parts.hostname
    if not (_HOST.fullmatch(name) or is_address(name)) or port == 0:
        return f'expected {EXPECTED}; found "{_cut(engine)}", which names no host'
    if is_address(name) and ip_address(name).is_unspecified:
        here = f"{parts.scheme}://127.0.0.1{f':{port}' if port else ''}{parts.path}"
        return (
            f'expected {EXPECTED}; found "{_cut(engine)}", where a server listens, but cannot be reached. If '
            f"it runs on this machine, set {_cut(here)}"
        )
    if parts.scheme == "http" and not is_loopback(name):
        return (
            f'expected https: for a server on another machine, found "{_cut(engine)}". Your text would be '
            "sent unencrypted. If the server has no https, reach it through a tunnel: "
            f"`ssh -N -L 8012:127.0.0.1:{port or 80} {name}`, and set http://127.0.0.1:8012"
        )
    return None


def is_loopback(name: str) -> bool:
    """Whether a host name or address is this machine's."""
    if name.rstrip(".") == "localhost":
        return True
    return is_address(name) and ip_address(name).is_loopback


def is_address(name: str) -> bool:
    """Whether a host is written as an IP address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _cut(text: str) -> str:
    return text if len(text) <= 100 else text[:97] + "..."
