"""Has the files of a loaded model read in full, on a thread of its own."""

import asyncio
from contextlib import suppress
from pathlib import Path
from threading import Thread


async def damage_in(folder: Path) -> list[str]:
    """Return a sentence for each file that differs from the manifest."""
    from aide_lsp.inference.onnx.verifying import read_in_background

    loop = asyncio.get_running_loop()
    result: asyncio.Future[list[str]] = loop.create_future()

    def read() -> None:
        found = read_in_background(folder)
        with suppress(RuntimeError):  # the loop is closed: the server is ending
            loop.call_soon_threadsafe(result.set_result, found)

    # Not in the event loop's pool: a thread whose priority was lowered cannot raise it again.
    Thread(target=read, name="aide-verifying", daemon=True).start()
    return await result
