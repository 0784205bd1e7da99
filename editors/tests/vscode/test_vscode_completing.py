"""Completions in a real VS Code: as you type, on request, late, and after a crash."""

import os
import signal
import time

from workbench import DEADLINE_MS, MEDIAN, PRICES, wait_for

PRICE = '''\
def {name}_{size}(order):
    """Price of the {size} {name} in an order."""
    return order.count("{name}", "{size}") * PRICES["{name}"]["{size}"]


'''


def cursor(text):
    """Line and column of the end of a text, from 1."""
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def test_text_of_the_model_shows_as_typed_and_enters_the_buffer_with_tab(
    workbench, project, expected_completion, logged_server
):
    folder = project({"prices.py": PRICES}, "seed = 7\n")
    expected = expected_completion(folder / "prices.py", *cursor(MEDIAN), text=MEDIAN)
    assert expected.count("\n") > 1, "the sample should ask for several lines"
    workbench.open(f"{folder.name}/prices.py")
    workbench.type("\n\ndef median(prices):\n")
    workbench.wait_ghost(expected)
    assert workbench.save(f"{folder.name}/prices.py") == MEDIAN
    workbench.wait_ghost(expected)
    workbench.press("Tab")
    wait_for("the ghost text is gone", lambda: not workbench.ghost())
    assert workbench.save(f"{folder.name}/prices.py", other_than=MEDIAN) == MEDIAN + expected


def test_brackets_that_vs_code_has_closed_make_way_for_the_rest_of_the_function(
    workbench, project, expected_completion, logged_server
):
    folder = project({"prices.py": PRICES}, "seed = 7\n")
    typed = PRICES + "\n\ndef median("
    expected = expected_completion(folder / "prices.py", *cursor(typed), text=f"{typed})")
    assert "):\n" in expected, "the sample should ask for a function"
    workbench.open(f"{folder.name}/prices.py")
    workbench.type("\n\ndef median(")
    workbench.wait_ghost()
    workbench.press("Tab")
    assert workbench.save(f"{folder.name}/prices.py", other_than=f"{typed})") == typed + expected


def test_after_accepting_the_last_line_what_follows_is_requested(workbench, project, logged_server):
    folder = project({"prices.py": PRICES + "\n\ndef median(prices):\n    return s"}, "seed = 7\n")
    workbench.open(f"{folder.name}/prices.py")
    workbench.press("Alt+\\")
    ghost = workbench.wait_ghost()
    for _ in ghost.strip("\n").split("\n")[1:]:
        workbench.press("Alt+End")
        workbench.page.wait_for_timeout(500)
    before = logged_server[1].read_text().count(" request ")
    workbench.press("Alt+End")
    wait_for("another request", lambda: logged_server[1].read_text().count(" request ") > before)


def test_candidates_are_gone_through(workbench, project, logged_server):
    folder = project({"prices.py": MEDIAN}, "seed = 7\ntemperature = 1.0\n")
    workbench.open(f"{folder.name}/prices.py")
    workbench.press("Alt+\\")
    first = workbench.wait_ghost()
    workbench.press("Alt+]")
    second = workbench.wait_ghost(other_than=first)
    workbench.press("Alt+[")
    workbench.wait_ghost(first)
    workbench.press("Alt+]")
    workbench.wait_ghost(second)
    workbench.press("Tab")
    assert workbench.save(f"{folder.name}/prices.py", other_than=MEDIAN) == MEDIAN + second


def test_a_word_is_taken_and_the_rest_stays(workbench, project, logged_server):
    folder = project({"prices.py": MEDIAN})
    workbench.open(f"{folder.name}/prices.py")
    whole = workbench.ask()
    workbench.press("Control+ArrowRight")
    rest = workbench.wait_ghost(other_than=whole)
    taken = workbench.save(f"{folder.name}/prices.py", other_than=MEDIAN).removeprefix(MEDIAN)
    assert taken
    assert taken + rest == whole


def test_a_word_of_another_candidate_is_taken_and_the_rest_stays(workbench, project, logged_server):
    folder = project({"prices.py": MEDIAN}, "seed = 7\ntemperature = 1.0\n")
    workbench.open(f"{folder.name}/prices.py")
    first = workbench.ask()
    workbench.press("Alt+]")
    whole = workbench.wait_ghost(other_than=first)
    workbench.press("Control+ArrowRight")
    rest = workbench.wait_ghost(other_than=whole)
    taken = workbench.save(f"{folder.name}/prices.py", other_than=MEDIAN).removeprefix(MEDIAN)
    assert taken
    assert taken + rest == whole


def test_a_project_file_takes_hold_when_it_is_saved(workbench, project, expected_completion, logged_server):
    folder = project({"prices.py": PRICES}, "seed = 7\n")
    workbench.open(f"{folder.name}/prices.py")
    workbench.type("\n\ndef median(prices):\n")
    workbench.wait_ghost(expected_completion(folder / "prices.py", *cursor(MEDIAN), text=MEDIAN))
    (folder / ".aide.toml").write_text("seed = 9\ntemperature = 1.0\n", encoding="utf-8")
    other = expected_completion(folder / "prices.py", *cursor(MEDIAN), text=MEDIAN)
    workbench.press("Escape", "Alt+\\")
    workbench.wait_ghost(other)
    wait_for("the seed in the status bar", lambda: "seed 9" in workbench.status_label())


def test_a_slow_answer_shows_after_the_editor_gave_up(workbench, project, expected_completion, logged_server):
    goods = [
        "bread",
        "milk",
        "cheese",
        "coffee",
        "tea",
        "sugar",
        "flour",
        "salt",
        "rice",
        "beans",
        "pasta",
        "oil",
    ]
    functions = [PRICE.format(name=name, size=size) for name in goods for size in ("small", "large", "huge")]
    before, after = "".join(functions[:18]), "\n\n\n" + "".join(functions[18:])
    folder = project({"slow.py": before + after}, "seed = 7\nnum_context = 2500\n")
    typed = "def discount(order):\n    "
    line, column = cursor(before + typed)
    expected = expected_completion(
        folder / "slow.py", line, column, text=before + typed + after, deadline_ms=DEADLINE_MS
    )
    assert expected.strip(), "the sample should ask for something"
    workbench.open(f"{folder.name}/slow.py", *cursor(before))
    workbench.type("def discount(order):\n", delay=5)
    typed_at = time.monotonic()
    workbench.wait_ghost(expected)
    waited = time.monotonic() - typed_at
    assert waited > 1.0, f"It took only {waited:.2f} s: VS Code had not given up yet."


def test_when_the_server_is_killed_typing_continues_and_completions_come_back(
    workbench, project, expected_completion, logged_server
):
    folder = project({"prices.py": PRICES}, "seed = 7\n")
    expected = expected_completion(folder / "prices.py", *cursor(MEDIAN), text=MEDIAN)
    workbench.open(f"{folder.name}/prices.py")
    workbench.type("\n\ndef median")
    killed = workbench.server_pids()
    os.kill(killed[0], signal.SIGKILL)
    workbench.type("(prices):\n")
    assert workbench.save(f"{folder.name}/prices.py") == MEDIAN
    workbench.wait_new_server(killed)
    workbench.ask(expected)


def test_a_secrets_file_gets_nothing_and_the_tooltip_says_why(workbench, project, logged_server):
    folder = project({".env": "TOKEN=abc\n"})
    workbench.open(f"{folder.name}/.env")
    workbench.type("PASSWORD=")
    wait_for("the reason", lambda: "No completion" in workbench.status_label())
    assert ".env" in workbench.tooltip()
    assert workbench.ghost() == ""
