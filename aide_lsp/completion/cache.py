"""The completion cache: answers that were made already, so that no model call is needed.

In: what was asked (a `Question`), and its answer. Out: the answer to the same question, or the rest of
an answer that the user typed along. It does not know tokens, windows or the model.

What it may give out depends on the seed. The same document, cursor, settings and seed must give the
same text whatever was asked before, so with a seed that the user set only the very same question is
answered from here: the rest of an older answer is often, but not always, what a fresh request at the
new cursor would say. Where no seed is set each answer is one of many, and the rest of the one the user
is typing along is the best of them, whichever candidate it is; it keeps the seed it was made with.
"""

from collections import OrderedDict
from hashlib import blake2b
from typing import Generic, TypeVar

from attrs import evolve, field, frozen

from aide_lsp.settings.fields import Parameters

Answer = TypeVar("Answer")

CAPACITY = 64
"""Answers that are kept; the one that was used longest ago goes first."""


@frozen
class Question:
    """All that an answer depends on, but the model."""

    prefix: str = field(repr=False)
    "Text left of the cursor."
    suffix: str = field(repr=False)
    "Text right of the cursor."
    language: tuple[str, str]
    "Language id and path."
    parameters: Parameters
    "As asked for: an unset seed stays unset."
    max_tokens: int
    "Longest completion."
    candidate: int
    "Which of several completions."


@frozen
class Found(Generic[Answer]):
    """An answer from the cache."""

    answer: Answer
    "What was put in."
    text: str
    "What is left of its text."


@frozen
class _Entry(Generic[Answer]):
    prefix: bytes  # digests: the cache holds no documents
    prefix_length: int
    circumstances: tuple[object, ...]
    text: str
    answer: Answer

    def shares(self, circumstances: tuple[object, ...]) -> bool:
        """Whether it is a candidate for the same place."""
        return self.circumstances[0] == circumstances[0]


class CompletionCache(Generic[Answer]):
    """The latest answers. Used by one thread."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[tuple[object, ...], _Entry[Answer]] = OrderedDict()

    def get(self, question: Question) -> Found[Answer] | None:
        """Look up an answer; None: the model has to be asked."""
        circumstances = _circumstances(question)
        exact = self._entries.get(_key(question, circumstances))
        if exact is not None:
            self._entries.move_to_end(_key(question, circumstances))
            return Found(exact.answer, exact.text)
        if question.parameters.seed is not None:
            return None
        alike = [
            entry for entry in reversed(self._entries.values()) if entry.circumstances[0] == circumstances[0]
        ]
        # The first candidate is what comes by itself; another one is meant where only that fits.
        for entry in sorted(alike, key=lambda entry: entry.circumstances != circumstances):
            typed = question.prefix[entry.prefix_length :]
            if _is_typed_along(entry, question, typed):
                return Found(entry.answer, entry.text[len(typed) :])
        return None

    def put(self, question: Question, text: str, answer: Answer) -> None:
        """Keep an answer."""
        circumstances = _circumstances(question)
        key = _key(question, circumstances)
        self._entries[key] = _Entry(
            _digest(question.prefix), len(question.prefix), circumstances, text, answer
        )
        self._entries.move_to_end(key)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def forget(self, question: Question) -> None:
        """Drop every answer that would be given to `question`."""
        while (found := self.get(question)) is not None:
            kept = [key for key, entry in self._entries.items() if entry.answer is not found.answer]
            self._entries = OrderedDict((key, self._entries[key]) for key in kept)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()


def _circumstances(question: Question) -> tuple[object, ...]:
    """What an answer depends on besides the prefix; first that which all candidates of a place share."""
    parameters = evolve(question.parameters, seed=None)
    shared = (_digest(question.suffix), question.language, parameters, question.max_tokens)
    return shared, question.parameters.seed, question.candidate


def _key(question: Question, circumstances: tuple[object, ...]) -> tuple[object, ...]:
    return (_digest(question.prefix), *circumstances)


def _is_typed_along(entry: _Entry[Answer], question: Question, typed: str) -> bool:
    """Whether `typed` is a true beginning of the entry's text, behind the same prefix."""
    if not typed or typed == entry.text or not entry.text.startswith(typed):
        return False
    return _digest(question.prefix[: entry.prefix_length]) == entry.prefix


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
