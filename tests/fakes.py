"""Stand-ins for the model: a tokenizer of bytes and a session whose logits are a script."""

import hashlib
from collections.abc import Callable, Sequence
from threading import Event

import numpy as np

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.prompt import PartKind, Prompt
from aide_lsp.engines.local import LoadedModel, LocalModel
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.onnx.model_folder import ModelFolder
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import RowRule
from aide_lsp.inference.session import Candidates
from tests.patience import PATIENCE

CONTROL_TOKENS = {
    "<|endoftext|>": 256,
    "<|fim_prefix|>": 257,
    "<|fim_middle|>": 258,
    "<|fim_suffix|>": 259,
    "<|im_end|>": 260,
    "<|repo_name|>": 261,
    "<|file_sep|>": 262,
}
"""Ids of the control tokens of `ByteTokenizer`."""

END = CONTROL_TOKENS["<|endoftext|>"]
VOCAB_SIZE = 263

Script = Callable[[Sequence[int]], np.ndarray]
"""Token ids of a whole text -> logits (V,) for the next token."""


class ByteTokenizer:
    """One token for each byte of UTF-8, ids 0 to 255, followed by the control tokens."""

    vocab_size = VOCAB_SIZE
    space_prefix = False
    control_tokens = frozenset(CONTROL_TOKENS.values())

    def encode(self, text: str) -> list[int]:
        return list(text.encode("utf-8", "replace"))

    def decode(self, ids) -> str:
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes:
        return bytes([token]) if token < 256 else b""

    def token_id(self, special: str) -> int | None:
        return CONTROL_TOKENS.get(special)


class FakeKv:
    """The tokens "whose keys and values it holds", one byte each."""

    def __init__(self, held=()) -> None:
        self.held: list[int] = list(held)
        self.capacity = 0

    @property
    def bytes(self) -> int:
        return self.capacity

    def reserve(self, length: int) -> None:
        self.capacity = max(self.capacity, length)

    def copy(self, length: int) -> "FakeKv":
        assert length <= len(self.held)
        return FakeKv(self.held[:length])


class FakeSession:
    """Follows the rules of a session strictly and records its forwards.

    `script` gives the logits after a text. The fake keeps the tokens "whose KV it holds"; a forward on
    a gap, with a row count against the rule or beyond the context is an assertion error. `on_forward`
    is called at the beginning of each forward (with the count of forwards so far); `hold` makes each
    forward wait until it is canceled.
    """

    def __init__(
        self,
        script: Script,
        *,
        vocab_size: int = VOCAB_SIZE,
        context_length: int = 4096,
        candidate_count: int = 64,
        row_rule: RowRule = RowRule(multiple=2),  # noqa: B008 - frozen
        on_forward: Callable[[int], None] | None = None,
    ) -> None:
        self.script = script
        self.vocab_size, self.context_length = vocab_size, context_length
        self.candidate_count = min(candidate_count, vocab_size)
        self.row_rule = row_rule
        self.provider, self.provider_note = "cpu", None
        self.on_forward = on_forward
        self.hold = False
        self.running = Event()
        """Set when a held forward has begun."""
        self.kv = FakeKv()
        self.forwards: list[tuple[list[int], int, list[int]]] = []
        """(ids, past, logit_rows) of each forward."""
        self.full_logits_calls = 0
        self._rows = np.zeros((0, vocab_size), dtype=np.float32)

    @property
    def held(self) -> list[int]:
        """The tokens whose KV the session's present KV cache holds."""
        return self.kv.held

    def new_kv(self) -> FakeKv:
        return FakeKv()

    def use(self, kv: FakeKv) -> None:
        self.kv = kv

    def release(self) -> None:
        self.kv = FakeKv()

    @property
    def rows_run(self) -> int:
        """How many rows all forwards had together."""
        return sum(len(ids) for ids, _, _ in self.forwards)

    def forward(
        self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken
    ) -> Candidates:
        assert past <= len(self.held), f"a gap: {len(self.held)} tokens are held, a forward begins at {past}"
        assert len(ids) % self.row_rule.multiple == 0 < len(ids), f"a forward of {len(ids)} rows"
        assert past + len(ids) <= self.context_length, "beyond the context"
        assert all(0 <= i < self.vocab_size for i in ids)
        del self.held[past:]
        self.forwards.append((list(ids), past, list(logit_rows)))
        if self.on_forward is not None:
            self.on_forward(len(self.forwards))
        self._wait(cancel)
        cancel.check()
        self.held.extend(ids)
        self._rows = np.array(
            [self.script(self.held[: past + row + 1]) for row in logit_rows], dtype=np.float32
        ).reshape(len(logit_rows), self.vocab_size)
        best = np.argsort(-self._rows, axis=1, kind="stable")[:, : self.candidate_count]
        return Candidates(ids=best.astype(np.int64), logits=np.take_along_axis(self._rows, best, axis=1))

    def full_logits(self) -> np.ndarray:
        self.full_logits_calls += 1
        return self._rows

    def logits_of(self, ids: np.ndarray) -> np.ndarray:
        return self._rows[0][ids]

    def _wait(self, cancel: CancelToken) -> None:
        if not self.hold:
            return
        stopped = Event()
        with cancel.watch(stopped.set):
            self.running.set()
            assert stopped.wait(timeout=PATIENCE), "a held forward was never canceled"


