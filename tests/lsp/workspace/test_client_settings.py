"""Settings from the client: in every form clients send them, for each folder; problems are shown once."""

import asyncio
import time
from threading import Event

import pytest
import pytest_lsp
from lsprotocol import types as t
from pytest_lsp import LanguageClient

from aide_lsp.lsp.workspace.client_settings import Configuration, section_of
from aide_lsp.settings.reader import SettingsReader
from tests.lsp.clients import (
    FAKE,
    NEOVIM,
    VSCODE,
    announces,
    begin,
    inline,
    open_text,
    run,
    server_of,
    until,
)
from tests.lsp.fake_server import load as load_completer
from tests.lsp.in_process import Connection
from tests.lsp.raw_client import inline_params
from tests.patience import PATIENCE


@pytest.fixture
def configuration(tmp_path):
    return Configuration(SettingsReader(tmp_path / "none.toml"))


@pytest.mark.parametrize(
    "sent",
    [
        {"aide": {"topK": 7}},
        {"topK": 7},
        {"top_k": 7},
        {"aide.topK": 7},
        {"aide": {"aide": {"top_k": 7}}},
        {"aide": {"topK": 7, "seed": None}, "pylsp": {"plugins": {}}},
        {"topK": 7, "pylsp": {"plugins": {}}},
    ],
)
def test_settings_are_found_in_every_form(configuration, sent):
    configuration.push(sent)
    resolved = configuration.resolve("file:///x.py")
    assert resolved.settings.parameters.top_k == 7
    assert resolved.problems == ()


def test_a_server_is_not_taken_from_editors_whose_settings_a_project_can_change(configuration):
    """As Emacs, with a `.dir-locals.el`; what came with `initialize` is the user's own configuration."""
    evil = {"aide": {"engine": "https://evil.example", "topK": 7}}
    configuration.start({"engine": "http://127.0.0.1:8012"}, [], guards=False)
    configuration.push(evil)
    resolved = configuration.resolve("file:///x.py")
    assert (resolved.settings.engine, resolved.settings.parameters.top_k) == ("http://127.0.0.1:8012", 7)
    (problem,) = configuration.new_problems()
    assert problem.message.startswith(
        "engine in editor settings: a project could set this in your editor; set"
    )
    asyncio.run(configuration.pull(lambda params: asyncio.sleep(0, [evil])))
    assert configuration.resolve("file:///x.py").settings.engine == "http://127.0.0.1:8012"
    configuration.start({}, [])
    assert configuration.resolve("file:///x.py").settings.engine == "https://evil.example"


@pytest.mark.parametrize("sent", [None, [], 5, "text", {"aide": None}, {"aide": [1]}, {"pylsp": {"a": 1}}])
def test_what_holds_no_settings_sets_nothing(sent):
    assert section_of(sent) == {}


def test_pulled_wins_over_pushed_and_pushed_over_options(configuration):
    configuration.start({"topK": 1, "topP": 0.1, "temperature": 0.1}, [])
    configuration.push({"topK": 2, "topP": 0.2})

    async def ask(params):
        return [{"topK": 3}]

    asyncio.run(configuration.pull(ask))
    parameters = configuration.resolve("file:///x.py").settings.parameters
    assert (parameters.top_k, parameters.top_p, parameters.temperature) == (3, 0.2, 0.1)


def test_problem_is_reported_once_and_again_when_it_comes_back(configuration):
    def reported(value):
        configuration.push({"topK": value})
        configuration.resolve("file:///x/a.py")
        first = [problem.key for problem in configuration.new_problems()]
        configuration.resolve("file:///y/b.py")
        assert configuration.new_problems() == []
        return first

    assert reported("many") == ["topK"]
    assert reported("many") == []
    assert reported(7) == []
    assert reported("many") == ["topK"]


@pytest_lsp.fixture(config=FAKE)
async def editor(client: LanguageClient):
    yield
    await client.shutdown_session()


async def parameters(client, uri: str) -> dict:
    """The parameters an item for this document was made with."""
    (item,) = await inline(client, uri)
    return item.command.arguments[0]["parameters"]


