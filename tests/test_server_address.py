"""The address of a server in the settings: which are accepted, and what is said of others."""

import pytest

from aide_lsp.server_address import LONGEST_ADDRESS, server_address
from aide_lsp.settings.fields import check_value
from aide_lsp.settings.reader import SettingsReader


@pytest.mark.parametrize(
    ("engine", "url", "host", "is_loopback"),
    [
        ("http://127.0.0.1:8012", "http://127.0.0.1:8012", "127.0.0.1:8012", True),
        ("http://localhost:11434/", "http://localhost:11434", "localhost:11434", True),
        ("http://127.8.9.1", "http://127.8.9.1", "127.8.9.1", True),
        ("http://[::1]:8012/v1/", "http://[::1]:8012/v1", "[::1]:8012", True),
        ("HTTPS://Models.Example.COM", "https://models.example.com", "models.example.com", False),
        ("https://models.example.com:443/a/b", "https://models.example.com/a/b", "models.example.com", False),
        ("https://10.0.0.7:8443", "https://10.0.0.7:8443", "10.0.0.7:8443", False),
        ("https://127.0.0.1.example.com", "https://127.0.0.1.example.com", "127.0.0.1.example.com", False),
    ],
)
def test_address_when_valid_then_it_names_a_host(engine, url, host, is_loopback):
    assert check_value("engine", engine) is None
    address = server_address(engine)
    assert (address.url, address.host, address.is_loopback) == (url, host, is_loopback)


def test_local_is_no_server():
    assert check_value("engine", "local") is None
    assert server_address("local") is None


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("", ['"local"', "http://127.0.0.1:8012"]),
        ("remote", ['"local"', '"remote"']),
        ("127.0.0.1:8012", ['perhaps you mean "http://127.0.0.1:8012"']),
        ("localhost:8012", ['perhaps you mean "http://localhost:8012"']),
        ("models.example.com/v1", ['perhaps you mean "https://models.example.com/v1"']),
        ("ftp://127.0.0.1", ['found "ftp://127.0.0.1"']),
        ("file:///etc/passwd", ['found "file:///etc/passwd"']),
        ("http://", ['found "http://"']),
        ("http://192.168.1.5:8012", ["https:", "unencrypted", "ssh -N -L 8012:127.0.0.1:8012 192.168.1.5"]),
        ("http://models.example.com", ["https:", "ssh -N -L 8012:127.0.0.1:80 models.example.com"]),
        ("http://localhost.example.com", ["https:"]),
        ("http://0.0.0.0:8012/v1", ["cannot be reached", "set http://127.0.0.1:8012/v1"]),
        ("http://[::]:8012", ["set http://127.0.0.1:8012"]),
        ("http://2130706433", ["https:"]),
        ("http://127.0.0.1:0", ["names no host"]),
        ("http://127.0.0.1:99999", ["a host or a port that is none"]),
        ("http://127.0.0.1:x", ["a host or a port that is none"]),
        ("https://[::1", ["a host or a port that is none"]),
        ("https://-x-", ["names no host"]),
        ("https://a b.example", ["blanks"]),
        ("https://a\n.example", ["blanks"]),
        ("https://\u212axample.com", ["not ASCII"]),
        ("https:\\\\example.com", ["backslashes"]),
        ("https://" + "a" * LONGEST_ADDRESS, ["at most 500 characters, found 508"]),
    ],
)
def test_address_when_invalid_then_the_message_says_what_is_expected(engine, said):
    error = check_value("engine", engine)
    assert error is not None
    assert [part for part in said if part not in error] == []


@pytest.mark.parametrize(
    "engine",
    [
        "https://me:s3cret@models.example.com",
        "https://s3cret@models.example.com",
        "me:s3cret@models.example.com",
        "https://models.example.com/?key=s3cret",
        "https://models.example.com/#s3cret",
        "models.example.com/v1?key=s3cret",
        "https://me:s3cret@models.example.com:port",
    ],
)
def test_address_when_it_holds_a_secret_then_no_message_repeats_it(engine, tmp_path):
    got = SettingsReader(tmp_path / "settings.toml").resolve(editor={"engine": engine})
    assert got.settings.engine == "local"
    (problem,) = got.problems
    assert "s3cret" not in problem.message
    assert "aide engine key" in problem.message


@pytest.mark.parametrize("key", ["engine", "engine_kind", "engine_model", "engine_format"])
def test_project_file_when_it_names_a_server_then_it_is_refused_and_said(key, tmp_path):
    values = {"engine": "https://evil.example", "engine_kind": "openai"}
    (tmp_path / ".aide.toml").write_text(f'{key} = "{values.get(key, "x")}"\n', encoding="utf-8")
    got = SettingsReader(tmp_path / "user.toml").resolve(tmp_path / "x.py", None, tmp_path)
    settings = got.settings
    assert (settings.engine, settings.engine_kind) == ("local", "auto")
    assert (settings.engine_model, settings.engine_format) == (None, None)
    assert ["a project file cannot set this" in problem.message for problem in got.problems] == [True]


@pytest.mark.parametrize("name", ["", " x", "a\nb", "x" * 201])
def test_name_of_a_model_when_it_is_none_then_the_message_says_so(name):
    assert "expected a name of 1 to 200 printable characters" in check_value("engine_model", name)
    assert check_value("engine_model", "Qwen/Qwen2.5-Coder-1.5B") is None
