"""FIM formats for servers: which one a model speaks, and prompts as text with control tokens in it."""

from collections.abc import Mapping

from attrs import evolve

from aide_lsp.completion.fim import FORMATS, FimFormat
from aide_lsp.completion.fim_template import FimTemplate
from aide_lsp.completion.prompt import PartKind, Prompt
from aide_lsp.errors import SettingsError
from aide_lsp.inference.tokenizer import replace_surrogates

OWN = "own"
"""The value of `engine_format` for servers that get prefix and suffix, and write the prompt themselves."""
PREFIX = "prefix"
"""The format of models that only continue a text."""
UNKNOWN_ID = -1


def control_tokens() -> tuple[str, ...]:
    """Return the names of all control tokens of all formats."""
    return tuple(dict.fromkeys(name for record in FORMATS.values() for name in _names(record)))


def template_of(name: str, ids: Mapping[str, int] | None = None) -> FimTemplate:
    """Return a format as a template.

    Args:
        name: the format's.
        ids: the tokens that the model has; None: unknown, so it is taken to have all of the format's.

    Raises:
        SettingsError: there is no such format, or the model lacks one of its tokens.
    """
    record = FORMATS.get(name)
    if record is None:
        known = ", ".join((*sorted(FORMATS), OWN))
        raise SettingsError(f'Unknown format "{name}" in the setting engine_format; known are {known}.')
    found = dict.fromkeys(_names(record), UNKNOWN_ID) if ids is None else ids
    found = {token: found[token] for token in _names(record) if token in found}
    missing = [token for token in record.control_tokens if token not in found]
    if missing:
        raise SettingsError(
            f'The format "{name}" needs the control tokens {", ".join(missing)}, which the model on the '
            "server does not have. Set another engine_format."
        )
    stops = frozenset(found[token] for token in record.stops if token in found) - {UNKNOWN_ID}
    return FimTemplate(record, found, stops)


def as_text(template: FimTemplate, prompt: Prompt) -> str:
    """Return a prompt as text, in which only the format's control tokens act as such.

    A server reads any control token in a text as one. Those of the format that the user's text has are broken
    up, by a blank after their first character.
    """
    names = sorted(template.ids, key=len, reverse=True)
    pieces = (
        piece if isinstance(piece, str) else plain(piece.text, names) for piece in template.pieces(prompt)
    )
    # A model needs something to continue.
    return "".join(pieces) or "\n"


def unhealed(prompt: Prompt) -> Prompt:
    """Return a prompt in which the prefix ends at the cursor."""
    parts = (
        evolve(part, text=part.text + prompt.healed) if part.kind is PartKind.PREFIX else part
        for part in prompt.parts
    )
    return evolve(prompt, parts=tuple(parts), healed="")


def healed_tokens(prompt: Prompt) -> int:
    """Return how many tokens the healed text has at most; they do not count toward the limit."""
    return len(prompt.healed.encode("utf-8", "replace"))


def own_prompt(prompt: Prompt) -> tuple[str, str]:
    """Return prefix and suffix for a server that writes the prompt itself: all that is before the cursor."""
    prefix = prompt.text(PartKind.HEADER) + prompt.text(PartKind.PREFIX) + prompt.healed
    return replace_surrogates(prefix), replace_surrogates(prompt.text(PartKind.SUFFIX))


def plain(text: str, names: list[str]) -> str:
    """Return a text in which none of the names is written."""
    text = replace_surrogates(text)
    for name in names:
        if name in text:
            text = text.replace(name, f"{name[:1]} {name[1:]}")
    return text


def written_stops(template: FimTemplate | None) -> list[str]:
    """Return the control tokens that end a completion, as a server may write them.

    Those that look like text (`<filename>`) are left out: where they are text, they end nothing.
    """
    if template is None:
        return []
    return [name for name in template.format.stops if any(mark in name for mark in ("|", "｜", "▁", "fim"))]


def _names(record: FimFormat) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*record.control_tokens, *record.stops, *record.marks)))
