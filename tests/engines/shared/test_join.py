"""Editors find one engine, start one where none runs, and do without where that does not work."""

import os
import signal
import socket
import stat
import sys
import threading
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from aide_lsp.completion.completer import Completer
from aide_lsp.engines.shared import join, place
from aide_lsp.engines.shared.join import join_or_start
from aide_lsp.engines.shared.model import SharedModel
from aide_lsp.engines.shared.place import SharedPlace, SharingError, find_place, name_of
from aide_lsp.inference.cancel import CancelToken
from tests.completion.test_completer import completer_of, request_at
from tests.engines.shared.test_shared_model import complete
from tests.fakes import babbling
from tests.patience import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")
MARKED = "def f(a):\n    retu|\n"


class Programs:
    """Starts engines at a place, and ends them."""

    def __init__(self, folder: Path, *, uses_socket: bool = True) -> None:
        self.count = folder / "count"
        self.folder = folder / "run"
        self.place = find_place([self.folder], name_of(["test"]), uses_socket=uses_socket)
        self.joined = []

    def join(self, how: str = "serve"):
        command = [sys.executable, "-m", "tests.engine_process", "--count", str(self.count), "--how", how]
        found = join_or_start(self.place, command, lambda share, text: None)
        self.joined.append(found)
        return found

    @property
    def started(self) -> list[int]:
        return [int(line) for line in self.count.read_text().split()] if self.count.exists() else []

    def kill(self) -> None:
        for process in self.started:
            with suppress(psutil.NoSuchProcess):
                found = psutil.Process(process)
                if "tests.engine_process" in " ".join(found.cmdline()):
                    found.kill()
                    found.wait(PATIENCE)

    def end(self) -> None:
        for one in self.joined:
            one.presence.close()
            one.client.connection.close()
        self.kill()


@pytest.fixture
def short_folder(tmp_path_factory, monkeypatch):
    # The path of a socket is short; the program is found from the folder of the repository.
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setattr(join, "LISTEN_SECONDS", PATIENCE)
    return tmp_path_factory.mktemp("e")


@pytest.fixture
def programs(short_folder):
    found = Programs(short_folder)
    yield found
    found.end()


def test_nothing_runs_then_an_engine_is_started_and_the_next_editor_joins_it(programs):
    first, second = programs.join(), programs.join()
    assert (first.was_started, second.was_started) == (True, False)
    assert len(programs.started) == 1
    for found in (first, second):
        completer = Completer(SharedModel(found.client, found.facts.info))
        assert complete(completer, request_at(MARKED)).text
    assert stat.S_IMODE(programs.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(programs.place.log.stat().st_mode) == 0o600


def test_engine_that_was_started_has_nothing_of_the_editor(programs, short_folder, monkeypatch):
    monkeypatch.setenv("AIDE_API_KEY", "a-secret")
    with (short_folder / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        programs.join()
        (process,) = map(psutil.Process, programs.started)
        assert str(short_folder / "open") not in {one.path for one in process.open_files()}
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    assert process.cwd() == str(programs.folder)
    assert "AIDE_API_KEY" not in process.environ()


def test_several_editors_start_at_once_then_one_starts_the_engine(programs):
    found, barrier = [], threading.Barrier(6)

    def start():
        barrier.wait()
        found.append(programs.join())

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.was_started for one in found].count(True) == 1
    assert len(found) == 6
    assert len(programs.started) == 1


def test_engine_was_killed_then_what_it_left_does_not_matter(programs):
    programs.join()
    (process,) = programs.started
    os.kill(process, signal.SIGKILL)
    psutil.Process(process).wait(PATIENCE) if psutil.pid_exists(process) else None
    assert programs.place.socket.exists()
    # As `aide serve` does where no one listens.
    programs.place.socket.unlink()
    assert programs.join().was_started


def test_socket_that_no_one_listens_on_then_an_engine_is_started(programs):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(programs.place.socket))
    with pytest.raises(SharingError, match="could not be started"):
        programs.join("exit")
    assert len(programs.started) == 1


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("exit", "could not be started"),
        ("killed", "could not be started"),
        ("hang", "did not answer within"),
        ("loading", "did not answer within"),
        ("garbage", "no engine of Aide"),
        ("other", "another version of the protocol"),
    ],
)
def test_engine_does_not_start_properly_then_the_reason_is_said_and_it_is_ended(
    programs, monkeypatch, how, reason
):
    spawned, spawn = [], join._spawn
    monkeypatch.setattr(join, "_spawn", lambda *given: spawned.append(spawn(*given)) or spawned[-1])
    monkeypatch.setattr(join, "LISTEN_SECONDS", 5.0 if how == "hang" else PATIENCE)
    monkeypatch.setattr(join, "LOADING_SECONDS", 5.0 if how == "loading" else PATIENCE)
    with pytest.raises(SharingError, match=reason):
        programs.join(how)
    assert len(spawned) == (2 if how == "killed" else 1)
    assert all(process.wait(PATIENCE) != 0 for process in spawned)


