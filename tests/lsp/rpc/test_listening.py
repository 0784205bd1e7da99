"""A client that receives `aide/status` and `aide/ready`, and one that types along."""

import asyncio
from pathlib import Path
from tempfile import mkdtemp

import pytest
import pytest_lsp
from lsprotocol import types as t
from pytest_lsp import LanguageClient

from tests.lsp.clients import (
    LISTENING,
    announces,
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
LOADED = Path(mkdtemp()) / "loaded"
"""Once it is there, the model of `hasty` is loaded."""


def config(*arguments: str, script: str = "fake_server.py"):
    return server_of(*arguments, script=script, client=make_listener)


@pytest_lsp.fixture(config=config(script="reciting_server.py"), scope="module")
async def reciter(client: LanguageClient):
    await begin(client, LISTENING)
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=config(script="reciting_server.py"), scope="module")
async def frugal(client: LanguageClient):
    await begin(client, LISTENING, options={"workAhead": False})
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=config(), scope="module")
async def faker(client: LanguageClient):
    await begin(client, LISTENING)
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=config("--fake-load", f"when {LOADED}"), scope="module")
async def hasty(client: LanguageClient):
    await client.initialize_session(t.InitializeParams(capabilities=LISTENING))
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=config(), scope="module")
async def plain(client: LanguageClient):
    await begin(client, announces())
    yield
    await client.shutdown_session()


async def heard(client, what, holds):
    """Wait until something was heard."""
    async with asyncio.timeout(PATIENCE):
        while not (found := [one for one in what if holds(one)]):
            await asyncio.sleep(0.01)
    return found[-1]


async def cancel(client, uri: str, text: str) -> None:
    """Ask for a completion and cancel the request, as VS Code does after 750 ms."""
    params = t.InlineCompletionParams(
        context=t.InlineCompletionContext(trigger_kind=t.InlineCompletionTriggerKind.Automatic),
        text_document=t.TextDocumentIdentifier(uri=uri),
        position=t.Position(line=0, character=10_000),
    )
    sent = client.protocol.send_request(t.TEXT_DOCUMENT_INLINE_COMPLETION, params)
    while "#slow" in text and not any(message.message == "slow begins" for message in client.log_messages):
        await asyncio.sleep(0.01)
    (msg_id,) = [key for key, future in client.protocol._request_futures.items() if future is sent]
    client.cancel_request(t.CancelParams(id=msg_id))
    with pytest.raises(Exception, match="canceled"):
        await asyncio.wrap_future(sent)


async def test_typing_what_is_being_written_is_answered_with_the_rest_of_it(reciter):
    uri = open_text(reciter, "total =", "file:///elsewhere/along.py")
    first = inline(reciter, uri)
    await asyncio.sleep(0.15)
    change(reciter, uri, "total = a")
    second = inline(reciter, uri)
    (item,) = await second
    assert (await first, item.insert_text) == ([], "lpha + beta")
    last = (await run(reciter, "aide.status"))["lastRequest"]
    assert last["fromCache"]  # nothing was generated twice


async def test_typing_something_else_starts_over(reciter):
    uri = open_text(reciter, "total =", "file:///elsewhere/other.py")
    first = inline(reciter, uri)
    await asyncio.sleep(0.15)
    change(reciter, uri, "total = g")
    (item,) = await inline(reciter, uri)
    assert (await first, item.insert_text) == ([], "amma")
    assert not (await run(reciter, "aide.status"))["lastRequest"]["fromCache"]


async def test_an_answer_to_a_cancelled_request_is_announced_and_then_given_alone_at_once(reciter):
    uri = open_text(reciter, "total =", "file:///elsewhere/late.py")
    await cancel(reciter, uri, "total =")
    ready = await heard(reciter, reciter.readies, lambda one: one.uri == uri)
    assert (ready.version, ready.position.line, ready.position.character) == (1, 0, 10_000)
    (item,) = await inline(reciter, uri, invoked=True)
    assert item.insert_text == " alpha + beta"
    seed = item.command.arguments[0]["seed"]
    shown = await heard(reciter, reciter.statuses, lambda one: one.shown and one.shown.seed == seed)
    assert (shown.shown.uri, shown.shown.pinned, shown.nothing) == (uri, False, None)


