"""llama.cpp's `/infill` and `/completion`, as its plugins see them."""

import json

import pytest

from aide_lsp.settings.fields import Parameters
from tests.fakes import CONTROL_TOKENS, FakeSession, continuing
from tests.serve.serving import ask, running

BEFORE, MIDDLE_OF_LINE = "def add(a, b):\n", "    return "
ANSWER = "a + b\n"


@pytest.fixture(scope="module")
def server():
    with running() as found:
        yield found


def vim(**changes):
    """Return a request as llama.vim writes it."""
    return {
        "input_prefix": BEFORE,
        "input_suffix": "\n\nprint(add(1, 2))\n",
        "input_extra": [],
        "prompt": MIDDLE_OF_LINE,
        "n_predict": 128,
        "stop": [],
        "n_indent": 4,
        "top_k": 40,
        "top_p": 0.90,
        "stream": False,
        "samplers": ["top_k", "top_p", "infill"],
        "cache_prompt": True,
        "t_max_prompt_ms": 500,
        "t_max_predict_ms": 1000,
        "response_fields": [
            "content",
            "timings/prompt_n",
            "timings/prompt_ms",
            "timings/predicted_n",
            "timings/predicted_ms",
            "truncated",
            "tokens_cached",
        ],
    } | changes


def plain(**changes):
    """Return a request for the model's own text, as it comes."""
    return vim(samplers=["temperature", "top_k", "top_p"], temperature=0, response_fields=None) | changes


def post(server, body, path="/infill"):
    answer = ask(server, "POST", path, {name: value for name, value in body.items() if value is not None})
    return answer.status, answer.json()


def stream(server, body, path="/infill"):
    answer = ask(server, "POST", path, body | {"stream": True, "response_fields": []})
    *found, rest = answer.body.decode().split("\n\n")
    assert (answer.status, rest) == (200, "")
    return [json.loads(one.removeprefix("data: ")) for one in found]


def test_llama_vim_then_a_completion_in_the_fields_that_it_reads(server):
    status, found = post(server, vim())
    assert status == 200
    assert set(found) == set(vim()["response_fields"])
    # As in Aide's editors: the line ends where the rest of the text goes on.
    assert (found["content"], found["truncated"]) == ("a + b", False)
    assert found["timings/predicted_n"] > 0


def test_llama_vim_reads_ahead_then_the_files_need_not_be_read_again(server):
    extra = [{"text": "x = 1\n" * 50, "time": [1, 2], "filename": "other.py"}]
    ahead = vim(
        input_prefix="", input_suffix="", prompt="", input_extra=extra, n_predict=0, temperature=0.0,
        samplers=[], t_max_prompt_ms=1, t_max_predict_ms=1, response_fields=[""], stop=None, top_k=None,
        top_p=None, n_indent=None,
    )  # fmt: skip
    assert post(server, ahead) == (200, {})
    status, found = post(server, plain(input_extra=extra))
    assert (status, found["content"]) == (200, ANSWER)
    assert found["timings"]["cache_n"] > 300


def test_llama_vscode_then_the_same_text_in_all_fields(server):
    body = vim(response_fields=None, stop=None, t_max_predict_ms=1000, top_p=0.99)
    status, found = post(server, body)
    assert (status, found["content"], found["stop"]) == (200, "a + b", True)
    assert found["timings"]["predicted_per_second"] >= 0


def test_files_then_read_with_their_names(server):
    extra = [{"text": "y = 2\n", "filename": "b.py"}, {"text": "z = 3\n"}]
    post(server, plain(input_extra=extra))
    names = {token: name for name, token in CONTROL_TOKENS.items()}
    said = "".join(names.get(token) or chr(token) for token in server.session.held)
    assert said.startswith(
        "<|repo_name|>project\n<|file_sep|>b.py\ny = 2\n<|file_sep|>file\nz = 3\n<|file_sep|>"
    )


def test_files_that_do_not_fit_then_the_last_ones_are_read(server):
    extra = [{"text": f"{name} = 1\n" * 300, "filename": f"{name}.py"} for name in "abc"]
    status, found = post(server, plain(input_extra=extra))
    assert (status, found["content"]) == (200, ANSWER)
    said = bytes(token for token in server.session.held if token < 256).decode()
    assert ("a = 1" in said, "c = 1" in said) == (False, True)


