"""What the model reads, and what its output must begin with."""

import pytest

from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart, build_prompt, split_healed


@pytest.mark.parametrize(
    ("before", "healed"),
    [
        ("    retu", " retu"),
        ("\tretu", "\tretu"),
        ("retu", "retu"),
        ("\nretu", "retu"),
        ("foo(se", "(se"),
        ("self.na", ".na"),
        ("odd_dig", "_dig"),
        ("if __na", " __na"),
        ("self._na", "._na"),
        ("'__ma", "'__ma"),
        ("__na", "__na"),
        ("foo(", "("),
        ("foo()", "()"),
        ("x =", " ="),
        ("x = ", " "),
        ("        ", " "),
        ("\t\t", "\t"),
        ("x\n", ""),
        ("x\r\n", ""),
        ("x1", ""),
        ("", ""),
        ("    na\u00efv", " na\u00efv"),
        ("x = " + "a" * 62, " " + "a" * 62),
        ("x = " + "a" * 63, ""),
    ],
)
def test_what_may_be_half_a_token_is_healed(before, healed):
    assert split_healed(before) == (before.removesuffix(healed), healed)


def test_parts_are_in_document_order_and_leave_out_the_healed_text():
    prompt = build_prompt("def f():\n    ret", "\nf()\n", 1000, len, reads_suffix=True)
    prefix, suffix = PromptPart(PartKind.PREFIX, "def f():\n   "), PromptPart(PartKind.SUFFIX, "\nf()\n")
    assert prompt == Prompt((prefix, suffix), " ret")


def test_a_model_that_reads_no_suffix_gets_none_and_the_prefix_has_all_of_the_budget():
    text = "".join(f"line {n}\n" for n in range(100))
    prompt = build_prompt(text, text, 800, len, reads_suffix=False)
    assert [part.kind for part in prompt.parts] == [PartKind.PREFIX]
    assert prompt.text(PartKind.SUFFIX) == ""
    assert len(prompt.text(PartKind.PREFIX)) == len(text)


def test_header_is_read_where_the_text_says_little_and_counts_as_context():
    header = PromptPart(PartKind.HEADER, "# a.py\n")
    for before, after, little in (("", "", True), ("\n\nimp", "\n", True), ("x = 1\n", "import os\n", False)):
        prompt = build_prompt(before, after, 100, len, reads_suffix=True, header=header.text)
        assert (header in prompt.parts) == little
    for num_context in range(40):
        prompt = build_prompt("\n" * 40, "\n" * 40, num_context, len, reads_suffix=True, header=header.text)
        assert sum(len(part.text) for part in prompt.parts) <= num_context
        assert (header in prompt.parts) == (num_context >= len(header.text))


def test_all_of_stray_indentation_is_healed():
    prompt = build_prompt("if x:\n      ", "\n", 100, len, reads_suffix=True, stray="      ")
    assert (prompt.text(PartKind.PREFIX), prompt.healed) == ("if x:\n", "      ")


def test_healed_text_counts_as_context():
    for num_context in range(1, 40):
        prompt = build_prompt("a = 1\nb = 2\nprin", "\nx\n", num_context, len, reads_suffix=True)
        assert sum(len(part.text) for part in prompt.parts) <= max(0, num_context - len(prompt.healed))


def test_prompt_begins_alike_while_a_block_is_typed_that_the_editor_closes():
    above, below = "function f() {\n    a();\n}\n", "\nfunction g() {\n    b();\n}\n"
    typed = [
        ("if (x", ")"),
        ("if (x)", ""),
        ("if (x) {", "}"),
        ("if (x) {\n    ", "\n}"),
        ("if (x) {\n    foo([", "])\n}"),
        ("if (x) {\n    foo([1]);\n    while (y) {\n        ", "\n    }\n}"),
        ("if (x) {\n    foo([1]);\n}", ""),
    ]
    prompts = [
        build_prompt(above + left, right + below, 1000, len, reads_suffix=True) for left, right in typed
    ]
    assert {prompt.text(PartKind.SUFFIX) for prompt in prompts} == {below}
    assert [prompt.closers for prompt in prompts] == [right for _, right in typed]
