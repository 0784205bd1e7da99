"""Which members of a type may come at a cursor: `tests/data/members` has the cases."""

import time
from pathlib import Path

import pytest

from aide_lsp.context.known_names import OWN
from aide_lsp.context.module_names import MOST_SECONDS
from aide_lsp.context.reader import ContextPlace, ContextReader
from aide_lsp.context.types.table import rules_of
from tests.context.cases import SUFFIX, asked, cases

CASES = list(cases(Path(__file__).parents[2] / "data" / "members"))


def members(found, language):
    """Return the names but for those that all types have, or all enums."""
    every = rules_of(language).of_every_type | rules_of(language).of_every_class
    return {name for name in set(found.names) - every if not name.startswith("_")}


@pytest.mark.parametrize(("language", "texts", "expected"), CASES)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_only_members_may_come_or_anything(tmp_path, language, texts, expected, line_end):
    reader, place = asked(tmp_path, language, texts, lambda text: text.replace("\n", line_end))
    found = reader.names(place)
    if expected == "anything":
        assert found is None
    else:
        assert members(found, language) == set(expected.split())


CLASS = "class Cart:\n    def add(self, item): ...\n\n\ndef pay(cart: Cart):\n    return cart.█\n"


def test_types_of_the_document_need_no_other_file(tmp_path):
    reader, place = asked(tmp_path, "python", CLASS)
    assert [file.path for file in reader.names(place).files] == [OWN]


def test_what_the_settings_turn_off_is_not_read_but_the_document_is(tmp_path):
    other = "--- app/base.py\nclass Base:\n    def save(self): ...\n--- app/x.py\nfrom app.base import Base\n"
    for texts, is_known in ((CLASS, True), (other + CLASS.replace("Cart:", "Cart(Base):", 1), False)):
        reader, place = asked(tmp_path, "python", texts)
        off = ContextPlace(
            place.document, place.root, place.text, place.offset, "python", off=lambda path: "off"
        )
        assert (reader.names(off) is not None) == is_known
        assert reader.names(place) is not None


def test_a_type_that_is_changed_has_other_members(tmp_path):
    reader, place = asked(tmp_path, "python", CLASS)
    assert "add" in reader.names(place).names
    _, changed = asked(tmp_path, "python", CLASS.replace("add", "put"))
    assert "put" in reader.names(changed).names
    assert "add" not in reader.names(changed).names


@pytest.mark.parametrize(("language", "texts", "expected"), CASES)
def test_nothing_that_is_cut_off_fails(tmp_path, language, texts, expected):
    reader, place = asked(tmp_path, language, texts)
    for end in range(place.offset, 0, -7):
        text = place.text[:end] + ("." if end % 2 else "")
        reader.names(ContextPlace(place.document, place.root, text, len(text), language))


HOSTILE = [
    "(", "x, ", " ", "\n", "c.a, ", "c = ", "class C(", "x: C, ",
    "{", "}", '"', "`", "self.a = ", "c, ", "(c, ", "[c, ", "{c: ", "{ c: { ", "c<", "case c: ",
    "type ", "a.b, ", 'r#"', "c::", "impl C ", "use c::{", "c!{", "#[c(",
]  # fmt: skip


@pytest.mark.parametrize("language", ["go", "java", "javascript", "python", "rust", "typescript"])
@pytest.mark.parametrize("part", HOSTILE)
def test_no_text_takes_long(tmp_path, language, part):
    line = (part * 400)[:400] + "\n"
    for text in ((part * 190_000)[:190_000], line * 450, f"func f(c *C) {{\nclass C {{\n{line * 450}"):
        before = f"{text}\n    c."
        place = ContextPlace(tmp_path / f"x.{SUFFIX[language]}", tmp_path, before, len(before), language)
        start = time.thread_time()
        ContextReader().names(place)
        assert time.thread_time() - start < MOST_SECONDS


def test_a_name_may_be_in_many_other_words(tmp_path):
    calls = "        element(here);\n" * 600
    text = f"class C {{\n    int size;\n    void f(C e) {{\n{calls}        e.█\n    }}\n}}\n"
    reader, place = asked(tmp_path, "java", text)
    assert members(reader.names(place), "java") == {"f", "size"}


@pytest.mark.parametrize(("parts", "is_known"), [(1_900, True), (2_000, False)])
def test_a_document_of_very_many_parts_is_not_understood(tmp_path, parts, is_known):
    text = "class Cart:\n    size: int\n\n\ndef pay(cart: Cart):\n    return cart.█\n" + "x = 1\n" * parts
    reader, place = asked(tmp_path, "python", text)
    assert (reader.names(place) is not None) == is_known


DEEP = [
    ("java", f"class A {{\n    int f(A a) {{\n        return {'(' * 900}a{')' * 900}.█;\n    }}\n}}\n"),
    ("java", f"class A {{\n    int f(A{'[]' * 3000} a) {{\n        return a{'[0]' * 300}.█;\n    }}\n}}\n"),
    ("java", "class A {\n" * 300 + "    int f(A a) {\n        return a.█;\n    }\n" + "}\n" * 300),
    ("javascript", f"class A {{ x = {'(' * 900}y{')' * 900}; }}\nconst a = new A();\na{'.x' * 300}.█\n"),
    ("typescript", f"export type A = {' | '.join(['B'] * 3000)};\nfunction f(a: A) {{ a.█ }}\n"),
    ("typescript", f"export type A = {'(' * 900}B{')' * 900};\nfunction f(a: A) {{ a.█ }}\n"),
    ("typescript", f"{'declare ' * 3000}class A {{ x: B }}\nfunction f(a: A) {{ a.█ }}\n"),
    ("go", f"package x\ntype A struct{{ n int }}\nfunc f(a {'*' * 3000}A) {{ a.█ }}\n"),
    ("rust", f"{'mod a {' * 500}{'}' * 500}\nstruct A {{ n: u8 }}\nfn f(a: A) {{\n    a.█\n}}\n"),
    ("rust", f"struct A {{ n: u8 }}\nfn f(a: {'&' * 3000}A) {{\n    a.█\n}}\n"),
    ("rust", f"struct A {{ n: u8 }}\nfn f(a: {'Box<' * 900}A{'>' * 900}) {{\n    a.█\n}}\n"),
    ("rust", f"struct A {{ n: u8 }}\nfn f(a: {'a::' * 900}A) {{\n    a.█\n}}\n"),
    ("rust", f"struct A {{ n: u8 }}\nfn f(a: A) {{\n    let {'(' * 900}a{')' * 900} = a;\n    a.█\n}}\n"),
]


@pytest.mark.parametrize(("language", "texts"), DEEP)
def test_of_what_is_nested_deeply_nothing_is_known(tmp_path, language, texts):
    reader, place = asked(tmp_path, language, texts)
    assert reader.names(place) is None


def test_what_every_value_has_may_come_in_rust(tmp_path):
    reader, place = asked(tmp_path, "rust", "struct Cart { n: u8 }\nfn f(cart: Cart) {\n    cart.█\n}\n")
    assert {"clone", "clone_from", "into", "n", "to_string"} <= set(reader.names(place).names)


def test_what_every_object_has_may_come(tmp_path):
    text = "class Cart:\n    def state(self):\n        return dict(self.█)\n"
    reader, place = asked(tmp_path, "python", text)
    assert {"__class__", "__dict__", "__module__", "state"} <= set(reader.names(place).names)
