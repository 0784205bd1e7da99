"""What kind each token of a GGUF file is: text, a byte, control, or nothing."""

import re
from collections.abc import Sequence
from enum import Enum

from attrs import frozen


class TokenKind(Enum):
    """What a token is."""

    NORMAL = "normal"
    """Text that comes about by merging."""
    TEXT = "text"
    """Text that is this token wherever it occurs: runs of blanks, tags of HTML."""
    CONTROL = "control"
    """No text: the end of a text, a mark of the FIM format. What a user writes never becomes one."""
    BYTE = "byte"
    """One byte, for text that the vocabulary has no other tokens for."""
    UNUSED = "unused"
    """Padding of the table."""


# The values of llama.cpp's `llama_token_type`, which GGUF files store. Any other is padding.
_KINDS = {
    1: TokenKind.NORMAL,
    2: TokenKind.CONTROL,  # the unknown token
    3: TokenKind.CONTROL,
    4: TokenKind.TEXT,
    6: TokenKind.BYTE,
}
_CONTROL_NAME = re.compile(
    r"▁?<(PRE|SUF|MID|EOT)>|_<EOT>|<(PAD|REPO|eos|reponame)>|</s>|\[(PAD|EOT|EOS)\]|<end_of_(turn|utterance)>"
    r"|<fim[-_](prefix|suffix|middle|pad|repo)>|<｜fim▁(begin|hole|end)｜>|<｜end▁of▁sentence｜>"
    r"|<\|(fim_(prefix|suffix|middle|pad|repo)|(code_)?(prefix|suffix|middle)|(repo_name|file_sep|endoftext)"
    r"|end_of_text|im_end|eo[tm]_id|end)\|>"
)
"""Tokens that llama.cpp finds by name, since some files say that they are text
(https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp)."""

_PADDING = re.compile(r"\[PAD\d+\]")
"""Some files mark thousands of these as text, which no model was trained on."""


@frozen
class FileToken:
    """One entry of a vocabulary."""

    id: int
    name: str
    """As in the file: in the alphabet of bytes, or with U+2581 for blanks."""
    kind: TokenKind


def with_kinds(names: Sequence[str], types: Sequence[int]) -> list[FileToken]:
    """Return the tokens of a file, by id, from its lists of names and types."""
    return [FileToken(i, name, _kind(name, types[i])) for i, name in enumerate(names)]


def _kind(name: str, type_id: int) -> TokenKind:
    if not name or _PADDING.fullmatch(name):
        return TokenKind.UNUSED
    kind = _KINDS.get(type_id, TokenKind.UNUSED)
    if kind in (TokenKind.NORMAL, TokenKind.TEXT) and _CONTROL_NAME.fullmatch(name):
        return TokenKind.CONTROL
    return kind
