"""A request leaves nothing that only the garbage collector could free: collecting stops all threads."""

import asyncio
import gc

import pytest

from tests.lsp.in_process import Connection
from tests.lsp.raw_client import inline_params
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("text", ["x = ", "#decline", "#crash", "#session"])
@pytest.mark.parametrize("capabilities", [{}, {"experimental": {"aide": True}}], ids=["plain", "notified"])
async def test_a_request_leaves_no_cyclic_garbage_whatever_becomes_of_it(text, capabilities):
    client = Connection()
    await client.initialize(**capabilities)
    client.open(text, "file:///short.py")
    client.open("#slow 0.02", "file:///slow.py")
    client.open("x = ", "file:///warm.py")  # the first item has the converter write functions for it
    client.send("textDocument/inlineCompletion", inline_params(0, 4, "file:///warm.py"), id="item")
    await client.reply("item")
    await scenario(client, "warm")
    gc.collect()
    gc.disable()
    try:
        await scenario(client, "counted")
        assert gc.collect() == 0
    finally:
        gc.enable()


async def scenario(client, name) -> None:
    """One request that is answered, one that is superseded, and one that is canceled."""
    for number, (uri, cancelled) in enumerate((("short", False), ("slow", False), ("slow", True))):
        params = inline_params(0, 10 - number, f"file:///{uri}.py", trigger=2)
        client.send("textDocument/inlineCompletion", params, id=f"{name} {number}")
        await asyncio.sleep(0.005)
        if cancelled:
            client.send("$/cancelRequest", {"id": f"{name} {number}"})
    for number in range(3):
        await client.reply(f"{name} {number}")
    async with asyncio.timeout(PATIENCE):
        while client.server.requests._tasks or client.server.status.summary()["busy"]:
            await asyncio.sleep(0.001)
    await asyncio.sleep(0.05)  # for what was sent to be forgotten
