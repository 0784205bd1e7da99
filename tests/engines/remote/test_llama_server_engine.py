"""The engine with llama.cpp's real server: the same prompt as Aide's own engine, canceling, restarts."""

import pytest

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.fim_template import open_format
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.flavors.llama_cpp import grammar, infill
from aide_lsp.engines.remote.look import look_at_server
from aide_lsp.engines.remote.model import RemoteModel
from aide_lsp.errors import ServerError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.tokenizer import Tokenizer
from aide_lsp.server_address import server_address
from aide_lsp.settings.fields import Parameters
from tests.completion.test_completer import complete, request_at
from tests.llama_reference import llama_server
from tests.tiny_model import tiny_gguf, tiny_model_folder

GREEDY = GenerationOptions(Parameters(temperature=0.0, seed=1), max_tokens=8)


@pytest.fixture(scope="module")
def gguf(tmp_path_factory):
    return tiny_gguf(tmp_path_factory.mktemp("server") / "tiny.gguf")


@pytest.fixture(scope="module")
def server(gguf):
    with llama_server(gguf, endpoint_slots=True) as running:
        yield running


@pytest.fixture
def model(server):
    model = RemoteModel(ServerChoice(server_address(server.url)))
    yield model
    model.close()


def prompt_of(prefix, suffix="", healed="", *others):
    parts = (*others, PromptPart(PartKind.PREFIX, prefix), PromptPart(PartKind.SUFFIX, suffix))
    return Prompt(parts, healed)


def run(model, prompt, options=GREEDY, cancel=None):
    generation = model.generate(prompt, options, cancel or CancelToken())
    text = "".join(generation)
    generation.close()
    return text, generation


def exhaust(generation, after_third):
    for count, _ in enumerate(generation):
        if count == 2:
            after_third()


def test_the_server_is_found_out(model, server):
    facts = model.connect(CancelToken())
    assert (facts.name, facts.template.format.name) == ("llama.cpp", "qwen2.5-coder")
    assert (facts.context_length, facts.honored) == (2048, model.info.honored)
    assert model.info.host == server.url.removeprefix("http://")
    assert model.info.reads_files


def test_the_prompt_is_the_same_as_that_of_aide_s_own_engine_token_by_token(model, tmp_path):
    tokenizer = Tokenizer.from_file(tiny_model_folder(tmp_path / "model") / "tokenizer.json")
    template = open_format("qwen2.5-coder", tokenizer)
    control = template.format.control_tokens[0]
    prompts = [
        prompt_of("def f(a):\n    return ", "\n\nprint(f(1))\n"),
        prompt_of(f"a = '{control}' # é 漢 \U0001f600\n\tx", "\r\n"),
        prompt_of("", "after"),
        prompt_of(
            "x = 1\n",
            "",
            "",
            PromptPart(PartKind.PROJECT, "project\n"),
            PromptPart(PartKind.PATH, "a.py\n"),
            PromptPart(PartKind.EXCERPT, "y = 2\n"),
            PromptPart(PartKind.PATH, "b.py\n"),
        ),
    ]
    flavor, facts = model._link.connect(CancelToken())
    for prompt in prompts:
        sent = flavor.request(facts, prompt, GREEDY, model._link.connection, CancelToken())
        assert sent.body["prompt"] == template.render(prompt, tokenizer.encode)


def test_a_completion_comes_through_the_completer_and_is_the_same_again(model):
    completer = Completer(model)
    first = complete(completer, request_at("def f(a):\n    return |\n", temperature=0, show="all"))
    completer.clear_cache()
    again = complete(completer, request_at("def f(a):\n    return |\n", temperature=0, show="all"))
    assert (first.text, first.finish_reason) == (again.text, again.finish_reason)
    assert again.cached_tokens > 0


def test_the_healed_text_comes_first_and_is_left_out(model):
    text, generation = run(model, prompt_of("x =", "\n", healed=" ab"))
    whole, _ = run(model, prompt_of("x =", "\n"))
    assert generation.finish_reason in ("stop", "length")
    assert not text.startswith(" ab")
    assert whole != text


def test_grammars_of_any_text_are_accepted(server):
    for healed in (' "', "\\", "\t", " #", "é", "'", "  ret", "\x01"):
        body = {"prompt": [5], "n_predict": 12, "grammar": grammar(healed), "temperature": 0.0}
        assert server.post("/completion", body)["content"].startswith(healed)


