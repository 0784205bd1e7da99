"""Trees are functions of text and cursor, whatever was parsed before; no text makes them fail."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.syntax import trees as module
from aide_lsp.syntax.languages import LANGUAGES
from aide_lsp.syntax.source import encode
from aide_lsp.syntax.trees import SyntaxTrees

PARSED = [language for language in LANGUAGES.values() if language.grammar]
WORDS = """( ) [ ] { } < > " ' ` ; : , . = # / * - \\ $ ${ #{ f' \"\"\" /* */ // -- <b> </b> if else end x
é 👍 <script> </script> <<E def"""
PIECES = st.sampled_from([*WORDS.split(), " ", "\n", "\n    ", "\n\n", "\ud83d", "\0", "\u2028"])
TEXTS = st.lists(PIECES, max_size=60).map("".join)


def shape(tree):
    """Everything that a tree says."""
    return tree and (
        str(tree.root._node),
        tree.text,
        tree.cursor,
        tree.start,
        tree.faults(),
        tree.language.id,
    )


@settings(max_examples=400)
@given(st.data(), st.sampled_from(PARSED), TEXTS, TEXTS)
def test_tree_is_the_same_whatever_was_parsed_before(data, language, before, after):
    warm = SyntaxTrees()
    for _ in range(3):
        cut = data.draw(st.integers(0, len(before)))
        tree = warm.at(before[:cut], before[cut:] + after, language)
        tree and tree.filled(data.draw(TEXTS))
    filling = data.draw(TEXTS)
    one, other = warm.at(before, after, language), SyntaxTrees().at(before, after, language)
    assert shape(one) == shape(other)
    if one is not None:
        assert one.start + one.cursor == len(before)
        assert shape(one.filled(filling)) == shape(other.filled(filling))
        assert one.filled(filling).text[one.cursor :].startswith(filling)
        assert shape(one.without_line) == shape(other.without_line)


def test_line_is_parsed_in_what_is_around_it():
    tree = SyntaxTrees().at("def f(a):\n    return a.", "\n\nx = 1\n", LANGUAGES["python"])
    assert tree.faults()
    assert not tree.without_line.faults()
    assert tree.without_line.text == "def f(a):\n\n\nx = 1\n"
    filled = tree.filled("b")
    assert not filled.faults()
    node = filled.root.smallest(filled.cursor - 1, filled.cursor - 1)
    assert (node.text, node.start, node.end) == ("b", 23, 24)
    assert [one.type for one in node.ancestors()][:3] == ["attribute", "return_statement", "block"]
    assert node.parent.part("object").text == "a"


def test_offsets_are_code_points():
    tree = SyntaxTrees().at("é = '👍\ud800'; b", " = 1", LANGUAGES["python"])
    assert not tree.faults()
    assert tree.root.smallest(tree.cursor - 1, tree.cursor - 1).text == "b"


def test_missing_part_is_a_fault():
    tree = SyntaxTrees().at("int a = 1", "\nint b;\n", LANGUAGES["c"])
    (fault,) = tree.faults()
    assert fault.is_missing
    assert (fault.start, fault.end) == (9, 9)


@pytest.mark.parametrize(
    ("page", "language"),
    [
        ("<p>\n<script>\nlet x = █;\n</script>", "javascript"),
        ("<p>\n<script>█</script>", "javascript"),
        ("<style>\na { █ }\n</style>", "css"),
        ("<style>\na {}\n</style>█", "html"),
        ("█<script>x</script>", "html"),
        ("<script █>x</script>", "html"),
        ("<p>█</p>", "html"),
    ],
)
def test_part_in_another_language_has_its_own_tree(page, language):
    before, after = page.split("█")
    tree = SyntaxTrees().at(before, after, LANGUAGES["html"])
    assert tree.language.id == language
    assert tree.start + tree.cursor == len(before)
    assert (before + after)[tree.start :].startswith(tree.text)
    assert (tree.outer is None) == (language == "html")


def test_long_text_has_no_tree():
    trees = SyntaxTrees()
    assert trees.at("x = 1\n" * 70_000, "", LANGUAGES["python"]) is None
    assert trees.at("x\n" + "1," * 11_000, "", LANGUAGES["python"]) is None
    assert trees.at("", "", LANGUAGES["markdown"]) is None


@pytest.mark.parametrize("language", PARSED, ids=lambda language: language.id)
def test_what_is_open_after_many_signs_is_soon_known(language):
    for sign in ("-", "#", "(", "<b>", "not ", "a."):
        tree = SyntaxTrees().at(f"x = {sign * 4000}"[:8000], "", language)
        start = time.thread_time()
        assert tree is None or tree.openings() is not None
        assert time.thread_time() - start < 3.0


def test_few_trees_are_kept():
    trees = SyntaxTrees()
    for number in range(20):
        trees.at(f"{number}\n" * 10_000, "", LANGUAGES["json"])
        assert len(trees._bases) <= module.KEPT_TREES
        assert sum(len(text) for _, text in trees._bases) <= module.KEPT_CHARACTERS


@pytest.mark.parametrize(("language", "line"), [("yaml", " " * 201 + "b"), ("json", "[" * 1001)])
def test_line_that_a_grammar_cannot_take_changes_no_later_tree(language, line):
    trees = SyntaxTrees()
    assert trees.at(f"[1,\n{line}", "\n2]\n", LANGUAGES[language]) is None
    assert trees.at("[1,\n3,", "\n2]\n", LANGUAGES[language]) is not None


def test_text_that_takes_too_long_is_tried_once(monkeypatch):
    trees, text = SyntaxTrees(), "x = 1\n" * 1000
    monkeypatch.setattr("aide_lsp.syntax.grammars.MOST_SECONDS", 0)
    assert trees.at(text, "", LANGUAGES["python"]) is None
    monkeypatch.undo()
    assert trees.at(text + "x", "", LANGUAGES["python"]) is None
    assert trees.at(text + "x\n", "", LANGUAGES["python"]) is not None


@given(st.text(st.characters(codec=None)))
def test_encoded_text_has_a_byte_for_each_code_point(text):
    source = encode(text)
    assert len(source) == len(text)
    assert [at for at, byte in enumerate(source) if byte == 10] == [
        at for at, c in enumerate(text) if c == "\n"
    ]


def test_a_key_looks_at_its_line_once_and_one_that_is_not_safe_leaves_the_base(monkeypatch):
    python = LANGUAGES["python"]
    looked, parsed = [], []

    def is_safe(source, name, real=module.is_safe):
        looked.append(source)
        return real(source, name)

    def base_of(*arguments, real=module.base_of):
        parsed.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(module, "is_safe", is_safe)
    monkeypatch.setattr("aide_lsp.syntax.tree.is_safe", is_safe)
    monkeypatch.setattr(module, "base_of", base_of)
    trees = SyntaxTrees()
    assert trees.at("x = 1\ny", "", python) is not None
    looked.clear()
    assert trees.at("x = 1\ny = ", "", python) is not None
    assert looked == [b"y = "]
    assert trees.at("x = 1\n" + "(" * 10_000, "", python) is None
    assert trees.at("x = 1\ny = 2", "", python) is not None
    assert len(parsed) == 1
