"""The self-test, on sessions that keep the promise and on one that does not."""

import numpy as np
import pytest
from tiny_model import tiny_model_folder

from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.prefix_cache import RowRule
from aide_lsp.inference.self_test import keeps_bits
from aide_lsp.inference.session import Candidates
from tests.fakes import FakeSession, babbling
from tests.inference.onnx.exported_decoder import write_export


@pytest.mark.parametrize("recipe", ["exact", "int4", "fast"])
def test_keeps_bits_when_the_model_was_converted_then_yes(tmp_path, recipe):
    assert keeps_bits(open_session(tiny_model_folder(tmp_path / "model", recipe=recipe), "cpu", 2))


def test_keeps_bits_when_the_model_was_exported_by_others_then_yes(tmp_path):
    write_export(tmp_path)
    assert keeps_bits(open_session(tmp_path, "cpu", 2))


class Rounding(FakeSession):
    """Logits change a little with the number of rows that run together, as many kernels make them."""

    def forward(self, ids, past, logit_rows, cancel):
        candidates = super().forward(ids, past, logit_rows, cancel)
        self._rows = self._rows * np.float32(1 + len(ids) * 1e-5)
        return candidates


def test_keeps_bits_when_logits_depend_on_the_rows_that_run_together_then_no():
    assert not keeps_bits(Rounding(babbling(), row_rule=RowRule(multiple=2)))


class RoundingCandidates(FakeSession):
    """Candidates change a little with the number of rows that are asked for."""

    def forward(self, ids, past, logit_rows, cancel):
        candidates = super().forward(ids, past, logit_rows, cancel)
        return Candidates(candidates.ids, candidates.logits * np.float32(1 + len(logit_rows) * 1e-5))


def test_keeps_bits_when_candidates_depend_on_the_rows_requested_then_no():
    assert not keeps_bits(RoundingCandidates(babbling()))
    assert keeps_bits(FakeSession(babbling()))


class PairedCandidates(FakeSession):
    """The last of an odd number of candidates comes out otherwise, as kernels for pairs of rows make it."""

    def forward(self, ids, past, logit_rows, cancel):
        candidates = super().forward(ids, past, logit_rows, cancel)
        if len(logit_rows) > 1 and len(logit_rows) % 2:
            candidates.logits[-1] *= np.float32(1 + 1e-5)
        return candidates


def test_keeps_bits_when_an_odd_number_of_candidates_is_rounded_otherwise_then_no():
    assert not keeps_bits(PairedCandidates(babbling()))


def test_keeps_bits_when_such_a_session_runs_in_blocks_then_yes():
    assert keeps_bits(Rounding(babbling(), row_rule=RowRule(block=32)))
    assert keeps_bits(Rounding(babbling(), row_rule=RowRule(block=32, step=8)))


class Mixing(FakeSession):
    """Candidates change a little with the rows after them."""

    def forward(self, ids, past, logit_rows, cancel):
        candidates = super().forward(ids, past, logit_rows, cancel)
        return Candidates(candidates.ids, candidates.logits * np.float32(1 + ids[-1] * 1e-5))


def test_keeps_bits_when_a_row_of_a_step_depends_on_later_ones_then_no():
    assert not keeps_bits(Mixing(babbling(), row_rule=RowRule(block=32, step=8)))
