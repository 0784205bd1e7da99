from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.context.file_words import CHUNK_LINES, LONGEST_CHUNK, FileWords, words_of

LINES = st.text(st.characters(exclude_characters="\r\n"), max_size=30)


def test_word_counts_with_its_parts():
    assert words_of("OrderBook") == {"OrderBook": 1, "order": 1, "book": 1}
    assert words_of("order order_id HTTPServer2 x _y") == {
        **{"order": 2, "order_id": 1, "id": 1, "HTTPServer2": 1},
        **{"http": 1, "server": 1, "x": 1, "_y": 1},
    }
    assert words_of("größe 12 != 3.5") == {"größe": 1}


def test_data_has_no_words():
    assert words_of("a" * 101) == {}
    assert words_of("word " * LONGEST_CHUNK) == {}


@given(st.lists(LINES, max_size=60))
def test_chunks_cover_a_text_exactly(lines):
    text = "".join(line + "\n" for line in lines)
    words = FileWords(text)
    chunks = [words.lines_of(number) for number in range(len(words.lengths))]
    assert "".join(text for _, text in chunks) == text
    assert [first for first, _ in chunks] == [1 + CHUNK_LINES * number for number in range(len(chunks))]


@given(st.lists(LINES, max_size=60))
def test_places_are_the_words_of_the_chunks(lines):
    words = FileWords("\n".join(lines))
    found = [words_of(words.lines_of(number)[1]) for number in range(len(words.lengths))]
    assert words.lengths == [sum(counts.values()) for counts in found]
    for number, counts in enumerate(found):
        for word, count in counts.items():
            places = words.places[word]
            assert (number, count) in list(zip(places[::2], places[1::2], strict=True))
    assert sum(len(places) // 2 for places in words.places.values()) == sum(map(len, found))


def test_last_line_without_its_end_gets_one():
    assert FileWords("a\nb").lines_of(0) == (1, "a\nb\n")
    assert FileWords("").lengths == []
