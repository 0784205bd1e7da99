"""What docs/privacy.md says about files, compared with the files that Aide leaves under the umask 000."""

import json
import os
import re
import subprocess
import sys

import pytest

from aide_lsp import SILENT
from tools.generate.pages import REPOSITORY

PAGE = (REPOSITORY / "docs" / "privacy.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<files>`.*?) \| .* \| (?P<mode>0\d{3}) \|$", re.MULTILINE)


def rows():
    """Give pattern and mode of each file in the data folder; a word in capitals stands for a name."""
    table = PAGE[PAGE.index("In Aide's data folder") : PAGE.index("Elsewhere, and only")]
    for row in ROW.finditer(table):
        for name in re.findall(r"`(.*?)`", row["files"]):
            yield re.compile(re.sub(r"[A-Z]{2,}", "[^/]+", re.escape(name))), int(row["mode"], 8)


@pytest.fixture(scope="module")
def used(home):
    """Where Aide was used with a umask that protects nothing; gives its data folder."""
    folders = {"HOME": home, "XDG_CONFIG_HOME": home / "config", "AIDE_DATA_DIR": home / "share" / "aide"}
    environment = os.environ | {name: str(path) for name, path in folders.items()}
    open_to_all = ["sh", "-c", 'umask 000; exec "$@"', "sh", sys.executable, "-m", "aide_lsp"]
    for arguments in (["complete", "x.py:2:12"], ["explain", "x.py:2:12", "--html", "share/page.html"]):
        command = [*open_to_all, *arguments]
        subprocess.run(command, env=environment, cwd=home, capture_output=True, check=True)
    return home / "share" / "aide"


@pytest.mark.skipif(os.name == "nt", reason="files have other permissions there")
def test_every_file_left_is_on_the_page_with_its_permissions(used):
    found = {path.relative_to(used).as_posix(): path for path in used.rglob("*")}
    for name, path in found.items():
        modes = {mode for pattern, mode in rows() if pattern.fullmatch(name)} if path.is_file() else {0o700}
        assert (name, modes) == (name, {path.stat().st_mode & 0o777})
    assert used.stat().st_mode & 0o777 == 0o700
    assert used.with_name("page.html").stat().st_mode & 0o777 == 0o600
    assert len(found) > 8


@pytest.mark.skipif(os.name == "nt", reason="it is used in a shell of Unix")
def test_hashes_that_are_shown_tell_nothing_without_the_file(aide, used):
    """As the page says of `aide log --json`: the key is not in it."""
    from aide_lsp.ledger.file import opened

    shown = aide("log", "--json", AIDE_DATA_DIR=str(used)).stdout
    with opened(used / "ledger.sqlite") as ledger:
        assert len(ledger.salt) == 16
        assert ledger.salt.hex() not in shown
    assert all(len(entry["before_hash"]) == 32 for entry in json.loads(shown))
    assert "before_hash" in shown


def words(path):
    return " ".join((REPOSITORY / path).read_text(encoding="utf-8").split())


def test_statements_agree_with_each_other():
    sentence = "unless you point Aide at a server"
    said = ["README.md", "docs/privacy.md", "editors/vscode/package.json", "aide_lsp/cli/main.py"]
    assert [path for path in said if sentence not in words(path)] == []
    assert "(docs/privacy.md)" in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert [name for name in SILENT if f"`{name}`" not in PAGE] == []
    tests = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert len(tests) == 6
    assert [path for path in tests if not (REPOSITORY / path).is_file()] == []
