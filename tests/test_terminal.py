"""What a terminal shows of a completion."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp import progress
from aide_lsp.terminal import marked_source, takes_color

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


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("variables", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"CLICOLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
    ],
)
def test_colors_only_where_a_terminal_shows_them_and_the_user_wants_them(
    monkeypatch, variables, on_terminal, in_pipe
):
    for name in ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    assert (takes_color(Terminal()), takes_color(io.StringIO())) == (on_terminal, in_pipe)


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_progress_without_a_terminal_then_a_line_for_each_step_and_after_each_pause(monkeypatch, stream):
    now, said = [0.0], stream()
    monkeypatch.setattr("sys.stderr", said)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with progress.terminal_progress() as report:
        for percent in range(23):
            report(percent / 100, "Fetching")
        now[0] += 11
        report(0.23, "Fetching")
        report(0.24, "Fetching")
        report(None, "Loading the model")
        report(None, "Loading the model")
    assert (
        said.getvalue()
        == "Fetching: 0 %\nFetching: 10 %\nFetching: 20 %\nFetching: 23 %\nLoading the model\n"
    )
