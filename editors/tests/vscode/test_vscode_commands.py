"""Aide's commands in a real VS Code, run from the palette and the status bar."""

import re

from workbench import MEDIAN, wait_for

TALK = "# Rules for naming things in this shop, each with its reason:\n#\n# 1. "


def seed_of(workbench):
    found = re.search(r"seed (\d+)", workbench.status_label())
    return int(found[1]) if found else None


def shown(workbench):
    """The ghost text, after asking for it, and the seed that the status bar shows for it."""
    text = workbench.ask_all()
    return text, wait_for("the seed in the status bar", lambda: seed_of(workbench))


def test_regenerate_previous_pin_unpin(workbench, project, expected_completion, logged_server):
    folder = project({"prices.py": MEDIAN}, "temperature = 1.0\n")
    place = (13, 5)
    workbench.open(f"{folder.name}/prices.py")
    first, seed = shown(workbench)
    assert first == expected_completion(folder / "prices.py", *place, seed=seed)

    workbench.command("Aide: Regenerate with New Seed")
    wait_for("another seed in the status bar", lambda: seed_of(workbench) not in (seed, None))
    another = seed_of(workbench)
    workbench.wait_ghost(expected_completion(folder / "prices.py", *place, seed=another))

    workbench.command("Aide: Previous Seed")
    workbench.wait_ghost(first)
    wait_for("the first seed in the status bar", lambda: seed_of(workbench) == seed)

    workbench.command("Aide: Pin This Seed")
    workbench.notification("pinned")
    assert f"seed = {seed}" in (folder / ".aide.toml").read_text(encoding="utf-8")
    workbench.clear_notifications()
    before = workbench.server_pids()
    workbench.command("Aide: Restart Server")
    workbench.wait_new_server(before)
    workbench.ask(first)
    wait_for("the pinned seed in the status bar", lambda: seed_of(workbench) == seed)

    workbench.command("Aide: Unpin Seed")
    workbench.notification("no longer pinned")
    assert "seed" not in (folder / ".aide.toml").read_text(encoding="utf-8")
    workbench.clear_notifications()


def test_the_key_for_regenerating_replaces_the_ghost_text(
    workbench, project, expected_completion, logged_server
):
    folder = project({"prices.py": MEDIAN}, "temperature = 1.0\n")
    workbench.open(f"{folder.name}/prices.py")
    _, seed = shown(workbench)
    workbench.press("Shift+Alt+R")
    wait_for("another seed in the status bar", lambda: seed_of(workbench) not in (seed, None))
    workbench.wait_ghost(expected_completion(folder / "prices.py", 13, 5, seed=seed_of(workbench)))


def test_choose_preset_writes_the_project_file(workbench, project, logged_server):
    folder = project({"rules.py": TALK}, "")
    workbench.open(f"{folder.name}/rules.py")
    workbench.command("Aide: Choose Preset")
    workbench.choose("factual")
    wait_for(
        "the preset in the project file",
        lambda: 'preset = "factual"' in (folder / ".aide.toml").read_text(encoding="utf-8"),
    )
    workbench.clear_notifications()


def test_troubleshooting_shows_the_difference_and_writes_the_parameters(
    workbench, project, expected_completion, logged_server
):
    folder = project({"rules.py": TALK}, "seed = 7\ntemperature = 1.0\n")
    workbench.page.set_viewport_size({"width": 1700, "height": 720})  # both sides are shown
    workbench.open(f"{folder.name}/rules.py")
    workbench.command("Aide: Troubleshoot Completions…")
    workbench.choose("incoherent")
    tab = workbench.page.locator(".tab.active", has_text="Temperature 1 → ")
    tab.wait_for()
    # All of these few lines were read.
    assert "Raise Num Context" not in workbench.notification("Lower Temperature from").inner_text()
    texts = (
        expected_completion(folder / "rules.py", 3, 6),
        expected_completion(folder / "rules.py", 3, 6, temperature=0.8, top_p=0.8),
    )
    assert texts[0] != texts[1]
    for side, text in zip(("original", "modified"), texts, strict=True):
        lines = (TALK + text).splitlines()
        wait_for(
            f"the {side} text", lambda side=side, lines=lines: sides(workbench, side)[: len(lines)] == lines
        )
    assert workbench.page.locator(".monaco-diff-editor .line-insert").count()
    assert workbench.page.locator(".monaco-dialog-box").count() == 0
    workbench.page.get_by_role("button", name="Write to Project").last.click()
    wait_for(
        "another temperature in the project file",
        lambda: "temperature = 0.8" in (folder / ".aide.toml").read_text(encoding="utf-8"),
    )
    tab.wait_for(state="detached")
    workbench.page.set_viewport_size({"width": 1180, "height": 720})
    workbench.clear_notifications()


