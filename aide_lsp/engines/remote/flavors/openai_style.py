"""Servers with `/v1/completions` as OpenAI defined it: vLLM, SGLang, LM Studio, llama-cpp-python, and others.

They differ in what they add. One record for each says so; they are told apart by who, they say, owns their
models. Documentation:
https://platform.openai.com/docs/api-reference/completions,
https://docs.vllm.ai/en/latest/serving/openai_compatible_server/,
https://docs.sglang.ai/basic_usage/sampling_params.html, https://lmstudio.ai/docs/developer/openai-compat,
https://llama-cpp-python.readthedocs.io/en/latest/server/
"""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

from aide_lsp.completion.fim import FORMATS, fim_of
from aide_lsp.completion.model import ALL_PARAMETERS
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.flavors.flavor import Piece, ServerFacts, ServerRequest, healing
from aide_lsp.engines.remote.flavors.formats import (
    OWN,
    PREFIX,
    as_text,
    control_tokens,
    healed_tokens,
    own_prompt,
    template_of,
    unhealed,
    written_stops,
)
from aide_lsp.engines.remote.flavors.sampling import sampling_of
from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.remote.http.failures import no_models
from aide_lsp.engines.remote.http.questions import Questions
from aide_lsp.engines.remote.http.values import (
    float_at,
    list_at,
    name_in,
    names_in,
    number_at,
    text_at,
    value_at,
)
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions

MOST_STOPS = 4
"""Stop texts that servers accept."""
LOADING_SECONDS = 60.0
"""Limit for the first answer of a server that may load the model for it."""


@frozen
class Variant:
    """What a server adds to what OpenAI defined."""

    name: str
    owner: str
    "Who owns the models, as the server says it."
    honored: frozenset[str] = ALL_PARAMETERS
    neutral: Mapping[str, float] = field(factory=dict)
    "Parameters that its own defaults may set, with the values that switch them off."
    tokenizes: bool = False
    "Whether it has `/tokenize`, and takes tokens that end a completion."
    takes_suffix: bool = False
    "Whether it can write the prompt itself, from prefix and suffix."
    is_aide: bool = False
    "Whether it is `aide serve`, which writes prompts as Aide does, and also continues unfinished words."
    rates: bool = False
    "Whether it reports probabilities."
    lengths: tuple[str, ...] = ()
    "Where its own list of models is, and which of its entries' numbers is the context."
    notes: tuple[str, ...] = ()


_PENALTIES = {"presence_penalty": 0.0, "frequency_penalty": 0.0}
OTHER = Variant(
    "OpenAI-style server",
    "",
    honored=ALL_PARAMETERS - {"top_k"},
    neutral=_PENALTIES,
    notes=("Top K is not sent: many such servers reject it.", "Whether the seed has an effect is unknown."),
)
VARIANTS = (
    Variant(
        "vLLM",
        "vllm",
        neutral={**_PENALTIES, "min_p": 0.0, "repetition_penalty": 1.0},
        tokenizes=True,
        rates=True,
    ),
    Variant(
        "SGLang",
        "sglang",
        # Only servers that were started with --enable-deterministic-inference use it.
        honored=ALL_PARAMETERS - {"seed"},
        neutral={**_PENALTIES, "min_p": 0.0, "repetition_penalty": 1.0},
        tokenizes=True,
        rates=True,
    ),
    Variant(
        "LM Studio",
        "organization_owner",
        neutral={**_PENALTIES, "repeat_penalty": 1.0},
        lengths=("/api/v0/models", "loaded_context_length", "max_context_length"),
    ),
    Variant(
        "llama-cpp-python",
        "me",
        neutral={**_PENALTIES, "min_p": 0.0, "repeat_penalty": 1.0},
        takes_suffix=True,
    ),
    # For those who choose this protocol: by default, Aide's own is used.
    Variant("aide serve", "aide", takes_suffix=True, is_aide=True),
    OTHER,
)


class OpenAiStyle:
    """See `Flavor`."""

    kind, title = "openai", "a server with /v1/completions"

    def look(self, ask: Questions, choice: ServerChoice) -> ServerFacts | None:
        """See `Flavor`."""
        if (listed := listed_models(ask, choice, self.kind)) is None:
            return None
        models = names_in(listed, "id")
        if not (model := choice.model or next(iter(models), "")):
            raise no_models(ask.host)
        entry = entry_of(listed, model)
        owner = text_at(entry, "owned_by")
        variant = next((one for one in VARIANTS if one.owner == owner), OTHER)
        ids = _known_tokens(ask, model) if variant.tokenizes else None
        name, found = _format(ask, choice, variant, model, ids)
        template = None if name == OWN else template_of(name, ids)
        return ServerFacts(
            name=variant.name,
            model=model,
            models=models,
            version=name_in(text_at(ask.get("/version"), "version")) if variant.tokenizes else "",
            context_length=number_at(entry, "max_model_len") or _context(ask, variant, model),
            template=template,
            format_from=found,
            reads_files=template is not None and template.reads_files,
            honored=variant.honored,
            rates=variant.rates,
            notes=variant.notes,
            details={"variant": variant},
        )

    def request(
        self,
        facts: ServerFacts,
        prompt: Prompt,
        options: GenerationOptions,
        connection: Connection,
        cancel: CancelToken,
    ) -> ServerRequest:
        """See `Flavor`."""
        variant: Variant = facts.details["variant"]
        sampling = sampling_of(options)
        body: dict[str, Any] = {
            "model": facts.model,
            # Most servers stop after 16 tokens if no one says how many.
            "max_tokens": options.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "stream": True,
            **variant.neutral,
        }
        if "top_k" in variant.honored:
            body["top_k"] = sampling.top_k
        if variant.rates and options.min_confidence > 0:
            body["logprobs"] = 1
        if variant.tokenizes:
            body["stream_options"] = {"include_usage": True}
        if facts.template is None:
            prefix, suffix = own_prompt(prompt)
            return ServerRequest("/v1/completions", body | {"prompt": prefix, "suffix": suffix})
        if facts.template.stop_ids:
            body["stop_token_ids"] = sorted(facts.template.stop_ids)
        elif stops := written_stops(facts.template)[:MOST_STOPS]:
            body["stop"] = stops
        plain = body | {"prompt": as_text(facts.template, unhealed(prompt))}
        healed = body | {
            "prompt": as_text(facts.template, prompt),
            "max_tokens": options.max_tokens + healed_tokens(prompt),
        }
        return healing("/v1/completions", plain, healed, prompt.healed)

    def read(self, event: Mapping[str, Any]) -> Piece:
        """See `Flavor`."""
        return read_choice(event)


