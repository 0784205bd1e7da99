"""Fidelity: figures computed by hand, and a complete run on a tiny model."""

import numpy as np
import pytest
from tiny_model import tiny_gguf

from aide_lsp.bench.fidelity import compare, held_out_texts, measure_fidelity


def test_compare_equal_logits_gives_full_marks():
    logits = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 1.0]], np.float32)
    found = compare("same", logits, logits + 7, np.array([[0, 2], [1, 2]]))
    assert (found.positions, found.top1, found.recall64) == (2, 1.0, 1.0)
    assert found.mean_kl == pytest.approx(0, abs=1e-9)


def test_compare_by_hand():
    """KL((1/2, 1/2) || (3/4, 1/4)) = ln 2 - (ln 3) / 2; the first position agrees in nothing."""
    reference = np.log(np.array([[0.5, 0.5], [0.2, 0.8]], np.float32))
    other = np.log(np.array([[0.75, 0.25], [0.2, 0.8]], np.float32))
    found = compare("other", reference, other, np.array([[1], [1]]))
    assert found.mean_kl == pytest.approx((np.log(2) - np.log(3) / 2) / 2, rel=1e-5)
    assert found.p99_kl == pytest.approx(0.99 * (np.log(2) - np.log(3) / 2), rel=1e-5)
    assert found.top1 == 0.5
    assert found.recall64 == 0.5


def test_held_out_texts_are_long_enough():
    assert min(map(len, held_out_texts())) > 1000


def test_measure_fidelity_ranks_recipes(tmp_path):
    steps = []
    source = tiny_gguf(tmp_path / "tiny.gguf")
    scratch = tmp_path / "data" / "scratch"
    recipes = ["float", "fp16", "exact"]
    found = measure_fidelity(source, scratch, recipes, lambda *step: steps.append(step))
    assert not scratch.exists()
    by_name = {result.recipe: result for result in found}
    assert by_name["float"].mean_kl == pytest.approx(0, abs=1e-9)
    assert by_name["float"].top1 == 1.0
    assert 0 < by_name["fp16"].mean_kl < 1e-3
    assert by_name["fp16"].mean_kl < by_name["exact"].mean_kl < 0.1
    assert min(result.positions for result in found) >= 500
    assert len(steps) >= 4


def test_measure_fidelity_interrupted_or_killed_leaves_nothing(tmp_path):
    class SignalError(BaseException):
        """As a signal raises it."""

    source, scratch = tiny_gguf(tmp_path / "tiny.gguf"), tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "of-a-killed-one").touch()
    seen = []

    def interrupt(share, step):
        seen.append(sorted(path.name for path in scratch.iterdir()))
        if step == "exact":  # by then the reference was converted
            raise SignalError

    with pytest.raises(SignalError):
        measure_fidelity(source, scratch, ["exact"], interrupt)
    assert not scratch.exists()
    assert seen
    assert not any("of-a-killed-one" in names for names in seen)
