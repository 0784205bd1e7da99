"""What one setting accepts, and how that is said.

In: a setting's `SettingField`, a value. Out: what is wrong with the value, in words.
It does not know which settings there are (`settings.py` does), nor where a value was read.
"""

import math
from typing import Any

from attrs import Factory, field, frozen

from aide_lsp.settings.globs import glob_fault
from aide_lsp.settings.problems import shown


@frozen
class SettingField:
    """What a setting accepts, and what it is for."""

    type: type
    """`bool`, `int`, `float`, `str`, or `list`: a list of globs."""
    doc: str
    """One or two sentences for the settings reference and the editors."""
    minimum: float | None = None
    """Least value; None: no limit."""
    maximum: float | None = None
    """Greatest value; None: no limit, or a limit that the model gives (see `model_maximum`)."""
    model_maximum: str | None = None
    """Name of the `ModelLimits` attribute that gives the greatest value."""
    choices: tuple[str, ...] = ()
    """The only values, for texts that are a choice."""
    unit: str = ""
    """What the number counts."""
    none: str = ""
    """What it means when nothing is set; empty: it always has a value."""
    word: str = ""
    """A text that means the same as nothing, so that it can override an earlier place; empty: none."""
    project: bool = False
    """A project file may set it. Only what cannot hurt: never a model, a path or a device."""
    whole: bool = False
    """It holds for all files alike: it cannot be set for a language or a glob."""


RESERVED_TOKENS = 256
"""Positions of the model's context kept free of text, for the completion and the prompt's control tokens."""


def most_context(context_length: int) -> int:
    """The greatest Num Context of a model; one with a tiny context keeps half of it free."""
    # Where forwards run in steps of 8 rows a session uses multiples of 8: the limit is the same everywhere.
    usable = context_length - context_length % 8
    return max(1, usable - min(RESERVED_TOKENS, usable // 2))


@frozen
class ModelLimits:
    """Upper limits that the loaded model gives."""

    vocab_size: int
    """Number of tokens in the vocabulary: the greatest Top K."""
    context_length: int
    """Tokens that the model can read at once."""
    most_context: int = field(
        default=Factory(lambda limits: most_context(limits.context_length), takes_self=True)
    )
    """The greatest Num Context: the model's, or the user's own limit where that is lower."""


MOST_GLOBS = 500
"""They are looked through for each request: a project's file must not make an editor wait."""
LARGEST_BITS = 14_280
"""Of a number with 4,299 digits: Python prints none with more than 4,300, and a seed has to be shown."""
_OF_MODEL = {
    "vocab_size": "the model's vocabulary size",
    "most_context": f"the model's context length less {RESERVED_TOKENS}",
}
_NOUNS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: 'a list of globs, such as ["secrets/**"]',
}


def fault_of(field: SettingField, value: Any, limits: ModelLimits | None = None) -> str | None:
    """Say what is wrong with a value; None: it can be used."""
    if value is None:
        return None if field.none else f"expected {allowed_by(field, limits)}, found nothing"
    if field.word and value == field.word:
        return None
    value = normalized(field, value)
    if not _has_type(value, field.type) or (field.choices and value not in field.choices):
        return f"expected {allowed_by(field, limits)}, found {_typed(value)}"
    if field.type is list and len(value) > MOST_GLOBS:
        return f"expected at most {MOST_GLOBS} globs, found {len(value)}"
    if field.type is list:
        return next((fault for glob in value if (fault := entry_fault(glob))), None)
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        return f"expected a whole number of fewer than 4,300 digits, found {shown(value)}"
    top = greatest(field, limits)
    if (field.minimum is not None and value < field.minimum) or (top is not None and value > top):
        return f"expected {allowed_by(field, limits)}, found {shown(value)}"
    return None


def normalized(field: SettingField, value: Any) -> Any:
    """Return a value as it is used: where a whole number is expected, 40.0 is 40; -0.0 is 0.0."""
    if not isinstance(value, float):
        return value
    return int(value) if field.type is int and value.is_integer() else value + 0.0


def entry_fault(entry: Any) -> str | None:
    """Say what is wrong with one entry of a list of globs."""
    if not isinstance(entry, str):
        return f"expected a glob, found {_typed(entry)}"
    fault = glob_fault(entry)
    return f"{shown(entry)}: {fault}" if fault else None


def allowed_by(field: SettingField, limits: ModelLimits | None = None) -> str:
    """Say in words what a setting accepts."""
    if field.choices:
        return "one of " + ", ".join(f'"{choice}"' for choice in field.choices)
    noun, top = _NOUNS[field.type], greatest(field, limits)
    if field.minimum is not None:
        noun += f" from {shown(field.minimum)}"
    if top is not None or field.model_maximum:
        noun += f" to {shown(top) if top is not None else _OF_MODEL[str(field.model_maximum)]}"
    if limits is not None and field.model_maximum == "most_context":
        noun += f" (the model's {limits.context_length} less room for the completion)"
    noun += f' or "{field.word}"' if field.word else ""
    return noun + (f" (or nothing: {field.none})" if field.none else "")


def greatest(field: SettingField, limits: ModelLimits | None) -> float | None:
    """The greatest value, that of the model where it is known; None: no limit is known."""
    if field.model_maximum is not None and limits is not None:
        return int(getattr(limits, field.model_maximum))
    return field.maximum


def _has_type(value: Any, kind: type) -> bool:
    """Strict: a bool is no number, a text is no number, NaN is no number; 1 is a fine float."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is float:
        return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, list | tuple if kind is list else kind)


def _typed(value: Any) -> str:
    nouns = {bool: "the boolean", str: "the text", list: "a list", dict: "a table", int: "", float: ""}
    return f"{nouns.get(type(value), type(value).__name__)} {shown(value)}".strip()
