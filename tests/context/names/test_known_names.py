"""Which names may come at a cursor: those of a module of the project, if all of them are known."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.context import looks
from aide_lsp.context.known_names import KnownNames, NamesOf
from aide_lsp.context.reader import ContextPlace, ContextReader
from aide_lsp.syntax import tree
from tests.context.projects import write

ERRORS = """import logging
from dataclasses import dataclass as data
from app.text import shown
from .base import Base

LIMIT: int = 3
_private = 1
first, (second, *rest) = 1, (2, 3)
a = b = 0
if LIMIT > 2:
    def in_block(): pass
else:
    only_there = 1
try:
    import fast as engine
except ImportError:
    engine = None

@data
class NotFound(Base):
    '''class Fake: text'''
    field = 1
    def method(self): pass

def raised(count):
    local = 2
    global counted
    counted = count
    return [local for local in range(count)]
with open("x") as handle: pass
for index, one in []: pass
"""
PROJECT = {
    "app/__init__.py": "from .text import shown\nfrom typing import Any\n",
    "app/base.py": "class Base: pass\n",
    "app/text.py": "def shown(): pass\ndef shout(): pass\n",
    "app/errors.py": ERRORS,
    "app/everything.py": "from .text import *\nfrom .base import *\nown = 1\n",
    "app/star_of_others.py": "from numpy import *\n",
    "app/magic.py": "def __getattr__(name): ...\n",
    "app/broken.py": "def half(:\n    pass\nwhole = 1\n",
    "app/json.py": "def mine(): pass\n",
    "app/tools/__init__.py": "",
    "app/tools/hammer.py": "def hit(): pass\n",
    "go.mod": "module example.com/shop\n",
    "cart/cart.go": 'package cart\n\nimport "fmt"\n\ntype (\n\tItem struct{ Name string }\n\tid int\n)\n\n'
    "const Limit, low = 3, 1\n\nvar (\n\tFirst, Second = 1, 2\n)\n\nfunc New() *Cart { return nil }\n"
    "func (c *Cart) Add(i Item) {}\nfunc hidden() {}\n",
    "cart/more.go": "package cart\n\ntype Cart struct{}\ntype Alias = Cart\n",
    "cart/cart_test.go": "package cart\n\nfunc TestOnly() {}\n",
    "web/shapes.ts": "export interface Shape { sides: number }\nexport const { red, blue: sky } = colors;\n"
    "export async function draw(shape: Shape) {}\nexport default class Canvas {}\n"
    "export type { Line as Stroke } from './lines';\nexport * from './more';\n"
    "export * as tools from './tools';\n"
    "export enum Kind { A }\nexport abstract class Base {}\nlet hidden = 1;\n",
    "web/more.ts": "export const extra = 1, other = 2;\n",
    "web/common.js": "module.exports = { a: 1 };\n",
    "web/lines.ts": "export class Line {}\n",
}
LANGUAGES = {"py": "python", "go": "go", "ts": "typescript"}
OF_ERRORS = (
    "Base LIMIT NotFound _private a b counted data engine first handle in_block index logging one only_there "
    "raised rest second shown"
)
OF_SHAPES = "Base Kind Shape Stroke default draw extra other red sky tools"
CASES = [
    # Python: after a module and a dot, and after `from module import`.
    ("app/x.py", "from app import errors\nraise errors.█", OF_ERRORS),
    ("app/x.py", "from app import errors\nraise errors.No█", "NotFound"),
    ("app/x.py", "from app import errors\nraise errors.NotFound█(1)", "NotFound"),
    ("app/x.py", "from app import errors\nerrors._p█", "_private"),
    ("app/x.py", "from app import errors\nerrors.__f█", "__file__"),
    ("app/x.py", "from app import errors\nerrors.logg█", "logging"),
    ("app/x.py", "from app import errors\nerrors.sho█", "shown"),
    ("app/x.py", "from app import errors as problems\nif problems.i█:\n    pass", "in_block index"),
    ("app/x.py", "import app.errors\nprint(app.errors.N█)", "NotFound"),
    ("app/x.py", "import app.tools.hammer as h\nh.█", "hit"),
    ("app/x.py", "from . import text\ntext.█", "shout shown"),
    ("app/tools/x.py", "from .. import text\ntext.█", "shout shown"),
    ("app/x.py", "from app.text import █", "( * shout shown"),
    ("app/x.py", "from .text import shown, s█", "shout shown"),
    ("app/x.py", "from app.text import (shown as s, █)", "shout shown"),
    (
        "app/x.py",
        "from app import █",
        "( * Any base broken errors everything json magic shown star_of_others text tools",
    ),
    ("app/x.py", "from app import A█", "Any"),
    ("app/x.py", "from app import everything\neverything.█", "Base own shout shown"),
    ("app/x.py", "from app import tools\ntools.█", "hammer"),
    ("app/x.py", "def f():\n    from app import text\n    return text.█", "shout shown"),
    ("app/x.py", "from app.text import (\n    shown,\n    █\n)\n", "shout shown"),
    ("app/x.py", "from app.text import (  # all of it\n    sho█", "shout shown"),
    ("app/x.py", "from app.text import (\n    shown as █", None),
    ("app/x.py", "from app.text import shown as █", None),
    # A blank or a line end may come first.
    ("app/x.py", "from app.text import (█", None),
    ("app/x.py", "from app.text import shown,█", None),
    ("app/x.py", "from app.text import (s█", "shout shown"),
    ("web/x.ts", "import {█} from './shapes';", None),
    ("web/x.ts", "import {d█} from './shapes';", "default draw"),
    ("app/x.py", "from app.text import (shown)\nshown = (1, █)", None),
    # Nothing is known there.
    ("app/x.py", "from app import errors\nerrors.NotF0und█", None),
    ("app/x.py", "from app import star_of_others\nstar_of_others.█", None),
    ("app/x.py", "from app import magic\nmagic.█", None),
    ("app/x.py", "from app import broken\nbroken.█", None),
    ("app/x.py", "from app import missing\nmissing.█", None),
    ("app/x.py", "import os\nos.█", None),
    ("app/x.py", "import json\njson.█", None),
    ("app/x.py", "from app.base import Base\nBase.█", None),
    ("app/x.py", "from app import errors\nself.errors.█", None),
    ("app/x.py", "from app import errors\nf().errors.█", None),
    # The name means something else there, or may.
    ("app/x.py", "from app import errors\nerrors = []\nerrors.█", None),
    ("app/x.py", "from app import errors\ndef f(errors):\n    errors.█", None),
    ("app/x.py", "from app import errors\nfor errors in x:\n    errors.█", None),
    (
        "app/x.py",
        "try:\n    from app import text\nexcept ImportError:\n    import html as text\ntext.█",
        None,
    ),
    ("app/x.py", "from app import text\n[text.█ for text in x]", None),
    ("app/x.py", "from app import text\ndef f(mark='#', text=''):\n    text.█", None),
    ("app/x.py", "from app import text\ndef f(count=n // 2, text=''):\n    text.█", None),
    # Comments and other attributes are no such uses.
    ("app/x.py", "from app import text\n# the text of\nx.text = 'text'\ntext.█", "shout shown"),
    # Go: what a package exports.
    (
        "main.go",
        'package main\n\nimport (\n\t"example.com/shop/cart"\n)\n\nfunc main() {\n\tc := cart.█\n}\n',
        "Alias Cart First Item Limit New Second",
    ),
    ("main.go", 'package main\n\nimport c "example.com/shop/cart"\n\nvar x = []c.I█', "Item"),
    ("main.go", 'package main\n\nimport "example.com/shop/cart"\n\nfunc f(cart Cart) { cart.█ }', None),
    ("main.go", 'package main\n\nimport "example.com/shop/cart"\n\nfunc f(cart ...Cart) { cart.█ }', None),
    ("main.go", 'package main\n\nimport "fmt"\n\nfunc f() { fmt.█ }', None),
    # TypeScript: what a module exports.
    ("web/x.ts", "import * as shapes from './shapes';\nshapes.█", OF_SHAPES),
    ("web/x.ts", "import { █ } from './shapes';", OF_SHAPES + " type"),
    ("web/x.ts", "import type { █ } from './shapes';", OF_SHAPES),
    ("web/x.ts", "import { draw, type S█ } from './shapes.js';", "Shape Stroke"),
    ("web/x.ts", "import {\n  draw,\n  █\n} from './shapes';\nlet x = 1;\n", OF_SHAPES + " type"),
    ("web/x.ts", "import { draw as █ } from './shapes';", None),
    ("web/x.ts", "const x = {\n  █\n};\nexport { y } from './shapes';", None),
    ("web/x.ts", "import * as shapes from './shapes';\nfunction f(...shapes) { shapes.█ }", None),
    ("web/x.ts", "import * as shapes from './shapes';\nfunction f(at = 'a://b', shapes) { shapes.█ }", None),
    ("web/x.ts", "import * as shapes from './shapes';\nif (this.#on) { const shapes = x; shapes.█ }", None),
    ("web/x.ts", "import { █ } from './common';", None),
    ("web/x.ts", "import { █ } from 'react';", None),
    ("web/x.ts", "import { █", None),
    ("web/x.ts", "const x = { █ }", None),
    ("notes.txt", "errors.█", None),
]


def names_at(root, path, marked, **more):
    before, _, after = marked.partition("█")
    language = LANGUAGES.get(path.rpartition(".")[2], "")
    place = ContextPlace(root / path, root, before + after, len(before), language, **more)
    return ContextReader().names(place)


@pytest.fixture
def root(tmp_path):
    write(tmp_path, PROJECT)
    return tmp_path


@pytest.mark.parametrize(("path", "marked", "expected"), CASES)
def test_names_of_a_module_are_known_or_anything_may_come(root, path, marked, expected):
    found = names_at(root, path, marked)
    assert (None if found is None else " ".join(found.names)) == expected


@pytest.mark.parametrize(("path", "marked", "expected"), CASES)
def test_line_ends_have_no_effect(root, path, marked, expected):
    found = names_at(root, path, marked.replace("\n", "\r\n"))
    assert (None if found is None else " ".join(found.names)) == expected


def test_the_files_that_define_them_are_named(root):
    found = names_at(root, "app/x.py", "from app import everything\neverything.█")
    assert [file.path for file in found.files] == ["app/base.py", "app/everything.py", "app/text.py"]


def test_text_that_is_open_replaces_that_of_the_file(root):
    opened = {root / "app/text.py": "def whispered(): pass\n"}
    found = names_at(root, "app/x.py", "from app import text\ntext.█", open_texts=opened)
    assert found.names == ("whispered",)


def test_a_file_that_must_not_be_read_leaves_its_module_unknown(root):
    def off(path):
        return "not this one" if path.name == "text.py" else None

    assert names_at(root, "app/x.py", "from app import text\ntext.█", off=off) is None
    assert names_at(root, "app/x.py", "from app import everything\neverything.█", off=off) is None


def test_files_outside_the_project_are_not_read(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside")
    write(outside, {"secret.py": "def secret(): pass\n"})
    (root / "app/link.py").symlink_to(outside / "secret.py")
    assert names_at(root, "app/x.py", "from app import link\nlink.█") is None
    assert names_at(root, "app/x.py", "from .... import secret\nsecret.█") is None


def test_a_reader_sees_what_has_changed_meanwhile(root):
    reader = ContextReader(look_again_s=0)
    text = "from app import text\ntext."
    place = ContextPlace(root / "app/x.py", root, text, len(text), "python")
    assert reader.names(place).names == ("shout", "shown")
    (root / "app/text.py").write_text("def sung(): pass\n")
    assert reader.names(place).names == ("sung",)
    (root / "app/text.py").unlink()
    assert reader.names(place) is None
    (root / "app/text.py").write_text("def back(): pass\n")
    assert reader.names(place).names == ("back",)


@pytest.mark.parametrize("line", ["errors.", "from app.errors import (", "cart."])
def test_while_a_name_is_typed_nothing_is_read_or_parsed_again(root, monkeypatch, line):
    reader, opened = ContextReader(), {root / "app/open.py": "x = 1\n"}
    text = "from app import errors\n\n\nclass Cart:\n    size = 1\n\n\ncart = Cart()\n\n\n" + line

    def names(begun):
        typed = text + begun
        return reader.names(ContextPlace(root / "app/x.py", root, typed, len(typed), "python", opened))

    expected = {begun: names(begun) for begun in ("", "L", "LI", "s", "si", "zz", "__d")}
    assert expected["zz"] is None
    for module, name in ((looks.os, "lstat"), (looks.os, "scandir"), (tree, "base_of")):
        monkeypatch.setattr(module, name, None)
    for begun, found in expected.items():
        assert names(begun) == found


OTHERS = ["app/text.py", "app/base.py", "app/new.py", "web/shapes.ts"]
TEXTS = [
    "def sung(): pass\n",
    "class Base:\n    def save(self): ...\n",
    "from .text import *\n",
    "half(:\n",
    "",
]
TYPED = [
    ("app/x.py", "from app import everything\neverything.█"),
    ("app/x.py", "from app.text import (shown as s, █)"),
    ("app/x.py", "from app.text import (█"),
    ("app/x.py", "from app.base import Base\n\n\nclass Cart(Base):\n    size = 1\n\n\nCart().█"),
    ("app/x.py", "from app import new\n\n\ndef f(x: new.Base):\n    x.█"),
    ("web/x.ts", "import {█} from './shapes';"),
    ("web/x.ts", "class Cart {\n  #size = 1;\n  f() {\n    this.█\n  }\n}\n"),
]
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("type"), st.sampled_from(["s", "sh", "_", "#", "B", "x.", "(", " "])),
        st.tuples(st.just("move"), st.sampled_from(TYPED)),
        st.tuples(st.sampled_from(["open", "write"]), st.sampled_from(OTHERS), st.sampled_from(TEXTS)),
        st.tuples(st.sampled_from(["close", "remove"]), st.sampled_from(OTHERS)),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(EVENTS, st.booleans())
def test_history_has_no_effect(tmp_path_factory, events, looks_again):
    """What is typed, and other documents, count at once; the disk whenever it is looked at."""
    root = tmp_path_factory.mktemp("project")
    write(root, PROJECT)
    reader, opened = ContextReader(look_again_s=0 if looks_again else 1000), dict[Path, str]()
    path, marked = TYPED[0]
    for event, what, *text in events:
        if event == "type":
            marked = marked.replace("█", f"{what}█")
        elif event == "move":
            path, marked = what
        elif event == "open":
            opened = {**opened, root / what: text[0]}
        elif event == "close":
            opened = {one: other for one, other in opened.items() if one != root / what}
        elif looks_again and event == "write":
            write(root, {what: text[0]})
        elif looks_again:
            (root / what).unlink(missing_ok=True)
        before, _, after = marked.partition("█")
        language = LANGUAGES[path.rpartition(".")[2]]
        place = ContextPlace(root / path, root, before + after, len(before), language, opened)
        assert reader.names(place) == ContextReader().names(place)


def test_modules_that_pass_on_each_other_end(root):
    write(root, {"app/one.py": "from .two import *\nx = 1\n", "app/two.py": "from .one import *\ny = 1\n"})
    assert names_at(root, "app/x.py", "from app import one\none.█").names == ("x", "y")


@pytest.mark.parametrize("odd", ["x" * 200, "é"])
def test_a_name_that_cannot_be_chosen_leaves_its_module_unknown(root, odd):
    write(root, {"app/odd.py": f"{odd} = 1\nplain = 3\n"})
    assert names_at(root, "app/x.py", "from app import odd\nodd.█") is None


MORE = [
    # What a package gives another meaning is no module.
    ({"app/__init__.py": "from .text import text\n"}, "app/x.py", "from app import text\ntext.█", None),
    ({"app/__init__.py": "from .text import text\n"}, "x.py", "import app.text\napp.text.█", None),
    ({"app/__init__.py": "text = make()\n"}, "app/x.py", "from . import text\ntext.█", None),
    (
        {"app/__init__.py": "from .text import *\n", "app/text.py": "text = 1\n"},
        "app/x.py",
        "from app import text\ntext.█",
        None,
    ),
    ({"app/__init__.py": "from .text import text\n"}, "x.py", "from app.text import █", "( * shout shown"),
    ({"app/__init__.py": "from . import text\n"}, "x.py", "from app import text\ntext.█", "shout shown"),
    ({"app/__init__.py": "from app import text\n"}, "x.py", "from app import text\ntext.█", "shout shown"),
    # A module of the standard library, or of another project that may not be installed here.
    ({"tools/logging.py": "a = 1\n"}, "tools/x.py", "import logging\nlogging.█", None),
    ({"a/setup.py": "", "a/util.py": "u = 1\n", "b/setup.py": ""}, "b/x.py", "import util\nutil.█", None),
    (
        {"a/setup.py": "", "a/shop/__init__.py": "", "a/shop/errors.py": "e = 1\n", "b/setup.py": ""},
        "b/x.py",
        "from shop import errors\nerrors.█",
        "e",
    ),
    ({"both.py": "no = 1\n", "both/__init__.py": "yes = 1\n"}, "x.py", "import both\nboth.█", "yes"),
    # Only what can be written after `import`.
    (
        {f"new/{name}.py": "" for name in ("__init__", "a-b", "0001", "ok")},
        "x.py",
        "from new import █",
        "( * ok",
    ),
    # What a module says that it has.
    (
        {"m.py": "from a import b, c, d as d\nimport e as e\n__all__ = ['b', \"own\"]\nown = 1\n"},
        "x.py",
        "import m\nm.█",
        "__all__ b c d e own",
    ),
    # All ways to define a name.
    ({"m.py": "if (a := 1):\n    print(b := 2)\ndef f():\n    (c := 3)\n"}, "x.py", "import m\nm.█", "a b f"),
    ({"m.py": "match x:\n    case [a, *b]:\n        c = 1\n"}, "x.py", "import m\nm.█", "a b c"),
    ({"m.py": "def f(): global a, b; a = b = 1\n"}, "x.py", "import m\nm.█", "a b f"),
    ({"m.py": "'''\n    global state of it\n'''\na = 1\n"}, "x.py", "import m\nm.█", "a"),
    ({"m.py": "a = 1\nvars()['b'] = 2\n"}, "x.py", "import m\nm.█", None),
    ({"m.py": "a = 1\nlocals().update(b=2)\n"}, "x.py", "import m\nm.█", None),
    ({"m.py": "@enum.global_enum\nclass A(Enum):\n    B = 1\n"}, "x.py", "import m\nm.█", None),
    # What the document uses already, the module has, or gets.
    ({"m.py": "a = 1\n"}, "x.py", "import m\nm.level = 2\n# m.no\nm.█", "a level"),
    # A test of a Go package sees what its other tests export.
    (
        {
            "cart/export_test.go": "package cart\n\nvar Low = low\n",
            "cart/b_test.go": "package cart_test\n\nvar Lost = 1\n",
        },
        "cart/x_test.go",
        'package cart_test\n\nimport "example.com/shop/cart"\n\nvar x = cart.L█',
        "Limit Low",
    ),
    # TypeScript.
    (
        {"m.ts": "export import A = B.C;\nexport const d = 1;\n"},
        "x.ts",
        "import type { █ } from './m';",
        "A d",
    ),
    ({"m.ts": "export { a as 'b c', a };\n"}, "x.ts", "import type { █ } from './m';", "a"),
    (
        {"m.d.ts": "declare const a: number;\nexport declare const b: number;\n"},
        "x.ts",
        "import type { █ } from './m';",
        "a b",
    ),
    ({"m.d.ts": "export declare const b: number;\n"}, "x.ts", "import type { █ } from './m';", "b"),
]


@pytest.mark.parametrize(("files", "path", "marked", "expected"), MORE)
def test_names_are_known_only_where_none_is_missing(root, files, path, marked, expected):
    write(root, files)
    found = names_at(root, path, marked)
    assert (None if found is None else " ".join(found.names)) == expected


def test_a_private_name_is_begun_with_its_mark():
    names = (NamesOf("cart.ts", ("#size", "size")),)
    assert KnownNames.at(names, "this.#s").names == ("#size",)
    assert KnownNames.at(names, "this.s").names == ("size",)
    assert KnownNames.at(names, "# s").names == ("size",)


NAME = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


@given(own=st.frozensets(NAME), path=st.text("ab/", min_size=1))
def test_the_ledger_gives_back_what_it_keeps(own, path):
    names = NamesOf(path, tuple(sorted(own)))
    assert NamesOf.from_excerpt(names.as_excerpt()) == names


@given(
    names=st.frozensets(NAME, min_size=1), before=st.sampled_from(["", "x = m.", "m.", " "]), data=st.data()
)
def test_what_follows_is_the_healed_text_and_the_rest_of_a_name(names, before, data):
    name = data.draw(st.sampled_from(sorted(names)))
    begun = name[: data.draw(st.integers(0, len(name)))]
    text = before + begun
    healed = text[len(text) - data.draw(st.integers(0, len(text))) :]
    known = KnownNames((NamesOf("m.py", tuple(sorted(names))),), begun)
    assert name in known.names
    prompt = text[: len(text) - len(healed)]
    assert {prompt + one for one in known.following(healed)} == {before + one for one in known.names}
