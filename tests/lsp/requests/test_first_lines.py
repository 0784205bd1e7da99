"""The first lines of a completion are shown while the rest is generated, to clients that take them."""

import asyncio

import pytest
import pytest_lsp
from attrs import evolve
from lsprotocol import types as t
from pytest_lsp import LanguageClient

from tests.lsp.clients import (
    LISTENING,
    begin,
    change,
    inline,
    make_listener,
    open_text,
    run,
    server_of,
)
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")
TAKING = evolve(LISTENING, experimental={"aide": {"firstLines": True}})
FIRST, WHOLE = "first = 1", "first = 1\nsecond = 2"
CONFIG = server_of(script="reciting_server.py", client=make_listener)


@pytest_lsp.fixture(config=CONFIG, scope="module")
async def taking(client: LanguageClient):
    await begin(client, TAKING, options={"workAhead": False})
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=CONFIG, scope="module")
async def seeded(client: LanguageClient):
    await begin(client, TAKING, options={"workAhead": False, "seed": 7})
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=CONFIG, scope="module")
async def listening(client: LanguageClient):
    await begin(client, LISTENING, options={"workAhead": False})
    yield
    await client.shutdown_session()


def place(uri: str) -> dict:
    return {"uri": uri, "position": {"line": 1, "character": 0}}


async def ready(client, uri: str, version: int = 1, *, more: bool) -> None:
    """Wait until an answer is announced."""
    async with asyncio.timeout(PATIENCE):
        while not any((one.uri, one.version, one.more) == (uri, version, more) for one in client.readies):
            await asyncio.sleep(0.01)


async def offered(client, uri: str) -> tuple[str, int]:
    """Request the completion at the end of a text: its text and seed."""
    (item,) = await inline(client, uri, line=1)
    return item.insert_text, item.command.arguments[0]["seed"]


async def test_the_first_line_is_given_and_the_rest_announced(taking):
    uri = open_text(taking, "# lines\n", "file:///elsewhere/lines.py")
    text, seed = await offered(taking, uri)
    assert text == FIRST
    async with asyncio.timeout(PATIENCE):
        while not any(
            one.shown and (one.shown.uri, one.shown.seed) == (uri, seed) for one in taking.statuses
        ):
            await asyncio.sleep(0.01)
    await ready(taking, uri, more=True)
    assert await offered(taking, uri) == (WHOLE, seed)
    # Once it is complete, all of it is given.
    assert await offered(taking, uri) == (WHOLE, seed)
    assert len([one for one in taking.readies if one.uri == uri]) == 1


async def test_while_the_first_line_is_typed_it_stays_and_the_rest_comes(taking):
    uri = open_text(taking, "# lines\n", "file:///elsewhere/typed.py")
    _, seed = await offered(taking, uri)
    change(taking, uri, "# lines\nfir", version=2)
    assert await offered(taking, uri) == (FIRST.removeprefix("fir"), seed)
    await ready(taking, uri, 2, more=True)
    assert await offered(taking, uri) == (WHOLE.removeprefix("fir"), seed)


async def test_an_accepted_first_line_is_continued_with_the_rest(taking):
    uri = open_text(taking, "# lines\n", "file:///elsewhere/accepted.py")
    await offered(taking, uri)
    change(taking, uri, f"# lines\n{FIRST}", version=2)
    (item,) = await inline(taking, uri, line=1)
    assert item.insert_text == WHOLE.removeprefix(FIRST)


async def test_a_client_that_stopped_waiting_is_told_of_the_first_line_and_then_of_the_rest(taking):
    uri = open_text(taking, "# lines\n", "file:///elsewhere/canceled.py")
    sent = inline(taking, uri, line=1)
    await asyncio.sleep(0.1)
    (msg_id,) = [key for key, future in taking.protocol._request_futures.items() if not future.done()]
    taking.cancel_request(t.CancelParams(id=msg_id))
    with pytest.raises(Exception, match="canceled"):
        await sent
    await ready(taking, uri, more=False)
    text, seed = await offered(taking, uri)
    assert text == FIRST
    await ready(taking, uri, more=True)
    assert await offered(taking, uri) == (WHOLE, seed)


async def test_where_the_user_types_something_else_nothing_is_announced(taking):
    uri = open_text(taking, "# lines\n", "file:///elsewhere/else.py")
    await offered(taking, uri)
    change(taking, uri, "# lines\ntotal = g", version=2)
    (item,) = await inline(taking, uri, line=1)
    assert item.insert_text == "amma"
    assert not [one for one in taking.readies if one.uri == uri]


