"""`aide engine`, and what other commands say of a server, with one that says what it is told to."""

import json

import pytest
from click.testing import CliRunner

from aide_lsp.cli.main import main
from aide_lsp.engines import api_key
from tests.llama_stand_in import LlamaStandIn


@pytest.fixture
def llama():
    with LlamaStandIn("return a + b") as running:
        yield running


@pytest.fixture(autouse=True)
def _home(tmp_path, monkeypatch):
    for name in ("XDG_CONFIG_HOME", "AIDE_DATA_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("AIDE_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.py").write_text("def add(a, b):\n    \n", encoding="utf-8")


@pytest.fixture
def settings(tmp_path, llama):
    """The user's own file names the server."""
    path = tmp_path / "XDG_CONFIG_HOME" / "aide" / "settings.toml"
    path.parent.mkdir(parents=True)
    path.write_text(f'engine = "{llama.url}"\n', encoding="utf-8")
    return path


def aide(*words, stdin=""):
    """Run a command line; return its exit status and what it printed."""
    result = CliRunner().invoke(main, [*words], input=stdin)
    return result.exit_code, result.output


def test_check_says_what_a_server_is_and_sends_none_of_the_users_text(llama):
    status, said = aide("engine", "check", llama.url)
    lines = dict(line.split("  ", 1) for line in said.splitlines())
    found = {name: lines[name].strip() for name in ("Server", "Kind", "Used", "Context", "Result")}
    assert (status, found) == (
        0,
        {
            "Server": llama.host,
            "Kind": "llama.cpp b1",
            "Used": "stand-in",
            "Context": "4,096 tokens",
            "Result": "it completes",
        },
    )
    assert "no promise" in lines["Seed"]
    assert all(prompt.startswith("def add(a, b):") for prompt in llama.prompts)


def test_check_of_a_server_that_fails_says_what_to_do(llama):
    llama.key = "sk-1"
    status, said = aide("engine", "check", llama.url, "--json")
    report = json.loads(said)
    assert (status, report["problem_kind"], report["host"]) == (1, "key", llama.host)
    assert "aide engine key" in report["problem"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check"], 'Aide runs the model itself (engine = "local"). Name a server'),
        (["check", "shared"], 'itself (engine = "shared"). `aide doctor` checks it. Name a server'),
        (["check", "http://192.168.1.5:8012"], "URL: expected https:"),
        (["check", "127.0.0.1:8012"], 'perhaps you mean "http://127.0.0.1:8012"'),
        (["check", "https://me:s3cret@example.com"], "aide engine key"),
        (["check", "--engine-kind", "tgi"], '--engine-kind: expected one of "auto"'),
        (["key", "--remove"], "There is no server"),
    ],
)
def test_a_server_that_cannot_be_is_refused_before_anything_is_sent(words, said):
    result = CliRunner().invoke(main, ["engine", *words])
    assert result.exit_code == 2
    assert said in str(result.exception) + result.output
    assert "s3cret" not in str(result.exception) + result.output


def test_complete_and_explain_name_the_server_and_the_ledger_and_replay_too(llama, settings):
    status, said = aide("complete", "x.py:2:5", "--json", "--seed", "7")
    answer = json.loads(said)
    server = {"host": llama.host, "loopback": True, "engine": "llama.cpp", "ignored": [], "replays": False}
    assert (status, answer["text"], answer["server"]) == (0, "return a + b", server)
    assert answer["device"] == f"llama.cpp at {llama.host}"
    _, said = aide("complete", "x.py:2:5", "--seed", "8")
    assert f"Text is sent to {llama.host} (llama.cpp)." in said
    assert "The same seed may give another completion there." in said
    _, said = aide("explain", "x.py:2:5", "--seed", "7")
    assert "  return a + b\n" in said
    assert "TOKENS   not known" in said
    assert f"Text was sent to {llama.host}.\nThe same seed may give another completion there.\n" in said
    (_, entry) = json.loads(aide("log", "--json")[1])
    assert (entry["id"], entry["engine"], entry["host"]) == (answer["id"], "llama.cpp", llama.host)
    assert llama.host in aide("log")[1]
    status, said = aide("replay", entry["id"], "x.py")
    assert (status, "Reproduced" in said) == (0, True)
    assert f"{llama.host} does not promise that" in said
    llama.text = "pass"
    status, said = aide("replay", entry["id"], "x.py")
    assert (status, f"{llama.host} does not promise the same completion" in said) == (1, True)
    settings.write_text("", encoding="utf-8")
    status, said = aide("replay", entry["id"], "x.py")
    assert (status, f"the server: {llama.host} then, Aide's own engine now" in said) == (1, True)


def test_settings_doctor_and_models_name_the_server(llama, settings):
    _, said = aide("settings", "x.py")
    assert f'"{llama.url}" (text is sent to {llama.host})' in said
    assert '"auto" (not used with a server)' in said
    assert json.loads(aide("settings", "--json")[1])["server"]["host"] == llama.host
    status, said = aide("doctor")
    assert f"text around the cursor is sent to {llama.host} (this machine)" in said
    assert "OK  Server: llama.cpp b1, model stand-in" in said
    assert status == 0
    assert f"The server {llama.host} completes for you" in aide("models", "list")[1]


def test_settings_and_doctor_say_that_a_server_does_not_answer(llama, settings):
    llama.__exit__()
    _, said = aide("settings", "x.py")
    assert f"Nothing answers at {llama.host}" in said
    status, said = aide("doctor")
    assert (status, f"FAIL  Server: Nothing answers at {llama.host}" in said) == (1, True)


def test_secrets_are_not_completed_with_a_server(llama, settings, tmp_path):
    (tmp_path / ".env").write_text("TOKEN=hunter2\n", encoding="utf-8")
    status, said = aide("complete", ".env:1", "--complete-secrets", "true")
    assert status == 1
    assert "hunter2" not in llama.received + said


@pytest.mark.parametrize("mark", ["", "\ufeff", "\u00ef\u00bb\u00bf"])
def test_a_key_is_read_from_stdin_and_not_printed(monkeypatch, mark):
    stored = []
    monkeypatch.setattr(api_key, "store_key", lambda host, key: stored.append((host, key)) or "a drawer")
    code, said = aide("engine", "key", "https://models.example.com/v1", stdin=f"{mark}sk-s3cret\r\nmore\n")
    assert (code, stored) == (0, [("models.example.com", "sk-s3cret")])
    assert said == "The API key for models.example.com is stored in the keyring (a drawer).\n"
