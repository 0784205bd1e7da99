"""What is open at a cursor, read from a syntax tree.

Only the nodes that contain the cursor, and text that does not parse, are walked; any other node is balanced.
In what is walked, the tokens to the left of the cursor open and close, and those to the right close what is
still open. Most of the time the text does not parse at the cursor, so what a token does is decided by its own
text, and hardly by the nodes around it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from aide_lsp.syntax.languages import Blocks, Language
from aide_lsp.syntax.open_stack import Open, OpenStack
from aide_lsp.syntax.openings import CLOSERS, Opening, OpeningKind
from aide_lsp.syntax.token_marks import TokenMarks

if TYPE_CHECKING:
    import tree_sitter

_COMMENT = re.compile("comment|haddock|marginalia|hash_bang_line|shebang", re.IGNORECASE)
_MARK_TYPE = re.compile("_(?:start|end|brace|quote)$")
"""Of tokens that have a name."""
_START_TAGS = frozenset({"start_tag", "jsx_opening_element", "STag"})
_END_TAGS = frozenset({"end_tag", "erroneous_end_tag", "jsx_closing_element", "ETag"})
_TAGS = _START_TAGS | _END_TAGS | {"self_closing_tag", "jsx_self_closing_element", "EmptyElemTag"}
_CLOSERS = frozenset(CLOSERS.values())
_NO_TOKENS = frozenset({"preproc_arg", "ERROR"})
"""Leaves in which brackets and quotes are no tokens."""


def openings_at(
    root: "tree_sitter.Node", text: str, cursor: int, language: Language, is_sound: bool
) -> tuple[Opening, ...]:
    """Find what is open at the cursor, outermost first.

    `is_sound` says that the text without what is in the cursor's line has no error: then that line closes
    what it opens, or nothing does.
    """
    walk = _Walk(text, cursor, language, is_sound)
    walk.go_left(root)
    endless = _endless(root, text, cursor, language)
    if endless is not None and not any(0 <= endless.offset - item.offset <= 2 for item in walk.found):
        outside = _Walk(text, endless.offset, language, is_sound)
        outside.go_left(root)
        walk.found = [*(item for item in outside.found if item.offset < endless.offset), endless]
    walk.go_right()
    return tuple(item.opening() for item in walk.found)


def _endless(root: "tree_sitter.Node", text: str, cursor: int, language: Language) -> Open | None:
    """Find a comment or a string that begins before the cursor and does not end: no node is one."""
    line_start = text.rfind("\n", 0, cursor) + 1
    marks = (
        *((mark, end, OpeningKind.COMMENT, 0) for mark, end in language.block_comments),
        *((mark, end, OpeningKind.STRING, 0) for mark, end in language.long_quotes),
        *((mark, mark, OpeningKind.STRING, line_start) for mark in language.quotes),
    )
    found: list[Open] = []
    for mark, closer, kind, begin in marks:
        offset = text.rfind(mark, begin, cursor)
        if offset < 0 or text.find(closer, offset + len(mark), cursor) >= 0:
            continue
        node = root.descendant_for_byte_range(offset, offset + 1)
        if node is not None and _may_begin(node, offset, len(mark)):
            found.append(Open(kind, mark, closer, offset, is_decided=True))
    return min(found, key=lambda item: item.offset, default=None)


def _may_begin(node: "tree_sitter.Node", offset: int, size: int) -> bool:
    """Whether something that does not end may begin there: in text that does not parse, as its own token."""
    if node.is_error:
        return True
    parent = node.parent
    return (
        size > 1
        and offset - 2 <= node.start_byte <= offset
        and parent is not None
        and (parent.is_error or (parent.has_error and node.child_count == 0 and not node.is_named))
        and not _COMMENT.search(node.type)
        and not node.type.endswith(("_end", "content", "fragment"))
    )


class _Walk:
    """One walk through one tree."""

    def __init__(self, text: str, cursor: int, language: Language, is_sound: bool) -> None:
        self._text, self._cursor, self._language, self._is_sound = text, cursor, language, is_sound
        self._line_start = text.rfind("\n", 0, cursor) + 1
        line_end = text.find("\n", cursor)
        self._line_end = len(text) if line_end < 0 else line_end
        self._marks = TokenMarks(text, language)
        self._open = OpenStack()
        self._right: list[tuple[tree_sitter.Node, list[tree_sitter.Node]]] = []
        "The nodes around the cursor, and their parts to the right of it; the outermost first."
        self._resume = cursor
        "Where the tokens to the right begin."
        self._ends: dict[int, bool] = {}
        "Nodes whose last part is known to go on to the end of the line, or not to: nesting may be deep."
        self.found: list[Open] = []

    def go_left(self, root: "tree_sitter.Node") -> None:
        """Collect what is open at the cursor, and the nodes to the right of it."""
        # What is unfinished above leaves nothing open here. Macros do not parse though nothing is unfinished.
        begin = 0 if self._language.has_macros else self._line_start
        node: tree_sitter.Node | None = root
        while node is not None:
            parent, children, path = node.type, node.children, None
            for index, child in enumerate(children):
                if child.start_byte >= self._cursor:
                    self._right.append((node, children[index:]))
                    break
                if self._is_around(child):
                    path = child
                    self._right.append((node, children[index + 1 :]))
                    break
                for token, around in _tokens([child], parent, begin):
                    self._feed_left(token, around)
            node = path if path is not None and self._enter(path) else None
        self._open.end_line(self._text, self._cursor)
        self.found = list(self._open.items)

    def _is_around(self, node: "tree_sitter.Node") -> bool:
        """Whether the cursor is in a node, or after one that is not finished or ends with its line."""
        if self._cursor < node.end_byte:
            return True
        between = self._text[node.end_byte : self._cursor]
        if not between and self._ends_with_line(node):
            return True
        return node.has_error and not between.strip() and (not node.is_error or not node.child_count)

    def _ends_with_line(self, node: "tree_sitter.Node") -> bool:
        """Whether its last part goes on to the end of the line, so that the cursor at its end is in it."""
        path, found = list[int](), False
        last: tree_sitter.Node | None = node
        while last is not None and not found and last.id not in self._ends:
            path.append(last.id)
            found = last.type == "preproc_arg" or _COMMENT.search(last.type) is not None
            last = last.child(last.child_count - 1) if last.child_count else None
        if last is not None and not found:
            found = self._ends[last.id]
        self._ends.update(dict.fromkeys(path, found))
        return found

    def _enter(self, node: "tree_sitter.Node") -> bool:
        """Open what the node itself opens; return whether to go on with its parts."""
        start, end = node.start_byte, node.end_byte
        if _COMMENT.search(node.type):
            self._enter_comment(start, end)
            return False
        if node.type == "heredoc_body":
            self._enter_heredoc(node)
            return True
        if node.child_count and node.children[0].start_byte == start:
            return True
        if node.type in _NO_TOKENS and not node.child_count:
            self._marks.feed_characters(self._open, start, self._cursor, quotes=True)
        elif not self._open.in_string and self._enter_string(start, end):
            return False
        return node.child_count > 0

    def _enter_string(self, start: int, end: int) -> bool:
        """Open a string whose quotes are no tokens."""
        string = self._marks.string_at(start)
        if string is None or start + len(string[0]) > self._cursor:
            return False
        is_closed = self._cursor <= end - len(string[1]) and self._text.endswith(string[1], start, end)
        self._decided(OpeningKind.STRING, *string, start, is_closed, end)
        return True

    def _enter_comment(self, start: int, end: int) -> None:
        text, cursor = self._text, self._cursor
        for mark, closer in self._language.block_comments:
            if text.startswith(mark, start):
                if start + len(mark) <= cursor < max(end, cursor + (not text.endswith(closer, start, end))):
                    # The end of another comment below is not that of this one.
                    is_closed = text.endswith(closer, start, end) and not self._begins_below(mark, end)
                    self._decided(OpeningKind.COMMENT, mark, closer, start, is_closed, end)
                return
        for mark in sorted(self._language.line_comments, key=len, reverse=True):
            if text.startswith(mark, start) and "\n" not in text[start:cursor]:
                if start + len(mark) <= cursor:
                    self._decided(OpeningKind.COMMENT, mark, "\n", start, "\n" in text[cursor:], end)
                return

    def _begins_below(self, mark: str, end: int) -> bool:
        """Whether a line up to `end` begins with a mark, below the cursor's line."""
        lines = self._text[self._line_end : end].split("\n")
        return any(line.lstrip().startswith(mark) for line in lines)

    def _enter_heredoc(self, node: "tree_sitter.Node") -> None:
        following = [*node.children, *([node.next_sibling] if node.next_sibling is not None else [])]
        words = [one for one in following if one.type == "heredoc_end"]
        if words and words[-1].start_byte >= self._cursor:
            word = self._text[words[-1].start_byte : words[-1].end_byte].strip()
            self._decided(OpeningKind.STRING, "<<", word, node.start_byte, True, self._cursor)

    def _decided(
        self, kind: OpeningKind, mark: str, closer: str, start: int, is_closed: bool, resume: int
    ) -> None:
        if self._is_sound and closer != "\n" and start >= self._line_start:
            is_closed = is_closed and resume <= self._line_end
        self._open.open(Open(kind, mark, closer, start, is_closed=is_closed, is_decided=True))
        self._resume = resume

    def _feed_left(self, node: "tree_sitter.Node", around: str) -> None:
        start, end = node.start_byte, node.end_byte
        self._open.end_line(self._text, start)
        if node.is_missing:
            # What the parser assumes only because nothing follows is not there.
            if self._text[start : self._cursor].strip() and not self._open.in_string:
                self._open.close(node.type)
            return
        self._feed(self._open, node, around, start, end)

    def _feed(self, stack: OpenStack, node: "tree_sitter.Node", around: str, start: int, end: int) -> None:
        if node.type in _START_TAGS or node.type in _END_TAGS:
            self._marks.feed_tag(stack, start, node.type in _START_TAGS)
        elif node.child_count and not _is_test_end(node):
            return
        elif node.is_error:
            self._marks.feed_characters(stack, start, end, quotes=True)
        elif not node.is_named or _MARK_TYPE.search(node.type) or self._is_test(node, start, end):
            self._marks.feed(stack, self._text[start:end], start, around)

    def _is_test(self, node: "tree_sitter.Node", start: int, end: int) -> bool:
        """Whether it is a bracket that a shell reads as a word."""
        return node.type in ("word", "concatenation") and self._text[start:end] in ("[", "[[", "]", "]]")

    def go_right(self) -> None:
        """Find what the text after the cursor closes."""
        left = OpenStack()
        left.items = [item for item in self.found if not item.is_decided]
        if self._is_sound:
            for item in self.found:
                is_above = not item.is_decided and item.offset < self._line_start
                item.is_closed = item.is_closed or is_above
            left.items = [item for item in left.items if not item.is_closed]
        start = self._resume
        if left.top is not None and left.top.kind is OpeningKind.INTERPOLATION:
            # Without code in it, grammars do not take it for one.
            blank = len(self._text) - len(self._text[self._cursor :].lstrip())
            if self._text.startswith(left.top.closer, blank):
                start = blank + len(left.top.closer)
                left.close(left.top.closer)
        begin = start
        while left.items:
            right = OpenStack(left)
            if start > begin:
                self._marks.feed_characters(right, self._cursor, self._line_end, quotes=False)
            self._close(left, right, start)
            string = next((i for i, item in enumerate(left.items) if item.kind is OpeningKind.STRING), None)
            if string is None:
                break
            # It is not closed, so what follows in the line is in it, and the next lines are code again.
            del left.items[string:]
            start = max(self._line_end, self._resume) + 1

    def _close(self, left: OpenStack, right: OpenStack, start: int) -> None:
        for around, nodes in reversed(self._right):
            for node, parent in _tokens(nodes, around.type):
                if node.start_byte < start or node.is_missing:
                    continue
                if node.start_byte > self._line_end and (
                    self._is_sound or any(self._ends_in_line(item) for item in left.items)
                ):
                    return
                right.end_line(self._text, node.start_byte)
                if not right.items and not self._fits(left, node):
                    continue
                self._feed(right, node, parent, node.start_byte, node.end_byte)
                if not left.items:
                    return
            if not right.items and not around.is_error:
                self._end_string(left, around)

    def _fits(self, left: OpenStack, node: "tree_sitter.Node") -> bool:
        """Drop from the left what a token shows not to be closed; return whether it may close something.

        A closer that begins its line is indented as the line with what it closes.
        """
        top, start = left.top, node.start_byte
        if top is not None and top.mark == "<" and (node.type in _TAGS or node.type in ("<", "</")):
            left.items.pop()
        closer = self._text[start : start + 1]
        if closer not in _CLOSERS or start < self._line_end or left.in_string:
            return True
        indent = self._indent(start)
        if start != indent[1]:
            return True
        levels = [self._indent(item.offset)[0] for item in left.items]
        for index in range(len(levels) - 1, -1, -1):
            if left.items[index].closer == closer and levels[index] == indent[0]:
                del left.items[index + 1 :]
                return True
        return not any(level < indent[0] for level in levels[-1:])

    def _indent(self, offset: int) -> tuple[int, int]:
        """Return the width of the indentation of a line, and where it ends."""
        start = end = self._text.rfind("\n", 0, offset) + 1
        while end < offset and self._text[end] in " \t":
            end += 1
        return end - start, end

    def _end_string(self, left: OpenStack, node: "tree_sitter.Node") -> None:
        """Close a string at the end of its node, if its last quote is no token."""
        top, end = left.top, node.end_byte
        if top is not None and top.kind is OpeningKind.STRING and top.offset >= node.start_byte:
            last = end - len(top.closer)
            if self._ends_in_line(top) and last > self._line_end:
                return  # the node is a block that happens to end in a string
            if last >= self._cursor and self._text.endswith(top.closer, node.start_byte, end):
                left.close(top.closer)

    def _ends_in_line(self, item: Open) -> bool:
        return (
            item.kind is OpeningKind.STRING
            and (item.closer in self._language.quotes or self._language.blocks is Blocks.TAGS)
            and item.offset >= self._line_start
        )


def _is_test_end(node: "tree_sitter.Node") -> bool:
    """Whether it may be the `]]` of a test in which nothing is yet: a shell reads it as two words in one."""
    return node.type == "concatenation" and node.end_byte - node.start_byte == 2


def _tokens(
    nodes: "Iterable[tree_sitter.Node]", around: str, begin: int = 0
) -> "Iterator[tuple[tree_sitter.Node, str]]":
    """Yield tokens and tags, with the type of the node around each.

    Nodes without errors are left out, and those with errors inside that end before `begin`.
    """
    stack = [(iter(nodes), around)]
    while stack:
        node = next(stack[-1][0], None)
        if node is None:
            stack.pop()
        elif not node.child_count or (node.type in _TAGS and not node.has_error) or _is_test_end(node):
            yield node, stack[-1][1]
        elif node.is_error or node.type in _TAGS or (node.has_error and node.end_byte > begin):
            stack.append((iter(node.children), node.type))
