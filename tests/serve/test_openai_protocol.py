"""`/v1/completions` and `/v1/models`, as their clients see them."""

import json
from contextlib import closing

import pytest

from tests.fakes import CONTROL_TOKENS, FakeSession
from tests.patience import PATIENCE
from tests.serve.serving import ask, head, running

TEXT = "def add(a, b):\n    return "
ANSWER = "a + b\n"
PREFIX, SUFFIX, MIDDLE = "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"


@pytest.fixture(scope="module")
def server():
    with running() as found:
        yield found


def complete(server, prompt=TEXT, **given):
    """Return status and body of an answer; temperature 0 unless the test is about it."""
    body = {"model": "any", "prompt": prompt, "temperature": 0} | given
    answer = ask(server, "POST", "/v1/completions", body)
    return answer.status, answer.json()


def events(answer):
    """Return the events of a stream; the last one has to be `[DONE]`."""
    *found, done, rest = answer.body.decode().split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    return [json.loads(one.removeprefix("data: ")) for one in found]


def read(server):
    """Return what the model has read last, with names for control tokens."""
    names = {token: name for name, token in CONTROL_TOKENS.items()}
    said = (names.get(token) or chr(token) for token in server.session.held)
    return "".join(said)


def test_models_then_the_one_that_is_served(server):
    (model,) = ask(server, path="/v1/models").json()["data"]
    assert (model["id"], model["owned_by"], model["max_model_len"]) == ("fake", "aide", 4096)


def test_completion_then_all_fields_that_clients_read(server):
    status, found = complete(server)
    assert status == 200
    (choice,) = found["choices"]
    assert choice == {"index": 0, "text": ANSWER, "logprobs": None, "finish_reason": "stop"}
    assert (found["object"], found["model"]) == ("text_completion", "fake")
    usage = found["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["prompt_tokens"] == len(TEXT) - len(" ")  # the blank is generated again
    assert found["system_fingerprint"].startswith("fake/")


def test_a_prompt_alone_then_its_text_is_continued(server):
    complete(server, "say " + PREFIX + " return ")
    assert read(server).startswith("say " + PREFIX.replace("|", "|"))
    assert CONTROL_TOKENS[PREFIX] not in server.session.held


def test_prompt_and_suffix_then_a_hole_is_filled_and_control_tokens_are_text(server):
    complete(server, MIDDLE + "\nreturn ", suffix="\nend")
    assert read(server).startswith(f"{PREFIX}{SUFFIX}\nend{MIDDLE}<|fim_middle|>\nreturn")
    assert server.session.held.count(CONTROL_TOKENS[MIDDLE]) == 1


@pytest.mark.parametrize(
    "prompt",
    [
        f"{PREFIX}x = 1\nreturn {SUFFIX}\nend{MIDDLE}",
        f"{PREFIX}{SUFFIX}\nend{MIDDLE}x = 1\nreturn ",
        f"{SUFFIX}\nend{PREFIX}x = 1\nreturn {MIDDLE}",
        f"{PREFIX}x = 1\n{SUFFIX}\nend{MIDDLE}return ",
    ],
)
def test_a_prompt_in_the_models_format_then_as_prefix_and_suffix(server, prompt):
    status, found = complete(server, prompt)
    assert (status, found["choices"][0]["text"]) == (200, ANSWER)
    assert read(server).startswith(f"{PREFIX}{SUFFIX}\nend{MIDDLE}x = 1\nreturn")


OF_ALL_FORMATS = "<|file_separator|> <|fim_pad|> <fim_prefix> <fim_middle> <fim_suffix> <PRE> <SUF> <MID>"
OF_QWEN = "<|endoftext|> <|fim_prefix|> <|fim_middle|> <|fim_suffix|>"


@pytest.mark.parametrize(
    "marks", [OF_QWEN, f"{OF_QWEN} {OF_ALL_FORMATS} [PREFIX] [SUFFIX]"], ids=["new", "old"]
)
def test_zeds_request_then_a_hole_is_filled_and_all_fields_that_it_reads_are_there(server, marks):
    """What `crates/edit_prediction/src/fim.rs` of Zed sends with `prompt_format` "qwen"."""
    prompt = f"{PREFIX}{TEXT}{SUFFIX}\n\n{MIDDLE}"
    body = {"model": "any", "prompt": prompt, "max_tokens": 64, "stop": marks.split()}
    answer = ask(server, "POST", "/v1/completions", body)
    assert (answer.status, read(server)[: len(PREFIX)]) == (200, PREFIX)
    found = answer.json()
    assert found["choices"][0]["text"].startswith("a + b")
    for name, kind in {"id": str, "object": str, "created": int, "model": str}.items():
        assert isinstance(found[name], kind)
    assert {"prompt_tokens", "completion_tokens", "total_tokens"} <= found["usage"].keys()


def test_a_prompt_with_other_files_then_as_the_model_knows_them(server):
    prompt = f"<|repo_name|>p\n<|file_sep|>b.py\nx\n<|file_sep|>a.py\n{PREFIX}return {SUFFIX}end{MIDDLE}"
    assert complete(server, prompt)[0] == 200
    wanted = f"<|repo_name|>p\n<|file_sep|>b.py\nx\n<|file_sep|>a.py\n{PREFIX}{SUFFIX}end{MIDDLE}return"
    assert read(server).startswith(wanted)


@pytest.mark.parametrize(
    "prompt", [f"{PREFIX}a{SUFFIX}b", f"{PREFIX}a{PREFIX}b{SUFFIX}c{MIDDLE}", f"{PREFIX}{MIDDLE}{SUFFIX}"]
)
def test_a_prompt_that_is_nearly_in_the_format_then_a_sentence(server, prompt):
    status, found = complete(server, prompt)
    assert (status, found["error"]["param"]) == (400, "prompt")
    assert "Send the text before the cursor as prompt" in found["error"]["message"]


def test_stream_then_pieces_that_add_up_and_usage_if_asked_for(server):
    body = {"prompt": TEXT, "temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
    answer = ask(server, "POST", "/v1/completions", body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    *found, last = events(answer)
    assert "".join(one["choices"][0]["text"] for one in found) == ANSWER
    assert [one["choices"][0]["finish_reason"] for one in found][-1] == "stop"
    assert (last["choices"], last["usage"]["completion_tokens"] > 0) == ([], True)
    assert len({one["id"] for one in found}) == 1


@pytest.mark.parametrize("stop", ["+", ["zzz", " + b"], ["\n", "b\n"]])
def test_stop_then_the_text_ends_before_it(server, stop):
    for stream in (False, True):
        body = {"prompt": TEXT, "temperature": 0, "stop": stop, "stream": stream}
        answer = ask(server, "POST", "/v1/completions", body)
        found = events(answer) if stream else [answer.json()]
        text = "".join(one["choices"][0]["text"] for one in found)
        first = [stop] if isinstance(stop, str) else stop
        assert text == ANSWER[: min(at for one in first if (at := ANSWER.find(one)) >= 0)]
        assert found[-1]["choices"][0]["finish_reason"] == "stop"


def test_max_tokens_then_a_text_that_is_cut(server):
    status, found = complete(server, max_tokens=2)
    (choice,) = found["choices"]
    assert (status, choice["text"], choice["finish_reason"]) == (200, ANSWER[:2], "length")
    assert found["usage"]["completion_tokens"] == 2  # not the blank of the prompt, which is generated again
    assert complete(server, max_tokens=0)[1]["choices"][0]["text"] == ""


def test_several_choices_and_prompts_then_each_in_its_place(server):
    _, found = complete(server, [TEXT, "x = 1\n" + TEXT], n=2)
    assert [(one["index"], one["text"]) for one in found["choices"]] == [(at, ANSWER) for at in range(4)]


def test_seed_then_the_same_bytes_and_candidates_that_do_not_depend_on_each_other():
    letters = FakeSession(lambda ids: [1.0 if 97 <= token <= 122 else -9.0 for token in range(263)])
    with running(session=letters) as server:
        one = {"temperature": 1, "top_p": 1, "max_tokens": 12, "seed": 7}
        texts = [one["text"] for one in complete(server, n=3, **one)[1]["choices"]]
        assert len(set(texts)) == 3
        assert [one["text"] for one in complete(server, n=2, **one)[1]["choices"]] == texts[:2]
        drawn = complete(server, temperature=1, max_tokens=12)[1]
        again = complete(server, temperature=1, max_tokens=12, seed=drawn["seed"])[1]
        assert again["choices"] == drawn["choices"]
        assert complete(server, temperature=1, top_k=1, max_tokens=3)[1]["choices"][0]["text"] == "aaa"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"temperature": 1.5}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"n": 99}, "n"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
        ({"stop": [1]}, "stop"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"logprobs": 5}, "logprobs"),
        ({"logprobs": 0}, "logprobs"),
        ({"echo": True}, "echo"),
        ({"best_of": 3}, "best_of"),
        ({"stream": 1}, "stream"),
    ],
)
def test_what_cannot_be_honored_then_a_sentence_in_openais_form(server, given, name):
    status, found = complete(server, **given)
    error = found["error"]
    assert (status, error["param"], error["type"]) == (400, name, "invalid_request_error")
    assert error["message"].startswith(f"{name}: ")


