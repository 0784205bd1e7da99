"""Files that are no program code: what their readers accept, and the holes in them."""

import pytest

from aide_lsp.syntax.languages import LANGUAGES
from benchmarks.real_code import sources, walk
from benchmarks.real_code.formats import FORMATS, READERS, is_readable
from benchmarks.real_code.holes import MARKUP_KINDS, Hole, cut
from benchmarks.real_code.judging import judge
from benchmarks.real_code.packages import Archive, Part, read_manifest

READABLE = {
    "yaml": "on: [push]\njobs:\n  test:\n    steps:\n      - run: !Ref make\n---\nname: two\n",
    "json": '{"a": {"b": 1}, "b": [1, 2]}',
    "toml": '[a]\nb = "c"\n[d]\nb = 1\n',
    "ini": "[a]\nb = c\n    d\n",
    "shellscript": "for x in 1 2; do\n  echo $x\ndone\n",
    "dockerfile": "# syntax\nFROM a AS b\nRUN x && \\\n    # why\n    y\nCOPY <<EOF /z\ntext\nEOF\nCMD [1]\n",
    "makefile": "A ?= 1\ninclude x.mk\nifeq ($(A),1)\nall: a \\\n  b\n\techo\nendif\n$(eval x)\n",
    "sql": "CREATE TABLE a (b int);\nSELECT b FROM a;\n",
    "html": '<p class="a">x<br>y</p>\n<script>let a = "<p>";</script>\n',
    "markdown": "# A\n\n```sh\nls\n```\n",
    "vue": '<template><a :b="c > 1"/></template>\n<script lang="ts">const a: number = 1</script>\n',
    "svelte": "<script>\n  let a;\n</script>\n{#if a}<b>{a}</b>{/if}\n",
    "typescriptreact": "export const A = () => <b>{1}</b>;\n",
}
UNREADABLE = [
    ("yaml", "a: 1\n b: 2\n"),
    ("yaml", "a:\n  b: 1\n  c: 2\n  b: 3\n"),
    ("json", '{"a": 1,}'),
    ("json", '[{"a": 1, "a": 2}]'),
    ("toml", "a = \n"),
    ("toml", "a = 1\na = 2\n"),
    ("ini", "[a]\nb = 1\nb = 2\n"),
    ("shellscript", "if x; then\n"),
    ("dockerfile", "FROM a\nnpm ci\n"),
    ("makefile", "all: a\necho\n"),
    ("sql", "SELECT FROM WHERE (;\n"),
    ("html", "<p><b></p></b>\n"),
    ("vue", "<template><a></template>\n"),
    ("svelte", "<script>let = ;</script>\n"),
    ("markdown", "```sh\nls\n"),
    ("typescriptreact", "export const A = () => <b>{1</b>;\n"),
]
WORKFLOW = """# name: none
name: test
on: ["push", "pull_request"]

jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: "actions/checkout@v4"
      - run: make test
"""


@pytest.mark.parametrize("language", FORMATS)
def test_readable_text_of_each_format(language):
    assert is_readable(READABLE[language], language)
    assert language in LANGUAGES
    assert READERS.keys() == FORMATS.keys()


@pytest.mark.parametrize(("language", "text"), UNREADABLE)
def test_unreadable_text(language, text):
    assert not is_readable(text, language)


def test_shell_script_is_read_and_not_run(tmp_path):
    assert is_readable(f"touch {tmp_path}/made\n", "shellscript")
    assert list(tmp_path.iterdir()) == []


def test_holes_in_a_workflow():
    holes = cut(Part("shelf", "yaml", "*"), ".github/a.yml", WORKFLOW)
    assert {hole.kind for hole in holes} == set(MARKUP_KINDS)
    assert {hole.before + hole.truth + hole.after for hole in holes} == {WORKFLOW}
    assert all("none" not in hole.truth.split("\n")[0] for hole in holes)
    truths = {kind: {hole.truth for hole in holes if hole.kind == kind} for kind in MARKUP_KINDS}
    assert truths["after key"] <= {"test", '["push", "pull_request"]', "ubuntu-latest"} | {
        '"actions/checkout@v4"',
        "make test",
    }
    assert truths["rest of line"] == {'uses: "actions/checkout@v4"', "run: make test"}
    assert truths["quotes"] <= {"push", "pull_request", "actions/checkout@v4"}
    assert truths["pair"] == {'"push", "pull_request"'}
    steps = '- uses: "actions/checkout@v4"\n      - run: make test'
    assert truths["block"] == {steps, f"runs-on: ubuntu-latest\n    steps:\n      {steps}"}


def test_file_that_is_unreadable_has_no_holes():
    assert not cut(Part("shelf", "yaml", "*"), "a.yml", WORKFLOW + "on: push\n")


def test_completion_that_repeats_a_key_has_more_errors():
    hole = Hole("p:a.yml:0:line", "yaml", "line", "a: 1\n", "\n", "b: 2")
    assert not judge(hole, "c: 2").more_errors
    assert judge(hole, "a: 2").more_errors


def test_halves_are_made_of_projects_that_have_holes(monkeypatch, tmp_path):
    archives = [Archive("npm", name, "1", "0", ()) for name in ("a", "b", "c")]

    def read_files(path, parts):
        part = next(part for part in parts if part.language == "yaml")
        return [(part, ".github/a.yml", WORKFLOW)] if part.name != "b" else []

    monkeypatch.setattr(walk, "read_manifest", lambda path: archives)
    monkeypatch.setattr(walk, "fetch", lambda archive, cache: tmp_path)
    monkeypatch.setattr(walk, "read_files", read_files)
    halves = [
        {hole.id.split(":")[0] for hole in sources.markup_holes(dev, tmp_path)} for dev in (True, False)
    ]
    assert sorted(map(sorted, halves)) == [["a"], ["c"]]


def test_manifests_pin_archives():
    for path in sources.MANIFESTS:
        assert all(len(archive.sha256) == 64 for archive in read_manifest(path))
