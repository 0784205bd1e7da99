"""The comparison with and without drafts cuts real holes, and its table is correct."""

from importlib import import_module
from pathlib import Path

from benchmarks.drafting import KINDS, MODULES, Pair, holes, table


def test_holes_are_cut_out_of_the_files_and_the_same_seed_cuts_the_same():
    texts = {f"{name}.py": Path(import_module(name).__file__).read_text(encoding="utf-8") for name in MODULES}
    texts |= {"__init__.py": texts["inspect.py"]}
    cut = list(holes(40, 3, 256))
    for kind, request in cut:
        whole = texts[request.path]
        missing = len(whole) - len(request.text)
        assert missing > 0
        assert whole[: request.offset] == request.text[: request.offset]
        assert whole[request.offset + missing :] == request.text[request.offset :]
        assert (whole[request.offset : request.offset + missing].count("\n") > 0) <= (kind == KINDS[2])
    assert cut == list(holes(40, 3, 256))
    assert cut != list(holes(40, 4, 256))


def test_the_table_says_how_much_faster_each_group_was():
    pairs = [
        Pair(KINDS[0], 0.0, 10, (1.0, 2.0), (1.0, 1.5), same=True),
        Pair(KINDS[1], 0.7, 128, (1.0, 4.0), (1.0, 1.5), same=True),
    ]
    rows = {row.split(" | ")[0].strip("| "): row for row in table(pairs)}
    assert "| 3.00x | 3.00x | 1.50x |" in rows["all"]
    assert "| 1 | 10 | 2000 | 2.00x |" in rows["ended before the token limit"]
    assert "4.00x" in rows["temperature 0.7"]
    assert "temperature 1.0" not in rows
