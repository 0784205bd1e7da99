"""A self-contained page: scripts and styles are inside it, and it loads nothing.

In VS Code a page has the theme's colors and fonts; in a browser it is light or dark, as the system is. Only
scripts and styles with the nonce of the page count, whatever text it shows.
"""

import json
import secrets
from html import escape
from importlib.resources import files

from aide_lsp.pages.markup import Markup

FOLDER = files("aide_lsp.pages")


def render_page(title: str, body: Markup, *, style: str = "", script: str = "", data: object = None) -> str:
    """Return a page.

    Args:
        title: text.
        body: what is in its `main` element.
        style: CSS, after the base style. It uses the variables and classes of `base.css`.
        script: JavaScript, after the functions of `elements.js`. `PAGE_DATA` holds the data.
        data: JSON for the script.
    """
    slots = {
        "nonce": secrets.token_urlsafe(16),
        "title": escape(title),
        "style": f"{_read('base.css')}\n{style}",
        "body": body,
        "data": as_script_data(data),
        "script": "\n".join((_read("elements.js"), _read("links.js"), script)),
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
