"""Prompts that clients have written themselves, in the model's FIM format, and what they consist of.

Such a prompt begins with one of the model's control tokens, or ends with the one before the middle. In all
other texts, and in all that is sent as prefix and suffix, control tokens are nothing but text.
"""

import re
from collections.abc import Sequence

from attrs import frozen

from aide_lsp.completion.fim import FimFormat
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart, split_healed
from aide_lsp.completion.window import CountTokens, cut_window
from aide_lsp.serve.protocols.given import ParameterError

COUNTED_CHARACTERS = 1_000
"""Texts are counted in lines, and in pieces of this size: what was counted is remembered."""
RESERVED = 16
"""Tokens of the context for control tokens and the first ones of the answer."""


@frozen
class Texts:
    """What a client wants to be continued."""

    before: str
    "Text before the cursor."
    after: str | None = None
    "Text after it; None: there is no cursor, the text is continued."
    files: tuple[PromptPart, ...] = ()
    "Text of other files, with names."


def texts_in(prompt: str, record: FimFormat, *, reads_files: bool) -> Texts:
    """Return what a prompt consists of, whether or not it is written in the model's format.

    Raises:
        ParameterError: it is written in a format, but not in the model's.
    """
    marks = _Marks.of(record)
    if marks is None or not marks.begin(prompt):
        return Texts(prompt)
    lead, *rest = re.split("(" + "|".join(map(re.escape, marks.all)) + ")", prompt)
    files = [PromptPart(PartKind.EXCERPT, lead)] if lead else []
    found = dict[str, str]()
    for token, text in zip(rest[::2], rest[1::2], strict=True):
        if token in marks.names:
            if found:
                raise marks.error()
            files += _named(marks.names[token], text)
        elif token in found or marks.middle in found:
            raise marks.error()
        else:
            found[token] = text
    if set(found) != set(marks.needed) or (files and not reads_files):
        raise marks.error()
    before = found[marks.prefix] + found.get(marks.middle, "")
    return Texts(before, found[marks.suffix], tuple(files))


def build(
    texts: Texts, info: ModelInfo, count: CountTokens, num_context: int, *, cuts: bool, beginning: str = ""
) -> Prompt:
    """Return the prompt for some texts.

    Args:
        texts: the client's.
        info: the model.
        count: counts its tokens.
        num_context: tokens around the cursor at most.
        cuts: whether what does not fit is left out: text far from the cursor, and files from the first on.
        beginning: what the output must begin with, where the client has said it; empty: the end of the text
            before the cursor, as in Aide.

    Raises:
        ParameterError: the model cannot read it, or it does not fit.
    """
    if texts.after and not info.reads_suffix:
        raise ParameterError("suffix", "This model only continues text: it reads nothing after the cursor.")
    head, healed = (texts.before, beginning) if beginning else split_healed(texts.before)
    if not head and texts.after is None:
        # There would be nothing left to continue.
        head, healed = texts.before, ""
    tail, after = texts.after or "", texts.after is not None and info.reads_suffix
    healed_tokens = count(healed)
    around = tokens_in(head, count) + tokens_in(tail, count) + healed_tokens
    room = info.context_length - RESERVED
    if around > (budget := min(num_context, room)):
        if not cuts and around > room:
            raise _too_long(around, room)
        window = cut_window(head, tail, budget, count, healed_tokens)
        head, tail, around = window.prefix, window.suffix, budget
    # Counted once, however many are left out.
    files = [(one, tokens_in(one.text, count) + 1) for one in texts.files]
    while files and (read := around + sum(tokens for _, tokens in files)) > room:
        if not cuts:
            raise _too_long(read, room)
        files = _without_first(files)
    parts = [*(one for one, _ in files), PromptPart(PartKind.PREFIX, head)]
    if after:
        parts.append(PromptPart(PartKind.SUFFIX, tail))
    return Prompt(tuple(parts), healed)


class TooLongError(ParameterError):
    """The model's context cannot hold a prompt."""


def _too_long(tokens: int, room: int) -> TooLongError:
    return TooLongError("prompt", f"It has {tokens:,} tokens; this model reads up to {room:,}. Send less.")


def tokens_in(text: str, count: CountTokens) -> int:
    """Count the tokens of a text of any length, at least approximately."""
    return sum(
        count(line[at : at + COUNTED_CHARACTERS])
        for line in text.splitlines(keepends=True)
        for at in range(0, len(line), COUNTED_CHARACTERS)
    )


def _named(kind: PartKind, text: str) -> list[PromptPart]:
    """Return the parts for what follows a control token that names something."""
    if kind is not PartKind.PATH:
        return [PromptPart(kind, text)]
    name, line_end, rest = text.partition("\n")
    parts = [PromptPart(PartKind.PATH, name + line_end)]
    return [*parts, PromptPart(PartKind.EXCERPT, rest)] if rest else parts


def _without_first(files: Sequence[tuple[PromptPart, int]]) -> list[tuple[PromptPart, int]]:
    """Return the files without the first one; the name of the project stays while there are others."""
    at = next((at for at, (one, _) in enumerate(files) if one.kind is PartKind.EXCERPT), len(files) - 1)
    first = [(one, tokens) for one, tokens in files[: at + 1] if one.kind is PartKind.PROJECT]
    rest = list(files[at + 1 :])
    return [*first, *rest] if any(one.kind is PartKind.EXCERPT for one, _ in rest) else []


@frozen
class _Marks:
    """The control tokens of a format."""

    record: FimFormat
    prefix: str
    suffix: str
    middle: str
    names: dict[str, PartKind]

    @classmethod
    def of(cls, record: FimFormat) -> "_Marks | None":
        if not record.reads_suffix:
            return None
        tokens = record.control_tokens
        suffix = record.parts[record.parts.index(PartKind.SUFFIX) - 1]
        prefix = next(token for token in tokens if token != suffix)
        middle = next((token for token in tokens if token not in (prefix, suffix)), "")
        return cls(record, prefix, str(suffix), middle, {one: kind for kind, one in record.names.items()})

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(one for one in (self.prefix, self.suffix, self.middle) if one)

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.needed, *self.names)

    def begin(self, prompt: str) -> bool:
        """Whether a prompt is written in a FIM format, though perhaps not in this one."""
        ends = bool(self.middle) and prompt.endswith(self.middle)
        return ends or prompt.startswith((self.prefix, self.suffix, *self.names))

    def error(self) -> ParameterError:
        written = "...".join((*self.needed, ""))
        return ParameterError(
            "prompt",
            f"It has control tokens of the model, but is not written as {written} with each of them once. "
            "Send the text before the cursor as prompt and the text after it as suffix: nothing in them acts "
            "as a control token.",
        )
