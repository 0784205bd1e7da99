"""Text to token ids and back.

What the user wrote never becomes a control token: `<|fim_prefix|>` in a file is encoded like any other text.
Control tokens are available only by name, from `token_id`. Decoding goes through bytes, so that a stream of
tokens never shows half a character.
"""

import codecs
import json
from array import array
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aide_lsp.errors import ModelFilesError
from aide_lsp.plain_file import read_json

if TYPE_CHECKING:
    import tokenizers

MOST_TOKENS = 1 << 22
"""Ten times the vocabulary of any published model. Bounds the memory for a list of all ids."""
ASCII_TEXT = frozenset((0x0A, *range(0x20, 0x7F)))
"""Bytes that a vocabulary needs to represent source text."""
_NO_BYTES = (
    "This tokenizer has no token for each byte, so it cannot represent every text. "
    "Use a model with a byte-level or byte-fallback vocabulary."
)
_BPE_OPTIONS = (
    *("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"),
    *("fuse_unk", "byte_fallback", "ignore_merges"),
)


class Tokenizer:
    """A byte-level or byte-fallback BPE read from a `tokenizer.json`."""

    def __init__(self, definition: dict[str, Any]) -> None:
        control = {
            str(t["content"]): int(t["id"]) for t in definition.get("added_tokens") or [] if _is_control(t)
        }
        self._control_ids = control
        self._control_names = {number: name for name, number in control.items()}
        kept = [t for t in definition.get("added_tokens") or [] if not _is_control(t)]
        vocabulary = definition["model"]["vocab"]
        if not isinstance(vocabulary, dict):
            raise ModelFilesError(_NO_BYTES)
        numbers = [*vocabulary.values(), *(t["id"] for t in kept), *self._control_names]
        if min(numbers) < 0 or max(numbers) >= MOST_TOKENS:
            raise ModelFilesError(f"This tokenizer has token ids that are not from 0 to {MOST_TOKENS - 1:,}.")
        # The library renumbers added tokens unless the model's vocabulary has them.
        self._model = _library_tokenizer(definition, vocabulary | {t["content"]: t["id"] for t in kept}, kept)
        self.vocab_size = max(numbers) + 1
        names = [""] * self.vocab_size
        for name, number in vocabulary.items():
            names[number] = name
        # Added tokens are stated as text; only the names of the vocabulary use the alphabet of bytes.
        plain = {int(t["id"]): str(t["content"]).encode() for t in kept}
        for number in self._control_names.keys() | plain.keys():
            names[number] = ""
        self._bytes, self._ends = _bytes_of(names, plain, is_byte_level=_is_byte_level(vocabulary))

    @classmethod
    def from_file(cls, path: Path) -> "Tokenizer":
        """Read a `tokenizer.json`.

        Raises:
            ModelFilesError: the file is missing or invalid, or its vocabulary has no byte tokens.
        """
        try:
            return cls(read_json(path))
        except ModelFilesError:
            raise
        except (KeyboardInterrupt, SystemExit, MemoryError):
            raise
        # The tokenizers library raises bare Exception for a definition it cannot use, or panics in Rust: its
        # PanicException is a BaseException only.
        except BaseException as error:
            raise ModelFilesError(
                f"The tokenizer {path} cannot be read: {error}. Fetch or convert the model again."
            ) from error

    def encode(self, text: str) -> list[int]:
        """Return the token ids of `text`, never control tokens."""
        # An editor may send a lone surrogate, for which the library raises TypeError.
        ids: list[int] = self._model.encode(replace_surrogates(text), add_special_tokens=False).ids
        if not self._control_names.keys() & set(ids):
            return ids
        return self._encode_around(
            text, self._control_names[next(i for i in ids if i in self._control_names)]
        )

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`; control tokens have none, and invalid UTF-8 becomes U+FFFD."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes:
        """Return the bytes of a token: none for control tokens and unused ids."""
        if not 0 <= token < self.vocab_size:
            return b""
        return self._bytes[self._ends[token] : self._ends[token + 1]]

    def token_id(self, special: str) -> int | None:
        """Return the id of a control token, such as `<|fim_middle|>`; None if there is none of that name."""
        return self._control_ids.get(special)

    def _encode_around(self, text: str, name: str) -> list[int]:
        # Some vocabularies also list a control token as an ordinary one, which the model's merges can
        # produce. With the text split inside its name, they cannot.
        head, found, tail = text.partition(name)
        if not found:
            return [
                i
                for i in self._model.encode(text, add_special_tokens=False).ids
                if i not in self._control_names
            ]
        return self.encode(head + name[:1]) + self.encode(name[1:] + tail)


class TextStream:
    """Decodes a stream of tokens into complete characters."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """Return the characters that this token completes; may be empty."""
        return self._decoder.decode(self._tokenizer.token_bytes(token))

    def finish(self) -> str:
        """Return the rest: U+FFFD if the stream ended inside a character."""
        return self._decoder.decode(b"", final=True)


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot encode, by U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # Through UTF-16, where two surrogates that belong together become their character.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _is_control(token: dict[str, Any]) -> bool:
    # Qwen lists its FIM tokens with special=false. Runs of blanks, which the vocabularies of some code models
    # list as added tokens, are ordinary text.
    return bool(token.get("special")) or not str(token["content"]).isspace()


def _library_tokenizer(
    definition: dict[str, Any], vocabulary: dict[str, int], added: list[dict[str, Any]]
) -> "tokenizers.Tokenizer":
    """Return the library's tokenizer for `definition`, with only the added tokens `added`."""
    import tokenizers

    # The first three would add control tokens or cut the text. Prompts get theirs from the FIM format.
    rest: dict[str, Any] = {"post_processor": None, "truncation": None, "padding": None, "added_tokens": []}
    model = definition["model"]
    if "merges" not in model:
        whole = {**definition, **rest, "added_tokens": added, "model": {**model, "vocab": vocabulary}}
        return tokenizers.Tokenizer.from_str(json.dumps(whole))
    # BPE, stated or not. Passed as objects: having the library parse JSON takes twice as long.
    empty = {**definition, **rest, "model": {"type": "BPE", "vocab": {}, "merges": []}}
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(empty))
    # Older files have a merge in one string.
    merges = [tuple(merge.split(" ", 1) if isinstance(merge, str) else merge) for merge in model["merges"]]
    options = {name: model[name] for name in _BPE_OPTIONS if model.get(name) is not None}
    tokenizer.model = tokenizers.models.BPE(vocab=vocabulary, merges=merges, **options)
    tokenizer.add_tokens([tokenizers.AddedToken(**{k: v for k, v in t.items() if k != "id"}) for t in added])
    return tokenizer


def _bytes_of(
    names: Sequence[str], plain: dict[int, bytes], *, is_byte_level: bool
) -> tuple[bytes, "array[int]"]:
    """Return the bytes of all tokens in one piece, and the offset of each; `plain` are taken literally.

    One piece instead of one object per token saves 15 MB with 150,000 tokens.
    """
    alphabet, joined = _byte_alphabet(), "".join(names)
    if is_byte_level and not plain and set(joined) <= alphabet.keys():
        # One byte for each character: one pass over all names instead of one for each.
        whole = joined.translate({ord(character): byte for character, byte in alphabet.items()})
        return whole.encode("latin-1"), array("I", [0, *accumulate(map(len, names))])
    to_bytes = _byte_level if is_byte_level else _byte_fallback
    pieces = [plain.get(number) or to_bytes(name) for number, name in enumerate(names)]
    return b"".join(pieces), array("I", [0, *accumulate(map(len, pieces))])


def _is_byte_level(vocabulary: dict[str, int]) -> bool:
    # Some vocabularies (SmolLM's) lack tokens for bytes that are very rare in text; those are dropped.
    if {character for character, byte in _byte_alphabet().items() if byte in ASCII_TEXT} <= vocabulary.keys():
        return True
    if {f"<0x{byte:02X}>" for byte in range(256)} <= vocabulary.keys():
        return False
    raise ModelFilesError(_NO_BYTES)


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
