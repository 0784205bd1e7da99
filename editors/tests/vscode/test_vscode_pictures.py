"""Takes the pictures and the film that the documentation shows, in a window of their size.

They are in build/pictures; `make pictures` copies them to where the pages have them.
"""

import os

import pytest
from film import Film
from workbench import PRICES, ROOT, wait_for

PICTURES = ROOT / "build" / "pictures"

LOOK = {
    "workbench.colorTheme": "Dark Modern",
    "workbench.activityBar.location": "hidden",
    "workbench.layoutControl.enabled": False,
    "window.commandCenter": False,
    "breadcrumbs.enabled": False,
    "editor.minimap.enabled": False,
    "editor.fontSize": 15,
    "workbench.statusBar.visible": True,
}


@pytest.fixture(autouse=True)
def pictures():
    PICTURES.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def window(own_window, logged_server):
    window = own_window({"aide.server.path": str(logged_server[0])} | LOOK, size=(900, 500))
    (window.folder / "orders.py").write_text(PRICES, encoding="utf-8")
    (window.folder / ".aide.toml").write_text("seed = 7\n", encoding="utf-8")
    (window.folder / ".env").write_text("SHOP_URL=http://localhost:8000\n", encoding="utf-8")
    window.wait_ready()
    window.command("View: Close Primary Side Bar")
    window.clear_notifications()
    return window


def test_pictures(window):
    window.open("orders.py")
    window.type("\n\ndef median(prices):\n")
    window.wait_ghost()
    window.screenshot(PICTURES / "vscode-completion.png")
    window.save("orders.py")
    window.page.set_viewport_size({"width": 900, "height": 300})
    window.open(".env")
    window.type("SHOP_PASSWORD=")
    wait_for("the reason", lambda: "No completion" in window.status_label())
    assert "hold secrets" in window.tooltip()
    window.page.wait_for_timeout(500)  # it fades in
    window.screenshot(PICTURES / "vscode-status.png")
    window.page.set_viewport_size({"width": 1280, "height": 760})
    window.open("orders.py")
    window.press("Escape")
    window.page.mouse.move(200, 600)  # the tooltip goes
    for command, name, last in (
        ("Aide: Explain This Completion", "explanation", "checks"),
        ("Aide: Compare Completions", "compare", "Temperature 1"),
    ):
        window.command(command)
        page = window.page.frame_locator("iframe.webview").frame_locator("iframe")
        page.get_by_text(last, exact=True).first.wait_for()
        page.get_by_text("Generating …").wait_for(state="detached")
        page.get_by_text("Waiting …").first.wait_for(state="detached")
        window.page.mouse.move(200, 600)  # away from the border between the columns
        window.page.wait_for_timeout(500)
        window.screenshot(PICTURES / f"vscode-{name}.png")
        window.command("View: Close Editors in Other Groups")


# Regenerating draws seeds at random: all of them may give the same text, and there is nothing to film.
@pytest.mark.skipif("AIDE_FILM" not in os.environ, reason="only `make pictures` makes the film")
def test_film(window):
    """Completions as you type: one accepted, one regenerated with another seed, and why it came."""
    window.open("orders.py")
    film = Film(window.page)
    film.frame(900)
    write(window, film, "\n\ndef median(prices):\n")
    window.wait_ghost()
    film.frame(2200)
    window.press("Tab")
    wait_for("it is accepted", lambda: not window.ghost())
    film.frame(900)
    window.press("Escape", "Control+End")
    window.type("\n\n")
    window.press("Shift+Home", "Delete")  # the indentation of the function above
    write(window, film, "def cheapest(prices):\n")
    before = window.wait_ghost()
    film.frame(1800)
    window.press("Shift+Alt+R")
    window.wait_ghost(other_than=before)
    film.frame(1800)
    window.press("Tab")
    wait_for("it is accepted", lambda: not window.ghost())
    film.frame(900)
    window.command("Aide: Explain This Completion")
    page = window.page.frame_locator("iframe.webview").frame_locator("iframe")
    page.get_by_text("Token by token").wait_for()
    window.page.mouse.move(200, 40)
    window.page.wait_for_timeout(500)
    film.frame(3500)
    film.save(PICTURES / "film.png")
    assert 50_000 < (PICTURES / "film.png").stat().st_size < 3_000_000


def write(window, film, text):
    """Type as people do; ghost text has the time that it takes to come."""
    for character in text:
        window.type(character)
        window.page.wait_for_timeout(150)
        film.frame(110)
