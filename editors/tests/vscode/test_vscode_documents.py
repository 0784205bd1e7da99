"""Where completions are offered in a real VS Code besides files: notebooks, untitled documents, settings."""

import json

from workbench import wait_for

NOTE = "# Coffee\n\nPrices of one cup, in cents."
CELLS = [("markdown", NOTE), ("code", "espresso_price = 240\nlatte_price = 310"), ("code", "")]


def notebook(cells):
    """A notebook as Jupyter saves it."""
    code = {"execution_count": None, "outputs": []}
    listed = [
        {"cell_type": kind, "id": f"cell{number}", "metadata": {}, "source": text}
        | (code if kind == "code" else {})
        for number, (kind, text) in enumerate(cells)
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    kernel["language_info"] = {"name": "python"}
    return json.dumps({"cells": listed, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def edit_cell(workbench, kind, number):
    """Put the cursor at the end of a cell's text."""
    cell = workbench.page.locator(f".notebookOverlay .cell-list-container .{kind}-cell-row").nth(number)
    if kind == "markdown":
        assert number == 0
        workbench.press("Control+Home", "Enter")
    else:
        cell.locator(".monaco-editor .view-lines").click()
    wait_for("the cell has the focus", lambda: cell.locator(".monaco-editor.focused").count())
    workbench.press("Control+End")


def wait_ghost_with(workbench, start):
    return wait_for(
        f"ghost text with {start!r}", lambda: ghost if (ghost := workbench.ghost()).startswith(start) else ""
    )


def test_a_cell_is_completed_with_names_from_the_cells_before_it(workbench, project, logged_server):
    folder = project({"coffee.ipynb": notebook(CELLS)}, "seed = 7\ntemperature = 0\n")
    workbench.open(f"{folder.name}/coffee.ipynb")
    edit_cell(workbench, "code", 1)
    workbench.type("average_price = (espresso_")
    wait_ghost_with(workbench, "price")
    workbench.press("Tab")
    wait_for("it is inserted", lambda: not workbench.ghost())
    saved = json.loads(workbench.save(f"{folder.name}/coffee.ipynb", other_than=notebook(CELLS)))
    sources = ["".join(cell["source"]) for cell in saved["cells"]]
    assert sources[:2] == [text for _, text in CELLS[:2]]
    assert sources[2].startswith("average_price = (espresso_price")


def test_a_note_is_completed_with_words_from_the_code(workbench, project, logged_server):
    cells = [("markdown", "# Coffee\n\nThe price of one cup is in the variable "), CELLS[1]]
    folder = project({"notes.ipynb": notebook(cells)}, "seed = 7\ntemperature = 0\n")
    workbench.open(f"{folder.name}/notes.ipynb")
    edit_cell(workbench, "markdown", 0)
    # VS Code asks by itself a moment after the cell has opened, not at once: this one is asked for by key.
    workbench.type("esp")
    assert workbench.ask().startswith("resso_price")


def test_cells_follow_the_rules_for_their_notebook(workbench, project, logged_server):
    folder = project({"coffee.ipynb": notebook(CELLS)}, 'off = ["*.ipynb"]\n')
    workbench.open(f"{folder.name}/coffee.ipynb")
    edit_cell(workbench, "code", 1)
    workbench.type("x")
    wait_for("the reason", lambda: "off" in workbench.status_label())
    assert not workbench.ghost()


def test_an_untitled_document_is_completed(workbench, logged_server):
    workbench.command("File: New Untitled Text File")
    workbench.type("def add(a, b):\n    return a +")
    wait_ghost_with(workbench, " b")
    workbench.press("Control+a", "Delete")  # nothing is left to save
