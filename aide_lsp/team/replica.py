"""One replica: the same engine and the same application as `aide serve`, in a process that Ray started.

`serve.yaml` names `build`. Only this module and `cluster.py` import Ray.
"""

from typing import Any

from ray import serve
from ray.serve import Application
from ray.serve.config import RequestRouterConfig
from starlette.types import ASGIApp

from aide_lsp.catalog.store import data_folder
from aide_lsp.engines.engine import Engine
from aide_lsp.errors import BrokenSessionError
from aide_lsp.loading import load_engine
from aide_lsp.serve.access import LOCAL_NAMES, Rules
from aide_lsp.serve.app import create_app
from aide_lsp.serve.served import MOST_AT_ONCE, Served
from aide_lsp.serve.token_file import own_token, read_token
from aide_lsp.team.loopback import bind_replicas
from aide_lsp.team.options import ModelOptions, read_options

NAME = "Engine"
"""Of the deployment, by which `serve.yaml` changes its options."""
ROUTER = "ray.serve.experimental.consistent_hash_router.ConsistentHashRouter"
MOST_ONGOING = MOST_AT_ONCE + 16
"""Requests that one replica takes: more than its engine does, which says itself that it is busy."""
MOST_QUEUED = 256
"""Requests that wait for a replica, while none is there."""


class Replica:
    """A loaded engine, behind its application."""

    def __init__(self, options: ModelOptions, token: str) -> None:
        """Load the model; Ray sends no requests before that is done."""
        bind_replicas()
        self._rules = Rules(token, LOCAL_NAMES | options.names)
        self._engine: Engine = load_engine(options.settings, lambda done, text: None)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Return the application; Ray asks for it."""
        return create_app(Served(self._engine), self._rules)

    def check_health(self) -> None:
        """Let Ray replace this replica when its engine has failed.

        Raises:
            BrokenSessionError: it has.
        """
        if self._engine.broken is not None:
            raise BrokenSessionError(str(self._engine.broken))


def build(args: dict[str, Any]) -> Application:
    """Return the application that an entry of `serve.yaml` describes.

    Raises:
        SettingsError, TokenError: the entry or its token cannot be used.
    """
    options = read_options(args)
    token = read_token(options.token_file) if options.token_file else own_token(data_folder())[1]
    deployment = serve.deployment(
        serve.ingress()(Replica),
        name=NAME,
        num_replicas=1,
        max_ongoing_requests=MOST_ONGOING,
        max_queued_requests=MOST_QUEUED,
        health_check_period_s=2,
        health_check_timeout_s=30,
        graceful_shutdown_timeout_s=30,
        graceful_shutdown_wait_loop_s=0.5,
        request_router_config=RequestRouterConfig(request_router_class=ROUTER),
    )
    return deployment.bind(options, token)
