"""Aide's views in the themes that VS Code comes with, in the side column of a window of 1280 px.

The pictures are in build/screenshots.
"""

import pytest
from pages_seen import MEASURE, THEMES, unreadable
from workbench import DEADLINE_MS, MEDIAN, wait_for

SIDE = 500


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
    settings = {"aide.server.path": str(logged_server[0]), "aide.deadlineMs": DEADLINE_MS}
    window = own_window(settings, size=(1280, 800))
    (window.folder / ".git").mkdir()
    (window.folder / ".aide.toml").write_text("seed = 7\n", encoding="utf-8")
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
    # Of the tokens, one takes the Tab key, and the arrow keys lead from it to the others.
    token = webview(window).locator(".source .token")
    assert token.and_(webview(window).locator("[tabindex='0']")).count() == 1
    token.first.click()
    token.first.focus()
    window.press("ArrowRight")
    assert token.nth(1).evaluate("token => token === document.activeElement && token.tabIndex") == 0
    assert token.nth(1).get_attribute("aria-current") == "true"
    window.page.set_viewport_size({"width": 1280, "height": 2900})
    webview(window).get_by_text("checks").last.wait_for()
    window.screenshot(pictures / "explanation-complete.png")


def test_completions_are_compared_side_by_side_and_one_is_adopted(wide, pictures, expected_completion):
    window, settings = wide
    (window.folder / "prices.py").write_text(MEDIAN, encoding="utf-8")
    window.open("prices.py")
    shown, text = window.ask(), MEDIAN
    window.command("Aide: Compare Completions")
    page = webview(window)
    cells = {
        (temperature, seed): page.locator(f"[id='cell-{temperature}-{seed}']")
        for temperature, seed in ((0, 7), (0.4, 7), (0.4, 8), (0.7, 7), (0.7, 8), (1, 7), (1, 8))
    }
    for cell in cells.values():
        cell.locator("pre, p:has-text('The same text as')").wait_for()
    assert page.locator(".cell").count() == len(cells) + 1
    page.get_by_role("status").get_by_text("7 completions", exact=True).wait_for()

    # Equal texts are shown once: the others name the first.
    texts = {
        key: cell.locator("pre").inner_text() for key, cell in cells.items() if cell.locator("pre").count()
    }
    assert len(set(texts.values())) == len(texts) >= 2
    for key, cell in cells.items():
        assert (key in texts) != cell.get_by_text("The same text as").count()
    for key in [(0, 7), list(texts)[-1]]:
        completion = expected_completion(window.folder / "prices.py", 13, 5, temperature=key[0], seed=key[1])
        assert texts[key] == "    " + completion, "the first line has its indentation"
    for key, found in texts.items():
        is_current = found == "    " + shown
        assert ("current" in cells[key].get_attribute("class").split()) == is_current
        assert bool(cells[key].locator("ins, .gone").count()) != is_current, "differences are marked"

    for name, measured in in_each_theme(window, settings):
        window.screenshot(pictures / f"compare-{name}.png")
        assert measured["width"] <= SIDE + 60
        assert measured["overflow"] <= 0
        assert unreadable(measured) == [], name
        assert [one for one in measured["seen"] if one["size"] < 10] == []
        assert [one["text"] for one in measured["seen"] if one["clipped"]] == []

    page.get_by_label("Top K").fill("-3")
    page.get_by_role("button", name="Compare").click()
    page.get_by_text("Top K: write whole numbers from 1").wait_for()
    page.get_by_label("Top K").fill("50")
    page.get_by_label("Temperatures").fill("0.4")
    page.get_by_label("Seeds").fill("7, 8, 9")
    page.get_by_label("Seeds").press("Enter")
    page.locator("#cell-0\\.4-9 pre, #cell-0\\.4-9 p:has-text('The same')").first.wait_for()
    adopted = page.locator("#cell-0\\.4-8")
    completion = adopted.locator("pre").inner_text().removeprefix("    ")
    # Keys do what the mouse does: to the page, through its fields, to a completion.
    window.press("Control+1", "Control+2")
    for _ in range(20):
        window.press("Tab")
        if adopted.evaluate("cell => cell === document.activeElement"):
            break
    window.press("Enter")
    window.notification("Temperature 0.4 and Seed 8 are in effect for this project.")
    assert (window.folder / ".aide.toml").read_text(encoding="utf-8") == "seed = 8\ntemperature = 0.4\n"
    window.wait_ghost(completion)
    assert window.save("prices.py") == text, "nothing was inserted"


def test_effective_settings_are_a_page_with_links(wide, pictures):
    window, settings = wide
    (window.folder / ".aide.toml").write_text("seed = 7\ntop_k = 40\n", encoding="utf-8")
    window.open("prices.py")
    window.command("Aide: Show Effective Settings")
    page = webview(window)
    row = page.locator("tr", has=page.get_by_role("rowheader", name="Top K", exact=True))
    row.get_by_text(".aide.toml").wait_for()
    assert "40" in row.inner_text()
    assert "overrides 50" in row.inner_text()
    assert "CPU" in page.locator("section", has_text="In use").last.inner_text()
    for name, measured in in_each_theme(window, settings):
        window.screenshot(pictures / f"settings-{name}.png")
        assert measured["overflow"] <= 0
        assert unreadable(measured) == [], name
        assert [one for one in measured["seen"] if one["size"] < 10] == []
    row.get_by_role("link", name="Change").click()
    window.page.locator(".settings-editor .setting-item-label", has_text="Top K").wait_for()
    window.press("Escape")
    window.page.locator(".settings-editor").wait_for(state="hidden")
    row.get_by_role("link", name=".aide.toml").click()
    window.page.wait_for_selector(".tab.active[data-resource-name='.aide.toml']")
    assert "top_k = 40" in window.text()
