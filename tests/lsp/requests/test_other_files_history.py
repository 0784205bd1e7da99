"""What a completion reads of other files is a function of their texts, whatever was done with them before."""

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.application.excerpts import RequestPreparer
from aide_lsp.lsp.workspace.documents import Place
from tests.lsp.requests.test_other_files import Editor

MAIN = "from models import Order\nimport shop.prices\n\n\ndef f(order):\n    return \n\n\nprint(price, vat)\n"
CURSORS = [Place(5, 11), Place(3, 0), Place(8, 18)]
NAMES = ["models.py", "orders.py", "shop/prices.py"]
TEXTS = [
    "class Order:\n    price = 1\n    vat = 2\n",
    "def total(order):\n    return order.price\n",
    "def price(order):\n    pass\n\n" * 7 + "vat = 3\n",
    "# nothing in common\n",
    "",
]
names, texts, cursors = st.sampled_from(NAMES), st.sampled_from(TEXTS), st.sampled_from(CURSORS)
steps = st.one_of(
    st.tuples(st.just("open"), names),
    st.tuples(st.just("edit"), names, texts),
    st.tuples(st.just("save"), names),
    st.tuples(st.just("close"), names),
    st.tuples(st.just("write"), names, texts),
    st.tuples(st.just("remove"), names),
    st.tuples(st.just("rename"), names, names),
    st.tuples(st.just("rules"), st.sampled_from(["", 'context_off = ["models.py"]\n', 'off = ["or*"]\n'])),
)


class Person:
    """Does with the files of a project what is asked, in an editor and with other programs."""

    def __init__(self, root: Path, editor: Editor) -> None:
        self.root, self.editor = root, editor
        self.opened: dict[str, str] = {}
        self.main = editor.open("main.py", MAIN)

    def uri(self, name: str) -> str:
        return (self.root / name).as_uri()

    def open(self, name: str, text: str | None = None) -> None:
        path = self.root / name
        if name not in self.opened and (text is not None or path.exists()):
            self.opened[name] = path.read_text() if text is None else text
            self.editor.open(name, self.opened[name])

    def edit(self, name: str, text: str) -> None:
        self.open(name)
        if name in self.opened:
            self.opened[name] = text
            self.editor.change(self.uri(name), text)

    def save(self, name: str) -> None:
        if name in self.opened:
            self.write(name, self.opened[name])

    def close(self, name: str) -> None:
        if self.opened.pop(name, None) is not None:
            self.editor.close(self.uri(name))

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_text(text)

    def remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def rename(self, name: str, new: str) -> None:
        if (self.root / name).exists() and (self.root / new).parent.exists():
            (self.root / name).replace(self.root / new)

    def rules(self, text: str) -> None:
        (self.root / ".aide.toml").write_text(text)

    async def ask(self, place: Place) -> list:
        """Ask for a completion, and return what the model was given of other files."""
        self.editor.completer.asked.clear()
        request = await self.editor.ask(self.main, place)
        return [(one.path, one.first_line, one.text, one.score) for one in request.excerpts]


async def lives(root: Path, history: list, place: Place) -> tuple[list, list]:
    """Return what a server reads after a history, and what one reads that starts with its end."""
    person = Person(root, await started(root))
    after = await person.ask(place)
    for name, *arguments in history:
        getattr(person, name)(*arguments)
        after = await person.ask(place)
    fresh = Person(root, await started(root))
    for name, text in person.opened.items():
        fresh.open(name, text)
    return after, await fresh.ask(place)


async def started(root: Path) -> Editor:
    editor = Editor(root)
    await editor.initialize(folders=[root.as_uri()])
    return editor


@given(history=st.lists(steps, max_size=8), place=cursors)
@settings(max_examples=60)
def test_excerpts_depend_on_texts_and_not_on_what_was_done_before(history, place):
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        (root / ".git").mkdir()
        for path, text in zip(NAMES, TEXTS, strict=False):
            (root / path).parent.mkdir(exist_ok=True)
            (root / path).write_text(text)
        # As if enough time passed before each step for the disk to be looked at again.
        looking = partial(RequestPreparer, look_again_s=0.0)
        with patch("aide_lsp.lsp.requests.model_work.RequestPreparer", looking):
            after, fresh = asyncio.run(lives(root, history, place))
    assert after == fresh
