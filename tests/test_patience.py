"""No test gives up on a busy machine."""

import pytest

from tests.patience import PATIENCE, short_limits
from tools.generate.pages import REPOSITORY
from tools.parsed_modules import read_modules


@pytest.mark.parametrize("folder", ["tests", "editors/tests"])
def test_no_test_waits_for_so_short_a_time_that_a_busy_machine_may_exceed_it(folder):
    if findings := short_limits(read_modules(REPOSITORY / folder)):
        pytest.fail("\n".join(findings), pytrace=False)


@pytest.mark.parametrize(
    "source",
    [
        "process.wait(5)",
        "thread.join(30)",
        "connection.settimeout(20)",
        "subprocess.run(command, timeout=10)",
        "async def f():\n    async with asyncio.timeout(8): pass",
        "asyncio.wait_for(answer, 10.0)",
        "def reply(msg_id, seconds=20.0): pass",
        "def reply(*, timeout=20): pass",
    ],
)
def test_a_short_limit_is_noticed(tmp_path, source):
    (tmp_path / "test_a.py").write_text(source)
    (line,) = short_limits(read_modules(tmp_path))
    assert line.endswith("Use PATIENCE.")


@pytest.mark.parametrize(
    "source",
    [
        "process.wait()",
        "process.wait(PATIENCE)",
        f"process.wait({PATIENCE})",
        "assert not stop.wait(1)",
        "', '.join(names)",
        "clients.wait_for(10)",
        "def draw(seed=7): pass",
    ],
)
def test_what_waits_long_enough_or_for_what_must_not_come_is_fine(tmp_path, source):
    (tmp_path / "test_a.py").write_text(source)
    assert short_limits(read_modules(tmp_path)) == []
