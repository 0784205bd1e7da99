"""The document store, compared with an independent model that works unit by unit."""

import random

import pytest

from aide_lsp.lsp.workspace.documents import Document, Place, split_lines
from aide_lsp.lsp.workspace.positions import ENCODINGS, to_column, to_offset

ALPHABET = [*"ab (\t\n\n", "\r", "\r\n", "é", "漢", "😀", "𝒳", "e\u0301"]
ALPHABET += ["\x0c", "\x0b", "\x85", "\u2028", "\u2029"]  # line ends to Python, not to LSP
EDITS = 100_000


class Reference:
    """The text as a list of code units of one encoding; nothing is remembered between edits."""

    def __init__(self, text: str, encoding: str) -> None:
        self.encoding = encoding
        self.units = self.split(text)

    def split(self, text: str) -> list:
        if self.encoding == "utf-32":
            return list(text)
        if self.encoding == "utf-8":
            return [bytes([byte]) for byte in text.encode("utf-8")]
        data = text.encode("utf-16-le")
        return [data[i : i + 2] for i in range(0, len(data), 2)]

    def text(self) -> str:
        if self.encoding == "utf-32":
            return "".join(self.units)
        return b"".join(self.units).decode("utf-8" if self.encoding == "utf-8" else "utf-16-le")

    def edit(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        start, end = sorted((start, end))
        left = self.index(start, -1)
        right = self.index(end, 1 if start != end else -1)
        self.units[left:right] = self.split(text)

    def index(self, place: tuple[int, int], step: int) -> int:
        line, column = place
        cr, lf = self.split("\r")[0], self.split("\n")[0]
        at = 0
        while line and at < len(self.units):
            unit = self.units[at]
            at += 1
            if unit == lf or (unit == cr and self.units[at : at + 1] != [lf]):
                line -= 1
        if line:
            return len(self.units)
        while column and at < len(self.units) and self.units[at] not in (cr, lf):
            at, column = at + 1, column - 1
        while self.inside(at):
            at += step
        return at

    def inside(self, at: int) -> bool:
        """Whether a character is cut in two before this unit."""
        if self.encoding == "utf-32" or not 0 < at < len(self.units):
            return False
        if self.encoding == "utf-8":
            return self.units[at][0] & 0xC0 == 0x80
        return self.units[at - 1][1] & 0xFC == 0xD8


def random_text(chance: random.Random, longest: int) -> str:
    return "".join(chance.choices(ALPHABET, k=chance.randrange(longest)))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_document_after_many_random_edits_equals_the_reference(encoding):
    chance = random.Random(f"edits {encoding}")
    documents = 500
    for _ in range(documents):
        text = random_text(chance, 40)
        document, reference = Document("file:///a", "python", 1, text, encoding), Reference(text, encoding)
        for _ in range(EDITS // len(ENCODINGS) // documents + 1):
            a, b = ((chance.randrange(8), chance.randrange(12)) for _ in range(2))
            if chance.random() < 0.4:
                b = a
            # Lines out of range, columns past the end and inside characters are all among these.
            piece = random_text(chance, 6)
            document.replace(Place(*a), Place(*b), piece)
            reference.edit(a, b, piece)
            expected = reference.text()
            assert document.text() == expected
            assert document.size == len(expected)
        assert document._lines == split_lines(expected)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_offset_of_every_position_equals_the_reference(encoding):
    text = "a😀b\r\n漢é\x0c\u2028\r\r\n\n😀"
    document, reference = Document("file:///a", "python", 1, text, encoding), Reference(text, encoding)
    for line in range(8):
        for column in range(16):
            units = reference.units[: reference.index((line, column), -1)]
            before = Reference("", encoding)
            before.units = units
            assert document.offset(Place(line, column)) == len(before.text())


@pytest.mark.parametrize(
    ("column", "down", "up"), [(0, 0, 0), (1, 1, 1), (2, 1, 2), (3, 2, 2), (4, 3, 3), (99, 3, 3)]
)
def test_column_inside_a_surrogate_pair_is_clamped_to_a_side(column, down, up):
    assert to_offset("a😀b", column, "utf-16") == down
    assert to_offset("a😀b", column, "utf-16", round_up=True) == up


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_column_of_an_offset_is_the_inverse(encoding):
    line = "a😀é漢" * 2
    for offset in range(len(line) + 1):
        assert to_offset(line, to_column(line, offset, encoding), encoding) == offset


def test_lines_end_at_cr_and_lf_only():
    assert split_lines("a\x0cb\x0b\x1c\x85\u2028\u2029c") == ["a\x0cb\x0b\x1c\x85\u2028\u2029c"]
    assert split_lines("a\rb\r\nc\n\r") == ["a\r", "b\r\n", "c\n", "\r", ""]
    assert split_lines("a\r\nb\n") == ["a\r\n", "b\n", ""]
    assert split_lines("") == [""]


def test_halves_of_a_character_that_meet_become_one():
    document = Document("file:///a", "python", 1, "x\ud83dy", "utf-16")
    document.replace(Place(0, 2), Place(0, 2), "\ude00")
    assert document.text() == "x😀y"


def test_half_a_character_is_replaced_in_the_text_and_keeps_its_place():
    document = Document("file:///a", "python", 1, "x\ud83dy", "utf-16")
    assert document.text() == "x\ufffdy"
    assert document.offset(Place(0, 3)) == 3


def test_change_of_a_range_given_backwards_is_turned_round():
    document = Document("file:///a", "python", 1, "abcd", "utf-16")
    document.replace(Place(0, 3), Place(0, 1), "-")
    assert document.text() == "a-d"


def test_cr_and_lf_brought_together_are_one_line_end():
    document = Document("file:///a", "python", 1, "a\rb\nc", "utf-16")
    document.replace(Place(1, 0), Place(1, 1), "")
    assert document.text() == "a\r\nc"
    assert document.offset(Place(1, 0)) == 3


def test_edits_in_a_very_long_line_are_exact():
    line = "x" * 100_000 + "😀" + "y" * 100_000
    document = Document("file:///a", "python", 1, line, "utf-16")
    document.replace(Place(0, 100_002), Place(0, 100_003), "z")
    assert document.text() == "x" * 100_000 + "😀z" + "y" * 99_999
