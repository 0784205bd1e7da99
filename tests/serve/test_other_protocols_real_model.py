"""The protocols of others with the real model: what people get, and that a seed is a promise."""

import pytest

from aide_lsp.engines.engine import open_engine
from tests.serve.serving import ask, running
from tests.serve.test_llama_cpp_protocol import plain, vim

BEFORE = (
    "import csv\n\n\ndef load(path):\n"
    '    """Read a CSV file and return a list of dictionaries."""\n    with open(path) as file:\n'
)
AFTER = '\n\n\ndef main():\n    print(load("a.csv"))\n'
DRAWN = {"temperature": 0.9, "top_k": 0, "top_p": 1.0}

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def server(real_model_dir):
    engine = open_engine(real_model_dir, "cpu", 2, 500, fim="qwen2.5-coder")
    with running(engine=engine) as found:
        yield found


def texts(server, path, body):
    answer = ask(server, "POST", path, body)
    assert answer.status == 200, answer.body
    found = answer.json()
    return [one["text"] for one in found["choices"]] if "choices" in found else [found["content"]]


def test_llama_vim_then_a_completion_that_fits(server):
    body = vim(input_prefix=BEFORE, input_suffix=AFTER, prompt="        reader =", n_indent=8, seed=1)
    (text,) = texts(server, "/infill", body | {"t_max_predict_ms": 0})
    assert text.startswith(" csv.DictReader(file")
    assert "def main" not in text


def test_one_hole_in_three_ways_then_the_same_bytes(server):
    shared = DRAWN | {"seed": 5}
    before, prefix, suffix = BEFORE + "        ", "<|fim_prefix|>", "<|fim_suffix|>"
    written = f"{prefix}{before}{suffix}{AFTER}<|fim_middle|>"
    ways = [
        ("/v1/completions", {"prompt": before, "suffix": AFTER, "max_tokens": 12, **shared}),
        ("/v1/completions", {"prompt": written, "max_tokens": 12, **shared}),
        ("/completion", {"prompt": written, "n_predict": 12, **shared}),
        (
            "/infill",
            plain(
                input_prefix=BEFORE, prompt="        ", input_suffix=AFTER, n_predict=12, n_indent=0,
                t_max_predict_ms=0, **shared,
            ),
        ),
    ]  # fmt: skip
    found = [texts(server, path, body) for path, body in ways]
    assert found[0][0].strip()
    assert found == [found[0]] * 4
    # Whatever was read in between, and in whichever session.
    path, body = ways[0]
    texts(server, path, {"prompt": "Once upon a time", "max_tokens": 8, "seed": 1})
    assert texts(server, path, body) == found[0]
    assert texts(server, path, body | {"n": 3})[0] == found[0][0]
    story = {"prompt": "Once upon a time", "max_tokens": 12, "seed": 1, "temperature": 1.0, "n": 3}
    assert len(set(texts(server, path, story))) == 3


def test_a_prompt_alone_then_its_text_goes_on(server):
    body = {"prompt": "The capital of France is", "temperature": 0, "max_tokens": 3}
    assert "Paris" in texts(server, "/v1/completions", body)[0]
