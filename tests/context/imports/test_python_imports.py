"""Imports of Python, in projects laid out as people lay them out."""

import pytest

from tests.context.imports.written import found, in_turn, project

SRC = project("""
== pyproject.toml
== src/shop/__init__.py
from .cart import Cart as Cart
from .prices import *
from ._internal import hidden
== src/shop/cart.py
== src/shop/prices.py
== src/shop/_internal.py
== src/shop/py.typed
== src/shop/orders/__init__.py
== src/shop/orders/stock.py
== src/shop/orders/types.pyi
== src/shop/plugins/tax.py
== tests/conftest.py
== tests/helpers/__init__.py
== tests/helpers/fakes.py
== scripts/run.py
== scripts/settings.py
""")
CART = "src/shop/cart.py"
PRICES = "src/shop/prices.py"
FAKES = "tests/helpers/fakes.py"
STOCK = "src/shop/orders/stock.py"
INIT = "src/shop/__init__.py"
ORDERS = "src/shop/orders/__init__.py"


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("src/shop/prices.py", "from .cart import Cart", [CART]),
        ("src/shop/prices.py", "from . import cart, missing", [INIT, CART]),
        ("src/shop/orders/stock.py", "from ..cart import Cart", [CART]),
        ("src/shop/orders/stock.py", "from .. import cart", [INIT, CART, PRICES]),
        ("src/shop/orders/stock.py", "from .types import Kind", ["src/shop/orders/types.pyi"]),
        ("src/shop/cart.py", "import shop.orders.stock", [STOCK]),
        ("src/shop/cart.py", "import os, shop.orders.stock as stock, sys", [STOCK]),
        ("src/shop/cart.py", "from shop.orders import stock", [ORDERS, STOCK]),
        ("src/shop/cart.py", "from shop.orders.stock import missing", [STOCK]),
        ("src/shop/cart.py", "    from shop.orders.stock import lazily", [STOCK]),
        ("src/shop/cart.py", "if lazy: from shop.orders.stock import lazily", [STOCK]),
        ("src/shop/cart.py", "import re; import shop.orders.stock", [STOCK]),
        ("src/shop/cart.py", "from shop.plugins import tax", ["src/shop/plugins/tax.py"]),
        ("src/shop/cart.py", "from shop.orders import (\n    # the (first)\n    stock,\n)", [ORDERS, STOCK]),
        ("src/shop/cart.py", "from shop.orders import \\\n    a, \\\n    stock", [ORDERS, STOCK]),
        ("src/shop/cart.py", "from shop.orders.stock.deep import x", [STOCK]),
        ("tests/test_cart.py", "from shop.cart import Cart", [CART]),
        ("tests/test_cart.py", "from tests.helpers.fakes import x", [FAKES]),
        ("tests/test_cart.py", "from helpers.fakes import x", [FAKES]),
        ("tests/unit/test_cart.py", "from ..helpers.fakes import x", [FAKES]),
        ("scripts/run.py", "import settings", ["scripts/settings.py"]),
        ("src/shop/cart.py", "import os\nfrom typing import Any\nimport numpy as np", []),
        ("src/shop/cart.py", "from .....outside import x", []),
        ("src/shop/cart.py", "from . import", [INIT]),
    ],
)  # fmt: skip
def test_finds_what_an_import_names(document, text, expected):
    assert found(SRC, document, text=text) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from shop import Cart", [INIT, CART]),
        ("from shop import hidden", [INIT, "src/shop/_internal.py"]),
        ("import shop\nshop.Cart()", [INIT, CART]),
        ("import shop as s\ns.Cart()", [INIT, CART]),
        ("from shop import total", [INIT, PRICES]),
        ("import shop", [INIT]),
    ],
)
def test_finds_where_a_package_has_a_name_from(text, expected):
    assert found(SRC, "tests/test_shop.py", text=text) == sorted(expected)


@pytest.mark.parametrize(
    "broken",
    [
        "from shop.orders import (\n",
        "from shop.orders import (stock,\n",
        "x = 'never closed\n",
        '"""never closed\n',
        "def f(a, (\n",
        "import \n",
        "from \n",
        "from shop. import\n",
    ],
)
def test_an_unfinished_line_hides_no_other_import(broken):
    text = f"{broken}from shop.cart import Cart\n"
    assert CART in found(SRC, "scripts/run.py", text=text)


def test_the_files_of_several_imports_come_in_turn():
    text = "from shop.orders import stock\nfrom shop import cart\n"
    assert in_turn(SRC, "scripts/run.py", text=text) == [STOCK, CART, ORDERS, INIT, PRICES]


MONOREPO = project("""
== .git/HEAD
== libs/billing/pyproject.toml
== libs/billing/src/billing/__init__.py
== libs/billing/src/billing/invoice.py
== libs/unused/pyproject.toml
== libs/unused/unused/thing.py
== apps/site/pyproject.toml
dependencies = ["billing"]
== apps/site/site_app/views.py
from billing.invoice import Invoice
from unused import thing
""")


def test_finds_packages_of_neighboring_projects():
    expected = ["libs/billing/src/billing/invoice.py", "libs/unused/unused/thing.py"]
    assert found(MONOREPO, "apps/site/site_app/views.py") == expected


def test_finds_modules_where_the_root_is_a_package():
    root = project("== __init__.py\n== cart.py\n== prices.py\n")
    assert found(root, "prices.py", text="from . import cart") == ["__init__.py", "cart.py"]
    assert found(root, "prices.py", text="from .cart import Cart") == ["cart.py"]
