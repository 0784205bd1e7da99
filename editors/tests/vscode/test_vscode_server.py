"""Which server VS Code starts, and the message when there is none."""

import os
import re
import signal
import sys
from pathlib import Path

from workbench import PRICES, wait_for


def test_without_a_server_it_asks_once_then_installs_its_own_and_completes(own_window):
    window = own_window({})
    question = window.notification("was not found. Install it")
    assert "aide-lsp" in question.inner_text()
    question.get_by_role("button", name="Install", exact=True).click()
    window.wait_ready(600)
    (server,) = window.server_pids()
    assert "aide.aide/server-" in Path(f"/proc/{server}/cmdline").read_text(encoding="utf-8")
    window.open("prices.py")
    window.type("\n\ndef average(prices):\n")
    window.wait_ghost()


def test_a_path_that_is_wrong_is_named(own_window):
    window = own_window({"aide.server.path": "/nowhere/aide-lsp"})
    message = window.notification("Aide offers no completions")
    assert "/nowhere/aide-lsp" in message.inner_text()
    assert "/nowhere/aide-lsp" in window.status_label()


def kill_server(window, earlier):
    """Kill the server once there is one that was not killed before, and it has answered."""
    wait_for("a server runs", lambda: set(window.server_pids()) - set(earlier))
    # The status bar has nothing of Aide's for a moment. Killed before it is greeted, a server is given up.
    wait_for("it is greeted", lambda: window.status_label() and "starting" not in window.status_label())
    server = window.server_pids()[0]
    os.kill(server, signal.SIGKILL)
    return server


def test_a_server_that_ends_again_and_again_is_given_up_with_one_message(own_window, logged_server):
    window = own_window({"aide.server.path": str(logged_server[0])})
    killed = []
    for _ in range(5):
        killed.append(kill_server(window, killed))
    message = window.notification("was not restarted")
    assert window.page.locator(".notification-toast").count() == 1
    assert "not restarted" in window.status_label()
    window.open("prices.py")
    window.type("# typed without a server")
    assert window.save("prices.py", other_than=PRICES).endswith("# typed without a server")
    message.get_by_role("button", name="Try Again").click()
    window.wait_new_server(killed[-1:])
    window.type("\n\ndef average(prices):\n")
    window.wait_ghost()


def test_a_workspace_that_is_not_trusted_chooses_no_server(own_window, logged_server, tmp_path):
    marker, evil = tmp_path / "ran", tmp_path / "evil"
    evil.write_text(f"#!{sys.executable}\nopen({str(marker)!r}, 'w')\n", encoding="utf-8")
    evil.chmod(0o755)
    window = own_window(
        {"aide.server.path": str(logged_server[0])},
        f'{{"aide.server.path": "{evil}", "aide.model": "none-of-this-name"}}',
        trusted=False,
    )
    window.wait_ready()
    assert window.page.locator(".statusbar-item", has_text="Restricted Mode").count()
    assert not marker.exists()
    assert "none-of-this-name" not in window.status_label()
    window.open("prices.py")
    window.type("\n\ndef average(prices):\n")
    window.wait_ghost()


def test_a_trusted_workspace_sets_nothing_that_costs_time_or_stores_text(own_window, logged_server):
    """Plainly, for a language, or in tables that hold any setting."""
    costly = '"aide.maxTokens": 4000, "aide.ledger": "text", "aide.numContext": 9000'
    tables = '"aide.globs": {"**": {"candidates": 5}}, "aide.languages": {"python": {"candidates": 5}}'
    window = own_window(
        {"aide.server.path": str(logged_server[0])},
        f'{{"aide.topK": 17, {costly}, "[python]": {{{costly}}}, {tables}}}',
    )
    window.wait_ready()
    window.open("prices.py")
    window.command("Aide: Show Effective Settings")
    window.page.wait_for_selector(".tab.active[data-resource-name='Aide: Effective Settings']")
    wait_for("Top K of the workspace", lambda: re.search(r"top_k\W+17\b", window.text()))
    wait_for("all settings", lambda: re.search(r'ledger\W+"hashes"', window.text()))
    assert re.search(r"num_context\W+1024\b", window.text())
    assert re.search(r"max_tokens\W+128\b", window.text())
    assert re.search(r"candidates\W+3\b", window.text())
