"""A waiting cursor gets its completion without another key, and where there is none, the tooltip says why."""

import os
import signal

import pytest
from workbench import MEDIAN, PRICES, wait_for


@pytest.fixture
def waiting(workbench, project):
    """The window with a completion on show where the user typed, and its text.

    One key: after several, what is shown first may be the answer to an earlier one.
    """
    folder = project({"prices.py": MEDIAN.rstrip()})
    workbench.open(f"{folder.name}/prices.py")
    workbench.press("Enter")
    return workbench, workbench.wait_ghost()


def test_after_a_crash_the_waiting_cursor_gets_its_completion(waiting, logged_server):
    workbench, shown = waiting
    workbench.press("Escape")
    killed = workbench.server_pids()
    os.kill(killed[0], signal.SIGKILL)
    wait_for("another server runs", lambda: workbench.server_pids() not in ([], killed))
    workbench.wait_ghost(shown)


def test_after_a_restart_the_waiting_cursor_gets_its_completion(waiting, logged_server):
    workbench, shown = waiting
    before = workbench.server_pids()
    workbench.command("Aide: Restart Server")
    wait_for("another server runs", lambda: workbench.server_pids() not in ([], before))
    workbench.wait_ghost(shown)


def test_a_key_pressed_while_the_server_restarts_is_answered_later(workbench, project, logged_server):
    folder = project({"prices.py": MEDIAN}, "seed = 7\n")
    workbench.open(f"{folder.name}/prices.py")
    assert workbench.ghost() == ""
    workbench.command("Aide: Restart Server")
    wait_for("it restarts", lambda: not workbench.status_label().startswith("Aide: ready"))
    workbench.press("Alt+\\")
    workbench.wait_ghost()


def test_after_resuming_the_waiting_cursor_gets_its_completion(workbench, project, logged_server):
    folder = project({"prices.py": PRICES}, "seed = 7\n")
    workbench.open(f"{folder.name}/prices.py")
    workbench.command("Aide: Pause / Resume")
    wait_for("paused in the status bar", lambda: "paused" in workbench.status_label())
    workbench.type("\n\ndef median(prices):\n")
    wait_for("the reason", lambda: "No completion" in workbench.status_label())
    assert workbench.ghost() == ""
    # VS Code does not ask again by itself where an explicit request got nothing.
    workbench.press("Alt+\\")
    wait_for("still nothing", lambda: "No completion" in workbench.status_label())
    workbench.command("Aide: Pause / Resume")
    workbench.wait_ghost()
    workbench.clear_notifications()


def test_the_ghost_text_returns_after_a_command_of_the_palette(waiting, logged_server):
    workbench, shown = waiting
    workbench.command("Aide: Explain This Completion")
    workbench.page.frame_locator("iframe.webview").frame_locator("iframe").get_by_text(
        "Temperature"
    ).first.wait_for()
    workbench.wait_ghost(shown)


def test_the_width_of_the_status_is_always_the_same(waiting, logged_server):
    workbench, _ = waiting
    item = workbench.page.locator("[id='aide.aide.aide.status']")
    widths = {item.bounding_box()["width"]}
    assert workbench.status() == "Aide"
    for _ in range(2):
        workbench.command("Aide: Pause / Resume")
        widths.add(item.bounding_box()["width"])
        workbench.clear_notifications()
    assert len(widths) == 1
