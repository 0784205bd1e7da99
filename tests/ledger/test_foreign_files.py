"""Any file may be in the ledger's place: it is refused with one sentence, and not changed."""

import sqlite3
import zlib
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from aide_lsp.cli.main import main
from aide_lsp.errors import LedgerError
from aide_lsp.ledger.file import forget, opened
from tests.ledger.making import completion_of, model_info, request_for
from tests.patience import PATIENCE


def test_database_of_another_program_is_left_as_it_is(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (address TEXT)")
    other.close()
    before = path.read_bytes()
    for use in (lambda: opened(path).__enter__(), lambda: forget(path)):
        with pytest.raises(LedgerError, match="of another program"):
            use()
    assert path.read_bytes() == before


def test_folder_in_the_ledgers_place_is_named_and_left_as_it_is(path):
    path.mkdir(parents=True)
    for use in (lambda: opened(path).__enter__(), lambda: forget(path)):
        with pytest.raises(LedgerError, match=r"it is a folder\. Move it elsewhere"):
            use()
    assert path.is_dir()


@pytest.mark.parametrize(
    ("free", "said"), [(0, "the disk is full. Free some space"), (10**9, "disk I/O error")]
)
def test_an_input_output_error_on_a_full_disk_is_no_reason_to_delete_the_ledger(
    path, recorder, monkeypatch, free, said
):
    recorder.record("text", request_for(), completion_of(1), model_info())
    recorder.flush(PATIENCE)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free))

    def failing(connection):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("aide_lsp.ledger.file._keep_write_ahead_log", failing)
    with pytest.raises(LedgerError, match=said):
        opened(path).__enter__()


def test_what_the_system_refuses_is_not_taken_for_damage(path, monkeypatch):
    def failing(folder, *rest, **more):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("pathlib.Path.mkdir", failing)
    with pytest.raises(LedgerError, match=r"Read-only file system\. To turn the ledger off"):
        opened(path).__enter__()


def test_a_ledger_that_another_program_has_locked_is_not_deleted(path, recorder, monkeypatch):
    recorder.record("text", request_for(), completion_of(1), model_info())
    recorder.flush(PATIENCE)
    monkeypatch.setattr("aide_lsp.ledger.file.WAIT_SECONDS", 0.01)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError, match=r"in use.*Try again later"):
        forget(path)
    other.close()
    with opened(path) as ledger:
        assert len(ledger.newest()) == 1
    assert forget(path) == 1


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("id", b"x"),
        ("time", "x"),
        ("time", b"x"),
        ("top_k", "x"),
        ("seed", b"x"),
        ("text", "x"),
        ("text", b"x"),
        ("excerpts", b"x"),
        ("excerpts", "x"),
        ("excerpts", "[[1, 2, 3, 4, 5]]"),
        ("excerpts", '[["a", "b"]]'),
        ("excerpts", "{}" * 2),
        ("excerpts", "[" * 100_000),
        ("full_excerpts", b"x"),
        ("full_excerpts", zlib.compress(b'{"a": 1}')),
        ("full_excerpts", zlib.compress(b'[["a.py", 1, 2, 3]]')),
    ],
)
def test_value_of_another_type_is_damage(path, recorder, column, value):
    recorder.record("text", request_for(), completion_of(1), model_info())
    recorder.flush(PATIENCE)
    with sqlite3.connect(path) as other:
        other.execute(f"UPDATE completions SET {column} = ?", (value,))
    other.close()
    with pytest.raises(LedgerError, match="aide log --clear"), opened(path) as ledger:
        ledger.newest()
    assert forget(path) in (0, 1)


@pytest.mark.parametrize("written", ["", "\udcff", "a" * 5000, "../x", "\x1b[31m", "%"])
def test_id_that_is_none_is_refused_in_a_short_sentence(path, monkeypatch, written):
    monkeypatch.setenv("AIDE_DATA_DIR", str(path.parent))
    with opened(path):
        pass
    run = CliRunner().invoke(main, ["replay", written])
    assert run.exit_code == 1
    assert "letters and digits" in run.stderr
    assert len(run.stderr) < 200
