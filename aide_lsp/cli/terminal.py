"""What the command line prints. No text from elsewhere can put escape sequences on the terminal."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

from aide_lsp.invisible import escaped

if TYPE_CHECKING:
    from aide_lsp.completion.model import ModelInfo
    from aide_lsp.completion.request import Completion

GREEN, RESET = "\x1b[1;32m", "\x1b[0m"


def takes_color(stream: TextIO) -> bool:
    """Return whether to color a stream: a terminal is colored, and the user decides (no-color.org)."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0" or os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb" and os.environ.get("CLICOLOR") != "0"


def colored() -> bool:
    """Return whether to color stdout."""
    return takes_color(sys.stdout)


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print text that can contain names and paths; invisible characters are escaped, as in JSON."""
    click.echo(escaped(text), err=err, nl=nl)


def show_completion(text: str) -> None:
    """Print the text to insert: unchanged to a program, with invisible characters escaped to a terminal."""
    click.echo(escaped(text) if sys.stdout.isatty() else text, nl=not text.endswith("\n"), color=True)


def show_source(text: str, offset: int, completion: "Completion", color: bool) -> None:
    """Print the lines around the cursor with the completion marked."""
    # color=True: otherwise click removes colors if stdout is not a terminal, even those the user asked for.
    shown = marked_source(text, offset, completion.text, color, replaces=completion.replaces)
    click.echo(shown, color=True)


def marked_source(text: str, offset: int, completion: str, color: bool, *, replaces: int = 0) -> str:
    """Render the lines around the cursor with the completion marked: green, or between `«` and `»`.

    It is shown in place of the characters after the cursor that it replaces.
    """
    from aide_lsp.line_ends import with_line_feeds

    before, inserted, after = map(with_line_feeds, (text[:offset], completion, text[offset + replaces :]))
    inserted = _colored(escaped(inserted)) if color else f"«{escaped(inserted)}»"
    above, below = before.rsplit("\n", 7)[-7:], after.split("\n", 6)[:6]
    shown = escaped("\n".join(above)), inserted, escaped("\n".join(below))
    return "\n".join(f"  │ {line}" for line in "".join(shown).split("\n"))


def _colored(text: str) -> str:
    """Color line by line, so that the margin is not colored."""
    return "\n".join(f"{GREEN}{line}{RESET}" if line else "" for line in text.split("\n"))


def figures_line(completion: "Completion", device: str) -> str:
    """Render the tokens, times and device of a completion."""
    read, generated = completion.prompt_tokens, completion.generated_tokens
    tokens = f"{read} tokens prefilled ({completion.cached_tokens} from the cache), {generated} generated"
    if not read:  # some servers do not say it
        tokens = f"{generated} tokens generated"
    if not generated:
        return f"{tokens} · {device}"
    return (
        f"{tokens} · first token after {completion.first_token_ms:.0f} ms · "
        f"{completion.tokens_per_second:.0f} tokens/s · {device}"
    )


def completions_json(
    completions: "Sequence[Completion]", info: "ModelInfo", wanted: int = 1
) -> Mapping[str, Any]:
    """Return everything about the first completion, and about all of them if several are wanted."""
    first, *_ = facts = [_completion_json(completion, info) for completion in completions]
    return {**first, "candidates": facts} if wanted > 1 else first


def _completion_json(completion: "Completion", info: "ModelInfo") -> dict[str, Any]:
    import attrs

    from aide_lsp.application.server_facts import server_json

    # Which lines were read, but not what is in them: that is in the files.
    excerpts = [
        {"path": one.path, "first_line": one.first_line, "last_line": one.last_line}
        for one in completion.excerpts
    ]
    facts = attrs.asdict(completion, filter=lambda field, _: field.name != "excerpts")
    server = server_json(info)
    return {**facts, "excerpts": excerpts, "device": info.runs_on} | ({"server": server} if server else {})


def also_read(completion: "Completion") -> str:
    """Name the other files that the model read; empty: none."""
    from aide_lsp.application.excerpts import read_lines

    files = read_lines(completion.excerpts)
    return f"Also read: {'; '.join(f'{path} {lines}' for path, lines in files.items())}" if files else ""
