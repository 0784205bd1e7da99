"""A request for a completion, the attempts at it, and the answer. Imports nothing that is slow to import."""

from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from attrs import evolve, field, frozen

from aide_lsp.completion.auto_closing import rest_after
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.context.known_names import KnownNames
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.line_ends import LINE_END, with_line_feeds
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.settings.fields import Parameters
from aide_lsp.text_limits import LONGEST_LINE, LONGEST_TEXT, MOST_LINES, has_too_many_lines

MOST_TRIES = 3
"""Candidates that are generated for one answer at most: each takes as long as the first."""


@frozen
class CompletionRequest:
    """A request for a completion: all that the answer depends on, except the model."""

    text: str = field(repr=False)
    "The whole document."
    offset: int
    "The cursor, in code points."
    language_id: str
    "LSP language id; empty: judge by the path."
    path: str
    "The document's path; may be empty."
    options: GenerationOptions
    "How it is generated."
    excerpts: tuple[Excerpt, ...] = field(default=(), repr=False)
    "Of other files of the project, best first: the model reads as many of them as Num Context allows."
    names: KnownNames | None = field(default=None, repr=False)
    "Of a module of the project: one of them comes at the cursor; None: anything may."

    def with_options(self, **changes: Any) -> "CompletionRequest":
        """Return the same request with other options."""
        return evolve(self, options=evolve(self.options, **changes))

    def before_typing(self, typed: str, added: str = "") -> "CompletionRequest":
        """Return the request without a text before the cursor and one after it, both with \\n line ends."""
        start = end = self.offset
        for character in reversed(typed):
            start -= 2 if character == "\n" and self.text[start - 2 : start] == "\r\n" else 1
        for character in added:
            end += 2 if character == "\n" and self.text[end : end + 2] == "\r\n" else 1
        return evolve(self, text=self.text[:start] + self.text[end:], offset=start)

    def check_size(self) -> None:
        """Raise DeclinedError if the text is too large or its line at the cursor too long to be completed."""
        if len(self.text) > LONGEST_TEXT:
            raise NoCompletionReason.TOO_LARGE.error(
                f"The text has {len(self.text):,} characters; Aide completes texts of up to "
                f"{LONGEST_TEXT:,}.",
            )
        if has_too_many_lines(self.text):
            raise NoCompletionReason.TOO_LARGE.error(
                f"The text has more than {MOST_LINES:,} lines, which is the most that Aide completes.",
            )
        # The document's own line ends: normalizing a text that may be too large would copy it first.
        start = max(self.text.rfind("\n", 0, self.offset), self.text.rfind("\r", 0, self.offset)) + 1
        end = LINE_END.search(self.text, self.offset)
        length = (end.start() if end else len(self.text)) - start
        if length > LONGEST_LINE:
            raise NoCompletionReason.LONG_LINE.error(
                f"The line has {length:,} characters; Aide completes lines of up to {LONGEST_LINE:,}.",
            )

    @property
    def before(self) -> str:
        """The text before the cursor; all line ends are \\n, as models know them."""
        return with_line_feeds(self.text[: self.offset])

    @property
    def after(self) -> str:
        """The text after the cursor; all line ends are \\n."""
        return with_line_feeds(self.text[self.offset :])


@frozen
class Figures:
    """How a completion ended, and what it cost. The ledger records all of it."""

    finish_reason: str
    "`stop` (end token or stop rule), `length` or `timeout`."
    empty_reason: str | None
    "Reason code of an empty completion; None: it is not empty."
    prompt_tokens: int
    "Tokens of the prompt."
    cached_tokens: int
    "Those of them that did not have to be run."
    generated_tokens: int
    "Tokens the model generated, including those that were cut off again."
    first_token_ms: float
    "Milliseconds until the model's first token; 0 if there was none."
    total_ms: float
    "Milliseconds for the complete answer."
    note: str | None = None
    "Why it is shown although it does not fit; None: it does, or is empty."


