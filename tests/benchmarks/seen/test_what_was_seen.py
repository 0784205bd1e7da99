"""The figures of what was on the screen."""

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
