"""Notebooks: the cells in order are one text for the model, and nothing that a client sends loses one."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.lsp.workspace.documents import DocumentStore
from aide_lsp.lsp.workspace.notebooks import NEAREST_CELLS, NOTHING, Notebooks
from aide_lsp.text_limits import LONGEST_TEXT
from tests.fakes import FakeSession, completer_on, continuing
from tests.lsp.fake_server import FakeCompleter
from tests.lsp.in_process import Connection

BOOK = "file:///work/a.ipynb"
CELLS = ["# Prices", "price = 5", "SELECT 1", "print(price)"]
LANGUAGES = ["markdown", "python", "sql", "python"]
_ids = itertools.count()


def cell(number: int) -> str:
    return f"vscode-notebook-cell:/work/a.ipynb#C{number}"


class Recording(FakeCompleter):
    """Remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.requests: list = []

    def complete(self, request, cancel, observer=None):
        self.requests.append(request)
        return super().complete(request, cancel, observer)


class Editor:
    """A client with one notebook, and the texts that its requests became."""

    def __init__(self, completer=None) -> None:
        self.completer = completer or Recording()
        self.connection = Connection(lambda settings, progress: self.completer)
        self.send = self.connection.send

    def open(self, cells=CELLS, languages=LANGUAGES, uri=BOOK, **more) -> None:
        kinds = [1 if language == "markdown" else 2 for language in languages]
        book = [{"kind": kind, "document": cell(number)} for number, kind in enumerate(kinds)]
        documents = [
            {"uri": cell(number), "languageId": language, "version": 1, "text": text}
            for number, (text, language) in enumerate(zip(cells, languages, strict=True))
        ]
        notebook = {"uri": uri, "notebookType": "jupyter-notebook", "version": 1, "cells": book}
        self.send(
            "notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": documents, **more}
        )

    def change(self, uri=BOOK, **cells) -> None:
        params = {"notebookDocument": {"uri": uri, "version": 2}, "change": {"cells": cells}}
        self.send("notebookDocument/didChange", params)

    def ask(self, number: int, line=1000, character=0, uri="") -> int:
        params = {
            "textDocument": {"uri": uri or cell(number)},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 1},
        }
        self.send("textDocument/inlineCompletion", params, id=(one := next(_ids)))
        return one

    async def read(self, number: int, **place) -> tuple[str, str] | None:
        """What the model reads before and after the cursor; None: nothing is offered."""
        reply = await self.connection.reply(self.ask(number, **place))
        if not reply["result"]:
            return None
        request = self.completer.requests[-1]
        return request.text[: request.offset], request.text[request.offset :]

    async def reason(self, number: int) -> str:
        assert await self.read(number) is None
        return self.connection.server.status.summary()["nothing"]["reason"]


@pytest.fixture
async def editor():
    editor = Editor()
    await editor.connection.initialize(experimental={"aide": True})
    return editor


async def test_the_cells_are_one_text_in_the_language_of_the_cursors(editor):
    editor.open()
    assert await editor.read(1) == ("# # Prices\n\nprice = 5", "\n\n# SELECT 1\n\nprint(price)")
    assert editor.completer.requests[-1].language_id == "python"
    assert editor.completer.requests[-1].path == "/work/a.ipynb"
    assert await editor.read(3, line=0, character=5) == (
        "# # Prices\n\nprice = 5\n\n# SELECT 1\n\nprint",
        "(price)",
    )
    before, after = await editor.read(0)
    assert (before, after[:21]) == ("# Prices", "\n\n```python\nprice = 5")
    assert (await editor.read(2))[0] == "-- # Prices\n\n-- price = 5\n\nSELECT 1"


async def test_what_is_offered_is_inserted_at_the_cursor_of_the_cell(editor):
    editor.open()
    (item,) = (await editor.connection.reply(editor.ask(3, 0, 5)))["result"]
    assert item["range"]["start"] == item["range"]["end"] == {"line": 0, "character": 5}
    # A client without inline completion replaces the word.
    params = {"textDocument": {"uri": cell(3)}, "position": {"line": 0, "character": 5}}
    editor.send("textDocument/completion", params, id="list")
    (item,) = (await editor.connection.reply("list"))["result"]["items"]
    assert item["textEdit"]["range"]["start"] == {"line": 0, "character": 0}
    assert item["textEdit"]["newText"].startswith("print")


