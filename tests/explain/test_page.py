"""The page holds all it needs, shows any text as text, and computes what the sampler computes."""

import json
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest

from aide_lsp.explain.explanation import as_json, explain
from aide_lsp.explain.page import FOLDER, SCRIPTS, render
from aide_lsp.inference import sampler
from aide_lsp.inference.cancel import CancelToken
from tests.completion.test_completer import completer_of, request_at, session_of, with_parameters
from tests.fakes import babbling, continuing
from tests.patience import PATIENCE

HOSTILE = 'a = "</script><script>alert(1)</script><!-- <script> & {{title}} https://example.org/x.js"\n|'
needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


class Page(HTMLParser):
    """Collects elements with their attributes, and the text of scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.scripts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] == "script" and data.strip():
            self.scripts.append(data)


def explanation_of(marked: str, script=None, path: str = "a.py", **changes):
    request = with_parameters(request_at(marked, temperature=0.8, seed=5, path=path), **changes)
    return explain(completer_of(script or babbling()), request, CancelToken())


def test_page_is_self_contained():
    page = Page(render(explanation_of("import os\nx = |\n")))
    tags = {tag for tag, _ in page.elements}
    assert tags == {"html", "head", "meta", "title", "style", "body", "main", "noscript", "script"}
    attributes = {name for _, attrs in page.elements for name in attrs}
    assert attributes & {"src", "href", "action", "srcset", "data", "onload"} == set()


@pytest.mark.parametrize("path", ["a.py", '<img src=x onerror="alert(1)">&{{script}}.py'])
def test_page_shows_hostile_text_as_text(path):
    """Source, path and model output: nothing of them ends the script or becomes an element."""
    explanation = explanation_of(HOSTILE, continuing({'x.js"\n': "b = '</SCRIPT><b>'\n\n\n"}), path)
    page = Page(render(explanation))
    assert [tag for tag, _ in page.elements].count("script") == 2
    assert {"img", "b"} & {tag for tag, _ in page.elements} == set()
    assert json.loads(page.scripts[0]) == json.loads(json.dumps(as_json(explanation)))
    assert "</SCRIPT>" in explanation.completion.text


def in_node(script: str, value) -> object:
    """Run the page's arithmetic, and `script` on `value`, in node."""
    source = (
        f"{(FOLDER / 'arithmetic.js').read_text()}\nconst input = JSON.parse(require('fs').readFileSync(0));"
    )
    run = subprocess.run(
        ["node", "-e", f'"use strict";\n{source}\nconsole.log(JSON.stringify({script}));'],
        input=json.dumps(value),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return json.loads(run.stdout)


def tied(ids) -> np.ndarray:
    """Logits with many equal ones."""
    return np.round(babbling()(ids)).astype(np.float32)


@needs_node
@pytest.mark.parametrize("script", [babbling(), babbling(1, spread=1.0), tied])
@pytest.mark.parametrize("set_top_k", [50, 100])
def test_sliders_compute_what_the_sampler_computes(script, set_top_k):
    """Each slider moved, the others anywhere; also Top K past the 64 candidates of the graph, and all."""
    explanation = explanation_of("x\n|", script, top_k=set_top_k, top_p=0.9)
    vocabulary, (token, *_) = explanation.vocabulary, explanation.tokens
    logits = script(_prompt_ids(explanation, script))
    settings = [
        {"temperature": t, "topK": k, "topP": p}
        for t in (0, 0.05, 0.5, 0.8, 1)
        for k in (1, 2, 20, set_top_k, vocabulary)
        for p in (0, 0.1, 0.5, 0.9, 1)
    ]
    step = as_json(explanation)["tokens"][0]["step"]
    facts = {"step": step, "scale": explanation.temperatures, "vocabulary": vocabulary}
    got = in_node(
        "input.settings.map((s) => distribution(input.step, input.scale, input.vocabulary, s))",
        {**facts, "settings": settings},
    )
    ids = [candidate.token for candidate in token.step.candidates]
    exact = 0
    for setting, result in zip(settings, got, strict=True):
        temperature, top_k, top_p = setting["temperature"], setting["topK"], setting["topP"]
        drawn = sampler.probabilities(logits, temperature, top_k, top_p)
        cut = sampler.probabilities(logits, temperature, top_k, None)
        scaled = sampler.probabilities(logits, temperature, None, None)
        np.testing.assert_allclose(
            result["raw"], sampler.probabilities(logits, 1, None, None)[ids], rtol=1e-9
        )
        np.testing.assert_allclose(result["scaled"], scaled[ids], rtol=1e-9)
        np.testing.assert_allclose(result["cut"], cut[ids], rtol=1e-9)
        assert result["afterTopK"] == np.count_nonzero(cut)
        if result["exact"]:
            np.testing.assert_allclose(result["final"], drawn[ids], rtol=1e-9)
            assert result["afterTopP"] == np.count_nonzero(drawn)
            exact += 1
        else:
            assert np.count_nonzero(drawn) > len(ids)
    assert exact > len(settings) * 0.6


def _prompt_ids(explanation, script) -> list[int]:
    """The prompt as the model got it, by what a session was asked for."""
    completer = completer_of(script)
    seen: list[list[int]] = []
    session = session_of(completer)
    session.script = lambda ids: seen.append(list(ids)) or script(ids)
    completer.complete(request_at("x\n|", temperature=0.8, seed=5), CancelToken())
    return seen[0]


@needs_node
def test_set_values_give_the_logged_probabilities_and_entropy():
    """With the sliders where they are set, the page shows the figures of the explanation."""
    explanation = explanation_of("def f(a):\n    retu|", top_k=40, top_p=0.8, temperature=0.37)
    explained = as_json(explanation)
    got = in_node(
        """input.tokens.map(({ step }) => {
          const p = input.completion.parameters;
          const set = { temperature: p.temperature, topK: p.top_k, topP: p.top_p };
          const now = distribution(step, input.temperatures, input.vocabulary, set);
          const fits = step.candidates.map((c) => c.fits);
          const final = step.after_beginning === null ? now.final : keepFitting(now.final, fits);
          return { final, entropy: entropy(final), left: [now.afterTopK, now.afterTopP] };
        })""",
        explained,
    )
    for token, page in zip(explanation.tokens, got, strict=True):
        step = token.step
        assert page["left"] == [step.after_top_k, step.after_top_p]
        if not step.forced:
            np.testing.assert_allclose(page["final"], [c.probability for c in step.candidates], rtol=1e-9)
            assert page["entropy"] == pytest.approx(step.entropy, abs=1e-9)


@needs_node
@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_can_be_read(name, tmp_path):
    script = tmp_path / name
    script.write_text('"use strict";\n' + (FOLDER / name).read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run(["node", "--check", script], check=True, capture_output=True, timeout=PATIENCE)
