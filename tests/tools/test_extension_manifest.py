"""What the marketplaces show of the VS Code extension exists and agrees with the rest of the repository."""

import json
import re
import shutil
import struct
import subprocess
import tomllib

import pytest

from aide_lsp import __version__
from tests.patience import PATIENCE
from tools.generate.pages import REPOSITORY

FOLDER = REPOSITORY / "editors" / "vscode"
MANIFEST = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_extension_and_server_have_one_version_and_the_changelog_has_it():
    assert MANIFEST["version"] == __version__
    assert f"\n## {MANIFEST['version']}\n" in (FOLDER / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_server_starts_with_the_first_file_that_is_shown_and_at_the_latest_when_the_editor_has_started():
    assert MANIFEST["activationEvents"] == ["onLanguage", "onStartupFinished"]


def test_fields_of_the_marketplaces_are_filled_in():
    assert {"displayName", "description", "publisher", "license", "icon", "galleryBanner"} <= set(MANIFEST)
    assert "private" not in MANIFEST
    assert 5 <= len(MANIFEST["keywords"]) <= 30
    assert re.fullmatch("#[0-9a-f]{6}", MANIFEST["galleryBanner"]["color"])
    icon = (FOLDER / MANIFEST["icon"]).read_bytes()
    assert struct.unpack(">II", icon[16:24]) >= (256, 256)


def test_the_page_of_the_extension_has_pictures_and_a_film_that_exist_and_are_packaged():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert len(pictures) >= 3
    assert all(name.startswith("images/") and (FOLDER / name).is_file() for name in pictures)
    sizes = {name: (FOLDER / name).stat().st_size for name in pictures}
    assert max(sizes.values()) <= 3_000_000, sizes
    animated = [name for name in pictures if b"acTL" in (FOLDER / name).read_bytes()[:200]]
    assert len(animated) == 1


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif("urls" in PROJECT, reason="the repository has an address")
def test_without_an_address_of_the_repository_publishing_ends_with_a_sentence():
    run = subprocess.run(
        ["node", FOLDER / "stage.mjs", "--publish"],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("There is no address of the repository. Add it to pyproject.toml")
    assert run.stdout == ""
