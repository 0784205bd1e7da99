"""What tokens open and close: brackets, quotes, code in strings, and tags, decided by their own text."""

import re

from aide_lsp.syntax.languages import Blocks, Language
from aide_lsp.syntax.open_stack import Open, OpenStack
from aide_lsp.syntax.openings import CLOSERS, OpeningKind

_QUOTE = re.compile(r"""([A-Za-z@$#%:\\]*)(\"\"\"|'''|["'`])(#*)""")
_CUSTOM_QUOTE = re.compile(r"%[A-Za-z]?([\[({<])")
_RAW = re.compile(r'[A-Za-z0-9]*R"([^()\\\s"]{0,16})\(')
_NAME = re.compile(r"</?([\w:.\-]*)")
_OPENERS = {closer: opener for opener, closer in CLOSERS.items()}
_TAG_BEFORE = re.compile(r"(?:[(=,?:&|{\[>};]|\breturn|^)\s*$")
_TAG = re.compile(r"</?(?:[A-Za-z]|>)")
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)


class TokenMarks:
    """Puts tokens of one text on a stack."""

    def __init__(self, text: str, language: Language) -> None:
        self._text = text
        self._interpolations = language.interpolations
        self._long = dict(language.long_quotes)
        self._short = frozenset(language.quotes)
        self._quotes = {mark[0] for mark in (*self._short, *self._long)}
        self._is_markup = language.blocks is Blocks.TAGS
        self._is_script = language.elements

    def feed(self, stack: OpenStack, token: str, offset: int, parent: str) -> None:
        """Open or close what a token does, given the type of the node around it."""
        if token in ("<", "</", ">", "/>"):
            self._feed_angle(stack, token, offset, parent)
        elif token == "/" and "regex" in parent:
            self._feed_quote(stack, "/", "/", offset, is_short=True)
        elif self._begins_string(token) or (self._is_in_tag(stack) and token in ('"', "'")):
            self._feed_quote(stack, token, self.closer_of(token, offset), offset, parent == "ERROR")
        elif not (token == ")" and parent == "case_item"):
            self._feed_brackets(stack, token, offset)

    def feed_characters(self, stack: OpenStack, start: int, end: int, quotes: bool) -> None:
        """Open or close what single characters do, where the text has no tokens."""
        for offset in range(start, end):
            character = self._text[offset]
            if character in self._quotes and quotes and character in self._short:
                self._feed_quote(stack, character, character, offset, is_short=True)
            elif character in CLOSERS or character in _OPENERS:
                self._feed_brackets(stack, character, offset)

    def feed_tag(self, stack: OpenStack, offset: int, is_start: bool) -> None:
        """Open or close an element, given where its tag begins."""
        match = _NAME.match(self._text, offset)
        name = match.group(1) if match else ""
        closer = f"</{name.lower() if self._is_markup else name}>"
        if not is_start:
            stack.close(closer)
        elif not (self._is_markup and name.lower() in _VOID):
            stack.open(Open(OpeningKind.TAG, f"<{name}>", closer, offset))

    def string_at(self, offset: int) -> tuple[str, str] | None:
        """Return mark and closer of a string that begins there."""
        match = _QUOTE.match(self._text, offset)
        if match is None or match.group(2)[0] not in self._quotes | {"'"}:
            return None
        return match.group(), self.closer_of(match.group(), offset)

    def closer_of(self, mark: str, offset: int) -> str:
        """Return what closes a string."""
        custom, raw = _CUSTOM_QUOTE.fullmatch(mark), _RAW.match(self._text, offset)
        if custom:
            return CLOSERS.get(custom.group(1), ">")
        if raw and mark.endswith('R"'):
            return f'){raw.group(1)}"'
        if mark in self._long:
            return self._long[mark]
        match = _QUOTE.fullmatch(mark)
        if match is None:
            return mark
        hashes = match.group(3) or "#" * match.group(1).count("#")
        return match.group(2) + hashes

    def _begins_string(self, token: str) -> bool:
        if token in self._long or (token in self._long.values() and token not in _OPENERS):
            return True
        match = _QUOTE.fullmatch(token)
        return bool((match and match.group(2)[0] in self._quotes) or _CUSTOM_QUOTE.fullmatch(token))

    def _is_in_tag(self, stack: OpenStack) -> bool:
        return self._is_markup and stack.top is not None and (stack.in_string or stack.top.mark == "<")

    def _feed_quote(self, stack: OpenStack, mark: str, closer: str, offset: int, is_short: bool) -> None:
        top = stack.top
        if not stack.in_string:
            short = is_short and closer in self._short | {"/"}
            stack.open(Open(OpeningKind.STRING, mark, closer, offset, ends_with_line=short))
        elif top is not None and (top.closer in (mark, closer) or top.closer.endswith(mark)):
            stack.close(top.closer)

    def _feed_brackets(self, stack: OpenStack, token: str, offset: int) -> None:
        before = 0
        for index, character in enumerate(token):
            if character in CLOSERS:
                code = self._interpolation(offset + index) if stack.in_string else None
                kind = OpeningKind.BRACKET if code is None else OpeningKind.INTERPOLATION
                # Outside of strings, too, a mark such as `${` begins with its first sign.
                mark, begin = code or (token[before : index + 1], offset + before)
                stack.open(Open(kind, mark, CLOSERS[character], begin))
            elif character in _OPENERS:
                stack.close(character)
            else:
                continue
            before = index + 1

    def _interpolation(self, bracket: int) -> tuple[str, int] | None:
        """Return mark and offset of what begins code in a string with this bracket."""
        for mark in self._interpolations:
            begin = bracket - next((i for i, c in enumerate(mark) if c in CLOSERS), 0)
            if self._text.startswith(mark, max(begin, 0)):
                return mark, begin
        return None

    def _feed_angle(self, stack: OpenStack, token: str, offset: int, parent: str) -> None:
        if token in (">", "/>"):
            closed = stack.close(">")
            if closed is not None and token == ">" and closed.offset >= 0:
                self.feed_tag(stack, closed.offset, is_start=closed.mark == "<")
        elif not stack.in_string and self._is_tag(offset, parent):
            stack.open(Open(OpeningKind.BRACKET, token, ">", offset))

    def _is_tag(self, offset: int, parent: str) -> bool:
        if "jsx" in parent or (self._is_markup and not parent.startswith("raw")):
            return True
        return (
            self._is_script
            and parent == "ERROR"
            and _TAG.match(self._text, offset) is not None
            and _TAG_BEFORE.search(self._text, max(offset - 40, 0), offset) is not None
        )
