"""A selection is a function of the files, the text, the cursor's line, and the settings."""

import os
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.context import project_view
from aide_lsp.context.reader import ContextPlace, ContextReader
from tests.context.projects import write

DOCUMENT = "app/basket.py"
TEXT = """from app.models.order import Order
from lib import unknown


def total(orders):
    first = Order.parse(orders)

    return first
"""
ORDER = '''class Order:
    """An order."""

    @classmethod
    def parse(cls, orders):
        return cls()
'''
PROJECT = {
    "app/__init__.py": "",
    "app/models/__init__.py": "",
    "app/models/order.py": ORDER,
    "app/models/other.py": "def parse_order(first): pass\n",
    "app/prices.py": "def price(order):\n    return order.first\n",
    "app/notes.md": "Order first orders",
    "unrelated.py": "Order.parse(orders)\n",
}


def place(root, text=TEXT, line=7, **more):
    lines = text.splitlines(keepends=True)
    offset = len("".join(lines[: line - 1]))
    return ContextPlace(root / DOCUMENT, root, text, offset, "python", **more)


@pytest.fixture
def root(tmp_path):
    write(tmp_path, PROJECT)
    return tmp_path


def test_files_are_those_that_are_imported_then_those_of_the_folder(root):
    selection = ContextReader().select(place(root), 10)
    assert selection.files == ("app/models/order.py", "app/__init__.py", "app/prices.py")
    assert [(one.path, one.first_line) for one in selection.excerpts] == [
        ("app/models/order.py", 1),
        ("app/prices.py", 1),
    ]
    assert selection.excerpts[0].text == ORDER
    assert selection.excerpts[0].score > selection.excerpts[1].score > 0
    assert selection.left_out == ()


def test_limit_keeps_the_best(root):
    every = ContextReader().select(place(root), 10).excerpts
    assert ContextReader().select(place(root), 1).excerpts == every[:1]
    assert ContextReader().select(place(root), 0).excerpts == ()


def test_line_of_the_cursor_has_no_effect(root):
    reader = ContextReader()
    expected = reader.select(place(root), 10)
    for typed in ("price", "import app.models.other", "'''", "("):
        text = TEXT.replace("\n\n    return", f"\n{typed}\n    return")
        assert text != TEXT
        assert reader.select(place(root, text), 10) == expected
        moved = place(root, text)
        assert (
            reader.select(ContextPlace(moved.document, root, text, moved.offset + 1, "python"), 10)
            == expected
        )


def test_line_ends_have_no_effect(root):
    windows = TEXT.replace("\n", "\r\n")
    assert ContextReader().select(place(root, windows), 10) == ContextReader().select(place(root), 10)


def test_selection_is_kept_until_something_changes(root):
    reader = ContextReader(look_again_s=0)
    first = reader.select(place(root), 10)
    assert reader.select(place(root), 10) is first
    write(root, {"app/prices.py": "def total_of(orders):\n    return orders\n"})
    assert reader.select(place(root), 10).excerpts[1].text == "def total_of(orders):\n    return orders\n"


@pytest.mark.parametrize(
    "change",
    [
        lambda root: write(root, {"app/new.py": "Order\n"}),
        lambda root: (root / "app/prices.py").unlink(),
        lambda root: write(root, {"lib/__init__.py": "Order\n"}),
        lambda root: (root / "app/prices.py").rename(root / "app/costs.py"),
        lambda root: (root / "app/models").rename(root / "app/gone"),
        lambda root: write(root, {"app/models/order.py": "Order = 1\n"}),
    ],
)
def test_every_change_of_the_disk_is_noticed(root, change):
    reader = ContextReader(look_again_s=0)
    before = reader.select(place(root), 10)
    change(root)
    after = reader.select(place(root), 10)
    assert after != before
    assert after == ContextReader().select(place(root), 10)


def test_disk_is_looked_at_again_after_some_seconds_and_open_documents_at_once(root, monkeypatch):
    seconds, reader = 0.0, ContextReader()
    monkeypatch.setattr(project_view.time, "monotonic", lambda: seconds)
    first = reader.select(place(root), 10)
    write(root, {"app/prices.py": "saved = orders, first\n", "app/models/order.py": "orders = first\n"})
    assert reader.select(place(root), 10) == first
    typed = {root / "app/prices.py": "typed = orders, first\n"}
    assert "typed" in reader.select(place(root, open_texts=typed), 10).excerpts[1].text
    seconds += project_view.LOOK_AGAIN_S
    assert reader.select(place(root), 10) == ContextReader().select(place(root), 10) != first


