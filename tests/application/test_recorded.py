"""Completions that go to the ledger and come back."""

import pytest

from aide_lsp.application import ledger
from aide_lsp.errors import LedgerError
from tests.fakes import FakeSession, babbling, completer_on
from tests.ledger.making import completion_of, request_for


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("AIDE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def completer():
    return completer_on(FakeSession(babbling()))


def test_all_candidates_of_a_request_are_recorded_each_with_its_number(completer):
    completions = [completion_of(number, candidate=number) for number in range(3)]
    assert ledger.record_now("hashes", request_for(), completions, completer) is None
    assert sorted(entry.options.candidate for entry in ledger.newest()) == [0, 1, 2]
    assert len(ledger.newest(2)) == 2
    entry, salt = ledger.find("00000001")
    assert (entry.options.candidate, len(salt) > 8) == (1, True)
    assert ledger.clear() == 3
    assert ledger.newest() == []


def test_nothing_is_created_by_reading_or_by_a_ledger_that_is_off(completer, folder):
    assert ledger.record_now("off", request_for(), [completion_of()], completer) is None
    assert (ledger.newest(), ledger.clear()) == ([], 0)
    with pytest.raises(LedgerError, match="empty"):
        ledger.find("0")
    assert not folder.exists()


def test_why_nothing_was_recorded_is_returned_and_harms_nobody(completer, folder):
    folder.mkdir()
    (folder / "ledger.sqlite").mkdir()
    assert "ledger" in str(ledger.record_now("hashes", request_for(), [completion_of()], completer)).lower()


def test_ledger_that_cannot_be_written_is_reported_once_by_the_caller(completer, folder, caplog):
    (folder / "ledger.sqlite").mkdir(parents=True)
    problem = ledger.record_now("hashes", request_for(), [completion_of()], completer)
    assert "it is a folder" in problem
    assert caplog.messages == []
