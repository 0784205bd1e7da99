"""The command line as a user runs it: real processes, a user's own card with a tiny model."""

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
from attrs import asdict

from aide_lsp.settings.fields import Parameters
from aide_lsp.settings.report import parameters_line


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


def test_complete_twice_with_one_seed_then_the_same_and_all_parameters_reported(aide):
    runs = [aide("complete", "x.py:2:12", "--seed", "-12345678901234567890", "--json") for _ in range(2)]
    first, second = (json.loads(run.stdout) for run in runs)
    assert first["text"] == second["text"]
    assert first["seed"] == -12345678901234567890
    assert first["parameters"] == asdict(Parameters(seed=-12345678901234567890))
    assert first["generated_tokens"] > 0
    assert first["device"] == "CPU, recipe exact"


def test_complete_from_stdin_then_text_on_stdout_and_figures_on_stderr(aide):
    run = aide("complete", "-", "--path", "x.py", "--temperature", "0", stdin="def f(a, b):\n    return ")
    assert run.returncode == 0
    assert parameters_line(Parameters(temperature=0)).removesuffix("None") in run.stderr
    assert re.search(
        r"\d+ tokens prefilled \(0 from the cache\), \d+ generated · first token after \d+ ms", run.stderr
    )
    assert "tokens/s" not in run.stdout


def test_complete_when_top_k_is_past_the_candidates_then_all_logits_are_used(aide):
    run = aide("complete", "x.py:2:12", "--top-k", "300", "--top-p", "1", "--temperature", "1", "--json")
    assert json.loads(run.stdout)["parameters"]["top_k"] == 300


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--top-k", "385"], 2, "expected a whole number from 1 to 384, found 385"),
        (["--top-k", "many"], 2, "expected a whole number from 1 to the model's vocabulary size"),
        (["--num-context", "1793"], 2, "from 1 to 1792 (the model's 2048 minus"),
        (["--temperature", "1.1"], 2, "from 0.0 to 1.0, found 1.1"),
        (["--model", "tinny"], 1, "tiny"),
        (["--provider", "tpu"], 2, '"auto", "cpu", "cuda"'),
    ],
)
def test_complete_with_an_invalid_value_then_one_message_and_no_traceback(aide, arguments, status, said):
    assert aide("models", "convert", "tiny").returncode == 0  # its limits are known from then on
    run = aide("complete", "x.py:2:12", *arguments)
    assert run.returncode == status
    assert said in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


def test_complete_with_the_greatest_num_context_then_all_of_it_is_read(aide, home):
    # With room for the cursor's line, which counts as if it were complete.
    (home / "long.py").write_text("1\n" * 880, encoding="utf-8")
    run = aide(
        "complete",
        "long.py:433:1",
        "--num-context",
        "1792",
        "--max-tokens",
        "4096",
        "--json",
        "--context-share",
        "0",
    )
    assert run.returncode == 0, run.stderr
    printed = json.loads(run.stdout)
    assert printed["parameters"]["num_context"] == 1792
    assert printed["prompt_tokens"] == 2 * 880 + 3  # two tokens a line, and the control tokens
    assert 0 < printed["generated_tokens"] <= 2048 - printed["prompt_tokens"] + 1


def test_project_file_when_next_to_the_source_then_it_is_in_effect(aide, home):
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


