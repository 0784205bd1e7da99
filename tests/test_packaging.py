"""What an installation gets, and that the commands shown to users work as shown."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import zipfile

import pytest

from aide_lsp.catalog.cards import load_catalog, shipped_folder
from tools.generate.pages import REPOSITORY

CARDS = {path.stem for path in (REPOSITORY / "aide_lsp/models").glob("*.toml")}
SHOWN_IN = ("README.md", "docs/models.md")


def shown_commands(*pages):
    """Each command of the `sh` blocks, without its comment."""
    texts = [(REPOSITORY / page).read_text(encoding="utf-8") for page in pages]
    blocks = [block for text in texts for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]
    lines = {line.split("#")[0].strip() for block in blocks for line in block.splitlines()}
    return sorted(lines - {""})


COMMANDS = shown_commands(*SHOWN_IN)
FOR_DEVELOPERS = shown_commands("CONTRIBUTING.md")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_wheel_holds_all_that_is_read_at_run_time(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read(next(n for n in names if n.endswith("entry_points.txt"))).decode()
    package = REPOSITORY / "aide_lsp"
    ours = {
        f"aide_lsp/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours - names == set()
    assert "aide = aide_lsp.entry:main" in entry_points
    assert "aide-lsp = aide_lsp.lsp.main:main" in entry_points


def test_wheel_when_unpacked_elsewhere_then_it_finds_its_model_cards(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, "-m", "aide_lsp", "models", "list"]
    # -P and PYTHONPATH: the unpacked package, not the checkout.
    run = subprocess.run(
        [command[0], "-P", *command[1:]],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(CARDS) >= 3
    assert {card for card in CARDS if card not in run.stdout} == set()


def test_pages_show_commands():
    assert [command for command in ("make demo", "make test", "aide doctor") if command not in COMMANDS] == []


@pytest.mark.parametrize("command", [c for c in [*COMMANDS, *FOR_DEVELOPERS] if c.startswith("make ")])
def test_shown_make_target_exists(command):
    subprocess.run([*shlex.split(command), "--dry-run"], cwd=REPOSITORY, check=True, capture_output=True)


@pytest.mark.real_model
@pytest.mark.parametrize(
    "command",
    # Those that need a file or a repository of one's own are tested in tests/cli/models.
    [c for c in COMMANDS if c.startswith("aide ") and not {"add", "use", "remove"} & set(c.split()[:3])],
)
def test_shown_command_works_as_shown(command, tmp_path, real_model_dir):
    source = tmp_path / "src" / "app.py"
    source.parent.mkdir()
    source.write_text("def area(width, height):\n" + "\n" * 10 + "    return \n", encoding="utf-8")
    model = real_model_dir.parent.name
    words = [model if word == "ID" else word for word in shlex.split(command)]
    run = subprocess.run(
        [sys.executable, "-m", "aide_lsp", *words[1:]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr if run.returncode else "") == (0, "")


def test_the_shown_extension_is_the_one_that_is_built():
    (command,) = [command for command in COMMANDS if command.startswith("code ")]
    program = (REPOSITORY / "editors/vscode/stage.mjs").read_text(encoding="utf-8")
    assert "path.join(HERE, '../../build')" in program
    (name,) = re.findall(r"path\.join\(build, '([\w.]+\.vsix)'\)", program)
    assert shlex.split(command)[-1] == f"build/{name}"


def test_no_other_kind_of_command_is_shown():
    """A new kind of command needs a test of its own."""
    kinds = {shlex.split(command)[0] for command in COMMANDS}
    assert kinds == {"make", "aide", "uv", "code"}


def test_programs_and_paths_that_developers_are_shown_exist():
    """The commands of `aide` are tested with the command line."""
    kinds = {shlex.split(command)[0] for command in FOR_DEVELOPERS}
    assert kinds == {"make", "aide", ".venv/bin/pytest", ".venv/bin/python"}
    page = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = set(re.findall(r"\b(?:aide_lsp|tests|editors|docs|benchmarks)/[\w./-]*\w", page))
    assert len(paths) > 10
    assert [path for path in sorted(paths) if not (REPOSITORY / path).exists()] == []
    modules = re.findall(r"python -m ([\w.]+)", page)
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_readme_fits_on_two_screens_before_its_list_of_pages():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert readme[: readme.index("\n## More")].count("\n") <= 100


def test_the_extension_names_the_size_of_the_default_model():
    text = (REPOSITORY / "editors/vscode/src/sizes.ts").read_text(encoding="utf-8")
    said = int(re.search(r"MODEL_MB = (\d+)", text)[1])
    assert said == round(load_catalog([shipped_folder()]).default().size / 1e6)
