"""Reads the files of a loaded model in full, without delaying its first completions.

Damaged weights cause no error, only bad completions. They are checked after every load: bits rot without
changing a file's size or time.
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import get_native_id
from time import sleep

from aide_lsp.errors import ModelFilesError
from aide_lsp.inference.onnx.model_folder import verify_files

LOW_PRIORITY = 19
"""The lowest: completions come first, such as those for which people wait after an engine was started again.
A sixtieth of a core when all are busy; a pause of a second or two suffices to read a model."""
REST_SECONDS = 0.002
"""Pause after each piece of a file, on systems where threads have no priority."""


def read_in_background(folder: Path) -> list[str]:
    """Return a sentence for each file that differs from the manifest.

    For a thread of its own: it cannot raise its priority again.
    """
    try:
        return verify_files(folder, between=_lower_priority())
    except ModelFilesError as error:
        return [str(error)]


def _lower_priority() -> Callable[[], object]:
    """Lower this thread's priority if it has one; return what to call after each piece."""
    if sys.platform == "linux":
        with suppress(OSError):
            # On Linux this affects the thread; by POSIX it is the whole process.
            os.setpriority(os.PRIO_PROCESS, get_native_id(), LOW_PRIORITY)
            return lambda: None
    return lambda: sleep(REST_SECONDS)
