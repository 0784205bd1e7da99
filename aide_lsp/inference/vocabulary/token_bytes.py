"""The bytes that each token of a vocabulary stands for."""

from array import array
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate

from aide_lsp.errors import ModelFilesError

ASCII_TEXT = frozenset((0x0A, *range(0x20, 0x7F)))
"""Bytes that a vocabulary needs to represent source text."""
_NO_BYTES = (
    "This tokenizer has no token for each byte, so it cannot represent every text. "
    "Use a model with a byte-level or byte-fallback vocabulary."
)


def bytes_of(names: Sequence[str], *, in_alphabet: bool) -> tuple[bytes, "array[int]"]:
    """Return the bytes of all tokens in one piece, and the offset of each.

    One piece instead of one object per token saves 15 MB with 150,000 tokens.
    """
    alphabet, joined = _byte_alphabet(), "".join(names)
    if in_alphabet and set(joined) <= alphabet.keys():
        # One byte for each character: one pass over all names instead of one for each.
        whole = joined.translate({ord(character): byte for character, byte in alphabet.items()})
        return whole.encode("latin-1"), array("I", [0, *accumulate(map(len, names))])
    to_bytes = _byte_level if in_alphabet else _byte_fallback
    pieces = [to_bytes(name) for name in names]
    return b"".join(pieces), array("I", [0, *accumulate(map(len, pieces))])


def spelled(text: str, *, in_alphabet: bool) -> str:
    """Return a text as the names of tokens are written."""
    if not in_alphabet:
        return text
    characters = {byte: character for character, byte in _byte_alphabet().items()}
    return "".join(characters[byte] for byte in text.encode("utf-8"))


def is_byte_level(vocabulary: Mapping[str, int]) -> bool:
    """Return whether its names are in the alphabet of bytes; if not, it has 256 tokens named after bytes.

    Raises:
        ModelFilesError: it has no tokens for bytes, so it cannot represent every text.
    """
    # First: a large vocabulary also has a token for each letter that the alphabet of bytes has.
    if all(byte_token(vocabulary, byte) is not None for byte in range(256)):
        return False
    # Some vocabularies (SmolLM's) lack tokens for bytes that are very rare in text; those are dropped.
    if {character for character, byte in _byte_alphabet().items() if byte in ASCII_TEXT} <= vocabulary.keys():
        return True
    raise ModelFilesError(_NO_BYTES)


def byte_token(vocabulary: Mapping[str, int], byte: int) -> int | None:
    """Return the token of a byte in a vocabulary whose names are text; None if there is none."""
    number = vocabulary.get(f"<0x{byte:02X}>")
    # Gemma's tab is a token of its own instead.
    return vocabulary.get(chr(byte)) if number is None and byte < 0x80 else number


def _byte_level(name: str) -> bytes:
    alphabet = _byte_alphabet()
    if all(character in alphabet for character in name):
        return bytes(alphabet[character] for character in name)
    # Some vocabularies also list runs of blanks as they are, not in the alphabet of bytes.
    return name.encode("utf-8")


def _byte_fallback(name: str) -> bytes:
    if len(name) == 6 and name.startswith("<0x") and name.endswith(">"):
        return bytes([int(name[3:5], 16)])
    # SentencePiece writes a blank as this character.
    return name.replace("\N{LOWER ONE EIGHTH BLOCK}", " ").encode("utf-8")


@cache
def _byte_alphabet() -> dict[str, int]:
    """Return the byte that each character of a byte-level vocabulary represents.

    Printable Latin-1 characters represent themselves; the other bytes are the characters from U+0100 on
    (https://github.com/openai/gpt-2/blob/master/src/encoder.py, `bytes_to_unicode`).
    """
    printable: Sequence[int] = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + i): byte for i, byte in enumerate(others)}
