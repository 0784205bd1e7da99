"""Each kind of server is found out, asked in its own way, and read."""

import pytest

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.engines.remote.flavors.seeds import RANGE, server_seed
from aide_lsp.errors import ServerError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import PARAMETERS, Parameters
from tests.completion.test_completer import complete, request_at
from tests.engines.remote import kinds
from tests.engines.remote.stand_in import send, stand_in, status, stream

ALL = set(PARAMETERS)
TABLE = {
    # kind: answers, name, context, format (None: the server's own), honored, path
    "vLLM": (kinds.VLLM, "vLLM", 8192, "qwen2.5-coder", ALL, "/v1/completions"),
    "SGLang": (kinds.SGLANG, "SGLang", 8192, "qwen2.5-coder", ALL - {"seed"}, "/v1/completions"),
    "LM Studio": (kinds.LM_STUDIO, "LM Studio", 4096, "qwen2.5-coder", ALL, "/v1/completions"),
    "llama-cpp-python": (kinds.LLAMA_CPP_PYTHON, "llama-cpp-python", 0, None, ALL, "/v1/completions"),
    "other": (kinds.OTHER, "OpenAI-style server", 0, "prefix", ALL - {"top_k"}, "/v1/completions"),
    "Ollama": (kinds.OLLAMA, "Ollama", 32768, "qwen2.5-coder", ALL, "/api/generate"),
    "Mistral": (kinds.MISTRAL, "Mistral", 32768, None, ALL - {"top_k"}, "/v1/fim/completions"),
    "DeepSeek": (kinds.DEEPSEEK, "DeepSeek", 0, None, ALL - {"top_k", "seed"}, "/beta/completions"),
}
OPTIONS = GenerationOptions(
    Parameters(temperature=0.5, top_k=40, top_p=0.9, seed=7), max_tokens=100, candidate=0
)


def prompt_of(prefix, suffix="", healed=""):
    return Prompt((PromptPart(PartKind.PREFIX, prefix), PromptPart(PartKind.SUFFIX, suffix)), healed)


def generated(model, prompt, options=OPTIONS):
    generation = model.generate(prompt, options, CancelToken())
    text = "".join(generation)
    generation.close()
    return text, generation


@pytest.mark.parametrize("kind", TABLE)
def test_what_a_server_is_gets_found_out_by_its_own_questions(kind):
    answers, name, context, written, honored, _ = TABLE[kind]
    with stand_in(answers) as server:
        facts = server.model().connect(CancelToken())
        assert (facts.name, facts.context_length, facts.honored) == (name, context, honored)
        assert (facts.template.format.name if facts.template else None) == written
        assert facts.reads_suffix == (written != "prefix")
        assert facts.format_from
        assert not any("def " in str(body) for _, body, _ in server.requests)


@pytest.mark.parametrize("kind", TABLE)
def test_a_completion_goes_through_the_completer(kind):
    answers, *_, path = TABLE[kind]
    with stand_in(answers) as server:
        completion = complete(Completer(server.model()), request_at("x = |\n", temperature=0.5))
        assert completion.text == "foo(bar)"
        body = server.body(path)
        assert body["stream"] is True
        assert 1 <= body.get("max_tokens", body.get("options", {}).get("num_predict")) <= 128


@pytest.mark.parametrize("kind", TABLE)
def test_the_parameters_are_sent_as_the_kind_takes_them(kind):
    answers, *_, honored, path = TABLE[kind]
    with stand_in(answers) as server:
        model = server.model()
        assert generated(model, prompt_of("x = "))[0] == "foo(bar)\n"
        body = server.body(path)
        sent = body.get("options", body)
        assert (sent["temperature"], sent["top_p"], sent.get("top_k")) == (
            0.5,
            0.9,
            40 if "top_k" in honored else None,
        )
        seed = sent.get("random_seed", sent.get("seed"))
        assert seed == (None if kind == "DeepSeek" else 7)
        # What the server's own defaults may have switched on is off.
        assert all(sent.get(name, 0.0) == 0.0 for name in ("presence_penalty", "frequency_penalty", "min_p"))
        assert sent.get("repeat_penalty", 1.0) == sent.get("repetition_penalty", 1.0) == 1.0


