"""The architecture: who may import whom, how large a module may get, where a fact may be, what is generated.

Each rule is a function of `architecture_rules.py`, which says what to do about a violation;
`test_architecture_rules.py` shows that each notices one.
"""

import ast
import graphlib
import importlib
import inspect
import itertools
import os
import re
import subprocess
import sys
import textwrap

import pytest

from tests import architecture_rules as rules
from tools.generate.pages import REPOSITORY, generated_files
from tools.parsed_modules import read_modules

PACKAGE = REPOSITORY / "aide_lsp"
MODULES = read_modules(PACKAGE)
OTHERS = {
    folder: read_modules(REPOSITORY / folder) for folder in ("tests", "benchmarks", "tools", "editors/tests")
}
FOUNDATION = {
    "disk", "errors", "file_stamp", "invisible", "line_ends", "plain_file", "progress", "reasons",
    "server_address", "stalls", "text_limits", "text_table", "toml_file",
}  # fmt: skip
"""What every package may import."""
PACKAGES = {
    "disk": set(),
    "errors": set(),
    "file_stamp": set(),
    "invisible": set(),
    "line_ends": set(),
    "plain_file": set(),
    "progress": set(),
    "reasons": set(),
    "server_address": set(),
    "stalls": set(),
    "text_limits": set(),
    "text_table": set(),
    "toml_file": set(),
    "language_ids": set(),
    "settings": {"language_ids"},
    "settings.editing": {"settings"},
    "inference": {"inference.vocabulary", "settings"},
    "inference.vocabulary": set(),
    "inference.onnx": {"inference"},
    "syntax": {"language_ids"},
    "context": {"context.imports", "context.names", "context.types", "language_ids", "settings", "syntax"},
    "context.imports": set(),
    "context.names": {"context.imports", "syntax"},
    "context.types": {"context.imports", "context.names", "syntax"},
    "context.types.ecmascript": {"context.imports", "context.names", "context.types", "syntax"},
    "infill": {"syntax"},
    "infill.checks": {"infill", "syntax"},
    "completion": {
        "context", "infill", "infill.checks", "inference", "language_ids", "settings", "syntax",
    },
    "engines": {"completion", "inference", "inference.onnx", "settings"},
    "engines.remote": {
        "engines.remote.flavors", "engines.remote.http", "engines.shared", "completion", "inference",
        "settings",
    },
    "engines.remote.flavors": {"engines.remote.http", "engines.shared", "completion", "inference"},
    "engines.remote.http": {"inference"},
    "engines.shared": {"completion", "context", "engines.remote.http", "inference", "settings"},
    "convert": {
        "convert.transformer", "convert.vocabulary", "inference", "inference.onnx", "inference.vocabulary",
    },
    "convert.transformer": set(),
    "convert.vocabulary": set(),
    "catalog": {"completion", "convert", "inference.onnx"},
    "catalog.adding": {"catalog", "completion", "convert", "inference", "inference.onnx"},
    "bench": {
        "application", "completion", "context", "convert", "engines", "inference", "inference.onnx",
        "settings",
    },
    "serve": {
        "serve.protocols", "completion", "engines", "engines.shared", "explain", "inference", "listening",
        "settings",
    },
    "serve.protocols": {"completion", "engines.shared", "inference", "settings"},
    "listening": set(),
    "team": {"catalog", "engines", "loading", "serve", "settings"},
    "pages": set(),
    "explain": {"completion", "context", "engines.shared", "infill", "inference", "pages", "settings"},
    "ledger": {"completion", "context", "inference", "language_ids", "settings"},
    "loading": {
        "catalog", "completion", "engines", "engines.remote", "engines.remote.flavors", "engines.shared",
        "inference", "inference.onnx", "settings",
    },
    "application": {
        "catalog", "completion", "context", "inference", "language_ids", "ledger", "loading", "pages",
        "settings",
    },
    "lsp": {
        "lsp.commands", "lsp.model", "lsp.requests", "lsp.rpc", "lsp.workspace", "completion", "inference",
        "ledger", "application", "loading", "settings", "settings.editing", "syntax",
    },
    "lsp.rpc": {"listening"},
    "lsp.model": {"completion", "inference", "inference.onnx", "loading", "settings"},
    "lsp.workspace": {"language_ids", "settings", "syntax"},
    "lsp.requests": {
        "lsp.model", "lsp.rpc", "lsp.workspace", "application", "completion", "inference", "ledger",
        "loading", "settings",
    },
    "lsp.commands": {
        "lsp", "lsp.requests", "lsp.workspace", "application", "completion", "explain", "inference",
        "settings",
    },
    "cli.sample": set(),
    "cli": {
        "cli.sample", "application", "catalog", "completion", "engines.remote", "engines.shared", "inference",
        "inference.onnx", "language_ids", "loading", "settings",
    },
    "cli.models": {
        "cli", "application", "bench", "catalog", "catalog.adding", "inference", "inference.onnx", "loading",
        "settings",
    },
    "cli.commands": {
        "cli", "cli.models", "cli.sample", "serve", "team", "application", "bench", "catalog", "completion",
        "context", "engines", "engines.remote", "explain", "inference", "inference.onnx", "language_ids",
        "ledger", "loading", "settings",
    },
    "entry": {"cli"},
    "__main__": {"entry"},
}  # fmt: skip
"""Each package or top-level module, and what it may import besides itself and the foundation."""
LIBRARIES = {
    "pygls": {"lsp", "lsp.rpc", "lsp.commands"},
    "lsprotocol": {"lsp", "lsp.rpc", "lsp.commands", "lsp.workspace"},
    "onnxruntime": {"inference.onnx", "convert"},
    "onnx": {"convert"},
    "gguf": {"convert"},
    "huggingface_hub": {"catalog", "catalog.adding"},
    "httpx2": {"engines.remote.http"},
    "starlette": {"serve", "team"},
    "uvicorn": {"serve"},
    "tomlkit": {"settings"},
    "pathspec": {"context"},
    "tree_sitter": {"syntax"},
    "ray": {"team"},
    "pydantic": {"team"},
    "yaml": {"team"},
    "click": {"cli", "cli.commands", "cli.models"},
}
"""Libraries that only these packages may import."""
NETWORK = {
    "catalog.adding.hub_repository", "catalog.hub", "catalog.hub_client", "engines.remote.http.connection",
    "engines.remote.http.lookup", "lsp.rpc.admission", "lsp.rpc.listening",
    "listening.private_socket",
    "serve.connections", "serve.listening",
}  # fmt: skip
"""Modules that may use the network: three for models on the Hub, two for a server that the user names, three
wait for an editor on this machine, and two serve the model if the user starts `aide serve`."""
SPECIAL_TOKENS = {"completion.fim", "convert.vocabulary.token_kinds"}
MODEL_NAMES = {"completion.fim", "convert.transformer.families", "convert.vocabulary.pre_tokenizers"}
"""Tables of formats and of the converter; all else about a model is in its card."""
PYGLS_NAMES = {
    "_converter",
    "_register_builtin_features",
    "_request_futures",
    "_result_types",
    "_send_data",
    "_serialize_message",
}
"""Private names of pygls that Aide reads or replaces."""