def test_troubleshooting_keeps_the_parameters_if_the_user_says_so(workbench, project, logged_server):
    folder = project({"rules.py": TALK}, "seed = 7\ntemperature = 1.0\n")
    workbench.open(f"{folder.name}/rules.py")
    workbench.command("Aide: Troubleshoot Completions…")
    workbench.choose("incoherent")
    tab = workbench.page.locator(".tab.active", has_text="Temperature 1 → ")
    tab.wait_for()
    workbench.notification("Lower Temperature").get_by_role("button", name="Keep as Is").click()
    tab.wait_for(state="detached")
    assert (folder / ".aide.toml").read_text(encoding="utf-8") == "seed = 7\ntemperature = 1.0\n"


def test_troubleshooting_writes_the_seed_that_it_shows(workbench, project, logged_server):
    folder = project({"rules.py": TALK}, "")
    workbench.open(f"{folder.name}/rules.py")
    workbench.command("Aide: Troubleshoot Completions…")
    workbench.choose("inconsistent")
    toast = workbench.notification("Fix Seed at")
    (seed,) = re.findall(r"Fix Seed at (\d+)", toast.inner_text())
    toast.get_by_role("button", name="Write to Project").click()
    wait_for(
        "a seed in the project file",
        lambda: "seed" in (folder / ".aide.toml").read_text(encoding="utf-8"),
    )
    assert f"seed = {seed}\n" in (folder / ".aide.toml").read_text(encoding="utf-8")
    workbench.clear_notifications()


def sides(workbench, side):
    """The lines of one side of the difference."""
    lines = workbench.page.locator(f".monaco-diff-editor .editor.{side} .view-line")
    placed = lines.evaluate_all("all => all.map((one) => [parseFloat(one.style.top), one.textContent])")
    return [text.replace("\xa0", " ") for _, text in sorted(placed)]


def test_explain_opens_the_page(workbench, project, logged_server):
    folder = project({"rules.py": TALK}, "seed = 7\n")
    workbench.open(f"{folder.name}/rules.py")
    workbench.command("Aide: Explain This Completion")
    page = workbench.page.frame_locator("iframe.webview").frame_locator("iframe")
    page.get_by_text("Temperature").first.wait_for()
    assert "7" in page.locator("body").inner_text()


def test_settings_of_the_editor_for_one_language_are_in_effect_there_only(workbench, project, logged_server):
    folder = project({"notes.md": "# Notes\n", "rules.py": TALK}, "")
    for name, top_k in (("notes.md", "17"), ("rules.py", "50")):
        workbench.open(f"{folder.name}/{name}")
        workbench.command("Aide: Show Effective Settings")
        workbench.page.locator(".tab", has_text="Aide: Effective Settings").wait_for()
        wait_for(
            f"Top K {top_k} for {name}",
            lambda top_k=top_k: re.search(rf"top k\D+{top_k}\b", workbench.report(), re.IGNORECASE),
        )


def test_pause_and_resume(workbench, project, logged_server):
    folder = project({"rules.py": TALK}, "seed = 7\n")
    workbench.open(f"{folder.name}/rules.py")
    workbench.command("Aide: Pause / Resume")
    wait_for("paused in the status bar", lambda: "paused" in workbench.status_label())
    workbench.type("Names ")
    wait_for("the reason", lambda: "No completion" in workbench.status_label())
    assert workbench.ghost() == ""
    workbench.command("Aide: Pause / Resume")
    workbench.wait_ready()
    workbench.type("are ")
    workbench.wait_ghost()
    workbench.clear_notifications()