def test_a_long_text_then_cut_around_the_cursor(server):
    status, found = post(server, plain(input_prefix="x = 1\n" * 2000 + BEFORE))
    assert (status, found["content"]) == (200, ANSWER)
    # As docs/serve.md says; the FIM format adds some tokens of its own.
    assert 700 < found["tokens_evaluated"] <= 768 + 16
    assert Parameters().num_context == 768


def test_lines_above_the_cursor_that_slide_then_little_is_read_again(server):
    lines = [f"value_{number} = compute({number * 7919 % 1000})\n" for number in range(400)]
    read = []
    for end in range(320, 352):
        before = "".join(lines[end - 256 : end])
        found = post(server, plain(input_prefix=before + BEFORE))[1]
        assert found["content"] == ANSWER
        read.append(found["timings"]["prompt_n"])
    # One of the lines that may be first leaves the text now and then; otherwise only what is new is read.
    assert sum(count > 200 for count in read[1:]) <= 6


def test_stream_then_pieces_that_add_up(server):
    *pieces, last = stream(server, plain())
    assert "".join(one["content"] for one in [*pieces, last]) == ANSWER
    assert ([one["stop"] for one in pieces], last["stop"]) == ([False] * len(pieces), True)
    assert (last["stop_type"], last["tokens_predicted"]) == ("eos", pieces[-1]["tokens_predicted"])


def test_stream_by_aides_rules_then_one_event(server):
    (only,) = stream(server, vim())
    assert (only["content"], only["stop"]) == ("a + b", True)


@pytest.mark.parametrize(
    ("given", "text", "kind", "word"),
    [
        ({"n_predict": 2}, "a ", "limit", ""),
        ({"stop": ["+"]}, "a ", "word", "+"),
        ({"stop": ["+ c"]}, ANSWER, "eos", ""),
        ({}, ANSWER, "eos", ""),
    ],
)
def test_what_ends_a_text(server, given, text, kind, word):
    _, found = post(server, plain(**given))
    assert (found["content"], found["stop_type"], found["stopping_word"]) == (text, kind, word)


def test_n_indent_then_the_text_ends_above_a_line_with_less():
    with running(script=continuing({"return ": "(\n        a\n\n    )\nx = 1\n"})) as server:
        assert post(server, plain(n_indent=4))[1]["content"] == "(\n        a\n\n    )"
        assert post(server, plain(n_indent=5))[1]["content"] == "(\n        a"
        assert post(server, plain(n_indent=0))[1]["content"].endswith("x = 1\n")
        streamed = stream(server, plain(n_indent=5))
        assert "".join(one["content"] for one in streamed) == "(\n        a"
        assert streamed[-1]["stop_type"] == "limit"


def test_samplers_then_those_that_are_not_named_are_off():
    letters = FakeSession(lambda ids: [1.0 if 97 <= token <= 122 else -9.0 for token in range(263)])
    with running(session=letters) as server:
        one = plain(seed=3, temperature=0.9, top_k=1, n_predict=8)
        assert post(server, one)[1]["content"] == "a" * 8
        drawn = post(server, one | {"samplers": ["temperature", "top_p"]})[1]
        assert len(set(drawn["content"])) > 1
        assert drawn["generation_settings"]["top_k"] == 263
        greedy = one | {"top_k": 40, "temperature": 0, "samplers": "kp"}
        assert post(server, greedy)[1]["generation_settings"]["temperature"] == 1.0
        assert post(server, one | {"samplers": ["top_k", "infill"]})[1]["generation_settings"]["top_p"] == 1.0


def test_seed_then_the_same_bytes_and_minus_one_means_any():
    letters = FakeSession(lambda ids: [1.0 if 97 <= token <= 122 else -9.0 for token in range(263)])
    with running(session=letters) as server:
        one = plain(temperature=1, top_k=0, top_p=1, n_predict=12)
        first = post(server, one | {"seed": -1})[1]
        again = post(server, one | {"seed": first["generation_settings"]["seed"]})[1]
        assert again["content"] == first["content"] != post(server, one | {"seed": -1})[1]["content"]


LETTERS = [1.0 if 97 <= token <= 122 else -9.0 for token in range(263)]