def check(findings):
    """Fail with one line for each finding."""
    if findings:
        pytest.fail("\n".join(findings), pytrace=False)


def test_every_package_is_listed_with_what_it_may_import():
    check(rules.unlisted_packages(MODULES, PACKAGES))


def test_packages_import_only_what_the_table_allows():
    check(rules.forbidden_imports(MODULES, PACKAGES, FOUNDATION))


def test_packages_import_in_one_direction():
    """But for one pair: `lsp` registers the commands, and they act on its server."""
    directed = PACKAGES | {"lsp.commands": PACKAGES["lsp.commands"] - {"lsp"}}
    graphlib.TopologicalSorter(directed).prepare()  # CycleError names the packages


def test_the_table_allows_only_what_is_imported():
    """So that it shows who imports whom; the architecture page does."""
    check(rules.unused_permissions(MODULES, PACKAGES))


def test_libraries_are_imported_only_where_the_table_allows():
    check(rules.forbidden_libraries(MODULES, LIBRARIES))


def test_imports_are_written_in_full():
    check(rules.relative_imports(MODULES))


def test_no_modules_import_each_other():
    check(rules.import_cycles(MODULES))


def test_folders_hold_few_modules():
    check(rules.crowded_folders(MODULES))


def test_modules_stay_small():
    print([f"{one.shown}: {one.lines}" for one in sorted(MODULES, key=lambda one: -one.lines)[:5]])
    check(rules.long_modules(MODULES))


