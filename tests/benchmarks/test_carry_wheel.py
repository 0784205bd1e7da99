"""A wheel comes out of its pieces the same, or not at all."""

import json

import pytest

from benchmarks.carry_wheel import LIST, CarryFault, join, main, split

CONTENT = bytes(range(256)) * 10


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "thing-1.0-py3-none-any.whl"
    path.write_bytes(CONTENT)
    return path


def test_split_makes_pieces_no_larger_than_allowed(wheel, tmp_path):
    pieces = split(wheel, tmp_path / "pieces", 1000)
    assert [piece.stat().st_size for piece in pieces] == [1000, 1000, 560]
    assert b"".join(piece.read_bytes() for piece in pieces) == CONTENT


@pytest.mark.parametrize("size", [1, 1280, 2560, 9999])
def test_join_gives_the_same_wheel(wheel, tmp_path, size):
    if size == 1:
        wheel.write_bytes(CONTENT[:5])
    split(wheel, tmp_path / "pieces", size)
    joined = join(tmp_path / "pieces", tmp_path / "out")
    assert joined.name == wheel.name
    assert joined.read_bytes() == wheel.read_bytes()
    assert list((tmp_path / "out").iterdir()) == [joined]


def test_join_names_missing_pieces(wheel, tmp_path):
    pieces = split(wheel, tmp_path / "pieces", 1000)
    pieces[1].unlink()
    with pytest.raises(CarryFault, match=pieces[1].name):
        join(tmp_path / "pieces", tmp_path / "out")


@pytest.mark.parametrize("damage", [b"", CONTENT[:999], b"x" * 1000])
def test_join_refuses_a_damaged_piece_and_leaves_no_wheel(wheel, tmp_path, damage):
    pieces = split(wheel, tmp_path / "pieces", 1000)
    pieces[0].write_bytes(damage)
    with pytest.raises(CarryFault, match="carry it again"):
        join(tmp_path / "pieces", tmp_path / "out")
    assert not (tmp_path / "out" / wheel.name).exists()


def test_join_refuses_a_list_whose_pieces_make_up_something_else(wheel, tmp_path):
    split(wheel, tmp_path / "pieces", 1000)
    table = json.loads((tmp_path / "pieces" / LIST).read_text())
    table["pieces"].reverse()
    (tmp_path / "pieces" / LIST).write_text(json.dumps(table))
    with pytest.raises(CarryFault, match="do not make up"):
        join(tmp_path / "pieces", tmp_path / "out")


def test_join_writes_only_into_the_folder_it_was_told(wheel, tmp_path):
    split(wheel, tmp_path / "pieces", 1000)
    table = json.loads((tmp_path / "pieces" / LIST).read_text())
    table["name"] = "../elsewhere.whl"
    (tmp_path / "pieces" / LIST).write_text(json.dumps(table))
    assert join(tmp_path / "pieces", tmp_path / "out").parent == tmp_path / "out"


def test_command_line_splits_joins_and_fails_with_a_sentence(wheel, tmp_path, capsys):
    pieces, out = str(tmp_path / "pieces"), str(tmp_path / "out")
    assert main(["split", str(wheel), pieces, "--piece-mib", "1"]) == 0
    assert main(["join", pieces, "--into", out]) == 0
    assert wheel.name in capsys.readouterr().out
    assert main(["join", str(tmp_path / "nothing")]) == 1
    assert LIST in capsys.readouterr().err
