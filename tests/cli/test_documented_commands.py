"""Every command line of `aide` that the documentation and the help texts show can be typed as it is shown."""

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from aide_lsp.cli.main import main
from tools.generate.pages import REPOSITORY

PAGES = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
    *sorted((REPOSITORY / "editors").glob("*.md")),
    *sorted((REPOSITORY / "editors").glob("*/*.md")),
    *sorted((REPOSITORY / "benchmarks").rglob("*.md")),
]
IN_BLOCK = re.compile(r"^(?:.*[|&(] *)?(aide [a-z-].*)$")
IN_LINE = re.compile(r"`(aide [a-z][^`]*)`")


def all_commands(group: click.Group, path: tuple[str, ...] = ()):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from all_commands(command, (*path, name))


def shown_lines() -> set[str]:
    helps = [CliRunner().invoke(main, [*path, "--help"]).output for path in [(), *all_commands(main)]]
    found = set()
    for text in [page.read_text(encoding="utf-8") for page in PAGES] + helps:
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        lines = [line.strip() for block in [*blocks, *helps] for line in block.splitlines()]
        found |= {match[1] for line in lines if (match := IN_BLOCK.match(line))}
        # In a table a pipe is written with a backslash.
        found |= {" ".join(match.replace("\\|", "|").split()) for match in IN_LINE.findall(text)}
    return found


def words_of(line: str) -> list[str]:
    line = re.split(r"\s+#|\s{2,}[a-z]|\s*[|<>&;]|\)\"", line)[0]
    words = shlex.split(line.replace("...", ""))[1:]
    return ["README.md" if "*" in word else word for word in words]


@pytest.mark.parametrize("line", sorted(shown_lines()))
def test_command_that_is_shown_is_understood(line, monkeypatch):
    """It is parsed, with all its options, and not run."""
    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(click.Command, "invoke", lambda self, ctx: None)
    words = words_of(line)
    result = CliRunner().invoke(main, words)
    # Running text may name a command or an option alone.
    alone = ("Commands:", "Missing argument", "requires an argument")
    assert result.exit_code == 0 or any(words in result.output for words in alone), (words, result.output)


def test_commands_without_json_are_those_that_the_page_names():
    page = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")
    named = re.search(r"has `--json`: all but (.*?)\.", page, re.DOTALL)
    assert named is not None
    without = set()
    for path in all_commands(main):
        context, command = click.Context(main), main
        for name in path:
            command = command.get_command(context, name)
        options = {option for parameter in command.params for option in parameter.opts}
        if not isinstance(command, click.Group) and "--json" not in options:
            without.add("aide " + " ".join(path))
    assert set(re.findall(r"`(aide [a-z ]+)`", named[1])) == without
