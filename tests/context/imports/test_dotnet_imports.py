"""Types of C#, F#, and Visual Basic, in solutions of several projects and in Unity."""

import pytest

from tests.context.imports.written import found, project

SOLUTION = project("""
== Shop.sln
== src/Shop.Core/Shop.Core.csproj
<Project><PropertyGroup><RootNamespace>Acme.Shop</RootNamespace></PropertyGroup></Project>
== src/Shop.Core/Cart.cs
== src/Shop.Core/Cart.Lines.cs
== src/Shop.Core/Pricing/Tax.cs
== src/Shop.Core/Pricing/TaxExtensions.cs
== src/Shop.Core/obj/Cart.cs
== src/Shop.Web/Shop.Web.csproj
<ItemGroup><ProjectReference Include="..\\Shop.Core\\Shop.Core.csproj" /></ItemGroup>
== src/Shop.Web/Pages/Home.cs
== src/Shop.Web/Models/Page.cs
== src/Shop.Other/Shop.Other.csproj
== src/Shop.Other/Unrelated.cs
""")
CORE = "src/Shop.Core/"
CART = [CORE + "Cart.cs", CORE + "Cart.Lines.cs"]
TAX, EXTENSIONS = CORE + "Pricing/Tax.cs", CORE + "Pricing/TaxExtensions.cs"
HOME = "src/Shop.Web/Pages/Home.cs"


@pytest.mark.parametrize(
    ("document", "text", "expected"),
    [
        (HOME, "class Home { Page page; }", ["src/Shop.Web/Models/Page.cs"]),
        (HOME, "var cart = new Cart();", CART),
        (HOME, "using Acme.Shop.Pricing;\nprice.WithTax()", [TAX, EXTENSIONS]),
        (HOME, "using static Acme.Shop.Pricing.Tax;", [TAX]),
        (HOME, "using Shop.Web.Models;", ["src/Shop.Web/Models/Page.cs"]),
        (HOME, "Unrelated x; String y; using System.Linq;", []),
        (TAX, "namespace Acme.Shop.Pricing;\nclass Tax : Cart {}", [*CART, EXTENSIONS]),
    ],
)  # fmt: skip
def test_finds_types_and_namespaces(document, text, expected):
    assert found(SOLUTION, document, text=text) == sorted(expected)


def test_finds_types_in_the_assembly_around_one_of_unity():
    unity = project("""
== package.json
== Runtime/Core.asmdef
== Runtime/Tween.cs
== Runtime/Linq/Linq.asmdef
{"references": ["GUID:f51ebe6a0ceec4240a699833d6309b23"]}
== Runtime/Linq/Where.cs
""")
    assert found(unity, "Runtime/Linq/Where.cs", text="Tween t;") == ["Runtime/Tween.cs"]


def test_finds_types_where_there_is_no_project_file():
    assert found({"Aa.cs": "", "b/Bb.cs": "", "b/Cc.cs": ""}, "b/Bb.cs", text="Aa a; Cc c;") == [
        "Aa.cs",
        "b/Cc.cs",
    ]