@pytest.mark.parametrize("chosen", [{"temperature": 0.0}, {"top_k": 1}, {"top_p": 0.0}])
@pytest.mark.parametrize("kind", TABLE)
def test_where_nothing_is_drawn_every_kind_is_told_the_same(kind, chosen):
    """vLLM rejects a Top P of 0; Mistral any but 1 with temperature 0."""
    answers, *_, path = TABLE[kind]
    options = GenerationOptions(Parameters(seed=7, **chosen), max_tokens=10)
    with stand_in(answers) as server:
        generated(server.model(), prompt_of("x = "), options)
        sent = server.body(path).get("options", server.body(path))
        assert (sent["temperature"], sent["top_p"], sent.get("top_k", 1)) == (0.0, 1.0, 1)


def test_seeds_fit_in_31_bits_and_differ_by_candidate():
    assert server_seed(7, 0) == 7
    seeds = [server_seed(seed, candidate) for seed in (0, 1, -1, 2**63, 10**400) for candidate in range(3)]
    assert all(0 <= seed < RANGE for seed in seeds)
    assert len(set(seeds)) == len(seeds)


def test_control_tokens_in_the_user_s_text_are_broken_up():
    first, second, third = kinds.QWEN.control_tokens
    with stand_in(kinds.VLLM) as server:
        generated(server.model(), prompt_of(f"a = '{first}' +", f"b = '{third}'"))
        sent = server.body("/v1/completions")["prompt"]
        broken = [f"{name[0]} {name[1:]}" for name in (first, third)]
        assert sent == f"{first}{second}b = '{broken[1]}'{third}a = '{broken[0]}' +"


def test_a_lone_surrogate_can_be_sent():
    with stand_in(kinds.VLLM) as server:
        assert generated(server.model(), prompt_of("a = '\ud800'"))[0] == "foo(bar)\n"
        assert "\ufffd" in server.body("/v1/completions")["prompt"]


def test_half_of_a_character_in_an_answer_is_replaced():
    with stand_in(kinds.VLLM | {"/v1/completions": stream(*kinds.choice_events("a\ud83d", "b"))}) as server:
        assert generated(server.model(), prompt_of("x"))[0] == "a\ufffdb"


def test_prefix_and_suffix_are_sent_to_servers_that_write_the_prompt():
    for answers, path in ((kinds.MISTRAL, "/v1/fim/completions"), (kinds.DEEPSEEK, "/beta/completions")):
        with stand_in(answers) as server:
            generated(server.model(), prompt_of("def f(", "):\n", healed="a"))
            assert (server.body(path)["prompt"], server.body(path)["suffix"]) == ("def f(a", "):\n")


def test_the_settings_choose_model_and_format():
    with stand_in(kinds.OTHER) as server:
        model = server.model(model="second", format="starcoder")
        generated(model, prompt_of("a", "b"))
        body = server.body("/v1/completions")
        assert (body["model"], model.info.id, model.info.reads_suffix) == ("second", "second", True)
        assert body["prompt"].endswith("a")
        assert "b" in body["prompt"]
        assert len(body["stop"]) == 4


def test_the_card_s_format_is_taken_where_the_server_shows_none():
    with stand_in(kinds.OTHER) as server:
        assert (
            server.model(card_format="starcoder").connect(CancelToken()).template.format.name == "starcoder"
        )
    with stand_in(kinds.VLLM) as server:
        facts = server.model(card_format="starcoder").connect(CancelToken())
        assert (facts.template.format.name, facts.format_from) == (
            "qwen2.5-coder",
            "the model's control tokens",
        )


def test_an_unknown_format_is_reported_and_only_the_prefix_is_sent():
    with stand_in(kinds.OTHER) as server:
        model = server.model()
        generated(model, prompt_of("before", "after"))
        assert server.body("/v1/completions")["prompt"] == "before"
        assert not model.info.reads_suffix
        assert "set engine_format" in model.facts.format_from


def test_older_servers_tokenize_without_texts_of_tokens():
    def without(handler, body):
        kinds.vllm_tokenize(handler, {**body, "return_token_strs": False})

    with stand_in(kinds.VLLM | {"/tokenize": without}) as server:
        assert server.model().connect(CancelToken()).template.format.name == "qwen2.5-coder"


