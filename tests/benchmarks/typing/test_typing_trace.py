"""Traces: whatever is typed, the text in the end is what it was; in time order; the same for a seed."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.errors import AideError
from benchmarks.typing.keys import auto_indent, strokes
from benchmarks.typing.sources import Source, indent_unit, module_sources
from benchmarks.typing.trace import make_trace

# Letters that are typed wrong at times, blanks, line ends, and what takes two UTF-16 units.
CHARACTERS = st.sampled_from("abx_ A1é𝕏\t (){}:=.,'#\n\n")
TEXTS = st.text(CHARACTERS, max_size=60)
UNITS = st.sampled_from(["    ", "  ", "\t"])
LINES = [
    "    if value.name is not None:",
    "        total = total + value",
    "        print('é𝕏', total)",
    "\tcall(one, two)",
    "    return self._items[0]",
    "",
    "    # a comment",
    "def add(first, second):",
]


def played(trace, number=None):
    """The texts after the first `number` events."""
    texts = list(trace.begins)
    for event in trace.events[:number]:
        if event.do == "key":
            before = texts[event.file]
            texts[event.file] = before[: event.start] + event.text + before[event.end :]
    return texts


@settings(deadline=None)
@given(TEXTS, TEXTS, UNITS, st.integers())
def test_strokes_together_give_the_text_and_change_nothing_before_it(line, target, unit, seed):
    typed = ""
    for stroke in strokes(line, target, unit, Random(seed)):
        assert 0 <= stroke.start <= stroke.end <= len(typed)
        assert (stroke.start, stroke.end, stroke.text) != (stroke.start, stroke.start, "")
        typed = typed[: stroke.start] + stroke.text + typed[stroke.end :]
    assert typed == target


def test_a_key_is_one_character_but_for_what_an_editor_adds():
    for stroke in strokes("def f():", "\n    x = 1\n\n\ny = 2", "    ", Random(1)):
        assert len(stroke.text) <= 1 or not stroke.text.strip()


def test_enter_indents_and_backspace_takes_a_level_back():
    keys = [(s.start, s.end, s.text) for s in strokes("    if a:", "\n        b\nc", "    ", Random(3))]
    assert keys == [
        (0, 0, "\n        "),
        (9, 9, "b"),
        (10, 10, "\n        "),
        (15, 19, ""),
        (11, 15, ""),
        (11, 11, "c"),
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [("x = 1", ""), ("  if x:", "      "), ("\tcall(", "\t    "), ("   ", "   "), ("", "")],
)
def test_an_editor_indents_a_new_line_like_the_previous_one_and_deeper_after_an_opener(line, expected):
    assert auto_indent(line, "    ") == expected


def test_slips_are_made_and_taken_back():
    made = [s for seed in range(20) for s in strokes("", "several letters to type here", "  ", Random(seed))]
    backspaces = sum(not stroke.text for stroke in made)
    assert 5 < backspaces < len(made) / 5


@settings(deadline=None)
@given(st.integers(40, 90), st.integers(20, 50), st.integers())
def test_a_trace_ends_with_the_files_as_they_were(first, second, seed):
    chance = Random(seed)
    texts = ["\n".join(chance.choices(LINES, k=lines)) for lines in (first, second)]
    sources = [Source("a.py", "python", texts[0]), Source("b.ts", "typescript", texts[1])]
    try:
        trace = make_trace(sources, seed)
    except AideError:
        return  # a file without any code: says so
    assert played(trace) == [source.text for source in sources]
    assert played(trace, 0) != [source.text for source in sources]
    assert all(one.at <= two.at for one, two in pairwise(trace.events))
    assert trace == make_trace(sources, seed)


def test_what_is_typed_of_a_passage_is_noted_with_each_key():
    sources = module_sources()
    trace = make_trace(sources[:2], 5)
    noted = 0
    for number, event in enumerate(trace.events):
        if event.reached < 0:
            continue
        target = trace.holes[event.hole]
        cursor = event.start + len(event.text)
        before = played(trace, number + 1)[event.file][:cursor]
        assert before.endswith(target[: event.reached])
        rest = played(trace, number + 1)[event.file][cursor:]
        original = sources[event.file].text
        # Nothing else is missing between here and the end of this stretch.
        assert rest[:20] in original
        noted += 1
    assert noted > 100


def test_another_seed_gives_another_trace_and_another_file_changes_no_other_trace():
    one, two, three = module_sources()[:3]
    assert make_trace([one, two], 1) != make_trace([one, two], 2)
    assert make_trace([one, two], 1).holes != make_trace([one, three], 1).holes


def test_a_trace_goes_to_another_file_in_the_middle_of_a_stretch_and_comes_back():
    trace = make_trace(module_sources()[:2], 1)
    holes = [event.hole for event in trace.events if event.do == "key"]
    order = [hole for hole, last in zip(holes, [-1, *holes], strict=False) if hole != last]
    assert order == [0, 2, 0, 1]
    assert [event.file for event in trace.events if event.do == "open"] == [0, 1]


def test_keys_leave_as_much_time_as_was_measured():
    """34 % of keys leave 200 ms before the next, 11 % leave 500: what the figures are compared with."""
    sources = module_sources()
    traces = [make_trace([sources[n % 6], sources[(n + 1) % 6]], n) for n in range(30)]
    pairs = [pair for trace in traces for pair in pairwise(trace.events)]
    gaps = sorted(after.at - key.at for key, after in pairs if key.do == "key")
    assert len(gaps) > 3000
    assert 0.15 < gaps[len(gaps) // 2] < 0.2
    assert 0.31 < sum(gap >= 0.2 for gap in gaps) / len(gaps) < 0.37
    assert 0.09 < sum(gap >= 0.5 for gap in gaps) / len(gaps) < 0.13


def test_a_file_without_code_is_refused_with_its_name():
    with pytest.raises(AideError, match=r"^notes\.py has no 2 passages"):
        make_trace([Source("notes.py", "python", "# nothing\n" * 50)], 1)


def test_nothing_is_typed_inside_strings_or_comments():
    code = "def f(a):\n    total = a.first + a.second\n    return total(a, 1) + 1\n"
    text = '"""\n' + code * 20 + '"""\n' + code * 8
    for seed in range(20):
        trace = make_trace([Source("a.py", "python", text)], seed)
        first = next(event for event in trace.events if event.do == "key")
        assert first.start > text.rindex('"""')


@pytest.mark.parametrize(
    ("text", "unit"),
    [("a:\n  b\n    c\n", "  "), ("a\n\tb\n", "\t"), ("a\n", "    "), ("a\n b\n    c", "    ")],
)
def test_the_indentation_of_a_file_is_found(text, unit):
    assert indent_unit(text) == unit
