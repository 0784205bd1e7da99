"""A second engine is one class: what it generates goes through completer, server and explanation as it is."""

import pytest

from aide_lsp.completion.candidates import complete_several
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.prompt import PartKind
from aide_lsp.explain.explanation import explain
from aide_lsp.inference.cancel import Cancelled, CancelToken
from tests.completion.test_completer import complete, request_at
from tests.fakes import ScriptedModel
from tests.lsp.in_process import Connection

ANSWERS = {
    "return a": [" +", " b", "\n", "\n", "print(add(1, 2))\n"],
    "x = ": ["fo", "o(bar)", "\n"],
    "d = 1\n": ["d", " = 2"],
}


def test_stop_rules_end_what_it_generates_and_the_generation_is_closed():
    model = ScriptedModel(ANSWERS)
    closed = []
    generate = model.generate
    model.generate = lambda *given: closed.append(generate(*given)) or closed[-1]
    completion = complete(Completer(model), request_at("def add(a, b):\n    return a|\n"))
    assert (completion.text, completion.finish_reason) == (" + b", "stop")
    assert closed[0].is_closed
    assert closed[0].finish_reason is None


def test_it_generates_what_comes_after_the_healed_text_with_the_request_s_options():
    model = ScriptedModel(ANSWERS)
    request = request_at("x = |\n", temperature=0.5, seed=7, candidate=2)
    completion = complete(Completer(model), request)
    assert (completion.text, completion.seed, completion.candidate) == ("foo(bar)", 7, 2)
    assert (model.prompts[0].text(PartKind.PREFIX), model.prompts[0].healed) == ("x =", " ")
    assert model.options == [request.options]


def test_what_it_cannot_do_is_not_asked_of_it():
    model = ScriptedModel(ANSWERS, reads_suffix=False)
    completer = Completer(model)
    complete(completer, request_at("x = |\n"))
    assert PartKind.SUFFIX not in [part.kind for part in model.prompts[0].parts]
    explained = explain(completer, request_at("x = |\n"), CancelToken())
    assert (explained.tokens, explained.vocabulary, explained.completion.text) == ((), 0, "foo(bar)")
    assert "does not report which tokens it could choose from" in explained.why_no_tokens
    assert ("prefix", "x =") in [(part.kind, part.text) for part in explained.prompt.parts]
    assert (completer.prefill(request_at("x = |\n"), CancelToken()), completer.self_test()) == (0, True)


def test_cache_candidates_limits_and_cancels_work_as_with_any_model():
    model = ScriptedModel(ANSWERS)
    completer = Completer(model)
    assert complete(completer, request_at("x = |\n")).text == "foo(bar)"
    assert complete(completer, request_at("x = foo|\n")).text == "(bar)"
    assert len(model.prompts) == 1
    assert len(complete_several(completer, request_at("x = |\n"), 3, CancelToken())) == 1
    cut = complete(completer, request_at("d = 1\n|", max_tokens=1))
    assert (cut.finish_reason, cut.generated_tokens) == ("length", 1)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        completer.complete(request_at("d = 1\n|"), token)


@pytest.mark.asyncio
async def test_a_server_completes_with_it_and_reports_what_it_is():
    connection = Connection(lambda settings, progress: Completer(ScriptedModel(ANSWERS, device="npu")))
    await connection.initialize()
    connection.open("x = \n")
    connection.send("workspace/executeCommand", {"command": "aide.status"}, id=1)
    place = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 4}}
    connection.send("textDocument/inlineCompletion", {**place, "context": {"triggerKind": 1}}, id=2)
    status, answer = (await connection.reply(1))["result"], (await connection.reply(2))["result"]
    assert (status["model"], status["device"], status["recipe"]) == ("scripted", "npu", "none")
    assert [item["insertText"] for item in answer] == ["foo(bar)"]
    where = {"uri": "file:///a.py", "position": place["position"]}
    connection.send("workspace/executeCommand", {"command": "aide.explain", "arguments": [where]}, id=3)
    explained = (await connection.reply(3))["result"]
    assert explained["explanation"]["tokens"] == []
    assert "does not report which tokens" in explained["explanation"]["why_no_tokens"]
