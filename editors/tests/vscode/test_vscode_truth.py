"""Seed, candidate and pin that VS Code's status shows are those of the ghost text on the screen."""

import re

from workbench import MEDIAN, USER_SETTINGS, wait_for

PLACE = (13, 5)


def shown(workbench):
    """What the status says about the visible completion: (seed, candidate, whether it is pinned)."""
    found = re.search(r"Shown: seed (\d+)(?:, candidate (\d+))?(, pinned)?", workbench.status_label())
    return found and (int(found[1]), int(found[2] or 1), bool(found[3]))


def wait_shown(workbench, expected):
    wait_for(f"the status {expected}", lambda: expected(shown(workbench) or (None, None, None)))
    return shown(workbench)


def test_the_status_belongs_to_what_is_visible(workbench, project, expected_completion, logged_server):
    folder = project({"prices.py": MEDIAN}, "temperature = 1.0\n")
    settings = folder / ".aide.toml"
    workbench.open(f"{folder.name}/prices.py")
    first = workbench.ask_all()
    seed, candidate, pinned = wait_shown(workbench, lambda now: now[0] is not None)
    assert (candidate, pinned) == (1, False)
    assert first == expected_completion(folder / "prices.py", *PLACE, seed=seed)

    # Another candidate of the same seed.
    workbench.press("Alt+]")
    second = workbench.wait_ghost(other_than=first)
    wait_shown(workbench, lambda now: now == (seed, 2, False))

    # It is explained, and is there afterwards.
    workbench.command("Aide: Explain This Completion")
    page = workbench.page.frame_locator("iframe.webview").frame_locator("iframe")
    page.get_by_text("Token by token").wait_for()
    assert second.split("\n")[0].strip() in re.sub(r"[·\s]+", " ", page.locator("body").inner_text()).replace(
        "·", " "
    )
    assert str(seed) in page.locator("body").inner_text()
    workbench.wait_ghost(second)
    wait_shown(workbench, lambda now: now == (seed, 2, False))

    # Pin, regenerate, previous, unpin: the sign follows at once.
    workbench.press("Alt+[")
    workbench.wait_ghost(first)
    wait_shown(workbench, lambda now: now == (seed, 1, False))
    workbench.command("Aide: Pin This Seed")
    wait_shown(workbench, lambda now: now == (seed, 1, True))
    assert f"seed = {seed}" in settings.read_text(encoding="utf-8")
    workbench.wait_ghost(first)
    workbench.press("Shift+Alt+R")
    third = workbench.wait_ghost(other_than=first)
    another, _, pinned = wait_shown(workbench, lambda now: now[0] not in (None, seed))
    assert not pinned
    workbench.command("Aide: Previous Seed")
    workbench.wait_ghost(first)
    wait_shown(workbench, lambda now: now == (seed, 1, True))
    workbench.command("Aide: Unpin Seed")
    wait_shown(workbench, lambda now: now[0] == seed and not now[2])
    assert "seed" not in settings.read_text(encoding="utf-8")
    assert third != first
    assert another != seed
    workbench.clear_notifications()


MODELS = "class Invoice:\n    net_cents: int\n    gross_cents: int\n    vat_rate: float\n"
REPORT = (
    "from models import Invoice\n\n\ndef total(invoices: list[Invoice]) -> int:\n"
    "    return sum(invoice.\n\n\ndef rates(invoices: list[Invoice]) -> set[float]:\n"
    "    return {invoice.vat_rate for invoice in invoices}\n"
)


def test_other_files_that_were_read_are_named(workbench, project, expected_completion, logged_server):
    folder = project({"models.py": MODELS, "report.py": REPORT}, "temperature = 0\nseed = 7\n")
    place = (folder / "report.py", 5, 24)
    # By default, nothing is read, and nothing is said of other files.
    alone = expected_completion(*place, workspace=workbench.folder)
    with_models = expected_completion(*place, workspace=workbench.folder, context_share=0.25)
    assert alone != with_models
    workbench.open(f"{folder.name}/report.py", line=5, column=24)
    workbench.ask(alone)
    assert "Also read" not in workbench.status_label()
    user = USER_SETTINGS | {"aide.server.path": str(logged_server[0])}
    try:
        workbench.configure(user | {"aide.contextShare": 0.25})

        def with_the_other_file():
            workbench.press("Escape")
            return workbench.ask() == with_models

        wait_for("the other file", with_the_other_file)
        read = f"Also read: {folder.name}/models.py 1-4"
        wait_for("its name", lambda: read in workbench.status_label())
        assert read in workbench.tooltip()
    finally:
        workbench.configure(user)


def test_tab_inserts_the_candidate_that_is_visible(workbench, project, logged_server):
    folder = project({"prices.py": MEDIAN}, "seed = 7\ntemperature = 1.0\n")
    workbench.open(f"{folder.name}/prices.py")
    first = workbench.ask()
    workbench.press("Alt+]")
    second = workbench.wait_ghost(other_than=first)
    workbench.press("Tab")
    assert workbench.save(f"{folder.name}/prices.py", other_than=MEDIAN) == MEDIAN + second
    workbench.press("Control+z")
    assert workbench.save(f"{folder.name}/prices.py", other_than=MEDIAN + second) == MEDIAN


def test_a_line_of_another_candidate_is_taken_and_the_rest_stays(workbench, project, logged_server):
    folder = project({"prices.py": MEDIAN}, "seed = 3\ntemperature = 1.0\n")
    workbench.open(f"{folder.name}/prices.py")
    shown_now = workbench.ask()
    seen = {shown_now}
    while "\n" not in shown_now.strip():
        workbench.press("Alt+]")
        shown_now = workbench.wait_ghost(other_than=shown_now)
        assert shown_now not in seen, "the sample should have a candidate of two lines"
        seen.add(shown_now)
    workbench.press("Alt+End")
    taken = workbench.save(f"{folder.name}/prices.py", other_than=MEDIAN).removeprefix(MEDIAN)
    assert taken.strip()
    assert shown_now.startswith(taken)
    wait_for("the rest", lambda: taken + workbench.ghost() == shown_now)


def test_regenerating_where_nothing_else_can_come_says_so(workbench, project, logged_server):
    folder = project({"prices.py": MEDIAN}, "temperature = 0.0\n")
    workbench.open(f"{folder.name}/prices.py")
    text = workbench.ask_all()
    workbench.press("Shift+Alt+R")
    workbench.notification("Temperature")
    workbench.wait_ghost(text)
    workbench.clear_notifications()


def test_pinning_in_a_file_of_no_project_asks_first(workbench, logged_server, tmp_path):
    (tmp_path / "loose.py").write_text(MEDIAN, encoding="utf-8")
    workbench.press("Control+p")
    workbench.fill_and_choose(str(tmp_path / "loose.py"), "loose.py")
    workbench.wait_open("loose.py")
    workbench.press("Control+End")
    text = workbench.ask_all()
    workbench.command("Aide: Pin This Seed")
    question = workbench.notification(".aide.toml")
    assert not list(tmp_path.rglob(".aide.toml"))
    question.get_by_role("button", name="Create File").click()
    wait_for("the file", lambda: list(tmp_path.rglob(".aide.toml")))
    wait_shown(workbench, lambda now: now[2])
    workbench.wait_ghost(text)
    workbench.clear_notifications()