def description(model: str = "fake", *, fim: str | None = "qwen2.5-coder") -> ModelFolder:
    """Return what a folder of the fake model would hold."""
    return ModelFolder(
        model=model,
        recipe="exact",
        layout="aide",
        graph="model.onnx",
        context_length=4096,
        vocab_size=VOCAB_SIZE,
        fim=fim,
        end_tokens=frozenset({END}),
    )


def completer_on(
    session: FakeSession, model: str = "fake", *, fim: str | None = "qwen2.5-coder"
) -> Completer:
    """Return a completer on a fake session."""
    return Completer(LocalModel(LoadedModel(ByteTokenizer(), session, description(model, fim=fim))))


class ScriptedModel:
    """A second engine: a `completion.model.Model` without tokens, that generates text in pieces it is given.

    Everything that an engine has to have is here. `answers` maps the end of the text before the cursor to the
    pieces that follow; the first that fits is taken.
    """

    def __init__(self, answers: dict[str, Sequence[str]], **info) -> None:
        facts = {"engine": "script", "device": "cpu", "recipe": "none", "vocabulary_size": 1000}
        self.info = ModelInfo(**({"id": "scripted", "context_length": 4096} | facts | info))
        self._answers = answers
        self.prompts: list[Prompt] = []
        self.options: list[GenerationOptions] = []

    failure = None

    def is_back(self) -> bool:
        return True

    def count_tokens(self, text: str) -> int:
        return len(text) // 4 + 1

    def generate(self, prompt, options, cancel, observer=None) -> "ScriptedGeneration":
        self.prompts.append(prompt)
        self.options.append(options)
        before = prompt.text(PartKind.PREFIX) + prompt.healed
        pieces = next((said for end, said in self._answers.items() if before.endswith(end)), [])
        return ScriptedGeneration(pieces[: options.max_tokens], len(pieces) > options.max_tokens, cancel)

    def prefill(self, prompt, options, cancel) -> int:
        return 0

    def self_test(self) -> bool:
        return True

    def release_memory(self) -> None:
        self.prompts.clear()


class ScriptedGeneration:
    """What a `ScriptedModel` generates."""

    def __init__(self, pieces: Sequence[str], is_cut: bool, cancel: CancelToken) -> None:
        self._pieces, self._is_cut, self._cancel = pieces, is_cut, cancel
        self.finish_reason: str | None = None
        self.is_closed = False
        self.log_probability = 0.0
        self.timings = Timings(generated_tokens=len(pieces))

    def __iter__(self):
        for piece in self._pieces:
            self._cancel.check()
            yield piece
        self.finish_reason = "length" if self._is_cut else "stop"

    def close(self) -> None:
        self.is_closed = True


def saying(text: str, *, after: int, end: int = END, vocab_size: int = VOCAB_SIZE) -> Script:
    """Return a script that says `text` byte by byte after a prompt of `after` tokens, then ends."""
    said = [*text.encode("utf-8"), end]

    def script(ids: Sequence[int]) -> np.ndarray:
        logits = np.zeros(vocab_size, dtype=np.float32)
        logits[said[min(max(len(ids) - after, 0), len(said) - 1)]] = 20.0
        return logits

    return script


def continuing(answers: dict[str, str], *, end: int = END) -> Script:
    """Return a script that says a key's answer after a text that ends in the key; the longest key wins.

    Works for any prompt order: looks at how far the answer has been given after the key.
    """
    pairs = [(key.encode(), [*answer.encode(), end]) for key, answer in answers.items()]

    def script(ids: Sequence[int]) -> np.ndarray:
        text, choice, longest = bytes(i if i < 256 else 0 for i in ids), end, -1
        for key, answer in pairs:
            for said in range(len(answer) - 1, -1, -1):
                if text.endswith(key + bytes(answer[:said])) and len(key) + said > longest:
                    choice, longest = answer[said], len(key) + said
        logits = np.zeros(VOCAB_SIZE, dtype=np.float32)
        logits[choice] = 20.0
        return logits

    return script


def babbling(seed: int = 0, vocab_size: int = VOCAB_SIZE, spread: float = 3.0) -> Script:
    """Return a script of random logits that depend on the whole text and nothing else."""

    def script(ids: Sequence[int]) -> np.ndarray:
        digest = hashlib.blake2b(repr((seed, list(ids))).encode(), digest_size=8).digest()
        generator = np.random.default_rng(int.from_bytes(digest, "little"))
        return (generator.normal(size=vocab_size) * spread).astype(np.float32)

    return script
