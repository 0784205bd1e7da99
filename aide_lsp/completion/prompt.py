"""The prompt of a completion: which texts the model reads, and what its output must begin with.

`build_prompt` is the one place where a prompt is put together. It is a function of text, cursor and settings
only, never of what was typed before. How its parts are written for a model is the engine's business
(`fim.py` for models that were trained to fill in the middle).
"""

import re
from collections.abc import Iterator, Sequence
from enum import Enum

from attrs import field, frozen

from aide_lsp.completion.auto_closing import closed_here
from aide_lsp.completion.file_header import says_little
from aide_lsp.completion.other_files import CONTROL_TOKENS, PROJECT, fitting, name_of, with_names
from aide_lsp.completion.window import CountTokens, cut_window
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.context.known_names import KnownNames

UNFINISHED = re.compile(r"[^\w\r\n]?_*[^\W\d_]+\Z|[ \t]?(?:[^\w\s]|_)+\Z|[ \t]\Z")
"""What the last token of a prefix may be a part of: a word with the character before it, signs, a blank.

Tokens of code are complete words with the blank, dot or bracket before them (` return`, `(self`), and runs
of signs (`()`, `):`). After half of one the model is lost, so this much of the prefix is not shown to it; its
output must begin with it instead, in the tokens it likes best. Lines of HumanEval cut at 90 places of each
kind pass their tests, without and with this: indentation 20 % and 76 %, a blank 74 % and 86 %, a sign
54 % and 86 %, the middle of a word 9 % and 88 %. It also keeps the prompt the same while a word is typed.
"""
LONGEST_WORD = 64
"""Characters of the prefix that are searched for it; a longer word is left as it is."""


class PartKind(Enum):
    """What a part of a prompt is."""

    PROJECT = "project"
    """Names the project, where other files are read."""
    PATH = "path"
    """Names the file that the next parts are from."""
    EXCERPT = "excerpt"
    """Lines of another file."""
    HEADER = "header"
    """Names the file, if the text says too little."""
    PREFIX = "prefix"
    """Text that ends at the cursor."""
    SUFFIX = "suffix"
    """Text that begins at the cursor."""


@frozen
class PromptPart:
    """A part of a prompt."""

    kind: PartKind
    text: str = field(repr=False)
    excerpt: Excerpt | None = None
    "Where the lines of another file are from."


@frozen
class Prompt:
    """What a model reads, as text."""

    parts: tuple[PromptPart, ...]
    """Other files first, then the text in document order. Without a suffix, not even an empty one, the text
    is continued, and nothing is filled in."""
    healed: str = ""
    "Text before the cursor that is not in the prefix: the output must begin with it (token healing)."
    closers: str = ""
    """Text right of the cursor that is not in the suffix: what closes brackets opened here. The model closes
    them itself, which ends the completion, unless it begins with that. Brackets that the editor closes while
    you type would otherwise change the text that the model reads first."""
    document: str = ""
    "Names the document. The model does not read it: prompts of one document make room for each other."
    names: tuple[str, ...] = ()
    "Of which one comes next, after what else is healed, as far as it is not in the prefix; none: any may."
    is_next: bool = False
    """It may be asked for next, and is prefilled until then: what was asked for last stays, and so does what
    others hold."""

    @property
    def excerpts(self) -> tuple[Excerpt, ...]:
        """What the model reads of other files, in this order."""
        return tuple(part.excerpt for part in self.parts if part.excerpt is not None)

    def text(self, kind: PartKind) -> str:
        """Return the text of the part of that kind; empty if there is none."""
        return next((part.text for part in self.parts if part.kind is kind), "")


def build_prompt(
    before: str,
    after: str,
    num_context: int,
    count_tokens: CountTokens,
    *,
    reads_suffix: bool,
    header: str = "",
    stray: str = "",
    excerpts: Sequence[Excerpt] = (),
    context_share: float = 0.0,
    name: str = "",
    names: KnownNames | None = None,
) -> Prompt:
    """Build the prompt for the texts before and after the cursor.

    Args:
        before: text before the cursor.
        after: text after the cursor.
        num_context: tokens of text that the model reads at most, other files, header and healed text
            included.
        count_tokens: the model's.
        reads_suffix: whether the model can read text after the cursor.
        header: a line that names the file; read where the text says little.
        stray: indentation left of the cursor that is no block's: all of it is healed, so that the model
            generates the token for one that is.
        excerpts: of other files, best first.
        context_share: how much of `num_context` they take at most, with their paths.
        name: of the file, for a model that reads others.
        names: those of which one comes at the cursor.
    """
    others = list(_other_files(excerpts, f"{name}\n", int(num_context * context_share), count_tokens))
    num_context -= sum(_tokens(part, count_tokens) for part in others)
    prefix, healed = (before.removesuffix(stray), stray) if stray else split_healed(before)
    closers = after[: closed_here(before, after)] if reads_suffix else ""
    suffix = after.removeprefix(closers) if reads_suffix else ""
    healed_tokens = count_tokens(healed)
    window = cut_window(prefix, suffix, num_context, count_tokens, healed_tokens)
    parts = others
    left = num_context - count_tokens(header)
    if header and left >= healed_tokens and says_little(window.prefix, healed, window.suffix):
        window = cut_window(prefix, suffix, left, count_tokens, healed_tokens)
        parts.append(PromptPart(PartKind.HEADER, header))
    parts.append(PromptPart(PartKind.PREFIX, window.prefix))
    if reads_suffix:
        parts.append(PromptPart(PartKind.SUFFIX, window.suffix))
    return Prompt(tuple(parts), healed, closers, names=names.following(healed) if names else ())


def _other_files(
    excerpts: Sequence[Excerpt], own_name: str, budget: int, count_tokens: CountTokens
) -> Iterator[PromptPart]:
    chosen = fitting(excerpts, own_name, budget, count_tokens) if excerpts else []
    if not chosen:
        return
    yield PromptPart(PartKind.PROJECT, PROJECT)
    for excerpt, named in with_names(chosen):
        if named:
            yield PromptPart(PartKind.PATH, name_of(excerpt))
        yield PromptPart(PartKind.EXCERPT, excerpt.text, excerpt)
    yield PromptPart(PartKind.PATH, own_name)


def _tokens(part: PromptPart, count_tokens: CountTokens) -> int:
    return count_tokens(part.text) + (0 if part.kind is PartKind.EXCERPT else CONTROL_TOKENS)


def split_healed(before: str) -> tuple[str, str]:
    """Split the text before the cursor into what the model reads and what its output must begin with."""
    start = max(0, len(before) - LONGEST_WORD)
    match = UNFINISHED.search(before, start)
    # A word that reaches the search limit may begin earlier; healing a part of it would cut it in half.
    if match is None or (match.start() == start and start > 0):
        return before, ""
    return before[: match.start()], match.group()