def test_neutral_and_unknown_parameters_then_answered_and_the_unknown_are_named(server):
    status, found = complete(
        server,
        presence_penalty=0,
        logprobs=False,
        echo=None,
        user="u",
        n=1,
        best_of=1,
        top_k=0,
        min_p=0.0,
        x_y=1,
    )
    assert (status, found["choices"][0]["text"], found["ignored"]) == (200, ANSWER, ["x_y"])
    assert "ignored" not in complete(server)[1]


def test_a_prompt_that_is_too_long_then_refused_unless_num_context_cuts_it(server):
    status, found = complete(server, "x = 1\n" * 1000 + TEXT)
    assert (status, found["error"]["code"]) == (400, "context_length_exceeded")
    status, found = complete(server, "x = 1\n" * 600 + TEXT, num_context=100)
    assert (status, found["choices"][0]["text"], found["usage"]["prompt_tokens"] <= 100) == (
        200,
        ANSWER,
        True,
    )


def test_chat_then_what_to_use_instead(server):
    answer = ask(server, "POST", "/v1/chat/completions", {"messages": []})
    message = answer.json()["error"]["message"]
    assert (answer.status, "/v1/completions" in message) == (404, True)
    # Clients that do not look at the status show what the assistant has said.
    assert [one["message"]["content"] for one in answer.json()["choices"]] == [message]


def test_a_client_that_goes_then_the_model_stops():
    with running() as server:
        server.session.hold = True
        body = json.dumps({"prompt": TEXT, "stream": True}).encode()
        with closing(server.connect()) as connection:
            connection.sendall(head("POST", "/v1/completions", Content_Length=str(len(body))) + body)
            assert server.session.running.wait(PATIENCE)
        server.session.hold = False
        assert complete(server)[1]["choices"][0]["text"] == ANSWER
