"""What the model reads, and what its output must begin with."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart, build_prompt, split_healed
from aide_lsp.context.excerpt import Excerpt


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
    prompt = build_prompt(text, text, 900, len, reads_suffix=False)
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


# -- other files

A, B1, B2 = (
    Excerpt("a.py", 1, "a\n" * 12, 1.0),
    Excerpt("b.py", 1, "b\n" * 12, 3.0),
    Excerpt("b.py", 13, "c\n" * 12, 2.0),
)


def built(excerpts=(), num_context=1000, share=0.25, before="x = 1\ny = fo", after="\nz\n", count=len):
    return build_prompt(
        before,
        after,
        num_context,
        count,
        reads_suffix=True,
        excerpts=excerpts,
        context_share=share,
        name="own.py",
    )


def written(prompt: Prompt) -> list[str]:
    """The names of files and the excerpts, in order."""
    kinds = (PartKind.PROJECT, PartKind.PATH, PartKind.EXCERPT)
    return [part.text for part in prompt.parts if part.kind in kinds]


def test_excerpts_are_read_in_order_of_path_and_line_whatever_their_scores():
    expected = ["project\n", "a.py\n", A.text, "b.py\n", B1.text, B2.text, "own.py\n"]
    for excerpts in permutations([A, B1, B2]):
        prompt = built(excerpts)
        assert written(prompt) == expected
        assert prompt.excerpts == (A, B1, B2)
        assert (prompt.text(PartKind.PREFIX), prompt.text(PartKind.SUFFIX)) == ("x = 1\ny =", "\nz\n")


def test_excerpts_of_one_file_that_do_not_follow_each_other_are_two_files():
    later = Excerpt("b.py", 25, "d\n", 1.0)
    assert written(built([later, B1]))[1:] == ["b.py\n", B1.text, "b.py\n", "d\n", "own.py\n"]


@pytest.mark.parametrize(
    ("share", "read"),
    [(0.0, ()), (0.04, ()), (0.05, (B1,)), (0.075, (B1, B2)), (0.105, (A, B1, B2))],
)
def test_the_best_excerpts_are_read_that_fit_in_the_share_with_all_names(share, read):
    """Names of project and file have 8 and 7 characters, of other files 5, and a token; excerpts have 24."""
    assert built([B1, B2, A], share=share).excerpts == read


def test_an_excerpt_that_is_too_long_alone_is_left_out():
    assert built([Excerpt("c.py", 1, "c" * 300 + "\n", 9.0), A]).excerpts == (A,)


def test_what_excerpts_leave_goes_to_the_text_around_the_cursor():
    before = "".join(f"{n:03}\n" for n in range(500))
    prompt = built([A], before=before)
    taken = sum(map(len, written(prompt))) + len(["project", "a.py", "own.py"])
    assert prompt.parts[-2:] == built((), 1000 - taken, before=before).parts
    assert built([A], share=0.01, before=before) == built((), before=before)


def test_only_the_prefix_changes_while_a_line_is_typed():
    """Whatever of the line is left to the model; it reads all else first."""
    line = "    result = self.compute(first_value, 42) + offset\n"
    above = "".join(f"    value_{n} = {n}\n" for n in range(60))
    below = "".join(f"    other_{n} = {n}\n" for n in range(60))
    prompts = [built([A, B1], 300, 0.3, above + line[:end], "\n" + below, words) for end in range(len(line))]
    assert len({prompt.healed for prompt in prompts}) > 20
    kept = [[part for part in prompt.parts if part.kind is not PartKind.PREFIX] for prompt in prompts]
    assert all(parts == kept[0] for parts in kept)
    first = prompts[0].text(PartKind.PREFIX)
    assert len(first) > 200
    assert all(prompt.text(PartKind.PREFIX).startswith(first) for prompt in prompts)


def words(text: str) -> int:
    """Count roughly as models do: a text in two parts may have more tokens than in one."""
    return len(text.split()) + text.count("\n")


lines = st.text(alphabet="ab_. (\n\t\u00e9", max_size=80)
excerpts_ = st.lists(
    st.builds(
        Excerpt,
        st.sampled_from(["a.py", "b/c.py"]),
        st.integers(0, 6).map(lambda n: 12 * n + 1),
        lines,
        st.floats(0, 9),
    ),
    max_size=8,
)


@given(lines, lines, excerpts_, st.integers(1, 200), st.floats(0, 0.5), st.sampled_from([len, words]))
def test_no_more_is_read_than_the_settings_allow(before, after, excerpts, num_context, share, count):
    prompt = built(excerpts, num_context, share, before, after, count)
    names = sum(part.kind in (PartKind.PROJECT, PartKind.PATH) for part in prompt.parts)
    others = sum(map(count, written(prompt))) + names
    assert others <= share * num_context
    texts = [part.text for part in prompt.parts if part.kind in (PartKind.PREFIX, PartKind.SUFFIX)]
    assert others + sum(map(count, texts)) + count(prompt.healed) <= max(num_context, count(prompt.healed))
    assert [*prompt.excerpts] == sorted(prompt.excerpts, key=lambda one: (one.path, one.first_line))


@given(lines, lines, st.integers(1, 200))
def test_a_prompt_without_excerpts_is_the_same_whatever_the_share(before, after, num_context):
    assert built((), num_context, 0.5, before, after) == built((), num_context, 0.0, before, after)
