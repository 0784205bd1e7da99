"""Opens files that someone else may have made: regular files only, without waiting for anything."""

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from aide_lsp.errors import ModelFilesError

MOST_JSON_BYTES = 64_000_000
"""Twice the largest tokenizer.json of a published model."""
# O_NONBLOCK: do not wait for a pipe or a device that has just replaced the file.
_FLAGS = sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
)


class NotRegularError(Exception):
    """The path is a link, a folder, a device or a pipe."""


def open_regular(path: Path) -> BinaryIO:
    """Open a regular file for reading; a link is none.

    Raises:
        NotRegularError: it is not a regular file.
        OSError, ValueError: it cannot be opened.
    """
    # Before opening, because opening a device can have an effect; and once more after, because the path may
    # lead to another file by then.
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise NotRegularError
    file = os.fdopen(os.open(path, os.O_RDONLY | _FLAGS), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise NotRegularError
    return file


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file of a model folder for reading.

    Raises:
        ModelFilesError: it is missing, a link, not a regular file, or cannot be opened.
    """
    try:
        if path.is_symlink():
            raise ModelFilesError(
                f"{path} is a link. Aide follows no links in a model's folder, since they may lead anywhere. "
                "Replace it with the file itself; `cp -rL` copies a folder that way."
            )
        return open_regular(path)
    except NotRegularError as error:
        raise ModelFilesError(f"{path} is not a regular file.") from error
    except (OSError, ValueError) as error:
        raise ModelFilesError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file of a model folder.

    Raises:
        ModelFilesError: as `open_plain`; or it is too large, nested too deeply, or not a JSON object.
    """
    with open_plain(path) as file:
        # Not by its size, which may grow while it is read.
        data = file.read(MOST_JSON_BYTES + 1)
    if len(data) > MOST_JSON_BYTES:
        raise ModelFilesError(f"{path} cannot be read: it is larger than {MOST_JSON_BYTES // 10**6} MB.")
    try:
        content = json.loads(data)
    except RecursionError as error:
        raise ModelFilesError(f"{path} cannot be read: it is nested too deeply.") from error
    except ValueError as error:
        raise ModelFilesError(f"{path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise ModelFilesError(f"{path} cannot be read: it is not a JSON object.")
    return content