def test_doctor_when_no_completion_comes_in_time_then_the_model_is_tested_all_the_same(aide, home):
    """As on a machine that is busy."""
    settings = home / "config" / "aide" / "settings.toml"
    settings.write_text("deadline_ms = 1\n", encoding="utf-8")
    aide("models", "convert", "tiny")
    run = aide("doctor")
    settings.unlink()
    assert run.returncode == 0, run.stdout


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
    """The layout of Optimum, with a tokenizer next to it: used as it is, and reported as such."""
    from tests.inference.onnx import exported_decoder
    from tests.tiny_model import tiny_model_folder

    monkeypatch.setattr(exported_decoder, "VOCAB", 384)
    cards = home / "config" / "aide" / "models"
    exported_decoder.write_export(cards / "export")
    converted = tiny_model_folder(home / "converted")
    (cards / "export" / "tokenizer.json").write_bytes((converted / "tokenizer.json").read_bytes())
    card = 'id = "export"\npath = "export"\ncontext_length = 256\nend_tokens = ["<|endoftext|>"]\n'
    (cards / "export.toml").write_text(card, encoding="utf-8")
    options = ("x.py:2:12", "--model", "export", "--max-tokens", "8", "--seed", "3", "--json")
    by_default = json.loads(aide("complete", *options).stdout)
    assert by_default["parameters"]["num_context"] == 128  # half of so small a context is for the completion
    first, second = (aide("complete", *options, "--num-context", "64") for _ in range(2))
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


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("x.py:0:1", "no line 0"),
        ("x.py:-1:1", "no line -1"),
        ("x.py:99:1", "no line 99: the text has lines 1 to 7"),
        ("x.py:2:0", "no column 0"),
        ("x.py:2:13", "no column 13 in line 2: its columns are 1 to 12"),
        ("-:3:1", "no line 3"),
        ("-:0", "no line 0"),
    ],
)
def test_place_that_does_not_exist_is_an_error_and_nothing_is_moved(aide, place, said):
    run = aide("complete", place, "--json", stdin="a\nb")
    assert (run.returncode, said in run.stderr) == (1, True)
    assert said in json.loads(run.stdout)["error"]
    assert "Loading" not in run.stderr


def test_what_is_no_place_is_invalid_usage(aide):
    run = aide("complete", "-:a:b", "--json", stdin="a\nb")
    assert (run.returncode, "is not a place" in json.loads(run.stdout)["error"]) == (2, True)


def test_place_in_stdin_and_the_end_of_a_line_are_the_places_they_say(aide, home):
    source = (home / "x.py").read_text()
    options = ("--seed", "3", "--max-tokens", "8", "--temperature", "1", "--json")
    expected = json.loads(aide("complete", "x.py:2:12", *options).stdout)["text"]
    assert json.loads(aide("complete", "x.py:2", *options).stdout)["text"] == expected
    stdin = aide("complete", *options, "-:2:12", "--path", "x.py", stdin=source)
    assert json.loads(stdin.stdout)["text"] == expected


def test_none_on_the_command_line_overrides_what_the_project_sets(aide, home):
    folder = home / "pinned"
    folder.mkdir(exist_ok=True)
    (folder / ".aide.toml").write_text('seed = 7\npreset = "code"\ntop_k = 33\nnonsense = 1\n')
    (folder / "x.py").write_text("x = \n")

    def parameters(*options):
        run = aide("complete", "pinned/x.py:1:5", "--max-tokens", "1", "--json", *options)
        assert "Warning: nonsense in " in run.stderr, run.stderr
        assert "stays in effect" not in run.stderr
        return json.loads(run.stdout)["parameters"]

    pinned = parameters()
    assert (pinned["seed"], pinned["temperature"], pinned["top_k"]) == (7, 0.3, 33)
    free = parameters("--seed", "none", "--preset", "none", "--max-num-context", "none")
    assert free["seed"] != 7
    assert (free["temperature"], free["top_p"], free["top_k"]) == (0.7, 0.95, 33)
    assert parameters("--seed", "random")["seed"] != 7


def test_candidates_on_the_command_line_are_printed_all(aide):
    # What the tiny model writes is seldom complete; with this seed four of five candidates are.
    options = ("complete", "x.py:2:12", "--show", "all", "--seed", "6", "--temperature", "1")
    options = (*options, "--max-tokens", "120")
    found = json.loads(aide(*options, "--candidates", "5", "--json").stdout)
    texts = [one["text"] for one in found["candidates"]]
    assert len(texts) == len(set(texts)) == 4
    assert texts[0] == found["text"] == json.loads(aide(*options, "--json").stdout)["text"]
    said = aide(*options, "--candidates", "5").stdout
    assert re.findall(r"^Candidate (\d):$", said, re.MULTILINE) == ["1", "2", "3", "4"]
    kept = json.loads(aide("log", "-n", "4", "--json").stdout)
    assert sorted(one["candidate"] for one in kept) == [one["candidate"] for one in found["candidates"]]


