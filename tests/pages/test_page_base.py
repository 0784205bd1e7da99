"""A page loads nothing, runs only its own script, and shows any text as text."""

import json
import re
from html.parser import HTMLParser

import pytest

from aide_lsp.explain.page import FOLDER as EXPLANATION
from aide_lsp.pages.markup import Markup, h, joined
from aide_lsp.pages.page import FOLDER, as_script_data, render_page

HOSTILE = '</script><img src=x onerror="alert(1)">&{{body}}\'<!--'
LOADS = re.compile(r"https?:|url\(|@import|fetch\(|XMLHttp|import\(|innerHTML|eval\(|document\.write")
OURS = sorted(
    path
    for folder in (FOLDER, EXPLANATION)
    for path in folder.iterdir()
    if path.name.endswith((".js", ".css", ".html"))
)


class Parsed(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_nothing_of_ours_loads_anything_or_parses_text_as_html(path):
    assert len(OURS) >= 9
    assert LOADS.findall(path.read_text(encoding="utf-8")) == []


def test_only_scripts_and_styles_with_the_nonce_of_this_page_count():
    html = render_page("Title", h("p", {}, "text"))
    page = Parsed(html)
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    (nonce,) = set(re.findall(r"nonce-([\w-]+)", policy))
    assert len(nonce) >= 16
    guarded = [attrs.get("nonce") for tag, attrs in page.elements if tag in ("script", "style")]
    assert guarded == [nonce] * 3
    # The policy ignores inline styles and handlers, so a page that has some would be broken.
    assert not {
        name for _, attrs in page.elements for name in attrs if name == "style" or name.startswith("on")
    }
    assert nonce not in render_page("Title", h("p", {}, "text"))


def test_hostile_text_is_shown_as_text():
    body = h("p", {"title": HOSTILE}, HOSTILE, h("b", {}, HOSTILE))
    page = Parsed(render_page(HOSTILE, body, data={"text": HOSTILE}))
    assert [tag for tag, _ in page.elements if tag in ("img", "b")] == ["b"]
    assert ("p", {"title": HOSTILE}) in page.elements
    assert page.text.count(HOSTILE) == 3
    assert [tag for tag, _ in page.elements].count("script") == 2


def test_markup_is_not_escaped_again_and_text_is():
    assert joined("<", Markup("<br>"), ">") == "&lt;<br>&gt;"
    assert h("input", {"disabled": True, "checked": False, "value": '"'}) == '<input disabled value="&quot;">'


def test_script_data_reads_back_whatever_it_holds():
    value = {"text": "<!--</script>\u2028\u2029&amp;\ud800]]>", "number": 0.1}
    data = as_script_data(value)
    assert json.loads(data) == value
    assert re.search("[<>&\u2028\u2029]", data) is None
