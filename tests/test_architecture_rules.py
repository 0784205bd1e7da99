"""Breaks each rule of the architecture once, in a small tree; the message says what to do."""

import ast

import pytest

from tests import architecture_rules as rules
from tools.parsed_modules import read_modules

PACKAGES = {"lsp": {"completion"}, "completion": set()}


def modules_of(tmp_path, sources):
    for name, source in sources.items():
        path = tmp_path / "aide_lsp" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return read_modules(tmp_path / "aide_lsp")


def one(findings):
    (line,) = findings
    return line


# -- 1: who may import whom


def test_a_package_that_is_not_listed(tmp_path):
    modules = modules_of(tmp_path, {"lsp/main.py": "", "completion/fim.py": "", "engines/local.py": ""})
    line = one(rules.unlisted_packages(modules, PACKAGES))
    reason = "a package that PACKAGES does not list. Add it, with the packages that it may import."
    assert line == f"engines: {reason}"


def test_a_listed_package_that_is_gone(tmp_path):
    line = one(rules.unlisted_packages(modules_of(tmp_path, {"lsp/main.py": ""}), PACKAGES))
    assert line == "completion: PACKAGES lists it, but there is no such package. Remove the entry."


@pytest.mark.parametrize(
    "source",
    [
        "from aide_lsp.lsp.main import run\n",
        "import aide_lsp.lsp.main\n",
        "from aide_lsp.lsp import main\n",
        "def late():\n    from aide_lsp.lsp.main import run\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from aide_lsp.lsp.main import run\n",
    ],
)
def test_an_import_against_the_direction(tmp_path, source):
    modules = modules_of(tmp_path, {"lsp/main.py": "def run(): ...\n", "completion/fim.py": source})
    line = one(rules.forbidden_imports(modules, PACKAGES, {"errors"}))
    assert line.startswith(
        f"aide_lsp/completion/fim.py:{len(source.splitlines())}: `completion` may not import"
    )
    assert line.endswith("if the new direction is right, add it to PACKAGES.")


def test_imports_that_the_table_allows(tmp_path):
    sources = {
        "__init__.py": "VERSION = 1\n",
        "errors.py": "class AideError(Exception): ...\n",
        "completion/fim.py": "from aide_lsp.errors import AideError\n",
        "lsp/main.py": "from aide_lsp import VERSION\nfrom aide_lsp.completion import fim\n",
    }
    modules = modules_of(tmp_path, sources)
    assert rules.forbidden_imports(modules, PACKAGES, {"errors"}) == []
    assert rules.unused_permissions(modules, PACKAGES) == []


def test_a_permission_that_nothing_needs(tmp_path):
    modules = modules_of(tmp_path, {"lsp/main.py": "", "completion/fim.py": ""})
    line = one(rules.unused_permissions(modules, PACKAGES))
    assert line == "lsp: nothing in it imports `completion` any more. Remove that from PACKAGES."


def test_a_library_outside_its_package(tmp_path):
    modules = modules_of(tmp_path, {"lsp/main.py": "import pygls.server\n", "cli/main.py": "import pygls\n"})
    line = one(rules.forbidden_libraries(modules, {"pygls": {"lsp"}}))
    assert line == "aide_lsp/cli/main.py:1: only lsp may import pygls. Ask that package for what you need."


def test_a_relative_import(tmp_path):
    line = one(rules.relative_imports(modules_of(tmp_path, {"lsp/main.py": "from . import server\n"})))
    assert line == "aide_lsp/lsp/main.py:1: write the import in full, from the root package."


# -- 2: cycles


@pytest.mark.parametrize("lead", ["", "if TYPE_CHECKING:\n    ", "def late():\n    "])
def test_modules_that_import_each_other(tmp_path, lead):
    sources = {
        "a.py": "from aide_lsp.b import B\n",
        "b.py": "from aide_lsp.c import C\n",
        "c.py": f"{lead}from aide_lsp.a import A\n",
        "d.py": "from aide_lsp.a import A\n",
    }
    line = one(rules.import_cycles(modules_of(tmp_path, sources)))
    assert line.startswith("a <-> b <-> c: these modules import each other. Move what both need")


