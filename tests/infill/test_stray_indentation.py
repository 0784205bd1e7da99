"""Indentation left of the cursor that is no block's."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.infill.indenting import stray_indentation
from aide_lsp.syntax.languages import language_of

PYTHON, BRACES = "def f(n):\n    if n > 0:\n", "function f(n) {\n    if (n > 0) {\n"


def stray(marked, language="python"):
    head, tail = marked.split("█")
    return stray_indentation(head, tail, language_of(language))


@pytest.mark.parametrize(
    ("marked", "language", "blanks"),
    [
        (PYTHON + "      █\n    return 0\n", "python", 6),
        (PYTHON + "       █", "python", 7),
        (PYTHON + "\n\n █  \n", "python", 1),
        (BRACES + "      █\n    }\n}\n", "javascript", 6),
        (BRACES + "   █\n    }\n}\n", "java", 3),
        ("fn f() {\n  if x {\n    y();\n   █\n", "rust", 3),
        ("int f(void)\n{\n        if (x) {\n            █\n        }\n}\n", "c", 12),
        ("a {\n  color: red;\n}\nb {\n █\n}\n", "css", 1),
        ("services:\n  web:\n   █\n", "yaml", 3),
        ("if x:\n    y = [\n        1,\n    ]\n  █\n", "python", 2),
    ],
)
def test_indentation_that_is_no_block_s(marked, language, blanks):
    assert stray(marked, language) == " " * blanks


@pytest.mark.parametrize(
    ("marked", "language"),
    [
        (PYTHON + "        █\n", "python"),
        (PYTHON + "    █\n", "python"),
        (PYTHON + "█\n", "python"),
        (PYTHON + "      █return 1\n", "python"),
        (PYTHON + "      r█\n", "python"),
        ("x = 1\n   █\n", "python"),
        # What opens a block for the next line may be missing here.
        ("def load(path):\n    █\n        return f.read()\n", "python"),
        ("if x:\n\ty\n  █\n", "python"),
        (PYTHON + "\t  █\n", "python"),
        # Within brackets, comments and strings, and next to a line that is as deep.
        (PYTHON + "        y = [z for z in n\n             █\n", "python"),
        (PYTHON + "        call(1,\n             █)\n", "python"),
        (PYTHON + '        """Do.\n\n      █\n        """\n', "python"),
        (BRACES + "        /**\n         █\n         */\n", "javascript"),
        (BRACES + "        /**\n         * Adds.\n         █\n", "javascript"),
        (PYTHON + "      return 1\n      █\n", "python"),
        ("a:\n  b: |\n     text\n     █\n", "yaml"),
        ("1. one:\n   more\n2. two\n   █\n", "markdown"),
        ("(defun f (x)\n  (cond\n   █\n", "lisp"),
    ],
)
def test_indentation_that_may_be_meant(marked, language):
    assert stray(marked, language) == ""


@given(depth=st.integers(0, 12), step=st.integers(1, 8), levels=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_only_what_is_between_two_steps_is_stray(depth, step, levels):
    blocks = "".join(f"{' ' * step * level}if x:\n" for level in range(levels + 1))
    expected = " " * depth if depth % step else ""
    assert stray(f"{blocks}{' ' * depth}█\n") == expected