def test_ollama_takes_the_format_from_the_vocabulary_where_the_template_has_none():
    with stand_in(kinds.OLLAMA | {"/api/show": kinds.show("{{ .Prompt }}")}) as server:
        facts = server.model().connect(CancelToken())
        assert (facts.template.format.name, facts.format_from) == (
            "qwen2.5-coder",
            "the model's control tokens",
        )


@pytest.mark.parametrize("model", [None, "coder", "other:7b"])
def test_ollama_says_which_weights_it_runs(model):
    tags = [
        {"name": "coder:latest", "digest": "sha256:aa11", "details": {"quantization_level": "Q4_K_M"}},
        {"name": "other:7b", "digest": 5, "details": None},
    ]
    with stand_in(kinds.OLLAMA | {"/api/tags": {"models": tags}}) as server:
        found = server.model(model=model)
        found.connect(CancelToken())
        info = found.info
    expected = ("", "") if model == "other:7b" else ("Q4_K_M", "aa11")
    assert (info.recipe, info.source_sha256) == expected


def test_ollama_gets_raw_prompts_and_a_context_that_holds_them():
    big = GenerationOptions(Parameters(num_context=6000), max_tokens=100)
    with stand_in(kinds.OLLAMA) as server:
        model = server.model()
        _, generation = generated(model, prompt_of("x = ", "y"))
        body = server.body("/api/generate")
        assert (body["raw"], body["options"]["num_ctx"], body["truncate"]) == (True, 4096, False)
        assert (generation.timings.prompt_tokens, generation.timings.generated_tokens) == (7, 3)
        generated(model, prompt_of("x = "), big)
        assert server.body("/api/generate")["options"]["num_ctx"] == 8192


def test_ollama_is_not_made_to_load_a_model_again_whose_context_is_large_enough():
    loaded = {"models": [{"name": "coder:latest", "context_length": 16384}]}
    with stand_in(kinds.OLLAMA | {"/api/ps": loaded}) as server:
        generated(server.model(model="coder"), prompt_of("x = "))
        assert server.body("/api/generate")["options"]["num_ctx"] == 16384


@pytest.mark.parametrize("place", ["https://ollama.example:443", "https://me@ollama.example:443/path"])
def test_where_ollama_passes_text_on_is_shown(place):
    show = kinds.show(kinds.OLLAMA_TEMPLATE, remote_host=place)
    with stand_in(kinds.OLLAMA | {"/api/show": show}) as server:
        model = server.model()
        model.connect(CancelToken())
        assert model.info.host == "ollama.example:443"
        assert "sends the text on" in model.facts.notes[0]


def test_a_missing_model_is_named_with_those_that_are_there():
    with (
        stand_in(kinds.OLLAMA) as server,
        pytest.raises(ServerError, match=r"missing.*coder:latest, other:7b"),
    ):
        server.model(model="missing").connect(CancelToken())


def test_probabilities_are_asked_for_only_where_they_are_used():
    rated = {"choices": [{"text": "foo", "logprobs": {"token_logprobs": [-0.5]}, "finish_reason": None}]}
    events = [rated, *kinds.choice_events("")]

    with stand_in(kinds.VLLM | {"/v1/completions": stream(*events)}) as server:
        model = server.model()
        generated(model, prompt_of("x"))
        assert "logprobs" not in server.body("/v1/completions")
        _, generation = generated(
            model, prompt_of("x"), GenerationOptions(Parameters(), max_tokens=9, min_confidence=0.1)
        )
        assert server.body("/v1/completions")["logprobs"] == 1
        assert generation.log_probability == -0.5


def test_a_configured_kind_is_not_looked_for_elsewhere():
    listed = kinds.listed("proxy", "filler")
    with stand_in(kinds.MISTRAL | {"/v1/models": listed}) as server:
        model = server.model(kind="mistral")
        assert generated(model, prompt_of("x"))[0] == "foo(bar)\n"
        assert server.paths() == ["/v1/models", "/v1/fim/completions"]


def test_stops_are_four_at_most_and_only_those_that_are_no_text():
    with stand_in(kinds.OTHER) as server:
        generated(server.model(format="starcoder"), prompt_of("a", "b"))
        stops = server.body("/v1/completions")["stop"]
        assert all("fim" in name or "|" in name for name in stops)


