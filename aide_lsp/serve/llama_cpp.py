"""llama.cpp's `/infill` and `/completion`, as its plugins use them, and `/props`.

Reference: https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
"""

import re
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import Any

from attrs import evolve, frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aide_lsp import __version__
from aide_lsp.completion.fim import FORMATS
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.shared.stream import error_line
from aide_lsp.engines.shared.wire import from_timings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.serve.answers import as_json
from aide_lsp.serve.generation import answered
from aide_lsp.serve.protocols.fim_prompts import Texts, build, texts_in, tokens_in
from aide_lsp.serve.protocols.given import Given, ParameterError
from aide_lsp.serve.protocols.infill import Infilled, anchored, infill, infill_texts, prefill
from aide_lsp.serve.protocols.limits import LimitedModel, TextLimits, stops_in
from aide_lsp.serve.protocols.sampling import MOST_CHOICES, options_of, samplers_in
from aide_lsp.serve.protocols.sse import SSE, Generations, Line, event
from aide_lsp.serve.served import Served, logged
from aide_lsp.settings.fields import Parameters

LONGEST_PROMPT = 8_000_000
MOST_BLANKS, MOST_MS, MOST_FIELDS, LONGEST_FIELD = 1_000, 24 * 3600 * 1000, 100, 1_000
WITHOUT_EFFECT = (
    "model",
    "cache_prompt",
    "id_slot",
    "t_max_prompt_ms",
    "timings_per_token",
    "return_tokens",
    "repeat_last_n",
)
"""Parameters on which no text depends here."""
RANDOM_SEEDS = (-1, (1 << 32) - 1)
"""Seeds that mean any."""
BEGINNING = re.compile(r'root ::= "((?:[^"\\]|\\["\\nrt])*)" \[\^\\x00\]\*')
"""The one grammar that is known: of texts that begin with a given one."""
ESCAPES = {r"\n": "\n", r"\r": "\r", r"\t": "\t", r"\"": '"', r"\\": "\\"}


def routes(served: Served) -> list[Route]:
    """Return the routes of llama.cpp's protocol."""
    protocol = LlamaCppProtocol(served)
    return [
        Route("/props", protocol.props, methods=["GET"]),
        Route("/infill", protocol.infill, methods=["POST"]),
        Route("/completion", protocol.completion, methods=["POST"]),
    ]


@frozen
class InfillRequest:
    """What a request asks for."""

    texts: Texts
    prompt: Prompt
    choices: int
    options: GenerationOptions
    model: LimitedModel
    streams: bool
    by_rules: bool
    "Whether Aide's own rules decide where the text ends."
    beginning: str
    "What the text begins with."
    fields: tuple[str, ...]
    "What the answer holds; empty: everything."
    unread: tuple[str, ...]


