"""Who may import whom, how large a module may get, and that generated files are fresh."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from aide_lsp.settings_reference import MARKS, REPOSITORY, generated_files

PACKAGE = REPOSITORY / "aide_lsp"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
# A room may import itself and the rooms named here.
ROOMS = {
    "lsp": {
        "troubleshooting",
        "completion",
        "explain",
        "inference",
        "settings",
        "settings_layers",
        "settings_report",
        "globs",
        "errors",
        "startup",
        "ledger",
        "project_file",
        "invisible",
        "held_up",
    },
    "completion": {"inference", "settings", "errors", "invisible"},
    "inference": {"settings", "errors", "held_up"},
    "held_up": set(),
    "explain": {"completion", "inference", "settings", "errors"},
    "catalog": {"inference", "settings", "errors", "toml_file"},
    "ledger": {"completion", "inference", "settings", "errors"},
    "settings": {"settings_limits"},
    "settings_limits": {"globs", "invisible"},
    "settings_problems": {"settings_limits"},
    "settings_files": {"project_folders", "toml_file"},
    "project_folders": set(),
    "toml_file": set(),
    "settings_tables": {"globs", "settings_limits", "settings_problems"},
    "presets": {"settings", "settings_problems"},
    "settings_report": {"settings", "settings_limits", "settings_problems", "settings_resolved"},
    "globs": set(),
    "troubleshooting": {"settings"},
    "project_file": {"errors", "project_folders", "toml_file"},
    "errors": set(),
    "invisible": set(),
}
# Only these rooms may import these libraries.
LIBRARIES = {
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},
    "onnxruntime": {"inference", "catalog"},
    "onnx": {"catalog"},
    "gguf": {"catalog"},
    "huggingface_hub": {"catalog"},
    "tomlkit": {"project_file"},
    "click": {
        "cli",
        "cli_errors",
        "cli_options",
        "terminal",
        "models_cli",
        "bench_cli",
        "explain_cli",
        "ledger_cli",
        "settings_cli",
        "troubleshoot_cli",
    },
}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Full dotted names of all that a module imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            module = node.module or ""
            found |= {module} | (
                {f"{module}.{alias.name}" for alias in node.names} if module == "aide_lsp" else set()
            )
    return found


def rooms_imported(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path))
    return {parts[1] for parts in names if parts[0] == "aide_lsp" and len(parts) > 1} - {
        "__version__",
        "PRIVATE",
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    room = room_of(path)
    if room in ROOMS:
        assert rooms_imported(path) - {room} <= ROOMS[room]
    libraries = {name.split(".")[0] for name in imports(path)}
    assert {name for name in libraries if room not in LIBRARIES.get(name, {room})} == set()


def test_libraries_that_report_are_imported_after_aide_lsp_only():
    """`aide_lsp/__init__.py` silences them; programs outside have a root that imports it first."""
    reporting = re.compile(r"^[^#\n]*\b(?:import|from) +(?:onnxruntime|huggingface_hub)\b", re.MULTILINE)
    roots = {"benchmarks": "__init__.py", "tests": "conftest.py", "editors/tests": None}
    for folder, root in roots.items():
        files = [path for path in (REPOSITORY / folder).rglob("*") if path.suffix == ".py"]
        assert files
        importing = [path for path in files if reporting.search(path.read_text(encoding="utf-8"))]
        assert bool(importing) == (root is not None), importing
        if root:
            assert "aide_lsp" in {name.partition(".")[0] for name in imports(REPOSITORY / folder / root)}
            assert REPOSITORY / folder / root not in importing


@pytest.mark.parametrize("module", ["aide_lsp", "benchmarks"])
def test_user_who_switched_telemetry_on_then_it_is_off(module):
    names = ("ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY")
    run = subprocess.run(
        [sys.executable, "-c", f"import os, {module}; print(*map(os.environ.get, {names}))"],
        env={**os.environ, **dict.fromkeys(names, "0")},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["1", "1"]


def test_everything_printed_goes_through_what_escapes():
    """`terminal.say` for the command line; what a server writes to stderr is escaped on the spot or fixed."""
    printing = [path for path in MODULES if "click.echo" in path.read_text(encoding="utf-8")]
    assert [path.name for path in printing] == ["terminal.py"]
    writing = re.compile(r"sys\.std(?:err|out)\.write\((.*)\)")
    named = {
        match[1]
        for path in MODULES
        for match in writing.finditer(path.read_text(encoding="utf-8"))
        if "{" in match[1] and "escaped(" not in match[1] and path.name not in ("logs.py", "progress.py")
    }
    assert named == set()


def test_no_two_test_modules_have_one_name():
    """pytest imports them by it, and would collect none at all."""
    names = [path.name for path in (REPOSITORY / "tests").rglob("test_*.py")]
    assert [name for name in set(names) if names.count(name) > 1] == []


def test_modules_stay_small():
    """Past 250 lines a module looks for its second noun; 400 is the end."""
    sizes = {str(p.relative_to(PACKAGE)): len(p.read_text(encoding="utf-8").splitlines()) for p in MODULES}
    print(sorted(sizes.items(), key=lambda item: -item[1])[:5])
    assert {name: lines for name, lines in sizes.items() if lines > 400} == {}


def test_every_module_says_what_it_does():
    docs = {path: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES}
    assert [path for path, doc in docs.items() if not doc] == []


@pytest.mark.parametrize(
    "path",
    [
        "docs/settings.md",
        "docs/settings.schema.json",
        "editors/vscode/package.json",
        "docs/parameters.md",
        "README.md",
    ],
)
def test_generated_files_are_fresh(path):
    """`make generate` renews them."""
    assert (REPOSITORY / path).read_text(encoding="utf-8") == generated_files()[path]
    assert path != "README.md" or all(mark in generated_files()[path] for mark in MARKS)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("aide_lsp.cli", {"numpy", "onnxruntime", "tokenizers", "huggingface_hub", "pygls", "onnx", "gguf"}),
        ("aide_lsp.lsp.main", {"numpy", "onnxruntime", "tokenizers", "huggingface_hub", "click", "tqdm"}),
    ],
)
def test_start_up_imports_nothing_heavy(module, heavy):
    """What is not needed for the first answer is imported later."""
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert heavy & set(loaded) == set()
