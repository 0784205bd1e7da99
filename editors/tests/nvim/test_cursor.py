"""The server is notified of where the cursor is when it has loaded, and of where it goes."""

import json

from editors.tests.conftest import SAMPLE


def test_where_the_cursor_goes_is_sent(start_nvim, workspace, listening_server):
    program, heard = listening_server
    folder = workspace({"prices.py": SAMPLE, "orders.py": SAMPLE})
    init = f"require('aide').setup({{ cmd = {{ {json.dumps(str(program))} }} }})"
    nvim = start_nvim(init=init, file=folder / "prices.py")

    def comes_to(*place):
        nvim.wait(lambda: heard.cursors()[-1:] == [place], lambda: f"Not {place}, but {heard.cursors()}")

    nvim.wait(nvim.is_ready, "Aide is not ready")
    comes_to("prices.py", 1, 1)
    nvim.command("5")
    comes_to("prices.py", 5, 1)
    nvim.keys("w")
    comes_to("prices.py", 5, 5)
    # Normal mode cannot go behind the last character.
    nvim.keys("$")
    comes_to("prices.py", 5, len("    return sum(prices)") + 1)
    assert not heard.all("aide/cursor")[-1]["exact"]
    # A click: press, and let go. Then by key again.
    for action in ("press", "release"):
        nvim.do(f"vim.api.nvim_input_mouse('left', '{action}', '', 0, 4, 11)")
    comes_to("prices.py", 5, 12)
    assert heard.all("aide/cursor")[-1]["exact"]
    nvim.keys("b")
    comes_to("prices.py", 5, 5)
    assert not heard.all("aide/cursor")[-1]["exact"]
    # As going to a definition does.
    sent = len(heard.cursors())
    nvim.do(
        f"vim.cmd.edit({json.dumps(str(folder / 'orders.py'))}) vim.api.nvim_win_set_cursor(0, {{ 8, 4 }})"
    )
    comes_to("orders.py", 8, 5)
    assert len(heard.cursors()) == sent + 1
