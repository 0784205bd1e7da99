"""Formats that are no program code, and whether a text is of one: its reader decides.

That is a library or a program where there is one at hand. Others know only the form of lines or of tags, and
for SQL and TSX it is the grammar.
"""

import configparser
import json
import re
import subprocess
import tomllib
from collections.abc import Callable, Hashable, Iterable
from html.parser import HTMLParser

import yaml

from benchmarks.real_code.source import errors, parse

BASH_S = 10
FORMATS = {
    "yaml": "*.y*ml",
    "json": "*.json",
    "toml": "*.toml",
    "ini": "*.[ci][fn][gi]",
    "shellscript": "*.sh",
    "dockerfile": "*Dockerfile*",
    "makefile": "*Makefile",
    "sql": "*.sql",
    "html": "*.html",
    "markdown": "*.md",
    "vue": "*.vue",
    "svelte": "*.svelte",
    "typescriptreact": "*.tsx",
}
"""Globs of their files, by LSP language id."""
VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
"""Elements of HTML that have no end tag."""
INSTRUCTION = re.compile(
    r"(?i)\s*(?:FROM|RUN|CMD|LABEL|MAINTAINER|EXPOSE|ENV|ADD|COPY|ENTRYPOINT|VOLUME|USER|WORKDIR|ARG|ONBUILD"
    r"|STOPSIGNAL|HEALTHCHECK|SHELL)\s+\S"
)
HEREDOC = re.compile(r"<<-?([\"']?)(\w+)\1[\s\S]*?^\s*\2$", re.MULTILINE)
DEFINE = re.compile(r"^define\b[\s\S]*?^endef\b.*", re.MULTILINE)
MAKE = re.compile(
    r"\t|\s*(?:ifn?eq|ifn?def|else|endif|-?include|sinclude|export|unexport|vpath|undefine|\$\()(?:\b|$)"
    r"|[^:=]*[:=]"
)
"""How a line of a makefile begins: as in GNU Make, there is no other."""


def is_readable(text: str, language: str) -> bool:
    """Whether a text is of its format; where a key would replace an earlier one, it is not."""
    try:
        return READERS[language](text)
    except (ValueError, RecursionError, yaml.YAMLError, configparser.Error):
        return False


def _json(text: str) -> bool:
    json.loads(text, object_pairs_hook=lambda pairs: _unique(key for key, _ in pairs))
    return True


def _unique(keys: Iterable[Hashable]) -> bool:
    seen = list(keys)
    if len(set(seen)) < len(seen):
        raise ValueError("A key is there twice.")
    return True


def _yaml(text: str) -> bool:
    left = [node for node in yaml.compose_all(text, yaml.SafeLoader) if node is not None]
    while left:
        node = left.pop()
        if isinstance(node, yaml.MappingNode):
            _unique(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
            left.extend(part for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            left.extend(node.value)
    return True


def _toml(text: str) -> bool:
    tomllib.loads(text)
    return True


def _ini(text: str) -> bool:
    configparser.RawConfigParser().read_string(text)
    return True


def _shell(text: str) -> bool:
    # `-n` reads the commands and runs none.
    command = ["bash", "--norc", "-n"]
    found = subprocess.run(command, input=text.encode(), capture_output=True, timeout=BASH_S, check=False)
    return found.returncode == 0 and not found.stderr


def _lines(text: str) -> list[str]:
    """Return the lines that are no comments, with those that they are continued by."""
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    return [line for line in "\n".join(lines).replace("\\\n", " ").split("\n") if line.strip()]


def _dockerfile(text: str) -> bool:
    return all(map(INSTRUCTION.match, _lines(HEREDOC.sub("x", text))))


def _makefile(text: str) -> bool:
    return all(map(MAKE.match, _lines(DEFINE.sub("", text))))


def _markdown(text: str) -> bool:
    return len(re.findall(r"^\s*(?:```|~~~)", text, re.MULTILINE)) % 2 == 0


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.script = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes nothing.")

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.script += data + "\n"


def _tags(text: str) -> bool:
    parser = _Tags()
    parser.feed(text)
    parser.close()
    return not parser.open and not errors(parse(parser.script, "typescript"))


def _tree(language: str) -> Callable[[str], bool]:
    return lambda text: not errors(parse(text, language))


READERS: dict[str, Callable[[str], bool]] = {
    "yaml": _yaml,
    "json": _json,
    "toml": _toml,
    "ini": _ini,
    "shellscript": _shell,
    "dockerfile": _dockerfile,
    "makefile": _makefile,
    "sql": _tree("sql"),
    "html": _tags,
    "markdown": _markdown,
    "vue": _tags,
    "svelte": _tags,
    "typescriptreact": _tree("typescriptreact"),
}