def test_the_menu_offers_what_can_be_done_now(workbench, project, logged_server):
    folder = project({"rules.py": TALK}, "seed = 7\n")
    item = workbench.page.locator("[id='aide.aide.aide.status']")
    workbench.open(f"{folder.name}/rules.py")
    workbench.ask()
    # The menu has what was known when it was opened.
    wait_for("the seed in the status bar", lambda: seed_of(workbench) == 7)
    item.click()
    entries = workbench.entries()
    assert any("seed 7" in entry for entry in entries)
    for text in ("Next Candidate", "Unpin Seed", "Explain This Completion", "Snooze", "Turn Off for Python"):
        assert any(text in entry for entry in entries), text
    for text in ("Pin This Seed", "Resume", "Download the Model", "Previous Seed"):
        assert not any(text in entry for entry in entries), text
    workbench.choose("Pause")
    wait_for("paused in the status bar", lambda: "paused" in workbench.status_label())
    item.click()
    entries = workbench.entries()
    assert any("Resume" in entry for entry in entries)
    assert not any("Snooze" in entry or "Next Candidate" in entry for entry in entries)
    workbench.choose("Resume")
    workbench.wait_ready()
    item.click()
    workbench.fill_and_choose("Select Model", "Select Model")
    # The menu names the current model too: only the list of models has others.
    wait_for("the list of models", lambda: any("smollm2-135m" in row for row in workbench.entries()))
    workbench.press("Escape")
    workbench.clear_notifications()


def test_off_for_a_language_and_on_again(workbench, project, logged_server):
    folder = project({"rules.py": TALK}, "seed = 7\n")
    workbench.open(f"{folder.name}/rules.py")
    workbench.ask()
    item = workbench.page.locator("[id='aide.aide.aide.status']")
    item.click()
    workbench.choose("Turn Off for Python")
    wait_for("the reason", lambda: "No completion" in workbench.status_label())
    wait_for("no ghost text", lambda: workbench.ghost() == "")
    item.click()
    assert not any("This File" in entry for entry in workbench.entries())
    workbench.choose("Turn On for Python")
    workbench.wait_ghost()
    wait_for("no reason", lambda: "No completion" not in workbench.status_label())
    (folder / ".aide.toml").write_text("off = ['*.py']\n")
    wait_for("the reason", lambda: "No completion" in workbench.status_label())
    item.click()
    assert not any("Turn O" in entry for entry in workbench.entries())
    workbench.choose("Open the File That Turns It Off")
    wait_for("the file", lambda: workbench.page.locator(".tab.active", has_text=".aide.toml").count())
    workbench.clear_notifications()


def test_a_broken_project_file_is_in_status_and_tooltip(workbench, project, logged_server):
    folder = project({"rules.py": TALK}, 'seed = 7\ntop_k = "many"\n')
    workbench.open(f"{folder.name}/rules.py")
    workbench.ask()
    wait_for("the problem", lambda: "top_k" in workbench.status_label())
    assert "top_k" in workbench.tooltip()
    workbench.page.locator(".workbench-hover a", has_text="Open the file").click()
    workbench.page.wait_for_selector(".tab.active[data-resource-name='.aide.toml']")
    workbench.clear_notifications()


def test_the_tooltip_shows_the_parameters_and_its_links_work(workbench, project, logged_server):
    folder = project({"rules.py": TALK}, 'preset = "creative"\nseed = 7\n')
    workbench.open(f"{folder.name}/rules.py")
    workbench.ask()
    wait_for("the parameters", lambda: "Temperature 0.8" in workbench.status_label())
    wait_for("the seed", lambda: seed_of(workbench) == 7)
    text = workbench.tooltip()
    for part in (
        "Temperature",
        "150",
        "Preset: creative",
        "Shown: seed 7",
        "qwen2.5-coder-0.5b",
        "Off for Python",
    ):
        assert part in text, part
    workbench.page.locator(".workbench-hover a", has_text="Snooze 5 min").click()
    wait_for("snoozed", lambda: "paused" in workbench.status_label())
    workbench.command("Aide: Pause / Resume")
    workbench.wait_ready()
    workbench.clear_notifications()
