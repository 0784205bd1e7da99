"""The status item's tooltip and menu, and the walkthrough, in the themes that VS Code comes with.

The pictures are in build/screenshots.
"""

from pages_seen import THEMES
from workbench import DEADLINE_MS, wait_for

COLORS = """(selector) => {
  const element = document.querySelector(selector);
  const style = getComputedStyle(element);
  return [style.color, style.backgroundColor];
}"""


def test_tooltip_menu_and_walkthrough_in_each_theme(own_window, logged_server, pictures):
    settings = {"aide.server.path": str(logged_server[0]), "aide.deadlineMs": DEADLINE_MS, "aide.seed": 7}
    window = own_window(settings, size=(1600, 860))
    window.wait_ready()
    window.open("prices.py")
    window.type("\n\ndef median(prices):\n")
    window.wait_ghost()
    seen = set()
    for name, (theme, _) in THEMES.items():
        window.configure(settings | {"workbench.colorTheme": theme})
        window.page.wait_for_selector(f".monaco-workbench.{CLASSES[name]}")
        wait_for("what is shown", lambda: "Shown: seed 7, pinned" in window.status_label())
        text = window.tooltip()
        assert "Shown: seed 7, pinned" in text
        window.page.wait_for_timeout(500)  # it fades in
        window.screenshot(pictures / f"status-tooltip-{name}.png")
        seen.add(tuple(window.page.evaluate(COLORS, ".workbench-hover")))
        window.page.mouse.move(400, 300)
        window.page.locator("[id='aide.aide.aide.status']").click()
        assert len(window.entries()) > 8
        window.screenshot(pictures / f"status-menu-{name}.png")
        window.press("Escape")
        wait_for("the list is closed", lambda: not window.page.locator(".quick-input-widget").is_visible())
    assert len(seen) == len(THEMES)

    window.command("Welcome: Open Walkthrough")
    window.fill_and_choose("Get Started with Aide", "Get Started with Aide")
    steps = window.page.locator(".gettingStartedContainer .getting-started-step")
    wait_for("the steps", lambda: steps.count() == 5)
    for name, (theme, _) in THEMES.items():
        window.configure(settings | {"workbench.colorTheme": theme})
        window.page.wait_for_selector(f".monaco-workbench.{CLASSES[name]}")
        for index in range(5) if name == "dark" else (3,):
            steps.nth(index).locator(".step-title, h3").first.click()
            window.page.wait_for_timeout(500)  # the picture moves in
            window.screenshot(pictures / f"walkthrough-{index + 1}-{name}.png")
    # A real completion ends the first step.
    steps.first.locator(".step-title, h3").first.click()
    window.page.get_by_text("Try It in a New File").click()
    window.wait_ghost()
    window.page.locator(".tab", has_text="Welcome").click()
    steps.first.locator(".codicon-getting-started-step-checked").wait_for()
    # A preset is in effect at once.
    steps.nth(3).locator(".step-title, h3").first.click()
    window.page.get_by_text("Use the Preset code").click()
    window.notification('Your settings now use the preset "code", in all your projects.')
    window.press("Control+1")
    window.open("prices.py")
    window.type("\n")
    wait_for("the preset", lambda: "Preset: code" in window.status_label())


CLASSES = {"light": "vs", "dark": "vs-dark", "high-contrast": "hc-black", "high-contrast-light": "hc-light"}
