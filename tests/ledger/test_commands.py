"""`aide log` and `aide replay` as a user runs them, with a tiny model."""

import json
import sqlite3

import pytest

PLACE = "x.py:2:12"


def logged(aide, *options):
    return json.loads(aide("log", "--json", *options).stdout)


def on_disk(home):
    return b"".join(path.read_bytes() for path in (home / "data").glob("ledger.sqlite*"))


@pytest.fixture(scope="module")
def completed(home, aide):
    """Two completions in a ledger that holds hashes, and one with its text."""
    # What the tiny model writes seldom fits.
    options = ("--max-tokens", "8", "--show", "all", "--json")
    runs = [aide("complete", PLACE, *options, *more) for more in ([], ["--seed", "26"])]
    assert b"return" not in on_disk(home)
    runs.append(aide("complete", PLACE, *options, "--ledger", "text"))
    assert [run.returncode for run in runs] == [0, 0, 0], runs[0].stderr
    return [json.loads(run.stdout) for run in runs]


def test_log_shows_the_last_completions_newest_first(aide, completed):
    entries = logged(aide)
    assert [entry["id"] for entry in entries] == [made["id"] for made in reversed(completed)]
    assert [entry["seed"] for entry in entries] == [made["seed"] for made in reversed(completed)]
    assert [entry["has_text"] for entry in entries] == [True, False, False]
    lines = aide("log", "-n", "2").stdout.splitlines()
    assert [line.split()[3] for line in lines[1:]] == ["x.py", f"#{entries[1]['path_hash'][:6]}"]


def test_stats_count_by_parameters(aide, completed):
    (stats,) = json.loads(aide("log", "--stats", "--json").stdout)
    assert (stats["temperature"], stats["made"], stats["shown"], stats["rate"]) == (0.7, 3, 0, None)
    assert "RATE" in aide("log", "--stats").stdout


def test_replay_with_the_file_reproduces(aide, completed):
    run = aide("replay", completed[0]["id"][:8], "x.py")
    assert (run.returncode, run.stdout.split(":")[0]) == (0, "Reproduced"), run.stderr


def test_replay_from_the_ledger_itself_reproduces(aide, completed):
    run = aide("replay", completed[2]["id"], "--json")
    outcome = json.loads(run.stdout)
    assert (run.returncode, outcome["reproduced"], outcome["differences"]) == (0, True, [])


def test_replay_after_the_completion_was_accepted_reproduces(aide, home, completed):
    text = (home / "x.py").read_text(encoding="utf-8")
    at = text.index("return ") + 7
    assert completed[1]["text"]
    with (home / "x.py").open("w", encoding="utf-8", newline="") as file:
        file.write(text[:at] + completed[1]["text"] + text[at:])
    run = aide("replay", completed[1]["id"], "x.py:2:12")
    (home / "x.py").write_text(text, encoding="utf-8")
    assert run.returncode == 0, run.stdout


def test_replay_without_the_text_asks_for_the_file(aide, completed):
    run = aide("replay", completed[0]["id"])
    assert run.returncode == 1
    assert f"aide replay {completed[0]['id'][:8]} FILE" in run.stdout


def test_replay_of_a_file_that_does_not_exist_names_it(aide, completed):
    run = aide("replay", completed[0]["id"], "nope.py")
    assert (run.returncode, "nope.py cannot be read: No such file" in run.stderr) == (1, True)


def test_replay_of_another_text_names_the_side_that_differs_and_loads_nothing(aide, home, completed):
    text = (home / "x.py").read_text(encoding="utf-8")
    (home / "y.py").write_text(text + "# more\n", encoding="utf-8")
    run = aide("replay", completed[0]["id"], "y.py")
    assert run.returncode == 1
    assert "the text after the cursor: 21 characters then, 28 now" in run.stdout
    assert "before" not in run.stdout


def test_replay_when_versions_differ_says_so(aide, home, completed):
    alter(home, completed[2], runtime="1.30.0")
    run = aide("replay", completed[2]["id"])
    assert run.returncode == 0
    assert "Inputs that differ:\n  the version of ONNX Runtime: 1.30.0 then, 1." in run.stdout


def test_replay_when_the_model_is_gone_says_so(aide, home, completed):
    alter(home, completed[2], model="vanished")
    run = aide("replay", completed[2]["id"])
    assert run.returncode == 1
    assert "the model: vanished then, which is not available now" in run.stdout
    alter(home, completed[2], model="tiny")


def test_replay_of_an_unknown_id_is_one_sentence(aide, completed):
    run = aide("replay", "zzzz")
    assert run.returncode == 1
    assert run.stderr == "Error: The ledger has no completion zzzz. `aide log` shows all ids.\n"


def test_off_keeps_nothing(aide, completed):
    before = len(logged(aide))
    aide("complete", PLACE, "--max-tokens", "2", "--ledger", "off")
    assert len(logged(aide)) == before


def test_clear_forgets_all_and_leaves_no_text_on_the_disk(aide, home, completed):
    with sqlite3.connect(home / "data" / "ledger.sqlite") as connection:
        before = connection.execute("SELECT COUNT(*) FROM completions").fetchone()[0]
    connection.close()
    assert b"x.py" in on_disk(home)
    assert aide("log", "--clear").stdout == f"The ledger is empty now: {before} completions deleted.\n"
    assert b"x.py" not in on_disk(home)
    assert logged(aide) == []
    assert "The ledger is empty" in aide("log").stderr


def test_damaged_ledger_is_reported_and_cleared_and_completing_continues(aide, home):
    (home / "data" / "ledger.sqlite").write_bytes(b"nonsense " * 1_000)
    run = aide("complete", PLACE, "--max-tokens", "2")
    assert run.returncode == 0
    assert "aide log --clear" in run.stderr
    assert "cannot be used: file is not a database" in aide("log").stderr
    aide("log", "--clear")
    assert logged(aide) == []


def alter(home, completion, **values):
    connection = sqlite3.connect(home / "data" / "ledger.sqlite")
    for column, value in values.items():
        connection.execute(f"UPDATE completions SET {column} = ? WHERE id = ?", (value, completion["id"]))
    connection.commit()
    connection.close()
