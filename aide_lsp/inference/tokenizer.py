"""Text to token ids and back.

What the user wrote never becomes a control token: `<|fim_prefix|>` in a file is encoded like any other text.
Control tokens are available only by name, from `token_id`. Decoding goes through bytes, so that a stream of
tokens never shows half a character.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aide_lsp.errors import ModelFilesError
from aide_lsp.inference.vocabulary.sentence_piece import BLANK, SentencePiece
from aide_lsp.inference.vocabulary.token_bytes import bytes_of, is_byte_level, spelled
from aide_lsp.plain_file import read_json

if TYPE_CHECKING:
    import tokenizers

MOST_TOKENS = 1 << 22
"""Ten times the vocabulary of any published model. Bounds the memory for a list of all ids."""
_CONTROL_NAME = re.compile(
    r"<[|｜\[].+[|｜\]]>|<fim[-_]\w+>|<(file_?name|file_sep|repo_?name|(start|end)_of_turn)>"
    r"|\[(PREFIX|SUFFIX|MIDDLE)\]"
)
_BPE_OPTIONS = (
    *("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"),
    *("fuse_unk", "byte_fallback", "ignore_merges"),
)


class Tokenizer:
    """A byte-level or byte-fallback vocabulary read from a `tokenizer.json`."""

    def __init__(self, definition: dict[str, Any]) -> None:
        vocabulary = definition["model"]["vocab"]
        in_alphabet = is_byte_level(vocabulary if isinstance(vocabulary, dict) else {})
        added = definition.get("added_tokens") or []
        self._control_ids = {str(t["content"]): int(t["id"]) for t in added if _is_control(t)}
        self._control_names = {number: name for name, number in self._control_ids.items()}
        self._text_ids = _text_tokens(definition, escaped=not in_alphabet)
        self._text_names = sorted(self._text_ids, key=lambda name: len(name.encode()), reverse=True)
        numbers = [*vocabulary.values(), *self._text_ids.values(), *self._control_names]
        if min(numbers) < 0 or max(numbers) >= MOST_TOKENS:
            raise ModelFilesError(f"This tokenizer has token ids that are not from 0 to {MOST_TOKENS - 1:,}.")
        self._encode_merged = _encoder(definition)
        self.vocab_size = max(numbers) + 1
        self.space_prefix = bool(definition["model"].get("space_prefix"))
        """Whether the model was trained on texts with a blank before them."""
        names = [""] * self.vocab_size
        for name, number in vocabulary.items():
            names[number] = name
        for text, number in self._text_ids.items():
            names[number] = spelled(text, in_alphabet=in_alphabet)
        for number in self._control_names:
            names[number] = ""
        self._bytes, self._ends = bytes_of(names, in_alphabet=in_alphabet)

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
        return self._encode_after(0, replace_surrogates(text))

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of `ids`; control tokens have none, and invalid UTF-8 becomes U+FFFD."""
        return b"".join(map(self.token_bytes, ids)).decode("utf-8", "replace")

    def token_bytes(self, token: int) -> bytes:
        """Return the bytes of a token: none for control tokens and unused ids."""
        if not 0 <= token < self.vocab_size:
            return b""
        return self._bytes[self._ends[token] : self._ends[token + 1]]

    @property
    def control_tokens(self) -> frozenset[int]:
        """The ids of all control tokens."""
        return frozenset(self._control_names)

    def token_id(self, special: str) -> int | None:
        """Return the id of a control token, such as `<|fim_middle|>`; None if there is none of that name."""
        return self._control_ids.get(special)

    def control_name(self, token: int) -> str:
        """Return the name of a control token; empty for any other."""
        return self._control_names.get(token, "")

    def _encode_after(self, first: int, text: str) -> list[int]:
        """Encode a text that has no text token before number `first`, the longest one being number 0."""
        for index in range(first, len(self._text_names)):
            name = self._text_names[index]
            if name in text:
                head, *rest = text.split(name)
                ids = self._encode_after(index + 1, head)
                for part in rest:
                    ids += [self._text_ids[name], *self._encode_after(index + 1, part)]
                return ids
        return self._encode_words(text) if text else []

    def _encode_words(self, text: str) -> list[int]:
        ids = self._encode_merged(text)
        found = next((number for number in ids if number in self._control_names), None)
        return ids if found is None else self._encode_around(text, self._control_names[found])

    def _encode_around(self, text: str, name: str) -> list[int]:
        # Some vocabularies also list a control token as an ordinary one, which the model's merges can
        # produce. With the text split inside its name, they cannot.
        parts = text.split(name)
        if len(parts) == 1 or len(name) == 1:
            return [number for number in self._encode_merged(text) if number not in self._control_names]
        cut = (name[1:] * (index > 0) + part for index, part in enumerate(parts))
        pieces = [f"{piece}{name[0]}" for piece in cut]
        pieces[-1] = pieces[-1].removesuffix(name[0])
        return [number for piece in pieces for number in self._encode_words(piece)]


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


