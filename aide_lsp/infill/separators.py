"""Separators: the entries of JSON, with one comma between two and none after the last, and no key twice."""

import re
from itertools import zip_longest

from attrs import define, field, frozen

from aide_lsp.infill.hole import Hole, indentation
from aide_lsp.syntax.openings import CLOSERS, OpeningKind
from aide_lsp.syntax.scan import SCAN_CHARACTERS

OPENERS = {CLOSERS[opener]: opener for opener in "{["}
"""Opening bracket by its closing one."""

# Comments match too, and no group: they are in files that editors call JSON.
_COMMENT = r"//[^\n]*|/\*[\s\S]*?\*/"
_TOKEN = re.compile(
    rf"{_COMMENT}|(?P<mark>[{{}}\[\],:])|(?P<string>\"(?:\\.|[^\"\\\n])*\")"
    r"|(?P<part>\"(?:\\.|[^\"\\\n])*\\?)|(?P<word>[^\s{}\[\],:\"]+)"
)
_COMMA = re.compile(rf"{_COMMENT}|(,)")


@frozen
class _Token:
    kind: str
    "`mark`, `string`, `part` (a string that is not closed), or `word`."
    text: str
    start: int
    end: int


@define
class _Container:
    """An object or array that is open."""

    opener: str
    awaits: str = "entry"
    "What comes next: `entry`, `colon`, or `value`."
    filled: bool = False
    "Whether it has an entry."
    keys: set[str] = field(factory=set)


def fit_separators(hole: Hole, text: str) -> str:
    """Add the commas that are missing around the entries of `text`, and drop those that are too many.

    An entry that is unfinished, or whose key the same object has already, is dropped with all after it. At a
    place that is not inside an object or array, the text is returned as it is.
    """
    in_string = hole.open and hole.open[-1].kind is OpeningKind.STRING
    if (in_string and hole.open[-1].is_closed) or not text.strip():
        return text
    head = _tokens(hole.head[-SCAN_CHARACTERS:])
    # A string or number that begins left of the cursor goes on in the text.
    start = _continued(head, hole.head[-SCAN_CHARACTERS:], text)
    prefix = head.pop().text if start else ""
    stack: list[_Container] = []
    if not all(_step(stack, token, is_lenient=True) for token in head) or not stack:
        return text
    following, is_closed = _read_tail(stack, hole.tail[:SCAN_CHARACTERS])
    if _opens_block(hole, text):
        following = _Following(None, has_comma=False)
    fitted = _fit(stack, prefix + text, _has_comma(head), following)
    if fitted is None:
        return "" if is_closed else text
    return fitted[len(prefix) :]


def _opens_block(hole: Hole, text: str) -> bool:
    """Whether the text ends with a line that opens the deeper lines below."""
    line = (hole.before + text).rstrip().rpartition("\n")[2]
    return line.endswith(tuple(OPENERS.values())) and indentation(line) < indentation(hole.below)


def _fit(stack: list[_Container], text: str, comma_before: bool, following: "_Following") -> str | None:
    """Return the text with the separators it needs; None: it has no complete entry."""
    depth, fitted, end, complete = len(stack), "", 0, None
    for token in _significant(_tokens(text)):
        if not stack:
            return fitted + text[end:]
        gap = _separated(text[end : token.start], _needs_comma(stack, token) and not comma_before)
        if not _step(stack, token):
            break
        fitted, end, comma_before = fitted + gap + token.text, token.end, False
        if len(stack) <= depth and stack and stack[-1].awaits == "entry":
            complete = fitted
    else:
        if not stack or following.token is None or following.token.text == ":":
            return fitted + text[end:]
        if len(stack) <= depth and stack[-1].awaits == "entry":
            needs_comma = _needs_comma(stack, following.token) and not following.has_comma
            return fitted + _separated(text[end:], needs_comma)
    if complete is None:
        return None
    is_entry = following.token is not None and following.token.text not in (*OPENERS, ":")
    return complete + ("," if is_entry and not following.has_comma else "")


@frozen
class _Following:
    """What is right of the cursor."""

    token: _Token | None
    "The first one that is no comma."
    has_comma: bool
    "Whether a comma is before it."


def _read_tail(stack: list[_Container], tail: str) -> tuple[_Following, bool]:
    """Note the keys that the open objects have in `tail`; return its beginning, and whether it closes one."""
    tokens = _tokens(tail)
    significant = _significant(tokens)
    inside, outer = 0, 1
    for token, after in zip_longest(significant, significant[1:]):
        if token.text in OPENERS.values():
            inside += 1
        elif token.text in OPENERS:
            inside, outer = (inside - 1, outer) if inside else (0, outer + 1)
        elif not inside and outer <= len(stack) and after is not None and after.text == ":":
            stack[-outer].keys.add(token.text)
    first = significant[0] if significant else None
    return _Following(first, bool(tokens) and tokens[0].text == ","), outer > 1


def _step(stack: list[_Container], token: _Token, *, is_lenient: bool = False) -> bool:
    """Go past a token; return whether it may be there."""
    if token.text == ",":
        return True
    # A text that is cut at its beginning closes what it does not open.
    if not stack:
        if token.text in OPENERS.values():
            stack.append(_Container(token.text))
        return is_lenient
    place = stack[-1]
    if token.text in OPENERS:
        if OPENERS[token.text] != place.opener or place.awaits != "entry":
            return False
        stack.pop()
        return True
    if place.opener == "{" and place.awaits != "value":
        return _step_key(place, token, is_lenient=is_lenient)
    if token.text == ":" or token.kind == "part":
        return False
    place.awaits, place.filled = "entry", True
    if token.text in OPENERS.values():
        stack.append(_Container(token.text))
    return True


def _step_key(place: _Container, token: _Token, *, is_lenient: bool) -> bool:
    if place.awaits == "colon":
        place.awaits = "value"
        return token.text == ":"
    if token.kind != "string" or (token.text in place.keys and not is_lenient):
        return False
    place.keys.add(token.text)
    place.awaits = "colon"
    return True


def _needs_comma(stack: list[_Container], token: _Token) -> bool:
    """Whether a comma belongs before a token."""
    return stack[-1].awaits == "entry" and stack[-1].filled and token.text not in OPENERS


def _separated(gap: str, needs_comma: bool) -> str:
    """Return what is between two tokens with one comma or with none."""
    if needs_comma and not any(match.group(1) for match in _COMMA.finditer(gap)):
        return "," + gap
    kept = 1 if needs_comma else 0

    def replace(match: re.Match[str]) -> str:
        nonlocal kept
        if match.group(1):
            kept -= 1
        return "" if match.group(1) and kept < 0 else match.group()

    return _COMMA.sub(replace, gap)


def _tokens(text: str) -> list[_Token]:
    matches = (match for match in _TOKEN.finditer(text) if match.lastgroup)
    return [_Token(match.lastgroup or "", match.group(), match.start(), match.end()) for match in matches]


def _significant(tokens: list[_Token]) -> list[_Token]:
    return [token for token in tokens if token.text != ","]


def _has_comma(tokens: list[_Token]) -> bool:
    return bool(tokens) and tokens[-1].text == ","


def _continued(head: list[_Token], text_before: str, text: str) -> bool:
    """Whether the last token left of the cursor goes on in the text."""
    if not head or head[-1].end != len(text_before):
        return False
    is_word = head[-1].kind == "word" and re.match(r"[^\s{}\[\],:\"]", text) is not None
    return is_word or head[-1].kind == "part"
