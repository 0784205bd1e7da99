"""Imports of Go, in modules and workspaces."""

import pytest

from tests.context.imports.written import found, in_turn, project

SHOP = project("""
== go.mod
module example.com/shop // the shop

go 1.24

require (
	example.com/money v1.2.0
	example.com/other v0.0.0
)

replace example.com/money v1.2.0 => ./money
replace (
	example.com/other => ../outside
)
== main.go
== cart/items.go
== cart/cart.go
== cart/cart_test.go
== cart/README.md
== internal/db/db.go
== money/go.mod
module example.com/money
== money/money.go
== money/rates/rates.go
== vendor/example.com/lib/lib.go
""")
CART = ["cart/cart.go", "cart/items.go"]
DB = ["internal/db/db.go"]


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("main.go", 'import "example.com/shop/cart"', CART),
        ("main.go", 'import (\n\t"fmt"\n\n\tc "example.com/shop/cart" // carts\n)', CART),
        (
            "main.go",
            'import (\n\t. "example.com/shop/cart"\n\t_ "example.com/shop/internal/db"\n)',
            [*CART, *DB],
        ),
        ("main.go", 'import ("example.com/shop/cart")', CART),
        ("main.go", "import `example.com/shop/cart`", CART),
        ("cart/cart_test.go", 'package cart_test\n\nimport "example.com/shop/cart"', CART),
        ("cart/cart.go", 'import "example.com/shop"', ["main.go"]),
        ("main.go", 'import "example.com/money"', ["money/money.go"]),
        ("main.go", 'import "example.com/money/rates"', ["money/rates/rates.go"]),
        ("money/money.go", 'import "example.com/money/rates"', ["money/rates/rates.go"]),
        ("main.go", 'import "example.com/shopping/cart"', []),
        ("main.go", 'import "example.com/other"\nimport "fmt"\nimport "C"', []),
        ("main.go", 'import "example.com/shop/../../etc"', []),
        ("main.go", 'import "example.com/lib"', []),
        ("vendor/example.com/user/user.go", 'import "example.com/lib"', ["vendor/example.com/lib/lib.go"]),
    ],
)
def test_finds_what_an_import_names(document, text, expected):
    assert found(SHOP, document, text=text) == sorted(set(expected) - {document})


@pytest.mark.parametrize(
    "broken", ['import (\n\t"fmt"\n\t"exam\n', 'x := "never closed\n', "x := `never closed\n", "import\n"]
)
def test_an_unfinished_line_hides_no_other_import(broken):
    assert found(SHOP, "main.go", text=f'{broken}\t"example.com/shop/cart"\n)\n') == CART


def test_the_file_with_the_name_of_the_package_comes_first():
    assert in_turn(SHOP, "main.go", text='import "example.com/shop/cart"') == CART


def test_finds_the_modules_of_a_workspace():
    work = project("""
== go.work
go 1.24
use ./api
use (
	./lib // shared
	"./tools"
)
== api/go.mod
module example.com/api
== api/main.go
import (
	"example.com/lib/text"
	"example.com/tools"
)
== lib/go.mod
module "example.com/lib"
== lib/text/text.go
== tools/go.mod
module example.com/tools
== tools/tools.go
""")
    assert found(work, "api/main.go") == ["lib/text/text.go", "tools/tools.go"]
