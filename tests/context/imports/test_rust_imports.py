"""Paths of Rust, in crates and workspaces."""

import pytest

from tests.context.imports.written import found, project

CRATE = project("""
== Cargo.toml
[package]
name = "my-shop"
[dependencies]
serde = "1"
money-lib = { path = "../money" }
shared = { workspace = true }
[target.'cfg(unix)'.dev-dependencies]
testing = { path = "testing" }
[workspace]
members = ["libs/*"]
[workspace.dependencies]
shared = { path = "libs/shared", version = "0.1" }
== src/lib.rs
pub mod cart;
mod prices;
pub use prices::{Price, tax::Tax};
== src/main.rs
== src/cart.rs
mod items;
== src/cart/items.rs
== src/prices/mod.rs
== src/prices/tax.rs
== src/bin/tool.rs
== src/platform/unix_impl.rs
== libs/shared/src/lib.rs
== libs/shared/src/text.rs
== libs/user/Cargo.toml
[dependencies]
shared.workspace = true
[lib]
name = "user_lib"
path = "code/lib.rs"
== libs/user/code/lib.rs
== testing/Cargo.toml
lib.path = "lib.rs"
== testing/lib.rs
== tests/shop.rs
== tests/common/mod.rs
""")
LIB, CART, ITEMS = "src/lib.rs", "src/cart.rs", "src/cart/items.rs"
PRICES, TAX = "src/prices/mod.rs", "src/prices/tax.rs"


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        (LIB, "pub mod cart;\nmod prices;", [CART, PRICES]),
        (CART, "pub(crate) mod items;", [ITEMS]),
        (CART, "use self::items::Item;", [ITEMS]),
        (CART, "use items::Item;", [ITEMS]),
        (ITEMS, "use super::Cart;", [CART]),
        (ITEMS, "use super::super::prices::tax;", [TAX]),
        (ITEMS, "use crate::prices::tax::Tax;", [TAX]),
        (TAX, "use super::Price;", [PRICES]),
        (PRICES, "use super::cart::Cart;", [CART]),
        (ITEMS, "use crate::{cart::Cart, prices::{self, tax::{Tax as T, *}}};", [CART, PRICES, TAX]),
        (ITEMS, "use crate::{\n    cart, // the {cart}\n    /* none */ prices::tax,\n};", [CART, TAX]),
        (ITEMS, "pub(crate) use crate::prices as p;", [PRICES]),
        (ITEMS, "fn f() { crate::prices::tax::of(1) }", [TAX]),
        (ITEMS, "use crate::Price;", [LIB, PRICES]),
        (CART, '#[path = "platform/unix_impl.rs"]\nmod platform;', ["src/platform/unix_impl.rs"]),
        ("src/main.rs", "use my_shop::cart::Cart;", [CART]),
        ("tests/shop.rs", "mod common;\nuse my_shop::Tax;", ["tests/common/mod.rs", LIB, TAX]),
        ("tests/shop.rs", "extern crate my_shop;", [LIB]),
        ("tests/shop.rs", "use testing::run;", ["testing/lib.rs"]),
        ("src/bin/tool.rs", "use my_shop::prices::tax;", [TAX]),
        (CART, "use shared::text::Text;", ["libs/shared/src/text.rs"]),
        ("libs/user/code/lib.rs", "use shared::text;", ["libs/shared/src/text.rs"]),
        ("libs/user/tests/a.rs", "use user_lib::x;", ["libs/user/code/lib.rs"]),
        (CART, "use std::io;\nuse serde::Serialize;\nuse money_lib::Money;", []),
        (CART, '#[path = "../../../etc/x.rs"] mod x;', []),
    ],
)
def test_finds_what_a_path_names(document, text, expected):
    assert found(CRATE, document, text=text) == sorted(set(expected) - {document})


@pytest.mark.parametrize(
    "broken",
    [
        "use crate::{prices, \n",
        "use crate::\n",
        "use \n",
        "mod\n",
        'let x = "never closed\n',
        "/* never closed\n",
        "use }}}{{{\n",
    ],
)
def test_an_unfinished_line_hides_no_other_path(broken):
    assert CART in found(CRATE, "src/main.rs", text=f"{broken}use crate::cart::Cart;\n")


@pytest.mark.parametrize(
    "manifest",
    ["[", "package = 3\ndependencies = 3\nlib = 3", "[dependencies]\nx = { path = 3 }", "[target]\nx = 1"],
)
def test_a_manifest_of_any_form_is_harmless(manifest):
    assert found({"Cargo.toml": manifest, "src/a.rs": ""}, "src/b.rs", text="use a::b;\nuse x::y;") == []