def test_packages_may_need_each_other_if_modules_do_not(tmp_path):
    sources = {"x/a.py": "from aide_lsp.y import b\n", "y/b.py": "", "y/c.py": "from aide_lsp.x.a import b\n"}
    assert rules.import_cycles(modules_of(tmp_path, sources)) == []


# -- 3: sizes


def test_a_folder_with_too_many_modules(tmp_path):
    modules = modules_of(tmp_path, {f"lsp/{name}.py": "" for name in ("__init__", "a", "b", "c")})
    assert rules.crowded_folders(modules, most=3) == []
    line = one(rules.crowded_folders(modules, most=2))
    assert line == "aide_lsp/lsp: 3 modules, more than 2. Group those that belong together in a package."


def test_a_module_that_is_too_long(tmp_path):
    modules = modules_of(tmp_path, {"a.py": "1\n" * 400, "b.py": "1\n" * 401})
    line = one(rules.long_modules(modules))
    assert line == "aide_lsp/b.py: 401 lines, more than 400. Move its second topic to another module."


def test_a_module_that_says_nothing(tmp_path):
    modules = modules_of(tmp_path, {"a.py": '"""Does something."""\n', "b.py": "1\n"})
    line = one(rules.undocumented_modules(modules))
    assert line == "aide_lsp/b.py: begin it with a docstring that says what the module does."


# -- 4: names


def test_two_public_classes_of_one_name(tmp_path):
    modules = modules_of(
        tmp_path,
        {"a.py": "class Limits: ...\nclass _Own: ...\n", "b/c.py": "\nclass Limits: ...\nclass _Own: ...\n"},
    )
    line = one(rules.repeated_class_names(modules))
    assert line == (
        "aide_lsp/a.py:1 and aide_lsp/b/c.py:2: both define the class Limits. Name each after what it holds."
    )


# -- 5: the network


@pytest.mark.parametrize(
    "source",
    [
        "import socket",
        "import http.client",
        "from urllib.request import urlopen",
        "from urllib import request",
        "import urllib",
        "import httpx",
        "from huggingface_hub import hf_hub_download",
    ],
)
def test_the_network_outside_its_modules(tmp_path, source):
    modules = modules_of(tmp_path, {"catalog/hub.py": source, "ledger/file.py": source})
    line = one(rules.network_outside(modules, {"catalog.hub"}))
    assert line.startswith("aide_lsp/ledger/file.py:1: imports ")
    assert line.endswith("(catalog.hub). Use those; Aide sends nothing from anywhere else.")


@pytest.mark.parametrize("source", ["from urllib.parse import unquote", "from urllib import parse"])
def test_taking_an_address_apart_needs_no_network(tmp_path, source):
    assert rules.network_outside(modules_of(tmp_path, {"lsp/workspace/uris.py": source}), ()) == []


# -- 6: models and their tokens


@pytest.mark.parametrize("token", ["<|fim_prefix|>", "<fim_suffix>", "<｜fim▁hole｜>", "▁<MID>", "[SUFFIX]"])
def test_a_special_token_outside_the_table(tmp_path, token):
    source = f'"""Not in a docstring, where it is named: {token}."""\nPARTS = ("{token}", "PREFIX")\n'
    modules = modules_of(tmp_path, {"completion/fim.py": source, "inference/tokenizer.py": source})
    line = one(rules.special_tokens_outside(modules, {"completion.fim"}))
    assert line == (
        f"aide_lsp/inference/tokenizer.py:2: the special token {token}. Special tokens are only in"
        " completion.fim and in model cards; look it up there."
    )


