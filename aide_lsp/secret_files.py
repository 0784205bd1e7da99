"""Which files commonly hold secrets, so that nothing is read of them or offered in them by default.

In: a path. Out: the glob that it fits. Keys and passwords would end up in the model's prompt, and a model
that has seen one may write it elsewhere. It does not know that a user can allow them (`settings_layers.py`).
"""

from functools import lru_cache
from pathlib import Path, PurePath

from aide_lsp.globs import matches

SECRET_FILES = (
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    ".netrc",
    "_netrc",
    ".pgpass",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".htpasswd",
    "*.{pem,key,p12,pfx,jks,keystore,kdbx,ppk,asc,gpg}",
    "id_{rsa,dsa,ecdsa,ed25519}",
    "**/.ssh/*",
    "**/.aws/credentials",
    "**/.kube/config",
    "**/.docker/config.json",
    "*.tfvars",
    "secrets.{yaml,yml,json,toml}",
    "credentials.{json,yaml,yml,toml}",
)
"""Globs as in the setting `off`, fitting at any depth."""
HARMLESS = (
    ".env.{example,sample,template,dist,defaults}",
    "{example,sample,template}.env",
    "*.{example,sample,template}.env",
)
"""Files that stand for a secret one without its values."""


@lru_cache(maxsize=1024)
def secret_glob(document: Path) -> str | None:
    """Return the glob by which a file holds secrets; None: it does not look like it."""
    path = PurePath(*document.parts[1:]) if document.is_absolute() else document
    if any(matches(glob, path) for glob in HARMLESS):
        return None
    return next((glob for glob in SECRET_FILES if matches(glob, path)), None)
