"""To which types a text of Rust may add members, judged without parsing it."""

import time

import pytest

from aide_lsp.context.types.rust import extended


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("impl Cart {}\n", {"Cart"}),
        ("    unsafe impl<T> Send for Cart<T> {}\n", {"Cart", "T"}),
        ("default impl Cart {}\n", {"Cart"}),
        ("fn a() { impl Cart {} }\n", {"Cart"}),
        ("mod a {}impl Cart {}\n", {"Cart"}),
        ("impl Show for shop::Cart where Box: Show {}\n", {"Cart"}),
        ("impl\n    Cart {}\n", {"Cart"}),
        (f"{' ' * 500}impl Cart {{}}\n", {"Cart"}),
        ("fn a(x: impl Show) {}\nfn b() -> impl Show {}\nlet simpl = 1;\n", set()),
        ("make!(Cart,\n    Box\n);\nfn a() {}\n", {"make", "Cart", "Box"}),
        ("fn a() {\n    make!(Cart);\n}\nmacro_rules! make { (Cart) => {} }\n", set()),
        ("use shop::Cart as Own;\nimpl Own {}\n", {"Own", "Cart"}),
        ("type Own<T> = Vec<Cart>;\nimpl<T> Own<T> {}\n", {"Own", "T", "Vec", "Cart"}),
        ("type Own = Cart;\nuse shop::Box as Cart;\nimpl Own {}\n", {"Own", "Cart", "Box"}),
        ("// type Own = Cart;\nlet prototype Own = Cart;\nimpl Own {}\n", {"Own"}),
    ],
)
def test_implementations_and_calls_of_macros_may_add_members(text: str, names: set[str]):
    assert extended(text) == names


@pytest.mark.parametrize("part", ["impl ", "impl{", "type a=", "x as ", "type ", "a!(", "a!(\n", "\n", " "])
def test_a_text_of_any_length_takes_little_time(part: str):
    text = "impl Cart {}\n" + part * (200_000 // len(part))
    start = time.thread_time()
    extended(text)
    assert time.thread_time() - start < 3
