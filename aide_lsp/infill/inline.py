"""Where text ends that is inserted within a line: it has to lead to what is right of the cursor."""

import re

from aide_lsp.infill.copies import QUOTES
from aide_lsp.infill.hole import CLOSERS, indentation
from aide_lsp.infill.raw_text import Line, RawText
from aide_lsp.infill.stop_rules import Stop, StopRule
from aide_lsp.syntax.languages import Blocks
from aide_lsp.syntax.openings import OpeningKind

LOOKAHEAD = 4
"""Lines within which the text after the cursor must be repeated; else one line is kept."""
EXPRESSION_LINES = 20
"""Lines within which an expression must close its brackets; else one line is kept."""
TOKENS = 8
"""How many of the next words and signs are compared."""
INFIX = frozenset(
    (
        *("and", "or", "in", "is", "if", "else", "for", "as", "from", "instanceof"),
        *("then", "do", "where", "with", "of", "unless", "when", "while"),
    )
)
"""Words that may follow an expression, as operators do."""
SENTENCE_ENDS = (".", "!", "?", ":", ";")
_TOKEN = re.compile(r"\w+|[-=<>!+*/&|^%:.?~]+|\S")
_OPERATOR_END = re.compile(r"(?:[-+*/%]|&&|\|\||[=!]=)\s*\Z")
"""An operator that an operand follows."""
_COMPARISON = re.compile(r"[<>]=?|[!=]==?")
_COMPARES = re.compile(r"\s(?:&&|\|\||and|or|([<>]=?|[!=]==?))(?=\s)")
"""An operator between two conditions, or, as a group, within one."""
_TYPE_ARGUMENTS = re.compile(r"\w<")
_OPERATOR = re.compile(r"(?!//|--|[?%]>)[-+*/%&|^=<>!?]+\s")
"""An operator between two operands."""
_GOES_ON = re.compile(rf"\{{|{_OPERATOR.pattern}|\??\.\w")
"""What cannot follow a `;`: a block, such an operator, or a member."""
_BEGINS = re.compile(r"[=:]|(?:[^=<>!]+=)|->|[({\[]")
"""Signs that occur once in a statement, or begin something: their repetition is no accident."""


def inline_end(raw: RawText) -> Stop | None:
    """Stop where the text leads to the rest of the line, else where its expression ends."""
    if (stop := _operand_end(raw)) is not None:
        return stop
    distinctive = is_distinctive(raw.hole.after)
    find, limit = (rest_of_line, LOOKAHEAD) if distinctive else (_expression_end, EXPRESSION_LINES)
    # A text that begins with the rest of the cursor's word needs no other line to lead there.
    limit = 1 if _is_in_word(raw) and _first_word(raw.text) == _first_word(raw.hole.after) else limit
    lines = raw.lines[:limit]
    first = lines[0]
    for line in lines:
        if not line.is_complete:
            return None
        if (stop := find(raw, line)) is not None:
            return stop
        # A line further out cannot belong to the expression.
        if line.start and not line.is_blank and line.depth < raw.hole.base:
            return fitted(raw, Stop(first.end, line.complete_at, StopRule.LINE))
    if raw.ended or len(raw.lines) > limit:
        return fitted(raw, Stop(first.end, lines[-1].complete_at, StopRule.LINE))
    return None


def _operand_end(raw: RawText) -> Stop | None:
    """Stop an operand before its first comma, if a comma or an operator is right of the cursor."""
    hole, rest = raw.hole, raw.hole.after.strip()
    is_between = rest.startswith(",") or _OPERATOR.match(rest)
    if hole.is_text or not is_between or not _OPERATOR_END.search(hole.before):
        return None
    for comma in re.finditer(",", raw.text):
        start = comma.start()
        if not raw.scan(start).opened and not _TYPE_ARGUMENTS.search(raw.text[:start]):
            return Stop(start, comma.end(), StopRule.NEXT_WORDS)
    return None


