"""What the command line prints: text of any origin, and what it shows of a completion.

In: text; source text, an offset, a `Completion`. Out: lines for a terminal, in which nothing but Aide's own
colors is an escape sequence. It does not know how completions are made.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

from aide_lsp.invisible import escaped

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completion

GREEN, RESET = "\x1b[1;32m", "\x1b[0m"


def takes_color(stream: TextIO) -> bool:
    """Whether a stream shows colors: a terminal does, and the user has the last word (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0" or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb" and os.environ.get("CLICOLOR") != "0"


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print text with names, paths and words of anybody in it: what does not show is escaped, as in JSON."""
    click.echo(escaped(text), err=err, nl=nl)


def show_completion(text: str) -> None:
    """Print what would be inserted: to a program as it is, to a terminal with what does not show escaped."""
    click.echo(escaped(text) if sys.stdout.isatty() else text, nl=not text.endswith("\n"), color=True)


def show_source(text: str, offset: int, completion: str, colour: bool) -> None:
    """Print the lines around the cursor with the completion marked."""
    click.echo(marked_source(text, offset, completion, colour), color=True)


def marked_source(text: str, offset: int, completion: str, colour: bool) -> str:
    """Render the lines around the cursor with the completion marked: green, or between `«` and `»`."""
    first = _line_start(text, offset, lines=6)
    last = _line_end(text, offset, lines=5)
    inserted = _coloured(escaped(completion)) if colour else f"«{escaped(completion)}»"
    shown = escaped(text[first:offset]), inserted, escaped(text[offset:last])
    return "\n".join(f"  │ {line}" for line in "".join(shown).split("\n"))


def _coloured(text: str) -> str:
    """Colour line by line, so that what is drawn left of the lines stays as it is."""
    return "\n".join(f"{GREEN}{line}{RESET}" if line else "" for line in text.split("\n"))


def figures_line(completion: "Completion", device: str) -> str:
    """Render tokens, times and device."""
    return (
        f"{completion.prompt_tokens} tokens read ({completion.cached_tokens} from the cache), "
        f"{completion.generated_tokens} written · first token after {completion.first_token_ms:.0f} ms · "
        f"{completion.tokens_per_second:.0f} tokens/s · {device}"
    )


def completions_json(completions: "Sequence[Completion]", device: str, wanted: int = 1) -> Mapping[str, Any]:
    """Return all that is known of the first completion, for programs, and of all where several are wanted."""
    import attrs

    first, *_ = facts = [{**attrs.asdict(completion), "device": device} for completion in completions]
    return {**first, "candidates": facts} if wanted > 1 else first


def _line_start(text: str, offset: int, lines: int) -> int:
    start = offset
    for _ in range(lines + 1):
        start = text.rfind("\n", 0, start)
        if start < 0:
            return 0
    return start + 1


def _line_end(text: str, offset: int, lines: int) -> int:
    end = offset - 1
    for _ in range(lines + 1):
        end = text.find("\n", end + 1)
        if end < 0:
            return len(text)
    return end