def test_invalid_options_are_reported_all_at_once_by_their_names_and_in_json(aide):
    run = aide("complete", "x.py:2:12", "--temperature", "2", "--top-p", "-1", "--preset", "nope", "--json")
    assert run.returncode == 2
    lines = json.loads(run.stdout)["error"].splitlines()
    assert [line.partition(":")[0] for line in lines] == ["--temperature", "--top-p", "--preset"]
    assert not any("stays" in line or "this request" in line for line in lines)
    usage = aide("complete", "--no-such-option", "--json")
    assert (usage.returncode, "No such option" in json.loads(usage.stdout)["error"]) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["complte", "x.py:2:12"], "No such command 'complte'. Did you mean 'complete'?"),
        (["model", "list"], "No such command 'model'. Did you mean 'models'?"),
        (["models", "lst"], "No such command 'lst'. Did you mean 'list'?"),
        (["engine", "chek"], "No such command 'chek'. Did you mean 'check'?"),
        (["xyzzy"], "No such command 'xyzzy'.\n"),
        (["complete", "x.py:2:12", "--seed", "x"], "(none: a new random seed for each request), found"),
        (["complete", "x.py:2:12", "--context-share", "1"], "(none: what the model's card says), found"),
        (["complete", "x.py:2:12", "--model", ""], "Unknown model ''"),
        (["log", "-n", "0"], "expected a whole number from 1 to 1,000,000, found '0'"),
        (["log", "-n", "x"], "expected a whole number from 1 to 1,000,000, found 'x'"),
        (
            ["serve", "--token-file", "nope", "--port", "0"],
            "The token file nope cannot be read",
        ),
        (["completion", "basch"], "Invalid value for 'SHELL': 'basch' is not one of 'bash'"),
        (["serve", "--idle", "-1"], "expected a number from 0.0 to 10,080, found '-1'"),
        (
            ["troubleshoot", "repetitve"],
            "Invalid value for 'COMPLAINT': 'repetitve' is not one of 'repetitive'",
        ),
        (["engine", "check", "--engine-model", " "], "--engine-model: expected a name"),
        (
            ["complete", "x.py:2:12", "--top-k", "0", "--model", "unconverted"],
            "to the model's vocabulary size",
        ),
    ],
)
def test_mistyped_commands_and_values_get_what_was_meant(aide, home, arguments, said):
    if "unconverted" in arguments:
        card = home / "config" / "aide" / "models" / "unconverted.toml"
        text = card.with_name("tiny.toml").read_text(encoding="utf-8")
        card.write_text(text.replace('id = "tiny"', 'id = "unconverted"'), encoding="utf-8")
    run = aide(*arguments)
    assert run.returncode in (1, 2)
    assert said in run.stderr
    assert "(unset:" not in run.stderr


def test_file_that_holds_secrets_is_declined_with_a_code_for_programs(aide, home):
    (home / ".env").write_text("A=\n")
    run = aide("complete", ".env:1:3", "--json")
    assert run.returncode == 1
    assert json.loads(run.stdout)["reason"] == "off"


def test_damaged_conversion_is_converted_again_and_the_fetched_file_stays(aide, home):
    aide("models", "fetch", "tiny")
    folder = home / json.loads(aide("models", "path", "tiny", "--json").stdout)["path"]
    data = next(path for path in folder.iterdir() if path.name.endswith(".data"))
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    run = aide("models", "convert", "tiny")
    assert "is damaged. Converting it again." in run.stderr
    assert data.read_bytes() != bytes(content)
    assert "damaged" not in aide("models", "convert", "tiny").stderr


