"""A real VS Code workbench in a headless Chromium, driven by keys and read from the screen.

It reports the ghost text, the status bar, notifications, and screenshots; the tests judge them.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

from editors.tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
NODE = ROOT / ".editors/vscode/node/bin/node"
ENTRY = ROOT / ".editors/vscode/code-server/node_modules/code-server/out/node/entry.js"
SECONDS = 120
STILL_SECONDS = 4
"""Ghost text that has not changed for so long is all that there is."""
DEADLINE_MS = 120_000
"""Of the server: machines that run tests may be slow."""
USER_SETTINGS = {"aide.deadlineMs": DEADLINE_MS, "[markdown]": {"aide.topK": 17}}
"""Of the window that tests share."""
PRICES = '''\
"""Prices of an order."""


def total(prices):
    return sum(prices)


def average(prices):
    return total(prices) / len(prices)
'''
MEDIAN = PRICES + "\n\ndef median(prices):\n    "
"""Hardly two seeds give the same at its end: where some do, Regenerate may say that nothing else comes."""
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
# Nothing that is about the editor itself: completions have to come with what users have by default.
SETTINGS = {
    "workbench.startupEditor": "none",
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "extensions.autoUpdate": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "workbench.enableExperiments": False,
    "workbench.tips.enabled": False,
    "chat.disableAIFeatures": True,
    "chat.commandCenter.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "git.enabled": False,
    "window.menuBarVisibility": "hidden",
    # The question at the start would lie over everything; without an answer nothing is trusted.
    "security.workspace.trust.startupPrompt": "never",
    "security.workspace.trust.banner": "never",
    "window.title": "${activeEditorShort}",
}


def wait_for(what, holds, seconds=SECONDS):
    """Wait until `holds()` gives something true, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError(f"Not seen within {seconds} s: {what}")


@contextlib.contextmanager
def chromium():
    """A browser for any number of windows. (There can be only one of its driver.)"""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield browser
        browser.close()


