"""FIM formats: how prefix and suffix become one prompt for a model trained to fill in the middle.

In: a format's name, token ids of prefix and suffix. Out: the prompt's token ids. One record for each
format; a model card names its format. It does not know how much text there is room for
(`window.py`), nor any model's name.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from attrs import field, frozen

from aide_lsp.errors import ModelFilesError


class Vocabulary(Protocol):
    """Finds control tokens by name."""

    def token_id(self, special: str) -> int | None:
        """Return the id of a control token; None if the vocabulary has none of that name."""


@frozen
class FimFormat:
    """One way to write a prompt."""

    name: str
    "What a model card calls it."
    parts: tuple[str, ...]
    "The prompt in order: control tokens by name, and the two words `PREFIX` and `SUFFIX`."
    source: str
    "URL of the page that documents it."
    stops: tuple[str, ...] = ()
    "Control tokens that end a completion besides the model's own end tokens."

    @property
    def reads_suffix(self) -> bool:
        """Whether the model sees the text right of the cursor at all."""
        return "SUFFIX" in self.parts

    @property
    def control_tokens(self) -> tuple[str, ...]:
        """The control tokens of the prompt, in order."""
        return tuple(part for part in self.parts if part not in ("PREFIX", "SUFFIX"))


@frozen
class FimPrompt:
    """A format with its token ids looked up in one vocabulary."""

    format: FimFormat
    "The record it was made from."
    ids: dict[str, int] = field(factory=dict)
    "Token id by name of the control token."
    stop_ids: frozenset[int] = frozenset()
    "Tokens that end a completion."

    @property
    def overhead(self) -> int:
        """How many tokens of the prompt are not text."""
        return len(self.format.control_tokens)

    def render(self, prefix: Sequence[int], suffix: Sequence[int]) -> list[int]:
        """Return the prompt's token ids; none if there is no text and the format has no tokens of its own."""
        texts = {"PREFIX": prefix, "SUFFIX": suffix}
        return [
            token
            for part in self.format.parts
            for token in (texts[part] if part in texts else [self.ids[part]])
        ]


# Suffix first, then prefix, the second SPM variant of the FIM paper (https://arxiv.org/abs/2207.14255,
# 4.3): of 100 single-line holes of HumanEval 77 pass, 56 with prefix-suffix-middle, and typing only
# appends tokens to the prompt, so what the model has read stays read.
FORMATS = {
    record.name: record
    for record in (
        FimFormat(
            name="qwen2.5-coder",
            parts=("<|fim_prefix|>", "<|fim_suffix|>", "SUFFIX", "<|fim_middle|>", "PREFIX"),
            source="https://github.com/QwenLM/Qwen2.5-Coder#3-file-level-code-completion-fill-in-the-middle",
            stops=(
                "<|endoftext|>",
                "<|im_start|>",
                "<|im_end|>",
                "<|fim_prefix|>",
                "<|fim_suffix|>",
                "<|fim_middle|>",
                "<|fim_pad|>",
                "<|repo_name|>",
                "<|file_sep|>",
            ),
        ),
        FimFormat(
            name="prefix",
            parts=("PREFIX",),
            source="https://huggingface.co/blog/how-to-generate",
            stops=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        ),
    )
}


def open_format(name: str | None, vocabulary: Vocabulary) -> FimPrompt:
    """Look up a format and its control tokens; None: the model has none and reads the prefix only.

    Raises:
        ModelFilesError: no such format, or the model's vocabulary lacks a token of it.
    """
    record = FORMATS.get(name or "prefix")
    if record is None:
        raise ModelFilesError(f'Unknown FIM format "{name}"; known are {", ".join(sorted(FORMATS))}.')
    ids = _ids(record.control_tokens, vocabulary)
    missing = [token for token in record.control_tokens if token not in ids]
    if missing:
        raise ModelFilesError(
            f'The FIM format "{record.name}" needs the control tokens {", ".join(missing)}, which this model '
            "does not have. Set another format in the model card."
        )
    return FimPrompt(record, ids, frozenset(_ids(record.stops, vocabulary).values()))


def _ids(tokens: Iterable[str], vocabulary: Vocabulary) -> dict[str, int]:
    found = {token: vocabulary.token_id(token) for token in tokens}
    return {token: number for token, number in found.items() if number is not None}
