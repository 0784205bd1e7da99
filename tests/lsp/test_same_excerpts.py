"""The same place gives the same excerpts in an editor and on the command line, and so the same completion.

Real server and real command, with a small model, in a project of several languages.
"""

import json
import os

import pytest

from tests.lsp.raw_client import RawClient
from tests.patience import wait_for

FILES = {
    "main.py": "from shop.models import Order\n\n\ndef total(order):\n    return order.\n\n\n"
    "def show(order):\n    print(order.price, order.count)\n",
    "shop/__init__.py": "",
    "shop/models.py": "class Order:\n    price = 1\n    count = 2\n\n    def total(self):\n"
    "        return self.price * self.count\n",
    "web/cart.ts": "import { Order } from '../lib/order';\n\n"
    "export function total(order: Order) {\n  return \n}\n\nconsole.log(order.price);\n",
    "web/prices.ts": "export const price = (order: number) => order * 2;\nexport const total = 3;\n",
    "lib/order.ts": "export interface Order {\n  price: number;\n  total: number;\n}\n",
    "go.mod": "module example.com/shop\n",
    "cmd/main.go": 'package main\n\nimport "example.com/shop/orders"\n\n'
    "func total(order orders.Order) int {\n\treturn \n}\n\n"
    "func show(order orders.Order) { println(order.Price) }\n",
    "orders/orders.go": "package orders\n\ntype Order struct {\n\tPrice int\n\tTotal int\n}\n",
    "rs/Cargo.toml": '[package]\nname = "shop"\n',
    "rs/src/main.rs": "mod order;\nuse order::Order;\n\nfn total(order: &Order) -> u32 {\n    \n}\n\n"
    'fn show(order: &Order) { println!("{}", order.price); }\n',
    "rs/src/order.rs": "pub struct Order {\n    pub price: u32,\n    pub total: u32,\n}\n",
}
PLACES = ["main.py:5:18", "web/cart.ts:4:10", "cmd/main.go:6:9", "rs/src/main.rs:5:5"]
OPTIONS = {"seed": 7, "temperature": 1, "show": "all", "maxTokens": 12, "ledger": "off", "contextShare": 0.25}
ARGUMENTS = (
    "--seed=7",
    "--temperature=1",
    "--show=all",
    "--max-tokens=12",
    "--ledger=off",
    "--context-share=0.25",
    "--json",
)


@pytest.fixture(scope="module")
def project(home):
    root = home / "project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / ".git").mkdir()
    return root


@pytest.fixture(scope="module")
def client(home, project):
    env = os.environ | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "AIDE_DATA_DIR": str(home / "data"),
    }
    with RawClient(script="real_server.py", env=env) as client:
        client.initialize(
            initializationOptions=OPTIONS, workspaceFolders=[{"uri": project.as_uri(), "name": "a"}]
        )
        wait_for(lambda: client.command("aide.status")["state"] == "ready")
        yield client


def in_editor(client, project, place):
    """What the editor is given, and which lines of other files were read for it."""
    name, line, column = place.split(":")
    uri = (project / name).as_uri()
    language = {"py": "python", "ts": "typescript", "go": "go", "rs": "rust"}[name.rpartition(".")[2]]
    document = {"uri": uri, "languageId": language, "version": 1, "text": (project / name).read_text()}
    client.notify("textDocument/didOpen", {"textDocument": document})
    position = {"line": int(line) - 1, "character": int(column) - 1}
    made = client.command("aide.complete", {"uri": uri, "position": position})
    explained = client.command("aide.explain", {"uri": uri, "position": position})["explanation"]
    client.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    return made, explained


@pytest.mark.parametrize("place", PLACES)
def test_an_editor_and_a_command_read_the_same_and_complete_the_same(aide, client, project, place):
    made, explained = in_editor(client, project, place)
    printed = json.loads(aide("complete", f"project/{place}", *ARGUMENTS).stdout)
    read = [
        {key: part[key] for key in ("path", "first_line", "last_line")}
        for part in explained["prompt"]["parts"]
        if part["kind"] == "excerpt"
    ]
    assert printed["excerpts"] == read != []
    assert (printed["text"], printed["seed"]) == (made["insertText"], made["seed"])
    here = json.loads(aide("explain", f"project/{place}", *ARGUMENTS).stdout)
    assert here["prompt"]["parts"] == explained["prompt"]["parts"]
    assert here["prompt"]["other_files"] == explained["prompt"]["other_files"]


def test_without_a_repository_the_folder_that_is_named_is_the_project(aide, home, tmp_path):
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "main.py").write_text(FILES["main.py"].replace("shop.", "."))
    (folder / "inner" / "models.py").write_text(FILES["shop/models.py"])
    place = f"{folder}/inner/main.py:5:18"

    def paths(*options):
        run = aide("complete", place, *ARGUMENTS, *options)
        return [one["path"] for one in json.loads(run.stdout)["excerpts"]]

    assert paths() == []
    assert paths("--workspace", str(folder)) == ["inner/models.py"]
    assert paths("--workspace", str(folder / "inner")) == ["models.py"]
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert paths("--workspace", str(link)) == ["inner/models.py"]
    assert paths("--workspace", str(folder), "--context-share", "0") == []
    run = aide("complete", place, *ARGUMENTS, "--workspace", str(home))
    assert "is not in the folder" in json.loads(run.stdout)["error"]
