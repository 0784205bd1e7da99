"""Everything a user may set: one attribute each, with its limits, default, unit and text.

In: values by key. Out: `Settings`, and what is wrong with a value in words.
All other places (settings reference, JSON schema, README table) are generated from the attributes here.
It does not know where a value was read (`settings_layers.py` does), nor how it is used.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import attrs
from attrs import frozen


@frozen
class Limits:
    """What a setting accepts, and what it is for."""

    type: type
    """`int`, `float` or `str`."""
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
    project: bool = False
    """A project file may set it. Only what cannot hurt: never a model, a path or a device."""


def setting(default: Any, kind: type, doc: str, **limits: Any) -> Any:
    """Declare one setting: an attribute with its limits beside it."""
    return attrs.field(default=default, metadata={"limits": Limits(kind, doc, **limits)})


@frozen
class Parameters:
    """The five generation parameters."""

    temperature: float = setting(
        0.7,
        float,
        "How much chance decides. 0: always the most likely token; 1: by the model's own probabilities.",
        minimum=0.0,
        maximum=1.0,
        project=True,
    )
    top_k: int = setting(
        50,
        int,
        "Draw only from this many of the most likely tokens.",
        minimum=1,
        model_maximum="vocab_size",
        unit="tokens",
        project=True,
    )
    top_p: float = setting(
        0.95,
        float,
        "Draw only from the most likely tokens whose probabilities together reach this share.",
        minimum=0.0,
        maximum=1.0,
        project=True,
    )
    num_context: int = setting(
        1024,
        int,
        "How much text around the cursor the model reads.",
        minimum=1,
        model_maximum="context_length",
        unit="tokens",
        project=True,
    )
    seed: int | None = setting(
        None,
        int,
        "Where the random numbers start. Same text, cursor, parameters and seed: same completion.",
        none="a new random seed for each request",
        project=True,
    )


@frozen
class Settings:
    """What is in effect for one document."""

    parameters: Parameters = attrs.field(factory=Parameters)
    model: str | None = setting(
        None,
        str,
        "Id of the model; `aide models list` shows them.",
        none="the model that is marked as default",
    )
    recipe: str = setting(
        "auto",
        str,
        "How the weights are stored and multiplied. `auto`: `exact` on the CPU, `fp16` on a GPU.",
        choices=("auto", "exact", "fast", "fp16"),
    )
    provider: str = setting(
        "auto",
        str,
        "Where the model runs. `auto`: the GPU if there is a usable one, else the CPU.",
        choices=("auto", "cpu", "cuda"),
    )
    threads: int = setting(
        0, int, "CPU threads for the model; 0: one for each physical core.", minimum=0, maximum=256
    )
    max_tokens: int = setting(128, int, "Longest completion.", minimum=1, maximum=4096, unit="tokens")
    deadline_ms: int = setting(
        20_000,
        int,
        "Give up a completion that takes longer, and say so; 0: never.",
        minimum=0,
        maximum=600_000,
        unit="milliseconds",
    )


@frozen
class ModelLimits:
    """Upper limits that the loaded model gives."""

    vocab_size: int
    """Number of tokens in the vocabulary: the greatest Top K."""
    context_length: int
    """Tokens that the model can read at once: the greatest Num Context."""


def setting_fields() -> dict[str, Limits]:
    """All settings by key, the five parameters first."""
    fields = (*attrs.fields(Parameters), *attrs.fields(Settings))
    return {field.name: field.metadata["limits"] for field in fields if "limits" in field.metadata}


def defaults() -> dict[str, Any]:
    """The default of each setting by key."""
    settings = Settings()
    return {key: value_of(settings, key) for key in FIELDS}


def value_of(settings: Settings, key: str) -> Any:
    """Look up a setting by its key."""
    holder = settings.parameters if hasattr(settings.parameters, key) else settings
    return getattr(holder, key)


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return settings in which `values` (checked, by key) replace what was there."""
    names = {field.name for field in attrs.fields(Parameters)}
    parameters = attrs.evolve(settings.parameters, **{k: v for k, v in values.items() if k in names})
    return attrs.evolve(
        settings, parameters=parameters, **{k: v for k, v in values.items() if k not in names}
    )


def new_seed() -> int:
    """Draw a seed for a request that sets none: small enough to be read aloud, and exact as a double."""
    from secrets import randbits

    return randbits(31)


def camel(key: str) -> str:
    """The key as editors write it: `top_k` -> `topK`."""
    head, *rest = key.split("_")
    return head + "".join(word.capitalize() for word in rest)


def check_value(key: str, value: Any, limits: ModelLimits | None = None) -> str | None:
    """Say what is wrong with a value; None: it can be used."""
    field = FIELDS[key]
    if value is None:
        return None if field.none else f"expected {allowed(key, limits)}, found nothing"
    if not _has_type(value, field.type):
        return f"expected {allowed(key, limits)}, found {_typed(value)}"
    if field.choices and value not in field.choices:
        return f"expected {allowed(key, limits)}, found {_typed(value)}"
    top = _maximum(field, limits)
    low = field.minimum is not None and value < field.minimum
    if low or (top is not None and value > top):
        return f"expected {allowed(key, limits)}, found {shown(value)}"
    return None


def allowed(key: str, limits: ModelLimits | None = None) -> str:
    """Say in words what a setting accepts."""
    field = FIELDS[key]
    if field.choices:
        return "one of " + ", ".join(f'"{choice}"' for choice in field.choices)
    noun = {int: "a whole number", float: "a number", str: "a text"}[field.type]
    top = _maximum(field, limits)
    if field.minimum is not None and top is not None:
        noun += f" from {shown(field.minimum)} to {shown(top)}"
    elif field.minimum is not None:
        of_model = {"vocab_size": "vocabulary size", "context_length": "context length"}
        noun += f" from {shown(field.minimum)} to the model's {of_model[str(field.model_maximum)]}"
    return noun + (f" (or nothing: {field.none})" if field.none else "")


def _maximum(field: Limits, limits: ModelLimits | None) -> float | None:
    if field.model_maximum is not None and limits is not None:
        return int(getattr(limits, field.model_maximum))
    return field.maximum


def _has_type(value: Any, kind: type) -> bool:
    """Strict: a bool is no number, a text is no number, NaN is no number; 1 is a fine float."""
    if isinstance(value, bool):
        return False
    if kind is float:
        return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind)


def _typed(value: Any) -> str:
    nouns = {bool: "the boolean", str: "the text", list: "a list", dict: "a table", int: "", float: ""}
    return f"{nouns.get(type(value), type(value).__name__)} {shown(value)}".strip()


def shown(value: Any) -> str:
    """Write a value for a message: short, on one line."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:  # an integer beyond Python's limit for printing
        return "a number of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."


FIELDS: Mapping[str, Limits] = setting_fields()
