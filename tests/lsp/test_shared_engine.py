"""Two editors with `engine = "shared"`: one engine, the same completions, also after it is killed."""

import asyncio
import os
import sys
from pathlib import Path
from time import monotonic

import psutil
import pytest
import pytest_lsp
from pytest_lsp import ClientServerConfig, LanguageClient

from aide_lsp.cli.sample import sample
from tests.engine_processes import engine_folder, engines
from tests.lsp.clients import VSCODE, begin, change, inline, make_editor, open_text, run

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.real_model,
    pytest.mark.skipif(sys.platform == "win32", reason="processes are listed as on Unix"),
]
OPTIONS = {"ledger": "off", "seed": 7, "maxTokens": 32, "engine": "shared"}
TEXT, OFFSET = sample()
LINE, CHARACTER = TEXT.count("\n", 0, OFFSET), OFFSET - TEXT.rfind("\n", 0, OFFSET) - 1
FOLDER = engine_folder()
RUNTIME = FOLDER.__enter__()
"""Where these editors find their engine."""
SERVER = ClientServerConfig(
    server_command=[sys.executable, "-m", "aide_lsp.lsp.main", "--stdio"],
    client_factory=make_editor,
    server_env={**os.environ, "XDG_RUNTIME_DIR": str(RUNTIME)},
)


@pytest.fixture(scope="module", autouse=True)
def runtime_folder():
    """End the engine, and remove its folder."""
    yield RUNTIME
    FOLDER.__exit__(None, None, None)


@pytest_lsp.fixture(config=SERVER, scope="module")
async def editor(client: LanguageClient, real_model_dir, runtime_folder):
    await begin(client, VSCODE, options=OPTIONS)
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=SERVER, scope="module")
async def second(client: LanguageClient, editor):
    """An editor that starts after the first one."""
    await begin(client, VSCODE, options=OPTIONS)
    yield
    await client.shutdown_session()


@pytest_lsp.fixture(config=SERVER, scope="module")
async def alone(client: LanguageClient, real_model_dir):
    await begin(client, VSCODE, options={**OPTIONS, "engine": "local"})
    yield
    await client.shutdown_session()


def server_of(client) -> psutil.Process:
    """The language server of an editor."""
    return psutil.Process(client._server.pid)


async def completed(client, uri) -> str:
    (item,) = await inline(client, uri, LINE, CHARACTER)
    return item.insert_text


def messages(client) -> list[str]:
    return [message.message for message in client.messages]


async def test_second_editor_joins_and_completes_as_one_alone_does(editor, second, alone, runtime_folder):
    assert len(engines(runtime_folder)) == 1
    texts = [
        await completed(client, open_text(client, TEXT, f"file:///work-folder/{name}.py"))
        for name, client in (("a", editor), ("b", second), ("c", alone))
    ]
    assert texts[0]
    assert texts[0] == texts[1] == texts[2]
    said = [(await run(client, "aide.status"))["shares"] for client in (editor, second, alone)]
    assert "This one started it" in said[0]
    assert "This one joined it" in said[1]
    assert said[2] is None
    assert messages(editor) == messages(second) == []


async def test_second_editor_takes_little_memory(second):
    used = server_of(second).memory_full_info()
    print(f"second editor: {used.rss / 1e6:.0f} MB RSS, {used.pss / 1e6:.0f} MB PSS")
    assert used.rss < 100_000_000
    libraries = {Path(one.path).name for one in server_of(second).memory_maps()}
    heavy = ("multiarray", "onnxruntime", "tokenizers")
    assert [name for name in libraries if any(part in name for part in heavy)] == []


async def test_explanation_is_that_of_an_editor_alone(editor, alone):
    found = []
    for client in (editor, alone):
        uri = open_text(client, TEXT, "file:///work-folder/explained.py")
        place = {"uri": uri, "position": {"line": LINE, "character": CHARACTER}}
        found.append((await run(client, "aide.explain", place))["explanation"])
    tokens = [[(one["step"]["text"], one["step"]["probability"]) for one in each["tokens"]] for each in found]
    assert len(tokens[0]) > 3
    assert tokens[0] == tokens[1]
    assert found[0]["prompt"]["parts"] == found[1]["prompt"]["parts"]
    assert found[0]["device"] == found[1]["device"]


async def test_engine_is_killed_while_the_user_types_then_the_next_key_is_answered(
    editor, second, alone, runtime_folder
):
    first, changed = f"# first\n{TEXT}", f"# changed\n{TEXT}"
    expected = await answered(alone, open_text(alone, changed, "file:///work-folder/expected.py"))
    uri, other = (
        open_text(client, first, f"file:///work-folder/{name}.py")
        for name, client in (("killed", editor), ("other", second))
    )
    (engine,) = engines(runtime_folder)
    running = inline(editor, uri, LINE + 1, CHARACTER)
    engine.kill()
    started = monotonic()
    for client, document in ((editor, uri), (second, other)):
        change(client, document, changed)
    assert await answered(editor, uri) == expected
    print(f"answered {monotonic() - started:.1f} s after the engine was killed")
    assert await answered(second, other) == expected
    await running
    (another,) = engines(runtime_folder)
    assert another.pid != engine.pid
    # No message but the status.
    assert messages(editor) == messages(second) == []


async def answered(client, uri) -> str:
    """The completion at the place, asked for as the user types on, until there is one."""
    while not (items := await inline(client, uri, LINE + 1, CHARACTER)):
        state = await run(client, "aide.status")
        assert state["state"] in ("loading", "ready")
        await asyncio.sleep(0.05)
    return items[0].insert_text


async def test_language_server_is_killed_then_the_engine_stays(alone, runtime_folder):
    (engine,) = engines(runtime_folder)
    code = (
        "import time; from aide_lsp import loading; from aide_lsp.settings.fields import Settings\n"
        "model = loading.load_completer(Settings(engine='shared'), lambda share, text: None)\n"
        "print(model.info.sharing, flush=True); time.sleep(600)"
    )
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code),
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime_folder)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert await client.stdout.readline() == b"joined\n"
    client.kill()
    await client.wait()
    assert [one.pid for one in engines(runtime_folder)] == [engine.pid]
    assert engine.is_running()
