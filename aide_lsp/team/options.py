"""What `serve.yaml` says of one model: the `args` of an application."""

from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from aide_lsp.errors import SettingsError
from aide_lsp.settings.fields import FIELDS, LOADING_KEYS, Settings, check_value
from aide_lsp.settings.limits import normalized

KEYS = (*LOADING_KEYS, "names", "token_file")


@frozen
class ModelOptions:
    """A model that a team uses."""

    settings: Settings
    "Which model is loaded, and how."
    names: frozenset[str] = frozenset()
    "Names by which clients reach the server, in lower case."
    token_file: Path | None = None
    "Holds the token; None: Aide's own."


def read_options(args: Any) -> ModelOptions:
    """Return the options in the `args` of an application.

    Raises:
        SettingsError: they are not valid.
    """
    if not isinstance(args, dict):
        raise SettingsError("serve.yaml: args: expected keys and values.")
    for key in args:
        if key not in KEYS:
            raise SettingsError(
                f"serve.yaml: args: unknown key {key!r}. Expected some of: {', '.join(KEYS)}."
            )
    found: dict[str, Any] = {}
    for key in LOADING_KEYS:
        if key not in args:
            continue
        if error := check_value(key, args[key]):
            raise SettingsError(f"serve.yaml: args.{key}: {error}.")
        found[key] = normalized(FIELDS[key], args[key])
    names = args.get("names") or []
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise SettingsError("serve.yaml: args.names: expected a list of host names.")
    file = args.get("token_file")
    if file is not None and (not isinstance(file, str) or not Path(file).is_absolute()):
        raise SettingsError("serve.yaml: args.token_file: expected an absolute path.")
    return ModelOptions(
        evolve(Settings(), engine="local", **found),
        frozenset(name.lower() for name in names),
        Path(file) if file else None,
    )
