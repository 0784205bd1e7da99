"""The table of settings: one attribute each, with its type, default, limits and text.

Everything else that lists settings is derived from it: `PARAMETERS`, `FIELDS` and `KEYS` below, the options
of the command line, the ledger's columns, and the files that `make generate` writes.
"""

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import frozen

from aide_lsp.server_address import EXPECTED, LOCAL, address_error
from aide_lsp.settings.limits import ModelLimits, SettingField, allowed_by, error_in, name_error, normalized

# A project is often someone else's, and a large context makes each request take many seconds on a CPU.
PROJECT_NUM_CONTEXT = 4096
"""A project file cannot raise Num Context beyond this unless the user sets `max_num_context`."""

# The groups that settings are listed in, in this order.
_PARAMETERS = "Parameters"
_OFFERED = "What is offered"
_OTHER_FILES = "Other files"
_MODEL = "Model"
_PRIVACY = "Privacy"
GROUPS = (_PARAMETERS, _OFFERED, _OTHER_FILES, _MODEL, _PRIVACY)


def setting(default: Any, kind: type, doc: str, group: str = _PARAMETERS, **limits: Any) -> Any:
    """Declare one setting."""
    return attrs.field(default=default, metadata={"setting": SettingField(kind, doc, group, **limits)})


@frozen
class Parameters:
    """The generation parameters."""

    # Ranges and defaults are part of what the documentation promises; a test holds them.
    temperature: float = setting(
        0.7,
        float,
        "Randomness of sampling. 0: always the most likely token; 1: the model's own probabilities.",
        minimum=0.0,
        maximum=1.0,
        project=True,
    )
    # Up to 64 candidates come with each forward; more cost the logits of the whole vocabulary.
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
        "Sample only from the smallest set of most likely tokens whose probabilities add up to more than "
        "this. 0: always the most likely token; 1: all tokens.",
        minimum=0.0,
        maximum=1.0,
        project=True,
    )
    # With 768, as many lines are right as with 1024, and with 512 fewer (benchmarks/results/window.md).
    num_context: int = setting(
        768,
        int,
        "How many tokens of text the model reads: around the cursor, and in excerpts of other files.",
        minimum=1,
        model_maximum="most_context",
        unit="tokens",
        project=True,
    )
    seed: int | None = setting(
        None,
        int,
        "Seed of the random number generator. The same text (also of the other files that Aide reads), "
        "cursor, parameters, and seed give the same completion. With a server (`engine`), Aide says "
        "whether that holds.",
        none="a new random seed for each request",
        word="random",
        project=True,
    )

    @property
    def draws(self) -> bool:
        """Whether chance decides; otherwise the most likely token is always taken, whatever the seed."""
        return self.temperature > 0 and self.top_k > 1 and self.top_p > 0


