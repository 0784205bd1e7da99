"""Everything a user may set: one attribute each, with its limits, default, unit and text.

In: values by key. Out: `Settings`, and what is wrong with a value in words (`settings_limits.py` words it).
All other places (settings reference, JSON schema, README table) are generated from the attributes here.
It does not know where a value was read (`settings_layers.py` does), nor how it is used.
"""

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import frozen

from aide_lsp.settings.limits import ModelLimits, SettingField, allowed_by, fault_of, normalized

PROJECT_NUM_CONTEXT = 4096
"""A project cannot raise Num Context beyond this, where the user sets no `max_num_context`."""


def setting(default: Any, kind: type, doc: str, **limits: Any) -> Any:
    """Declare one setting: an attribute with its limits beside it."""
    return attrs.field(default=default, metadata={"limits": SettingField(kind, doc, **limits)})


@frozen
class Parameters:
    """The five generation parameters."""

    temperature: float = setting(
        0.7,
        float,
        "Randomness of sampling. 0: always the most likely token; 1: the model's own probabilities.",
        minimum=0.0,
        maximum=1.0,
        project=True,
    )
    top_k: int = setting(
        50,
        int,
        "Sample only from this many of the most likely tokens. 1: always the most likely token.",
        minimum=1,
        model_maximum="vocab_size",
        unit="tokens",
        project=True,
    )
    top_p: float = setting(
        0.95,
        float,
        "Sample only from the fewest most likely tokens whose probabilities together exceed this share. "
        "0: always the most likely token; 1: all tokens.",
        minimum=0.0,
        maximum=1.0,
        project=True,
    )
    num_context: int = setting(
        1024,
        int,
        "How many tokens of the text around the cursor the model reads.",
        minimum=1,
        model_maximum="most_context",
        unit="tokens",
        project=True,
    )
    seed: int | None = setting(
        None,
        int,
        "Seed of the random generator. The same text, cursor, parameters and seed give the same completion.",
        none="a new random seed for each request",
        word="random",
        project=True,
    )


@frozen
class Settings:
    """What is in effect for one document."""

    parameters: Parameters = attrs.field(factory=Parameters)
    preset: str | None = setting(
        None,
        str,
        "Name of a set of parameters: `code`, `factual`, `creative`, `conversational`, or one of your own.",
        none="no preset",
        project=True,
    )
    off: tuple[str, ...] = setting(
        (),
        list,
        "Globs of files that Aide offers nothing in. What one place switches off, no other switches on.",
        project=True,
        whole=True,
    )
    complete_secrets: bool = setting(
        False,
        bool,
        "Offer completions also in files that commonly hold secrets: `.env`, keys, certificates, passwords.",
        whole=True,
    )
    max_num_context: int | None = setting(
        None,
        int,
        "Num Context is never more than this, whoever asks for it. The lowest one set counts. Where you set "
        f"none, a project file can raise Num Context to {PROJECT_NUM_CONTEXT}, and you to the model's limit.",
        minimum=1,
        unit="tokens",
        none="a project's limit is 4096, yours the model's",
        whole=True,
    )
    model: str | None = setting(
        None,
        str,
        "Id of the model; `aide models list` shows them.",
        none="the model that is marked as default",
        whole=True,
    )
    recipe: str = setting(
        "auto",
        str,
        "How the weights are stored and multiplied. `auto`: `exact` on the CPU, `fp16` on a GPU.",
        choices=("auto", "exact", "fast", "fp16"),
        whole=True,
    )
    provider: str = setting(
        "auto",
        str,
        "Where the model runs. `auto`: the GPU if there is a usable one, else the CPU.",
        choices=("auto", "cpu", "cuda"),
        whole=True,
    )
    threads: int = setting(
        0,
        int,
        "CPU threads for the model; 0: one for each physical core.",
        minimum=0,
        maximum=256,
        whole=True,
    )
    cache_mb: int = setting(
        80,
        int,
        "Memory for text that the model has read, so that it need not read a file again when you return to "
        "it. 1,024 tokens take 25 MB with the default model; the latest text is always kept.",
        minimum=1,
        maximum=65_536,
        unit="MB",
        whole=True,
    )
    max_tokens: int = setting(
        128,
        int,
        "Longest completion. It ends sooner where the model's context is full.",
        minimum=1,
        maximum=4096,
        unit="tokens",
    )
    candidates: int = setting(
        3,
        int,
        "How many completions to choose from when you ask for one. Automatic suggestions are always one.",
        minimum=1,
        maximum=5,
    )
    work_ahead: bool = setting(
        True,
        bool,
        "Use idle time to read the text at a new cursor and to generate what follows the completion shown. "
        "`false` saves power: completions are the same, but come later.",
    )
    deadline_ms: int = setting(
        20_000,
        int,
        "Give up a completion that takes longer, and report it; 0: never.",
        minimum=0,
        maximum=600_000,
        unit="milliseconds",
    )
    ledger: str = setting(
        "hashes",
        str,
        "What Aide keeps on this machine about the latest completions, for `aide log` and `aide replay`. "
        "`hashes`: parameters, figures and hashes, but no source text and no paths; `text`: those as well; "
        "`off`: nothing.",
        choices=("off", "hashes", "text"),
    )