async def test_paging_waits_for_all_of_what_is_visible(taking):
    uri = open_text(taking, "# lines\n", "file:///elsewhere/paged.py")
    _, seed = await offered(taking, uri)
    found = await run(taking, "aide.candidate", {**place(uri), "step": 1})
    assert (found["insertText"], found["seed"], found["reason"]) == (WHOLE, seed, "no-other")


@pytest.mark.parametrize("is_asked", [True, False])
async def test_paging_where_nothing_is_visible_gives_all(taking, is_asked):
    uri = open_text(taking, "# lines\n", f"file:///elsewhere/first{is_asked}.py")
    asked = [inline(taking, uri, line=1)] if is_asked else []
    await asyncio.sleep(0.1)  # it is sent
    found = await run(taking, "aide.candidate", {**place(uri), "step": 1})
    await asyncio.gather(*asked)
    assert (found["insertText"], found["index"]) == (WHOLE, 0)
    found = await run(taking, "aide.candidate", {**place(uri), "step": 1})
    assert (found["insertText"], found["reason"]) == (WHOLE, "no-other")


async def test_paging_ends_when_the_user_types_something_else(taking):
    uri = open_text(taking, "# long\n", "file:///elsewhere/gone.py")
    await offered(taking, uri)
    paging = asyncio.ensure_future(run(taking, "aide.candidate", {**place(uri), "step": 1}))
    await asyncio.sleep(0.1)
    change(taking, uri, "# long\ntotal = g", version=2)
    (item,) = await inline(taking, uri, line=1)
    assert (item.insert_text, (await paging)["reason"]) == ("amma", "stale")


@pytest.mark.parametrize("seconds", [0.0, 2.0])
async def test_previous_returns_to_all_of_what_was_visible(taking, seconds):
    uri = open_text(taking, "# lines\n", f"file:///elsewhere/previous{seconds}.py")
    _, seed = await offered(taking, uri)
    await asyncio.sleep(seconds)
    await run(taking, "aide.regenerate", {**place(uri), "seed": 3})
    found = await run(taking, "aide.previousSeed", place(uri))
    assert (found["insertText"], found["seed"]) == (WHOLE, seed)


async def test_without_another_one_previous_leaves_it_as_it_is(taking):
    uri = open_text(taking, "# lines\n", "file:///elsewhere/alone.py")
    await offered(taking, uri)
    found = await run(taking, "aide.previousSeed", place(uri))
    assert found["reason"] == "no-previous"
    await ready(taking, uri, more=True)


async def test_explaining_is_about_all_and_the_rest_is_announced(taking):
    uri = open_text(taking, "# lines\n", "file:///elsewhere/explained.py")
    await offered(taking, uri)
    found = await run(taking, "aide.explain", place(uri))
    assert found["asShown"] is True
    await ready(taking, uri, more=True)


async def test_comparing_leaves_the_rest_as_it_is(taking):
    uri = open_text(taking, "# lines\n", "file:///elsewhere/compared.py")
    await offered(taking, uri)
    found = await run(taking, "aide.complete", {**place(uri), "seed": 5})
    assert found["insertText"] == WHOLE
    await ready(taking, uri, more=True)


async def test_where_the_first_line_is_all_nothing_more_is_announced(taking):
    uri = open_text(taking, "# one\n", "file:///elsewhere/one.py")
    text, _ = await offered(taking, uri)
    await asyncio.sleep(2.0)
    assert (text, [one for one in taking.readies if one.uri == uri]) == (FIRST, [])


async def test_of_what_does_not_fit_as_a_whole_the_seed_gives_what_is_shown(taking):
    uri = open_text(taking, "# broken\n", "file:///elsewhere/broken.py")
    text, seed = await offered(taking, uri)
    assert text == FIRST
    await ready(taking, uri, more=True)
    assert await offered(taking, uri) == (WHOLE, seed)
    found = await run(taking, "aide.complete", {**place(uri), "seed": seed})
    assert (found["insertText"], found["candidate"]) == (WHOLE, 0)


async def test_with_a_seed_an_answer_is_all_that_it_gives(seeded):
    uri = open_text(seeded, "# lines\n", "file:///elsewhere/seeded.py")
    assert await offered(seeded, uri) == (WHOLE, 7)
    assert not seeded.readies


async def test_other_clients_get_all_at_once(listening):
    uri = open_text(listening, "# lines\n", "file:///elsewhere/listening.py")
    text, _ = await offered(listening, uri)
    assert text == WHOLE
    assert not listening.readies
