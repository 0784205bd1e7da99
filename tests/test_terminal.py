"""What a terminal shows of a completion."""

from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.terminal import marked_source

TEXT = "".join(f"line {number}\n" for number in range(1, 21))


def test_marked_source_when_plain_then_the_completion_stands_between_two_marks():
    offset = TEXT.index("10") + 2
    shown = marked_source(TEXT, offset, " more\nand more", colour=False)
    assert "  │ line 10« more\n  │ and more»\n  │ line 11" in shown
    assert "line 3" not in shown
    assert "line 17" not in shown


def test_marked_source_when_coloured_then_each_line_by_itself():
    shown = marked_source("a\nb", 1, "x\n\ny", colour=True)
    assert shown == "  │ a\x1b[1;32mx\x1b[0m\n  │ \n  │ \x1b[1;32my\x1b[0m\n  │ b"


@given(st.text(), st.text(), st.data())
def test_marked_source_of_any_text_then_no_control_character_reaches_the_terminal(text, completion, data):
    shown = marked_source(text, data.draw(st.integers(0, len(text))), completion, colour=False)
    assert [character for character in shown if ord(character) < 32 and character not in "\n\t"] == []