class LlamaCppProtocol:
    """Answers llama.cpp's requests."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def props(self, request: Request) -> Response:
        """Say what is served."""
        info = self._served.engine.info
        return as_json(
            {
                "default_generation_settings": {"n_ctx": info.context_length},
                "total_slots": 1,
                "model_alias": info.id,
                "build_info": f"aide {__version__}",
            }
        )

    async def infill(self, request: Request) -> Response:
        """Complete at a cursor."""
        return await self._complete(request, is_infill=True)

    async def completion(self, request: Request) -> Response:
        """Continue a text, or complete at a cursor in the model's format."""
        return await self._complete(request, is_infill=False)

    async def _complete(self, request: Request, *, is_infill: bool) -> Response:
        session = self._served.session(request)
        given = Given(await self._served.bodies.read(request))
        asked = await self._served.count(
            partial(self._asked, given, LimitedModel(session), is_infill=is_infill)
        )
        if asked.options.max_tokens == 0:
            work = partial(prefill, asked.model, asked.prompt, asked.options)
            return self._at_once(asked, await self._served.call(request, "prefill", work))
        if asked.by_rules:
            work = partial(infill, asked.model, asked.prompt, asked.texts, asked.options, asked.choices)
            return self._at_once(asked, await self._served.call(request, "infill", work))
        kind = "infill" if is_infill else "completion"
        numbered = (evolve(asked.options, candidate=number) for number in range(asked.choices))
        generations = Generations(
            [partial(self._served.generate, asked.model, asked.prompt, one, kind=kind) for one in numbered]
        )
        answer, events = partial(self._answer, asked), partial(self._events, asked)
        return await answered(request, generations, answer, events, streams=asked.streams)

    def _asked(self, given: Given, model: LimitedModel, *, is_infill: bool) -> InfillRequest:
        info = model.info
        samplers = samplers_in(given)
        options = options_of(given, info.limits, "n_predict", samplers=samplers, any_seeds=RANDOM_SEEDS)
        if (given.whole("n_probs", 0, 1 << 31) or 0) > 1:
            raise ParameterError("n_probs", "Aide names no other tokens. Leave it out, or send 0 or 1.")
        # Tokens are never lost: what was read stays read, and its time has no limit, as in llama.cpp.
        given.skip(*WITHOUT_EFFECT)
        limits = TextLimits(
            stops=stops_in(given),
            indent=given.whole("n_indent", 0, MOST_BLANKS) or 0,
            seconds=max(0, given.whole("t_max_predict_ms", -1, MOST_MS) or 0) / 1000.0,
        )
        num_context = options.parameters.num_context
        if given.get("num_context") is None:
            window = min(Parameters().num_context, info.limits.most_context)
            num_context = window if is_infill else info.context_length
            options = evolve(options, parameters=evolve(options.parameters, num_context=window))
        if is_infill:
            texts = infill_texts(given)
            if tokens_in(texts.before, model.count_tokens) > num_context:
                texts = evolve(texts, before=anchored(texts.before))
        else:
            record = FORMATS.get(info.fim, FORMATS["prefix"])
            texts = texts_in(_prompt(given), record, reads_files=info.reads_files)
        by_rules = is_infill and samplers is not None and "infill" in samplers
        beginning = _beginning(given)
        prompt = build(texts, info, model.count_tokens, num_context, cuts=is_infill, beginning=beginning)
        return InfillRequest(
            texts=texts,
            prompt=prompt,
            choices=given.whole("n_cmpl", 1, MOST_CHOICES) or given.whole("n", 1, MOST_CHOICES) or 1,
            options=options,
            model=evolve(model, limits=limits),
            streams=given.flag("stream"),
            by_rules=by_rules,
            beginning=beginning,
            fields=given.texts("response_fields", MOST_FIELDS, LONGEST_FIELD),
            unread=tuple(given.unread),
        )

    def _at_once(self, asked: InfillRequest, found: list[Infilled]) -> Response:
        answers = []
        for number, one in enumerate(found):
            end = {"finish_reason": one.finish_reason, "timings": from_timings(one.timings)}
            options = evolve(asked.options, parameters=evolve(asked.options.parameters, seed=one.seed))
            model = evolve(asked.model, ending=one.ending)
            data = self._final(evolve(asked, options=options, model=model), number, end, one.text, one.text)
            answers.append(data | ({"reason": one.reason} if one.reason else {}))
        if not asked.streams:
            return _together(asked, answers)
        return Response(b"".join(event(one) for one in answers), media_type=SSE)

    async def _answer(self, asked: InfillRequest, lines: AsyncIterator[Line]) -> Response:
        text, answers = asked.beginning, []
        async for number, line in lines:
            text += line.get("text", "")
            if end := line.get("end"):
                answers.append(self._final(asked, number, end, text, text))
                text = asked.beginning
        return _together(asked, answers)

    async def _events(
        self,
        asked: InfillRequest,
        first: Line | None,
        lines: AsyncIterator[Line],
    ) -> AsyncIterator[bytes]:
        said, rated, following = "", 0.0, first
        try:
            while following is not None:
                number, line = following
                if end := line.get("end"):
                    rest = asked.beginning if not said else ""
                    yield event(self._final(asked, number, end, rest, said))
                    said, rated = "", 0.0
                    following = await anext(lines, None)
                    continue
                text = line["text"] if said else asked.beginning + line["text"]
                said += text
                timings = line["timings"]
                yield event(
                    {
                        "index": number,
                        "content": text,
                        "tokens": [],
                        "stop": False,
                        "tokens_predicted": timings["generated_tokens"],
                        "tokens_evaluated": timings["prompt_tokens"],
                        "timings": _timings(timings),
                        "completion_probabilities": [{"logprob": line["log_probability"] - rated}],
                    }
                )
                rated = line["log_probability"]
                following = await anext(lines, None)
        except Exception as error:
            # The status has been sent.
            yield event(error_line(logged(error)))

    def _final(
        self, asked: InfillRequest, number: int, end: Mapping[str, Any], content: str, said: str
    ) -> dict[str, Any]:
        """Return the last event of a choice, or its only answer."""
        timings, ending, options = end["timings"], asked.model.ending, asked.options
        is_limit = end["finish_reason"] == "length" or ending.is_limit
        data: dict[str, Any] = {
            "index": number,
            "content": content,
            "tokens": [],
            "stop": True,
            "model": self._served.engine.info.id,
            "tokens_predicted": timings["generated_tokens"],
            "tokens_evaluated": timings["prompt_tokens"],
            "generation_settings": {
                "seed": options.seed,
                "temperature": options.parameters.temperature,
                "top_k": options.parameters.top_k,
                "top_p": options.parameters.top_p,
                "n_predict": options.max_tokens,
            },
            "has_new_line": "\n" in said,
            "truncated": False,
            "stop_type": "word" if ending.word else "limit" if is_limit else "eos",
            "stopping_word": ending.word,
            "tokens_cached": timings["prompt_tokens"] + timings["generated_tokens"],
            "timings": _timings(timings),
        }
        return data | ({"ignored": list(asked.unread)} if asked.unread else {})


