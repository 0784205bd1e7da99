"""Ollama.

Prompts are written by Aide and sent `raw`, so that no template changes them. Documentation:
https://docs.ollama.com/api/generate
"""

from collections.abc import Mapping
from typing import Any

from aide_lsp.completion.fim import FORMATS, fim_of
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
from aide_lsp.engines.remote.http.failures import no_models, unknown_model
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

NEUTRAL = {
    "min_p": 0.0,
    "typical_p": 1.0,
    "repeat_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "mirostat": 0,
}
LEAST_CONTEXT = 4096
"""Ollama's own default."""
MARGIN = 256
"""Tokens of the context for control tokens, and for an estimate that is too low."""
SHOW_SECONDS = 20.0


class Ollama:
    """See `Flavor`."""

    kind, title = "ollama", "Ollama"

    def look(self, ask: Questions, choice: ServerChoice) -> ServerFacts | None:
        """See `Flavor`."""
        version = name_in(text_at(ask.get("/api/version"), "version"))
        tags = ask.get("/api/tags") if version else None
        if not isinstance(value_at(tags, "models"), list):
            return None
        models = names_in(list_at(tags, "models"), "name")
        model = choice.model or next(iter(models), "")
        if not model:
            raise no_models(ask.host)
        shown = ask.post("/api/show", {"model": model}, SHOW_SECONDS)
        if not isinstance(shown, dict):
            raise unknown_model(ask.host, model, models)
        name, found = _format(ask, choice, model, shown)
        entry = _entry_of(list_at(tags, "models"), model)
        template = None if name == OWN else template_of(name)
        remote = name_in(text_at(shown, "remote_host"))
        return ServerFacts(
            name=self.title,
            model=model,
            models=models,
            version=version,
            recipe=name_in(text_at(entry, "details", "quantization_level")),
            digest=name_in(text_at(entry, "digest")).removeprefix("sha256:"),
            context_length=_context(shown),
            template=template,
            format_from=found,
            reads_files=template is not None and template.reads_files,
            rates=True,
            passes_to=_host_in(remote),
            notes=(f"This Ollama sends the text on to {remote}.",) if remote else (),
            details={"loaded": _loaded_context(ask, model)},
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
        sampling = sampling_of(options)
        body: dict[str, Any] = {
            "model": facts.model,
            "stream": True,
            # It would cut the prompt or the text silently.
            "truncate": False,
            "shift": False,
            "options": {
                "temperature": sampling.temperature,
                "top_k": sampling.top_k,
                "top_p": sampling.top_p,
                "seed": sampling.seed,
                "num_predict": options.max_tokens,
                "num_ctx": _num_ctx(facts, options),
                "stop": written_stops(facts.template),
                **NEUTRAL,
            },
        }
        if options.min_confidence > 0:
            body["logprobs"] = True
        if facts.template is None:
            prefix, suffix = own_prompt(prompt)
            return ServerRequest("/api/generate", body | {"prompt": prefix, "suffix": suffix})
        body["raw"] = True
        longer = {**body["options"], "num_predict": options.max_tokens + healed_tokens(prompt)}
        plain = body | {"prompt": as_text(facts.template, unhealed(prompt))}
        healed = body | {"prompt": as_text(facts.template, prompt), "options": longer}
        return healing("/api/generate", plain, healed, prompt.healed)

    def read(self, event: Mapping[str, Any]) -> Piece:
        """See `Flavor`."""
        ended = event.get("done") is True
        rated = list_at(event, "logprobs")
        return Piece(
            text=text_at(event, "response"),
            finish=("length" if text_at(event, "done_reason") == "length" else "stop") if ended else None,
            tokens=len(rated),
            log_probability=sum(float_at(one, "logprob") for one in rated),
            prompt_tokens=number_at(event, "prompt_eval_count") or None,
            generated_tokens=number_at(event, "eval_count") or None,
        )


def _format(ask: Questions, choice: ServerChoice, model: str, shown: Any) -> tuple[str, str]:
    """Return which format prompts are written in, and how that was found out."""
    if choice.format:
        return choice.format, "setting engine_format"
    template = text_at(shown, "template")
    if name := _written_in(template):
        return name, "the model's template"
    details = ask.post("/api/show", {"model": model, "verbose": True}, SHOW_SECONDS)
    tokens = {one for one in list_at(details, "model_info", "tokenizer.ggml.tokens") if isinstance(one, str)}
    if name := fim_of(tokens.intersection(control_tokens())):
        return name, "the model's control tokens"
    if ".Suffix" in template:
        return OWN, "the model's template, which Ollama applies"
    if choice.card_format:
        return choice.card_format, "the card that the setting model names; Ollama does not say it"
    return PREFIX, "the model has neither a template for a suffix nor tokens of a known format"


def _written_in(template: str) -> str | None:
    """Return the format whose control tokens a template has for prefix, suffix and middle."""
    if ".Suffix" not in template:
        return None
    # Marks are tokens of other files, which templates do not have: they are taken for granted.
    fitting = [
        record.name
        for record in FORMATS.values()
        if record.control_tokens and all(token.strip("▁") in template for token in record.control_tokens)
    ]
    return next(iter(fitting), None)


def _host_in(remote: str) -> str:
    """Return the host and port of an address that the server wrote."""
    place = remote.partition("://")[2] or remote
    return place.partition("/")[0].rpartition("@")[2]


def _context(shown: Any) -> int:
    architecture = text_at(shown, "model_info", "general.architecture")
    return number_at(shown, "model_info", f"{architecture}.context_length")


def _loaded_context(ask: Questions, model: str) -> int:
    """Return the context with which the model is loaded; 0: it is not, or an old version does not say it."""
    return number_at(_entry_of(list_at(ask.get("/api/ps"), "models"), model), "context_length")


def _entry_of(entries: list[Any], model: str) -> Any:
    """Return the entry of a model in one of Ollama's lists; None: it has none."""
    return next((one for one in entries if text_at(one, "name") in (model, f"{model}:latest")), None)


def _num_ctx(facts: ServerFacts, options: GenerationOptions) -> int:
    """Return the context to ask for: the one that is loaded, if it is large enough.

    With another one, Ollama loads the model again, which takes seconds: so it grows in powers of two.
    """
    needed = options.parameters.num_context + options.max_tokens + MARGIN
    most = facts.context_length or needed
    if facts.details["loaded"] >= min(needed, most):
        return int(facts.details["loaded"])
    return min(max(LEAST_CONTEXT, 1 << (needed - 1).bit_length()), most)