@pytest.mark.parametrize("how", ["killed once", "killed answering"])
def test_engine_is_killed_while_it_starts_then_it_is_started_once_more(programs, how):
    assert programs.join(how).was_started
    assert len(programs.started) == 2


def test_engine_that_runs_is_none_then_the_editor_does_without_and_starts_no_other(programs):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(programs.place.socket))
        listener.listen()
        stop = threading.Event()

        def answer():
            listener.settimeout(0.1)
            while not stop.is_set():
                with suppress(OSError):
                    connection, _ = listener.accept()
                    with connection:
                        connection.sendall(b"hello")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(SharingError, match="no engine of Aide"):
            programs.join()
        stop.set()
        thread.join()
    assert programs.started == []


def test_port_and_token_instead_of_a_socket(short_folder):
    programs = Programs(short_folder, uses_socket=False)
    try:
        first, second = programs.join(), programs.join()
        assert (first.was_started, second.was_started) == (True, False)
        assert stat.S_IMODE(programs.place.token_file.stat().st_mode) == 0o600
        token = programs.place.token_file.read_text()
        assert len(token) > 40
        assert second.client.connection.secrets == (token,)
        assert (
            complete(Completer(SharedModel(second.client, second.facts.info)), request_at(MARKED)).text
            == complete(completer_of(babbling(3)), request_at(MARKED)).text
        )
    finally:
        programs.end()


def test_port_belongs_to_another_process_now_then_it_gets_no_token(short_folder):
    programs = Programs(short_folder, uses_socket=False)
    programs.place.prepare()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        for process in (1, 2**30, os.getppid()):
            programs.place.announcement.write_text(f'{{"port": {port}, "process": {process}}}')
            assert programs.place.address() is None
        programs.place.announcement.write_text(f'{{"port": {port}, "process": {os.getpid()}}}')
        assert programs.place.address() is not None
    for junk in ("", "[]", "{}", '{"port": "1", "process": 1}', '{"port": true, "process": true}', "\0"):
        programs.place.announcement.write_text(junk)
        assert programs.place.address() is None


def test_folder_that_cannot_be_used_then_the_next_one_is(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    good = tmp_path / "good"
    assert find_place([file, link, file / "inside", good], "x", uses_socket=True).folder == good
    long = tmp_path / ("l" * 120)
    assert find_place([long, good], "x", uses_socket=True).folder == good
    assert not long.exists()
    assert find_place([long], "x", uses_socket=False).folder == long


@pytest.mark.parametrize("kind", ["file", "long", "missing"])
def test_no_folder_can_be_used_then_it_says_why(tmp_path, kind):
    (tmp_path / "file").write_text("")
    folders = {"file": [tmp_path / "file"], "long": [tmp_path / ("l" * 120)], "missing": []}[kind]
    reason = {"file": "is not a folder", "long": "too long", "missing": "no folder"}[kind]
    with pytest.raises(SharingError, match=reason):
        find_place(folders, "x", uses_socket=True)


def test_folder_of_another_user_then_it_is_not_used(tmp_path, monkeypatch):
    folder = tmp_path / "theirs"
    folder.mkdir()
    monkeypatch.setattr(place.os, "geteuid", lambda: folder.stat().st_uid + 1)
    with pytest.raises(SharingError, match="belongs to another user"):
        find_place([folder], "x", uses_socket=True)


def test_folder_that_others_can_enter_then_they_no_longer_can(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    find_place([folder], "x", uses_socket=True)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_folder_that_others_could_write_to_then_nothing_in_it_is_used(tmp_path):
    folder, good = tmp_path / "open", tmp_path / "good"
    folder.mkdir()
    folder.chmod(0o777)
    find_place([folder], "x", uses_socket=True)  # empty: now it is private
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "x.log").symlink_to(tmp_path / "precious")
    folder.chmod(0o777)
    for _ in range(2):  # the first time must not make it look private
        assert find_place([folder, good], "x", uses_socket=True).folder == good
    with pytest.raises(SharingError, match="could write"):
        find_place([folder], "x", uses_socket=True)


def test_full_disk_and_read_only_folder_then_it_says_so(programs, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(join, "_log", full)
    with pytest.raises(SharingError, match=r"disk of .* is full"):
        programs.join()
    monkeypatch.setattr(place.os, "access", lambda *_: False)
    with pytest.raises(SharingError, match="cannot be used \\(it is not writable\\)"):
        find_place([programs.folder], "x", uses_socket=True)


def test_name_depends_on_all_that_an_engine_loads():
    assert name_of(["1.0", "a", 0]) != name_of(["1.0", "a", 1])
    assert name_of(["1.0", "a", None]) == name_of(["1.0", "a", None])
    assert name_of(["a", "b"]) != name_of(["ab"])
    assert len(name_of([])) < 30


def test_closed_presence_then_the_engine_notices(programs):
    found = programs.join()
    assert isinstance(programs.place, SharedPlace)
    assert found.client.look(CancelToken()).info == found.facts.info
    found.presence.close()
    assert found.client.look(CancelToken()).version == found.facts.version
