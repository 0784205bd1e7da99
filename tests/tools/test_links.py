"""Links between pages lead to files and headings that exist."""

import re

import pytest

from tools.generate.pages import REPOSITORY

PAGES = [
    page.relative_to(REPOSITORY).as_posix()
    for glob in (
        "*.md",
        "docs/*.md",
        "aide_lsp/**/*.md",
        "benchmarks/**/*.md",
        "editors/*.md",
        "editors/*/*.md",
    )
    for page in sorted(REPOSITORY.glob(glob))
]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors(page):
    """Headings as GitHub names them in addresses."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+?)\s*$", text, re.MULTILINE)
    words = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in words}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name):
    page = REPOSITORY / name
    broken = []
    for path, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(f"{path}#{anchor}" if anchor else path)
    assert broken == []


def test_modules_named_on_the_architecture_page_exist():
    package = REPOSITORY / "aide_lsp"
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", (package / "README.md").read_text(encoding="utf-8")))
    assert len(named) > 30
    assert [
        name for name in sorted(named) if not any((base / name).exists() for base in (package, REPOSITORY))
    ] == []
