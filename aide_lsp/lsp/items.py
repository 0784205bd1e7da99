"""Builds the items a client is offered from completions.

Each item says what its completion was generated with: id, seed, parameters in effect, finish reason, model,
and, if a server runs the model, which one, the parameters that it ignores, and whether a seed is a promise.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen
from lsprotocol import types

from aide_lsp.lsp.commands.table import ACCEPTED
from aide_lsp.lsp.requests.alternatives import Paged
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.requests.status import parameters_json
from aide_lsp.lsp.workspace.documents import Document
from aide_lsp.lsp.workspace.positions import Encoding, to_column
from aide_lsp.reasons import NoCompletionReason

if TYPE_CHECKING:
    from aide_lsp.completion.request import Completion

_WORD = re.compile(r"\w*\Z")
LABEL_LENGTH = 80
Source = Mapping[str, Any]
"""What generates the completions: `model`, and `server` if it runs on one."""


@frozen
class Target:
    """Where the text is inserted."""

    range: types.Range
    "What is replaced: within one line, in the client's units."
    before: str = ""
    "What the range contains already, or will: the new text starts with it."


def at_cursor(position: types.Position) -> Target:
    """Insert at the cursor; replace nothing."""
    return Target(types.Range(start=position, end=position))


def over_word(document: Document, position: types.Position, encoding: Encoding, offset: int) -> Target:
    """Replace the word before the cursor with itself and more: clients filter by that word."""
    line = document.line(position.line)[:offset]
    word = _WORD.search(line)
    before = word.group() if word else ""
    start = to_column(line, len(line) - len(before), encoding)
    return Target(
        types.Range(start=types.Position(line=position.line, character=start), end=position), before
    )


def inline_item(completion: "Completion", target: Target, source: Source) -> types.InlineCompletionItem:
    """Build the item for `textDocument/inlineCompletion`."""
    text = target.before + completion.text
    # Clients compare the filter text with what the range contains; with this one the item always passes.
    return types.InlineCompletionItem(
        insert_text=text,
        filter_text=text,
        range=_over(target.range, completion),
        command=accepted_command(completion, source),
    )


def completion_item(
    completion: "Completion", target: Target, language_id: str, source: Source
) -> types.CompletionItem:
    """Build the item for `textDocument/completion`."""
    text = target.before + completion.text
    code = types.MarkupContent(kind=types.MarkupKind.Markdown, value=_code_block(text, language_id))
    return types.CompletionItem(
        label=_label(text),
        kind=types.CompletionItemKind.Text,
        detail=f"Aide, seed {completion.seed}",
        documentation=code,
        filter_text=text.split("\n", 1)[0].strip() or text.strip(),
        sort_text="0",  # there is only one, and for this very place
        text_edit=types.TextEdit(range=_over(target.range, completion), new_text=text),
        insert_text_mode=types.InsertTextMode.AsIs,  # it is indented already
        command=accepted_command(completion, source),
    )


def accepted_command(completion: "Completion", source: Source) -> types.Command:
    """Build the command the client runs when the user accepts the item."""
    return types.Command(
        title="Aide: completion accepted", command=ACCEPTED, arguments=[facts(completion, source)]
    )


def facts(completion: "Completion", source: Source) -> dict[str, Any]:
    """Return what the completion was generated with: enough to do so again, if a seed promises that."""
    return {
        "id": completion.id,
        "seed": completion.seed,
        "candidate": completion.candidate,
        "parameters": parameters_json(completion.parameters),
        "finishReason": completion.finish_reason,
        **source,
    }


def alternative(
    answer: "Paged | NoCompletion", position: types.Position, source: Source, *, numbered: bool = False
) -> dict[str, Any]:
    """Build the result of a command that shows another completion, as JSON.

    The text is what is visible then. `message`: why it is not another one, or why there is none. `numbered`:
    with its place among the candidates.
    """
    if isinstance(answer, NoCompletion):
        return completed(answer, position, source)
    number = {"index": answer.index, "count": answer.count} if numbered else {}
    same = {"reason": NoCompletionReason.NO_OTHER.code, "message": answer.message} if answer.message else {}
    return {**completed(answer.completion, position, source), **number, **same}


def completed(
    answer: "Completion | NoCompletion", position: types.Position, source: Source
) -> dict[str, Any]:
    """Build the result of a command that completes: the item as JSON, or why there is none."""
    place = {"line": position.line, "character": position.character}
    if isinstance(answer, NoCompletion):
        span = {"start": place, "end": place}
        return {"insertText": "", "range": span, "reason": answer.reason, "message": answer.message}
    span = {"start": place, "end": {**place, "character": position.character + answer.replaces}}
    reason = (
        {} if answer.text else {"reason": answer.empty_reason or "empty", "message": answer.empty_message}
    )
    return {"insertText": answer.text, "range": span, **facts(answer, source), **reason}


def _over(span: types.Range, completion: "Completion") -> types.Range:
    """Extend a range by what the completion replaces: closing brackets, one unit each."""
    end = types.Position(line=span.end.line, character=span.end.character + completion.replaces)
    return types.Range(start=span.start, end=end)


def _label(text: str) -> str:
    lines = text.strip().split("\n")
    label = lines[0].rstrip()
    label = label if len(label) <= LABEL_LENGTH else label[: LABEL_LENGTH - 1] + "…"
    return f"{label} …" if len(lines) > 1 else label


def _code_block(text: str, language_id: str) -> str:
    # In Markdown a fence ends at as many backticks: it must be longer than any in the text.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language_id}\n{text}\n{fence}"