def test_code_about_one_model(tmp_path):
    source = '"""Qwen lists its tokens with special=false."""\nif "qwen2" in model_id:\n    pass\n'
    modules = modules_of(tmp_path, {"convert/tables.py": source, "completion/window.py": source})
    line = one(rules.model_names_outside(modules, {"qwen", "wi"}, {"convert.tables"}))
    assert line.startswith(
        "aide_lsp/completion/window.py:2: names the model 'qwen'. Make what differs a field"
    )


# -- 7: the repository


def test_a_path_from_where_the_code_is(tmp_path):
    source = "from pathlib import Path\nMODELS = Path(__file__).parents[1] / 'models'\n"
    line = one(rules.paths_from_code(modules_of(tmp_path, {"catalog/cards.py": source})))
    assert line == (
        "aide_lsp/catalog/cards.py:2: finds files by `__file__`. Put the data into the package, and read it"
        " with importlib.resources."
    )


# -- 10: re-exports


def test_a_name_that_is_imported_for_others(tmp_path):
    modules = modules_of(
        tmp_path,
        {
            "limits.py": "class Limits: ...\n",
            "fields.py": "from aide_lsp.limits import Limits as Limits\n",
            "user.py": "from aide_lsp.fields import Limits\n",
        },
    )
    again, indirect = rules.re_exports(modules, modules)
    assert (
        again == "aide_lsp/fields.py:1: re-exports Limits. Import it where it is used, from aide_lsp.limits."
    )
    assert indirect == (
        "aide_lsp/user.py:1: aide_lsp.fields does not define Limits. Import it from the module that does."
    )


def test_names_that_a_module_defines_in_any_way(tmp_path):
    source = """\
import sys
A, (B, C) = 1, (2, 3)
D: int = 4
if sys.platform == "win32":
    def e(): ...
else:
    try:
        class F: ...
    except OSError as error:
        G = 1
with open("x") as H:
    for i in ():
        J = i
"""
    user = "from aide_lsp.a import A, B, C, D, e, F, G, H, i, J\nfrom aide_lsp import a\n"
    modules = modules_of(tmp_path, {"a.py": source, "user.py": user})
    assert rules.re_exports(modules, modules) == []


# -- 11: the private names of a library

SERVER = "class Server:\n    def __init__(self):\n        self._tasks = {}\n    def _send(self, data): ...\n"
OURS = """\
from lib.server import Server
class Ours(Server):
    def __init__(self):
        self._own = 1
    def _send(self, data):
        self._own, self._tasks
"""


def private_findings(tmp_path, theirs, ours, listed=("_send", "_tasks")):
    classes = {("lib.server", "Server"): ast.parse(theirs).body}
    modules = modules_of(tmp_path, {"lsp/server.py": ours})
    return rules.unknown_private_names(modules, "lib", listed, lambda *name: classes[name])


def test_private_names_that_the_library_has(tmp_path):
    assert private_findings(tmp_path, SERVER, OURS) == []


@pytest.mark.parametrize("name", ["_tasks", "_send"])
def test_a_private_name_that_the_library_renamed(tmp_path, name):
    line = one(private_findings(tmp_path, SERVER.replace(name, "_renamed"), OURS))
    assert line.startswith(f"lib no longer has {name}, on which Aide relies. Read this version's source, and")


def test_a_private_name_that_is_not_listed(tmp_path):
    line = one(private_findings(tmp_path, SERVER, OURS, listed=("_send",)))
    assert line == (
        "aide_lsp/lsp/server.py:2: Ours uses _tasks, which it does not define. If it is a private name of"
        " lib, list it."
    )


def test_a_private_name_that_happens_to_be_the_library_s_too(tmp_path):
    line = one(
        private_findings(tmp_path, SERVER.replace("self._tasks = {}", "self._tasks = self._own = 1"), OURS)
    )
    assert line == (
        "aide_lsp/lsp/server.py:2: Ours defines _own, a private name of lib. List it if it replaces that; or"
        " rename it."
    )
