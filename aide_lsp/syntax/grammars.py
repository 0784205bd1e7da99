"""Tree-sitter grammars, loaded with the first text of their language, and parsing within bounds.

A grammar that cannot be loaded is named once in the log; its language then works by its marks. Only this
module imports tree-sitter at run time.
"""

import logging
import re
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tree_sitter

log = logging.getLogger("aide.syntax")

MOST_SECONDS = 3.0
"""A parse that takes more of the thread's time is given up.

Only text made for it takes this long: 400,000 characters of C headers take 0.1 seconds. It is the
thread's own time that counts, so that what is offered does not depend on the machine's load.
"""
_NESTED = re.compile(rb"[(\[{<]|[)\]}>]")
MOST_NESTED = 1000
"""Brackets nested in one another. Grammars recurse: with many more of them, some overflow the C stack."""
_UNSAFE = {"tree_sitter_yaml": re.compile(rb"^ {200}|(?:[-?:] +){40}", re.MULTILINE)}
"""What would overflow a grammar's own scanner and end the process: levels of YAML."""


class ParseTooLong(Exception):  # noqa: N818 - expected, and caught by the one caller
    """The text takes too long to parse."""


@cache
def load_grammar(name: str) -> "tree_sitter.Language | None":
    """Load the grammar of a `Language.grammar`; None: there is none, or it does not work here."""
    if not name:
        return None
    module, _, function = name.partition(":")
    try:
        from tree_sitter import Language

        return Language(getattr(import_module(module), function or "language")())
    except Exception as error:
        log.warning("the grammar %s cannot be loaded; its language works without it: %s", name, error)
        return None


def is_safe(source: bytes, name: str) -> bool:
    """Whether a grammar can parse a text without overflowing a stack or a buffer."""
    unsafe = _UNSAFE.get(name)
    return _depth_is_bounded(source) and not (unsafe and unsafe.search(source))


def _depth_is_bounded(source: bytes) -> bool:
    if sum(source.count(bracket) for bracket in (b"(", b"[", b"{", b"<")) <= MOST_NESTED:
        return True
    depth = 0
    for match in _NESTED.finditer(source):
        depth = depth + 1 if match.group() in b"([{<" else max(depth - 1, 0)
        if depth > MOST_NESTED:
            return False
    return True


def parse(
    grammar: "tree_sitter.Language",
    source: bytes,
    old: "tree_sitter.Tree | None" = None,
    check: Callable[[], None] = lambda: None,
) -> "tree_sitter.Tree":
    """Parse a text, reusing what an edited tree already knows; `check` raises if it is no longer wanted.

    Called with a function instead of bytes, tree-sitter reports its progress every few microseconds; other
    threads can run then, which they cannot while it parses bytes.

    Raises:
        ParseTooLong: it would take more than MOST_SECONDS.
    """
    from tree_sitter import Parser

    view = memoryview(source)
    end = time.thread_time() + MOST_SECONDS

    def stop(_offset: int, _has_error: bool) -> bool:
        check()
        return time.thread_time() > end

    options: dict[str, Any] = {"progress_callback": stop} | ({} if old is None else {"old_tree": old})
    try:
        return Parser(grammar).parse(lambda offset, _point: view[offset:], **options)
    except ValueError:  # the only sign that the callback stopped it
        raise ParseTooLong from None
