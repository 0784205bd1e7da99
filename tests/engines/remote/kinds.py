"""What each kind of server answers to questions about itself, as its documentation says."""

import json

from aide_lsp.completion.fim import FORMATS
from tests.engines.remote.stand_in import lines, send, status, stream

QWEN = FORMATS["qwen2.5-coder"]
IDS = {name: 90_000 + number for number, name in enumerate((*QWEN.control_tokens, *QWEN.stops))}


def choice_events(*pieces, finish="stop"):
    """Events in OpenAI's form."""
    events = [{"choices": [{"index": 0, "text": piece, "finish_reason": None}]} for piece in pieces]
    return [*events, {"choices": [{"index": 0, "text": "", "finish_reason": finish}]}]


def delta_events(*pieces):
    """Events in the form of messages."""
    events = [
        {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in pieces
    ]
    return [*events, {"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}]}]


def listed(owner, *names, **facts):
    return {
        "object": "list",
        "data": [{"id": name, "object": "model", "owned_by": owner, **facts} for name in names],
    }


def vllm_tokenize(handler, body):
    """Tokenize control tokens only: the rest is one token for each character."""
    rest, tokens = body["prompt"], []
    while rest:
        name = next((name for name in IDS if rest.startswith(name)), rest[0])
        tokens.append((name, IDS.get(name, ord(name[0]))))
        rest = rest[len(name) :]
    answer = {"count": len(tokens), "max_model_len": 8192, "tokens": [number for _, number in tokens]}
    if body.get("return_token_strs"):
        answer["token_strs"] = [name for name, _ in tokens]
    status(200, answer)(handler, body)


def counting(special):
    """Complete with one token, and count the prompt's: `special` are one each, other characters too."""

    def answer(handler, body):
        if body.get("stream"):
            return stream(*choice_events("foo", "(bar)\n"))(handler, body)
        rest = body["prompt"]
        for name in special:
            rest = rest.replace(name, "\x00")
        usage = {"prompt_tokens": 1 + len(rest), "completion_tokens": 1}
        return status(200, {"choices": [{"text": "x", "finish_reason": "length"}], "usage": usage})(
            handler, body
        )

    return answer


def no_suffix(handler, body):
    """As vLLM does."""
    if "suffix" in body:
        said = {"object": "error", "message": "suffix is not currently supported", "code": 400}
        return status(400, said)(handler, body)
    return stream(*choice_events("foo", "(bar)\n"))(handler, body)


def four_stops(handler, body):
    """As OpenAI does: at most 4 stops, no Top K, 16 tokens unless the request says how many."""
    if "top_k" in body:
        return status(400, {"error": {"message": "Unrecognized request argument supplied: top_k"}})(
            handler, body
        )
    if len(body.get("stop", [])) > 4:
        return status(400, {"error": {"message": "'stop' may have at most 4 items"}})(handler, body)
    assert "max_tokens" in body
    return stream(*choice_events("foo", "(bar)\n"))(handler, body)


def show(template="", **facts):
    info = {"general.architecture": "qwen2", "qwen2.context_length": 32768}

    def answer(handler, body):
        if body["model"].startswith("missing"):
            return status(404, {"error": f"model '{body['model']}' not found"})(handler, body)
        more = {"tokenizer.ggml.tokens": list(IDS)} if body.get("verbose") else {}
        return send(
            handler,
            200,
            json.dumps({"template": template, "model_info": info | more, **facts}).encode(),
        )

    return answer


OLLAMA_TEMPLATE = (
    "{{- if .Suffix }}"
    + QWEN.control_tokens[0]
    + "{{ .Prompt }}"
    + QWEN.control_tokens[1]
    + "{{ .Suffix }}"
    + QWEN.control_tokens[2]
    + "{{- else }}{{ .Prompt }}{{- end }}"
)
GENERATED = lines(
    {"response": "foo", "done": False},
    {"response": "(bar)\n", "done": False},
    {"response": "", "done": True, "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 3},
)
VLLM = {
    "/v1/models": listed("vllm", "coder", max_model_len=8192),
    "/version": {"version": "0.11.0"},
    "/tokenize": vllm_tokenize,
    "/v1/completions": no_suffix,
}
SGLANG = {
    "/v1/models": listed("sglang", "coder", max_model_len=8192),
    "/tokenize": vllm_tokenize,
    "/v1/completions": no_suffix,
}
LM_STUDIO = {
    "/v1/models": listed("organization_owner", "coder"),
    "/api/v0/models": {"data": [{"id": "coder", "loaded_context_length": 4096, "max_context_length": 32768}]},
    # It answers 200 to what it does not know.
    "/props": {"error": "Unexpected endpoint or method. (GET /props)"},
    "/api/version": {"error": "Unexpected endpoint or method. (GET /api/version)"},
    "/v1/completions": counting(QWEN.control_tokens + QWEN.marks),
}
LLAMA_CPP_PYTHON = {
    "/v1/models": listed("me", "coder.gguf"),
    "/v1/completions": counting(()),
}
OTHER = {"/v1/models": listed("someone", "first", "second"), "/v1/completions": four_stops}
OLLAMA = {
    "/api/version": {"version": "0.12.3"},
    "/api/tags": {"models": [{"name": "coder:latest"}, {"name": "other:7b"}]},
    "/api/show": show(OLLAMA_TEMPLATE),
    "/api/ps": {"models": []},
    "/api/generate": GENERATED,
    "/v1/models": listed("library", "coder:latest"),
}
MISTRAL = {
    "/v1/models": {
        "data": [
            {"id": "large", "owned_by": "mistralai", "capabilities": {"completion_fim": False}},
            {
                "id": "filler",
                "owned_by": "mistralai",
                "capabilities": {"completion_fim": True},
                "max_context_length": 32768,
            },
        ]
    },
    "/v1/fim/completions": stream(*delta_events("foo", "(bar)\n")),
}
DEEPSEEK = {
    "/v1/models": listed("deepseek", "chat"),
    "/beta/completions": stream(*choice_events("foo", "(bar)\n")),
}
