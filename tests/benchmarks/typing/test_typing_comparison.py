"""`python -m benchmarks.typing` against the real server with a fake model; who takes turns with whom."""

import json
import sys

import pytest
from click.testing import CliRunner

from benchmarks.typing import comparison as typing_comparison
from benchmarks.typing.__main__ import main as typing
from benchmarks.typing.comparison import QUICK, compare, interleaved_traces, parse, typescript_sources
from tests.benchmarks.typing.test_typing_replay import FAKE_SERVER, ScriptedEngine

CODE = """
export function total(items: Item[]): number {
    const prices = items.map((item) => item.price);
    const sum = prices.reduce((one, two) => one + two, 0);
    return Math.round(sum * 100) / 100;
}
"""


def test_typing_benchmark_prints_what_came_of_the_keys():
    command = f"{sys.executable} {FAKE_SERVER}"
    arguments = ["--traces", "1", "--seconds", "4", "--command", command]
    result = CliRunner().invoke(typing, arguments)
    assert result.exit_code == 0, result.output
    rows = dict(line.rsplit(maxsplit=1) for line in result.output.splitlines() if "  " in line)
    assert int(rows["keys, a request at each"]) > 3
    assert rows["answered before the next key"].endswith("%")


def test_typing_benchmark_types_the_files_it_is_given(tmp_path):
    file = tmp_path / "prices.ts"
    file.write_text(CODE * 12)
    command = f"{sys.executable} {FAKE_SERVER}"
    arguments = [
        str(file),
        "--traces",
        "1",
        "--seconds",
        "3",
        "--json",
        "--command",
        command,
    ]
    result = CliRunner().invoke(typing, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout.splitlines()[-1])
    assert found["traces"] == ["typescript: prices.ts"]
    assert found["keys"] > 0
    assert file.read_text() == CODE * 12


def test_typing_benchmark_says_that_a_file_is_too_short(tmp_path):
    file = tmp_path / "short.py"
    file.write_text("x = 1\n")
    result = CliRunner().invoke(typing, [str(file)])
    assert result.exit_code != 0
    assert "short.py has no" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--command", "a 'b"], "No closing quotation"),
        (["--command", "/no/such/server"], "no program"),
        (["/dev"], "directory"),
    ],
)
def test_typing_benchmark_when_it_cannot_start_then_it_says_why(arguments, said):
    result = CliRunner().invoke(typing, arguments)
    assert result.exit_code == 2
    assert said in result.output


async def test_the_engines_take_turns_and_every_other_time_in_the_other_order(monkeypatch, tmp_path):
    order = []

    class Named(ScriptedEngine):
        server = "stub 1"

        def __init__(self, name):
            super().__init__(dict.fromkeys(range(9999), 0.0))
            self.name = name

        def begin(self):
            order.append(self.name)

    async def start(*_):
        return [Named("A"), Named("B"), Named("C")]

    monkeypatch.setattr(typing_comparison, "start", start)
    monkeypatch.setattr(typing_comparison, "PAUSE_S", 0)
    plan = typing_comparison.Plan(2, 1.6, 1, 2)
    options = parse(["--max-others", "1", "--node-modules", str(tmp_path)])
    kept = await compare(options, plan, interleaved_traces(options, plan))
    assert "".join(order) == "ABC" + "CBA" + "ABC"
    assert [one.name for one in kept] == ["A", "B", "C"]
    assert [len(one.patient[0].asked) + one.patient[0].dropped for one in kept] == [2, 2, 2]
    assert len(kept[0].typing) == 2


def test_python_and_typescript_are_typed_in_turns(tmp_path):
    for package, file in typing_comparison.TYPESCRIPT:
        path = tmp_path / package / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CODE * 20)
        (tmp_path / package / "package.json").write_text('{"version": "1.2.3"}')
    traces = interleaved_traces(parse(["--node-modules", str(tmp_path)]), QUICK)
    assert [trace.sources[0].language for trace in traces] == ["python", "typescript"]
    assert typescript_sources(tmp_path)[0].name == "htmlparser2 1.2.3 src/Tokenizer.ts"


@pytest.mark.parametrize("arguments", [["--max-others", "0"], ["--max-others", "2"], ["--lsp", "nameless"]])
def test_invalid_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        parse(arguments)
    assert "--" in capsys.readouterr().err