def listed_models(ask: Questions, choice: ServerChoice, kind: str) -> list[Any] | None:
    """Return what a server lists as its models; None: it is of another kind.

    A server may have no list, if the settings say what it is, and name the model.
    """
    found = value_at(ask.get("/v1/models"), "data")
    if isinstance(found, list):
        return found
    is_named = choice.kind == kind and choice.model is not None
    return [] if is_named and ask.is_unknown("/v1/models") else None


def entry_of(listed: Iterable[Any], model: str) -> Any:
    """Return what a list of models says of one; None: it is not listed."""
    return next((one for one in listed if text_at(one, "id") == model), None)


def read_choice(event: Mapping[str, Any]) -> Piece:
    """Return what an event in OpenAI's form says: text, or a message's content."""
    ended = text_at(event, "choices", 0, "finish_reason")
    rated = [one for one in list_at(event, "choices", 0, "logprobs", "token_logprobs") if one is not None]
    return Piece(
        text=text_at(event, "choices", 0, "text") or text_at(event, "choices", 0, "delta", "content"),
        finish=("length" if ended == "length" else "stop") if ended else None,
        tokens=len(rated),
        log_probability=sum(float_at(rated, at) for at in range(len(rated))),
        prompt_tokens=number_at(event, "usage", "prompt_tokens") or None,
        cached_tokens=number_at(event, "usage", "prompt_tokens_details", "cached_tokens") or None,
        generated_tokens=number_at(event, "usage", "completion_tokens") or None,
    )


def _known_tokens(ask: Questions, model: str) -> dict[str, int] | None:
    """Return the control tokens of FIM formats that the model has; None: the server does not say it."""
    names = control_tokens()
    body = {"model": model, "add_special_tokens": False, "return_token_strs": True}
    answer = ask.post("/tokenize", body | {"prompt": "".join(names)})
    tokens, written = list_at(answer, "tokens"), list_at(answer, "token_strs")
    if len(tokens) == len(written) > 0:
        pairs = zip(written, tokens, strict=True)
        return {name: int(token) for name, token in pairs if name in names and isinstance(token, int)}
    if not tokens:
        return None
    # Without the texts of tokens: those that are one each.
    answers = {name: list_at(ask.post("/tokenize", body | {"prompt": name}), "tokens") for name in names}
    return {name: one[0] for name, one in answers.items() if len(one) == 1 and isinstance(one[0], int)}


def _format(
    ask: Questions, choice: ServerChoice, variant: Variant, model: str, ids: Mapping[str, int] | None
) -> tuple[str, str]:
    """Return which format prompts are written in, and how that was found out."""
    if choice.format:
        return choice.format, "setting engine_format"
    if variant.is_aide:
        return OWN, "the server's own (suffix)"
    if ids and (name := fim_of(ids)):
        return name, "the model's control tokens"
    if ids is None and ask.is_local and (name := _counted_format(ask, model)):
        return name, "how the server counts control tokens"
    if choice.card_format and ids is None:
        return choice.card_format, "the card that the setting model names; the server does not say it"
    if variant.takes_suffix:
        return OWN, "the server's own (suffix)"
    if ids is not None:
        return PREFIX, "the model has no tokens of a known format"
    return (
        PREFIX,
        "unknown, so only the text before the cursor is sent: set engine_format if you know it",
    )


def _counted_format(ask: Questions, model: str) -> str | None:
    """Return the format whose control tokens the server counts as one token each.

    Only asked on this machine: it generates a token each time.
    """

    def count(text: str) -> int:
        body = {"model": model, "prompt": text, "max_tokens": 1, "temperature": 0}
        return number_at(ask.post("/v1/completions", body, LOADING_SECONDS), "usage", "prompt_tokens")

    if not (alone := count("a")):
        return None
    for record in FORMATS.values():
        tokens = dict.fromkeys((*record.control_tokens, *record.marks))
        if record.control_tokens and count("a" + "".join(tokens)) == alone + len(tokens):
            return record.name
    return None


def _context(ask: Questions, variant: Variant, model: str) -> int:
    if not variant.lengths:
        return 0
    path, *names = variant.lengths
    entry = entry_of(list_at(ask.get(path), "data"), model)
    return next((found for name in names if (found := number_at(entry, name))), 0)
