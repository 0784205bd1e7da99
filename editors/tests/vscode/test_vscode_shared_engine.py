"""VS Code as the second editor of one engine, which is killed while one types: ghost text, no message."""

import subprocess
import sys

from workbench import DEADLINE_MS, wait_for

from tests.engine_processes import engine_folder, engines

FIRST_EDITOR = """
import time
from aide_lsp import loading
from aide_lsp.settings.fields import Settings
print(loading.load_completer(Settings(engine="shared"), lambda share, text: None).info.sharing, flush=True)
time.sleep(3600)
"""


def test_window_joins_an_engine_that_may_be_killed(own_window, logged_server, editor_env, pictures):
    with engine_folder() as folder:
        env = editor_env | {"XDG_RUNTIME_DIR": str(folder)}
        with subprocess.Popen(
            [sys.executable, "-c", FIRST_EDITOR], env=env, stdout=subprocess.PIPE, text=True
        ) as first:
            try:
                assert first.stdout.readline() == "started\n"
                check(own_window, logged_server, folder, pictures)
            finally:
                first.kill()


def check(own_window, logged_server, folder, pictures):
    settings = {
        "aide.server.path": str(logged_server[0]),
        "aide.engine": "shared",
        "aide.deadlineMs": DEADLINE_MS,
        "aide.maxTokens": 24,
    }
    window = own_window(settings, env={"XDG_RUNTIME_DIR": str(folder)})
    window.wait_ready()
    wait_for("what the engine is", lambda: "This one joined it" in window.status_label())
    (engine,) = engines(folder)
    window.open("prices.py")
    window.type("\n\ndef median(prices):\n")
    window.wait_ghost()
    window.tooltip()
    window.page.wait_for_timeout(500)  # it fades in
    window.screenshot(pictures / "status-shared.png")
    window.page.mouse.move(400, 300)
    engine.kill()
    window.type("pass\n\n\ndef maximum(prices):\n")
    window.wait_ghost()
    (another,) = engines(folder)
    assert another.pid != engine.pid
    assert window.page.locator(".notification-toast").count() == 0