class Workbench:
    """One window on one workspace folder."""

    def __init__(self, browser, home, folder, env, vsix, settings=None, trusted=True, size=(1180, 720)):
        self._browser, self.folder, self._home = browser, Path(folder), Path(home)
        self._trusted, self._size = trusted, size
        self._data = self._home / "data"
        self._env = env | {
            "PATH": f"{NODE.parent}{os.pathsep}{env['PATH']}",
            "CS_DISABLE_GETTING_STARTED_OVERRIDE": "1",
            # Extensions are looked up nowhere.
            "EXTENSIONS_GALLERY": '{"serviceUrl":"http://127.0.0.1:9","itemUrl":"http://127.0.0.1:9"}',
        }
        self._env.pop("VSCODE_IPC_HOOK_CLI", None)
        self.configure(settings or {})
        self._install(vsix)

    def __enter__(self):
        self._port = free_port()
        self._serve()
        self.page = self._browser.new_page(
            viewport=dict(zip(("width", "height"), self._size, strict=True)), device_scale_factor=1.5
        )
        self.page.set_default_timeout(SECONDS * 1000)
        self.page.goto(f"http://127.0.0.1:{self._port}/?folder={quote(str(self.folder))}")
        self.page.wait_for_selector(".monaco-workbench")
        self.page.wait_for_selector(".statusbar-item")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.page.close()
        for kind in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._server.pid, kind)
            time.sleep(1)
        self._server.wait()

    # -- settings

    def configure(self, settings):
        """Write the user's settings; those of the machine are read from a place of their own here."""
        for scope, values in (("User", SETTINGS | settings), ("Machine", settings)):
            path = self._data / scope / "settings.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values, indent=2), encoding="utf-8")

    # -- keys

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text, delay=60):
        self.page.keyboard.type(text, delay=delay)

    def open(self, name, line=None, column=1):
        """Open a file of the workspace by its name, and put the cursor somewhere; None: at its end."""
        self.press("Control+p")
        box = self._quick_input()
        box.fill(name if line is None else f"{name}:{line}:{column}")
        rows = self.page.locator(".quick-input-list .monaco-list-row", has_text=Path(name).name)
        rows.filter(has_text=Path(name).parent.name).first.click()  # the folder of "a.py" is named ""
        self.wait_open(name)
        if line is None:
            self.press("Control+End")

    def wait_open(self, name):
        """Wait until a file is open, and its editor takes keys."""
        self.page.wait_for_selector(f".tab.active[data-resource-name='{Path(name).name}']")
        self.page.locator(".quick-input-widget").wait_for(state="hidden")
        wait_for("the editor has the focus", lambda: self.page.evaluate(FOCUSED))

    def command(self, title):
        """Run a command of the palette."""
        self.press("F1")
        self._quick_input().fill(f">{title}")
        row = self.page.locator(".quick-input-list .monaco-list-row", has_text=title).first
        row.wait_for()
        row.click()

    def fill_and_choose(self, filled, text):
        """Write into the box of the list that is open, and take an entry."""
        self._quick_input().fill(filled)
        self.choose(text)

    def choose(self, text):
        """Take an entry of the list that is open."""
        row = self.page.locator(".quick-input-list .monaco-list-row", has_text=text).first
        row.wait_for()
        row.click()

    def entries(self):
        """The entries of the list that is open."""
        self.page.locator(".quick-input-list .monaco-list-row").first.wait_for()
        return [
            _plain(text) for text in self.page.locator(".quick-input-list .monaco-list-row").all_inner_texts()
        ]

    def close_editors(self):
        """Save and close what is open."""
        self.press("Escape", "Escape")
        self.command("File: Save All")
        self.command("View: Close All Editors")
        wait_for("no editor is open", lambda: self.page.locator(".tab").count() == 0)

    def save(self, name, other_than=None):
        """Save the current file; return what it holds, once that is something other than given."""

        def saved():
            self.press("Control+s")
            self.page.wait_for_timeout(300)
            text = (self.folder / name).read_text(encoding="utf-8")
            return text != other_than and self.page.locator(".tab.active.dirty").count() == 0

        wait_for(f"{name} is saved", saved)
        return (self.folder / name).read_text(encoding="utf-8")

    # -- the screen

    def ghost(self):
        """The ghost text as it is drawn, its lines joined; empty: there is none."""
        return self.page.evaluate(GHOST).replace("\xa0", " ")

    def text(self):
        """The lines of the active editor that are drawn."""
        lines = self.page.locator(".editor-group-container.active .view-lines .view-line").all_inner_texts()
        return "\n".join(line.replace("\xa0", " ") for line in lines)

    def report(self):
        """The text of the pages that are open: explanations, settings."""
        texts = []
        for frame in self.page.frames:
            with contextlib.suppress(Exception):  # frames come and go
                texts.append(frame.evaluate("document.getElementById('page')?.innerText ?? ''"))
        return "\n".join(texts)

    def wait_ghost(self, text=None, other_than=None, seconds=SECONDS):
        """Wait for ghost text: this one, or any but that one."""

        def holds():
            seen = self.ghost()
            self.page.wait_for_timeout(100)  # it is drawn in several steps
            still = seen == self.ghost()
            return seen if still and seen and text in (None, seen) and seen != other_than else ""

        try:
            return wait_for("ghost text", holds, seconds)
        except AssertionError:
            raise AssertionError(
                f"Expected ghost text {text!r}; there is {self.ghost()!r}; status: {self.status_label()!r}"
            ) from None

    def ask(self, text=None):
        """Ask for a completion by key, and once more if nothing came, as people do; return the ghost text."""
        self.press("Alt+\\")
        with contextlib.suppress(AssertionError):
            return self.wait_ghost(text, seconds=SECONDS / 3)
        self.press("Escape", "Alt+\\")
        return self.wait_ghost(text)

    def ask_all(self):
        """Ask, and wait until the ghost text stays: without a seed, its first lines may show first."""
        text, since = self.ask(), time.monotonic()
        while time.monotonic() - since < STILL_SECONDS:
            self.page.wait_for_timeout(100)
            if (now := self.ghost()) != text:
                text, since = now, time.monotonic()
        return text

    def status(self):
        """Aide's text in the status bar."""
        item = self.page.locator(STATUS)
        return _plain(item.inner_text()) if item.count() else ""

    def status_label(self):
        """What a screen reader says for Aide's status; the tooltip has the same sentences."""
        item = self.page.locator(f"{STATUS} a")
        return item.first.get_attribute("aria-label") or "" if item.count() else ""

    def tooltip(self):
        """Aide's tooltip, as a mouse brings it up."""
        self.page.locator(STATUS).hover()
        hover = self.page.locator(".workbench-hover").first
        hover.wait_for()
        return _plain(hover.inner_text())

    def notification(self, text):
        """Wait for a notification with this text."""
        toast = self.page.locator(".notification-toast", has_text=text).first
        toast.wait_for()
        return toast

    def clear_notifications(self):
        self.command("Notifications: Clear All Notifications")
        self.page.locator(".notification-toast").first.wait_for(state="detached")

    def screenshot(self, path):
        self.page.screenshot(path=str(path))

    def server_pids(self):
        """The language servers of this window."""
        listed = subprocess.run(
            ["ps", "-eww", "-o", "pid,ppid,args"], capture_output=True, text=True, check=True
        ).stdout
        rows = [line.split(None, 2) for line in listed.splitlines()[1:]]
        mine, grown = {self._server.pid}, True
        while grown:
            more = {int(pid) for pid, parent, _ in rows if int(parent) in mine} - mine
            mine, grown = mine | more, bool(more)
        return [int(pid) for pid, _, args in rows if int(pid) in mine and "aide-lsp" in args]

    def wait_ready(self, seconds=SECONDS):
        """Wait until the model is loaded."""
        wait_for("the model is loaded", lambda: self.status_label().startswith("Aide: ready"), seconds)

    def wait_new_server(self, old):
        """Wait until another server than that process runs and has loaded the model."""
        wait_for("another server runs", lambda: self.server_pids() not in ([], old))
        self.wait_ready()

    # -- inside

    def _quick_input(self):
        box = self.page.locator(
            ".quick-input-widget:not([style*='display: none']) .quick-input-box input"
        ).first
        box.wait_for()
        return box

    def _install(self, vsix):
        done = subprocess.run(
            [NODE, ENTRY, *self._places(), "--install-extension", str(vsix), "--force"],
            env=self._env,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _places(self):
        return ["--user-data-dir", str(self._data), "--extensions-dir", str(self._home / "extensions")]

    def _serve(self):
        options = ["--bind-addr", f"127.0.0.1:{self._port}", "--auth", "none", "--disable-telemetry"]
        options += ["--disable-update-check", "--disable-proxy", "--log", "info"]
        options += ["--disable-workspace-trust"] if self._trusted else []
        with (self._home / "code-server.log").open("wb") as log:
            self._server = subprocess.Popen(
                [NODE, ENTRY, *self._places(), *options, str(self.folder)],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for("code-server answers", self._is_up)

    def _is_up(self):
        assert self._server.poll() is None, (self._home / "code-server.log").read_text()
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{self._port}/healthz") as answer,
        ):
            return answer.status == 200
        return False


STATUS = ".statusbar-item[id='aide.aide.aide.status']"
# A notebook is drawn over its editor, not in it.
FOCUSED = "document.activeElement?.closest('.editor-instance, .notebookOverlay') !== null"
GHOST = """() => {
  // The first line is in the text itself, in pieces where the text has some of it; the others are below it.
  const text = (selector) => [...document.querySelectorAll(selector)].map((node) => node.textContent);
  const first = text(':is(.editor-instance, .notebookOverlay) .view-lines .ghost-text-decoration').join('');
  const rest = text(':is(.editor-instance, .notebookOverlay) .suggest-preview-text .view-line');
  return [first, ...rest].join('\\n');
}"""


def _plain(text):
    return re.sub(r"\s+", " ", text).strip()
