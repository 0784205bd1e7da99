"""Looks at the disk are valid as long as what was seen is still there."""

import os

import pytest

from aide_lsp.context import looks
from aide_lsp.context.looks import FileLook, FolderLook, Kind


@pytest.fixture
def clock(monkeypatch):
    """A clock that can be put forward, so that what was just written is old."""

    class Clock:
        seconds = 0

        def time_ns(self):
            return real() + self.seconds * 10**9

    real, clock = looks.time.time_ns, Clock()
    monkeypatch.setattr(looks, "time", clock)
    return clock


def signature_stays(monkeypatch, path):
    """As on a file system whose clock has not gone on since."""
    same = os.lstat(path)
    monkeypatch.setattr(looks.os, "lstat", lambda other: same)


def test_file_that_is_written_is_read_again(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("one\n", encoding="utf-8")
    look = FileLook(str(path), {})
    assert (look.text, look.problem) == ("one\n", "")
    assert look.is_current({})
    path.write_text("other\n", encoding="utf-8")
    assert not look.is_current({})
    path.write_text("one\n", encoding="utf-8")
    assert not look.is_current({}), "who was shown something else may have seen the other text"


def test_file_that_is_touched_is_still_the_same(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("one\n", encoding="utf-8")
    look = FileLook(str(path), {})
    os.utime(path, (1, 1))
    assert look.is_current({})


def test_young_signature_is_not_trusted(tmp_path, monkeypatch):
    path = tmp_path / "a.py"
    path.write_text("one\n", encoding="utf-8")
    look = FileLook(str(path), {})
    signature_stays(monkeypatch, path)
    path.write_text("two\n", encoding="utf-8")
    assert not look.is_current({})


def test_old_signature_is_trusted(tmp_path, clock, monkeypatch):
    path = tmp_path / "a.py"
    path.write_text("one\n", encoding="utf-8")
    clock.seconds = 10
    look = FileLook(str(path), {})
    monkeypatch.setattr(looks, "open_regular", None)
    assert look.is_current({}), "it was not opened again"


def test_signature_that_was_young_is_trusted_once_it_is_old(tmp_path, clock, monkeypatch):
    path = tmp_path / "a.py"
    path.write_text("one\n", encoding="utf-8")
    look = FileLook(str(path), {})
    clock.seconds = 10
    assert look.is_current({})
    monkeypatch.setattr(looks, "open_regular", None)
    assert look.is_current({})


def test_file_with_the_time_and_size_of_another_is_read_again(tmp_path, clock):
    path = tmp_path / "a.py"
    path.write_text("one\n", encoding="utf-8")
    os.utime(path, (1, 1))
    clock.seconds = 10
    look = FileLook(str(path), {})
    path.write_text("two\n", encoding="utf-8")
    os.utime(path, (1, 1))
    assert not look.is_current({})


def test_open_text_replaces_that_of_the_file(tmp_path):
    path = tmp_path / "a.py"
    path.write_text("disk\n", encoding="utf-8")
    opened = {path: "open\r\n"}
    look = FileLook(str(path), opened)
    assert look.text == "open\n"
    assert look.is_current(dict(opened))
    assert not look.is_current({path: "typed\r\n"})
    assert not look.is_current({})
    assert not FileLook(str(path), {}).is_current(opened)
    assert FileLook(str(path), {path: "x" * (looks.LONGEST_TEXT + 1)}).text is None


@pytest.mark.parametrize(
    ("data", "text", "problem"),
    [
        (b"\xef\xbb\xbfa\r\nb\rc", "a\nb\nc", ""),
        (b"caf\xe9", None, "it is not UTF-8 text"),
        (b"\xc3\xa9" * looks.LONGEST_TEXT, "\xe9" * looks.LONGEST_TEXT, ""),
        (b"x" * (looks.LONGEST_TEXT + 1), None, "it has more than 200,000 characters"),
        (b"\xff" * (looks.LARGEST_FILE + 1), None, "it has more than 200,000 characters"),
    ],
)
def test_text_is_what_an_editor_shows(tmp_path, data, text, problem):
    path = tmp_path / "a.py"
    path.write_bytes(data)
    look = FileLook(str(path), {})
    assert (look.text, look.problem) == (text, problem)


def test_links_and_pipes_are_not_opened(tmp_path):
    (tmp_path / "real.py").write_text("x", encoding="utf-8")
    (tmp_path / "link.py").symlink_to("real.py")
    os.mkfifo(tmp_path / "pipe.py")
    for name in ("link.py", "pipe.py"):
        assert FileLook(str(tmp_path / name), {}).problem == "it is not a regular file"
    gone = FileLook(str(tmp_path / "gone.py"), {})
    assert gone.problem == "it cannot be read: No such file or directory"
    assert gone.is_current({})


def test_folder_knows_its_names_by_kind(tmp_path):
    (tmp_path / "file.py").write_text("x", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    look = FolderLook(str(tmp_path))
    assert look.kinds == {"file.py": Kind.FILE, "folder": Kind.FOLDER, "link": Kind.OTHER}
    assert look.is_current({})
    (tmp_path / "new.py").write_text("x", encoding="utf-8")
    assert not look.is_current({})


def test_folder_with_too_many_names_has_none(tmp_path, monkeypatch):
    monkeypatch.setattr(looks, "MOST_NAMES", 3)
    for number in range(3):
        (tmp_path / f"{number}").write_text("", encoding="utf-8")
    assert len(FolderLook(str(tmp_path)).kinds) == 3
    (tmp_path / "one more").write_text("", encoding="utf-8")
    assert FolderLook(str(tmp_path)).kinds == {}
    assert FolderLook(str(tmp_path)).is_crowded
    assert not FolderLook(str(tmp_path / "gone")).is_crowded
