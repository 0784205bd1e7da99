"""Pieces of work by which the speed of a loaded model is measured.

Each method prepares (fills the cache) and returns the work to time. Everything runs through `generate`, as
every completion does.
"""

from collections.abc import Callable, Sequence

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.generate import Generation, generate
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.session import Session
from aide_lsp.settings.fields import Parameters

Work = Callable[[], None]
GREEDY = Parameters(temperature=0.0, top_k=1, top_p=1.0, seed=0)


class SpeedBench:
    """Prepares work on one session. `ids` is the text that all prompts are cut from."""

    def __init__(self, session: Session, ids: Sequence[int]) -> None:
        self._session, self._ids = session, list(ids)
        self._prefix_cache = PrefixCache()

    def prefill(self, tokens: int) -> Work:
        """Run the first `tokens` ids from an empty cache and choose one token."""
        self._prefix_cache.clear()
        return lambda: self._first_token(self._ids[:tokens])

    def decode(self, past: int, count: int) -> Work:
        """Generate `count` tokens, one at a time, after `past` cached ids."""
        generation = self._generate(self._ids[:past], count + 1)
        # Runs the prompt, outside the measured time.
        next(generation)

        def work() -> None:
            for _ in generation:
                pass

        return work

    def extend(self, past: int, tokens: int, repeat: int) -> Work:
        """After `past` cached ids run `tokens` others and choose one token; `repeat` times."""
        prompts = [self._ids[:past] + added for added in self._continuations(past, tokens)]
        # The first turn, too, finds the other continuation in the cache.
        self._first_token(prompts[1])

        def work() -> None:
            for turn in range(repeat):
                self._first_token(prompts[turn % 2])

        return work

    def _continuations(self, past: int, tokens: int) -> list[list[int]]:
        """Return two texts of `tokens` ids that differ in the first: neither is cached by the other."""
        other = next(i for i, token in enumerate(self._ids) if token != self._ids[past])
        return [self._ids[start : start + tokens] for start in (past, other)]

    def _first_token(self, prompt: list[int]) -> None:
        next(self._generate(prompt, 1))

    def _generate(self, prompt: list[int], max_tokens: int) -> Generation:
        # Without a drafter, since how often drafts are right depends on the text.
        options = GenerationOptions(GREEDY, max_tokens)
        return generate(self._session, self._prefix_cache, prompt, options, CancelToken())
