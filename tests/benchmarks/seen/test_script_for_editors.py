"""What is pressed gives the source again, in an editor that closes brackets and indents."""

import pytest

from benchmarks.seen.script import (
    PAIRS,
    Press,
    just_opened,
    leaves_complete,
    make_script,
    opened_by,
    slowly,
    typable,
)
from benchmarks.typing.sources import Source

CODE = "".join(
    f"""\
function first{number}(name) {{
    const found = items.filter((one) => one.name === name);
    register({{
        value: found[{number}].value,
    }});
    return found.map((one) => one.size);
}}

"""
    for number in range(20)
)


def typed(before, passage):
    """What an editor makes of the keys: it closes brackets, types over them, moves them below on Enter."""
    lines = before.split("\n")
    line, column = passage.line, len(lines[passage.line])
    for press in passage.presses:
        left, right = lines[line][:column], lines[line][column:]
        if press.key == "Enter":
            opens = bool(left) and PAIRS.get(left[-1]) == right[:1] and right
            lines[line : line + 1] = [left, press.indent + ("" if opens else right)]
            if opens:
                lines.insert(line + 2, left[: len(left) - len(left.lstrip())] + right)
            line, column = line + 1, len(press.indent)
        elif press.key == "Below":
            line, column = line + 1, len(lines[line + 1])
        elif press.key == "Backspace":
            lines[line], column = left[:-1] + right, column - 1
        elif right.startswith(press.key) and press.key in PAIRS.values():
            column += 1
        else:
            lines[line], column = left + press.key + PAIRS.get(press.key, "") + right, column + 1
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(12))
def test_the_keys_of_a_script_give_the_source_again(seed):
    source = Source("a.js", "javascript", CODE)
    script = make_script([source], seed)
    text = script.begins[0]
    for passage in script.passages:
        text = typed(text, passage)
    assert text == CODE


def test_brackets_that_a_line_leaves_open_are_closed_by_a_later_line():
    assert opened_by("register({") == "})"
    assert opened_by("use(')')") == ""
    assert opened_by("])") is None
    assert typable(["a = f({", "    b: 1,", "})"])
    assert not typable(["a = f({", "    b: 1 })"])
    assert not typable(["a = f(b,", "      c)"])


def test_slow_keys_are_the_same_keys():
    script = make_script([Source("a.js", "javascript", CODE)], 1)
    slow = slowly(script, 1.0)
    keys = [[press.key for press in one.presses] for one in script.passages]
    assert [[press.key for press in one.presses] for one in slow.passages] == keys
    assert {press.wait for one in slow.passages for press in one.presses} == {1.0}
    assert isinstance(slow.passages[0].presses[0], Press)


@pytest.mark.parametrize(
    ("language", "text", "passage", "complete"),
    [
        ("python", "def f(a):\n    b = a\n    return b\n", "\n    b = a", True),
        ("python", "x = 1\n\n\ndef f(a):\n    return a\n", "\n\n\ndef f(a):", False),
        ("python", "x = 1\nif x:\n    y = 2\nz = 3\n", "\nif x:\n    y = 2", True),
        ("javascript", "a();\nif (x) {\n  b();\n}\nc();\n", "\nif (x) {\n  b();\n}", True),
        ("javascript", "a();\nif (x) {\n  b();\n}\nc();\n", "\nif (x) {", False),
        ("html", "<p>a</p>\n<ul>\n<li>b</li>\n</ul>\n", "\n<ul>\n<li>b</li>", False),
        ("markdown", "One.\nTwo.\nThree.\n", "\nTwo.", True),
    ],
)
def test_a_file_is_complete_without_what_is_typed(language, text, passage, complete):
    start = text.index(passage)
    assert leaves_complete(Source("a", language, text))(start, start + len(passage)) == complete


def test_a_file_with_one_passage_can_be_opened():
    text = "# Title\n\nOne line of this text\nand another one after it\n\n# End\n"
    script = just_opened(Source("a.md", "markdown", text), 1, 5)
    assert [len(one.presses) for one in script.passages] == [5]
    assert len(script.looking) == 1