async def test_folders_have_settings_of_their_own(editor, tmp_path):
    one, two = (tmp_path / "one").as_uri(), (tmp_path / "two").as_uri()
    editor.set_configuration({"aide": {"topK": 5}})
    editor.set_configuration({"aide": {"topK": 11}}, scope_uri=one)
    await begin(editor, VSCODE, [one, two])
    assert (await parameters(editor, open_text(editor, "x", f"{one}/a.py")))["topK"] == 11
    assert (await parameters(editor, open_text(editor, "x", f"{two}/a.py")))["topK"] == 5
    assert (await parameters(editor, open_text(editor, "x", "untitled:a")))["topK"] == 5
    three = (tmp_path / "three").as_uri()
    editor.set_configuration({"aide": {"topK": 13}}, scope_uri=three)
    change = t.WorkspaceFoldersChangeEvent(
        added=[t.WorkspaceFolder(uri=three, name="three")], removed=[t.WorkspaceFolder(uri=two, name="two")]
    )
    editor.workspace_did_change_workspace_folders(t.DidChangeWorkspaceFoldersParams(event=change))
    uri = open_text(editor, "x", f"{three}/a.py")
    while (await parameters(editor, uri))["topK"] != 13:
        await asyncio.sleep(0.02)


async def test_change_of_settings_is_pulled_or_taken_as_pushed(editor):
    editor.set_configuration({"aide": {"topK": 5}})
    await begin(editor, NEOVIM)
    uri = open_text(editor, "x")
    assert (await parameters(editor, uri))["topK"] == 5
    editor.set_configuration({"aide": {"topK": 6}})
    editor.workspace_did_change_configuration(t.DidChangeConfigurationParams(settings=None))
    while (await parameters(editor, uri))["topK"] != 6:
        await asyncio.sleep(0.02)


async def test_client_that_is_not_asked_pushes(editor):
    await begin(editor, announces(configuration=False), options={"temperature": 0.25})
    uri = open_text(editor, "x")
    assert (await parameters(editor, uri))["temperature"] == 0.25
    editor.workspace_did_change_configuration(t.DidChangeConfigurationParams(settings={"aide": {"seed": 42}}))
    made = await parameters(editor, uri)
    assert (made["temperature"], made["seed"]) == (0.25, 42)


async def test_invalid_values_are_reported_once_and_the_last_good_ones_stay(editor):
    editor.set_configuration({"aide": {"temperature": 0.5, "topK": 40}})
    await begin(editor, VSCODE)
    uri = open_text(editor, "x")
    editor.set_configuration({"aide": {"temperature": 7, "topK": "many", "topPP": 1}})
    editor.workspace_did_change_configuration(t.DidChangeConfigurationParams(settings=None))
    status = await until(editor, lambda status: status["settingsProblems"])
    made = await parameters(editor, uri)
    assert (made["temperature"], made["topK"]) == (0.5, 40)
    (message,) = editor.messages
    assert message.type == t.MessageType.Warning
    for part in (
        "temperature",
        "7",
        "from 0.0 to 1.0",
        "topK",
        '"many"',
        "topPP",
        '"topP"',
        "editor settings",
    ):
        assert part in message.message
    assert len(status["settingsProblems"]) == 3


async def test_limit_of_the_loaded_model_is_reported_when_it_is_known(editor):
    editor.set_configuration({"aide": {"topK": 1001}})
    await begin(editor, VSCODE)
    status = await until(editor, lambda status: status["settingsProblems"])
    assert "from 1 to 1000" in status["settingsProblems"][0]
    assert len(editor.messages) == 1


async def test_project_file_counts_and_its_errors_are_reported_when_it_changes(editor, tmp_path):
    project = tmp_path / ".aide.toml"
    project.write_text("top_k = 9\n")
    await begin(editor, VSCODE, [tmp_path.as_uri()])
    uri = open_text(editor, "x", (tmp_path / "a.py").as_uri())
    assert (await parameters(editor, uri))["topK"] == 9
    project.write_text("top_k = 0 # wrong\n")
    event = t.FileEvent(uri=project.as_uri(), type=t.FileChangeType.Changed)
    editor.workspace_did_change_watched_files(t.DidChangeWatchedFilesParams(changes=[event]))
    assert (await parameters(editor, uri))["topK"] == 9
    (message,) = editor.messages
    assert str(project) in message.message
    assert "top_k" in message.message


async def test_another_model_is_loaded_when_the_settings_name_it(editor):
    await begin(editor, VSCODE)
    editor.set_configuration({"aide": {"model": "other"}})
    editor.workspace_did_change_configuration(t.DidChangeConfigurationParams(settings=None))
    await until(editor, lambda status: (status["model"], status["state"]) == ("other", "ready"))
    (item,) = await inline(editor, open_text(editor, "x"))
    assert item.command.arguments[0]["model"] == "other"


