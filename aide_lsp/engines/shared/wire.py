"""What a client and `aide serve` send each other, as JSON: prompts, options, facts about the model, errors.

Both sides use this module, so that it is written down once. What arrives is checked before anything else sees
it: types, ranges and lengths. Numbers keep their bits, and texts every code point.
"""

from collections.abc import Mapping
from typing import Any

import attrs

from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.errors import (
    AideError,
    BrokenSessionError,
    BusyError,
    MemoryShortError,
    PromptLengthError,
    SessionError,
    StuckSessionError,
)
from aide_lsp.inference.cancel import Cancelled
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import FIELDS, PARAMETERS, Parameters
from aide_lsp.settings.limits import LARGEST_BITS, ModelLimits, error_in, normalized

PROTOCOL = 1
"""Version of the protocol; it changes when an older client or engine would misunderstand a message."""
MOST_PARTS = 10_000
"""Parts of a prompt. Each other file has a few."""
LONGEST_NAME = 4096
"""Characters of a name: of a document, a path, in code."""
MOST_NAMES = 10_000
"""Names of which one comes next."""
MOST_TOKENS = 100_000
LONGEST_DEADLINE_MS = 24 * 3600 * 1000

NOT_SENT = ("folder", "honored", "sharing", "sharing_note")
"""Facts that are about one process, or written in another way."""
_ERRORS: tuple[tuple[type[Exception], str], ...] = (
    (Cancelled, "cancelled"),
    (BusyError, "busy"),
    (StuckSessionError, "stuck"),
    (BrokenSessionError, "broken"),
    (MemoryShortError, "memory"),
    (PromptLengthError, "length"),
    (SessionError, "session"),
)
"""Errors that have a code of their own, special ones first."""
SUPERSEDED = "Canceled: another request came first, or nobody waits for the answer."
FAILED = "The engine failed; its log says how."


class WireError(AideError):
    """What came is not what the protocol says. The message names the part, never what it held."""


def from_prompt(prompt: Prompt) -> dict[str, Any]:
    """Return the JSON form of a prompt."""
    return {
        "parts": [_from_part(part) for part in prompt.parts],
        "healed": prompt.healed,
        "closers": prompt.closers,
        "document": prompt.document,
        "names": list(prompt.names),
        "is_next": prompt.is_next,
    }


def to_prompt(data: Any) -> Prompt:
    """Return the prompt that `from_prompt` has written.

    Raises:
        WireError: it is none.
    """
    table = _table(data, "prompt")
    parts = table.get("parts")
    if not isinstance(parts, list) or len(parts) > MOST_PARTS:
        raise WireError(f"prompt.parts: expected a list of at most {MOST_PARTS:,} parts.")
    document = _text(table, "document", "prompt")
    if len(document) > LONGEST_NAME:
        raise WireError(f"prompt.document: expected at most {LONGEST_NAME:,} characters.")
    names = table.get("names", [])
    if not isinstance(names, list) or len(names) > MOST_NAMES or not all(map(_is_name, names)):
        raise WireError(
            f"prompt.names: expected a list of at most {MOST_NAMES:,} names of {LONGEST_NAME:,} characters."
        )
    is_next = table.get("is_next", False)
    if not isinstance(is_next, bool):
        raise WireError("prompt.is_next: expected true or false.")
    return Prompt(
        tuple(_to_part(part) for part in parts),
        healed=_text(table, "healed", "prompt"),
        closers=_text(table, "closers", "prompt"),
        document=document,
        names=tuple(names),
        is_next=is_next,
    )


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.isascii() and 0 < len(name) <= LONGEST_NAME


def _from_part(part: PromptPart) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": part.kind.value, "text": part.text}
    if (excerpt := part.excerpt) is not None:
        data["excerpt"] = {"path": excerpt.path, "first_line": excerpt.first_line, "score": excerpt.score}
    return data


def _to_part(data: Any) -> PromptPart:
    table = _table(data, "prompt.parts")
    kinds = {kind.value: kind for kind in PartKind}
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in kinds:
        raise WireError("prompt.parts.kind: expected one of " + ", ".join(kinds) + ".")
    text, excerpt = _text(table, "text", "prompt.parts"), None
    if "excerpt" in table:
        found = _table(table["excerpt"], "excerpt")
        excerpt = Excerpt(
            path=_text(found, "path", "excerpt")[:LONGEST_NAME],
            first_line=_whole(found, "first_line", "excerpt", 0, 1 << 31),
            text=text,
            score=_number(found, "score", "excerpt"),
        )
    return PromptPart(kinds[kind], text, excerpt)


def from_options(options: GenerationOptions) -> dict[str, Any]:
    """Return the JSON form of options."""
    return attrs.asdict(options)


