"""Writing the ledger: what is in the file, and that no problem with it disturbs a completion."""

import logging
import os
import sqlite3
import subprocess
import sys
import threading

import pytest

from aide_lsp.context.excerpt import Excerpt
from aide_lsp.ledger import file as ledger_file
from aide_lsp.ledger import recorder as recording
from aide_lsp.ledger.columns import COLUMNS
from aide_lsp.ledger.entry import MOST_EXCERPTS
from aide_lsp.ledger.file import forget, opened
from aide_lsp.ledger.recorder import LedgerRecorder
from aide_lsp.settings.fields import Parameters
from tests.ledger.making import EXCERPTS, SECRET, TEXT, completion_of, model_info, request_for
from tests.patience import PATIENCE


def record(recorder, number=0, mode="hashes", request=None, **changes):
    recorder.record(mode, request or request_for(), completion_of(number, **changes), model_info())


def newest(path):
    with opened(path) as ledger:
        return ledger.newest()


def bytes_on_disk(path):
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_hashes_keep_what_made_a_completion_and_no_source_text_nor_path(recorder, path):
    record(recorder, 7)
    recorder.shown(completion_of(7).id)
    recorder.accepted(completion_of(7).id)
    recorder.flush(PATIENCE)
    (entry,) = newest(path)
    assert (entry.language, entry.offset, entry.after_length) == ("python", len(TEXT) - 1, 1)
    assert entry.parameters == Parameters(seed=7)
    made_by = entry.provenance
    assert (made_by.model, made_by.recipe, made_by.device) == ("fake", "exact", "cpu")
    assert (made_by.runtime[:2], entry.shown, entry.figures.first_token_ms) == ("1.", 1, 10.0)
    assert entry.accepted >= entry.time
    assert (entry.path, entry.text, entry.completion) == (None, None, None)
    content = bytes_on_disk(path)
    assert b"fake" in content
    assert SECRET.encode() not in content


@pytest.mark.parametrize("is_first", [True, False])
def test_what_is_accepted_before_it_is_recorded_counts(recorder, path, is_first):
    if not is_first:
        record(recorder, 6)
    recorder.shown(completion_of(7).id)
    recorder.accepted(completion_of(7).id)
    recorder.flush(PATIENCE)
    record(recorder, 7)
    recorder.flush(PATIENCE)
    later, *earlier = newest(path)
    assert (later.shown, later.accepted is not None) == (1, True)
    assert all((one.shown, one.accepted) == (0, None) for one in earlier)


def test_text_is_kept_where_the_user_wants_it(recorder, path):
    record(recorder, mode="text")
    recorder.flush(PATIENCE)
    (entry,) = newest(path)
    assert (entry.text, entry.completion) == (TEXT, f"{SECRET} + a")
    assert entry.path.endswith("x.py")


def test_lines_of_other_files_are_kept_as_hashes_and_as_text_where_the_user_wants_it(recorder, path):
    record(recorder, 1, excerpts=EXCERPTS)
    recorder.flush(PATIENCE)
    assert SECRET.encode() not in bytes_on_disk(path)
    record(recorder, 2, mode="text", excerpts=EXCERPTS)
    recorder.flush(PATIENCE)
    kept, hashed = newest(path)
    assert [(one.first_line, one.last_line) for one in hashed.excerpts] == [(13, 24), (25, 26), (1, 1)]
    assert len({one.path_hash for one in hashed.excerpts}) == 2
    assert len({one.text_hash for one in hashed.excerpts}) == 3
    assert (hashed.full_excerpts, kept.full_excerpts) == (None, EXCERPTS)
    assert hashed.excerpts == kept.excerpts


def test_a_row_has_a_limited_size_however_many_excerpts_were_read(recorder, path):
    many = tuple(Excerpt(f"{n}.py", 1, "x\n", 1.0) for n in range(1_000))
    record(recorder, mode="text", excerpts=many)
    recorder.flush(PATIENCE)
    (entry,) = newest(path)
    assert len(entry.excerpts) == len(entry.full_excerpts) == MOST_EXCERPTS


def test_text_that_is_very_long_is_not_kept_but_its_hashes_are(recorder, path):
    record(recorder, mode="text", request=request_for("x" * 1_000_001, 5))
    recorder.flush(PATIENCE)
    assert [(entry.text, entry.offset) for entry in newest(path)] == [(None, 5)]


