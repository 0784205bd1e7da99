"""The files that are typed, two of each language: the typing benchmark's, and pages of pinned archives."""

from functools import cache
from pathlib import Path

from aide_lsp.errors import AideError
from benchmarks.llama_cpp.engines import ROOT
from benchmarks.real_code.packages import fetch, read_files, read_manifest
from benchmarks.typing.comparison import typescript_sources
from benchmarks.typing.sources import Source, module_sources

MANIFEST = Path(__file__).with_name("files.toml")
NODE_MODULES = ROOT / "editors" / "vscode" / "node_modules"
LANGUAGES = ("python", "typescript", "markdown", "html", "go")
SUFFIX = {"python": "py", "typescript": "ts", "markdown": "md", "html": "html", "go": "go"}
LONGEST = 700
"""Lines: longer files are cut, since a file just opened should be one that people write by hand."""


def sources_of(language: str) -> list[Source]:
    """Return the files of a language.

    Raises:
        AideError: they are not there and cannot be fetched.
    """
    if language == "python":
        found = module_sources()
    elif language == "typescript":
        found = typescript_sources(NODE_MODULES)
        if not found:
            raise AideError(f"No npm packages in {NODE_MODULES}: run npm ci there.")
    else:
        found = [source for source in _pages() if source.language == language]
    return [Source(one.name, one.language, _beginning(one.text, LONGEST)) for one in found]


def short(source: Source, lines: int) -> Source:
    """Return the beginning of a file."""
    return Source(source.name, source.language, _beginning(source.text, lines))


@cache
def _pages() -> tuple[Source, ...]:
    return tuple(
        Source(f"{archive.name} {archive.version} {name}", part.language, text)
        for archive in read_manifest(MANIFEST)
        for part, name, text in read_files(fetch(archive), archive.parts)
    )


def _beginning(text: str, lines: int) -> str:
    return "".join(text.splitlines(keepends=True)[:lines])