@frozen
class Settings:
    """The settings in effect for one document."""

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
        "Files (globs) in which completions are disabled. Patterns from all places add up; none can "
        "re-enable a file.",
        _OFFERED,
        project=True,
    )
    # Of Num Context, an eighth helped less than a quarter, and a half no more.
    context_share: float | None = setting(
        None,
        float,
        "Share of Num Context for excerpts of other files of the project, which the model reads before the "
        "text around the cursor. That text gets the rest. 0: only names are read. Unset: what the "
        "model's card says; with a server (`engine`), 0.",
        _OTHER_FILES,
        minimum=0.0,
        maximum=0.5,
        none="what the model's card says",
        project=True,
    )
    most_card_share: float = 0.5  # not a setting: what a project file allows of the share in the model's card
    context_off: tuple[str, ...] = setting(
        (),
        list,
        "Files (globs) from which completions in other files read neither excerpts nor names. Patterns from "
        "all places add up; none can allow a file again. Files that are `off` are never read.",
        _OTHER_FILES,
        project=True,
    )
    complete_secrets: bool = setting(
        False,
        bool,
        "Also complete in files that commonly hold secrets: `.env`, keys, certificates, passwords. Never if "
        "`engine` names a server: such files are not sent anywhere.",
        _PRIVACY,
        all_files=True,
    )
    max_num_context: int | None = setting(
        None,
        int,
        "Upper limit for Num Context, whoever sets it. The lowest limit set applies. If you set none, a "
        f"project file can raise Num Context to {PROJECT_NUM_CONTEXT}, and you to the model's limit.",
        _MODEL,
        minimum=1,
        unit="tokens",
        none=f"{PROJECT_NUM_CONTEXT} for project files, the model's limit for you",
        all_files=True,
    )
    engine: str = setting(
        LOCAL,
        str,
        "What runs the model. `local`: Aide itself, in this editor. `shared`: Aide itself, in one process "
        "for all your editors, which saves memory; no text leaves the machine. The address of a server "
        "(llama.cpp, Ollama, vLLM, `aide serve` and others): that server, to which the text around the "
        "cursor is then sent. Other machines need `https:`. No other setting sends text anywhere.",
        _MODEL,
        noun=EXPECTED,
        error=address_error,
        all_files=True,
    )
    engine_kind: str = setting(
        "auto",
        str,
        "How Aide talks to the server that `engine` names.",
        _MODEL,
        choices={
            "auto": "Aide asks the server, without sending any of your text",
            "aide": "`aide serve`",
            "llama.cpp": "`llama-server`",
            "openai": "servers with `/v1/completions`: vLLM, SGLang, LM Studio, LiteLLM, and others",
            "ollama": "Ollama",
            "mistral": "Mistral's API for fill-in-the-middle",
            "deepseek": "DeepSeek's API for fill-in-the-middle",
        },
        all_files=True,
    )
    engine_model: str | None = setting(
        None,
        str,
        "Name of the model on the server that `engine` names. `aide engine check` lists them.",
        _MODEL,
        none="the first one that the server lists",
        error=name_error,
        all_files=True,
    )
    engine_format: str | None = setting(
        None,
        str,
        "How the model on the server marks the text before and after the cursor: the name of a FIM format, "
        "or `own`, if the server writes prompts itself. "
        "Needed only if `aide engine check` says that Aide cannot determine it.",
        _MODEL,
        none="Aide asks the server",
        error=name_error,
        all_files=True,
    )
    model: str | None = setting(
        None,
        str,
        "ID of the model. `aide models list` shows all models.",
        _MODEL,
        none="the default model",
        all_files=True,
    )
    recipe: str = setting(
        "auto",
        str,
        "How the model's weights are stored and multiplied.",
        _MODEL,
        choices={
            "auto": "what the model's card says: `exact`, `fast`, or `int4` on the CPU, `fp16` on a GPU",
            "exact": "8 bits, close to the original model and fast on the CPU",
            "int4": "4 bits where the model's file has 4: as close, less memory, slower on the CPU",
            "fast": "8 bits, reads long texts faster on the CPU",
            "fp16": "16 bits, for GPUs",
        },
        all_files=True,
    )
    provider: str = setting(
        "auto",
        str,
        "Where the model runs.",
        _MODEL,
        choices={
            "auto": "on the GPU if there is a usable one, otherwise on the CPU",
            "cpu": "on the CPU",
            "cuda": "on an NVIDIA GPU",
        },
        all_files=True,
    )
    threads: int = setting(
        0,
        int,
        "CPU threads for the model. 0: one for each physical core.",
        _MODEL,
        minimum=0,
        maximum=256,
        all_files=True,
    )
    cache_mb: int = setting(
        80,
        int,
        "Memory for text that the model has already processed: it makes returning to a file fast. 1,024 "
        "tokens take 25 MB with the default model. The most recent text is always kept. An engine that "
        "several editors share takes this much for each, and at most four times as much for all.",
        _MODEL,
        minimum=1,
        maximum=65_536,
        unit="MB",
        all_files=True,
    )
    max_tokens: int = setting(
        128,
        int,
        "Maximum length of a completion. It ends earlier if the model's context is full.",
        _OFFERED,
        minimum=1,
        maximum=4096,
        unit="tokens",
    )
    candidates: int = setting(
        3,
        int,
        "How many completions there are to choose from at one place, at most.",
        _OFFERED,
        minimum=1,
        maximum=5,
    )
    show: str = setting(
        "fitting",
        str,
        "Which completions are offered, automatically and on request.",
        _OFFERED,
        choices={
            "fitting": "only those that pass the checks for whether they fit the text around the cursor",
            "all": "also those that fail them",
        },
        project=True,
    )
    # Of 168 completions of HumanEval-infilling that pass the checks at temperature 0, 0.008 hides a tenth.
    # Precision rises from 74.4 to 78.9 %, but 4 % of the good ones are lost. So none is the default.
    min_confidence: float = setting(
        0.0,
        float,
        "Offer a completion only if the model's own probability of its text is at least this. 0: always. "
        "It is the product over all tokens, so long texts have small probabilities: start with 0.01. Of "
        "several lines, the first ones that reach it are offered. It has no effect with a server (`engine`) "
        "that reports no probabilities.",
        _OFFERED,
        minimum=0.0,
        maximum=1.0,
        project=True,
    )
    work_ahead: bool = setting(
        True,
        bool,
        "Use idle time to process the text at a new cursor position, and to generate the next candidates and "
        "what follows the current completion. `false` saves power: completions are the same, but arrive "
        "later. A server on another machine (`engine`) is never asked for more than what you wait for.",
        _MODEL,
    )
    deadline_ms: int = setting(
        20_000,
        int,
        "Cancel a completion that takes longer, and report it. 0: never.",
        _MODEL,
        minimum=0,
        maximum=600_000,
        unit="milliseconds",
    )
    ledger: str = setting(
        "hashes",
        str,
        "What Aide records on this machine about recent completions, for `aide log` and `aide replay`.",
        _PRIVACY,
        choices={
            "off": "nothing",
            "hashes": "parameters, figures and hashes, but no source text and no paths",
            "text": "also source text and paths",
        },
    )


