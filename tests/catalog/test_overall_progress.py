"""One progress for a download, a conversion and loading."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.catalog.download import DOWNLOADING
from aide_lsp.catalog.overall_progress import OverallProgress
from aide_lsp.catalog.store import CONVERTING

SIZE = 500_000_000
FETCH, CONVERT, LOAD = f"{DOWNLOADING} Coder (500 MB)", f"{CONVERTING} Coder to ONNX", "Loading the model"


def run(*reports, seconds=1.0, size=SIZE):
    """Report, a number of seconds apart; return what comes out."""
    found, clock = [], itertools.count(0, seconds)
    progress = OverallProgress(
        lambda share, text: found.append((share, text)), "Coder", size, lambda: next(clock)
    )
    for share, text in reports:
        progress(share, text)
    return found


def test_a_download_says_what_is_done_and_left():
    found = run(*((step / 100, FETCH) for step in range(101)), seconds=2.0)
    assert found[0] == (0.0, "Downloading Coder: 0 of 500 MB")
    assert found[10][1] == "Downloading Coder: 50 of 500 MB, about 3 minutes left"
    assert found[90][1] == "Downloading Coder: 450 of 500 MB, less than a minute left"
    assert found[100][0] == pytest.approx(0.75)


def test_a_short_pause_hardly_changes_the_estimate():
    steady = [(step / 100, FETCH) for step in range(50)]
    assert "about 2 minutes" in run(*steady, seconds=2.0)[-1][1]
    assert "about 2 minutes" in run(*steady, (0.495, FETCH), (0.51, FETCH), seconds=2.0)[-1][1]


def test_what_follows_a_download_continues_it():
    found = run((1.0, FETCH), (0.0, CONVERT), (1.0, CONVERT), (None, LOAD))
    assert [share for share, _ in found] == pytest.approx([0.75, 0.75, 0.95, 0.95])
    assert [text for _, text in found][1:] == ["Preparing Coder for this machine"] * 2 + [LOAD]


def test_without_a_download_a_conversion_is_nearly_all_and_loading_has_no_share():
    assert run((0.0, CONVERT), (1.0, CONVERT))[-1][0] == pytest.approx(0.95)
    assert run((None, LOAD)) == [(None, LOAD)]


@given(st.lists(st.tuples(st.none() | st.floats(0, 1), st.sampled_from([FETCH, CONVERT, LOAD]))))
def test_it_never_goes_back(reports):
    shares = [share for share, _ in run(*reports) if share is not None]
    assert shares == sorted(shares)
    assert all(0 <= share <= 1 for share in shares)
