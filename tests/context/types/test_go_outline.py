"""What of a file of Go is read without parsing its functions, or without parsing it at all."""

import pytest

from aide_lsp.context.names.go import names, outline
from aide_lsp.context.names.module import outline_of
from aide_lsp.context.types.document import FileTypesOf, _facts_in
from aide_lsp.context.types.facts import merged
from aide_lsp.context.types.go import RULES, declared
from aide_lsp.syntax.tree import root_of

GO = "tree_sitter_go"
IN_A_STRING = """\
func First() Cart {
\tsrc := `
func Inner() Box {
}
`
\treturn Cart{src}
}
func Second() Cart {
\treturn Cart{`
}
`}
}
"""
TEXTS = {
    "functions": (
        "func A(x int) (Cart, error) {\n\tif x {\n\t}\n\n\treturn b\n}\nfunc B() Box { return c }\n"
    ),
    "methods": ("func (c *Cart[T]) A(\n\tx int,\n) Box {\n\treturn c.b\n}\nfunc (\n\tb Box,\n) B() {}\n"),
    "types": ("type Cart struct {\n\tBox\n\tsize int\n}\ntype (\n\tShop = Cart\n\tBox[T any] struct{}\n)\n"),
    "values": ("var A, B Cart\nvar (\n\tC = Cart{}\n\tD, E Box\n)\nconst (\n\tF = iota\n\tG\n)\n"),
    "one line": ("type Cart struct{ size int }; func (c Cart) A() Box { return b }; var C Cart\n"),
    "in a function": (
        "func A() {\n\ttype Cart struct{}\n\tvar (\n\t\tc Cart\n\t)\n}\nfunc B() Cart {\n\tc()\n}\n"
    ),
    "comments": ("func /* B */ A() Cart {\n\t// }\n}\nfunc (c *Cart /* () */) B() Box {\n\treturn b\n}\n"),
    "not indented": ("func A() Cart {\nreturn func() Cart {\nreturn b\n}\n}\nfunc B() Box {\n}\n"),
    "in a string": IN_A_STRING,
    "unfinished": ("func A() Cart {\n\tif x {\n"),
    "windows": ("\r\nfunc A() Cart {\r\n\tb()\r\n}\r\n"),
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_without_what_is_in_its_functions_a_file_says_the_same(text: str):
    text = f"package a\n{text}"
    whole = merged(_facts_in(text, GO, RULES))
    assert FileTypesOf("a.go", RULES)(text) == whole
    assert {*whole.types, *(name.removesuffix("()") for name in whole.gives)} <= declared(text)
    short = outline_of(text, outline, GO)
    root = root_of(text, GO)
    assert short is None or (root is not None and names(short, "a.go") == names(root, "a.go"))


def test_what_is_in_functions_is_left_out():
    short = "func A(x int) (Cart, error) {\n}\nfunc B() Box { return c }\n"
    assert outline(TEXTS["functions"]) == short
    assert outline_of(f"package a\n{IN_A_STRING}", outline, GO) is None


def test_names_that_are_only_used_are_not_declared():
    assert not {"x", "if", "src", "size"} & declared(TEXTS["methods"] + TEXTS["functions"])
