"""A real VS Code workbench: keys go in as from a keyboard, an observer in its page notes the ghost text."""

import re
import time
from pathlib import Path
from typing import Any

from aide_lsp.errors import AideError
from benchmarks.llama_cpp.engines import ROOT
from benchmarks.seen.timeline import State
from editors.tests.vscode.workbench import ENTRY, GHOST, Workbench, wait_for

VSIX = ROOT / "build" / "aide.vsix"
KEYS = {"Enter": ["Enter"], "Backspace": ["Backspace"], "Below": ["ArrowDown", "End"]}
DEEPER, SHALLOWER = "Control+]", "Control+["
SETTINGS = {
    # The keys of the script accept no entry of the list of suggestions.
    "editor.acceptSuggestionOnEnter": "off",
    "editor.acceptSuggestionOnCommitCharacter": False,
    # Tags come some time after the key, so that what is typed next would depend on it.
    "html.autoClosingTags": False,
    "files.autoSave": "off",
}
OBSERVE = """() => {
  const ghost = %s, log = window.seen = [];
  let last = '', planned = false;
  const look = () => {
    planned = false;
    const now = ghost();
    if (now !== last) {
      last = now;
      log.push([performance.now(), now]);
    }
  };
  // In the frame that is drawn next: what is there for less was on no screen.
  new MutationObserver(() => {
    if (!planned) {
      planned = true;
      requestAnimationFrame(look);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


class VSCode:
    """One window on one folder."""

    def __init__(
        self, browser: Any, folder: Path, env: dict[str, str], settings: dict[str, Any], program: Path
    ) -> None:
        for path in (VSIX, ENTRY):
            if not path.exists():
                raise AideError(f"{path} is missing: run make vsix, and make test-editors once.")
        self._folder = folder / "files"
        self._folder.mkdir(parents=True, exist_ok=True)
        own = {f"aide.{name}": value for name, value in settings.items()}
        server = {"aide.server.path": str(program)}
        self._window = Workbench(browser, folder, self._folder, env, VSIX, SETTINGS | server | own)

    def start(self, file: Path | None = None) -> None:
        """Start it."""
        self._window.__enter__()
        page = self._window.page
        page.evaluate(OBSERVE % GHOST)
        # The page's clock is the same one, with another beginning: the fastest of some tries says which.
        tries = []
        for _ in range(20):
            before = time.monotonic()
            there = page.evaluate("performance.now()") / 1000
            tries.append((time.monotonic() - before, before - there))
        spent, begins = min(tries)
        self._begins = begins + spent / 2
        if file is not None:
            self.open(file)

    def wait_ready(self) -> None:
        """Wait until the model is loaded."""
        wait_for("the model is loaded", lambda: self._window.status_label().startswith("Aide: ready"))

    def close(self) -> None:
        """End it."""
        self._window.__exit__(None, None, None)

    def open(self, path: Path) -> None:
        """Open a file."""
        self._file = path
        self._window.open(str(path.relative_to(self._folder)), 1, 1)

    def go(self, line: int) -> None:
        """Put the cursor at the end of a line; from 0."""
        self._window.press("Control+g")
        box = self._window.page.locator(".quick-input-widget:not([style*='display: none']) input").first
        box.wait_for()
        box.fill(f":{line + 1}")
        self._window.press("Enter")
        self._window.page.locator(".quick-input-widget").wait_for(state="hidden")
        wait_for("the cursor is in the line", lambda: self._place()[0] == line + 1, 10)
        self._window.press("End")

    def press(self, key: str) -> None:
        """Press a key."""
        self._window.press(*KEYS.get(key, [key]))

    def indent(self, wanted: str, unit: str) -> None:
        """Correct the indentation of the line that Enter began."""
        has = self._place()[1] - 1
        # The status bar counts a tab as 4 columns, which is VS Code's default.
        width = 4 if unit == "\t" else len(unit)
        want = sum(4 if sign == "\t" else 1 for sign in wanted)
        steps = round((want - has) / width)
        self._window.press(*[DEEPER if steps > 0 else SHALLOWER] * abs(steps))

    def text(self) -> str:
        """Save the open file and return its text."""
        return str(self._window.save(self._file.relative_to(self._folder)))

    def states(self) -> list[State]:
        """Return what was on the screen so far."""
        return [
            State(self._begins + at / 1000, ghost.replace("\xa0", " "))
            for at, ghost in self._window.page.evaluate("window.seen")
        ]

    def _place(self) -> tuple[int, int]:
        found = re.search(r"Ln (\d+), Col (\d+)", self._window.page.locator(".statusbar").inner_text())
        return (int(found[1]), int(found[2])) if found else (0, 0)
