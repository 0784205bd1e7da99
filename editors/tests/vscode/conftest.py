"""One VS Code window for all tests, and what is kept when one fails."""

import shutil
from pathlib import Path

import pytest
from workbench import ENTRY, PRICES, ROOT, USER_SETTINGS, Workbench, chromium

VSIX = ROOT / "build" / "aide.vsix"
KEPT = ROOT / "build" / "editors" / "vscode"


@pytest.fixture(scope="session")
def vsix():
    assert VSIX.exists(), f"{VSIX} is missing: run make vsix first."
    assert ENTRY.exists(), "VS Code is missing: run make test-editors, which installs it."
    KEPT.mkdir(parents=True, exist_ok=True)
    return VSIX


@pytest.fixture(scope="session")
def pictures():
    """A folder for pictures, to look at."""
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def logged_server(aide_lsp_path, tmp_path_factory):
    """The server, started in a way that leaves its log: (program, log)."""
    folder = tmp_path_factory.mktemp("server")
    program, log = folder / "aide-lsp", folder / "server.log"
    program.write_text(
        f'#!/bin/sh\nexec "{aide_lsp_path}" --log-level debug --log-file "{log}" "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    return program, log


@pytest.fixture(scope="session")
def window(browser, vsix, editor_env, logged_server, tmp_path_factory):
    """The window that all tests share, with the model loaded."""
    home, folder = tmp_path_factory.mktemp("vscode"), tmp_path_factory.mktemp("shop")
    (folder / ".git").mkdir()
    settings = {"aide.server.path": str(logged_server[0])} | USER_SETTINGS
    with Workbench(browser, home, folder, editor_env, vsix, settings) as workbench:
        try:
            workbench.wait_ready()
        except AssertionError:
            workbench.screenshot(KEPT / "never-ready.png")
            raise
        yield workbench


@pytest.fixture
def workbench(window):
    """The window with no editor open."""
    yield window
    window.close_editors()


@pytest.fixture
def project(window, request):
    """Make a project in the window's workspace: `project({"a.py": text}, "top_k = 5")` gives its folder.

    It has a seed unless its settings say otherwise: with a random one, there may be nothing to show.
    """

    def make(files, settings="seed = 7\n"):
        folder = window.folder / request.node.name.removeprefix("test_")
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / ".aide.toml").write_text(settings, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def own_window(browser, vsix, editor_env, tmp_path, request):
    """A window of its own, on a project with a seed: `own_window(settings, workspace_settings, env=...)`."""
    opened = []

    def make(settings, workspace_settings=None, env=None, **options):
        folder = tmp_path / "shop"
        (folder / ".vscode").mkdir(parents=True)
        (folder / "prices.py").write_text(PRICES, encoding="utf-8")
        (folder / ".aide.toml").write_text("seed = 7\n", encoding="utf-8")
        if workspace_settings is not None:
            (folder / ".vscode" / "settings.json").write_text(workspace_settings, encoding="utf-8")
        window = Workbench(browser, tmp_path, folder, editor_env | (env or {}), vsix, settings, **options)
        opened.append(window.__enter__())
        request.node.funcargs["shown_window"] = window
        return window

    yield make
    for window in opened:
        window.__exit__()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Keep the screen and the server's log of a test that failed."""
    report = yield
    used = getattr(item, "funcargs", {})
    if report.when == "call" and report.failed:
        for name in ("workbench", "shown_window"):
            if name in used:
                used[name].screenshot(KEPT / f"{item.name}-failed.png")
        if "logged_server" in used and Path(used["logged_server"][1]).exists():
            shutil.copy(used["logged_server"][1], KEPT / f"{item.name}-server.log")
    return report
