"""Reads `serve.yaml`, whose format is Ray Serve's, and checks what can be checked before Ray starts."""

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from attrs import frozen
from pydantic import ValidationError
from ray.serve.schema import ServeDeploySchema

from aide_lsp.errors import SettingsError
from aide_lsp.server_address import is_loopback
from aide_lsp.team.options import ModelOptions, read_options

EXAMPLE = Path(str(files("aide_lsp.team") / "serve.yaml"))
"""A configuration that works, with comments."""
BUILD = "aide_lsp.team.replica:build"
MOST_BYTES = 1_000_000


@frozen
class TeamConfig:
    """What is served, and where."""

    schema: Any
    "As Ray reads it."
    models: Mapping[str, ModelOptions]
    "By the path under which each is served."
    url: str

    @property
    def is_exposed(self) -> bool:
        """Whether other machines can connect, and what they send is not encrypted."""
        http = self.schema.http_options
        return not is_loopback(http.host) and not http.ssl_certfile


def read_config(file: Path) -> TeamConfig:
    """Return a configuration.

    Raises:
        SettingsError: it is not valid.
    """
    try:
        with file.open(encoding="utf-8") as stream:
            text = stream.read(MOST_BYTES)
        data = yaml.safe_load(text)
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"{file} is not valid YAML: {_one_line(error)}") from error
    if not isinstance(data, dict):
        raise SettingsError(f"{file}: expected keys and values. aide serve --ray --example prints a file.")
    try:
        schema = ServeDeploySchema.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(one) for one in first["loc"])
        raise SettingsError(f"{file}: {place}: {first['msg']}.") from None
    if not schema.applications:
        raise SettingsError(f"{file}: applications: expected at least one.")
    models: dict[str, ModelOptions] = {}
    for application in schema.applications:
        if application.import_path != BUILD:
            raise SettingsError(f"{file}: {application.name}: import_path: expected {BUILD}.")
        models[application.route_prefix or "/"] = read_options(application.args)
    http = schema.http_options
    scheme = "https" if http.ssl_certfile else "http"
    return TeamConfig(schema, models, f"{scheme}://{http.host}:{http.port}")


def check_cpus(config: TeamConfig) -> None:
    """Check that this machine has the CPUs that the replicas ask for; Ray would wait for them forever.

    Raises:
        SettingsError: it has not.
    """
    have = os.cpu_count() or 1
    need = sum(_cpus(application) for application in config.schema.applications)
    if need > have:
        raise SettingsError(
            f"serve.yaml asks for {need:g} CPUs, and this machine has {have}. Reduce min_replicas or "
            "num_cpus."
        )


def _cpus(application: Any) -> float:
    given = application.model_dump(exclude_unset=True).get("deployments", [])
    options = given[0] if given else {}
    scaling = options.get("autoscaling_config") or {}
    replicas = scaling.get("min_replicas", 1) if scaling else options.get("num_replicas", 1)
    cpus = (options.get("ray_actor_options") or {}).get("num_cpus", 1)
    return float(cpus) * (replicas if isinstance(replicas, int) else 1)


def _one_line(error: Exception) -> str:
    lines = str(error).splitlines() or [type(error).__name__]
    return " ".join(line.strip() for line in lines)[:300]
