"""The server is notified of where the cursor is when it has loaded, and of where it goes."""

from workbench import wait_for


def test_where_the_cursor_goes_is_sent(own_window, listening_server):
    program, heard = listening_server
    window = own_window({"aide.server.path": str(program)})
    window.wait_ready()
    assert heard.cursors() == []
    window.open("prices.py", 5, 8)
    wait_for("the place of a file that is opened", lambda: heard.cursors()[-1:] == [("prices.py", 5, 8)])
    window.press("ArrowUp")
    wait_for("the place that a key leads to", lambda: heard.cursors()[-1:] == [("prices.py", 4, 8)])
    assert not heard.all("aide/cursor")[-1]["exact"]
    window.page.locator(".view-line", has_text="return sum").click(position={"x": 60, "y": 5})
    wait_for("the place of a click", lambda: heard.cursors()[-1][1] == 5)
    assert heard.all("aide/cursor")[-1]["exact"]
    place = heard.cursors()[-1]
    # What it had heard is gone with the old one.
    window.command("Aide: Restart Server")
    wait_for("the place where the cursor still is", lambda: heard.cursors() == [place])


def test_a_file_that_changed_on_the_disk_is_no_place_where_the_user_waits(own_window, listening_server):
    program, heard = listening_server
    window = own_window({"aide.server.path": str(program)})
    window.wait_ready()
    window.open("prices.py", 5, 8)
    wait_for("the place of the file", lambda: heard.cursors()[-1:] == [("prices.py", 5, 8)])
    path = window.folder / "prices.py"
    path.write_text(path.read_text(encoding="utf-8") + "\nCHANGED = True\n", encoding="utf-8")
    window.page.locator(".view-line", has_text="CHANGED").wait_for()
    before = window.server_pids()
    window.command("Aide: Restart Server")
    wait_for("another server runs", lambda: window.server_pids() not in ([], before))
    wait_for("the place where the cursor still is", lambda: heard.cursors() == [("prices.py", 5, 8)])
    assert heard.all("textDocument/inlineCompletion") == []
