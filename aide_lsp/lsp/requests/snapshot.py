"""One request about a place: the snapshot of all that its answer depends on.

In: what was taken when it came. Out: the same for the completer. It does not know who asked, or why.
"""

from typing import TYPE_CHECKING

from attrs import field, frozen

from aide_lsp.lsp.documents import Document, Place
from aide_lsp.lsp.uris import location_of
from aide_lsp.settings.fields import Settings, new_seed

if TYPE_CHECKING:
    from aide_lsp.completion.completer import CompletionRequest


@frozen
class Asked:
    """One request, with all that its answer depends on."""

    request_id: int | str | None
    "The client's id, for the log."
    document: Document
    "Whose text was taken. Only its URI and revision are looked at afterwards."
    revision: int
    "Of the document when the text was taken."
    version: int
    "The client's number for that text."
    place: Place
    "The cursor, as the client counts."
    text: str
    "The whole text."
    offset: int
    "Code points before the cursor."
    settings: Settings
    "In effect for this request."
    fresh: bool = False
    "Forget earlier answers first: the user wants another one."
    count: int = 1
    "Candidates to make."
    drawn_seed: int = field(factory=new_seed, eq=False)
    "Used where the parameters set no seed: the same for each try to answer."


def request_of(asked: Asked) -> "CompletionRequest":
    """Make the completer's request of it. For the worker: this imports the completer."""
    from aide_lsp.completion.completer import CompletionRequest

    path = location_of(asked.document.uri).path
    return CompletionRequest(
        text=asked.text,
        offset=asked.offset,
        language_id=asked.document.language_id,
        path=str(path).encode("utf-8", "replace").decode() if path else "",
        parameters=asked.settings.parameters,
        max_tokens=asked.settings.max_tokens,
        deadline_ms=asked.settings.deadline_ms,
        drawn_seed=asked.drawn_seed,
    )