def to_options(data: Any, limits: ModelLimits) -> GenerationOptions:
    """Return the options that `from_options` has written; `limits`: those of the model.

    Raises:
        WireError: they are none, or one is out of its range.
    """
    table = _table(data, "options")
    given = _table(table.get("parameters"), "options.parameters")
    for name in PARAMETERS:
        if error := error_in(FIELDS[name], given.get(name), limits):
            raise WireError(f"options.parameters.{name}: {error}.")
    parameters: dict[str, Any] = {name: normalized(FIELDS[name], given.get(name)) for name in PARAMETERS}
    show = table.get("show", "fitting")
    if show not in ("fitting", "all"):
        raise WireError('options.show: expected "fitting" or "all".')
    return GenerationOptions(
        parameters=Parameters(**parameters),
        max_tokens=_whole(table, "max_tokens", "options", 0, MOST_TOKENS),
        candidate=_whole(table, "candidate", "options", 0, 1 << 31),
        show=show,
        min_confidence=_number(table, "min_confidence", "options", 0.0, 1.0),
        context_share=_number(table, "context_share", "options", 0.0, 1.0),
        deadline_ms=_whole(table, "deadline_ms", "options", 0, LONGEST_DEADLINE_MS),
        drawn_seed=_seed(table),
    )


def from_info(info: ModelInfo) -> dict[str, Any]:
    """Return the JSON form of what is known of a model; where its files are is nobody's business."""
    data = attrs.asdict(info, filter=lambda field, _: field.name not in NOT_SENT)
    return data | {"honored": sorted(info.honored)}


def to_info(data: Any) -> ModelInfo:
    """Return the facts that `from_info` has written; unknown ones, of a newer engine, are ignored.

    Raises:
        WireError: they are none.
    """
    table = _table(data, "model")
    values: dict[str, Any] = {}
    for field in attrs.fields(ModelInfo):
        if field.name in NOT_SENT or field.name not in table:
            continue
        value = table[field.name]
        kind: Any = field.type
        # Strictly: a boolean is no number.
        if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
            raise WireError(f"model.{field.name}: expected another type.")
        if isinstance(value, str) and len(value) > LONGEST_NAME:
            raise WireError(f"model.{field.name}: expected at most {LONGEST_NAME:,} characters.")
        if kind is int:
            _whole(table, field.name, "model", 1, 1 << 31)
        if kind is float:
            _number(table, field.name, "model", 0.0, 1.0)
        # Facts are recorded as UTF-8, which has no lone surrogates.
        values[field.name] = value.encode(errors="replace").decode() if isinstance(value, str) else value
    honored = table.get("honored")
    if not isinstance(honored, list) or not all(name in PARAMETERS for name in honored):
        raise WireError("model.honored: expected names of parameters.")
    try:
        return ModelInfo(**values, honored=frozenset(honored))
    except TypeError:
        raise WireError("model: a fact is missing.") from None


def from_timings(timings: Timings) -> dict[str, Any]:
    """Return the JSON form of what a generation cost."""
    return attrs.asdict(timings)


def to_timings(data: Any) -> Timings:
    """Return the costs that `from_timings` has written.

    Raises:
        WireError: they are none.
    """
    table = _table(data, "timings")
    names = ("prompt_tokens", "cached_tokens", "generated_tokens", "forwards")
    counts = {name: _whole(table, name, "timings", 0, 1 << 40) for name in names}
    return Timings(
        **counts,
        first_token_ms=_number(table, "first_token_ms", "timings"),
        total_ms=_number(table, "total_ms", "timings"),
    )


def from_error(error: Exception) -> dict[str, Any]:
    """Return the JSON form of an error. Only our own errors say more than that something failed."""
    code = next((code for kind, code in _ERRORS if isinstance(error, kind)), "internal")
    message = str(error) if isinstance(error, AideError) else ""
    data: dict[str, Any] = {
        "code": code,
        "message": message or (SUPERSEDED if code == "cancelled" else FAILED),
    }
    if isinstance(error, BusyError):
        data["wait"] = error.wait
    return data


def to_error(data: Any) -> Exception:
    """Return the error that `from_error` has written.

    Raises:
        WireError: it is none.
    """
    table = _table(data, "error")
    code, message = table.get("code"), _text(table, "message", "error")[:2000]
    if code == "cancelled":
        return Cancelled()
    if code == "busy":
        return BusyError(message, _number(table, "wait", "error", 0.0, 3600.0))
    kind = next((kind for kind, known in _ERRORS if known == code), SessionError)
    return kind(message or FAILED)


def _table(data: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise WireError(f"{name}: expected an object.")
    return data


def _text(table: Mapping[str, Any], key: str, name: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise WireError(f"{name}.{key}: expected a string.")
    return value


def _whole(table: Mapping[str, Any], key: str, name: str, least: int, most: int) -> int:
    value = table.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise WireError(f"{name}.{key}: expected a whole number from {least} to {most}.")
    return value


def _number(
    table: Mapping[str, Any], key: str, name: str, least: float = -1e300, most: float = 1e300
) -> float:
    value = table.get(key)
    # NaN and infinity are in no range.
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise WireError(f"{name}.{key}: expected a number.")
    return float(value)


def _seed(table: Mapping[str, Any]) -> int:
    value = table.get("drawn_seed")
    if isinstance(value, bool) or not isinstance(value, int) or value.bit_length() > LARGEST_BITS:
        raise WireError("options.drawn_seed: expected a whole number.")
    return value
