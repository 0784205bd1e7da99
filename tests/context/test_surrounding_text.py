"""Which lines near the cursor say what is wanted from other files."""

import pytest

from aide_lsp.context.surrounding_text import GRID, LONGEST_LINE, SurroundingText, after_enter


def lines_at(text):
    """Return the lines that count where a text has a `|`."""
    return SurroundingText.of(text.replace("|", ""), text.index("|")).lines()


def test_lines_near_the_cursor_count_and_its_own_does_not():
    above = "".join(f"above number {n}\n" for n in range(8))
    below = "".join(f"below number {n}\n" for n in range(9))
    assert lines_at(f"{above}this one|\n{below}") == [
        *(f"above number {n}" for n in (4, 5, 6, 7)),
        *(f"below number {n}" for n in range(8)),
    ]


def test_lines_above_that_say_nothing_do_not_count():
    assert lines_at("first = 1\n\n    }\n  else:\nsecond = 2\n|") == ["first = 1", "second = 2"]


def test_selection_can_change_only_at_every_fourth_line_that_is_typed():
    typed = "".join(f"line number {n}\n" for n in range(40))
    ends = [end for end, character in enumerate(typed, start=1) if character == "\n"]
    found = [lines_at(f"{typed[:end]}|") for end in ends]
    changes = [number for number in range(GRID, 40) if found[number] != found[number - 1]]
    assert changes == [number for number in range(GRID, 40) if (number + 1) % GRID == 0]


def test_first_lines_of_a_file_count_at_once():
    assert lines_at("import orders\n|") == ["import orders"]


def test_beginning_of_a_long_line_counts():
    assert lines_at(f"{'x' * 5000}\n|") == ["x" * LONGEST_LINE]


@pytest.mark.parametrize(
    ("text", "entered"),
    [
        ("a = 1|\nb\n", "a = 1\n|\nb\n"),
        ("a = 1| \r\nb", "a = 1 \n|\r\nb"),
        ("a\r  b|", "a\r  b\n|"),
        # Typing goes on in the line.
        ("a =| 1\nb\n", "a =| 1\nb\n"),
        ("f(|)\n", "f(|)\n"),
        ("a\n    |\nb\n", "a\n    |\nb\n"),
        ("|", "|"),
    ],
)
def test_enter_comes_only_where_a_line_ends(text, entered):
    after, cursor = after_enter(text.replace("|", ""), text.index("|"))
    assert f"{after[:cursor]}|{after[cursor:]}" == entered
