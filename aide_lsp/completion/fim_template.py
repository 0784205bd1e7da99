"""A FIM format with the token ids of one vocabulary: writes prompts as tokens."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import field, frozen

from aide_lsp.completion.fim import FORMATS, FimFormat
from aide_lsp.completion.prompt import Prompt, PromptPart
from aide_lsp.errors import ModelFilesError
from aide_lsp.inference.tokenizer import Tokenizer


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
        return self.format.pieces(prompt, reads_files=self.reads_files)

    def render(self, prompt: Prompt, encode: Callable[[str], Sequence[int]]) -> list[int]:
        """Return the prompt's token ids; empty if there is no text and the format has no control tokens."""
        return [
            token
            for piece in self.pieces(prompt)
            for token in ([self.ids[piece]] if isinstance(piece, str) else encode(piece.text))
        ]


def open_format(name: str | None, tokenizer: Tokenizer) -> FimTemplate:
    """Look up a format and its control tokens; None: the model only continues text.

    Raises:
        ModelFilesError: there is no such format, or the model's vocabulary lacks one of its tokens.
    """
    record = FORMATS.get(name or "prefix")
    if record is None:
        raise ModelFilesError(f'Unknown FIM format "{name}"; known are {", ".join(sorted(FORMATS))}.')
    ids = _ids((*record.control_tokens, *record.stops), tokenizer)
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
