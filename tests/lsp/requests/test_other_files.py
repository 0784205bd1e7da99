"""Excerpts of other files: which text they are from, and which files are never read for them."""

import asyncio
from pathlib import Path

import pytest
from attrs import evolve

from aide_lsp.application.excerpts import Readable, RequestPreparer
from aide_lsp.application.requests import request_of
from aide_lsp.context.known_names import OWN
from aide_lsp.lsp.requests import prefetch
from aide_lsp.lsp.workspace.documents import Place
from aide_lsp.settings.fields import Settings
from tests.lsp.fake_server import FakeCompleter
from tests.lsp.in_process import Connection
from tests.patience import PATIENCE

MAIN = """from models import Order


def total(order):
    return_


def show(order):
    print(order.price)
""".replace("_", " ")
CURSOR = Place(4, 11)
MODELS = "class Order:\n    price = 1\n    def total(self):\n        return self.price\n"


class Recording(FakeCompleter):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.info = evolve(self.info, reads_files=True)
        self.asked: list = []
        self.prefilled: list = []

    def complete(self, request, cancel, observer=None):
        self.asked.append(request)
        read = tuple(sorted(request.excerpts, key=lambda one: (one.path, one.first_line)))
        return evolve(super().complete(request, cancel, observer), excerpts=read)

    def prefill(self, request, cancel):
        self.prefilled.append(request)

    def prefill_next(self, request, excerpts, cancel):
        self.prefilled.append(evolve(request, excerpts=excerpts))