def test_gpu_that_is_not_there_is_reported_where_it_was_requested(aide):
    from aide_lsp.inference.onnx.runtime import cuda_problem

    if cuda_problem() is None:
        pytest.skip("this machine has a GPU")
    run = aide("complete", "x.py:2:12", "--provider", "cuda", "--max-tokens", "1")
    assert (run.returncode, "Warning: Running on the CPU: " in run.stderr) == (0, True)


def test_models_path_of_a_recipe_that_is_not_here_says_how_to_get_it(aide):
    run = aide("models", "path", "tiny", "--recipe", "fast")
    assert (run.returncode, "aide models convert tiny --recipe fast" in run.stderr) == (1, True)


def test_models_list_reports_disk_memory_and_the_speed_measured_here(aide):
    aide("complete", "x.py:2:12", "--seed", "7", "--temperature", "1")
    (tiny,) = [one for one in json.loads(aide("models", "list", "--json").stdout) if one["id"] == "tiny"]
    # In use, the runtime takes more than so small a model.
    assert 0 < tiny["bytes_on_disk"] < tiny["memory_needed"]
    assert tiny["tokens_per_second"] > 0
    (fresh,) = [one for one in json.loads(aide("models", "list", "--json").stdout) if "smol" in one["id"]]
    assert (fresh["memory_needed"], fresh["tokens_per_second"]) == (None, None)
    assert re.search(r"tiny .*MB +\d+ MB +\d+ tokens/s +converted: exact", aide("models", "list").stdout)


def test_fetch_into_a_pipe_prints_lines_and_no_carriage_returns(aide, home):
    aide("models", "remove", "tiny", "--yes")
    run = aide("models", "fetch", "tiny")
    shares = re.findall(r"Converting tiny to ONNX, recipe exact: (\d+) %", run.stderr)
    assert len(shares) >= 3
    assert "\r" not in run.stderr


@pytest.mark.parametrize(
    "command", ["settings", "models list", "log", "completion bash", "complete x.py:0:1"]
)
def test_commands_that_load_no_model_import_nothing_heavy(aide, home, command):
    code = (
        f"import sys\nfrom aide_lsp.cli.main import run\nsys.argv[1:] = {command.split()}\nrun()\n"
        "print({'numpy', 'onnxruntime', 'tokenizers'} & {*sys.modules}, file=sys.stderr)"
    )
    env = {**os.environ, "HOME": str(home), "AIDE_DATA_DIR": str(home / "data")}
    env["XDG_CONFIG_HOME"] = str(home / "config")
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=home, capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("aide comp", ["complete", "completion"]),
        ("aide models fetch t", ["tiny"]),
        ("aide complete x.py:1:1 --model qwen2.5-coder-0", ["qwen2.5-coder-0.5b"]),
        ("aide complete x.py:1:1 --preset c", ["code", "creative", "conversational"]),
        ("aide complete x.py:1:1 --seed r", ["random"]),
        ("aide complete x.py:1:1 --recipe f", ["fast", "fp16"]),
        ("aide models convert --recipe e", ["exact"]),
        ("aide bench fidelity f", ["fast", "fp16"]),
        ("aide complete x.p", ["file x.p"]),
        ("aide troubleshoot incoherent x.p", ["file x.p"]),
        ("aide settings x.p", ["file x.p"]),
    ],
)
def test_shell_completes_commands_models_presets_recipes_and_files(aide, words, found):
    given = {
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "_AIDE_COMPLETE": "bash_complete",
    }
    offered = [line.split(",") for line in aide(**given).stdout.splitlines()]
    assert [value if kind == "plain" else f"{kind} {value}" for kind, value in offered] == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(aide, shell):
    said = aide("completion", shell).stdout
    assert f"_AIDE_COMPLETE={shell}_complete" in said
