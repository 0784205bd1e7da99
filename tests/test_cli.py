"""The command line as a user runs it: real processes, a user's own card with a tiny model."""

import json
import re
import shlex
import subprocess

import pytest


def test_help_teaches_the_first_steps(aide):
    said = aide("--help").stdout
    assert [
        word
        for word in ("demo", "complete", "doctor", "models", "aide-lsp", "First steps")
        if word not in said
    ] == []


def test_version(aide):
    from aide_lsp import __version__

    assert aide("--version").stdout == f"aide, version {__version__}\n"


def test_complete_twice_with_one_seed_then_the_same_and_all_parameters_told(aide):
    runs = [aide("complete", "x.py:2:12", "--seed", "-12345678901234567890", "--json") for _ in range(2)]
    first, second = (json.loads(run.stdout) for run in runs)
    assert first["text"] == second["text"]
    assert first["seed"] == -12345678901234567890
    assert first["parameters"] == {
        "temperature": 0.7,
        "top_k": 50,
        "top_p": 0.95,
        "num_context": 1024,
        "seed": -12345678901234567890,
    }
    assert first["generated_tokens"] > 0
    assert first["device"] == "CPU, recipe exact"


def test_complete_from_stdin_then_text_on_stdout_and_figures_on_stderr(aide):
    run = aide("complete", "-", "--path", "x.py", "--temperature", "0", stdin="def f(a, b):\n    return ")
    assert run.returncode == 0
    assert "Temperature 0 · Top K 50 · Top P 0.95 · Num Context 1024 · Seed" in run.stderr
    assert re.search(
        r"\d+ tokens read \(0 from the cache\), \d+ written · first token after \d+ ms", run.stderr
    )
    assert "tokens/s" not in run.stdout


def test_complete_when_top_k_is_past_the_candidates_then_all_logits_are_used(aide):
    run = aide("complete", "x.py:2:12", "--top-k", "300", "--top-p", "1", "--temperature", "1", "--json")
    assert json.loads(run.stdout)["parameters"]["top_k"] == 300


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--top-k", "385"], "expected a whole number from 1 to 384, found 385"),
        (
            ["--num-context", "1793"],
            "from 1 to 1792 (the model's 2048 less",
        ),
        (["--temperature", "1.1"], "from 0.0 to 1.0, found 1.1"),
        (["--model", "tinny"], "tiny"),
        (["--provider", "tpu"], '"auto", "cpu", "cuda"'),
    ],
)
def test_complete_with_a_wrong_value_then_one_message_and_no_traceback(aide, arguments, said):
    run = aide("complete", "x.py:2:12", *arguments)
    assert run.returncode == 1
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_complete_with_the_greatest_num_context_then_all_of_it_is_read(aide, home):
    (home / "long.py").write_text("1\n" * 896, encoding="utf-8")
    run = aide("complete", "long.py:449:1", "--num-context", "1792", "--max-tokens", "4096", "--json")
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    assert told["parameters"]["num_context"] == 1792
    assert told["prompt_tokens"] == 1792 + 3  # two tokens a line, and the control tokens
    assert 0 < told["generated_tokens"] <= 2048 - told["prompt_tokens"] + 1


def test_project_file_when_beside_the_source_then_it_is_in_effect(aide, home):
    folder = home / "project"
    folder.mkdir(exist_ok=True)
    (folder / ".aide.toml").write_text("temperature = 0.25\nseed = 7\n", encoding="utf-8")
    (folder / "y.py").write_text("x = \n", encoding="utf-8")
    got = json.loads(aide("complete", "project/y.py:1:5", "--json").stdout)["parameters"]
    assert (got["temperature"], got["seed"]) == (0.25, 7)


def test_doctor_when_all_is_well_then_status_0_and_a_device(aide):
    aide("models", "convert", "tiny")
    run = aide("doctor", "--json")
    findings = {finding["what"]: finding for finding in json.loads(run.stdout)}
    assert findings["Model files"]["level"] == "ok"
    assert findings["Device"]["detail"].startswith("CPU; loaded in")
    assert "FAIL" not in run.stdout


