"""Places where a line wants a name of another file: which names count, and what is cut."""

import io
import tarfile

import pytest

from benchmarks.context.items import QUOTA, Item, cut, in_proportion
from benchmarks.context.names import defined_in, definitions, uses_in
from benchmarks.context.tree import saved, unpack
from benchmarks.real_code.holes import Hole
from benchmarks.real_code.packages import Archive, Part

PYTHON = """
LONG_NAME: int = 3
class Reader_:
    async def read_everything(self): ...
    other = 1
def get_it(): ...
"""
TYPESCRIPT = """
export const mostFiles = 3
export interface FileLook {}
class Reader {
  private async readAll() {}
}
"""
GO = """
type FileLook struct {
	FirstLine int
}
func (f *FileLook) ReadAll() {}
var x = 1
"""
RUST = """
pub struct FileLook {
    pub first_line_of_it: u32,
}
impl FileLook {
    fn is_empty(&self) {}
}
"""
DEFINED = {
    "python": (PYTHON, {"LONG_NAME", "Reader_", "read_everything"}),
    "typescript": (TYPESCRIPT, {"mostFiles", "FileLook", "readAll"}),
    "go": (GO, {"FileLook", "FirstLine", "ReadAll"}),
    "rust": (RUST, {"FileLook", "first_line_of_it"}),
}
"""Code, and its names that say enough to be nobody else's."""


@pytest.mark.parametrize("language", DEFINED)
def test_telling_names_that_a_file_defines(language):
    code, expected = DEFINED[language]
    assert definitions(code, language) == expected


def test_use_of_a_name_is_one_of_another_file_and_not_in_an_import():
    code = "from b import (\n    FileLook,\n)\nOWN_NAME = FileLook(OWN_NAME)\nx = FileLook(b.other_look_at)\n"
    codes = {"a.py": code, "b.py": "class FileLook: ...\ndef other_look_at(): ...\n"}
    found = list(uses_in("a.py", code, defined_in(codes, "python"), "python"))
    assert [(one.name, one.kind) for one in found] == [
        ("FileLook", "imported"),
        ("FileLook", "again"),
        ("other_look_at", "new"),
    ]
    assert code[found[0].offset :].startswith("FileLook(OWN_NAME)")


def test_name_that_many_files_define_is_nobodys():
    codes = {f"{letter}.py": "class FileLook: ...\n" for letter in "bcd"} | {"a.py": "x = FileLook()\n"}
    defined = defined_in(codes, "python")
    assert not list(uses_in("a.py", codes["a.py"], defined, "python"))
    assert list(uses_in("a.py", codes["a.py"], {"FileLook": {"b.py", "c.py"}}, "python"))


FILES = {
    "src/a.py": "from b import FileLook\n\n\ndef look(path):\n    # FileLook\n    return FileLook(path, 1)\n",
    "src/b.py": "class FileLook:\n    pass\n",
}


def test_rest_of_the_line_is_removed_from_the_name_on():
    ((hole, name),) = cut(Part("shelf", "python", "*"), FILES)
    assert (hole.truth, name, hole.kind, hole.path) == (
        "FileLook(path, 1)",
        "FileLook",
        "imported",
        "src/a.py",
    )
    assert hole.before.endswith("    return ")
    assert hole.before + hole.truth + hole.after == FILES["src/a.py"]


def test_copy_of_a_file_has_no_place():
    assert not list(cut(Part("shelf", "python", "*"), FILES | {"old/a.py": FILES["src/a.py"]}))


def test_any_first_items_have_all_languages_in_proportion():
    archive = Archive("npm", "shelf", "1", "", ())
    chosen = {
        language: [Item(Hole(f"{language}{n}", language, "new", "", "", ""), archive) for n in range(count)]
        for language, count in QUOTA.items()
    }
    items = in_proportion(chosen)
    assert len(items) == 100
    first = [item.hole.language for item in items[:20]]
    assert {language: first.count(language) for language in QUOTA} == {
        language: count // 5 for language, count in QUOTA.items()
    }


def test_unpacked_project_has_what_a_checkout_has(tmp_path):
    path = tmp_path / "shelf.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("shelf-1/src/a.py", "shelf-1/dist/a.js", "shelf-1/../../evil.py"):
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"a\n"))
        link = tarfile.TarInfo("shelf-1/src/link.py")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(tarfile.FilterError):
        unpack(path, tmp_path / "project")
    assert [one.name for one in (tmp_path / "project").rglob("*.*")] == ["a.py"]
    assert not (tmp_path / "evil.py").exists()


def test_file_has_the_cut_text_only_for_a_while(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"x = 1\r\n")
    with saved(path, "x = \n"):
        assert path.read_text() == "x = \n"
    assert path.read_bytes() == b"x = 1\r\n"
