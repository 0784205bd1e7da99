"""An explanation as one self-contained page.

The page gets the explanation as JSON and draws it. Nothing of the explanation is ever parsed as HTML. A test
compares the sliders' arithmetic (`page/arithmetic.js`) with the sampler.
"""

from importlib.resources import files

from aide_lsp.explain.explanation import Explanation, as_json
from aide_lsp.pages.markup import h
from aide_lsp.pages.page import render_page

FOLDER = files("aide_lsp.explain") / "page"
SCRIPTS = ("arithmetic.js", "step.js", "chart.js", "files.js", "overview.js", "page.js")
"""Joined to one script in this order, so that names are defined before they are used."""


def render(explanation: Explanation) -> str:
    """Return the page."""
    return render_page(
        f"{explanation.path}:{explanation.line}:{explanation.column}",
        h("noscript", {}, "This page needs JavaScript, which is disabled."),
        style=_read("page.css"),
        script="\n".join(_read(name) for name in SCRIPTS),
        data=as_json(explanation),
    )


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
