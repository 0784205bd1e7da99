"""Reads the files of a loaded model in full, out of the way of its first completions.

In: a model folder. Out: what differs from its manifest. Damage in the weights makes no error: it makes wrong
completions. Nothing remembers an earlier check: bits rot without changing a file's size or time. It does not
know what is done about it.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread, get_native_id
from time import sleep

from aide_lsp.errors import ModelFilesError

LOW_PRIORITY = 10
"""A tenth of a core where all of them compute, so that damage is found within seconds all the same."""
REST_SECONDS = 0.002
"""After each piece of a file, where threads have no priority of their own: reads half of the time."""


async def faults_in(folder: Path) -> list[str]:
    """Return a sentence for each file that differs from the manifest."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[list[str]] = loop.create_future()

    def read() -> None:
        found = _read(folder)
        with suppress(RuntimeError):  # the loop is closed: the server ends
            loop.call_soon_threadsafe(result.set_result, found)

    Thread(target=read, name="aide-verifying", daemon=True).start()
    return await result


def _read(folder: Path) -> list[str]:
    from aide_lsp.inference.onnx.model_folder import verify_files

    try:
        return verify_files(folder, between=_out_of_the_way())
    except ModelFilesError as error:
        return [str(error)]


def _out_of_the_way() -> Callable[[], object]:
    """Lower this thread's priority where it has one; return what to call after each piece."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), LOW_PRIORITY)
            return lambda: None
    return lambda: sleep(REST_SECONDS)
