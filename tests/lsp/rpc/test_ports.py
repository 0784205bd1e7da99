"""Where `aide-lsp --tcp` cannot listen."""

import socket

import pytest

from aide_lsp.listening.private_socket import AddressError
from aide_lsp.lsp.rpc.listening import accept_tcp


def test_port_in_use_is_named_with_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressError, match=rf"Port {port} on \S+ is in use\. Choose another one"):
            accept_tcp(f"127.0.0.1:{port}", "a token that is long enough")
