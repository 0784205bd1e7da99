"""An explanation as one self-contained page: scripts and styles are inside it.

The page gets the explanation as JSON and draws it. Nothing of the explanation is ever parsed as HTML, and the
Content-Security-Policy lets the page load nothing. A test compares the sliders' arithmetic
(`page/arithmetic.js`) with the sampler.
"""

import json
from html import escape
from importlib.resources import files

from aide_lsp.explain.explanation import Explanation, as_json

FOLDER = files("aide_lsp.explain") / "page"
SCRIPTS = ("arithmetic.js", "elements.js", "step.js", "overview.js", "page.js")
"""Joined to one script in this order, so that names are defined before they are used."""


def render(explanation: Explanation) -> str:
    """Return the page."""
    title = f"{explanation.path}:{explanation.line}:{explanation.column}"
    slots = {
        "title": escape(title),
        "style": _read("page.css"),
        "script": "\n".join(_read(name) for name in SCRIPTS),
        "explanation": as_script_data(as_json(explanation)),
    }
    # Split the template, not the result: what is filled in may contain such marks too.
    head, *rest = _read("page.html").split("{{")
    return head + "".join(slots[name] + text for name, _, text in (piece.partition("}}") for piece in rest))


def as_script_data(value: object) -> str:
    """Return JSON for a script element: nothing in it ends the element or begins a comment."""
    # ASCII, because source text may hold lone surrogates, which have no UTF-8.
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
