"""BM25 is compared with the formula, written out for one chunk at a time."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.context.file_words import CHUNK_LINES, FileWords, words_of
from aide_lsp.context.ranking import NEVER_COMMON, WEAK, ranked

WORDS = st.sampled_from(["ab", "cd", "ef", "gh", "ij", "Kl_Mn"])
TEXTS = st.lists(st.lists(WORDS, max_size=60).map("\n".join), max_size=5)


def plain_scores(query, texts):
    """Robertson and Zaragoza, "The Probabilistic Relevance Framework", with Lucene's idf."""
    chunks = []
    for file, text in enumerate(texts):
        lines = text.split("\n") if text else []
        for chunk, start in enumerate(range(0, len(lines), CHUNK_LINES)):
            chunks.append((file, chunk, words_of("\n".join(lines[start : start + CHUNK_LINES]))))
    possible = 0.0
    for word in query:
        having = sum(word in words for *_, words in chunks)
        if having <= max(NEVER_COMMON, len(chunks) / 5):
            possible += 2.2 * math.log(1 + (len(chunks) - having + 0.5) / (having + 0.5))
    average = sum(sum(words.values()) for *_, words in chunks) / max(1, len(chunks))
    scores = {}
    for file, chunk, words in chunks:
        score = 0.0
        for word in query:
            having = sum(word in other for *_, other in chunks)
            if not words[word] or having > max(NEVER_COMMON, len(chunks) / 5):
                continue
            idf = math.log(1 + (len(chunks) - having + 0.5) / (having + 0.5))
            length = sum(words.values()) / average
            score += idf * words[word] * 2.2 / (words[word] + 1.2 * (0.25 + 0.75 * length))
        if score:
            scores[file, chunk] = score
    weak = len(chunks) > NEVER_COMMON and max(scores.values(), default=0) < WEAK * possible
    return {} if weak else scores


@given(TEXTS, st.sets(WORDS))
def test_scores_are_those_of_the_formula(texts, query):
    expected = plain_scores(query, texts)
    found = ranked(query, [FileWords(text) for text in texts], 1000)
    assert {(one.file, one.chunk): pytest.approx(one.score) for one in found} == expected
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_equal_chunks_are_in_the_order_of_files_and_lines():
    chunk = "same\n" * CHUNK_LINES
    found = ranked({"same"}, [FileWords(chunk * 2), FileWords(chunk)], 2)
    assert [(one.file, one.chunk) for one in found] == [(0, 0), (0, 1)]


def test_word_of_a_fifth_of_many_chunks_says_nothing():
    files = [FileWords("\n" * CHUNK_LINES * 200 + "common\n" * CHUNK_LINES * (NEVER_COMMON + 40) + "rare")]
    assert [one.chunk for one in ranked({"common", "rare"}, files, 5)] == [200 + NEVER_COMMON + 40]
    few = [FileWords("\n" * CHUNK_LINES * 200 + "common\n" * CHUNK_LINES * NEVER_COMMON)]
    assert len(ranked({"common"}, few, 100)) == NEVER_COMMON


def test_chunks_that_all_match_weakly_are_not_chosen_except_in_a_small_project():
    asked = {"rare", *(f"word{letter}" for letter in "abcdefghijklmnopqrstuvwxyz")}
    rare = "rare\n" * CHUNK_LINES
    assert ranked(asked, [FileWords(rare + "other\n" * CHUNK_LINES * NEVER_COMMON)], 5) == []
    assert len(ranked(asked, [FileWords(rare + "other\n" * CHUNK_LINES * (NEVER_COMMON - 1))], 5)) == 1
    assert len(ranked({"rare"}, [FileWords(rare + "other\n" * CHUNK_LINES * NEVER_COMMON)], 5)) == 1
