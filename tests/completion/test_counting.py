"""Counting many texts with few questions."""

from aide_lsp.completion import counting
from aide_lsp.completion.counting import BatchCounter
from aide_lsp.completion.window import cut_window


def test_more_texts_than_are_remembered_then_few_questions_and_the_same_window(monkeypatch):
    monkeypatch.setattr(counting, "REMEMBERED", 100)
    head = "".join(f"{number}\n" for number in range(1000, 2000))
    exact = len
    questions = []

    def ask(texts):
        questions.append(len(texts))
        return [exact(text) for text in texts]

    found = BatchCounter(ask).settle(lambda count: cut_window(head, head, 3000, count))
    assert found == cut_window(head, head, 3000, exact)
    assert len(questions) < 10
