"""What the model reads, and what its output must begin with."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    prompt = build_prompt(text, text, 820, len, reads_suffix=False)
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


def test_healed_text_counts_as_context():
    for num_context in range(1, 40):
        prompt = build_prompt("a = 1\nb = 2\nprin", "\nx\n", num_context, len, reads_suffix=True)
        assert sum(len(part.text) for part in prompt.parts) <= max(0, num_context - len(prompt.healed))


LINES = "".join(f"{'    ' * (n % 3)}value_{n} = compute({n}, other)\n" for n in range(400))


@given(
    offset=st.integers(0, len(LINES)),
    word=st.text("abcdef_", min_size=1, max_size=12),
    num_context=st.integers(800, 3000),
)
@settings(max_examples=100, deadline=None)
def test_the_prompt_is_the_same_while_a_word_is_typed(offset, word, num_context):
    """And Num Context is never exceeded."""
    before, after = LINES[: LINES.rfind("\n", 0, offset) + 1] + "    x = ", "\n" + LINES[offset:]
    prompts = [
        build_prompt(before + word[:typed], after, num_context, len, reads_suffix=True)
        for typed in range(len(word) + 1)
        if typed < 2 or split_healed(before + word[:typed])[1].startswith(" ")
    ]
    assert {prompt.parts for prompt in prompts} == {prompts[0].parts}
    for prompt in prompts:
        assert sum(len(part.text) for part in prompt.parts) + len(prompt.healed) <= num_context
