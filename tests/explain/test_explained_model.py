"""On the real model: an explained completion is the same completion; page and terminal contain it."""

import numpy as np
import pytest
from attrs import evolve

from aide_lsp.cli.sample import NAME, sample
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.explain.explanation import explain
from aide_lsp.explain.page import render
from aide_lsp.explain.report import WIDTH, report
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import Parameters, Settings

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def completer(real_model_dir):
    from aide_lsp.loading import open_completer

    return open_completer(real_model_dir, Settings(provider="cpu"))


@pytest.mark.parametrize(
    "parameters",
    [
        Parameters(temperature=1.0, seed=1),
        Parameters(temperature=0.4, top_k=300, top_p=0.9, seed=2),
        Parameters(temperature=0.0, seed=3),
    ],
)
def test_explained_completion_is_the_one_that_is_offered(completer, parameters):
    text, offset = sample()
    request = CompletionRequest(
        text=text,
        offset=offset,
        language_id="python",
        path=NAME,
        options=GenerationOptions(evolve(parameters, num_context=256), max_tokens=12),
    )
    completion = completer.complete(request, CancelToken())
    explanation = explain(completer, request, CancelToken())
    assert explanation.completion.text == completion.text
    for token in explanation.tokens:
        step = token.step
        assert sum(c.probability for c in step.candidates) == pytest.approx(1.0)
        assert step.after_top_p <= step.after_top_k
        best = step.candidates[0]
        raw = np.exp(-step.log_mass[explanation.temperatures.index(1.0)])
        assert best.raw_probability == pytest.approx(float(raw))
    assert max(len(line) for line in report(explanation).split("\n")) <= WIDTH
    assert render(explanation).count("</script>") == 2
