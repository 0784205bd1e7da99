"""How the benchmarks go through packages: one loop for archives, halves, and files."""

import pytest

from benchmarks.context import members, modules
from benchmarks.real_code.packages import Part
from benchmarks.real_code.walk import files_by_part, parts_of, projects, rank_by, read_manifests
from tests.benchmarks.real_code.test_real_code_packages import SOURCE, write_archive

ENTRY = """
[[archive]]
registry = "npm"
name = "shelf"
version = "1.0"
sha256 = "{sha256}"
[[archive.part]]
name = "{part}"
language = "{language}"
files = "{files}"
"""


@pytest.fixture
def manifests(tmp_path):
    """Two manifests that name one archive, each with a part of its own."""
    names = [f"package/src/{letter}.py" for letter in "abcde"] + ["package/lib/x.go"]
    archive = write_archive(tmp_path / "npm-shelf-1.0.tar.gz", dict.fromkeys(names, SOURCE.encode()))
    for part, language, files in (("shelf", "python", "src/*.py"), ("go", "go", "lib/*.go")):
        text = ENTRY.format(sha256=archive.sha256, part=part, language=language, files=files)
        (tmp_path / f"{part}.toml").write_text(text, encoding="utf-8")
    return tmp_path / "shelf.toml", tmp_path / "go.toml"


def test_archive_of_two_manifests_comes_once_with_all_its_parts(manifests):
    (archive,) = read_manifests(*manifests)
    assert [part.name for part in archive.parts] == ["shelf", "go"]


def test_files_come_in_order_of_hash_and_a_smaller_sample_is_part_of_a_larger_one(manifests, tmp_path):
    (archive,) = read_manifests(*manifests)
    rank = rank_by("salt:")
    found = {most: files_by_part(archive, archive.parts, tmp_path, rank, most) for most in (2, 9)}
    python, go = archive.parts
    assert list(found[9][python]) == sorted(found[9][python], key=rank)
    assert list(found[2][python]) == list(found[9][python])[:2]
    assert list(found[9][go]) == ["lib/x.go"]


def test_each_project_is_in_one_half(manifests, tmp_path):
    archives = read_manifests(*manifests)
    parts = [part for dev in (True, False) for part in parts_of(archives[0], archives, dev)]
    found = [one[1] for dev in (True, False) for one in projects(archives, dev, tmp_path, rank_by(""), 9)]
    assert sorted(part.name for part in parts) == sorted(part.name for part in found) == ["go", "shelf"]
    assert Part("shelf", "python", "src/*.py") in found


def test_members_and_modules_of_a_folder_are_counted_by_language(tmp_path, monkeypatch, capsys):
    (tmp_path / "shop.py").write_text("class Cart:\n    def add(self): ...\n", encoding="utf-8")
    text = "import shop\n\ncart = shop.Cart()\ncart.add()\ncart.lost()\n"
    (tmp_path / "main.py").write_text(text, encoding="utf-8")
    members.main(["--folder", str(tmp_path), "--language", "python", "--misses"])
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("missed: ")] == [
        f"missed: {tmp_path.name}: main.py:5: cart.lost"
    ]
    assert said[-1] == "| python | 3 | 2 | 0 | 1 |"
    (place,) = modules.places("from shop import Cart\n", "python")[""]
    assert place.name == "Cart"
