"""Secret names, `off` and the project's settings apply however an editor names the file: real server."""

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from aide_lsp.lsp.workspace.folders import WorkspaceFolders
from aide_lsp.lsp.workspace.uris import file_of, location_of
from tests.lsp.raw_client import RawClient

SCHEMES = [
    "file://{path}",
    "file:{path}",
    "FILE://{path}",
    "file://localhost{path}",
    "untitled:{path}",
    "git:{path}?%7B%22path%22%3A%22x%22%2C%22ref%22%3A%22~%22%7D",
    'git:{path}?{{"path":"{path}","ref":""}}',
    "vscode-remote://ssh-remote%2Bhost{path}",
    "vscode-remote://h{path}",
    "vscode-notebook-cell:{path}#W0sZmlsZQ%3D%3D",
    "vscode-notebook-cell://wsl%2BUbuntu{path}#ch0001",
    "vscode-userdata:{path}",
    "vscode-local-history:{path}?x=1",
    "gitlens://7b22{path}?x",
    "svn:{path}#HEAD",
    "a-scheme.of+2031:{path}",
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A project with a secret folder, a seed, and a name that can be spelled in many ways."""
    place = tmp_path_factory.mktemp("a b é [x]")
    (place / ".aide.toml").write_text('off = ["secret/**"]\nseed = 77\n', encoding="utf-8")
    (place / ".git").mkdir()
    (place / "src").mkdir()
    return place


@pytest.fixture(scope="module")
def client(place):
    with RawClient() as client:
        client.initialize(workspaceFolders=[{"uri": place.as_uri(), "name": "a"}])
        yield client
        assert client.end() == 0


def offered(client, uri: str) -> tuple[str | None, int | None]:
    """Open a document and ask: why there is nothing, and the seed in effect."""
    client.open("DB_PASSWORD=hunter2\nAPI_KEY=", uri)
    result = client.reply(client.ask(line=1, uri=uri))["result"]
    if result:
        return None, result[0]["command"]["arguments"][0]["seed"]
    return client.command("aide.status")["lastRequest"]["reason"], None


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_scheme_is_served_and_kept_from_secrets_alike(client, place, scheme):
    def of(name):
        return scheme.format(path=quote(f"{place}/{name}"))

    assert offered(client, of("src/a.py")) == (None, 77)
    assert offered(client, of("secret/a.py"))[0] == "off"
    assert offered(client, of(".env"))[0] == "off"


@pytest.mark.parametrize(
    "uri",
    [
        "fugitive://{place}/.git//0/{name}",
        "fugitive://{place}/.git//4a5b6c/{name}",
        "fugitive://{place}/.git/worktrees/w//0/{name}",
        "gitsigns://{place}/.git//HEAD:{name}",
        "gitsigns://{place}/.git//:0:{name}",
        "diffview://{place}/.git/:0:/{name}",
    ],
)
def test_versions_in_git_are_the_file_of_the_project(client, place, uri):
    def of(name):
        return uri.format(place=quote(str(place)), name=name)

    assert offered(client, of("src/a.py")) == (None, 77)
    assert offered(client, of("secret/a.py"))[0] == "off"
    assert offered(client, of(".env"))[0] == "off"


@pytest.mark.parametrize(
    "uri",
    [
        "untitled:.env",
        "zipfile:///p/a.zip::dir/.env",
        "jar:file:///p/a.jar!/.env",
        'git:/p/server.pem.git?{"path":"/p/server.pem"}',
        'git:?{"path":"file:///p/.env"}',
        "file:///p/a#b/.env",
        "file:///p/.env#L1",
        "file:///p/%2Eenv",
        "file:///p/.env%00",
        "file:///c%3A%5Cp%5C.env",
        "C:\\p\\.env",
        "file://other-host/p/.env",
        "sftp://host//p/.env",
        "https://host/p/.env?raw=1",
        "oil-ssh://host/p/.env",
        "file:///p/.env::$DATA",
    ],
)
def test_names_of_secret_files_are_seen_in_every_corner_of_a_uri(client, uri):
    assert offered(client, uri)[0] == "off"


@pytest.mark.parametrize(
    "uri",
    ["untitled:Untitled-1", "x", "file:", "", "file:///", "?", ":", "%", "git:?{", "a:" + "/.git//" * 5000],
)
def test_uri_that_names_no_file_is_served_all_the_same(client, uri):
    assert offered(client, uri)[0] is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("file:///x/a%20b/%C3%A9.py", "file:///x/a b/é.py"),
        ("file:///c%3A/x.py", "FILE:///C:/x.py"),
        ("untitled:a%5B1%5D", "untitled:a[1]"),
    ],
)
def test_a_document_is_found_by_every_spelling_of_its_uri(client, one, other):
    client.open("abc", one)
    change = {"textDocument": {"uri": other, "version": 2}, "contentChanges": [{"text": "abcde"}]}
    client.notify("textDocument/didChange", change)
    for uri in (one, other):
        assert client.reply(client.ask(uri=uri))["result"][0]["insertText"] == "pass  # 5"
    client.notify("textDocument/didClose", {"textDocument": {"uri": other}})
    for uri in (one, other):
        assert client.reply(client.ask(uri=uri))["result"] == []


def test_an_unsaved_document_without_a_folder_belongs_to_the_only_workspace_folder(client):
    assert offered(client, "untitled:Untitled-1") == (None, 77)
    assert offered(client, "untitled:secret/a.py")[0] == "off"
    assert WorkspaceFolders(["file:///a", "file:///b"]).holding("untitled:Untitled-1") == (None, None)


def test_an_unsaved_document_with_a_name_only_fits_globs_for_any_folder():
    with RawClient() as client:
        client.initialize(initializationOptions={"off": ["*.md"]})
        assert offered(client, "untitled:notes.md")[0] == "off"
        assert offered(client, "untitled:notes.py")[0] is None


@pytest.mark.parametrize("scheme", ["sftp://host", "https://host", "file://other-host", "scp://host/"])
def test_nothing_is_read_for_a_path_of_another_machine(client, place, scheme):
    reason, seed = offered(client, scheme + quote(f"{place}/src/a.py"))
    assert reason is None
    assert seed != 77


SPELLINGS = {
    "plain": lambda path: f"file://{path}",
    "percent": lambda path: f"file://{quote(path)}",
    "lower-case": lambda path: f"file://{quote(path)}".replace("%C3%A9", "%c3%a9").replace("%5B", "%5b"),
    "all": lambda path: "file://" + "".join(f"%{byte:02X}" for byte in os.fsencode(path)).replace("%2F", "/"),
    "dots": lambda path: f"file://{quote(path)}/src/.././/",
    "slashes": lambda path: "file://" + quote(path).replace("/", "//"),
    "trailing": lambda path: f"file://{quote(path)}/",
    "capitals": lambda path: f"FILE://{quote(path)}",
    "localhost": lambda path: f"file://localhost{quote(path)}",
    "one-slash": lambda path: f"file:{quote(path)}",
    "path": lambda path: path,
    "link": lambda path: Path(path).parent.joinpath("link").as_uri(),
}


def test_a_folder_is_known_however_it_is_spelled(tmp_path):
    """The project file outside of it is not read, the one at its root is: for documents in all spellings."""
    (tmp_path / ".aide.toml").write_text("top_k = 3\n")
    roots = {name: tmp_path / name / "a b é [x]" for name in SPELLINGS}
    for root in roots.values():
        (root / "src").mkdir(parents=True)
        (root.parent / "link").symlink_to(root, target_is_directory=True)
        (root / ".aide.toml").write_text("seed = 5\n")
    with RawClient() as client:
        folders = [SPELLINGS[name](str(root)) for name, root in roots.items()]
        client.initialize(workspaceFolders=[{"uri": uri, "name": "x"} for uri in folders])
        asked = {}
        for root in roots.values():
            for name, spelled in SPELLINGS.items():
                uri = f"{spelled(str(root))}/src/{name}.py"
                client.open("x", uri)
                asked[uri] = client.ask(uri=uri)
        for uri, request in asked.items():
            (item,) = client.reply(request)["result"]
            made = item["command"]["arguments"][0]["parameters"]
            assert (made["seed"], made["topK"]) == (5, 50), uri


@pytest.mark.parametrize("one", ["file:///C:/p", "file:///c%3A/p/", "file:///c:/p", "C:\\p", "file://C:/p"])
@pytest.mark.parametrize("other", ["file:///C:/p", "file:///c%3a/p", "c:/p", "git:/c:/p", "untitled:C:\\p"])
def test_letters_of_drives_are_compared_as_such(one, other):
    assert WorkspaceFolders([one]).holding(f"{other}/src/a.py")[0] == one


def test_the_innermost_folder_holds_a_document_and_a_folder_is_counted_once():
    folders = WorkspaceFolders(["file:///p", "file:///p/a%20b", "file:///p/a b/", "file:///"])
    assert folders.uris == ["file:///p", "file:///p/a%20b", "file:///"]
    assert folders.holding("untitled:/p/a b/c.py")[0] == "file:///p/a%20b"
    assert folders.holding("file:///pq/c.py")[0] == "file:///"
    assert folders.holding("sftp://host/p/c.py")[0] is None


def test_only_a_file_of_this_machine_is_written_next_to():
    assert file_of("FILE:///p/a.py") == location_of("file:/p/a.py").path
    for uri in (
        "untitled:/p/a.py",
        "git:/p/a.py",
        "file://other-host/p/a.py",
        "file:a.py",
        "vscode-remote://h/p",
    ):
        assert file_of(uri) is None
