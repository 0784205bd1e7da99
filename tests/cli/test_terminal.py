"""What a terminal shows of a completion."""

import io
import json
import logging
import sys

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.cli import progress
from aide_lsp.cli.terminal import (
    completions_json,
    figures_line,
    marked_source,
    say,
    show_completion,
    takes_color,
)
from aide_lsp.invisible import escaped
from aide_lsp.lsp.logs import Lines
from tests.fakes import ScriptedModel
from tests.ledger.making import completion_of

TEXT = "".join(f"line {number}\n" for number in range(1, 21))


def test_marked_source_when_plain_then_the_completion_is_between_two_marks():
    offset = TEXT.index("10") + 2
    shown = marked_source(TEXT, offset, " more\nand more", color=False)
    assert "  │ line 10« more\n  │ and more»\n  │ line 11" in shown
    assert "line 3" not in shown
    assert "line 17" not in shown


def test_marked_source_when_colored_then_each_line_by_itself():
    shown = marked_source("a\nb", 1, "x\n\ny", color=True)
    assert shown == "  │ a\x1b[1;32mx\x1b[0m\n  │ \n  │ \x1b[1;32my\x1b[0m\n  │ b"


def test_what_a_server_has_not_said_is_not_shown_as_none():
    known = completion_of(prompt_tokens=8, cached_tokens=2, generated_tokens=9)
    assert figures_line(known, "D").startswith("8 tokens prefilled (2 from the cache), 9 generated · ")
    assert figures_line(evolve(known, prompt_tokens=0), "D").startswith("9 tokens generated · ")


def test_figures_when_nothing_was_generated_then_no_time_of_a_first_token():
    timed_out = completion_of(prompt_tokens=8, cached_tokens=2, generated_tokens=0)
    assert figures_line(timed_out, "D") == "8 tokens prefilled (2 from the cache), 0 generated · D"


def test_marked_source_when_the_completion_replaces_a_bracket_then_it_is_there_once():
    assert marked_source("if f(a)\n", 6, "):", color=False, replaces=1) == "  │ if f(a«):»\n  │ "


def test_json_says_how_many_characters_a_completion_replaces():
    assert completions_json([completion_of(text="):", replaces=1)], ScriptedModel({}).info)["replaces"] == 1


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_marked_source_when_lines_end_as_on_other_systems_then_as_with_line_feeds(end):
    offset = TEXT.index("10") + 2
    shown = marked_source(
        TEXT.replace("\n", end), offset + 9 * (len(end) - 1), f" more{end}and more", color=False
    )
    assert shown == marked_source(TEXT, offset, " more\nand more", color=False)


@given(st.text(), st.text(), st.data())
def test_marked_source_of_any_text_then_no_control_character_reaches_the_terminal(text, completion, data):
    shown = marked_source(text, data.draw(st.integers(0, len(text))), completion, color=False)
    assert escaped(shown) == shown


EVIL = "a\x1b[31mb\x1b]0;title\x07c\x9b2Jd\u202ee\u2066f\u200bg\U000e0041h\x7fi\rj"


def is_plain(text):
    return escaped(text) == text and "\x1b" not in text


def test_say_when_a_name_has_escape_sequences_then_they_are_shown(capsys):
    say(EVIL)
    say(EVIL, err=True)
    out, err = capsys.readouterr()
    assert out == err == escaped(EVIL) + "\n"
    assert out.startswith(
        "a\\u001b[31mb\\u001b]0;title\\u0007c\\u009b2Jd\\u202ee\\u2066f\\u200bg\\udb40\\udc41h"
    )
    assert is_plain(out)


def test_show_completion_when_piped_then_nothing_is_changed(capsys, monkeypatch):
    show_completion("x\x1b[31m\n")
    assert capsys.readouterr().out == "x\x1b[31m\n"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    show_completion("x\x1b[31m\n")
    assert capsys.readouterr().out == "x\\u001b[31m\n"


def test_log_lines_when_a_name_has_line_ends_then_they_cannot_pass_for_others():
    record = logging.makeLogRecord(
        {"msg": f"opened {EVIL}\n2026-01-01 INFO aide: all is well", "levelname": "INFO"}
    )
    line = Lines("%(levelname)s %(message)s").format(record)
    assert is_plain(line)
    assert line.split("\n")[1] == "  2026-01-01 INFO aide: all is well"


@pytest.mark.skipif(sys.platform == "win32", reason="no such file names there")
@pytest.mark.parametrize(
    "arguments",
    [
        ["complete", f"{EVIL}.py:1:1"],
        ["complete", "x.py:1:1", "--model", EVIL],
        ["complete", "x.py:1:1", "--preset", EVIL],
        ["complete", "x.py:1:1", f"--{EVIL}"],
        ["complete", f"x.py:{EVIL}"],
        ["settings", f"project/{EVIL}.py"],
        ["settings", f"project/{EVIL}.py", "--json"],
        ["models", "fetch", EVIL],
        ["models", "path", EVIL],
        ["models", "list"],
        ["models", EVIL],
        [EVIL],
        ["doctor", "--quick"],
        ["replay", EVIL, EVIL],
        ["troubleshoot", EVIL, "x.py:1:1"],
        ["explain", f"project/{EVIL}.py:9:9"],
        ["serve", f"--{EVIL}"],
        ["serve", "--token-file", f"x.py/{EVIL}"],
        ["serve", "--host", EVIL],
    ],
    ids=lambda arguments: " ".join(arguments).replace(EVIL, "EVIL"),
)
def test_no_command_prints_escape_sequences_of_names(aide, home, arguments):
    project = home / "project"
    project.mkdir(exist_ok=True)
    (project / f"{EVIL}.py").write_text("x = 1\n")
    evil = json.dumps(EVIL, ensure_ascii=False).replace("\x7f", "\\u007f")
    (project / ".aide.toml").write_text(f"preset = {evil}\n{evil} = 1\noff = [{evil}]\nseed = 'x'\n")
    (home / "config" / "aide" / "models" / "evil.toml").write_text(f"id = {evil}\n")
    run = aide(*arguments)
    assert run.stdout + run.stderr
    assert is_plain(run.stdout + run.stderr)
    assert "Traceback" not in run.stderr


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
