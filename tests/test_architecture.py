"""Who may import whom, how large a module may get, and that generated files are fresh."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.generate.pages import MARKS, REPOSITORY, generated_files

PACKAGE = REPOSITORY / "aide_lsp"
MODULES = sorted(path for path in PACKAGE.rglob("*.py"))
FOUNDATION = {"", "errors", "invisible", "plain_file", "progress", "stalls", "toml_file"}
"""What every package may import."""
PACKAGES = {
    "errors": set(),
    "invisible": set(),
    "plain_file": set(),
    "progress": set(),
    "stalls": set(),
    "toml_file": set(),
    "settings": set(),
    "inference": {"inference.onnx"},
    "inference.onnx": {"inference"},
    "completion": {"inference", "inference.onnx", "settings"},
    "convert": {"inference.onnx"},
    "catalog": {"completion", "convert", "inference.onnx"},
    "bench": {"completion", "convert", "inference", "inference.onnx", "settings"},
    "explain": {"completion", "inference", "explain.page"},
    "explain.page": set(),
    "ledger": {"completion", "inference", "inference.onnx", "settings"},
    "loading": {"catalog", "completion", "inference", "inference.onnx", "settings"},
    "lsp": {
        "lsp.commands", "lsp.requests", "lsp.rpc", "completion", "inference", "ledger", "loading", "settings"
    },
    "lsp.rpc": {"lsp"},
    "lsp.requests": {
        "lsp", "lsp.rpc", "completion", "inference", "inference.onnx", "ledger", "loading", "settings"
    },
    "lsp.commands": {
        "lsp", "lsp.requests", "completion", "explain", "explain.page", "inference", "loading", "settings"
    },
    "cli.sample": set(),
    "cli": {
        "cli.sample", "lsp", "bench", "catalog", "completion", "explain", "explain.page", "inference",
        "inference.onnx", "ledger", "loading", "settings",
    },
    "entry": {"cli"},
    "__main__": {"entry"},
}  # fmt: skip
"""Each package or top-level module, and what it may import besides itself and the foundation."""
# Only these packages may import these libraries.
LIBRARIES = {
    "pygls": {"lsp", "lsp.rpc", "lsp.commands"},
    "lsprotocol": {"lsp", "lsp.rpc", "lsp.commands"},
    "onnxruntime": {"inference.onnx", "convert", "bench"},
    "onnx": {"convert", "bench"},
    "gguf": {"convert"},
    "huggingface_hub": {"catalog"},
    "tomlkit": {"settings"},
    "click": {"cli"},
}


def package_of(path: Path) -> str:
    """The dotted package that a module belongs to, without `aide_lsp`; of a top-level module its name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1]) or parts[0].replace("__init__", "")


def imports(path: Path) -> set[str]:
    """Full dotted names of all that a module imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def packages_imported(path: Path) -> set[str]:
    """The packages of Aide that a module imports something from."""
    found = set()
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "aide_lsp":
            continue
        folders = parts[1:]
        while folders and not (PACKAGE / "/".join(folders)).is_dir():
            folders.pop()
        is_module = len(parts) > 1 and (PACKAGE / f"{parts[1]}.py").exists()
        found.add(".".join(folders) or (parts[1] if is_module else ""))
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_one_way(path):
    package = package_of(path)
    assert packages_imported(path) - {package} - FOUNDATION - PACKAGES.get(package, set()) == set()
    libraries = {name.split(".")[0] for name in imports(path)}
    assert {name for name in libraries if package not in LIBRARIES.get(name, {package})} == set()


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
        "docs/server.md",
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
        (
            "aide_lsp.cli.main",
            {"numpy", "onnxruntime", "tokenizers", "huggingface_hub", "pygls", "onnx", "gguf"},
        ),
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