def _together(asked: InfillRequest, answers: list[dict[str, Any]]) -> Response:
    """Return what a client gets that does not read a stream: an object, or a list if it wants choices."""
    chosen = [_chosen(one, asked.fields) for one in answers]
    return as_json(chosen if asked.choices > 1 else chosen[0])


def _prompt(given: Given) -> str:
    prompts = given.texts("prompt", 1, LONGEST_PROMPT)
    if not prompts:
        raise ParameterError("prompt", "expected a string.")
    return prompts[0]


def _beginning(given: Given) -> str:
    """Return what the text must begin with, by the one grammar that is known."""
    grammar = given.text("grammar")
    if not grammar:
        return ""
    if (found := BEGINNING.fullmatch(grammar)) is None:
        raise ParameterError("grammar", "Aide has no grammars. Leave it out.")
    return re.sub(r"\\.", lambda match: ESCAPES[match.group()], found.group(1))


def _timings(timings: Mapping[str, Any]) -> dict[str, Any]:
    read, written = timings["prompt_tokens"] - timings["cached_tokens"], timings["generated_tokens"]
    read_ms = timings["first_token_ms"]
    written_ms = max(0.0, timings["total_ms"] - read_ms)
    return {
        "cache_n": timings["cached_tokens"],
        "prompt_n": read,
        "prompt_ms": read_ms,
        "prompt_per_token_ms": read_ms / read if read else 0.0,
        "prompt_per_second": read / read_ms * 1000 if read_ms else 0.0,
        "predicted_n": written,
        "predicted_ms": written_ms,
        "predicted_per_token_ms": written_ms / written if written else 0.0,
        "predicted_per_second": written / written_ms * 1000 if written_ms else 0.0,
    }


def _chosen(data: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields that a client wants, by their paths; without any, all."""
    if not fields:
        return dict(data)
    found: dict[str, Any] = {}
    for path in fields:
        value: Any = data
        for name in path.split("/"):
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            found[path] = value
    return found