class Editor:
    """A client with a project, and what its requests became."""

    def __init__(self, root: Path) -> None:
        self.root, self.completer = root, Recording()
        self.connection = Connection(lambda settings, progress: self.completer)
        self.server = self.connection.server
        self._requests = 0

    async def initialize(self, folders, options=None) -> None:
        await self.connection.initialize(folders=folders, options={"contextShare": 0.25, **(options or {})})

    def open(self, name: str, text: str | None = None, language: str = "python") -> str:
        uri = name if ":" in name else (self.root / name).as_uri()
        text = (self.root / name).read_text() if text is None else text
        document = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.connection.send("textDocument/didOpen", {"textDocument": document})
        return uri

    def change(self, uri: str, text: str) -> None:
        params = {"textDocument": {"uri": uri, "version": 2}, "contentChanges": [{"text": text}]}
        self.connection.send("textDocument/didChange", params)

    def close(self, uri: str) -> None:
        self.connection.send("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def ask(self, uri: str, place: Place = CURSOR):
        """Return the request that the model was given."""
        self._requests += 1
        position = {"line": place.line, "character": place.character}
        params = {"textDocument": {"uri": uri}, "position": position, "context": {"triggerKind": 2}}
        self.connection.send("textDocument/inlineCompletion", params, id=self._requests)
        await self.connection.reply(self._requests)
        return self.completer.asked[-1]

    async def read(self, uri: str, place: Place = CURSOR) -> dict[str, str]:
        """Return what a completion may read of other files, by path."""
        found: dict[str, str] = {}
        for one in (await self.ask(uri, place)).excerpts:
            found[one.path] = found.get(one.path, "") + one.text
        return found

    async def prefilled(self, uri: str, place: Place):
        """Move the cursor to a place, and return the request that is prefilled there."""
        self.completer.prefilled.clear()
        position = {"line": place.line, "character": place.character}
        self.connection.send("aide/cursor", {"uri": uri, "position": position})
        return await self.next_prefilled()

    async def next_prefilled(self):
        """Return the request that is prefilled."""
        async with asyncio.timeout(PATIENCE):
            while not self.completer.prefilled:
                await asyncio.sleep(0.001)
        return self.completer.prefilled[-1]


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "project"
    root.mkdir()
    (root / ".git").mkdir()
    (root / "main.py").write_text(MAIN)
    (root / "models.py").write_text(MODELS)
    return root


@pytest.fixture
async def editor(project):
    editor = Editor(project)
    await editor.initialize(folders=[project.as_uri()])
    return editor


async def test_a_completion_reads_what_the_document_imports(editor):
    assert await editor.read(editor.open("main.py")) == {"models.py": MODELS}


async def test_the_unsaved_text_of_an_open_file_is_read_until_it_is_closed(editor, project):
    main, models = editor.open("main.py"), editor.open("models.py")
    unsaved = MODELS.replace("price = 1", "price = total = 2")
    editor.change(models, unsaved)
    assert await editor.read(main) == {"models.py": unsaved}
    (project / "models.py").write_text(unsaved + "x = 1\n")  # another program
    assert await editor.read(main) == {"models.py": unsaved}
    editor.close(models)
    assert await editor.read(main) == {"models.py": unsaved + "x = 1\n"}


async def test_a_file_that_was_renamed_is_read_under_its_new_name(editor, project):
    main, models = editor.open("main.py"), editor.open("models.py")
    await editor.read(main)
    (project / "models.py").rename(project / "orders.py")
    editor.close(models)
    editor.open("orders.py", MODELS + "# unsaved\n")
    assert await editor.read(main) == {"orders.py": MODELS + "# unsaved\n"}


async def test_an_edit_after_the_request_does_not_get_into_it(editor):
    main, models = editor.open("main.py"), editor.open("models.py")
    await editor.ask(main)
    snapshot = editor.server.requests.snapshot(main, CURSOR)
    editor.server.documents.get(models).replace_all("class Order:\n    total = price = 2\n")
    later = editor.server.requests.snapshot(main, CURSOR)
    texts = [
        RequestPreparer().prepare(one.request, one.readable, editor.completer.info).request.excerpts[0].text
        for one in (snapshot, later)
    ]
    assert texts == [MODELS, "class Order:\n    total = price = 2\n"]
    assert snapshot.is_same_place(later)


async def test_while_one_file_is_typed_in_nothing_is_copied_of_the_others(editor):
    main, models = editor.open("main.py"), editor.open("models.py")
    await editor.ask(main)
    before = editor.server.requests.snapshot(main, CURSOR).readable
    editor.change(main, MAIN + "\n")
    await editor.ask(main)
    after = editor.server.requests.snapshot(main, CURSOR).readable
    assert before.open_texts is after.open_texts
    assert list(after.open_texts) == [editor.root / "models.py"]
    editor.change(models, MODELS + "\n")
    await editor.ask(main)
    assert editor.server.requests.snapshot(main, CURSOR).readable.open_texts is not after.open_texts


@pytest.mark.parametrize(
    "settings",
    [
        {"off": ["models.py"]},
        {"contextOff": ["models.py"]},
        {"languages": {"python": {"contextOff": ["models.*"]}}},
        {"contextShare": 0},
    ],
)
async def test_what_must_not_be_read_is_not_read_whether_it_is_open_or_not(project, settings):
    editor = Editor(project)
    await editor.initialize(folders=[project.as_uri()], options=settings)
    main = editor.open("main.py")
    assert await editor.read(main) == {}
    editor.open("models.py")
    assert await editor.read(main) == {}


async def test_secrets_are_not_read_even_if_they_are_completed_themselves(project):
    text = "<?php\n\nfunction connect($user) {\n    \n}\n\necho $password;\n"
    for name in ("index.php", "connect.php", "wp-config.php"):
        (project / name).write_text(text)
    editor = Editor(project)
    await editor.initialize(folders=[project.as_uri()], options={"completeSecrets": True})
    index, _ = editor.open("index.php", language="php"), editor.open("wp-config.php", language="php")
    assert list(await editor.read(index, Place(3, 4))) == ["connect.php"]


async def test_a_project_file_next_to_the_other_file_counts_as_soon_as_it_is_written(editor, project):
    (project / "shop").mkdir()
    (project / "models.py").rename(project / "shop" / "models.py")
    main = editor.open("main.py", MAIN.replace("models", "shop.models"))
    assert list(await editor.read(main)) == ["shop/models.py"]
    settings = project / "shop" / ".aide.toml"
    settings.write_text('off = ["others.py"]\n')
    assert list(await editor.read(main)) == ["shop/models.py"]
    settings.write_text('off = ["models.py"]\n')
    assert await editor.read(main) == {}
    settings.unlink()
    assert list(await editor.read(main)) == ["shop/models.py"]


async def test_settings_that_the_client_changes_take_effect(editor):
    main = editor.open("main.py")
    assert await editor.read(main)
    changed = {"settings": {"aide": {"contextOff": ["models.py"]}}}
    editor.connection.send("workspace/didChangeConfiguration", changed)
    assert await editor.read(main) == {}


async def test_each_workspace_folder_is_a_project_of_its_own(project, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "models.py").write_text(MODELS.replace("1", "2"))
    (other / "main.py").write_text(MAIN)
    editor = Editor(project)
    await editor.initialize(folders=[project.as_uri(), other.as_uri()])
    first, second = editor.open("main.py"), editor.open((other / "main.py").as_uri(), MAIN)
    assert await editor.read(first) == {"models.py": MODELS}
    assert await editor.read(second) == {"models.py": MODELS.replace("1", "2")}


@pytest.mark.parametrize("scheme", ["vscode-remote://ssh-remote%2Bhost", "vscode-vfs://github", "git:"])
async def test_for_a_document_of_another_machine_or_version_nothing_of_this_disk_is_read(editor, scheme):
    uri = editor.open(scheme + str(editor.root / "main.py"), MAIN)
    assert await editor.read(uri) == {}
    # Nor is such a document taken for the file.
    editor.open(scheme + str(editor.root / "models.py"), "class Order:\n    total = price = 3\n")
    assert await editor.read(editor.open("main.py")) == {"models.py": MODELS}


async def test_a_new_document_reads_other_files_once_it_has_a_place_among_them(editor, project):
    assert await editor.read(editor.open("untitled:Untitled-1", MAIN)) == {}
    placed = editor.open(f"untitled:{project}/new.py", MAIN)
    assert (await editor.read(placed))["models.py"] == MODELS


async def test_prose_reads_no_other_files(editor):
    text = "Order total price\n\n\nprice total Order\n\nprice\n"
    (editor.root / "other.md").write_text(text)
    assert await editor.read(editor.open("a.md", text, "markdown"), Place(3, 11)) == {}


async def test_a_notebook_reads_what_its_cells_import(editor):
    uri = (editor.root / "book.ipynb").as_uri()
    cells = [f"vscode-notebook-cell:{editor.root}/book.ipynb#C{number}" for number in range(2)]
    texts = ["from models import Order\n", "order = Order()\norder.\ntotal(order.price)\n"]
    documents = [
        {"uri": cell, "languageId": "python", "version": 1, "text": text}
        for cell, text in zip(cells, texts, strict=True)
    ]
    book = {"uri": uri, "notebookType": "jupyter-notebook", "version": 1}
    book["cells"] = [{"kind": 2, "document": cell} for cell in cells]
    params = {"notebookDocument": book, "cellTextDocuments": documents}
    editor.connection.send("notebookDocument/didOpen", params)
    assert (await editor.read(cells[1], Place(1, 6)))["models.py"] == MODELS


async def test_what_is_prefilled_at_the_cursor_is_what_is_completed_there(editor):
    main = editor.open("main.py")
    excerpts = (await editor.prefilled(main, CURSOR)).excerpts
    assert excerpts
    assert excerpts == (await editor.ask(main)).excerpts


async def test_what_is_prefilled_at_the_end_of_a_line_is_what_is_completed_after_enter(editor):
    (editor.root / "fruit.py").write_text("apples = 1\n" + "\n" * 5 + "cherries = 2\n")
    text = "eat(apples)\n" * 4 + "eat(cherries)\n" * 4 + "\n\n"
    main = editor.open("main.py", text)
    inside, end = Place(7, 5), Place(7, 13)
    here = (await editor.ask(main, end)).excerpts
    assert (await editor.prefilled(main, inside)).excerpts == here
    found = (await editor.prefilled(main, end)).excerpts
    editor.change(main, text.replace("\n\n\n", "\n\n\n\n"))
    assert found == (await editor.ask(main, Place(8, 0))).excerpts
    assert {one.first_line for one in here}.isdisjoint(one.first_line for one in found)


async def test_while_a_line_is_typed_what_the_next_one_wants_is_prefilled(editor, monkeypatch):
    monkeypatch.setattr(prefetch, "LINE_SECONDS", 0.0)
    (editor.root / "fruit.py").write_text("apples = 1\n" + "\n" * 5 + "cherries = 2\n")
    text = "eat(apples)\n" * 4 + "eat(cherries)\n" * 4 + "\n\n"
    main = editor.open("main.py", text)
    here = await editor.ask(main, Place(7, 13))
    found = await editor.next_prefilled()
    assert found.text == here.text
    assert found.excerpts != here.excerpts
    editor.change(main, text.replace("\n\n\n", "\n\n\n\n"))
    editor.completer.prefilled.clear()
    assert found.excerpts == (await editor.ask(main, Place(8, 0))).excerpts
    # It wants the same as the one after it: when that is known, nothing was prefilled.
    assert (await editor.prefilled(main, Place(0, 3))).offset == 11
    assert len(editor.completer.prefilled) == 1


async def test_other_candidates_and_seeds_and_comparisons_read_the_same(editor):
    main = editor.open("main.py")
    excerpts = (await editor.ask(main)).excerpts
    place = {"uri": main, "position": {"line": 4, "character": 11}}
    for number, command in enumerate(("aide.candidate", "aide.regenerate", "aide.complete")):
        asked = len(editor.completer.asked)
        params = {"command": command, "arguments": [{**place, "step": 1}]}
        editor.connection.send("workspace/executeCommand", params, id=f"command {number}")
        await editor.connection.reply(f"command {number}")
        assert len(editor.completer.asked) > asked, command
    assert {one.excerpts for one in editor.completer.asked} == {excerpts}
    assert excerpts


async def test_the_status_names_the_files_and_lines_that_were_read(editor, project):
    (project / "models.py").write_text(MODELS + "\n" * 30 + MODELS.replace("Order", "Total"))
    main = editor.open("main.py")
    await editor.ask(main)
    (shown,) = editor.server.status.summary()["shown"]["files"]
    assert shown == {"path": "models.py", "lines": "1-6, 31-38"}
    nothing = editor.open("alone.py", "x = \n")
    await editor.ask(nothing, Place(0, 4))
    assert editor.server.status.summary()["shown"]["files"] == []


async def test_a_model_that_cannot_read_other_files_is_given_none(editor):
    editor.completer.info = evolve(editor.completer.info, reads_files=False)
    assert await editor.read(editor.open("main.py")) == {}


@pytest.mark.parametrize(
    ("own", "project_says", "share"),
    [
        (None, "", 0.25),
        (0, "", 0.0),
        (0.1, "", 0.1),
        (None, "0", 0.0),
        (None, "0.1", 0.1),
        (None, "0.5", 0.25),
    ],
)
async def test_the_models_card_says_how_much_is_read_unless_the_user_does(project, own, project_says, share):
    if project_says:
        (project / ".aide.toml").write_text(f"context_share = {project_says}\n")
    editor = Editor(project)
    editor.completer.info = evolve(editor.completer.info, context_share=0.25)
    await editor.initialize(folders=[project.as_uri()], options={"contextShare": own})
    request = await editor.ask(editor.open("main.py"))
    assert (request.options.context_share, bool(request.excerpts)) == (share, share > 0)


async def test_if_other_files_cannot_be_read_the_document_is_completed_without(editor, monkeypatch):
    def fail(*arguments):
        raise RuntimeError

    monkeypatch.setattr("aide_lsp.context.reader.ContextReader.select", fail)
    assert await editor.read(editor.open("main.py")) == {}


NAMED = "import models\n\n\nmodels.\n"
AFTER_DOT = Place(3, 7)


async def test_the_names_of_a_module_are_read_whatever_the_share(project):
    editor = Editor(project)
    await editor.initialize(folders=[project.as_uri()], options={"contextShare": 0})
    request = await editor.ask(editor.open("named.py", NAMED), AFTER_DOT)
    assert (request.names.names, request.excerpts) == (("Order",), ())


CART = "class Cart:\n    def add(self): ...\n\n\ndef pay(cart: Cart):\n    return cart.\n"


async def test_members_of_a_type_of_the_document_come_from_no_other_file(project):
    editor = Editor(project)
    await editor.initialize(folders=[project.as_uri()], options={"contextShare": 0, "contextOff": ["**"]})
    request = await editor.ask(editor.open("cart.py", CART), Place(5, 16))
    assert "add" in request.names.names
    assert [file.path for file in request.names.files] == [OWN]


async def test_the_names_of_an_open_module_are_those_of_its_unsaved_text(editor):
    named, models = editor.open("named.py", NAMED), editor.open("models.py")
    editor.change(models, "class Unsaved: pass\n")
    assert (await editor.ask(named, AFTER_DOT)).names.names == ("Unsaved",)
    editor.close(models)
    assert (await editor.ask(named, AFTER_DOT)).names.names == ("Order",)


@pytest.mark.parametrize("key", ["off", "contextOff"])
async def test_names_of_files_that_must_not_be_read_are_not_known(project, key):
    editor = Editor(project)
    await editor.initialize(folders=[project.as_uri()], options={key: ["models.py"]})
    assert (await editor.ask(editor.open("named.py", NAMED), AFTER_DOT)).names is None


def test_names_are_not_read_for_a_server(project):
    document, offset = project / "named.py", len(NAMED) - 1
    request = request_of(Settings(), NAMED, offset, str(document), "python")
    here, there = FakeCompleter("x").info, evolve(FakeCompleter("x").info, host="gpu:8000")
    names = [
        RequestPreparer().prepare(request, Readable(document), info).request.names for info in (here, there)
    ]
    assert [one and one.names for one in names] == [("Order",), None]
