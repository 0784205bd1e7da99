"""The figures of what was on the screen."""

import json

import attrs

from benchmarks.seen import page as results
from benchmarks.seen.report import Seen, tables
from benchmarks.seen.run import Taken
from benchmarks.seen.timeline import Key, State, Typed, figures, first_ghost, shrunk, vanished


def passage(keys, *states):
    """Keys at 0, 1, 2, ... seconds, and states."""
    pressed = tuple(Key(float(at), key) for at, key in enumerate(keys))
    return Typed(pressed, tuple(State(*state) for state in states))


def test_ghost_text_counts_for_a_key_if_it_is_there_when_the_next_one_comes():
    found = figures([passage("abcd", (-1, ""), (0.5, "bx"), (1.01, "x"), (2.01, ""))])
    assert (found.keys, found.visible) == (3, 2)
    assert found.visible_share == 2 / 3


def test_ghost_text_is_new_if_it_does_not_continue_what_was_there():
    typed = passage("abcd", (-1, ""), (0.25, "bc"), (1.01, "c"), (2.01, ""), (2.5, "xy"))
    assert figures([typed]).new == (0.25, 0.5)
    # More of the same is not new; what comes after the next key counts for that one.
    assert figures([passage("ab", (-1, "ab"), (0.1, "b"), (0.3, "bcd"), (1.5, "z"))]).new == ()


def test_the_first_ghost_text_is_timed_from_the_first_key():
    assert first_ghost(passage("abc", (-1, "old"), (0.01, ""), (1.75, "c"))) == 1.75
    assert first_ghost(passage("ab", (-1, ""))) is None


def test_ghost_text_that_was_gone_and_soon_back_has_flickered():
    assert vanished(passage("a", (-1, ""), (0.1, "bcd"), (0.5, ""), (0.6, "bcd"))) == 1
    # Too late, other text, and after a key that it did not have.
    assert vanished(passage("a", (-1, ""), (0.1, "bcd"), (0.5, ""), (0.9, "bcd"))) == 0
    assert vanished(passage("a", (-1, ""), (0.1, "bcd"), (0.5, ""), (0.6, "x"))) == 0
    assert vanished(passage("ax", (-1, ""), (0.1, "bcd"), (1.01, ""), (1.2, "cd"))) == 0
    # Typing along.
    assert vanished(passage("ab", (-1, ""), (0.1, "bcd"), (1.01, ""), (1.2, "cd"))) == 1


def test_ghost_text_that_lost_its_end_and_has_it_again_has_shrunk():
    assert shrunk(passage("ab", (-1, ""), (0.1, "bc(d)"), (1.01, "c"), (1.3, "c(d)"))) == 1
    # It only gets longer; it stays short; it is typed; the text was another one.
    assert shrunk(passage("ab", (-1, ""), (0.1, "bc"), (1.01, "c"), (1.3, "c(d)"))) == 0
    assert shrunk(passage("ab", (-1, ""), (0.1, "bc(d)"), (1.01, "c"))) == 0
    assert shrunk(passage("abc", (-1, ""), (0.1, "bcd"), (1.01, "cd"), (2.01, "d"))) == 0
    assert shrunk(passage("ab", (-1, ""), (0.1, "bc(d)"), (1.01, "c"), (1.3, "x"))) == 0


def test_after_enter_ghost_text_continues_behind_the_indentation():
    typed = passage(["a", "Enter"], (-1, ""), (0.1, "\n    bc"), (1.05, "bc"))
    assert len(figures([typed]).new) == 1
    assert vanished(typed) == shrunk(typed) == 0


def test_the_tables_name_every_editor_and_what_went_astray():
    typed = passage("abc", (-1, ""), (0.25, "bc"), (1.01, "c"))
    seen = Seen("editor", {"python": [Taken((typed,), 0.0, ("a.py",))]}, started=[2.5, None])
    text = tables([seen])
    assert "| editor | 100% of 2 |" in text
    assert "| editor | 100% | 250 ms / 250 ms | - / - | - | 0.0, 0.0 | - | 2.5 s, none |" in text
    assert "editor: typed astray in a.py" in text


def test_an_editor_that_was_only_started_has_a_row():
    assert "| editor | - | - / - | - / - | - | - | - | 2.5 s |" in tables([Seen("editor", started=[2.5])])


def test_the_first_ghost_text_is_given_for_each_language():
    opened = {
        "python": [Taken((passage("ab", (-1, ""), (1.5, "b")),), 0.0, ())],
        "go": [Taken((passage("ab", (-1, "")),), 0.0, ())],
    }
    lines = tables([Seen("editor", opened=opened), Seen("other")]).split("\n")
    assert "|  | python | go |" in lines
    assert "| editor | 1.5 s | none |" in lines
    assert "| other | - | - |" in lines


def test_the_median_over_all_languages_counts_what_never_came_as_the_latest():
    def opened(*seconds):
        return {"python": [Taken((passage("ab", (-1, ""), (one, "b")),), 0.0, ()) for one in seconds]}

    never = {"go": [Taken((passage("ab", (-1, "")),), 0.0, ())]}
    assert "| - | 1.5 s | - |" in tables([Seen("editor", opened=opened(3, 0.5, 1.5))])
    assert "| - | 3.0 s | - |" in tables([Seen("editor", opened=opened(3, 0.5) | never)])
    assert "| - | none | - |" in tables([Seen("editor", opened=never)])


def test_the_page_has_what_was_run_and_all_figures_again(tmp_path):
    typed = passage("abc", (-1, ""), (0.25, "bc"), (1.01, "c"))
    seen = [Seen("editor", {"python": [Taken((typed,), 0.0, ("a.py",))]}, started=[2.5, None])]
    run = {
        "date": "1 May 2026",
        "command": "python -m benchmarks.seen --json seen.json",
        "measured": ["typing", "started"],
        "settings": {"top_k": 3},
        "machine": ["2 cores, X", "4 GB memory"],
        "versions": {"nvim-0.12": "NVIM v0.12.4"},
        "others": 0.07,
        "seen": [attrs.asdict(one) for one in seen],
    }
    (tmp_path / "seen.json").write_text(json.dumps(run))
    results.main([str(tmp_path / "seen.json"), "--note", "A note.", "--out", str(tmp_path / "seen.md")])
    text = (tmp_path / "seen.md").read_text()
    assert tables(seen) in text
    for part in ("1 May 2026: typing, started", "2 cores, X", "NVIM v0.12.4", '`{"top_k": 3}`', "at most 7%"):
        assert part in text
    assert "A note." in text
    assert "`python -m benchmarks.seen --json seen.json`" in text
