"""Excerpts of other files in a prompt: how many of them fit in, and in which order they are read.

Models read a project as one file after the other, each with its path before it. The order depends on paths
and lines only, not on how well an excerpt matches: while the same excerpts are chosen, the prompt begins with
the same text, which is then in the KV cache.
"""

from collections.abc import Callable, Iterator, Sequence

from aide_lsp.context.excerpt import Excerpt

PROJECT = "project\n"
"""Names the project: always the same, since folders have other names on other machines."""
CONTROL_TOKENS = 1
"""Before the name of a project or a file; counted, since there may be many of them."""


def fitting(
    excerpts: Sequence[Excerpt], own_name: str, budget: int, count_tokens: Callable[[str], int]
) -> list[Excerpt]:
    """Return the best excerpts that fit in a budget together with all names, in the order of reading.

    Args:
        excerpts: best first.
        own_name: of the file that is completed.
        budget: in tokens.
        count_tokens: the model's.
    """

    def name_tokens(name: str) -> int:
        return count_tokens(name) + CONTROL_TOKENS

    def tokens(chosen: Sequence[Excerpt]) -> int:
        return sum(
            count_tokens(one.text) + (name_tokens(name_of(one)) if named else 0)
            for one, named in with_names(chosen)
        )

    left = budget - name_tokens(PROJECT) - name_tokens(own_name)
    found: list[Excerpt] = []
    for excerpt in excerpts:
        more = sorted([*found, excerpt], key=lambda one: (one.path, one.first_line))
        if tokens(more) <= left:
            found = more
        elif found:
            break
    return found


def with_names(excerpts: Sequence[Excerpt]) -> Iterator[tuple[Excerpt, bool]]:
    """Yield excerpts in the order of reading, each with whether its file is named: not where lines go on."""
    before: Excerpt | None = None
    for one in excerpts:
        follows = before is not None and (before.path, before.last_line + 1) == (one.path, one.first_line)
        yield one, not follows
        before = one


def name_of(excerpt: Excerpt) -> str:
    """Return the line that names an excerpt's file."""
    return f"{excerpt.path}\n"
