"""Keeps everything that Ray opens on this machine's loopback address, where Ray runs on one machine only."""

import os
from collections.abc import Callable
from secrets import token_urlsafe
from typing import Any

LOOPBACK = "127.0.0.1"
_ENVIRONMENT = {
    # Meant for systems whose firewall asks about each port. All but the port of replicas follows it.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Whoever sends Ray a message without this run's token is refused.
    "RAY_AUTH_MODE": "token",
    "RAY_SERVE_LOG_TO_STDERR": "0",
    # By default, replicas would yield to every other process of the machine.
    "RAY_worker_niceness": "0",
}


def prepare() -> None:
    """Set what Ray reads when it is imported."""
    os.environ |= _ENVIRONMENT | {"RAY_AUTH_TOKEN": token_urlsafe(32)}
    # One that the user has set for a cluster would be used instead.
    os.environ.pop("RAY_AUTH_TOKEN_PATH", None)


def bind_replicas() -> None:
    """Let the replica in this process listen for other replicas on this machine only, if Ray does."""
    import ray.util
    from ray.serve._private import replica

    if ray.util.get_node_ip_address() != LOOPBACK:
        return
    original: Callable[[Any, str], int] = replica.add_port_to_grpc_server
    replica.add_port_to_grpc_server = lambda server, _: original(server, f"{LOOPBACK}:0")
