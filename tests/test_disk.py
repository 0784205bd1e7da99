"""Sizes and hashes of files on the disk, and replacing one."""

import hashlib
import os

import pytest

from aide_lsp.disk import bytes_in, megabytes, replacing, sha256_of


def test_bytes_when_a_folder_goes_while_they_are_counted_then_the_rest_counts(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    (tmp_path / "part").write_bytes(b"abc")
    real = os.scandir

    def scandir(folder):
        if str(folder).endswith("gone"):
            raise FileNotFoundError(folder)
        return real(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    assert bytes_in(tmp_path) == 3


def test_sha256_is_that_of_all_bytes(tmp_path):
    (tmp_path / "file").write_bytes(bytes(range(256)) * 5000)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(bytes(range(256)) * 5000).hexdigest()


@pytest.mark.parametrize(
    ("count", "text"), [(491_400_064, "491 MB"), (1_117_320_768, "1.12 GB"), (0, "0 MB")]
)
def test_megabytes_are_written_for_people(count, text):
    assert megabytes(count) == text


def test_file_that_is_replaced_is_the_old_one_until_it_is_complete(tmp_path):
    file = tmp_path / "page.html"
    file.write_bytes(b"old")
    file.chmod(0o640)

    def fail():
        with replacing(file) as stream:
            stream.write(b"new")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert ([one.name for one in tmp_path.iterdir()], file.read_bytes()) == (["page.html"], b"old")
    with replacing(file) as stream:
        stream.write(b"new")
        assert file.read_bytes() == b"old"
    assert (file.read_bytes(), len(list(tmp_path.iterdir()))) == (b"new", 1)
    if os.name != "nt":
        assert file.stat().st_mode & 0o777 == 0o640
