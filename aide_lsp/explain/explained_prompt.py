"""The prompt of an explained completion: its parts, what was cut off, and what was read of other files."""

from attrs import evolve, frozen

from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.observer import RenderedPiece, RenderedPrompt
from aide_lsp.completion.prompt import PartKind, Prompt
from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.context.excerpt import Excerpt, LeftOut, Selection
from aide_lsp.explain.trace import CompletionTrace

MOST_UNREAD = 5
"""Excerpts that are listed as not read."""
_NAMES = ("project", "path")


@frozen
class Cut:
    """Text on one side of the cursor that is not in the prompt."""

    characters: int
    "Its length in code points."
    lines: int
    "Its number of line ends."


@frozen
class ExplainedPart:
    """A part of the prompt."""

    kind: str
    (
        "`control` (a control token), `project` (names the project), `path` (names a file), `excerpt` (lines "
        "of another file), `header` (a comment with the file's name), `suffix` (text after the cursor), "
        "`prefix` (text before it)."
    )
    text: str
    "The text, or the control token's name."
    tokens: int
    "Its number of tokens."
    path: str | None
    "Of an excerpt: its file, relative to the project; null for other parts."
    first_line: int | None
    "Of an excerpt: the number of its first line, from 1."
    last_line: int | None
    "Of an excerpt: the number of its last line."
    score: float | None
    "Of an excerpt: how well it matches the lines around the cursor."


@frozen
class UnreadExcerpt:
    """Lines of another file that match, but are not in the prompt."""

    path: str
    "Its file, relative to the project."
    first_line: int
    "The number of its first line, from 1."
    last_line: int
    "The number of its last line."
    score: float
    "How well it matches the lines around the cursor."


@frozen
class ExplainedFiles:
    """What the model read of other files, and what it did not read."""

    says: str
    "What it read, or why nothing, as a sentence."
    context_share: float
    "How much of Num Context it may take."
    tokens: int
    "How many tokens it takes, names and their control tokens included."
    searched: tuple[str, ...]
    "The files that were searched for lines that match, nearest first."
    unread: tuple[UnreadExcerpt, ...]
    "The next best excerpts, which did not fit."
    left_out: tuple[LeftOut, ...]
    "The files that were found but not searched."
    names: tuple[str, ...] = ()
    "The names of a module or type, of which one had to come at the cursor; none: anything could."
    names_from: tuple[str, ...] = ()
    "The files that define them."


@frozen
class ExplainedPrompt:
    """The prompt, and what did not fit in it."""

    format: str
    "Name of the fill-in-the-middle format."
    tokens: int
    "Tokens of the whole prompt."
    cached_tokens: int
    "Tokens of the prompt that were already in the KV cache."
    num_context: int
    "The maximum number of text tokens."
    parts: tuple[ExplainedPart, ...]
    "Its parts, in the order the model reads them."
    other_files: ExplainedFiles
    "What was read of other files."
    cut_above: Cut
    "What was cut off at the beginning of the document."
    cut_below: Cut
    "What was cut off at the end of the document."
    # The JSON keys and kinds keep these names: another one would need a new `FORMAT`.
    given_back: str
    "Healed text: the end of the text before the cursor, left out of the prompt and generated again."
    given_back_tokens: int
    "Tokens of the healed text."
    closers: str
    "What closes brackets, quotes, and tags right of the cursor, left out: the model closes them itself."


def explained_prompt(
    trace: CompletionTrace, selection: Selection, completion: Completion, model: ModelInfo
) -> ExplainedPrompt:
    """Return the prompt of a trace.

    Args:
        trace: of the completion.
        selection: how its excerpts of other files were chosen.
        completion: what became of it.
        model: that read it.
    """
    request, prompt = trace.request, trace.prompt
    assert request is not None
    assert prompt is not None
    rendered = trace.rendered_prompt or _unrendered(prompt)
    names = completion.names
    head = request.before.removesuffix(prompt.healed)
    tail = request.after.removeprefix(prompt.closers)
    prefix, suffix = prompt.text(PartKind.PREFIX), prompt.text(PartKind.SUFFIX)
    return ExplainedPrompt(
        format=rendered.format,
        tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        num_context=completion.parameters.num_context,
        parts=tuple(map(_part, rendered.pieces)),
        other_files=evolve(
            _other_files(request, rendered.pieces, selection, model),
            names=names.names if names else (),
            names_from=tuple(file.path or request.path for file in names.files) if names else (),
        ),
        cut_above=_cut(head[: len(head) - len(prefix)]),
        cut_below=_cut(tail[len(suffix) :]),
        given_back=prompt.healed,
        given_back_tokens=rendered.healed_tokens,
        closers=prompt.closers,
    )


def _unrendered(prompt: Prompt) -> RenderedPrompt:
    """Return a prompt as text: an engine that cannot explain need not say how its model reads it."""
    parts = (RenderedPiece(part.kind.value, part.text, 0, part.excerpt) for part in prompt.parts)
    return RenderedPrompt("not known", tuple(parts), 0, None, {}, frozenset())


def _cut(text: str) -> Cut:
    return Cut(len(text), text.count("\n"))


def _part(piece: RenderedPiece) -> ExplainedPart:
    excerpt = piece.excerpt
    return ExplainedPart(
        kind=piece.kind,
        text=piece.text,
        tokens=piece.tokens,
        path=excerpt.path if excerpt else None,
        first_line=excerpt.first_line if excerpt else None,
        last_line=excerpt.last_line if excerpt else None,
        score=excerpt.score if excerpt else None,
    )


def _other_files(
    request: CompletionRequest, pieces: tuple[RenderedPiece, ...], selection: Selection, model: ModelInfo
) -> ExplainedFiles:
    read = [piece.excerpt for piece in pieces if piece.excerpt is not None]
    # Each name has a control token before it.
    tokens = sum(piece.tokens + 1 for piece in pieces if piece.kind in _NAMES)
    tokens += sum(piece.tokens for piece in pieces if piece.excerpt is not None)
    return ExplainedFiles(
        says=_what_was_read(request, read, selection, model),
        context_share=request.options.context_share,
        tokens=tokens,
        searched=selection.files,
        unread=tuple(
            UnreadExcerpt(one.path, one.first_line, one.last_line, one.score)
            for one in [one for one in request.excerpts if one not in read][:MOST_UNREAD]
        ),
        left_out=selection.left_out,
    )


def _what_was_read(
    request: CompletionRequest, read: list[Excerpt], selection: Selection, model: ModelInfo
) -> str:
    if not model.reads_files:
        return "This model cannot read other files."
    if not request.options.context_share:
        return "No lines of other files are read: context_share is 0."
    if not selection.files:
        return "No other file could be read for this place."
    searched = _count(len(selection.files), "file")
    if not request.excerpts:
        return f"{searched} searched: no line matches those around the cursor."
    if not read:
        return f"{searched} searched: lines match, but none fit."
    files = _count(len({one.path for one in read}), "file")
    return f"{_count(len(read), 'excerpt')} of {files}, the best of {searched} searched."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