@pytest.mark.parametrize("name", ["n_cmpl", "n"])
def test_choices_then_candidates_of_the_seed_in_a_list_and_in_a_stream(name):
    with running(session=FakeSession(lambda ids: LETTERS)) as server:
        one = plain(temperature=1, top_k=0, top_p=1, n_predict=12, seed=3)
        status, found = post(server, one | {name: 3})
        assert (status, [answer["index"] for answer in found]) == (200, [0, 1, 2])
        said = [answer["content"] for answer in found]
        assert (len(set(said)), [answer["content"] for answer in post(server, one | {name: 2})[1]]) == (
            3, said[:2]
        )  # fmt: skip
        assert post(server, one | {name: 1})[1]["content"] == said[0]
        events = stream(server, one | {name: 3})
        assert said == [
            "".join(event["content"] for event in events if event["index"] == number) for number in range(3)
        ]
        assert sum(event["stop"] for event in events) == 3


def test_choices_by_aides_rules_then_a_list_of_those_that_differ():
    line_end = [30.0 * (token == 10) for token in range(263)]
    one_letter = FakeSession(lambda ids: line_end if ids[-1] in range(97, 123) else LETTERS)
    with running(session=one_letter) as server:
        status, found = post(server, vim(n_cmpl=4, seed=1, temperature=1))
        said = [answer["content"] for answer in found]
        assert (status, len(said) > 1, len(set(said))) == (200, True, len(said))
        assert all(set(answer) == set(vim()["response_fields"]) for answer in found)
        same = vim(n_cmpl=4, temperature=0, samplers=["temperature", "infill"])
        assert len(post(server, same)[1]) == 1
        assert len(stream(server, vim(n_cmpl=4, seed=1, temperature=1))) == len(said)


def test_what_would_replace_a_bracket_after_the_cursor_then_no_text_since_plugins_only_insert():
    with running(session=FakeSession(continuing({"if f(a": "):\n    c()"}))) as server:
        body = vim(prompt="if f(a", input_suffix=")\n    b()\n", response_fields=None)
        _, found = post(server, body)
        assert (found["content"], bool(found["reason"])) == ("", True)
        # Where nothing has closed it, it is given.
        _, found = post(server, body | {"input_suffix": "\n    b()\n"})
        assert found["content"] == "):"


def test_completion_then_a_prompt_that_the_client_has_written(server):
    rendered = f"<|fim_prefix|>{BEFORE}{MIDDLE_OF_LINE}<|fim_suffix|>\n<|fim_middle|>"
    for prompt in (rendered, BEFORE + MIDDLE_OF_LINE):
        body = {"prompt": prompt, "temperature": 0, "n_predict": 20}
        assert post(server, body, "/completion")[1]["content"] == ANSWER
        assert "".join(one["content"] for one in stream(server, body, "/completion")) == ANSWER


def test_a_grammar_of_a_beginning_then_honored_and_any_other_refused(server):
    body = plain(prompt="    ", grammar='root ::= "return " [^\\x00]*')
    assert post(server, body)[1]["content"] == "return " + ANSWER
    assert "".join(one["content"] for one in stream(server, body)) == "return " + ANSWER
    status, found = post(server, plain(grammar='root ::= "a"'))
    assert (status, found["error"]["message"]) == (400, "grammar: Aide has no grammars. Leave it out.")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"input_prefix": 1}, "input_prefix"),
        ({"input_extra": ["a"]}, "input_extra"),
        ({"input_extra": [{"text": 1}]}, "input_extra"),
        ({"samplers": [1]}, "samplers"),
        ({"n_indent": -1}, "n_indent"),
        ({"min_p": 0.1}, "min_p"),
        ({"n_probs": 5}, "n_probs"),
        ({"n_cmpl": 0}, "n_cmpl"),
        ({"n_cmpl": 9}, "n_cmpl"),
        ({"n": 9}, "n"),
        ({"t_max_predict_ms": "x"}, "t_max_predict_ms"),
    ],
)
def test_what_cannot_be_honored_then_a_sentence(server, given, name):
    status, found = post(server, plain(**given))
    assert (status, found["error"]["code"]) == (400, "invalid")
    assert found["error"]["message"].startswith(f"{name}: ")


def test_nothing_but_blanks_then_no_text_and_the_reason(server):
    status, found = post(server, vim(input_prefix="\n", input_suffix="\n", prompt="", response_fields=None))
    assert (status, found["content"], bool(found["reason"])) == (200, "", True)


def test_props_then_what_is_served(server):
    found = ask(server, path="/props").json()
    assert (found["default_generation_settings"]["n_ctx"], found["model_alias"]) == (4096, "fake")
