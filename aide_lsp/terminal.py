"""What the command line shows of a completion, as text.

In: source text, an offset, a `Completion`. Out: lines for a terminal. It does not know how
completions are made.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completion
    from aide_lsp.settings import Parameters

GREEN, RESET = "\x1b[1;32m", "\x1b[0m"
# Control characters but tab and newline: a completion must not move the cursor or colour the terminal.
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def marked_source(text: str, offset: int, completion: str, colour: bool) -> str:
    """Render the lines around the cursor with the completion marked: green, or between `«` and `»`."""
    first = _line_start(text, offset, lines=6)
    last = _line_end(text, offset, lines=5)
    inserted = _coloured(CONTROL.sub("", completion)) if colour else f"«{CONTROL.sub('', completion)}»"
    shown = CONTROL.sub("", text[first:offset]), inserted, CONTROL.sub("", text[offset:last])
    return "\n".join(f"  │ {line}" for line in "".join(shown).split("\n"))


def _coloured(text: str) -> str:
    """Colour line by line, so that what is drawn left of the lines stays as it is."""
    return "\n".join(f"{GREEN}{line}{RESET}" if line else "" for line in text.split("\n"))


def parameter_line(parameters: "Parameters") -> str:
    """Render the five parameters in effect."""
    return (
        f"Temperature {parameters.temperature:g} · Top K {parameters.top_k} · Top P {parameters.top_p:g} · "
        f"Num Context {parameters.num_context} · Seed {parameters.seed}"
    )


def figures_line(completion: "Completion", device: str) -> str:
    """Render tokens, times and device."""
    return (
        f"{completion.prompt_tokens} tokens read ({completion.cached_tokens} from the cache), "
        f"{completion.generated_tokens} written · first token after {completion.first_token_ms:.0f} ms · "
        f"{completion.tokens_per_second:.0f} tokens/s · {device}"
    )


def completion_json(completion: "Completion", device: str) -> Mapping[str, Any]:
    """Return all that is known of a completion, for programs."""
    import attrs

    return {**attrs.asdict(completion), "device": device}


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
