"""`aide troubleshoot` as a user runs it, with a tiny model."""

import json
import re

import pytest


def test_without_a_place_only_the_proposal(aide):
    run = aide("troubleshoot", "incoherent")
    assert run.returncode == 0
    assert "Temperature  0.7      -> 0.5" in run.stdout
    assert "Raise Num Context from 768 to 1024: the model reads more" in run.stdout
    assert "Before" not in run.stdout


@pytest.fixture
def project(home):
    folder = home / "troubled"
    folder.mkdir(exist_ok=True)
    (folder / "y.py").write_text("def f(a, b):\n    return \n", encoding="utf-8")
    (folder / ".aide.toml").write_text("# ours\ntemperature = 0.5  # calm\n", encoding="utf-8")
    return folder


def test_with_a_place_both_completions_with_one_seed_and_nothing_is_written(aide, project):
    run = aide("troubleshoot", "repetitive", "troubled/y.py:2:12")
    assert run.returncode == 0, run.stderr
    seeds = re.findall(r"^(Before|After), with seed (\d+):$", run.stdout, re.MULTILINE)
    assert [title for title, _ in seeds] == ["Before", "After"]
    assert len({seed for _, seed in seeds}) == 1
    assert "Raise Temperature from 0.5 to 0.7" in run.stdout
    assert run.stdout.count("«") == 2
    assert (project / ".aide.toml").read_text() == "# ours\ntemperature = 0.5  # calm\n"


def test_when_neither_completes_then_why_and_not_that_both_are_the_same(aide, project):
    with (project / ".aide.toml").open("a", encoding="utf-8") as file:
        file.write("min_confidence = 1.0\n")
    run = aide("troubleshoot", "repetitive", "troubled/y.py:2:12")
    assert run.stdout.count("No completion (") == 2
    assert "both completions" not in run.stdout


def test_apply_writes_the_values_and_keeps_the_comments(aide, project):
    run = aide("troubleshoot", "repetitive", "troubled/y.py:2:12", "--apply")
    assert run.returncode == 0, run.stderr
    written = (project / ".aide.toml").read_text()
    assert written == "# ours\ntemperature = 0.7  # calm\ntop_p = 1.0\n"
    assert "temperature = 0.7, top_p = 1.0" in run.stdout
    # What was written holds for the next request.
    assert "Temperature 0.7" in aide("complete", "troubled/y.py:2:12").stderr


def test_apply_when_a_narrower_table_overrides_it_then_it_says_so(aide, project):
    (project / ".aide.toml").write_text('["**/*.py"]\ntemperature = 0.2\n', encoding="utf-8")
    run = aide("troubleshoot", "repetitive", "troubled/y.py:2:12", "--apply")
    assert "Temperature is still 0.2" in run.stdout


def test_at_a_bound_of_the_model_it_says_so(aide, project):
    run = aide("troubleshoot", "off-topic", "troubled/y.py:2:12", "--num-context", "1792", "--top-k", "1")
    assert "\nNum Context is 1792, its maximum.\n" in run.stdout
    assert "\nTop K has nothing left to narrow" in run.stdout
    assert "There is no parameter left to change." in run.stdout


def test_when_the_whole_text_is_read_already_then_it_says_so(aide, project):
    run = aide("troubleshoot", "incoherent", "troubled/y.py:2:12")
    assert "already reads the complete file" in run.stdout


def test_unknown_complaint_is_refused_and_the_known_ones_named(aide):
    run = aide("troubleshoot", "boring")
    assert run.returncode == 2
    assert "'off-topic'" in run.stderr


def test_as_json_then_changes_both_completions_and_what_was_written(aide, project):
    run = aide("troubleshoot", "incoherent", "troubled/y.py:2:12", "--max-tokens", "2", "--apply", "--json")
    printed = json.loads(run.stdout)
    assert printed["changes"] == {"temperature": 0.3, "top_p": 0.8}
    assert printed["before"]["parameters"]["temperature"] == 0.5
    assert printed["after"]["parameters"]["temperature"] == 0.3
    assert printed["before"]["parameters"]["seed"] == printed["after"]["parameters"]["seed"]
    assert "already reads the complete file" in printed["bounds"][0]
    assert printed["written"] == str(project / ".aide.toml")


def test_apply_where_there_is_no_project_writes_nothing_without_create(aide, home):
    (home / "loose").mkdir(exist_ok=True)
    command = ("troubleshoot", "repetitive", "--path", "loose/y.py", "--apply")
    run = aide(*command)
    assert run.returncode == 1
    assert "belongs to no project" in run.stderr
    assert "Add --create" in run.stderr
    assert "in your own settings.toml" in run.stderr
    assert not list((home / "loose").iterdir())
    assert aide(*command, "--create").returncode == 0
    assert (home / "loose" / ".aide.toml").exists()
    (home / "loose" / ".aide.toml").unlink()
