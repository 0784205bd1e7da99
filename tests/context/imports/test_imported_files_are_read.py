"""From imports in real folders to the files that a completion may read, also where an import is no path."""

import pytest

from aide_lsp.context.reader import ContextPlace, ContextReader
from tests.context.imports.written import project
from tests.context.projects import write

PROJECTS = {
    "Python, tests of a src layout": (
        "tests/test_cart.py",
        """
== pyproject.toml
== src/shop/__init__.py
from .cart import Cart
== src/shop/cart.py
== tests/test_cart.py
from shop import Cart

""",
        ["src/shop/__init__.py", "src/shop/cart.py"],
    ),
    "TypeScript, packages of a workspace": (
        "apps/web/src/main.tsx",
        """
== package.json
{"workspaces": ["apps/*", "packages/*"]}
== apps/web/package.json
{"name": "web", "dependencies": {"@shop/ui": "workspace:*"}}
== apps/web/src/main.tsx
import { Cart } from "@shop/ui";

== packages/ui/package.json
{"name": "@shop/ui", "main": "dist/index.js"}
== packages/ui/src/index.ts
export { Cart } from "./Cart";
== packages/ui/src/Cart.tsx
""",
        ["packages/ui/src/Cart.tsx", "packages/ui/src/index.ts"],
    ),
    "Go, another package of the module": (
        "cmd/shop/main.go",
        """
== go.mod
module example.com/shop
== cart/cart.go
== cart/tax.go
== cmd/shop/main.go
package main

import "example.com/shop/cart"

""",
        ["cart/cart.go", "cart/tax.go"],
    ),
    "Rust, a crate of the workspace": (
        "cli/src/main.rs",
        """
== Cargo.toml
[workspace]
members = ["cli", "shop-core"]
== cli/Cargo.toml
[package]
name = "cli"
[dependencies]
shop-core = { path = "../shop-core" }
== cli/src/main.rs
use shop_core::cart::Cart;

== shop-core/Cargo.toml
== shop-core/src/lib.rs
== shop-core/src/cart.rs
""",
        ["shop-core/src/cart.rs"],
    ),
    "Java, a test and another module": (
        "app/src/test/java/shop/CartTest.java",
        """
== app/build.gradle
implementation project(":core")
== app/src/main/java/shop/Cart.java
== app/src/test/java/shop/CartTest.java
package shop;

import shop.core.Money;

class CartTest { Cart cart; }

== core/src/main/java/shop/core/Money.java
""",
        ["app/src/main/java/shop/Cart.java", "core/src/main/java/shop/core/Money.java"],
    ),
    "C#, a project that is referred to": (
        "Shop.Web/Home.cs",
        """
== Shop.Core/Shop.Core.csproj
== Shop.Core/Model/Cart.cs
== Shop.Web/Shop.Web.csproj
<ProjectReference Include="..\\Shop.Core\\Shop.Core.csproj" />
== Shop.Web/Home.cs
using Shop.Core.Model;

class Home { Cart cart; }

""",
        ["Shop.Core/Model/Cart.cs"],
    ),
    "C++, headers in another folder": (
        "src/cart.cpp",
        """
== include/shop/cart.hpp
== include/shop/money.h
== src/cart.cpp
#include <shop/money.h>

""",
        ["include/shop/cart.hpp", "include/shop/money.h"],
    ),
}


@pytest.mark.parametrize("name", PROJECTS)
def test_what_a_document_imports_is_read(tmp_path, name):
    document, texts, expected = PROJECTS[name]
    files = project(texts)
    write(tmp_path, {path: text or "// total of the cart\n" for path, text in files.items()})
    text = files[document]
    place = ContextPlace(tmp_path / document, tmp_path, text, len(text), "")
    assert sorted(ContextReader().select(place, 10).files) == expected