def test_every_module_says_what_it_does():
    check(rules.undocumented_modules(MODULES))


def test_no_two_public_classes_have_one_name():
    check(rules.repeated_class_names(MODULES))


def test_few_modules_can_use_the_network():
    check(rules.network_outside(MODULES, NETWORK))


def test_special_tokens_are_in_one_table():
    check(rules.special_tokens_outside(MODULES, SPECIAL_TOKENS))


def test_no_code_is_about_one_model():
    cards = [path.stem for path in (PACKAGE / "models").glob("*.toml")]
    families = {match[0] for name in cards if (match := re.match("[a-z]+", name))}
    assert {"qwen", "smollm"} <= families
    check(rules.model_names_outside(MODULES, families, MODEL_NAMES))


def test_nothing_installed_looks_for_the_repository():
    check(rules.paths_from_code(MODULES))


def test_names_are_imported_from_where_they_are_defined():
    check(rules.re_exports([*MODULES, *itertools.chain(*OTHERS.values())], MODULES))


def test_the_private_names_of_pygls_that_aide_uses_exist():
    check(rules.unknown_private_names(MODULES, "pygls", PYGLS_NAMES, pygls_classes))


def pygls_classes(module, name):
    """The class and those parents of it that pygls defines, parsed."""
    mro = inspect.getmro(getattr(importlib.import_module(module), name))
    sources = [inspect.getsource(one) for one in mro if one.__module__.partition(".")[0] == "pygls"]
    return [ast.parse(textwrap.dedent(source)).body[0] for source in sources]


def test_libraries_that_report_are_imported_after_aide_lsp_only():
    """`aide_lsp/__init__.py` silences them; programs outside have a root that imports it first."""
    reporting = {"onnxruntime", "huggingface_hub"}
    roots = {"benchmarks": "benchmarks/__init__.py", "tests": "tests/conftest.py", "editors/tests": None}
    for folder, root in roots.items():
        modules = OTHERS[folder]
        first = {one.shown: {name.module.partition(".")[0] for name in one.imports} for one in modules}
        importing = [shown for shown, names in first.items() if names & reporting]
        assert bool(importing) == (root is not None), importing
        if root:
            assert "aide_lsp" in first[root]
            assert root not in importing


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
    paths = sorted(PACKAGE.rglob("*.py"))
    printing = [path for path in paths if "click.echo" in path.read_text(encoding="utf-8")]
    assert [path.name for path in printing] == ["terminal.py"]
    writing = re.compile(r"sys\.std(?:err|out)\.write\((.*)\)")
    named = {
        match[1]
        for path in paths
        for match in writing.finditer(path.read_text(encoding="utf-8"))
        if "{" in match[1] and "escaped(" not in match[1] and path.name not in ("logs.py", "progress.py")
    }
    assert named == set()


def test_no_two_test_modules_have_one_name():
    """pytest imports them by it, and would collect none at all."""
    names = [path.name for path in (REPOSITORY / "tests").rglob("test_*.py")]
    assert [name for name in set(names) if names.count(name) > 1] == []


def test_no_test_module_imports_from_conftest():
    """Several folders have one: which of them gets the name depends on the order of pytest's arguments."""
    importing = {
        module.shown
        for modules in OTHERS.values()
        for module in modules
        for one in module.imports
        if one.module == "conftest"
    }
    assert importing == set()


@pytest.mark.parametrize("path", generated_files())
def test_generated_files_are_fresh(path):
    """`make generate` renews them."""
    if (REPOSITORY / path).read_text(encoding="utf-8") != generated_files()[path]:
        pytest.fail(f"{path} is out of date: run `make generate`.", pytrace=False)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        (
            "aide_lsp.cli.main",
            {"numpy", "onnxruntime", "tokenizers", "huggingface_hub", "pygls", "onnx", "gguf"},
        ),
        ("aide_lsp.lsp.initialize", {"numpy", "onnxruntime", "pygls", "lsprotocol", "asyncio"}),
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