def fitted(raw: RawText, stop: Stop, mark: str = "") -> Stop:
    """Return where the text leads to the rest of the line, which it does not reach at `stop`.

    If it leads there nowhere, and what it says cannot precede that, nothing is left. `mark` is what the text
    goes on with at `stop`, if that is also after the cursor.
    """
    hole = raw.hole
    rest = hole.after.strip()
    if not rest or (mark and rest.startswith(mark)) or not raw.text[: stop.end].strip():
        return stop
    # The model ended here, so all that it says is meant to precede the rest.
    ends = _ends_statement(raw, stop.end, rest)
    is_whole = raw.ended and not raw.text[stop.end :].strip() and not ends
    is_free = is_whole and not hole.is_text and not _is_in_word(raw)
    if not is_free and (end := _next_words(raw, stop.end)) is not None:
        return Stop(end, stop.decided_at, StopRule.NEXT_WORDS)
    if not hole.is_text and (end := _before_comparison(raw, stop.end, rest)) is not None:
        return Stop(end, stop.decided_at, StopRule.NEXT_WORDS)
    if ends and _GOES_ON.match(rest):
        # The rest may be there in other quotes.
        kept = raw.text[: stop.end].rstrip()
        is_there = kept.translate(QUOTES).endswith(rest.translate(QUOTES))
        kept = kept[: -len(rest) if is_there else -1].rstrip()
        return Stop(len(kept), stop.decided_at, StopRule.NEXT_WORDS)
    # Clean-up drops the rest where the text ends with it.
    leads = raw.text[: stop.end].rstrip().endswith(rest.partition(mark)[0] if mark else rest)
    if not is_whole and not leads and (ends or _needs_lead(raw, rest, stop.end)):
        return Stop(0, stop.decided_at, StopRule.DOES_NOT_FIT)
    return stop


def _before_comparison(raw: RawText, end: int, rest: str) -> int | None:
    """Return where the text compares what is compared right of the cursor, too; None: it does not.

    In Python, comparisons in one direction may follow each other.
    """
    sign = rest.split(maxsplit=1)[0]
    if not _is_comparison(sign):
        return None
    found = (match for match in _COMPARES.finditer(raw.text, 0, end) if not raw.scan(match.start()).opened)
    last = max(found, key=re.Match.start, default=None)
    is_chain = raw.hole.language.blocks is Blocks.INDENTATION and last is not None and last[1]
    if last is None or not last[1] or (is_chain and last[1][0] == sign[0] and sign[0] in "<>"):
        return None
    return last.start()


def _ends_statement(raw: RawText, end: int, rest: str) -> bool:
    """Whether the text ends a statement that is not over: what is right of the cursor goes on with it."""
    hole, match, text = raw.hole, re.match(r"\w+", rest), raw.text[:end].rstrip()
    if hole.is_text or not text.endswith((";", "}")):
        return False
    is_between = is_word(hole.before.rstrip()[-1:]) and match is not None and match.group() not in INFIX
    return is_between or (text.endswith(";") and _GOES_ON.match(rest) is not None)


def _needs_lead(raw: RawText, rest: str, end: int) -> bool:
    """Whether what is right of the cursor cannot follow the text up to `end`: it is a word, or a string."""
    hole = raw.hole
    closers = [*CLOSERS, *(opening.closer for opening in hole.open)]
    if rest.startswith((*closers, hole.mark) if hole.mark else tuple(closers)):
        return False
    match = re.match(r"\w+|[\"'`]", rest)
    # In a sentence, words such as `and` continue it.
    follows = not hole.is_text or not raw.text[:end].rstrip().endswith(SENTENCE_ENDS)
    return match is not None and not (match.group().lower() in INFIX and follows)


def _is_in_word(raw: RawText) -> bool:
    return is_word(raw.hole.before[-1:]) and is_word(raw.hole.after[:1])


def _first_word(text: str) -> str:
    """Return the letters and digits that a text begins with."""
    match = re.match(r"\w*", text)
    return match.group() if match else ""


def is_word(character: str) -> bool:
    """Whether a character belongs to words; "" does not."""
    return character.isalnum() or character == "_"


