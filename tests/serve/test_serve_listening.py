"""Where the server listens: a port with or without TLS, or a socket that no other user can use."""

import os
import socket
import ssl
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from aide_lsp.listening.private_socket import AddressError, listen_privately, removed_after
from aide_lsp.serve import http_server
from aide_lsp.serve.listening import CertificateError, listen_socket, listen_tcp, open_tls
from tests.patience import PATIENCE
from tests.serve.serving import ask, head, is_fine, running, trusting

DATA = Path(__file__).parent / "data"
CERTIFICATE, KEY = DATA / "certificate.pem", DATA / "key.pem"
unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no Unix sockets")


# -- TLS


def test_certificate_then_clients_that_trust_it_are_answered_and_others_are_not():
    tls = open_tls(CERTIFICATE, KEY)
    with running(listen_tcp("127.0.0.1", 0, tls)) as server:
        assert server.place.url.startswith("https://127.0.0.1:")
        is_fine(server, trusting(CERTIFICATE))
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(server, tls=ssl.create_default_context())
        with server.connect() as plain:
            plain.sendall(head())
            assert b"200" not in plain.recv(1000)
        is_fine(server, trusting(CERTIFICATE))


def test_old_version_of_tls_then_refused():
    assert open_tls(CERTIFICATE, KEY).minimum_version == ssl.TLSVersion.TLSv1_2


def test_handshake_that_never_ends_then_dropped(monkeypatch):
    monkeypatch.setattr(http_server, "HANDSHAKE_SECONDS", 0.3)
    with running(listen_tcp("127.0.0.1", 0, open_tls(CERTIFICATE, KEY))) as server:
        with server.connect() as silent:
            assert silent.recv(1) == b""
        is_fine(server, trusting(CERTIFICATE))


def test_key_in_the_certificates_file_then_found(tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(CERTIFICATE.read_bytes() + KEY.read_bytes())
    open_tls(both, None)


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("certificate.pem", None, "with the key in it cannot be used"),
        ("certificate.pem", "other-key.pem", "belong to each other"),
        ("certificate.pem", "locked-key.pem", "has a password"),
        ("key.pem", "key.pem", "cannot be used"),
        ("nothing.pem", "key.pem", "nothing.pem cannot be read"),
        ("certificate.pem", "nothing.pem", "nothing.pem cannot be read"),
        (".", "key.pem", "cannot be used"),
    ],
)
def test_certificate_that_cannot_be_used_then_a_sentence(certificate, key, said):
    with pytest.raises(CertificateError, match=said) as found:
        open_tls(DATA / certificate, DATA / key if key else None)
    assert str(found.value).endswith(".")


# -- ports


def test_port_in_use_then_a_sentence_that_helps():
    with running() as server:
        _, port = server.address
        with pytest.raises(AddressError, match=rf"Port {port} on 127\.0\.0\.1 is in use.*--port 0"):
            listen_tcp("127.0.0.1", port, None)


def test_address_of_another_machine_then_a_sentence():
    with pytest.raises(AddressError, match=r"192\.0\.2\.1 is not an address of this machine"):
        listen_tcp("192.0.2.1", 0, None)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_ipv6_then_the_address_is_in_brackets():
    try:
        place = listen_tcp("::1", 0, None)
    except AddressError:
        pytest.skip("this system has no IPv6")
    with running(place) as server:
        assert server.place.url.startswith("http://[::1]:")
        is_fine(server, host="[::1]:1")


# -- sockets


@unix
def test_server_that_ends_after_another_has_its_place_then_the_socket_of_that_one_stays(tmp_path):
    path = tmp_path / "socket"
    with listen_privately(path) as old:
        os.utime(path, ns=(0, 0))  # it was made long ago
        with removed_after(path):
            old.close()
            new = listen_privately(path)
    with new, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


@unix
def test_socket_then_only_its_owner_can_reach_it(tmp_path):
    path = tmp_path / "run" / "aide.sock"
    with running(listen_socket(path), token="") as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        is_fine(server, token=None)
        assert ask(server, token=None, host="evil.example.com").status == 421
        assert ask(server, token=None, Origin="null").status == 403


def as_another_user(path):
    """Return what user 65534 gets from a socket: the answer, or the name of an error."""
    read, write = os.pipe()
    # Not another program: that user may not be able to run this Python.
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            connection.connect(str(path))
            connection.sendall(head(token=None))
            os.write(write, b"answered: " + connection.recv(1000))
        except OSError as error:
            os.write(write, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        found = answer.read()
    os.waitpid(child, 0)
    return found


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("is_open", [False, True])
def test_another_user_then_no_answer_even_where_the_files_would_allow_it(is_open):
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "run" / "aide.sock"
        with running(listen_socket(path), token="") as server:
            if is_open:
                for one, mode in ((Path(folder), 0o755), (path.parent, 0o755), (path, 0o666)):
                    one.chmod(mode)
            closed = {b"answered: ", b"ConnectionResetError", b"BrokenPipeError"}
            assert as_another_user(path) in (closed if is_open else {b"PermissionError"})
            is_fine(server, token=None)


@unix
def test_two_servers_on_one_socket_then_the_second_is_refused(tmp_path):
    path = tmp_path / "aide.sock"
    refused = pytest.raises(AddressError, match="Another server already listens")
    with running(listen_socket(path), token=""), refused:
        listen_socket(path)


@unix
def test_socket_of_a_server_that_was_killed_then_replaced(tmp_path):
    path = tmp_path / "aide.sock"
    left = listen_socket(path)
    left.listener.close()
    with running(listen_socket(path), token="") as server:
        is_fine(server, token=None)


# -- the end


def test_nobody_connected_for_some_time_then_it_ends_and_one_that_has_a_client_does_not():
    with running(idle=0.005) as used, used.connect() as client:
        client.sendall(head("GET", "/aide/v1/engine"))
        assert client.recv(1000)
        with running(idle=0.005) as unused, unused.connect() as stranger:
            stranger.sendall(head(token=None))
            assert unused.ended.wait(PATIENCE)
        # It has been without a request for longer than the other one.
        assert not used.ended.is_set()
        client.close()
        assert used.ended.wait(PATIENCE)