def test_doctor_when_a_byte_of_the_model_differs_then_fail_and_the_repair(aide, home):
    aide("models", "convert", "tiny")
    folder = aide("models", "path", "tiny").stdout.strip()
    data = next(path for path in home.joinpath(folder).iterdir() if path.name.endswith(".data"))
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    run = aide("doctor")
    aide("models", "remove", "tiny", "--yes")
    assert run.returncode == 1
    assert "FAIL  Model files" in run.stdout
    assert "-> aide models convert tiny" in run.stdout


@pytest.mark.parametrize("cache", ["", "other cache"])
def test_doctor_when_telemetry_left_files_then_the_command_that_removes_them(aide, home, cache):
    place = home / (cache or ".cache")
    folder = place / "Microsoft" / "DeveloperTools" / ".onnxruntime"
    folder.mkdir(parents=True)
    (folder / "deviceid").write_text("1", encoding="utf-8")
    run = aide("doctor", "--quick", "--json", XDG_CACHE_HOME=str(place) if cache else "")
    (finding,) = (finding for finding in json.loads(run.stdout) if finding["what"] == "Leftovers")
    assert finding["level"] == "warn"
    assert str(folder) in finding["detail"]
    subprocess.run(shlex.split(finding["repair"]), check=True)
    assert not folder.exists()
    again = aide("doctor", "--quick", XDG_CACHE_HOME=str(place) if cache else "").stdout
    assert "Leftovers" not in again


def test_demo_then_two_completions_with_two_seeds(aide):
    run = aide("demo", "--max-tokens", "8")
    seeds = re.findall(r"Seed (\d+)", run.stdout)
    assert run.returncode == 0
    assert len(set(seeds)) == 2
    assert run.stdout.count("CPU, recipe exact") == 2


def test_model_that_others_exported_when_named_by_a_card_then_it_completes(aide, home, monkeypatch):
    """The layout of Optimum, with a tokenizer beside it: taken over as it is, told as such."""
    from tests.inference import exported_decoder
    from tests.tiny_model import tiny_model_folder

    monkeypatch.setattr(exported_decoder, "VOCAB", 384)
    cards = home / "config" / "aide" / "models"
    exported_decoder.write_export(cards / "export")
    converted = tiny_model_folder(home / "converted")
    (cards / "export" / "tokenizer.json").write_bytes((converted / "tokenizer.json").read_bytes())
    card = 'id = "export"\npath = "export"\ncontext_length = 256\nend_tokens = ["<|endoftext|>"]\n'
    (cards / "export.toml").write_text(card, encoding="utf-8")
    options = ("--model", "export", "--num-context", "64", "--max-tokens", "8", "--seed", "3", "--json")
    first, second = (aide("complete", "x.py:2:12", *options) for _ in range(2))
    assert first.returncode == 0, first.stderr
    got = json.loads(first.stdout)
    assert got["device"] == "CPU, recipe imported"
    assert got["generated_tokens"] > 0
    assert json.loads(second.stdout)["text"] == got["text"]


def test_explain_then_the_completion_of_that_seed_as_json_and_a_page(aide, home):
    options = ("x.py:2:12", "--seed", "7", "--temperature", "1", "--json")
    completion = json.loads(aide("complete", *options).stdout)
    run = aide("explain", *options, "--html", "why.html")
    explanation = json.loads(run.stdout)
    assert explanation["completion"]["text"] == completion["text"]
    assert explanation["completion"]["parameters"] == completion["parameters"]
    written = [token for token in explanation["tokens"] if not token["step"]["ends"]]
    assert len(written) == completion["generated_tokens"]
    assert explanation["vocabulary"] == 384
    page = (home / "why.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "The page is why.html." in run.stderr


def test_explain_in_the_terminal_and_where_the_page_cannot_be_written(aide):
    text = aide("explain", "x.py:2:12", "--seed", "7", "--max-tokens", "8").stdout
    assert "PROMPT" in text
    assert "TOKENS   " in text
    run = aide("explain", "x.py:2:12", "--html", "no/such/folder/why.html")
    assert (run.returncode, "cannot be written" in run.stderr) == (1, True)
