"""What a setting accepts, and how messages describe it."""

import math
import sys
from collections.abc import Callable, Mapping
from typing import Any

from attrs import Factory, field, frozen

from aide_lsp.settings.globs import glob_error
from aide_lsp.settings.problems import shown


@frozen
class SettingField:
    """One row of the settings table: what a setting accepts, and what it is for."""

    type: type
    """`bool`, `int`, `float`, `str`, or `list` for a list of globs."""
    doc: str
    """One or two sentences for the settings reference and the editors."""
    group: str = ""
    """Title of the group that it is listed in."""
    minimum: float | None = None
    """Lowest value; None: no limit."""
    maximum: float | None = None
    """Highest value; None: no limit, or one that depends on the model (see `model_maximum`)."""
    model_maximum: str | None = None
    """Name of the `ModelLimits` attribute that holds the highest value."""
    choices: Mapping[str, str] = field(factory=dict)
    """The only allowed values of a string, each with what it means."""
    unit: str = ""
    """What the number counts."""
    none: str = ""
    """What happens if it is unset; empty: it always has a value."""
    word: str = ""
    """A string that means unset, so that a later place can override an earlier one; empty: none."""
    project: bool = False
    """A project file may set it. Only for settings that can do no harm: never a model, a path or a device."""
    all_files: bool = False
    """It applies to all files: it cannot be set for a language or a glob."""
    noun: str = ""
    """What it accepts, for people; empty: what its type and its limits say."""
    error: Callable[[str], str | None] | None = None
    """Describes what makes a string invalid; returns None for a valid one. None: all strings are valid."""

    @property
    def text(self) -> str:
        """What it is for, with the meaning of each choice."""
        meanings = "; ".join(f"`{choice}`: {meaning}" for choice, meaning in self.choices.items())
        return f"{self.doc} {meanings}." if meanings else self.doc


RESERVED_TOKENS = 256
"""Tokens of the model's context kept free for the completion and the prompt's control tokens."""


def most_context(context_length: int) -> int:
    """Return the highest Num Context of a model. A model with a tiny context keeps half of it free."""
    # Sessions that run forwards in steps of 8 rows use multiples of 8; the limit is the same for all.
    usable = context_length - context_length % 8
    return max(1, usable - min(RESERVED_TOKENS, usable // 2))


UNKNOWN_SIZE = sys.maxsize
"""A vocabulary's size before its model is converted: it limits nothing."""


@frozen
class ModelLimits:
    """Upper limits that depend on the loaded model."""

    vocab_size: int
    """Number of tokens in the vocabulary, which is the highest Top K; `UNKNOWN_SIZE`: not known."""
    context_length: int
    """Number of tokens in the model's context."""
    most_context: int = field(
        default=Factory(lambda limits: most_context(limits.context_length), takes_self=True)
    )
    """The highest Num Context: the model's, or the user's own limit if that is lower."""


MOST_GLOBS = 500
"""All of them are checked for each request, and a project file must not slow the editor down."""
LONGEST_NAME = 200
"""Characters of the name of a model on a server; those of files and repositories are shorter."""
LARGEST_BITS = (10**4_299 - 1).bit_length()
"""Of the greatest number with 4,299 digits. Seeds are printed, and Python prints at most 4,300."""
_OF_MODEL = {
    "vocab_size": "the model's vocabulary size",
    "most_context": f"the model's context length minus {RESERVED_TOKENS}",
}
_NOUNS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    list: 'a list of globs, such as ["secrets/**"]',
}


def error_in(field: SettingField, value: Any, limits: ModelLimits | None = None) -> str | None:
    """Describe what makes a value invalid; None if it is valid."""
    if value is None:
        return None if field.none else f"expected {allowed_by(field, limits)}, found nothing"
    if field.word and value == field.word:
        return None
    # Before the type is checked: 40.0 is a valid whole number.
    value = normalized(field, value)
    if not _has_type(value, field.type) or (field.choices and value not in field.choices):
        return f"expected {allowed_by(field, limits)}, found {_typed(value)}"
    if field.type is list and len(value) > MOST_GLOBS:
        return f"expected at most {MOST_GLOBS} globs, found {len(value)}"
    if field.type is list:
        return next((error for glob in value if (error := entry_error(glob))), None)
    if field.error is not None:
        return field.error(value)
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        return f"expected a whole number with fewer than 4,300 digits, found {shown(value)}"
    top = greatest(field, limits)
    if (field.minimum is not None and value < field.minimum) or (top is not None and value > top):
        return f"expected {allowed_by(field, limits)}, found {shown(value)}"
    return None


def name_error(name: str) -> str | None:
    """Describe what makes a name invalid that is sent to a server; None if it is valid."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable() or name != name.strip():
        return f"expected a name of 1 to {LONGEST_NAME} printable characters, found {shown(name)}"
    return None


def normalized(field: SettingField, value: Any) -> Any:
    """Return a value as it is used: 40.0 becomes 40 if a whole number is expected; -0.0 becomes 0.0."""
    if not isinstance(value, float):
        return value
    return int(value) if field.type is int and value.is_integer() else value + 0.0


def entry_error(entry: Any) -> str | None:
    """Describe what makes one entry of a list of globs invalid; None if it is valid."""
    if not isinstance(entry, str):
        return f"expected a glob, found {_typed(entry)}"
    error = glob_error(entry)
    return f"{shown(entry)}: {error}" if error else None


def allowed_by(field: SettingField, limits: ModelLimits | None = None) -> str:
    """Describe what a setting accepts, and what happens if it is unset."""
    return range_of(field, limits) + (f" (unset: {field.none})" if field.none else "")


def range_of(field: SettingField, limits: ModelLimits | None = None) -> str:
    """Describe the values that a setting accepts."""
    if field.choices:
        return "one of " + ", ".join(f'"{choice}"' for choice in field.choices)
    noun, top = field.noun or _NOUNS[field.type], greatest(field, limits)
    if field.minimum is not None:
        noun += f" from {shown(field.minimum)}"
    if top is not None or field.model_maximum:
        noun += f" to {shown(top) if top is not None else _OF_MODEL[str(field.model_maximum)]}"
    if limits is not None and field.model_maximum == "most_context":
        noun += f" (the model's {limits.context_length} minus space for the completion)"
    return noun + (f' or "{field.word}"' if field.word else "")


def greatest(field: SettingField, limits: ModelLimits | None) -> float | None:
    """Return the highest value, the model's if it is known; None if no limit is known."""
    if field.model_maximum is not None and limits is not None:
        most = int(getattr(limits, field.model_maximum))
        return None if most == UNKNOWN_SIZE else most
    return field.maximum


def _has_type(value: Any, kind: type) -> bool:
    """Check strictly: neither a boolean, a string nor NaN is a number; 1 is a valid float."""
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is float:
        return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, list | tuple if kind is list else kind)


def _typed(value: Any) -> str:
    nouns = {bool: "the boolean", str: "the string", list: "a list", dict: "a table", int: "", float: ""}
    return f"{nouns.get(type(value), type(value).__name__)} {shown(value)}".strip()
