"""The program that counts where the excerpts have the name that is wanted, with a tokenizer of bytes."""

import pytest

from aide_lsp.context import ranking
from aide_lsp.engines.local import LoadedModel, LocalModel
from benchmarks.context import recall as program
from benchmarks.context.items import Item
from benchmarks.context.keys import Silent
from benchmarks.real_code.holes import Hole
from tests.benchmarks.context.test_context_keys import Files
from tests.benchmarks.real_code.test_real_code_packages import write_archive
from tests.fakes import END, description

# The chunk that matches best is the second one, and the name is in the first.
LOOK = (
    "class FileLook:\n    def read(self):\n        return FileLook(1)\n\n\nkept_lines = 3\n"
    + "kept_lines = join_lines(kept_lines)\n" * 6
)
TEXT = "kept_lines = join_lines([])\n\n\ndef first():\n    return FileLook(1)\n"


@pytest.fixture
def rows(tmp_path, monkeypatch, capsys):
    """Call the program on one item in a project of two files; return the cells of each row."""
    members = {"shelf-1/src/look.py": LOOK.encode(), "shelf-1/src/a.py": TEXT.encode()}
    archive = write_archive(tmp_path / "npm-shelf-1.0.tar.gz", members)
    start = TEXT.index("FileLook(1)")
    hole = Hole(f"shelf:src/a.py:{start}:new", "python", "new", TEXT[:start], "\n", "FileLook(1)")
    monkeypatch.setattr(program, "all_items", lambda dev, cache: [Item(hole, archive, "FileLook")] * dev)
    described = description(fim="qwen2.5-coder")
    model = LocalModel(LoadedModel(Files(), Silent(263, 8192, END), described))
    monkeypatch.setattr(program, "silent_model", lambda settings: model)
    monkeypatch.setattr(ranking, "WEAK", ranking.WEAK)

    def rows(*more: str):
        program.main(["--cache", str(tmp_path), *more])
        lines = capsys.readouterr().out.strip().split("\n")[2:]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]

    return rows


def test_name_counts_only_if_its_excerpt_is_read(rows):
    shares = '[{"num_context": 1024, "context_share": 0.5}, {"num_context": 1024, "context_share": 0.25}]'
    whole, part = rows("--rows", shares)
    assert whole[1:4] + whole[5:] == ["1", "0", "2.0", "1", "1 of 1", "1"]
    assert part[1:4] + part[5:] == ["1", "0", "1.0", "0", "0 of 1", "0"]
    assert 0 < int(part[4]) < int(whole[4])
