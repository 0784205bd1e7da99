"""The pinned archives: verified, read without being unpacked, divided into halves."""

import io
import json
import os
import re
import tarfile
from collections import Counter

import pytest
from attrs import evolve

from aide_lsp.disk import sha256_of
from aide_lsp.errors import AideError
from aide_lsp.syntax.languages import LANGUAGES
from benchmarks.real_code import packages
from benchmarks.real_code.__main__ import LANGUAGES as TEN
from benchmarks.real_code.__main__ import resume, save
from benchmarks.real_code.holes import Hole
from benchmarks.real_code.judging import judge
from benchmarks.real_code.packages import (
    LARGEST,
    Archive,
    Part,
    fetch,
    in_dev_half,
    read_files,
    read_manifest,
)
from benchmarks.real_code.results import Result

PART = Part("shelf", "python", "src/*.py")
SOURCE = "value = 1  # é\n" * 100


def write_archive(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return Archive("npm", "shelf", "1.0", sha256_of(path), (PART,))


def serve(monkeypatch, members):
    """Let npm provide an archive; returns how often it was asked."""
    asked = []

    def download(archive, folder):
        asked.append(archive.name)
        write_archive(folder / "shelf-1.0.tgz", members)

    monkeypatch.setitem(packages.DOWNLOADS, "npm", download)
    return asked


def test_archive_is_downloaded_once_and_verified_each_time(tmp_path, monkeypatch):
    members = {"package/src/a.py": SOURCE.encode()}
    asked = serve(monkeypatch, members)
    wanted = Archive("npm", "shelf", "1.0", "", (PART,))
    with pytest.raises(AideError, match="sha256"):
        fetch(wanted, tmp_path)
    assert list(tmp_path.iterdir()) == []
    path = tmp_path / wanted.file
    wanted = write_archive(path, members)
    assert fetch(wanted, tmp_path) == path
    assert asked == ["shelf"]
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(AideError, match="sha256"):
        fetch(wanted, tmp_path)
    assert not path.exists()


def test_pip_downloads_a_source_distribution_from_the_users_index_and_runs_none_of_it(tmp_path, monkeypatch):
    folder = tmp_path / "index" / "shelf"
    folder.mkdir(parents=True)
    evil = f"open({str(tmp_path / 'ran')!r}, 'w')\n".encode()
    members = {"shelf-1.0/setup.py": evil, "shelf-1.0/src/a.py": SOURCE.encode()}
    written = write_archive(folder / "shelf-1.0.tar.gz", members)
    (folder / "index.html").write_text('<a href="shelf-1.0.tar.gz">shelf-1.0.tar.gz</a>', encoding="utf-8")
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "index").as_uri())
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    found = fetch(evolve(written, registry="pypi"), tmp_path / "cache")
    assert [name for _, name, _ in read_files(found, [PART])] == ["src/a.py"]
    assert not (tmp_path / "ran").exists()
    with pytest.raises(AideError, match="could not be downloaded"):
        fetch(evolve(written, registry="pypi", version="2.0"), tmp_path / "cache")


def test_when_nothing_is_downloaded_then_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(packages.DOWNLOADS, "npm", lambda archive, folder: None)
    with pytest.raises(AideError, match=r"shelf 1\.0 was not downloaded"):
        fetch(Archive("npm", "shelf", "1.0", "", (PART,)), tmp_path)


def test_files_are_read_in_memory_whatever_their_paths(tmp_path, monkeypatch):
    path = tmp_path / "shelf.tar.gz"
    write_archive(
        path,
        {
            "shelf-1.0/src/a.py": SOURCE.replace("\n", "\r\n").encode(),
            "shelf-1.0/src/deep/er/b.py": SOURCE.encode(),
            "../../src/../../src/evil.py": SOURCE.encode(),
            "shelf-1.0/src/small.py": b"x = 1\n",
            "shelf-1.0/src/large.py": b"x = 1\n" * LARGEST,
            "shelf-1.0/src/latin.py": b"\xe9" * 2000,
            "shelf-1.0/tests/c.py": SOURCE.encode(),
        },
    )
    files = list(read_files(path, [PART]))
    assert [name for _, name, _ in files] == ["src/a.py", "src/deep/er/b.py"]
    assert {text for _, _, text in files} == {SOURCE}
    assert list(tmp_path.iterdir()) == [path]


def test_manifest_pins_archives_of_ten_languages_with_projects_in_both_halves():
    archives = read_manifest()
    parts = [part for archive in archives for part in archive.parts]
    assert all(re.fullmatch(r"[0-9a-f]{64}", archive.sha256) for archive in archives)
    assert {archive.registry for archive in archives} == set(packages.DOWNLOADS)
    assert len({part.name for part in parts}) == len(parts)
    assert len({archive.file for archive in archives}) == len(archives)
    assert all(LANGUAGES[part.language].grammar for part in parts)
    halves = Counter((part.language, in_dev_half(part, archives)) for part in parts)
    assert len(halves) == 2 * TEN
    assert min(halves.values()) >= 2


def test_run_continues_where_it_ended_and_refuses_other_settings(tmp_path):
    holes = [Hole(f"p:a.py:{n}:pair", "python", "pair", "f(", ")\n", "a") for n in range(3)]
    results = [Result(hole.id, "python", "pair", "a", "a", 0.5, judge(hole, "a")) for hole in holes[:2]]
    path = tmp_path / "run.json"
    assert resume(None, {}, holes) == resume(path, {}, holes) == []
    save(path, "small 1", {"temperature": 0}, results)
    assert json.loads(path.read_text(encoding="utf-8"))["server"] == "small 1"
    assert resume(path, {"temperature": 0}, holes) == results
    assert resume(path, {"temperature": 0}, holes[:1]) == results[:1]
    for settings, others in (({}, holes), ({"temperature": 0}, holes[::-1])):
        with pytest.raises(AideError, match="other settings or holes"):
            resume(path, settings, others)
