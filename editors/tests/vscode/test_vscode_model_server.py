"""A model that llama.cpp's own server runs, in VS Code: ghost text, status, and what happens when it dies."""

from workbench import DEADLINE_MS, wait_for

from editors.tests.ports import free_port
from tests.llama_reference import llama_server


def test_ghost_text_from_a_server_and_what_the_status_says(own_window, logged_server, default_gguf, pictures):
    port = free_port()
    settings = {
        "aide.server.path": str(logged_server[0]),
        "aide.engine": f"http://127.0.0.1:{port}",
        "aide.deadlineMs": DEADLINE_MS,
        "aide.maxTokens": 24,
    }
    with llama_server(default_gguf, port=port):
        window = own_window(settings)
        window.wait_ready()
        window.open("prices.py")
        window.type("\n\ndef median(prices):\n")
        window.wait_ghost()
        sent = f"Text is sent to 127.0.0.1:{port} (llama.cpp)"
        wait_for("what the server is", lambda: sent in window.status_label())
        window.tooltip()
        window.page.wait_for_timeout(500)  # it fades in
        window.screenshot(pictures / "status-server.png")
        window.page.mouse.move(400, 300)
    window.type("    ")
    wait_for("the failure in the status", lambda: "no answer from the server" in window.status_label())
    window.notification("Aide offers no completions.")
    window.screenshot(pictures / "status-server-dead.png")
    with llama_server(default_gguf, port=port):
        wait_for("the server is back", lambda: "Aide: ready" in window.status_label())
        window.wait_ghost()