def test_parameters_reach_the_sampler_as_they_are(server, model):
    sent = {}
    post = server.post
    flavor, facts = model._link.connect(CancelToken())
    options = GenerationOptions(Parameters(temperature=0.5, top_k=7, top_p=0.25, seed=11), max_tokens=3)
    request = flavor.request(facts, prompt_of("x"), options, model._link.connection, CancelToken())
    sent = post("/completion", request.body | {"stream": False})["generation_settings"]
    assert sent["samplers"] == ["temperature", "top_k", "top_p"]
    assert (sent["top_k"], sent["seed"], sent["n_predict"]) == (7, 11, 3)
    assert (sent["temperature"], sent["top_p"]) == (pytest.approx(0.5), pytest.approx(0.25))
    assert (sent["min_p"], sent["repeat_penalty"], sent["dry_multiplier"], sent["mirostat"]) == (0, 1, 0, 0)


def test_one_seed_gives_one_text_on_one_server_and_candidates_differ(model):
    options = GenerationOptions(Parameters(temperature=1.0, top_k=500, top_p=1.0, seed=3), max_tokens=12)
    texts = [run(model, prompt_of("x = ", "\n"), options)[0] for _ in range(2)]
    other = run(model, prompt_of("x = ", "\n"), GenerationOptions(options.parameters, 12, candidate=1))[0]
    assert texts[0] == texts[1] != other


def test_probabilities_come_where_they_are_used(model):
    options = GenerationOptions(Parameters(temperature=0.0), max_tokens=4, min_confidence=0.1)
    assert run(model, prompt_of("x = ", "\n"), options)[1].log_probability < 0
    assert run(model, prompt_of("x = ", "\n"))[1].log_probability == 0


def test_what_is_prefilled_is_not_run_again(model):
    prompt = prompt_of("a = 1\n" * 30, "\nb = 2\n", healed=" ")
    model.connect(CancelToken())
    assert model.prefill(prompt, GREEDY, CancelToken()) > 50
    timings = run(model, prompt)[1].timings
    assert timings.prompt_tokens - timings.cached_tokens < 10


def test_the_server_stops_computing_when_a_completion_is_canceled(model, server):
    # Long enough that it would never end by itself while this test waits.
    options = GenerationOptions(Parameters(temperature=1.0, top_k=5000, top_p=1.0), max_tokens=1500)
    cancel = CancelToken()

    def stop():
        assert server.get("/slots")[0]["is_processing"]
        cancel.cancel()

    with pytest.raises(Cancelled):
        exhaust(model.generate(prompt_of("x"), options, cancel), after_third=stop)
    while (slot := server.get("/slots")[0])["is_processing"]:
        pass  # until it has noticed
    assert slot["next_token"][0]["n_decoded"] < 1500


def test_it_also_answers_as_servers_of_openai_s_kind_do(server, model):
    choice = ServerChoice(server_address(server.url), kind="openai", format="qwen2.5-coder")
    other = RemoteModel(choice)
    text, generation = run(other, prompt_of("x = ", "\n"))
    other.close()
    assert (other.info.engine, generation.finish_reason) == ("OpenAI-style server", "length")
    assert text == run(model, prompt_of("x = ", "\n"))[0]


def test_where_no_format_is_known_the_server_may_write_the_prompt():
    prompt = prompt_of("a", "b", "", PromptPart(PartKind.PATH, "x.py\n"), PromptPart(PartKind.EXCERPT, "c\n"))
    assert infill(prompt) == {
        "input_prefix": "a",
        "input_suffix": "b",
        "input_extra": [{"filename": "x.py", "text": "c\n"}],
        "prompt": "",
    }


def test_a_look_times_it(server):
    report = look_at_server(ServerChoice(server_address(server.url)))
    assert (report.problem, report.name, report.reads_suffix) == ("", "llama.cpp", True)
    assert report.first_token_ms > 0


def test_a_server_that_is_killed_and_comes_back_completes_again(gguf):
    """Requests keep coming: some fail with a reason, and none waits for ever or ends the engine."""
    with llama_server(gguf) as first:
        address = server_address(first.url)
        model = RemoteModel(ServerChoice(address))
        assert run(model, prompt_of("x", "\n"))[1].finish_reason
        port = int(first.url.rpartition(":")[2])
        long = GenerationOptions(Parameters(temperature=1.0, top_k=5000), max_tokens=1500)
        with pytest.raises(ServerError) as caught:
            exhaust(model.generate(prompt_of("x", "\n"), long, CancelToken()), after_third=first.kill)
        assert caught.value.kind == "broken-off"
    with pytest.raises(ServerError):
        run(model, prompt_of("x", "\n"))
    with llama_server(gguf, port=port):
        assert model.is_back()
        assert run(model, prompt_of("x", "\n"))[1].finish_reason
        assert model.failure is None
        model.close()