def test_text_of_an_open_document_replaces_that_of_its_file(root):
    reader = ContextReader(look_again_s=0)
    reader.select(place(root), 10)
    typed = {root / "app/prices.py": "first = orders = total\n", root / "app/unsaved.py": "Order\n"}
    selection = reader.select(place(root, open_texts=typed), 10)
    assert "first = orders = total\n" in [one.text for one in selection.excerpts]
    assert "app/unsaved.py" not in selection.files
    write(root, {"app/prices.py": "first = orders = total\n"})
    assert reader.select(place(root), 10) == selection, "saved or not, it is the same text"


def test_file_that_is_off_is_not_opened(root):
    os.chmod(root / "app/prices.py", 0)  # noqa: PTH101
    off = {root / "app/prices.py": "it is switched off by `context_off`"}.get
    selection = ContextReader().select(place(root, off=off), 10)
    assert [(one.path, one.reason) for one in selection.left_out] == [
        ("app/prices.py", "it is switched off by `context_off`")
    ]
    assert "app/prices.py" not in selection.files


def test_other_rule_of_what_is_off_is_asked(root):
    reader = ContextReader()
    assert "app/prices.py" in reader.select(place(root), 10).files
    assert "app/prices.py" not in reader.select(place(root, off=lambda path: "off"), 10).files


def test_prose_data_and_unknown_languages_get_nothing(root):
    for language_id in ("markdown", "json", "yaml", "unheard-of"):
        one = ContextPlace(root / DOCUMENT, root, TEXT, 0, language_id)
        assert ContextReader().select(one, 10).files == ()


PACKING = "import shop\nfrom box import Box\nbox = Box()\n\n\ndef pack():\n    shop.make()\n    box.open()\n"


@pytest.fixture
def shop(tmp_path):
    box = "from lid import Lid\n\n\nclass Box(Lid):\n    def open(self): ...\n"
    lid = "class Lid:\n    def lift(self): ...\n"
    write(tmp_path, {"shop.py": "def make(): ...\n", "box.py": box, "lid.py": lid, "main.py": PACKING})
    return tmp_path


def names_at(root, line, check=lambda: None):
    text = f"{PACKING}    {line}"
    return ContextPlace(root / "main.py", root, text, len(text), "python", check=check)


def test_what_names_above_the_cursor_need_is_read_ahead(shop):
    reader, read = ContextReader(), []
    reader.read_ahead(names_at(shop, "", lambda: read.append(1)))
    assert read
    read.clear()
    for line in ("shop.", "box."):
        assert reader.names(names_at(shop, line, lambda: read.append(1))) is not None
        assert read == []


def test_reading_ahead_may_end_before_any_file_and_has_no_effect_on_what_follows(shop):
    for most in range(12):
        reader, left = ContextReader(), list(range(most))
        with suppress(IndexError):
            reader.read_ahead(names_at(shop, "", left.pop))
        for line in ("shop.", "box.", "box.o"):
            assert reader.names(names_at(shop, line)) == ContextReader().names(names_at(shop, line))


def test_document_outside_of_the_root_gets_nothing(root):
    one = ContextPlace(root / DOCUMENT, root / "other", TEXT, 0, "python")
    assert ContextReader().select(one, 10).files == ()


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["write", "remove", "open", "close", "move"]), st.integers(0, 5), st.integers(0, 3)
    ),
    max_size=12,
)
NAMES = [
    "app/prices.py",
    "app/models/order.py",
    "app/new.py",
    "lib.py",
    "app/lib/__init__.py",
    "app/models.py",
]
TEXTS = ["Order = first\n", "def parse(orders): pass\n" * 30, "", "first\n" * 13]


@settings(max_examples=60)
@given(EVENTS)
def test_history_has_no_effect(tmp_path_factory, events):
    """A reader that has seen other things before gives the same as one that has seen nothing."""
    root = tmp_path_factory.mktemp("project")
    write(root, PROJECT)
    reader, opened, line = ContextReader(look_again_s=0), {}, 7
    for event, name, text in events:
        path = root / NAMES[name]
        if event == "write" and not path.is_dir():
            write(root, {NAMES[name]: TEXTS[text]})
        elif event == "remove" and path.is_file():
            path.unlink()
        elif event == "open":
            opened = {**opened, path: TEXTS[text]}
        elif event == "close":
            opened = {one: text for one, text in opened.items() if one != path}
        elif event == "move":
            line = 1 + text
        one = place(root, line=line, open_texts=opened)
        assert reader.select(one, 10) == ContextReader().select(one, 10)