async def test_an_entry_selected_in_the_editors_list_is_continued_in_a_cell(editor):
    editor.open()
    params = {
        "textDocument": {"uri": cell(3)},
        "position": {"line": 0, "character": 2},
        "context": {
            "triggerKind": 1,
            "selectedCompletionInfo": {
                "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 2}},
                "text": "process",
            },
        },
    }
    editor.send("textDocument/inlineCompletion", params, id="selected")
    await editor.connection.reply("selected")
    request = editor.completer.requests[-1]
    assert request.text[: request.offset].endswith("# SELECT 1\n\nprocess")
    assert request.text[request.offset :] == "int(price)"


async def test_cells_are_inserted_removed_moved_and_changed(editor):
    editor.open(["a", "b", "c"], ["python"] * 3)
    new = {"uri": cell(9), "languageId": "python", "version": 1, "text": "new"}
    added = {"start": 1, "deleteCount": 1, "cells": [{"kind": 2, "document": cell(9)}]}
    editor.change(structure={"array": added, "didOpen": [new], "didClose": [{"uri": cell(1)}]})
    assert await editor.read(2) == ("a\n\nnew\n\nc", "")
    moved = [{"kind": 2, "document": cell(number)} for number in (2, 0, 9)]
    editor.change(structure={"array": {"start": 0, "deleteCount": 3, "cells": moved}})
    assert await editor.read(0) == ("c\n\na", "\n\nnew")
    end = {"line": 0, "character": 3}
    text = {"range": {"start": end, "end": end}, "text": "er"}
    editor.change(textContent=[{"document": {"uri": cell(9), "version": 2}, "changes": [text]}])
    assert await editor.read(0) == ("c\n\na", "\n\nnewer")
    assert (await editor.reason(1)) == "unknown-document"


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_cell_whose_language_changes_is_closed_and_opened_again(editor, at_once):
    editor.open(["a", "select 1", "c"], ["python"] * 3)
    closed = {"array": {"start": 1, "deleteCount": 1}, "didClose": [{"uri": cell(1)}]}
    text = {"uri": cell(1), "languageId": "sql", "version": 2, "text": "select 1"}
    back = {"start": 1, "deleteCount": 0, "cells": [{"kind": 2, "document": cell(1)}]}
    if at_once:
        editor.change(structure={**closed, "array": {**back, "deleteCount": 1}, "didOpen": [text]})
    else:
        editor.change(structure=closed)
        editor.change(structure={"array": back, "didOpen": [text]})
    assert await editor.read(2) == ("a\n\n# select 1\n\nc", "")


async def test_the_same_cells_give_the_same_text_whatever_happened_before(editor):
    editor.open(["a", "b"], ["python"] * 2)
    before = await editor.read(1)
    for text in ("x", "a"):
        change = {"document": {"uri": cell(0), "version": 2}, "changes": [{"text": text}]}
        editor.change(textContent=[change])
        assert (await editor.read(1) == before) == (text == "a")


async def test_a_closed_notebook_leaves_nothing(editor):
    editor.open()
    editor.send("notebookDocument/didSave", {"notebookDocument": {"uri": BOOK}})
    editor.send("notebookDocument/didClose", {"notebookDocument": {"uri": BOOK}, "cellTextDocuments": []})
    assert await editor.reason(1) == "unknown-document"
    assert editor.connection.server.notebooks.notebook_of(cell(1)) == cell(1)


async def test_cells_of_a_client_that_knows_no_notebooks_are_completed_one_by_one(editor):
    editor.connection.open("x = 1", cell(0))
    editor.connection.open("y", cell(1))
    assert await editor.read(1) == ("y", "")


async def test_a_notebook_that_an_editor_shows_as_a_program_is_one(editor):
    # As plugins of Neovim do: the buffer has the notebook's name and the language of its cells.
    editor.connection.open("total = ", BOOK)
    reply = await editor.connection.reply(editor.ask(0, uri=BOOK))
    assert reply["result"]
    request = editor.completer.requests[-1]
    assert (request.text, request.language_id, request.path) == ("total = ", "python", "/work/a.ipynb")


async def test_the_rules_for_the_notebooks_path_hold_for_its_cells(editor, tmp_path):
    (tmp_path / ".aide.toml").write_text('off = ["secret/**"]\nseed = 77\n')
    folder = tmp_path.as_uri()
    editor.send("workspace/didChangeWorkspaceFolders", {"event": {"added": [{"uri": folder}], "removed": []}})
    # Clients may name cells as they like.
    editor.open(["a", "b"], ["python"] * 2, uri=f"{folder}/secret/a.ipynb")
    assert await editor.reason(1) == "off"
    editor.open(["a", "b"], ["python"] * 2, uri=f"{folder}/.env")
    assert await editor.reason(1) == "off"
    editor.open(["a", "b"], ["python"] * 2, uri=f"{folder}/b.ipynb")
    assert await editor.read(1) is not None
    assert editor.completer.requests[-1].options.parameters.seed == 77
    assert editor.completer.requests[-1].path == str(tmp_path / "b.ipynb")