@frozen(kw_only=True)
class Completion(Figures):
    """A completion, and what produced it."""

    id: str
    "Unique; the same for all uses of one answer."
    text: str = field(repr=False)
    "What to insert at the offset; empty: nothing, for `empty_reason`."
    empty_message: str | None
    "The reason why it is empty, in words."
    seed: int
    "The seed that was used, drawn if none was set."
    parameters: Parameters
    "The parameters in effect: seed resolved, Num Context up to what the model's context allows."
    from_cache: bool
    "Whether no model call was needed. Figures are those of the call that produced the answer."
    candidate: int = 0
    "Which of several completions for one seed."
    confidence: float | None = None
    "The model's own probability of the text, whatever the parameters; None: unknown, or there is no text."
    is_rejected: bool = False
    "Whether another candidate may be better: it does not fit, failed the checks, or repeats the line below."
    typed: str = field(default="", repr=False)
    "The beginning of what was generated that is before the cursor already, with \\n line ends."
    added: str = field(default="", repr=False)
    "What the editor has put after the cursor meanwhile: closing brackets, likewise."
    replaces: int = 0
    "How many closing brackets after the cursor the text replaces."
    excerpts: tuple[Excerpt, ...] = field(default=(), repr=False)
    "Of other files: those that the model read, in its order."
    names: KnownNames | None = field(default=None, repr=False)
    "Of a module or type of the project: one of them had to come at the cursor."

    @property
    def figures(self) -> Figures:
        """How it ended, and what it cost."""
        return Figures(**{one.name: getattr(self, one.name) for one in attrs.fields(Figures)})

    @property
    def files_read(self) -> tuple[Excerpt, ...]:
        """All that it depends on in other files: excerpts, and names as excerpts from line 0 on.

        What the document says of its own types has no path.
        """
        return (*self.excerpts, *(one.as_excerpt() for one in (self.names.files if self.names else ())))

    def after(self, typed: str, added: str = "") -> "Completion | None":
        """Return what is left of it after its beginning was typed; None: something else was, or all of it.

        `added`: what the editor has put after the cursor meanwhile.
        """
        if not typed and not added:
            return self if self.text else None
        rest = rest_after(self.text, typed, added)
        # What was added before, or is replaced, would be after that.
        if rest is None or (added and (self.added or self.replaces)):
            return None
        return evolve(
            self,
            text=rest.text,
            typed=self.typed + with_line_feeds(typed),
            added=added or self.added,
            replaces=rest.replaces or self.replaces,
        )

    @property
    def tokens_per_second(self) -> float:
        """Speed after the first token; 0 if nothing can be said."""
        # The first token's time is mostly the prompt's.
        seconds = (self.total_ms - self.first_token_ms) / 1000.0
        return (self.generated_tokens - 1) / seconds if seconds > 0 and self.generated_tokens > 1 else 0.0


def tries(options: GenerationOptions) -> Iterable[int]:
    """Return which candidates may be tried; where nothing is drawn all of them are equal."""
    return range(options.candidate, options.candidate + (MOST_TRIES if options.parameters.draws else 1))


def attempt_of(request: CompletionRequest, candidate: int, passed_ms: float) -> CompletionRequest:
    """Return the request for one candidate; all tries share the request's deadline."""
    if candidate == request.options.candidate:
        return request
    deadline_ms = request.options.deadline_ms
    # 0 would mean no deadline.
    left = max(1, int(deadline_ms - passed_ms)) if deadline_ms else 0
    return request.with_options(candidate=candidate, deadline_ms=left)


def last_resort(attempts: Sequence[Completion]) -> Completion | None:
    """Return the first attempt that may be shown although it does not fit, if none fits; None: there is none.

    Nor is there one after a deadline: which attempts were made by then depends on the machine's speed.
    """
    last = attempts[-1]
    if last.finish_reason == "timeout" or (last.text and not last.is_rejected):
        return None
    return next((attempt for attempt in attempts if attempt.text), None)


def together(attempts: Sequence[Completion]) -> Completion:
    """Return the last attempt, with what all of them cost."""
    return evolve(
        attempts[-1],
        generated_tokens=sum(attempt.generated_tokens for attempt in attempts),
        first_token_ms=attempts[0].first_token_ms,
        cached_tokens=attempts[0].cached_tokens,
        total_ms=sum(attempt.total_ms for attempt in attempts),
    )