def looks_like_control(name: str) -> bool:
    """Return whether an added token has a name as control tokens have, whatever its vocabulary says."""
    # Qwen lists its FIM tokens as not special. What else is not special, such as runs of blanks or tags of
    # HTML, is ordinary text.
    return _CONTROL_NAME.fullmatch(name) is not None


def replace_surrogates(text: str) -> str:
    """Replace lone surrogates, which UTF-8 cannot encode, by U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        # Through UTF-16, where two surrogates that belong together become their character.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _is_control(token: dict[str, Any]) -> bool:
    return bool(token.get("special")) or looks_like_control(str(token["content"]))


def _text_tokens(definition: dict[str, Any], *, escaped: bool) -> dict[str, int]:
    """Return the tokens that stand for their text wherever it occurs."""
    kept = [t for t in definition.get("added_tokens") or [] if not _is_control(t)]
    names = {int(t["id"]): str(t["content"]) for t in kept if t["content"]}
    return {name.replace(BLANK, " ") if escaped else name: number for number, name in names.items()}


def _encoder(definition: dict[str, Any]) -> Callable[[str], list[int]]:
    """Return the function that merges text into tokens, without added ones."""
    model = definition["model"]
    if model.get("type") == "SentencePiece":
        return SentencePiece(model["vocab"], model["scores"]).encode
    library = _library_tokenizer(definition)

    def encode(text: str) -> list[int]:
        ids: list[int] = library.encode(text, add_special_tokens=False).ids
        return ids

    return encode


def _library_tokenizer(definition: dict[str, Any]) -> "tokenizers.Tokenizer":
    """Return the library's tokenizer for `definition`, which encodes any text as if it were in mid-line."""
    import tokenizers

    # The first three would add control tokens or cut the text. Prompts get theirs from the FIM format.
    rest: dict[str, Any] = {"post_processor": None, "truncation": None, "padding": None, "added_tokens": []}
    rest |= {step: _without_prefix(definition.get(step)) for step in ("normalizer", "pre_tokenizer")}
    model = definition["model"]
    if "merges" not in model:
        return tokenizers.Tokenizer.from_str(json.dumps({**definition, **rest}))
    # BPE, stated or not. Passed as objects: having the library parse JSON takes twice as long.
    empty = {**definition, **rest, "model": {"type": "BPE", "vocab": {}, "merges": []}}
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(empty))
    # Older files have a merge in one string.
    merges = [tuple(merge.split(" ", 1) if isinstance(merge, str) else merge) for merge in model["merges"]]
    options = {name: model[name] for name in _BPE_OPTIONS if model.get(name) is not None}
    tokenizer.model = tokenizers.models.BPE(vocab=model["vocab"], merges=merges, **options)
    return tokenizer


def _without_prefix(step: Any) -> Any:
    """Return a normalizer or pre-tokenizer that puts no blank before a text."""
    if not isinstance(step, dict):
        return step
    kind = step.get("type")
    if kind == "Prepend":
        return {"type": "Sequence", "normalizers": []}
    for parts in ("normalizers", "pretokenizers"):
        if kind == "Sequence" and parts in step:
            return {**step, parts: [_without_prefix(part) for part in step[parts]]}
    if kind == "Metaspace":
        return {**step, "prepend_scheme": "never", "add_prefix_space": False}
    return {**step, "add_prefix_space": False} if "add_prefix_space" in step else step
