"""An explanation as one page that holds all it needs: no script, style or picture comes from elsewhere.

In: an `Explanation`. Out: HTML. The page gets the explanation as JSON and draws it; nothing of it is ever
parsed as HTML, and the page may load nothing (its Content-Security-Policy). The sliders' arithmetic
is in `page/arithmetic.js`, which tests compare with the sampler. It does not know how figures came about.
"""

import json
from html import escape
from importlib.resources import files

from aide_lsp.explain.explanation import Explanation, as_json

FOLDER = files("aide_lsp.explain") / "page"
SCRIPTS = ("arithmetic.js", "elements.js", "step.js", "overview.js", "page.js")
"""One script in this order: no name is used before it is there."""


def render(explanation: Explanation) -> str:
    """Return the page."""
    title = f"{explanation.path}:{explanation.line}:{explanation.column}"
    slots = {
        "title": escape(title),
        "style": _read("page.css"),
        "script": "\n".join(_read(name) for name in SCRIPTS),
        "explanation": as_script_data(as_json(explanation)),
    }
    # Split at the marks of the template only: what is filled in may hold anything, such marks too.
    head, *rest = _read("page.html").split("{{")
    return head + "".join(slots[name] + text for name, _, text in (piece.partition("}}") for piece in rest))


def as_script_data(value: object) -> str:
    """Return JSON that can stand in a script element: nothing in it ends that, or begins a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")
