"""The completion cache: answers that were given already, so that no model call is needed.

Which answers it may give depends on the seed. The same document, cursor, excerpts and names of other files,
settings and seed must give the same text whatever was asked before, so with a seed that the user set only the
identical request is answered from here: the rest of an older answer is often, but not always, what a fresh
request at the new cursor would say. Where no seed is set each answer is one of many, and the rest of the one
the user is typing along is the best of them, whichever candidate it is; it keeps the seed it was generated
with. So it is where the editor has put closing brackets after the cursor meanwhile (`auto_closing.py`), and
where other excerpts of other files belong to the new cursor: a new line must not take the rest away.

A request's key is computed from all its fields, and from all fields of its options and parameters: a field
that is added later is in it, unless its metadata says `NOT_IN_KEY`.
"""

from collections import OrderedDict
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import attrs
from attrs import field, frozen

from aide_lsp.completion.auto_closing import added_after, rest_after
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.inference.options import IN_KEY

Answer = TypeVar("Answer")

CAPACITY = 64
"""Answers that are kept; the least recently used one goes first."""


@frozen
class CacheKey:
    """All that an answer depends on, except the model. Digests: the cache holds no documents."""

    before: bytes
    "Of the text before the cursor."
    place: tuple[object, ...]
    "What all candidates of one place share: the text after the cursor, and every other field."
    others: bytes
    "Of the excerpts and the names of other files; only an identical request needs the same."
    seed: int | None
    "As set; None: the request leaves it open."
    candidate: int
    "Which of several completions."
    text: str = field(repr=False, eq=False)
    "The text before the cursor; only of a key that is looked up."
    after: str = field(repr=False, eq=False)
    "The text after it, likewise."


@frozen
class Found(Generic[Answer]):
    """An answer from the cache."""

    answer: Answer
    "What was put in."
    text: str
    "What is left of its text."
    typed: str = ""
    "What of it is before the cursor already."
    replaces: int = 0
    "How many characters after the cursor it replaces."
    added: str = ""
    "What the editor has put there meanwhile."


@frozen
class _Entry(Generic[Answer]):
    key: CacheKey  # without text
    length: int  # of the text before the cursor
    text: str
    replaces: int  # characters after the cursor
    answer: Answer


class CompletionCache(Generic[Answer]):
    """The latest answers. Used by one thread."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[CacheKey, _Entry[Answer]] = OrderedDict()

    def get(self, key: CacheKey) -> Found[Answer] | None:
        """Look up an answer; None: the model has to run."""
        exact = self._entries.get(key)
        if exact is not None:
            self._entries.move_to_end(key)
            return Found(exact.answer, exact.text, replaces=exact.replaces)
        if key.seed is not None:
            return None
        for added in ("", *added_after(key.after)):
            found = self._typed_along(key, added)
            if found is not None:
                return found
        return None

    def _typed_along(self, key: CacheKey, added: str) -> Found[Answer] | None:
        """Look up an answer that the user is typing along, while the editor added a text after the cursor."""
        place = (_digest(key.after[len(added) :]), *key.place[1:]) if added else key.place
        # What was added is before the characters that an answer replaces.
        alike = [
            entry
            for entry in reversed(self._entries.values())
            if entry.key.place == place and not (added and entry.replaces)
        ]
        # The first candidate is what is suggested automatically; another one is meant where only that fits.
        for entry in sorted(alike, key=lambda entry: not _same_candidate(entry.key, key)):
            typed = key.text[entry.length :]
            rest = rest_after(entry.text, typed, added)
            # Last, because it reads all of the text before the cursor.
            if rest is not None and _digest(key.text[: entry.length]) == entry.key.before:
                return Found(entry.answer, rest.text, typed, rest.replaces or entry.replaces, added)
        return None

    def put(self, key: CacheKey, text: str, answer: Answer, replaces: int = 0) -> None:
        """Keep an answer; its text replaces this many characters after the cursor."""
        # The text would keep up to `CAPACITY` documents in memory.
        kept = attrs.evolve(key, text="", after="")
        self._entries[kept] = _Entry(kept, len(key.text), text, replaces, answer)
        self._entries.move_to_end(kept)
        while len(self._entries) > self._capacity:
            self._entries.popitem(last=False)

    def forget(self, key: CacheKey) -> None:
        """Drop every answer that `key` would be given."""
        while (found := self.get(key)) is not None:
            kept = [(k, entry) for k, entry in self._entries.items() if entry.answer is not found.answer]
            self._entries = OrderedDict(kept)

    def clear(self) -> None:
        """Drop everything."""
        self._entries.clear()


def key_of(request: CompletionRequest) -> CacheKey:
    """Return the key of a request."""
    before, after, options = request.before, request.after, request.options
    place = (
        # Line ends are normalized in both texts, so the same document with \r\n has the same key.
        _digest(after),
        *_fields_but(request, "text", "offset", "options", "excerpts", "names"),
        *_fields_but(options, "parameters", "candidate"),
        *_fields_but(options.parameters, "seed"),
    )
    others = [f"{one.path}\0{one.first_line}\0{one.text}" for one in request.excerpts]
    if request.names is not None:
        others += (request.names.begun, *request.names.names)
    seed = options.parameters.seed
    return CacheKey(
        _digest(before), place, _digest("\0".join(others)), seed, options.candidate, before, after
    )


def _fields_but(value: Any, *apart: str) -> Iterator[object]:
    """Yield the values of all fields that are in the key; `apart`: those that it holds in another way."""
    for one in attrs.fields(type(value)):
        if one.name not in apart and one.metadata.get(IN_KEY, True):
            yield getattr(value, one.name)


def _same_candidate(one: CacheKey, other: CacheKey) -> bool:
    return (one.seed, one.candidate) == (other.seed, other.candidate)


def _digest(text: str) -> bytes:
    # JSON can carry lone surrogates, which strict UTF-8 rejects.
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