def _next_words(raw: RawText, limit: int) -> int | None:
    """Find where the text has the words that are next right of the cursor, as many as possible."""
    after = raw.hole.after
    rest = [match.group() for match in _TOKEN.finditer(after)][:TOKENS]
    tokens = list(_TOKEN.finditer(raw.text, 0, limit))
    # Right of the cursor there may be only the end of a word.
    is_end = is_word(after[:1])
    candidates: list[tuple[int, int]] = []
    for index, token in enumerate(tokens):
        tail = rest[0] if is_end and token.group().endswith(rest[0]) else token.group()
        words = [tail, *(other.group() for other in tokens[index + 1 : index + len(rest)])]
        same = 0
        # Of two comparisons, which the model may have written the other way around, only one is meant.
        same += len(words) > 1 and _is_comparison(words[0]) and _is_comparison(rest[0])
        while same < min(len(words), len(rest)) and words[same] == rest[same]:
            same += 1
        is_chance = same == len(tail) == 1 and tail != token.group()
        if not is_chance and any(_is_telling(word, raw.hole.is_text) for word in rest[:same]):
            candidates.append((-same, token.end() - len(tail)))
    for _, start in sorted(candidates)[:TOKENS]:
        end = start
        # Blanks before the words are right of the cursor too.
        if after[:1].isspace():
            end = len(raw.text[:start].rstrip(" \t"))
        if _may_end(raw, end, limit):
            return end
    return None


def _may_end(raw: RawText, end: int, limit: int) -> bool:
    """Whether the text up to `end` has no unfinished string, and fits as well as up to `limit`."""
    if any(opening.kind is OpeningKind.STRING for opening in raw.scan(end).opened):
        return False
    return raw.hole.imbalance(raw.text[:end]) <= raw.hole.imbalance(raw.text[:limit])


def _is_comparison(word: str) -> bool:
    return _COMPARISON.fullmatch(word) is not None


def _is_telling(word: str, is_text: bool) -> bool:
    """Whether a word or sign is repeated by no accident."""
    return is_text or is_word(word[0]) or _BEGINS.fullmatch(word) is not None


def _expression_end(raw: RawText, line: Line) -> Stop | None:
    """Stop at the end of a line at which every bracket that the text opened is closed."""
    # Where words end blocks, a function ends with one of them.
    first = raw.lines[0]
    is_block = raw.hole.language.blocks is Blocks.WORDS and raw.opens(first)
    leads = first.text.rstrip().endswith(raw.hole.after.strip())
    if is_block and not leads and not (line.start and line.closes and line.depth <= raw.hole.base):
        return None
    opened = raw.scan(line.end).opened
    # What is in the element at whose tag the cursor is may be there already.
    has_content = raw.hole.is_in_new_tag and indentation(raw.hole.below) > raw.hole.base
    if not opened or (has_content and all(one.kind is OpeningKind.TAG for one in opened)):
        return fitted(raw, Stop(line.end, line.complete_at, StopRule.LINE))
    # What seems to begin a string may end one that the language does not know, as in a script in YAML.
    # A bracket may be the one right of the cursor, as that of the function whose type is being written.
    is_next = [opening.mark for opening in opened] == [raw.hole.after.strip()]
    is_rest = is_next or opened[-1].kind is OpeningKind.STRING
    stop = rest_of_line(raw, line) if is_rest else None
    return stop if stop and stop.end <= opened[-1].offset < line.end else None


def rest_of_line(raw: RawText, line: Line) -> Stop | None:
    """Stop where the text right of the cursor begins in a line that ends with it."""
    after, text = raw.hole.after.rstrip(), line.text.rstrip()
    end = line.end - (len(line.text) - len(text)) - len(after)
    if not text.endswith(after) or end < line.start or not is_balanced(raw, end, line):
        return None
    # It is another line, indented deeper.
    if raw.hole.is_before_line and end > line.start and not raw.text[line.start : end].strip():
        return None
    return Stop(end, line.complete_at, StopRule.REST_OF_LINE)


def is_balanced(raw: RawText, end: int, line: Line) -> bool:
    """Whether cutting the text at `end` leaves no more unmatched brackets than keeping the line."""
    return raw.hole.imbalance(raw.text[:end]) <= raw.hole.imbalance(raw.text[: line.end])


def is_distinctive(after: str) -> bool:
    """Whether the text right of the cursor is more than brackets, so that its repetition is no accident."""
    return len(after.strip()) >= 3 and any(character.isalnum() for character in after)
