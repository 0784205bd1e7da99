"""What the tests of the ledger share."""

import pytest

from aide_lsp.ledger.recorder import LedgerRecorder


@pytest.fixture
def path(tmp_path):
    """Where the ledger will lie."""
    return tmp_path / "data" / "ledger.sqlite"


@pytest.fixture
def recorder(path):
    """A recorder that writes there."""
    return LedgerRecorder(lambda: path)
