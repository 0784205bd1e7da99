"""Two Neovims that share one engine: the second joins, and a killed engine is replaced without a message."""

from tests.engine_processes import engine_folder, engines

SETTINGS = "{ engine = 'shared', deadlineMs = 100000, maxTokens = 24 }"
INIT = f"require('aide').setup({{ settings = {SETTINGS} }})"


def test_second_editor_joins_and_the_engine_may_be_killed_while_one_types(start_nvim, workspace):
    with engine_folder() as folder:
        file = workspace(settings="temperature = 0\n") / "prices.py"
        first, second = (
            start_nvim(env={"XDG_RUNTIME_DIR": str(folder)}, init=INIT, file=file) for _ in range(2)
        )
        for nvim in (first, second):
            nvim.wait(nvim.is_ready, "Aide is not ready")
        (engine,) = engines(folder)
        said = sorted(nvim.state()["shares"] for nvim in (first, second))
        assert "This one joined it" in said[0]
        assert "This one started it" in said[1]
        second.keys("G", "o")
        second.type("def median(prices):", "Enter")
        second.wait_ghost()
        before = second.messages
        engine.kill()
        second.keys("Escape", "G", "o")
        second.type("def maximum(prices):", "Enter")
        second.wait_ghost()
        (another,) = engines(folder)
        assert another.pid != engine.pid
        assert second.messages == before
        assert second.state()["state"] == "ready"
        second.keys("Escape")
        second.command("Aide status")
        second.wait(lambda: "One process runs the model" in second.screen(), "The status does not say it")