def defaults() -> dict[str, Any]:
    """Return the default of each setting by key."""
    settings = Settings()
    return {key: value_of(settings, key) for key in FIELDS}


def value_of(settings: Settings, key: str) -> Any:
    """Look up a setting by its key."""
    return getattr(settings.parameters if key in PARAMETERS else settings, key)


def normal(key: str, value: Any) -> Any:
    """Return a valid value as it is stored: 40 for 40.0 if a whole number is expected."""
    return normalized(FIELDS[key], value)


def in_effect(key: str, value: Any) -> Any:
    """Return what a valid value means: None for the word that means unset, otherwise as `normal`."""
    word = FIELDS[key].word
    return None if word and value == word else normal(key, value)


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """Return settings with these valid values, given by key, in place of those that were there."""
    values = {key: in_effect(key, value) for key, value in values.items()}
    parameters = {key: value for key, value in values.items() if key in PARAMETERS}
    others = {key: value for key, value in values.items() if key not in PARAMETERS}
    return attrs.evolve(settings, parameters=attrs.evolve(settings.parameters, **parameters), **others)


def new_seed() -> int:
    """Draw a seed for a request that sets none: short enough to read aloud, and exact as a double."""
    from secrets import randbits

    return randbits(31)


def camel(key: str) -> str:
    """Return a key as editors write it: `top_k` -> `topK`."""
    head, *rest = key.split("_")
    return head + "".join(word.capitalize() for word in rest)


def label(key: str) -> str:
    """Return a parameter's name as people read it: `top_k` -> `Top K`."""
    return key.replace("_", " ").title()


def check_value(key: str, value: Any, limits: ModelLimits | None = None) -> str | None:
    """Describe what makes a value invalid; None if it is valid."""
    return error_in(FIELDS[key], value, limits)


def allowed(key: str, limits: ModelLimits | None = None) -> str:
    """Describe what a setting accepts."""
    return allowed_by(FIELDS[key], limits)


PARAMETERS = tuple(field.name for field in attrs.fields(Parameters))
"""The keys of the generation parameters."""
FIELDS: Mapping[str, SettingField] = {
    field.name: field.metadata["setting"]
    for field in (*attrs.fields(Parameters), *attrs.fields(Settings))
    if "setting" in field.metadata
}
"""All settings by key, the parameters first."""
ENGINE_KEYS = tuple(key for key in FIELDS if key.startswith("engine"))
"""The settings that say which server runs the model."""
LOADING_KEYS = ("model", "recipe", "provider", "threads", "cache_mb")
"""The settings that say which model Aide loads, and how."""
KEYS: Mapping[str, str] = {camel(key): key for key in FIELDS} | {key: key for key in FIELDS}
"""Each key by the ways to write it: `topK` and `top_k`."""
