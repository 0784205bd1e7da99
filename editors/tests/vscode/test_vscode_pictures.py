"""Takes the pictures that the documentation shows, in a window of their size, into build/editors/vscode."""

import pytest
from conftest import KEPT
from workbench import PRICES, wait_for

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
    window.screenshot(KEPT / "vscode-completion.png")
    window.save("orders.py")
    window.page.set_viewport_size({"width": 900, "height": 300})
    window.open(".env")
    window.type("SHOP_PASSWORD=")
    wait_for("the reason", lambda: "No completion" in window.status_label())
    assert "hold secrets" in window.tooltip()
    window.page.wait_for_timeout(500)  # it fades in
    window.screenshot(KEPT / "vscode-status.png")
