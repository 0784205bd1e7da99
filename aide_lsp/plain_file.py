"""Reads files of a model folder that somebody else may have made: plain files only, and no more than fits.

In: a path. Out: an open file, or the object that a JSON file holds; `ModelFilesError` for links, devices,
pipes, and for files that are too large, too deep or no JSON. It does not know what a file is for.
"""

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from aide_lsp.errors import ModelFilesError

MOST_JSON_BYTES = 64_000_000
"""Twice the largest tokenizer.json of a published model."""
# O_NONBLOCK: a pipe that took the file's place a moment ago is not waited for.
_FLAGS = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


def open_plain(path: Path) -> BinaryIO:
    """Open a file to read it.

    Raises:
        ModelFilesError: it is missing, a link, no regular file, or the system refuses.
    """
    try:
        if path.is_symlink():
            raise ModelFilesError(
                f"{path} is a link. Aide reads no links in a model's folder, for they may lead anywhere. "
                "Put the file itself there: `cp -rL` copies a folder that way."
            )
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ModelFilesError(f"{path} is no regular file.")
        file = os.fdopen(os.open(path, os.O_RDONLY | _FLAGS), "rb")
    except (OSError, ValueError) as error:
        raise ModelFilesError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from error
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ModelFilesError(f"{path} is no regular file.")
    return file


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        ModelFilesError: as `open_plain`; or it is too large, nested too deeply, or holds no object.
    """
    with open_plain(path) as file:
        data = file.read(MOST_JSON_BYTES + 1)
    if len(data) > MOST_JSON_BYTES:
        raise ModelFilesError(f"{path} cannot be read: it has more than {MOST_JSON_BYTES // 10**6} MB.")
    try:
        content = json.loads(data)
    except RecursionError as error:
        raise ModelFilesError(f"{path} cannot be read: it is nested too deeply.") from error
    except ValueError as error:
        raise ModelFilesError(f"{path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise ModelFilesError(f"{path} cannot be read: it holds no object.")
    return content