def test_a_control_token_that_is_written_ends_the_text():

    end = kinds.QWEN.control_tokens[2]
    with stand_in(
        kinds.VLLM | {"/v1/completions": stream(*kinds.choice_events("foo", f"(bar){end}x", "y"))}
    ) as server:
        text, generation = generated(server.model(), prompt_of("x"))
        assert (text, generation.finish_reason) == ("foo(bar)", "stop")


def test_an_answer_that_is_cut_by_the_limit_says_so():

    answers = kinds.VLLM | {"/v1/completions": stream(*kinds.choice_events("foo", finish="length"))}
    with stand_in(answers) as server:
        assert generated(server.model(), prompt_of("x"))[1].finish_reason == "length"


def test_a_stream_without_a_reason_ends_with_the_word_of_its_end():

    events = kinds.choice_events("foo")[:-1]
    with stand_in(kinds.VLLM | {"/v1/completions": stream(*events)}) as server:
        text, generation = generated(server.model(), prompt_of("x"))
        assert (text, generation.finish_reason) == ("foo", "stop")


def test_llama_cpp_whose_list_of_models_needs_no_key_is_no_other_server():
    listed = kinds.listed("llamacpp", "coder.gguf")
    with stand_in({"/props": status(401), "/v1/models": listed}) as server:
        with pytest.raises(ServerError) as caught:
            server.model().connect(CancelToken())
        assert caught.value.kind == "key"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(302, "", Location="https://models.example.com/"), "redirect"),
        (status(500, {"error": "out of memory"}), "server-failed"),
        (status(404), "unknown-kind"),
        (status(501), "unknown-kind"),
        ({"object": "list", "data": []}, "no-model"),
    ],
)
def test_why_a_kind_cannot_be_found_out_is_said(answer, kind):
    with stand_in({"/v1/models": answer}) as server, pytest.raises(ServerError) as caught:
        server.model().connect(CancelToken())
    assert caught.value.kind == kind


@pytest.mark.parametrize("listed", [status(404), {"data": []}])
@pytest.mark.parametrize(("kind", "answers"), [("mistral", kinds.MISTRAL), ("openai", kinds.OTHER)])
def test_a_server_without_a_list_of_models_is_used_if_the_settings_say_what_it_is(listed, kind, answers):
    with stand_in(answers | {"/v1/models": listed}) as server:
        assert generated(server.model(kind=kind, model="filler"), prompt_of("x"))[0] == "foo(bar)\n"
        with pytest.raises(ServerError):
            generated(server.model(model="filler") if callable(listed) else server.model(), prompt_of("x"))


def test_a_page_is_no_server_even_if_the_settings_say_so():
    page = lambda handler, body: send(handler, 200, b"<p>hello", "text/html")  # noqa: E731
    with stand_in(kinds.OTHER | {"/v1/models": page}) as server, pytest.raises(ServerError) as caught:
        generated(server.model(kind="openai", model="x"), prompt_of("the text"))
    assert caught.value.kind == "other-kind"
    assert "the text" not in str(server.requests)


def test_an_unknown_kind_names_what_was_expected():
    with (
        stand_in({"/v1/models": status(200, "<html>")}) as server,
        pytest.raises(Exception, match=r"not as aide serve, llama\.cpp"),
    ):
        server.model().connect(CancelToken())


def test_the_unfinished_word_is_generated_again_and_left_out():
    with stand_in(kinds.VLLM) as server:
        text, _ = generated(server.model(), prompt_of("x = ", "\n", healed="fo"))
        assert text == "o(bar)\n"
        (sent,) = [body for path, body, _ in server.requests if path == "/v1/completions"]
        assert sent["prompt"].endswith("x = ")
        assert sent["max_tokens"] == OPTIONS.max_tokens + 2


@pytest.mark.parametrize("word", ["foo(bar)\n and more", "fa", "g"])
def test_if_the_model_means_another_word_it_goes_on_from_where_the_word_is_cut(word):
    def answer(handler, body):
        is_cut = body["prompt"].endswith(word)
        stream(*kinds.choice_events("rest" if is_cut else "foo", "" if is_cut else "(bar)\n"))(handler, body)

    with stand_in(kinds.VLLM | {"/v1/completions": answer}) as server:
        text, generation = generated(server.model(), prompt_of("x = ", "\n", healed=word))
        assert (text, generation.finish_reason) == ("rest", "stop")
