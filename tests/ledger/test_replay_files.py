"""Completions that read other files are recorded and replayed, as a user does it."""

import json
import time

import pytest

from aide_lsp.cli.commands.replay import files_now
from aide_lsp.cli.requests import prepare
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.ledger.entry import GeneratedEvent, entry_of, provenance_of
from aide_lsp.ledger.replay import replay
from aide_lsp.settings.fields import Parameters, Settings

MAIN = "from models import Order\n\n\ndef total(order):\n    return \n\n\nprint(total(Order()).price)\n"
MODELS = "class Order:\n    price = 1\n\n    def total(self):\n        return self.price\n"
PLACE = "project/main.py:5:12"


@pytest.fixture(scope="module")
def project(home):
    folder = home / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / "main.py").write_text(MAIN)
    return folder


@pytest.fixture(autouse=True)
def unchanged(project):
    """Each test begins with the files as they were."""
    (project / "models.py").write_text(MODELS)
    for name in ("prices.py", ".aide.toml"):
        (project / name).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def completed(project, aide):
    """The same completion, recorded as hashes and with its text."""
    (project / "models.py").write_text(MODELS)
    # Hardly a seed makes the tiny model write anything here: what it reads is what counts.
    options = ("--max-tokens", "12", "--show", "all", "--seed", "5", "--context-share", "0.5", "--json")
    runs = [aide("complete", PLACE, *options, "--ledger", mode) for mode in ("hashes", "text")]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    made = [json.loads(run.stdout) for run in runs]
    assert [[one["path"] for one in completion["excerpts"]] for completion in made] == [["models.py"]] * 2
    return [one["id"] for one in made]


def test_unchanged_files_give_the_same_bytes(aide, completed):
    run = aide("replay", completed[0], "project/main.py")
    assert (run.returncode, run.stdout.splitlines()[1:]) == (0, []), run.stderr


def test_log_counts_and_names_the_files(aide, completed):
    rows = aide("log", "-n", "2").stdout.splitlines()[1:]
    assert [row.rpartition(")")[2].strip() for row in rows] == ["1: models.py", "1"]
    entries = json.loads(aide("log", "-n", "2", "--json").stdout)
    assert [[(one["first_line"], one["last_line"]) for one in entry["excerpts"]] for entry in entries] == [
        [(1, 5)],
        [(1, 5)],
    ]
    assert "models.py" not in json.dumps(entries)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("models.py", MODELS.replace("1", "2"), "models.py has changed since"),
        ("models.py", None, "is missing"),
        ("prices.py", "total = price = Order\n", "prices.py: nothing then, lines 1-1 now"),
        (".aide.toml", 'context_off = ["models.py"]\n', "models.py is not read now: "),
    ],
    ids=["changed", "missing", "new", "left out"],
)
def test_file_that_differs_is_named(aide, completed, project, name, text, said):
    if text is None:
        (project / name).unlink()
    else:
        (project / name).write_text(text)
    run = aide("replay", completed[0], "project/main.py", "--json")
    outcome = json.loads(run.stdout)
    assert run.returncode == (0 if outcome["reproduced"] else 1)
    assert [(one["what"], said in one["message"]) for one in outcome["differences"]] == [("file", True)]


def test_ledger_that_holds_the_text_needs_no_file(aide, completed, project):
    (project / "models.py").unlink()
    run = aide("replay", completed[1])
    assert (run.returncode, run.stdout.splitlines()[1:]) == (0, []), run.stdout


@pytest.fixture(scope="module")
def named(project, aide):
    """A completion that must begin with a name of a module, recorded as hashes and with its text."""
    (project / "models.py").write_text(MODELS)
    (project / "names.py").write_text("import models\n\n\nx = models.\n")
    options = ("--max-tokens", "12", "--show", "all", "--seed", "5", "--json")
    runs = [
        aide("complete", "project/names.py:4:12", *options, "--ledger", mode) for mode in ("hashes", "text")
    ]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    return [json.loads(run.stdout)["id"] for run in runs]


def test_names_that_are_unchanged_give_the_same_bytes(aide, named):
    for which, place in zip(named, (("project/names.py",), ()), strict=True):
        run = aide("replay", which, *place)
        assert (run.returncode, run.stdout.splitlines()[1:]) == (0, []), run.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MODELS.replace("Order", "Invoice"), "models.py has changed since"),
        (None, "is missing"),
    ],
    ids=["changed", "missing"],
)
def test_a_module_that_has_other_names_is_named(aide, named, project, text, said):
    if text is None:
        (project / "models.py").unlink()
    else:
        (project / "models.py").write_text(text)
    outcome = json.loads(aide("replay", named[0], "project/names.py", "--json").stdout)
    assert [(one["what"], said in one["message"]) for one in outcome["differences"]] == [("file", True)]


def test_a_module_with_the_same_names_may_change(aide, named, project):
    (project / "models.py").write_text(MODELS.replace("price = 1", "price = 2"))
    assert aide("replay", named[0], "project/names.py").returncode == 0


@pytest.mark.real_model
def test_replay_on_the_real_model_depends_on_the_text_of_the_other_file(real_model_dir, tmp_path):
    from aide_lsp.loading import open_completer

    (tmp_path / ".git").mkdir()
    main, models = tmp_path / "main.py", tmp_path / "models.py"
    text = "from models import Order\n\n\ndef total(order: Order) -> int:\n    return order.\n"
    models.write_text("class Order:\n    def total_with_vat(self) -> int:\n        return self.price\n")
    completer = open_completer(real_model_dir, Settings(provider="cpu"))
    options = GenerationOptions(Parameters(seed=5), 12, context_share=0.25)
    request = CompletionRequest(text, len(text) - 1, "python", str(main), options)
    completion = completer.complete(prepare(request, main, None, completer).request, CancelToken())
    event = GeneratedEvent(request, completion, provenance_of(completer.info), time.time(), "hashes")
    entry = entry_of(event, b"salt")

    def again():
        files = files_now(entry, text, main, None, completer)
        outcome = replay(entry, text, b"salt", str(main), completer, files)
        return outcome.reproduced, [one.message for one in outcome.differences]

    assert completion.text.startswith("total_with_vat()")
    assert again() == (True, [])
    before = models.read_text()
    models.write_text(before.replace("total_with_vat", "sum_of_all"))
    assert again() == (False, ["models.py has changed since"])
    models.write_text(before)
    assert again() == (True, [])


@pytest.mark.real_model
def test_the_real_model_writes_a_name_that_the_module_has(real_model_dir, tmp_path):
    from aide_lsp.loading import open_completer

    (tmp_path / ".git").mkdir()
    main, models = tmp_path / "main.py", tmp_path / "models.py"
    text = "import models\n\n\ndef load(path):\n    return models.\n"
    models.write_text("def zebra_from_file(path):\n    return path\n\n\ndef quagga():\n    pass\n")
    completer = open_completer(real_model_dir, Settings(provider="cpu"))

    def complete(seed, temperature=0.7):
        options = GenerationOptions(Parameters(seed=seed, temperature=temperature), 16)
        request = CompletionRequest(text, len(text) - 1, "python", str(main), options)
        return completer.complete(prepare(request, main, None, completer).request, CancelToken()).text

    assert complete(0, 0.0).startswith("zebra_from_file(path)")
    assert all(complete(seed).startswith(("zebra_from_file(", "quagga()")) for seed in range(3))
    models.write_text("def gnu(path):\n    return path\n")
    assert complete(0, 0.0).startswith("gnu")
    models.unlink()
    assert not complete(0, 0.0).startswith(("gnu", "zebra", "quagga"))
