"""Where the server listens: a TCP port or a Unix socket, plain or with TLS."""

import os
import socket
import ssl
import sys
from ipaddress import ip_address
from pathlib import Path

from attrs import frozen

from aide_lsp.errors import AideError
from aide_lsp.listening.private_socket import AddressError, listen_privately


class CertificateError(AideError):
    """The certificate or its key cannot be used."""


@frozen
class ListeningPlace:
    """Where a server listens."""

    listener: socket.socket
    url: str
    "For people and clients; empty: on a Unix socket."
    path: Path | None = None
    "Of the Unix socket."
    tls: ssl.SSLContext | None = None

    @property
    def names(self) -> frozenset[str]:
        """Names by which clients may call this server, in lower case."""
        own = {socket.gethostname(), "localhost"} if self.path is None else {"localhost", "aide"}
        return frozenset(name.lower() for name in own)


def listen_tcp(host: str, port: int, tls: ssl.SSLContext | None) -> ListeningPlace:
    """Bind a port (0: any free one). Nobody can connect yet.

    Raises:
        AddressError: it is taken, or not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        if sys.platform != "win32":  # there it would allow two servers on one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((host, port))
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        raise AddressError(_cannot_listen(host, port, error)) from error
    # Clients cannot connect to an address that stands for all of them.
    name = socket.gethostname() if ip_address(host).is_unspecified else host
    shown = f"[{name}]" if ":" in name else name
    scheme = "https" if tls else "http"
    return ListeningPlace(listener, f"{scheme}://{shown}:{listener.getsockname()[1]}", tls=tls)


def listen_socket(path: Path) -> ListeningPlace:
    """Listen on a Unix socket that only this user can reach.

    Raises:
        AddressError: the path is taken or cannot be created, or the platform has no Unix sockets.
    """
    return ListeningPlace(listen_privately(path), "", path=path)


def open_tls(certificate: Path, key: Path | None) -> ssl.SSLContext:
    """Return what encrypts connections; without `key`, the certificate's file holds it too.

    Raises:
        CertificateError: the files cannot be used.
    """
    for file in (certificate, key):
        if file is not None and not os.access(file, os.R_OK):
            raise CertificateError(f"{file} cannot be read. It must be a file in PEM format.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _PasswordError:
        raise CertificateError(
            f"The key in {key or certificate} has a password. Aide asks for none: store the key without one."
        ) from None
    except (ssl.SSLError, OSError, ValueError) as error:
        what = f"the key in {key}" if key else "the key in it"
        raise CertificateError(
            f"The certificate {certificate} with {what} cannot be used{_reason(error)}. Both must be in "
            "PEM format, and belong to each other."
        ) from error
    return context


class _PasswordError(Exception):
    pass


def _no_password() -> str:
    raise _PasswordError


def _reason(error: Exception) -> str:
    """Return what follows the statement; empty where OpenSSL says nothing that helps."""
    reason = getattr(error, "reason", None)
    if reason is None and not isinstance(error, ssl.SSLError):
        reason = getattr(error, "strerror", None) or type(error).__name__
    return f" ({reason.replace('_', ' ').lower()})" if reason else ""


def _cannot_listen(host: str, port: int, error: Exception) -> str:
    import errno

    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is in use, perhaps by another aide serve. Choose another one with "
            "--port; --port 0 takes any that is free."
        )
    if code == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. Choose one of its own with --host."
    if code in (errno.EACCES, errno.EPERM):
        return f"You may not listen on port {port}. Choose one above 1023 with --port."
    return f"Cannot listen on {host}, port {port}: {getattr(error, 'strerror', None) or error}."
