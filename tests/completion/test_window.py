"""The context window: budget, purity, adjacency, and what stays the same while one types."""

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.completion.window import GRID_LINES, LINE_TOKENS, cut_window

LINE = "    value_{n} = function_{n}(argument)\n"
TEXT = st.text(alphabet=list("ab (\t\n\r\u00e9\u20ac\U0001f600"), max_size=300)


def count_words(text: str) -> int:
    """Words, runs of other characters and single line ends: one token each."""
    return len(re.findall(r"\n|\w+|[^\w\n]+", text))


def count_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def lines(count: int, start: int = 0) -> str:
    return "".join(LINE.format(n=n) for n in range(start, start + count))


@given(head=TEXT, tail=TEXT, budget=st.integers(0, 400), by_bytes=st.booleans(), healed=st.integers(0, 90))
@settings(max_examples=500, deadline=None)
def test_window_is_next_to_the_cursor_and_fits(head, tail, budget, by_bytes, healed):
    """Also where the tokens of lines do not add up to those of the text: budgets count the whole."""
    tokens = count_bytes if by_bytes else count_words
    window = cut_window(head, tail, budget, tokens, healed)
    assert head.endswith(window.prefix)
    assert tail.startswith(window.suffix)
    assert tokens(window.prefix) + tokens(window.suffix) <= max(0, budget - healed)
    assert cut_window(head, tail, budget, tokens, healed) == window


@given(head=TEXT, tail=TEXT)
def test_window_takes_all_where_all_fits(head, tail):
    """The least budget that is sure to do: the prefix is counted in eighths of it."""
    need = count_words(head) + count_words(tail)
    window = cut_window(head, tail, 2 * need + 8, count_words)
    assert (window.prefix, window.suffix) == (head, tail)


def test_window_gives_the_suffix_a_quarter():
    window = cut_window(lines(500), lines(500), 1000, count_words)
    assert 225 < count_words(window.suffix) <= 250
    assert 600 < count_words(window.prefix) <= 750


@pytest.mark.parametrize(("head", "tail"), [(lines(2), lines(500)), (lines(500), lines(2)), (lines(500), "")])
def test_window_gives_what_one_side_leaves_to_the_other(head, tail):
    window = cut_window(head, tail, 1000, count_words)
    assert count_words(window.prefix) + count_words(window.suffix) > 650


def test_window_begins_at_the_grid():
    head = lines(500)
    window = cut_window(head, "", 1000, count_words)
    assert head.removesuffix(window.prefix).count("\n") % GRID_LINES == 0


def test_window_does_not_move_while_a_line_is_typed():
    """Wherever the line is, also where the text above it just fits, or the edge is about to move on."""
    line, tail = LINE.format(n=1), lines(300)
    assert count_words(line) < LINE_TOKENS
    for above in range(0, 200, 3):
        head = lines(above)
        windows = [cut_window(head + line[:end], tail, 1000, count_words) for end in range(len(line))]
        assert {window.suffix for window in windows} == {windows[0].suffix}
        prefix = windows[0].prefix
        assert [window.prefix for window in windows] == [prefix + line[:end] for end in range(len(line))]


def test_healed_text_comes_off_the_side_before_the_cursor():
    head, tail = lines(300), lines(300)
    windows = [cut_window(head, tail, 1000, count_words, healed) for healed in (0, 1, 30, 500)]
    assert len({window.suffix for window in windows}) == 1
    for healed, window in zip((0, 1, 30, 500), windows, strict=True):
        assert count_words(window.prefix) + count_words(window.suffix) + healed <= 1000


def test_window_uses_half_the_budget_where_lines_are_long():
    head = "".join(f"line {n} " + "word " * 40 + "\n" for n in range(200))
    for end in range(len(head) - 2000, len(head), 97):
        window = cut_window(head[:end], "", 1000, count_words)
        assert count_words(window.prefix) >= 400


def test_window_while_typing_only_appends():
    """The suffix stays, and the prefix begins the same but where its edge moves on."""
    head, tail, typed = lines(300), lines(100, 900), lines(40, 300)
    windows = [cut_window(head + typed[:end], tail, 1000, count_words) for end in range(len(typed))]
    assert len({window.suffix for window in windows}) == 1
    begins = [window.prefix[:100] for window in windows]
    moves = sum(before != after for before, after in itertools.pairwise(begins))
    assert moves <= 2


def test_window_in_a_young_file_keeps_the_suffix_for_a_while():
    tail, typed = lines(300), lines(60)
    suffixes = [cut_window(typed[:end], tail, 1000, count_words).suffix for end in range(len(typed))]
    changes = sum(before != after for before, after in itertools.pairwise(suffixes))
    assert changes <= 8


def test_window_cuts_a_line_only_where_it_must():
    line = "word " * 1000
    window = cut_window("first\n" + line, line + "\nlast\n", 100, count_bytes)
    assert 0 < len(window.prefix) <= 100
    assert 0 < len(window.suffix) <= 100
    begin = len(line) - len(window.prefix)
    longer = cut_window("first\n" + line + "w", line + "\nlast\n", 100, count_bytes)
    assert begin == len(line) + 1 - len(longer.prefix)


def test_window_encodes_little_of_a_large_text():
    asked = 0

    def counting(text: str) -> list[str]:
        nonlocal asked
        asked += len(text)
        return count_words(text)

    text = lines(50_000)
    cut_window(text, text, 1000, counting)
    assert asked < 40_000


def test_window_ends_at_a_monstrous_line():
    head = "x" * 100_000 + "\n" + lines(3)
    assert cut_window(head, "", 1000, count_words).prefix == lines(3)
