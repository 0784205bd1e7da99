"""From a client's parameters to Aide's: what Aide has is honored, what it lacks is refused.

The order is always Aide's: temperature, Top K, Top P.
"""

from collections.abc import Collection, Mapping
from typing import Any

from attrs import evolve

from aide_lsp.inference.options import GenerationOptions
from aide_lsp.serve.protocols.given import Given, ParameterError
from aide_lsp.settings.fields import FIELDS, Parameters, Settings
from aide_lsp.settings.limits import LARGEST_BITS, ModelLimits, error_in, normalized

MOST_TOKENS, MOST_CHOICES = 100_000, 8
_ANY = 1 << 53
OFF: Mapping[str, tuple[Any, ...]] = {
    "min_p": (0,),
    "typical_p": (1,),
    "typ_p": (1,),
    "tfs_z": (1,),
    "top_n_sigma": (-1, 0),
    "repeat_penalty": (1,),
    "repetition_penalty": (1,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "dry_multiplier": (0,),
    "dynatemp_range": (0,),
    "xtc_probability": (0,),
    "mirostat": (0,),
    "length_penalty": (1,),
    "min_tokens": (0,),
    "min_keep": (0,),
    "logit_bias": ({}, []),
    "ignore_eos": (False,),
    "use_beam_search": (False,),
    "echo": (False,),
    "logprobs": (False,),  # with 0, they are those of the chosen tokens
    "json_schema": ({}, ""),
    "response_format": ({"type": "text"},),
    "guided_json": (),
    "guided_regex": (),
    "tools": ([],),
    "lora": ([],),
}
"""Parameters that change what is generated and that Aide lacks, with the values that switch them off."""
LETTERS = {"k": "top_k", "p": "top_p", "t": "temperature", "i": "infill"}
"""llama.cpp's short names of samplers."""
NAMES = {"temp": "temperature", "top-k": "top_k", "top-p": "top_p"}


def check_off(given: Given) -> None:
    """Check that nothing is asked for that Aide lacks.

    Raises:
        ParameterError: something is.
    """
    for name, neutral in OFF.items():
        value = given.get(name)
        if value is None or any(value == one and (value is False) == (one is False) for one in neutral):
            continue
        instead = f", or send {_shown(neutral[0])}" if neutral else ""
        raise ParameterError(name, f"Aide does not have this parameter. Leave it out{instead}.")


def options_of(
    given: Given,
    limits: ModelLimits,
    length: str,
    *,
    samplers: Collection[str] | None = None,
    any_seeds: Collection[int] = (),
) -> GenerationOptions:
    """Return how to generate. What the client leaves open is as in Aide, but Num Context: its text is read.

    Args:
        given: the client's parameters.
        limits: those of the model.
        length: the name of the parameter for the number of tokens; below 0 means as many as fit.
        samplers: which ones the client wants; None: all.
        any_seeds: seeds that mean any.

    Raises:
        ParameterError: one of them cannot be used.
    """
    check_off(given)
    seed = _parameter(given, "seed", limits)
    top_k = given.whole("top_k", -_ANY, _ANY)
    values = {
        "temperature": _parameter(given, "temperature", limits),
        "top_k": None if top_k is None else min(top_k if top_k > 0 else limits.vocab_size, limits.vocab_size),
        "top_p": _parameter(given, "top_p", limits),
        "num_context": _parameter(given, "num_context", limits),
        "seed": None if seed in any_seeds else seed,
    }
    known = {name: value for name, value in values.items() if value is not None}
    if samplers is not None:
        known |= _switched_off(samplers, known, limits)
    parameters = evolve(Parameters(num_context=limits.most_context), **known)
    tokens = given.whole(length, -_ANY, _ANY)
    tokens = Settings().max_tokens if tokens is None else MOST_TOKENS if tokens < 0 else tokens
    return GenerationOptions(parameters, max_tokens=min(tokens, MOST_TOKENS))


def samplers_in(given: Given) -> frozenset[str] | None:
    """Return which of llama.cpp's samplers a client wants; None: it does not say.

    Raises:
        ParameterError: they are no names.
    """
    value = given.get("samplers")
    if value is None:
        return None
    if isinstance(value, str):
        return frozenset(LETTERS.get(letter, letter) for letter in value[:100])
    names = given.texts("samplers", 100, 100)
    return frozenset(NAMES.get(name, name) for name in names)


def _switched_off(samplers: Collection[str], known: Mapping[str, Any], limits: ModelLimits) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "top_k" not in samplers:
        found["top_k"] = limits.vocab_size
    if "top_p" not in samplers:
        found["top_p"] = 1.0
    # llama.cpp's `infill` drops unlikely tokens instead; Aide's temperature comes closest to that.
    if "temperature" not in samplers and not ("infill" in samplers and "temperature" not in known):
        found["temperature"] = 1.0
    return found


def _parameter(given: Given, name: str, limits: ModelLimits) -> Any:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > LARGEST_BITS:
        raise ParameterError(name, "expected a whole number with fewer than 4,300 digits.")
    if error := error_in(FIELDS[name], value, limits):
        raise ParameterError(name, f"{error}.")
    return normalized(FIELDS[name], value)


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
