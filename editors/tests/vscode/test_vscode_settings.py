"""VS Code's settings page, and what the server gets from it. The picture is in build/screenshots."""

import re

from workbench import ROOT, USER_SETTINGS, wait_for

PICTURES = ROOT / "build" / "screenshots"
SECTIONS = ("Parameters", "What is offered", "Model", "Privacy", "Exceptions", "Server")


def effective(workbench, file, pattern):
    """Wait until the report of the settings in effect for a file has a line like this."""
    workbench.open(file)
    workbench.command("Aide: Show Effective Settings")
    wait_for(pattern, lambda: re.search(pattern, workbench.report()))


def test_settings_page_has_lists_checkboxes_and_defaults(workbench, logged_server):
    PICTURES.mkdir(parents=True, exist_ok=True)
    workbench.command("Preferences: Open Settings (UI)")
    page = workbench.page
    page.locator(".settings-editor .settings-header .monaco-editor").first.click()
    workbench.press("Control+a")
    workbench.type("@ext:aide.aide ", delay=10)
    # The window is a remote one: there, what a workspace cannot set is in a tab of its own.
    page.locator(".settings-tabs-widget .action-label", has_text="Remote").click()
    item = page.locator(".setting-item-contents")
    item.filter(has_text="Temperature").first.wait_for()
    toc = page.locator(".settings-toc-wrapper")
    for section in SECTIONS:
        toc.get_by_text(section, exact=False).first.wait_for()
    temperature = item.filter(has_text="Aide: Temperature").locator("input")
    assert temperature.input_value() == "0.7"
    workbench.screenshot(PICTURES / "settings-page.png")
    preset = item.filter(has_text="Aide: Preset").locator("select")
    # The list draws only what is in view.
    item.first.hover()

    def scrolled():
        page.mouse.wheel(0, 200)
        page.wait_for_timeout(100)
        return preset.count()

    wait_for("the list of presets", scrolled)
    assert preset.evaluate("list => [...list.options].map((one) => one.text)") == [
        "none",
        "code",
        "factual",
        "creative",
        "conversational",
    ]
    page.wait_for_timeout(300)  # for the picture: the list scrolls smoothly
    workbench.screenshot(PICTURES / "settings-page-presets.png")
    ahead = item.filter(has_text="Aide: Work Ahead").locator(".setting-value-checkbox.checked")
    toc.get_by_text("Model", exact=False).first.click()
    item.first.hover()
    wait_for(
        "a checkbox that is checked", lambda: ahead.count() or (page.mouse.wheel(0, 200), ahead.count())[1]
    )
    workbench.screenshot(PICTURES / "settings-page-model.png")


def test_setting_of_the_editor_overrides_the_project_only_if_the_user_set_it(
    workbench, project, logged_server
):
    PICTURES.mkdir(parents=True, exist_ok=True)
    folder = project({"rules.py": "RULES = [\n"}, "temperature = 0.31\ntop_k = 31\n")
    file = f"{folder.name}/rules.py"
    effective(workbench, file, r"(?i)temperature\D+0\.31\b")
    effective(workbench, file, r"(?i)top.k\D+31\b")
    workbench.screenshot(PICTURES / "effective-settings.png")
    user = USER_SETTINGS | {"aide.server.path": str(logged_server[0])}
    try:
        # The default, set explicitly; and "none" of the list.
        workbench.configure(user | {"aide.temperature": 0.7, "aide.preset": ""})

        def overridden():
            effective(workbench, file, r"(?i)temperature")
            return re.search(r"(?i)temperature\D+0\.7\b", workbench.report())

        wait_for("the value of the user", overridden)
        effective(workbench, file, r"(?i)top.k\D+31\b")
    finally:
        workbench.configure(user)


def test_settings_file_has_its_problems_underlined_and_its_keys_in_the_list(
    workbench, project, logged_server
):
    folder = project({"rules.py": "RULES = [\n"}, "top_kk = 5\n")
    workbench.open(f"{folder.name}/.aide.toml")
    squiggle = workbench.page.locator(".editor-instance .squiggly-warning")
    squiggle.first.wait_for()
    workbench.type("prese")
    # VS Code opens the list by itself only where there is no ghost text.
    workbench.press("Control+Space")
    row = workbench.page.locator(".suggest-widget.visible .monaco-list-row", has_text="preset")
    row.first.wait_for()
    PICTURES.mkdir(parents=True, exist_ok=True)
    workbench.screenshot(PICTURES / "settings-file.png")
    workbench.press("Escape", "Control+a")
    workbench.type("top_k = 5")
    squiggle.first.wait_for(state="detached")