def setting_fields() -> dict[str, SettingField]:
    """All settings by key, the five parameters first."""
    fields = (*attrs.fields(Parameters), *attrs.fields(Settings))
    return {field.name: field.metadata["limits"] for field in fields if "limits" in field.metadata}


def defaults() -> dict[str, Any]:
    """The default of each setting by key."""
    settings = Settings()
    return {key: value_of(settings, key) for key in FIELDS}


def value_of(settings: Settings, key: str) -> Any:
    """Look up a setting by its key."""
    return getattr(settings.parameters if key in PARAMETERS else settings, key)


def normal(key: str, value: Any) -> Any:
    """Return a value (checked) as it is kept: 40 for 40.0 where whole numbers are expected."""
    return normalized(FIELDS[key], value)


def in_effect(key: str, value: Any) -> Any:
    """Return what a value (checked) comes to: as `normal`, and None for the word that means it."""
    word = FIELDS[key].word
    return None if word and value == word else normal(key, value)


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return settings in which `values` (checked, by key) replace what was there."""
    values = {key: in_effect(key, value) for key, value in values.items()}
    parameters = {key: value for key, value in values.items() if key in PARAMETERS}
    others = {key: value for key, value in values.items() if key not in PARAMETERS}
    return attrs.evolve(settings, parameters=attrs.evolve(settings.parameters, **parameters), **others)


def new_seed() -> int:
    """Draw a seed for a request that sets none: small enough to be read aloud, and exact as a double."""
    from secrets import randbits

    return randbits(31)


def camel(key: str) -> str:
    """The key as editors write it: `top_k` -> `topK`."""
    head, *rest = key.split("_")
    return head + "".join(word.capitalize() for word in rest)


def label(key: str) -> str:
    """The parameter as its documentation calls it: `top_k` -> `Top K`."""
    return key.replace("_", " ").title()


def check_value(key: str, value: Any, limits: ModelLimits | None = None) -> str | None:
    """Say what is wrong with a value; None: it can be used."""
    return fault_of(FIELDS[key], value, limits)


def allowed(key: str, limits: ModelLimits | None = None) -> str:
    """Say in words what a setting accepts."""
    return allowed_by(FIELDS[key], limits)


PARAMETERS = tuple(field.name for field in attrs.fields(Parameters))
"""The keys of the generation parameters."""
FIELDS: Mapping[str, SettingField] = setting_fields()
"""All settings by key, the parameters first."""
KEYS: Mapping[str, str] = {camel(key): key for key in FIELDS} | {key: key for key in FIELDS}
"""Each key by the ways to write it: `topK` and `top_k`."""