def test_off_makes_no_file(recorder, path):
    record(recorder, mode="off")
    recorder.accepted("any")
    recorder.flush(PATIENCE)
    assert not path.parent.exists()


def test_answers_of_the_completion_cache_are_counted_not_kept_again(recorder, path):
    record(recorder)
    for _ in range(3):
        record(recorder, from_cache=True, text="the rest")
        recorder.shown(completion_of().id)
    recorder.flush(PATIENCE)
    assert [entry.shown for entry in newest(path)] == [3]


@pytest.mark.skipif(sys.platform == "win32", reason="files have other rights there")
def test_file_is_for_its_user_alone_also_where_it_was_not(recorder, path):
    path.parent.mkdir()
    path.touch(mode=0o644)
    record(recorder)
    recorder.flush(PATIENCE)
    with opened(path) as ledger:
        ledger.mark_shown(completion_of().id)
        modes = {file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
        assert len(list(path.parent.iterdir())) == 3  # its helper files hold what was written last
    assert modes == {0o600}


def test_seed_of_any_size_is_kept(recorder, path):
    record(recorder, seed=-(2**200))
    recorder.flush(PATIENCE)
    assert newest(path)[0].parameters.seed == -(2**200)


def test_oldest_rows_go_when_there_are_too_many(recorder, path, monkeypatch):
    monkeypatch.setattr(ledger_file, "ROWS", 5)
    for number in range(12):
        record(recorder, number)
    recorder.flush(PATIENCE)
    assert [entry.parameters.seed for entry in newest(path)] == [11, 10, 9, 8, 7]


def test_oldest_texts_go_when_they_take_too_much(recorder, path, monkeypatch):
    noise = [os.urandom(2_000).hex() for _ in range(6)]
    monkeypatch.setattr(ledger_file, "TEXT_BYTES", 7_000)  # three of them: hexadecimal digits take half
    for number in range(6):
        record(recorder, number, mode="text", request=request_for(noise[number], 0))
    recorder.flush(PATIENCE)
    kept = newest(path)
    assert [entry.text is not None for entry in kept] == [True, True, True, False, False, False]
    assert [entry.completion is not None for entry in kept] == [entry.text is not None for entry in kept]


def test_oldest_completions_go_when_they_take_too_much_with_texts_that_are_too_long(
    recorder, path, monkeypatch
):
    """Where the document is too long to be recorded, its completion is all that is kept."""
    monkeypatch.setattr("aide_lsp.ledger.entry.LONGEST_KEPT", 0)
    monkeypatch.setattr(ledger_file, "TEXT_BYTES", 7_000)
    for number in range(6):
        record(recorder, number, mode="text", text=os.urandom(2_000).hex())
    recorder.flush(PATIENCE)
    assert [entry.completion is not None for entry in newest(path)] == [True] * 3 + [False] * 3


def test_names_of_any_length_leave_the_ledger_small(recorder, path):
    request = request_for(path="/" + os.urandom(1_000_000).hex(), language_id=os.urandom(1_000_000).hex())
    record(recorder, mode="text", request=request)
    recorder.flush(PATIENCE)
    (entry,) = newest(path)
    assert (entry.path, entry.language, entry.text) == (None, "", request.text)
    assert len(bytes_on_disk(path)) < 200_000


def test_texts_of_other_files_count_and_go_with_the_text(recorder, path, monkeypatch):
    monkeypatch.setattr(ledger_file, "TEXT_BYTES", 3_000)
    for number in range(4):
        noise = Excerpt("a.py", 1, os.urandom(2_000).hex(), 1.0)  # hexadecimal digits take half
        record(recorder, number, mode="text", excerpts=(noise,))
    recorder.flush(PATIENCE)
    kept = newest(path)
    assert [entry.text is not None for entry in kept] == [True, False, False, False]
    assert [entry.full_excerpts is not None for entry in kept] == [True, False, False, False]
    assert [len(entry.excerpts) for entry in kept] == [1] * 4


def test_two_thousand_completions_take_a_few_megabytes(path):
    recorder = LedgerRecorder(lambda: path)
    for number in range(2_050):
        while recorder._queue.full():
            recorder.flush(PATIENCE)
        record(recorder, number)
    recorder.flush(PATIENCE)
    assert (len(newest(path)), recorder.dropped) == (2_000, 0)
    assert sum(file.stat().st_size for file in path.parent.iterdir()) < 3_000_000


def broken(path):
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5_000)