async def test_a_pinned_seed_goes_to_the_notebooks_project(editor, tmp_path):
    (tmp_path / ".aide.toml").write_text("")
    folder = tmp_path.as_uri()
    editor.send("workspace/didChangeWorkspaceFolders", {"event": {"added": [{"uri": folder}], "removed": []}})
    editor.open(["a", "b"], ["python"] * 2, uri=f"{folder}/b.ipynb")
    await editor.read(1)
    editor.send(
        "workspace/executeCommand", {"command": "aide.pinSeed", "arguments": [{"uri": cell(1)}]}, id="pin"
    )
    reply = await editor.connection.reply("pin")
    assert f"seed = {reply['result']['seed']}" in (tmp_path / ".aide.toml").read_text()


async def test_typing_in_a_cell_is_followed_and_a_change_of_its_text_makes_the_answer_stale(editor):
    editor.open(["a", "#slow 60"], ["python"] * 2)
    first = editor.ask(1)
    change = {"document": {"uri": cell(1), "version": 2}, "changes": [{"text": "b"}]}
    editor.change(textContent=[change])
    assert await editor.read(1) == ("a\n\nb", "")
    assert (await editor.connection.reply(first))["result"] == []


async def test_a_change_in_another_cell_takes_no_answer_away_and_counts_for_the_next_one(editor):
    editor.open(["a", "#slow 0.2"], ["python"] * 2)
    first = editor.ask(1)
    change = {"document": {"uri": cell(0), "version": 2}, "changes": [{"text": "b"}]}
    editor.change(textContent=[change])
    assert (await editor.connection.reply(first))["result"]
    assert await editor.read(1) == ("b\n\n#slow 0.2", "")


@pytest.fixture
async def reciter():
    """An editor whose model goes on after a cell as if it were to write the next one too."""
    session = FakeSession(continuing({"total = ": "price * 2\n\nprint(total)\n"}))
    editor = Editor(completer_on(session, "reciter"))
    await editor.connection.initialize(experimental={"aide": True})
    editor.open(["price = 5", "total = ", "print(total)"], ["python"] * 3)
    return editor


async def test_the_next_cell_is_not_offered_again(reciter):
    (item,) = (await reciter.connection.reply(reciter.ask(1)))["result"]
    assert item["insertText"] == "price * 2"


async def test_the_explanation_is_about_the_text_of_all_cells(reciter):
    place = {"uri": cell(1), "position": {"line": 0, "character": 8}}
    reciter.send("workspace/executeCommand", {"command": "aide.explain", "arguments": [place]}, id="explain")
    explained = (await reciter.connection.reply("explain"))["result"]
    read = {part["kind"]: part["text"] for part in explained["explanation"]["prompt"]["parts"]}
    assert read["prefix"] == "price = 5\n\ntotal ="
    assert read["suffix"].strip() == "print(total)"


GOOD = {"uri": BOOK, "cells": [{"kind": 2, "document": cell(0)}, {"kind": 2, "document": cell(1)}]}
TEXTS = [{"uri": cell(0), "languageId": "python", "version": 1, "text": "a"}]
TEXT = {"uri": cell(1), "languageId": "python", "version": 1, "text": "b"}


@pytest.mark.parametrize(
    ("notebook", "texts", "joined"),
    [
        (GOOD, [*TEXTS, TEXT], True),
        ({**GOOD, "version": "x", "metadata": 5, "notebookType": None}, [*TEXTS, TEXT], True),
        (
            {**GOOD, "cells": [*GOOD["cells"], 5, {}, {"document": ["x"]}, GOOD["cells"][0]]},
            [*TEXTS, TEXT],
            True,
        ),
        (GOOD, [None, {"uri": ["x"]}, {"text": 5}, *TEXTS, TEXT], True),
        (GOOD, [*TEXTS, {**TEXT, "version": None, "languageId": "python"}], True),
        ({**GOOD, "cells": None}, [*TEXTS, TEXT], False),
        ({**GOOD, "uri": None}, [*TEXTS, TEXT], False),
        (None, [*TEXTS, TEXT], False),
        (GOOD, [{**TEXTS[0], "text": 5}, TEXT], False),
    ],
)
async def test_a_malformed_part_costs_no_other_cell(editor, notebook, texts, joined):
    editor.send("notebookDocument/didOpen", {"notebookDocument": notebook, "cellTextDocuments": texts})
    assert await editor.read(1) == ("a\n\nb" if joined else "b", "")