@pytest.mark.parametrize("mode", ["fail", "crash"])
async def test_model_that_cannot_be_loaded_is_said_once_and_again_in_the_status(mode):
    client = await server_of("--fake-load", mode).start()
    await begin(client)
    uri = open_text(client, "x")
    for _ in range(3):
        assert await inline(client, uri) == []
    status = await run(client, "aide.status")
    assert status["state"] == "failed"
    assert status["lastRequest"]["reason"] == "failed"
    (message,) = client.messages
    assert message.type == t.MessageType.Error
    assert status["message"] in message.message
    assert "secret" not in str(client.messages + client.log_messages)
    # Another attempt when the user changes something, and another message if it fails too.
    client.workspace_did_change_configuration(t.DidChangeConfigurationParams(settings=None))
    while len(client.messages) < 2:
        await run(client, "aide.status")
    await client.shutdown_session()
    await client.stop()


async def test_request_while_the_model_is_loaded_waits_for_it():
    loaded = Event()

    def load(settings, progress):
        loaded.wait(PATIENCE)
        return load_completer("ok")(settings, progress)

    client = Connection(load, loading_seconds=PATIENCE)
    params = {"processId": None, "capabilities": {}, "initializationOptions": {"ledger": "off"}}
    client.send("initialize", params, id="initialize")
    client.send("initialized", {})
    client.open("x")
    client.send("textDocument/inlineCompletion", inline_params(0, 1), id=1)
    async with asyncio.timeout(PATIENCE):
        while (status := client.server.status.summary())["state"] != "loading":
            await asyncio.sleep(0.001)
    assert status["message"]
    assert not any(message.get("id") == 1 for message in client.sent)
    loaded.set()
    assert (await client.reply(1))["result"]


def test_tables_of_options_pushed_and_pulled_are_merged_key_by_key(tmp_path):
    configuration = Configuration(SettingsReader(tmp_path / "none.toml"), lambda uri: "go")
    configuration.start({"languages": {"go": {"topK": 1, "topP": 0.1}}}, [])
    configuration.push({"languages": {"go": {"topK": 2, "topP": None}, "c": {"seed": 3}}})
    parameters = configuration.resolve("file:///x.go").settings.parameters
    assert (parameters.top_k, parameters.top_p, parameters.seed) == (2, 0.1, None)


def test_settings_nested_without_end_do_no_harm(configuration):
    deep = {}
    for _ in range(5000):
        deep = {"aide": {"languages": deep}}
    configuration.start(deep, [])
    configuration.push(deep)
    assert configuration.resolve("file:///x.py").settings.parameters.top_k == 50


@pytest.mark.parametrize("folders", [1, 50, 2000])
def test_a_changed_project_file_is_looked_at_once_for_all_documents(tmp_path, folders, monkeypatch):
    reader = SettingsReader(tmp_path / "none.toml")
    configuration = Configuration(reader, lambda uri: "python")
    configuration.start({}, [tmp_path.as_uri()])
    uris = [f"{tmp_path.as_uri()}/{number % folders}/{number}.py" for number in range(2000)]
    (tmp_path / ".aide.toml").write_text("top_k = 0\n")
    problems = configuration.review(uris)
    assert ["top_k" in problem.message for problem in problems] == [True]
    asked = []
    resolve = reader.resolve
    monkeypatch.setattr(
        reader, "resolve", lambda *given, **more: asked.append(given) or resolve(*given, **more)
    )
    (tmp_path / ".aide.toml").write_text("top_k = 1\nseed = 'x'\n")
    before = time.process_time()
    assert ["seed" in problem.message for problem in configuration.review(uris)] == [True]
    assert time.process_time() - before < 1  # hundredths are usual
    assert len(asked) <= 3
    configuration.resolve(uris[-1])
    assert configuration.new_problems() == []


def test_a_folder_with_its_own_file_is_reviewed_on_its_own(tmp_path):
    configuration = Configuration(SettingsReader(tmp_path / "none.toml"), lambda uri: "python")
    configuration.start({}, [tmp_path.as_uri()])
    uris = [f"{tmp_path.as_uri()}/{number}/a.py" for number in range(20)]
    for number in (3, 7):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / ".aide.toml").write_text(f"top_k = -{number}\n")
    assert len(configuration.review(uris)) == 2
    assert configuration.review(uris) == []


def test_documents_of_two_languages_in_one_folder_report_a_problem_once(tmp_path):
    languages = {"a.py": "python", "a.go": "go"}
    configuration = Configuration(
        SettingsReader(tmp_path / "none.toml"), lambda uri: languages[uri.rpartition("/")[2]]
    )
    configuration.start({}, [tmp_path.as_uri()])
    (tmp_path / ".aide.toml").write_text("top_k = 5\n[languages.go]\ntop_k = 6\n['*.go']\ntop_k = 0\n")
    said = []
    for name in ("a.py", "a.go", "a.py", "a.go"):
        configuration.resolve(f"{tmp_path.as_uri()}/{name}")
        said.append(len(configuration.new_problems()))
    assert said == [1, 1, 0, 0]