def foreign(path):
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)


def a_folder(path):
    path.mkdir()


def newer(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def half_made(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 1")
    connection.close()


def removed_rights(path):
    path.parent.chmod(0o500)


def a_folder_that_is_a_file(path):
    path.parent.rmdir()
    path.parent.write_text("a file")


def mend(path):
    """Take away whatever is in the ledger's place."""
    if path.parent.is_file():
        path.parent.unlink()
    else:
        path.parent.chmod(0o700)
        path.rmdir() if path.is_dir() else forget(path)


ROOT = sys.platform == "win32" or os.geteuid() == 0
DAMAGES = [broken, foreign, a_folder, newer, half_made, a_folder_that_is_a_file]


@pytest.mark.parametrize("damage", [*DAMAGES, *([] if ROOT else [removed_rights])])
def test_file_that_cannot_be_used_is_reported_once_and_recording_resumes_afterward(
    recorder, path, damage, caplog
):
    path.parent.mkdir()
    damage(path)
    with caplog.at_level(logging.WARNING, "aide"):
        for number in range(3):
            record(recorder, number)
            recorder.flush(PATIENCE)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert (recorder.dropped, "cannot be used" in recorder.problem) == (3, damage is not newer)
        assert str(path) in recorder.report("hashes")["problem"]
        is_damaged = damage not in (a_folder, a_folder_that_is_a_file, removed_rights)
        assert ("aide log --clear" in recorder.problem) == is_damaged
        mend(path)
        record(recorder, 4)
        recorder.flush(PATIENCE)
    assert [entry.parameters.seed for entry in newest(path)] == [4]
    assert (recorder.problem, len(caplog.records)) == (None, 1)
    assert SECRET not in caplog.text


def test_two_problems_in_turn_are_each_reported_once(recorder, path, caplog):
    path.parent.mkdir()
    for damage in (a_folder, foreign, a_folder):
        damage(path)
        for _ in range(2):
            record(recorder)
            recorder.flush(PATIENCE)
        mend(path)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_full_disk_keeps_what_was_there_and_recording_resumes_afterward(recorder, path, monkeypatch):
    record(recorder, 1)
    recorder.flush(PATIENCE)
    prepare = ledger_file._prepare

    def on_a_full_disk(connection, path):
        prepare(connection, path)
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")

    monkeypatch.setattr(ledger_file, "_prepare", on_a_full_disk)
    for number in range(2, 60):
        record(recorder, number, mode="text", request=request_for(os.urandom(5_000).hex(), 0))
    recorder.flush(PATIENCE)
    assert "full" in recorder.problem
    monkeypatch.undo()
    assert [entry.parameters.seed for entry in newest(path)] == [1]
    record(recorder, 60)
    recorder.flush(PATIENCE)
    assert ([entry.parameters.seed for entry in newest(path)], recorder.problem) == ([60, 1], None)


def test_file_that_another_process_holds_is_written_again_when_it_lets_go(recorder, path, monkeypatch):
    monkeypatch.setattr(ledger_file, "WAIT_SECONDS", 0.05)
    with opened(path):
        record(recorder, 1)
        recorder.flush(PATIENCE)
    assert "locked" in recorder.problem
    record(recorder, 2)
    recorder.flush(PATIENCE)
    assert ([entry.parameters.seed for entry in newest(path)], recorder.problem) == ([2], None)


def test_thread_that_cannot_start_costs_entries_and_no_completion(recorder, path, monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", no_memory)
    record(recorder, 1)
    assert "can't start new thread" in recorder.problem
    monkeypatch.undo()
    record(recorder, 2)
    recorder.flush(PATIENCE)
    assert ([entry.parameters.seed for entry in newest(path)], recorder.problem) == ([2], None)


def no_memory(thread):
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, MemoryError])
def test_nothing_that_is_raised_ends_recording(recorder, path, monkeypatch, kind):
    def failing(event, salt):
        raise kind(event.request.text)

    monkeypatch.setattr(recording, "entry_of", failing)
    record(recorder, 1)
    recorder.flush(PATIENCE)
    assert recorder.problem == f"The ledger failed ({kind.__name__})."
    monkeypatch.undo()
    record(recorder, 2)
    recorder.flush(PATIENCE)
    assert ([entry.parameters.seed for entry in newest(path)], recorder.problem) == ([2], None)


def test_completing_continues_when_writing_hangs_and_entries_are_dropped(path, monkeypatch):
    hanging, go = threading.Event(), threading.Event()

    def slow_place():
        hanging.set()
        go.wait(PATIENCE)
        return path

    recorder = LedgerRecorder(slow_place)
    record(recorder)
    recorder._hurry.set()
    assert hanging.wait(PATIENCE)
    for number in range(1, 200):
        record(recorder, number)
    assert recorder.dropped == 199 - recording.WAITING
    go.set()
    recorder.flush(PATIENCE)
    assert len(newest(path)) == 1 + recording.WAITING


def test_internal_error_is_reported_without_source_text(recorder, monkeypatch, caplog):
    def failing(event, salt):
        raise ValueError(event.request.text)

    monkeypatch.setattr(recording, "entry_of", failing)
    with caplog.at_level(logging.DEBUG):
        record(recorder)
        recorder.flush(PATIENCE)
    assert recorder.problem == "The ledger failed (ValueError)."
    assert SECRET not in caplog.text


def test_file_removed_while_in_use_is_created_again(recorder, path):
    record(recorder, 1)
    recorder.flush(PATIENCE)
    path.unlink()
    record(recorder, 2)
    recorder.flush(PATIENCE)
    assert [entry.parameters.seed for entry in newest(path)] == [2]


@pytest.mark.parametrize("column", ["top_p", "seed", "shown", "accepted", "excerpts", "full_excerpts"])
def test_table_made_before_there_was_a_column_gets_it(recorder, path, column):
    record(recorder, 1)
    recorder.flush(PATIENCE)
    with sqlite3.connect(path) as connection:
        connection.execute(f"ALTER TABLE completions DROP COLUMN {column}")
    connection.close()
    record(recorder, 2)
    recorder.flush(PATIENCE)
    first = Parameters(seed=None if column == "seed" else 1)
    assert [entry.parameters for entry in newest(path)] == [Parameters(seed=2), first]
    assert [entry.excerpts for entry in newest(path)] == [(), ()]


@pytest.mark.parametrize("column", [column for column in COLUMNS if column.default is not None])
def test_row_of_an_older_aide_in_a_newer_table_has_the_default(recorder, path, column):
    """Two editors may have different versions. The older one leaves out what it does not know."""
    record(recorder, 1)
    recorder.flush(PATIENCE)
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE completions SET {column.name} = NULL")
    connection.close()
    (entry,) = newest(path)
    older = {"show": "all", "excerpts": ()}
    assert column.value(entry) == older.get(column.name, column.default)


WRITER = """
import sys
from pathlib import Path
from aide_lsp.ledger.recorder import LedgerRecorder
from tests.ledger.making import *
from tests.patience import PATIENCE
recorder = LedgerRecorder(lambda: Path(sys.argv[1]))
for number in range(100):
    recorder.record("hashes", request_for(), completion_of(number + int(sys.argv[2])), model_info())
    recorder.shown(completion_of(number + int(sys.argv[2])).id)
    if number % 10 == 9:
        recorder.flush(PATIENCE)
print(recorder.problem, recorder.dropped)
"""


def test_two_processes_write_at_once_and_nothing_is_lost(path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(start)], stdout=subprocess.PIPE, text=True
        )
        for start in (0, 1_000)
    ]
    said = [writer.communicate(timeout=PATIENCE)[0].strip() for writer in writers]
    assert said == ["None 0", "None 0"]
    kept = newest(path)
    assert sorted(entry.parameters.seed for entry in kept) == [*range(100), *range(1_000, 1_100)]
    assert {entry.shown for entry in kept} == {1}


def test_sqlite_is_imported_only_when_something_is_kept():
    code = (
        "import sys, aide_lsp.ledger.recorder, aide_lsp.ledger.file\n"
        "aide_lsp.ledger.recorder.LedgerRecorder(None).accepted('x')\n"
        "print('sqlite3' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