async def test_an_edit_ends_what_continues_for_a_cancelled_request(faker):
    uri = open_text(faker, "#slow 60", "file:///elsewhere/edit.py")
    await cancel(faker, uri, "#slow 60")
    await heard(faker, faker.statuses, lambda one: one.busy)
    change(faker, uri, "#stats")
    (item,) = await inline(faker, uri)
    assert "early 1" in item.insert_text
    assert faker.readies == []


async def test_a_client_that_cannot_be_notified_ends_the_work_by_its_cancel(plain):
    uri = open_text(plain, "#slow 60", "file:///elsewhere/plain.py")
    await cancel(plain, uri, "#slow 60")
    other = open_text(plain, "#stats", "file:///elsewhere/other.py")
    assert "early 1" in (await inline(plain, other))[0].insert_text
    assert (plain.statuses, plain.readies) == ([], [])


async def test_after_regenerate_a_listening_client_gets_exactly_that_one_however_often_it_asks(faker):
    uri = open_text(faker, "#drawn", "file:///elsewhere/again.py")
    place = {"uri": uri, "position": {"line": 0, "character": 6}}
    again = await run(faker, "aide.regenerate", place)
    for _ in range(2):
        (item,) = await inline(faker, uri, invoked=True)
        assert item.command.arguments[0]["id"] == again["id"]


async def test_the_state_is_sent_from_loading_to_why_there_is_nothing(reciter):
    states = [one.state for one in reciter.statuses]
    assert states[0] in ("starting", "loading")
    assert "ready" in states
    last = reciter.statuses[-1]
    assert (last.model, last.device, last.recipe) == ("reciter", "CPU", "exact")
    uri = open_text(reciter, "x", "file:///elsewhere/.env")
    assert await inline(reciter, uri) == []
    status = await heard(reciter, reciter.statuses, lambda one: one.nothing and one.nothing.reason == "off")
    assert "secrets" in status.nothing.message
    assert status.shown is None


async def test_a_state_that_did_not_change_is_sent_once(faker):
    assert all(one != other for one, other in zip(faker.statuses, faker.statuses[1:], strict=False))


async def test_the_text_at_a_new_cursor_is_prefilled_before_anything_is_asked(reciter):
    before = "# a line to be read\n" * 3
    uri = open_text(reciter, before + "total =", "file:///elsewhere/cursor.py")
    reciter.protocol.notify("aide/cursor", {"uri": uri, "position": {"line": 3, "character": 7}})
    await heard(reciter, reciter.log_messages, lambda one: one.message == "prefilled cursor.py")
    (item,) = await inline(reciter, uri, 3)
    last = (await run(reciter, "aide.status"))["lastRequest"]
    assert item.insert_text == " alpha + beta"
    assert last["promptTokens"] - last["cachedTokens"] == 1


async def test_what_follows_an_accepted_completion_is_generated_while_it_is_shown(reciter):
    uri = open_text(reciter, "total =", "file:///elsewhere/next.py")
    (item,) = await inline(reciter, uri)
    accepted = "total =" + item.insert_text
    ahead = f"completed next.py at {len(accepted)}"
    await heard(reciter, reciter.log_messages, lambda one: one.message == ahead)
    change(reciter, uri, accepted)
    await inline(reciter, uri)
    assert (await run(reciter, "aide.status"))["lastRequest"]["fromCache"]


async def test_idle_time_is_left_alone_where_the_user_wants_it(frugal):
    uri = open_text(frugal, "total =", "file:///elsewhere/frugal.py")
    (item,) = await inline(frugal, uri)
    await asyncio.sleep(3.0)
    change(frugal, uri, "total =" + item.insert_text)
    await inline(frugal, uri)
    assert not (await run(frugal, "aide.status"))["lastRequest"]["fromCache"]


async def test_client_that_asked_before_the_model_was_loaded_is_notified_when_it_is(hasty):
    uri = open_text(hasty, "#drawn", "file:///elsewhere/hasty.py")
    assert await inline(hasty, uri) == []
    assert (await run(hasty, "aide.status"))["lastRequest"]["reason"] == "loading"
    LOADED.touch()
    ready = await heard(hasty, hasty.readies, lambda one: one.uri == uri)
    assert ready.version == 1
    assert len(await inline(hasty, uri)) == 1


async def test_an_invalid_cursor_is_ignored(reciter):
    for params in (None, {}, {"uri": 5}, {"uri": "file:///unknown", "position": {"line": 0, "character": 0}}):
        reciter.protocol.notify("aide/cursor", params)
    assert (await run(reciter, "aide.status"))["state"] == "ready"
