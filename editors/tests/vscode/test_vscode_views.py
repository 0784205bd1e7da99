"""Aide's views in the themes that VS Code comes with, in the side column of a window of 1280 px.

The pictures are in build/screenshots.
"""

import pytest
from pages_seen import MEASURE, THEMES, unreadable
from workbench import DEADLINE_MS, ROOT, wait_for

PICTURES = ROOT / "build" / "screenshots"
SIDE = 500


@pytest.fixture(scope="module")
def pictures():
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


def webview(window):
    """The document of the webview that is open."""
    return window.page.frame_locator("iframe.webview").frame_locator("iframe")


def in_each_theme(window, settings):
    """Switch to each theme in turn, and yield its name with the measured page."""
    for name, (theme, its_class) in THEMES.items():
        window.configure(settings | {"workbench.colorTheme": theme})
        body = webview(window).locator(f"body.{its_class}")
        body.wait_for()

        def measured(body=body):
            page = body.evaluate(MEASURE)
            # The class comes before the colors.
            return page if page["paper"] == rgb(page["theme"]["editor-background"]) else None

        yield name, wait_for(f"the colors of {theme}", measured)


def rgb(color):
    """`#1f1f1f` as a computed style says it."""
    digits = color.strip().removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    return "rgb({}, {}, {})".format(*(int(digits[at : at + 2], 16) for at in (0, 2, 4)))


def plain(fonts):
    return fonts.replace('"', "").replace("'", "")


@pytest.fixture
def wide(own_window, logged_server):
    """A window of 1280 px with a file open."""
    settings = {"aide.server.path": str(logged_server[0]), "aide.deadlineMs": DEADLINE_MS, "aide.seed": 7}
    window = own_window(settings, size=(1280, 800))
    window.wait_ready()
    return window, settings


def test_explanation_is_readable_in_each_theme(wide, pictures):
    window, settings = wide
    window.open("prices.py")
    window.type("\n\ndef median(prices):\n")
    window.wait_ghost()
    window.command("Aide: Explain This Completion")
    webview(window).get_by_text("Token by token").wait_for()
    backgrounds = set()
    for name, page in in_each_theme(window, settings):
        window.screenshot(pictures / f"explanation-{name}.png")
        assert page["width"] <= SIDE + 60, page["width"]
        assert page["overflow"] <= 0
        assert page["ink"] == rgb(page["theme"]["editor-foreground"])
        assert plain(page["font"]) == plain(page["theme"]["font-family"])
        assert len(page["seen"]) > 100
        assert unreadable(page) == [], name
        assert [one for one in page["seen"] if one["size"] < 10] == []
        assert [one["text"] for one in page["seen"] if one["clipped"] and not one["scrolls"]] == []
        for (_, right), (left, _) in zip(page["heads"], page["heads"][1:], strict=False):
            assert right + 6 <= left, "headers run together"
        backgrounds.add(page["paper"])
    assert len(backgrounds) >= 3
    window.page.set_viewport_size({"width": 1280, "height": 2900})
    webview(window).get_by_text("checks").last.wait_for()
    window.screenshot(pictures / "explanation-complete.png")
