"""llama.cpp's own server (`llama-server`).

Its `/tokenize` turns parts of a prompt into tokens, in which nothing that the user wrote is a control token;
`/completion` takes them as they are. Documentation:
https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from aide_lsp.completion.fim import fim_of
from aide_lsp.completion.prompt import PartKind, Prompt
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.flavors.flavor import Piece, ServerFacts, ServerRequest
from aide_lsp.engines.remote.flavors.formats import OWN, PREFIX, control_tokens, healed_tokens, template_of
from aide_lsp.engines.remote.flavors.sampling import sampling_of
from aide_lsp.engines.remote.http.connection import Connection
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
from aide_lsp.inference.tokenizer import replace_surrogates

SAMPLERS = ("temperature", "top_k", "top_p")
"""Aide's order, and nothing else: the server's own defaults also have Min P and penalties."""
NEUTRAL = {
    "min_p": 0.0,
    "repeat_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "dry_multiplier": 0.0,
    "dynatemp_range": 0.0,
    "mirostat": 0,
    "min_keep": 0,
}
"""Values with which samplers do nothing, for defaults that the order does not switch off."""
OWNER = "llamacpp"
"""Who owns its models, as it says."""
ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class LlamaCpp:
    """See `Flavor`."""

    kind = title = "llama.cpp"

    def look(self, ask: Questions, choice: ServerChoice) -> ServerFacts | None:
        """See `Flavor`."""
        props = ask.get(_props(choice.model))
        listed = list_at(ask.get("/v1/models"), "data") if props or ask.failure else []
        if not isinstance(value_at(props, "default_generation_settings"), dict):
            # Versions that list their models for everyone answer nothing else without the API key.
            if ask.failure is not None and text_at(listed, 0, "owned_by") == OWNER:
                raise ask.failure
            return None
        models = names_in(listed, "id")
        if text_at(props, "role") == "router" and not choice.model and models:
            # One that starts other servers: each question names the model.
            props = ask.get(_props(models[0]))
        ids, bos = _known_tokens(ask, props)
        name, found = _format(ask, choice, ids)
        template = None if name == OWN else template_of(name, ids)
        return ServerFacts(
            name=self.title,
            model=choice.model or next(iter(models), name_in(value_at(props, "model_alias"))),
            models=models,
            version=name_in(value_at(props, "build_info")),
            context_length=number_at(props, "default_generation_settings", "n_ctx"),
            vocabulary_size=number_at(listed, 0, "meta", "n_vocab"),
            template=template,
            format_from=found,
            reads_files=template is None or template.reads_files,
            rates=True,
            # On other machines, others may wait for the same server.
            prefills=ask.is_local,
            details={"bos": bos},
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
            "stream": True,
            "cache_prompt": True,
            "n_predict": options.max_tokens,
            "samplers": SAMPLERS,
            "temperature": sampling.temperature,
            "top_k": sampling.top_k,
            "top_p": sampling.top_p,
            "seed": sampling.seed,
            "return_tokens": True,
            # What was read before is only known from them, and an answer may be closed before its end.
            "timings_per_token": True,
            **NEUTRAL,
        }
        if facts.model:
            body["model"] = facts.model
        if options.min_confidence > 0:
            body["n_probs"] = 1
        if prompt.healed:
            body["n_predict"] += healed_tokens(prompt)
            body["grammar"] = grammar(prompt.healed)
        if facts.template is None:
            return ServerRequest("/infill", body | infill(prompt), prompt.healed)
        ids = self._tokens(facts, prompt, connection, cancel)
        return ServerRequest("/completion", body | {"prompt": ids}, prompt.healed, prompt_tokens=len(ids))

    def read(self, event: Mapping[str, Any]) -> Piece:
        """See `Flavor`."""
        ended = event.get("stop") is True
        is_cut = text_at(event, "stop_type") == "limit" or event.get("stopped_limit") is True
        rated = list_at(event, "completion_probabilities")
        ids = tuple(one for one in list_at(event, "tokens") if isinstance(one, int))
        return Piece(
            text=text_at(event, "content"),
            finish=("length" if is_cut else "stop") if ended else None,
            tokens=len(ids),
            log_probability=sum(float_at(one, "logprob") for one in rated),
            token_ids=ids,
            prompt_tokens=number_at(event, "tokens_evaluated") or None,
            cached_tokens=number_at(event, "timings", "cache_n") or None,
            generated_tokens=number_at(event, "tokens_predicted") or None,
        )

    def _tokens(
        self, facts: ServerFacts, prompt: Prompt, connection: Connection, cancel: CancelToken
    ) -> list[int]:
        """Return a prompt's tokens: control tokens by their ids, and the user's text as nothing but text."""
        assert facts.template is not None
        content = list(_content(facts, prompt))
        body = {"content": content or "\n", "add_special": False, "parse_special": False}
        if facts.model:
            body["model"] = facts.model
        answer = connection.ask("/tokenize", body, cancel=cancel)
        return [one for one in list_at(answer, "tokens") if isinstance(one, int)]


def grammar(healed: str) -> str:
    """Return a grammar of texts that begin with the healed text."""
    literal = "".join(ESCAPED.get(char, char) for char in replace_surrogates(healed))
    return f'root ::= "{literal}" [^\\x00]*'


def infill(prompt: Prompt) -> dict[str, Any]:
    """Return a prompt for `/infill`, where the server writes it in the model's format."""
    extra: list[dict[str, str]] = []
    for part in prompt.parts:
        if part.kind is PartKind.PATH:
            extra.append({"filename": part.text.rstrip("\n"), "text": ""})
        elif part.kind is PartKind.EXCERPT and extra:
            extra[-1]["text"] += replace_surrogates(part.text)
    return {
        "input_prefix": replace_surrogates(prompt.text(PartKind.HEADER) + prompt.text(PartKind.PREFIX)),
        "input_suffix": replace_surrogates(prompt.text(PartKind.SUFFIX)),
        "input_extra": [one for one in extra if one["text"]],
        "prompt": "",
    }


def _props(model: str | None) -> str:
    return f"/props?model={quote(model, safe='')}" if model else "/props"


def _known_tokens(ask: Questions, props: Any) -> tuple[dict[str, int], list[int]]:
    """Return the control tokens of FIM formats that the model has, and what its prompts begin with."""
    body = {"content": "\n".join(control_tokens()), "add_special": True, "parse_special": True}
    pieces = list_at(ask.post("/tokenize", body | {"with_pieces": True}), "tokens")
    names = set(control_tokens())
    ids = {text_at(one, "piece"): number_at(one, "id") for one in pieces if text_at(one, "piece") in names}
    first = text_at(pieces, 0, "piece")
    bos = [number_at(pieces, 0, "id")] if first and first == text_at(props, "bos_token") else []
    return ids, bos


def _format(ask: Questions, choice: ServerChoice, ids: Mapping[str, int]) -> tuple[str, str]:
    """Return which format prompts are written in, and how that was found out."""
    if choice.format:
        return choice.format, "setting engine_format"
    if name := fim_of(ids):
        return name, "the model's control tokens"
    if ask.status("/infill", {"input_prefix": "", "input_suffix": "", "n_predict": 0}) == 200:
        return OWN, "the server's own (/infill)"
    return PREFIX, "the model has no tokens of a known format"


def _content(facts: ServerFacts, prompt: Prompt) -> Iterator[str | int]:
    assert facts.template is not None
    yield from facts.details["bos"]
    for piece in facts.template.pieces(prompt):
        if isinstance(piece, str):
            yield facts.template.ids[piece]
        elif piece.text:
            yield replace_surrogates(piece.text)
