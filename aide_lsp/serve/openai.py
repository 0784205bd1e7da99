"""OpenAI's `/v1/completions`, as its clients use it for code, and `/v1/models`.

Reference: https://platform.openai.com/docs/api-reference/completions
"""

import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import uuid4

from attrs import evolve, frozen
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aide_lsp.completion.fim import FORMATS
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.shared.wire import WireError, from_error
from aide_lsp.errors import AideError
from aide_lsp.inference.cancel import Cancelled
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.serve.answers import RefusedError, as_json, failure
from aide_lsp.serve.generation import answered
from aide_lsp.serve.machine import machine_of
from aide_lsp.serve.protocols.fim_prompts import Texts, TooLongError, build, texts_in
from aide_lsp.serve.protocols.given import Given, ParameterError
from aide_lsp.serve.protocols.limits import LimitedModel, TextLimits, stops_in
from aide_lsp.serve.protocols.sampling import MOST_CHOICES, options_of
from aide_lsp.serve.protocols.sse import Generations, Line, event
from aide_lsp.serve.served import Served, end_of, logged

OWNER = "aide"
MOST_PROMPTS, LONGEST_PROMPT = 16, 8_000_000
DONE = b"data: [DONE]\n\n"
TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
"""Of errors by status; others below 500 are about the request."""


def routes(served: Served) -> list[Route]:
    """Return the routes of OpenAI's protocol."""
    protocol = OpenAiProtocol(served)
    return [
        Route("/v1/models", protocol.models, methods=["GET"]),
        Route("/v1/completions", protocol.completions, methods=["POST"]),
        Route("/v1/chat/completions", protocol.chat, methods=["POST"]),
    ]


@frozen
class CompletionsRequest:
    """What a request asks for."""

    prompts: tuple[Prompt, ...]
    "Each is answered `choices` times."
    choices: int
    options: GenerationOptions
    model: LimitedModel
    streams: bool
    counts: bool
    "Whether a stream ends with what it cost."
    unread: tuple[str, ...]
    "Parameters without effect."


