"""The first lines of a completion show while the rest is generated, and never go away meanwhile."""

import pytest
from workbench import GHOST, wait_for

from editors.tests.reciting import FIRST, LATE_FIRST, LATE_WHOLE, WHOLE, reciting_server

WATCH = f"""() => {{
  window.ghosts = [];
  const ghost = {GHOST};
  const look = () => {{
    const seen = ghost().replaceAll('\\u00a0', ' ');
    if (seen !== window.ghosts.at(-1)) window.ghosts.push(seen);
    requestAnimationFrame(look);
  }};
  look();
}}"""


@pytest.fixture
def reciter(own_window, tmp_path):
    """A window on the slow server, without a seed."""
    window = own_window({"aide.server.path": str(reciting_server(tmp_path)), "aide.workAhead": False})
    (window.folder / ".aide.toml").write_text("", encoding="utf-8")
    window.wait_ready()
    return window


def begin(window, comment):
    """Open a new file with a comment; from now on, what is seen is noted."""
    (window.folder / "lines.py").write_text(comment, encoding="utf-8")
    window.open("lines.py")
    # VS Code looks for inline completions only once it has been idle after an editor was opened.
    window.page.wait_for_timeout(2000)
    window.page.evaluate(WATCH)


def seen(window):
    return window.page.evaluate("window.ghosts")


@pytest.mark.parametrize(
    ("comment", "first", "whole"), [("# lines", FIRST, WHOLE), ("# late", LATE_FIRST, LATE_WHOLE)]
)
@pytest.mark.parametrize("keys", [["Enter"], ["Enter", "Alt+\\"]], ids=["typed", "requested"])
def test_the_first_line_shows_and_then_all_without_a_gap(reciter, comment, first, whole, keys):
    begin(reciter, comment)
    reciter.press(*keys)
    reciter.wait_ghost(whole)
    shown = [one for one in seen(reciter) if one.strip()]
    assert shown[0] == first
    assert shown[-1] == whole
    assert "" not in seen(reciter)[1:], "it went away"
    before = len(seen(reciter))
    reciter.type(whole[:2], delay=200)
    reciter.wait_ghost(whole[2:])
    assert [one for one in seen(reciter)[before:] if not whole.endswith(one)] == []
    reciter.press("Tab")
    assert reciter.save("lines.py", other_than=comment) == f"{comment}\n{whole}"


def test_after_escape_nothing_comes_back(reciter):
    begin(reciter, "# lines")
    reciter.press("Enter")
    reciter.wait_ghost(FIRST)
    reciter.press("Escape")
    wait_for("it is hidden", lambda: not reciter.ghost())
    reciter.page.wait_for_timeout(2500)
    assert not reciter.ghost()
