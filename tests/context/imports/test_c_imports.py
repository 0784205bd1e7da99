"""Includes of C, C++, and Objective-C, in projects laid out as people lay them out."""

import pytest

from tests.context.imports.written import found, in_turn, project

SPLIT = project("""
== CMakeLists.txt
== include/shop/cart.h
== include/shop/detail/list.hpp
== include/version.h
== src/cart.c
== src/main.cpp
== src/detail/list.cpp
== src/util.h
== src/util.cc
== src/net/inner.h
== modules/ext/hidden/extra.h
== tests/test_cart.cpp
== libs/money/include/money/rate.h
== ui/View.h
== ui/View.mm
== lone.h
""")
CART_H = "include/shop/cart.h"


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        ("src/main.cpp", '#include "util.h"', ["src/util.h"]),
        ("src/main.cpp", '#include "shop/cart.h"', [CART_H]),
        ("src/main.cpp", "#include <shop/cart.h>", [CART_H]),
        ("src/main.cpp", '  #  include "net/inner.h" // why', ["src/net/inner.h"]),
        ("src/detail/list.cpp", '#include "../util.h"', ["include/shop/detail/list.hpp", "src/util.h"]),
        ("src/detail/list.cpp", '#include "util.h"', ["include/shop/detail/list.hpp", "src/util.h"]),
        ("src/main.cpp", '#include "version.h"', ["include/version.h"]),
        ("tests/test_cart.cpp", '#include "../src/util.h"', ["src/util.h"]),
        ("tests/test_cart.cpp", '#include "util.h"', ["src/util.h"]),
        ("src/main.cpp", '#include "extra.h"', ["modules/ext/hidden/extra.h"]),
        ("src/main.cpp", "#include <extra.h>\n#include <vector>", []),
        ("src/main.cpp", '#include "other/extra.h"', []),
        ("src/main.cpp", '#include "../../../etc/passwd"\n#include "/etc/passwd"', []),
        (
            "src/main.cpp",
            "#include <money/rate.h>\n#include <sys/types.h>",
            ["libs/money/include/money/rate.h"],
        ),
        ("ui/App.m", '#import "View.h"\n#import <Foundation/Foundation.h>', ["ui/View.h"]),
    ],
)
def test_finds_what_is_included(document, text, expected):
    assert found(SPLIT, document, "cpp", text=text) == sorted(expected)


@pytest.mark.parametrize(
    ("document", "other"),
    [
        ("src/cart.c", CART_H),
        (CART_H, "src/cart.c"),
        ("src/detail/list.cpp", "include/shop/detail/list.hpp"),
        ("include/shop/detail/list.hpp", "src/detail/list.cpp"),
        ("src/util.cc", "src/util.h"),
        ("ui/View.h", "ui/View.mm"),
    ],
)
def test_finds_the_other_half_of_a_file(document, other):
    assert in_turn(SPLIT, document, "cpp", text="") == [other]


@pytest.mark.parametrize(
    "broken", ['#include "\n', "#include <\n", "#include\n", "#\n", 'x = "never closed\n', "/* never\n"]
)
def test_an_unfinished_line_hides_no_other_include(broken):
    assert "src/util.h" in found(SPLIT, "src/main.cpp", text=f'{broken}#include "util.h"\n')