class OpenAiProtocol:
    """Answers OpenAI's requests."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def models(self, request: Request) -> Response:
        """List the model that is served."""
        try:
            info = self._served.engine.info
        except RefusedError as error:
            return _error(error)
        model = {"id": info.id, "object": "model", "created": 0, "owned_by": OWNER}
        facts = {"max_model_len": info.context_length, "meta": {"n_vocab": info.vocabulary_size}}
        return as_json({"object": "list", "data": [model | facts]})

    async def chat(self, request: Request) -> Response:
        """Say what to use instead."""
        message = "aide serve completes text and has no chat. Use /v1/completions with prompt and suffix."
        # As an answer, too: llama.vim does not look at the status, shows what an assistant said, and would
        # replace the selection with nothing.
        said = {"role": "assistant", "content": message}
        choice = {"index": 0, "message": said, "finish_reason": "stop"}
        error = _error_data(message, "invalid_request_error", "no_chat")
        return as_json({"error": error, "choices": [choice]}, 404)

    async def completions(self, request: Request) -> Response:
        """Complete one or more prompts."""
        try:
            return await self._completions(request)
        except (AideError, RefusedError, Cancelled) as error:
            self._served.metrics.refused(end_of(error))
            return _error(error)

    async def _completions(self, request: Request) -> Response:
        session = self._served.session(request)
        given = Given(await self._served.bodies.read(request))
        asked = await self._served.count(partial(self._asked, given, LimitedModel(session)))
        if asked.options.max_tokens == 0:
            await self._read_ahead(request, asked)
        generations = Generations([partial(self._start, asked, number) for number in _numbers(asked)])
        answer, events = partial(self._answer, asked), partial(self._events, asked)
        return await answered(request, generations, answer, events, streams=asked.streams)

    def _asked(self, given: Given, model: LimitedModel) -> CompletionsRequest:
        info, limits = model.info, model.info.limits
        given.skip("model", "user")
        stops = TextLimits(stops_in(given))
        best_of, choices = given.whole("best_of", 1, 64), given.whole("n", 1, MOST_CHOICES) or 1
        if best_of not in (None, choices):
            raise ParameterError("best_of", "Aide does not rate several to choose from. Use n.")
        stream_options: Any = given.get("stream_options") or {}
        options = options_of(given, limits, "max_tokens")
        suffix, prompts = given.text("suffix"), given.texts("prompt", MOST_PROMPTS, LONGEST_PROMPT)
        if not prompts:
            raise ParameterError("prompt", "expected the text to continue, or the text before the cursor.")
        record, reads_files = FORMATS.get(info.fim, FORMATS["prefix"]), info.reads_files
        texts = [
            texts_in(one, record, reads_files=reads_files) if suffix is None else Texts(one, suffix)
            for one in prompts
        ]
        num_context = options.parameters.num_context
        if given.get("num_context") is None:
            num_context = info.context_length
        built = (build(one, info, model.count_tokens, num_context, cuts=False) for one in texts)
        return CompletionsRequest(
            prompts=tuple(built),
            choices=choices,
            options=options,
            model=evolve(model, limits=stops),
            streams=given.flag("stream"),
            counts=isinstance(stream_options, dict) and stream_options.get("include_usage") is True,
            unread=tuple(given.unread),
        )

    async def _read_ahead(self, request: Request, asked: CompletionsRequest) -> None:
        for prompt in asked.prompts:
            work = partial(asked.model.prefill, prompt, asked.options)
            await self._served.call(request, "prefill", work)

    def _start(self, asked: CompletionsRequest, number: int) -> Any:
        options = evolve(asked.options, candidate=number % asked.choices)
        prompt = asked.prompts[number // asked.choices]
        return self._served.generate(asked.model, prompt, options, kind="completions")

    async def _answer(self, asked: CompletionsRequest, lines: AsyncIterator[Line]) -> Response:
        usage, texts, ends = _Usage(asked), [""] * len(_numbers(asked)), ["length"] * len(_numbers(asked))
        async for number, line in lines:
            texts[number] += line.get("text", "")
            if end := line.get("end"):
                ends[number] = _reason(end)
                usage.add(number, end["timings"])
        choices = [_choice(number, text, ends[number]) for number, text in enumerate(texts)]
        return as_json(self._head(asked) | {"choices": choices, "usage": usage.data} | _notes(asked))

    async def _events(
        self,
        asked: CompletionsRequest,
        first: Line | None,
        lines: AsyncIterator[Line],
    ) -> AsyncIterator[bytes]:
        head, usage = self._head(asked), _Usage(asked)
        none = {"usage": None} if asked.counts else {}
        following: Line | None = first
        try:
            while following is not None:
                number, line = following
                text, end = line.get("text", ""), line.get("end")
                if end:
                    usage.add(number, end["timings"])
                    yield event(
                        head | {"choices": [_choice(number, "", _reason(end))]} | none | _notes(asked)
                    )
                elif text:
                    yield event(head | {"choices": [_choice(number, text, None)]} | none)
                following = await anext(lines, None)
        except Exception as error:
            # The status has been sent.
            yield event({"error": _data_of(logged(error))})
            return
        if asked.counts:
            yield event(head | {"choices": [], "usage": usage.data})
        yield DONE

    def _head(self, asked: CompletionsRequest) -> dict[str, Any]:
        info = self._served.engine.info
        return {
            "id": f"cmpl-{uuid4().hex}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": info.id,
            # On machines of the same name, the same request gives the same bytes.
            "system_fingerprint": machine_of(info),
            "seed": asked.options.seed,
        }


class _Usage:
    """What all choices cost; each prompt counts once."""

    def __init__(self, asked: CompletionsRequest) -> None:
        self._choices = asked.choices
        self._read, self._cached, self._written = 0, 0, 0

    def add(self, number: int, timings: dict[str, Any]) -> None:
        if number % self._choices == 0:
            self._read += timings["prompt_tokens"]
            self._cached += timings["cached_tokens"]
        self._written += timings["generated_tokens"]

    @property
    def data(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self._read,
            "completion_tokens": self._written,
            "total_tokens": self._read + self._written,
            "prompt_tokens_details": {"cached_tokens": self._cached},
        }


def _numbers(asked: CompletionsRequest) -> range:
    """Return the numbers of the choices: those of the first prompt first."""
    return range(len(asked.prompts) * asked.choices)


def _choice(number: int, text: str, reason: str | None) -> dict[str, Any]:
    return {"index": number, "text": text, "logprobs": None, "finish_reason": reason}


def _notes(asked: CompletionsRequest) -> dict[str, Any]:
    return {"ignored": list(asked.unread)} if asked.unread else {}


def _reason(end: dict[str, Any]) -> str:
    return "length" if end["finish_reason"] == "length" else "stop"


def _error(error: Exception) -> Response:
    """Return an error in OpenAI's form."""
    plain = failure(error)
    headers = {name: plain.headers[name] for name in ("Retry-After", "Connection") if name in plain.headers}
    return as_json({"error": _data_of(error, plain.status_code)}, plain.status_code, headers)


def _data_of(error: Exception, status: int = 500) -> dict[str, Any]:
    code = error.code if isinstance(error, RefusedError) else from_error(error)["code"]
    if isinstance(error, WireError):
        code = "context_length_exceeded" if isinstance(error, TooLongError) else "invalid"
    kind = TYPES.get(status) or ("invalid_request_error" if status < 500 else "server_error")
    message = str(error) if isinstance(error, RefusedError) else from_error(error)["message"]
    return _error_data(message, kind, code, getattr(error, "parameter", None))


def _error_data(message: str, kind: str, code: str, parameter: str | None = None) -> dict[str, Any]:
    return {"message": message, "type": kind, "param": parameter, "code": code}
