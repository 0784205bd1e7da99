"""Places on the command line, and what is refused with which words."""

import io

import pytest
from click import UsageError
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.cli.places import PlaceError, Spot, offset_of, read_place, spot_of

TEXT = "def f():\n    return 1\n"


@pytest.mark.parametrize(
    ("line", "column", "offset"), [(1, 1, 0), (1, 9, 8), (2, 1, 9), (2, 13, 21), (3, 1, 22)]
)
def test_offset_of_when_line_and_column_exist(line, column, offset):
    assert offset_of(TEXT, line, column) == offset


@pytest.mark.parametrize(
    ("line", "column", "said"),
    [
        (0, 1, "no line 0"),
        (4, 1, "lines 1 to 3"),
        (1, 10, "1 to 9"),
        (1, 0, "no column 0"),
        (3, 2, "its only column is 1"),
    ],
)
def test_offset_of_when_there_is_no_such_place_then_it_says_what_there_is(line, column, said):
    with pytest.raises(PlaceError, match=said):
        offset_of(TEXT, line, column)


@given(st.text(alphabet="ab\n\r\té😀\f\u2028", max_size=60), st.data())
def test_offset_of_any_offset_when_turned_to_a_place_and_back(text, data):
    offset = data.draw(st.integers(0, len(text)))
    if text[max(offset - 1, 0) : offset + 1] == "\r\n":  # no editor puts the cursor between the two
        return
    before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
    assert offset_of(text, before.count("\n") + 1, len(before) - before.rfind("\n")) == offset


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_offset_of_when_lines_end_as_on_any_system(end):
    text = TEXT.replace("\n", end)
    assert offset_of(text, 2, None) == len(text) - len(end)
    with pytest.raises(PlaceError, match="lines 1 to 3"):
        offset_of(text, 4, 1)
    with pytest.raises(PlaceError, match="1 to 9"):
        offset_of(text, 1, 10)


def test_read_place_when_the_path_holds_colons(tmp_path):
    path = tmp_path / "a:b.py"
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    text, offset, named = read_place(f"{path}:2:5", "", io.StringIO())
    assert (text[offset:], named) == ("return 1\r\n", path)


def test_read_place_when_stdin_then_the_end_or_the_place():
    assert read_place("-", "x.py", io.StringIO(TEXT))[1] == len(TEXT)
    assert read_place("-:1:5", "x.py", io.StringIO(TEXT))[1:2] == (4,)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("no.py:1:1", "No such file"),
        (".:1:1", "directory"),
    ],
)
def test_read_place_when_it_is_none_then_the_message_helps(place, said):
    with pytest.raises(PlaceError, match=said):
        read_place(place, "", io.StringIO())


def test_read_place_when_the_file_is_binary(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"ab\xff")
    with pytest.raises(PlaceError, match="byte 2"):
        read_place(f"{tmp_path / 'x.bin'}:1:1", "", io.StringIO())


@pytest.mark.parametrize(
    ("place", "spot"),
    [
        ("x.py:2:5", Spot("x.py", 2, 5)),
        ("x.py:2", Spot("x.py", 2)),
        (r"C:\src\x.py:2:5", Spot(r"C:\src\x.py", 2, 5)),
        (r"C:\src\x.py:2", Spot(r"C:\src\x.py", 2)),
        ("a:b:2:5", Spot("a:b", 2, 5)),
        ("a:1:2:5", Spot("a:1", 2, 5)),
        ("-", Spot("-")),
        ("-:2:5", Spot("-", 2, 5)),
        ("-:2", Spot("-", 2)),
        ("x.py:+2:-5", Spot("x.py", 2, -5)),
    ],
)
def test_spot_of_a_place_in_every_documented_form(place, spot):
    assert spot_of(place) == spot


def test_spot_of_a_file_with_a_number_at_its_end_when_only_that_exists(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log:7").write_text("a\nb\n")
    assert spot_of("log:7:2") == Spot("log:7", 2)
    (tmp_path / "log").write_text("a\n" * 9)
    assert spot_of("log:7:2") == Spot("log", 7, 2)


def test_read_place_when_a_text_begins_with_a_byte_order_mark_then_columns_are_those_of_an_editor(tmp_path):
    (tmp_path / "x.py").write_bytes(b"\xef\xbb\xbfab")
    text, offset, _ = read_place(f"{tmp_path / 'x.py'}:1:2", "", None)
    assert (text, offset) == ("ab", 1)


@pytest.mark.parametrize(
    "place", ["x.py", "x.py:1:b", "x.py:" + "9" * 5000, ":1", "", ":", "x.py:1:", "x.py:½", "x.py:²:²"]
)
def test_spot_of_nonsense_then_the_forms_are_reported(place):
    with pytest.raises(UsageError, match="FILE:LINE:COL"):
        spot_of(place)