@pytest.mark.parametrize(
    "cells",
    [
        {},
        {"structure": None, "textContent": 5},
        {"structure": {"array": None, "didOpen": [None], "didClose": "x"}},
        {"structure": {"array": {"start": "x", "deleteCount": -4}}},
        {"structure": {"array": {"start": 10**30, "deleteCount": 10**30, "cells": [{"document": 4}]}}},
        {"structure": {"didClose": [{"uri": 5}, {}]}, "textContent": [{}, {"document": {"uri": cell(0)}}]},
        {"data": [{"kind": 2}], "textContent": [{"document": None, "changes": None}]},
    ],
)
async def test_a_malformed_change_loses_no_cell(editor, cells):
    editor.open(["a", "b"], ["python"] * 2)
    editor.change(**cells)
    assert (await editor.read(1))[0].endswith("b")
    assert editor.connection.server.notebooks.notebook_of(cell(0)) == BOOK


async def test_a_note_without_a_language_is_markdown(editor):
    book = {"uri": BOOK, "cells": [{"kind": 1, "document": cell(0)}, {"kind": 2, "document": cell(1)}]}
    texts = [{"uri": cell(0), "text": "Note"}, TEXT]
    editor.send("notebookDocument/didOpen", {"notebookDocument": book, "cellTextDocuments": texts})
    assert await editor.read(1) == ("# Note\n\nb", "")


def filled(texts: list[str]) -> tuple[Notebooks, DocumentStore]:
    documents = DocumentStore()
    notebooks = Notebooks(documents)
    for number, text in enumerate(texts):
        documents.open(cell(number), "python", 1, text)
    notebooks.open(BOOK, map(cell, range(len(texts))))
    return notebooks, documents


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 4), st.lists(st.integers(0, 9), max_size=3)), max_size=8
    )
)
def test_whatever_was_moved_the_same_order_gives_the_same_text(splices):
    notebooks, documents = filled([str(number) for number in range(10)])
    for start, count, cells in splices:
        notebooks.splice(BOOK, start, count, map(cell, cells))
    order = notebooks.close(BOOK)
    notebooks.open(BOOK, order)
    for position, uri in enumerate(order):
        document = documents.get(uri)
        around = notebooks.around(document)
        texts = [documents.get(one).text() for one in order]
        assert around.before + document.text() + around.after == "\n\n".join(texts)
        assert around.before == "".join(f"{text}\n\n" for text in texts[:position])


def test_cells_that_are_too_large_together_are_not_joined():
    notebooks, documents = filled(["x" * (LONGEST_TEXT - 1), "y", "z"])
    document = documents.get(cell(1))
    assert notebooks.around(document) is None
    documents.close(cell(0))
    assert notebooks.around(document).after == "\n\nz"


async def test_a_notebook_that_is_too_large_gets_that_reason(editor):
    editor.open(["x" * (LONGEST_TEXT - 1), "y", "z"], ["python"] * 3)
    assert await editor.reason(1) == "too-large"


def test_only_the_nearest_cells_are_read():
    notebooks, documents = filled([str(number) for number in range(2 * NEAREST_CELLS + 10)])
    around = notebooks.around(documents.get(cell(NEAREST_CELLS + 2)))
    assert around.before.startswith("2\n\n")
    assert around.after.endswith(f"\n\n{2 * NEAREST_CELLS + 2}")


def test_a_document_in_no_notebook_has_nothing_around_it():
    notebooks, documents = filled(["a"])
    assert notebooks.around(documents.open("file:///b.py", "python", 1, "b")) == NOTHING


def test_a_cell_is_found_however_its_uri_is_spelled():
    documents = DocumentStore()
    notebooks = Notebooks(documents)
    documents.open("cell:/a%20b#1", "python", 1, "a")
    notebooks.open(BOOK, ["cell:/a b#1", "cell:/x#2"])
    document = documents.open("CELL:/x#2", "python", 1, "b")
    assert notebooks.around(document).before == "a\n\n"
    assert notebooks.notebook_of("cell:/a%20b#1") == BOOK
