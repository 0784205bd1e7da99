"""Counts tokens where another process has the tokenizer: many texts with one question.

A window counts texts one by one, and which ones depends on the counts before. So what cuts the window is run
with estimates first: it shows which texts it needs. These are counted with one question, and it is run again,
until it has needed no estimate. The result is that of counting one by one.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from aide_lsp.completion.window import CountTokens

T = TypeVar("T")
CountAll = Callable[[Sequence[str]], Sequence[int]]
"""Counts the tokens of several texts."""
REMEMBERED = 8192
"""Texts whose counts are remembered: most lines of a window are those of the last one."""
CHARACTERS = 3
"""Characters of a token of code, more or less."""
MOST_QUESTIONS = 8
"""After these, texts are counted one by one: estimates could lead astray again and again."""


class BatchCounter:
    """Counts tokens with an engine that is asked for them; itself a `CountTokens`."""

    def __init__(self, ask: CountAll) -> None:
        """Take what asks the engine."""
        self._ask, self._known = ask, OrderedDict[str, int]()

    def __call__(self, text: str) -> int:
        """Return the number of tokens of a text; ask for it if need be."""
        return self._learn([text])[text] if text not in self._known else self._recall(text)

    def settle(self, build: Callable[[CountTokens], T]) -> T:
        """Return what `build` makes with the exact counts. It must be a pure function of them."""
        # A large window needs more texts than are remembered: each time it is built, others would be missing.
        exact, missing = dict[str, int](), dict[str, None]()

        def count(text: str) -> int:
            if (found := exact.get(text)) is not None:
                return found
            if text in self._known:
                return exact.setdefault(text, self._recall(text))
            missing[text] = None
            return -(-len(text) // CHARACTERS)

        for _ in range(MOST_QUESTIONS):
            built = build(count)
            if not missing:
                return built
            exact |= self._learn([*missing])
            missing.clear()
        return build(lambda text: exact[text] if text in exact else self(text))

    def clear(self) -> None:
        """Forget all counts."""
        self._known.clear()

    def _recall(self, text: str) -> int:
        self._known.move_to_end(text)
        return self._known[text]

    def _learn(self, texts: Sequence[str]) -> dict[str, int]:
        found = dict(zip(texts, self._ask(texts), strict=True))
        self._known.update(found)
        while len(self._known) > max(REMEMBERED, len(found)):
            self._known.popitem(last=False)
        return found


def with_counts(count: CountTokens, build: Callable[[CountTokens], T]) -> T:
    """Return what `build` makes with a way to count."""
    return count.settle(build) if isinstance(count, BatchCounter) else build(count)
