"""A document without the cursor's line: what its types are, and what names mean at the cursor."""

import re
from collections.abc import Callable
from functools import cached_property, lru_cache

from attrs import field, frozen

from aide_lsp.context.names.module import Cursor, outline_of
from aide_lsp.context.types.chunks import LONGEST_FAULTY, Code, chunks, closing, code_of, stand_ins
from aide_lsp.context.types.facts import ADDS, UNKNOWN_TYPE, FileTypes, merged
from aide_lsp.context.types.rules import TypeRules
from aide_lsp.context.types.scopes import Scopes, is_free, is_used_alone
from aide_lsp.syntax.languages import language_of
from aide_lsp.syntax.tree import root_of, roots_with

KEPT = 8
"""Documents that are kept: while a line is typed, the rest of the text is the same."""
LONGEST_CHUNK = 100_000
"""Characters of the part of a document that the cursor is in."""
KEPT_CHUNKS = 2_000
"""Parts of documents: what they say is known while others are edited. A document with more is not understood:
all of it would be parsed again at each new line."""
_CHAIN = re.compile(r"[^\W\d]\w*(?:(?:[?!]?\.|::)#?\w+)*")
_NAME = re.compile(r"(?<![\w.])#?[^\W\d]\w*\Z|(?<=\.)#?\w+\Z")
_DOT = re.compile(r"(?:[?!]?\.|::)\Z")
_PART_BEFORE = re.compile(r"[\"'`$#@.)\]}>]\Z")
"""Before a name or bracket: it is part of something else."""
_CALLED_BEFORE = re.compile(r"(\w+)(?:[ \t]+|[?!])\Z")
"""Before a bracket: it has arguments, unless the word is a keyword."""
_KEYWORDS = ("return", "await", "not", "and", "or", "if", "in", "is", "else", "yield", "assert", "case")
_NEW = re.compile(r"(?<![\w$])new[ ]+\Z")
_LEAD = re.compile(r"[ \t]*(?:[)\]}][)\]};, \t]*(?:else\b)?)?")
_IN_STRING = re.compile(r"(?:\b[rR]?[fF][rR]?([\"'])(?:(?!\1).)*?\{|`[^`]*?\$\{)(?=[^{}]*\Z)")
"""Up to where code begins in a string."""


@frozen(eq=False)
class OtherLines:
    """A document without the cursor's line."""

    parts: tuple[str, ...] = field(repr=False)
    "Its parts: see `chunks`."
    number: int
    "Of the part that the cursor is in."
    code: Code = field(repr=False)
    "That part."
    at: int
    "The cursor in it."
    grammar: str
    rules: TypeRules
    scopes: Scopes = field(init=False, repr=False)
    "Those of that part."
    kept: dict[str, str] = field(factory=dict, init=False, repr=False)

    @scopes.default
    def _scopes(self) -> Scopes:
        return Scopes(self.code, self.rules.scopes)

    @cached_property
    def types(self) -> FileTypes:
        """What it says of types."""
        return merged(
            one
            for number, part in enumerate(self.parts)
            for one in (
                _facts(self.code, self.scopes, self.rules)
                if number == self.number
                else _kept_facts_in(part, self.grammar, self.rules)
            )
        )

    def meaning(self, name: str) -> str:
        """Return an expression for what a name means at the cursor; empty: it is not known."""
        if name not in self.kept:
            self.kept[name] = self.scopes.meaning(name, self.at)
        return self.kept[name]

    @lru_cache(KEPT)  # noqa: B019 - few are kept
    def members_used(self, chain: str) -> tuple[str, ...]:
        """Return the members that its code uses of a name or chain of names, sorted."""
        first = chain.partition(".")[0]
        text = "\n".join(self.parts) if is_free(first, self.meaning(first)) else self.scopes.text
        dot = r"(?:[?!]?\.|::)"
        names = dot.join(map(re.escape, chain.split(".")))
        return tuple(sorted(set(re.findall(rf"(?<![\w.$:]){names}{dot}(\w+)", text))))

    @lru_cache(KEPT)  # noqa: B019
    def asks(self, chain: str) -> bool:
        """Whether code around the cursor asks for the type of what a chain of names is."""
        return self.scopes.is_asked(chain, self.at)


@frozen
class Receiver:
    """What is before a dot, if its type is certain: one of its members comes at the cursor."""

    expression: str
    "For its value, in names of the document: `Cart()`, `shop.make().box`. See `FileTypes.gives`."
    document: OtherLines = field(repr=False)
    used: tuple[str, ...] = ()
    "Members that the document uses elsewhere: the type has them, or is to have them."


@lru_cache(KEPT)
def document(above: str, below: str, lead: str, grammar: str, rules: TypeRules) -> OtherLines | None:
    """Return a document without the cursor's line, which begins with `lead`; None: it is not understood."""
    text = above + below
    bare = rules.chunks.bare(text, len(above))
    if bare is None:
        return None
    lines, bare_lines, cursor = text.split("\n"), bare.split("\n"), above.count("\n")
    spans = list(chunks(bare_lines, 0, len(lines)))
    if len(spans) > KEPT_CHUNKS:
        return None
    number = next(number for number, (_, end) in enumerate(spans) if cursor < end)
    start, end = spans[number]
    before, after = lines[start:cursor], lines[cursor + 1 : end]
    if sum(map(len, (*before, *after))) > LONGEST_CHUNK:
        return None
    bare_before = "\n".join(bare_lines[start:cursor])
    found = list(stand_ins(lead, bare_before, "\n".join(bare_lines[cursor + 1 : end]), rules.chunks))
    code: Code | None = None
    around = "".join(f"{one}\n" for one in before), "\n".join(("", *after, ""))
    for line, root in roots_with(found, *around, grammar):
        if root is None or (root.has_error and len(root.text) > LONGEST_FAULTY):
            return None
        if not root.has_error:
            code = Code(root, line.join(around))
            break
    else:
        line = found[0]
        code = code_of(line.join(around), grammar, rules.chunks)
    if code is None or code.text.split("\n")[cursor - start] != line:
        return None
    at = sum(len(one) + 1 for one in code.text.split("\n")[: cursor - start]) + len(lead)
    parts = tuple("\n".join((*lines[one:last], "")) for one, last in spans)
    return OtherLines(parts, number, code, at, grammar, rules)


def receiver(cursor: Cursor, grammar: str, rules: TypeRules) -> Receiver | None:
    """Return what is before the cursor and a dot, if its type is certain."""
    in_string = _IN_STRING.search(cursor.before)
    before = cursor.before[in_string.end() :] if in_string else cursor.before
    bare, lead, dot = rules.chunks.bare(before), _LEAD.match(cursor.before), _DOT.search(before)
    if bare is None or lead is None or dot is None or not bare.endswith(dot.group()):
        return None
    start = operand_start(bare[: dot.start()])
    operand = before[start : dot.start()]
    # What these are as modules depends on the module around.
    if "::" in operand + dot.group() and (not rules.has_paths or re.match(r"(?:self|super)\b", operand)):
        return None
    is_unwrapped = rules.has_paths and "?" in operand + dot.group()
    is_chain = _CHAIN.fullmatch(operand) is not None and not is_unwrapped
    if start < 0 or (is_chain and rules.is_open(operand, before[:start])):
        return None
    whole = document(cursor.above, cursor.below, lead.group(), grammar, rules)
    if whole is None:
        return None
    rest = before[:start] + "x" + cursor.after
    if not is_chain:
        value = _value(operand + "?" * (is_unwrapped and "?" in dot.group()), rest, whole, grammar)
        return Receiver(value, whole) if value else None
    chain = re.sub("[?!]", "", operand).replace("::", ".")
    first, *names = chain.split(".")
    value, line = whole.meaning(first), before + "x" + cursor.after
    if (is_used_alone(first, line) or is_used_alone(chain, line)) and (
        code := _code_of_line(line, grammar, rules)
    ):
        scopes = Scopes(code, rules.scopes, whole.meaning)
        # In part of something, such as an arm of a `match`, what binds the name may not be seen.
        is_part = code.root.has_error and is_used_alone(first, before[:start]) and not scopes.bindings(first)
        value = "" if is_part or scopes.is_asked(chain) else _in_line(first, value, scopes, start)
    if not value or whole.asks(chain):
        return None
    return Receiver(".".join((value, *names)), whole, whole.members_used(chain))


def _code_of_line(line: str, grammar: str, rules: TypeRules) -> Code | None:
    """Return a line as code: with what it leaves open closed, and without what it closes, if that parses."""
    root, lead = root_of(line, grammar), _LEAD.match(line)
    if root is not None and root.has_error and lead is not None:
        bare = rules.chunks.bare(line) or ""
        whole = " " * lead.end() + line[lead.end() :] + closing(bare[lead.end() :]) + ";\n"
        whole_root = root_of(whole, grammar)
        if whole_root is not None and not whole_root.has_error:
            return Code(whole_root, whole)
    return None if root is None else Code(root, line)


def _value(operand: str, rest: str, whole: OtherLines, grammar: str) -> str:
    """Return an expression for what is more than a chain of names; `rest`: of its line."""
    operand += ";\n"
    root = root_of(operand, grammar)
    if root is None or root.has_error or len(root.named_children) != 1:
        return ""
    scopes = Scopes(Code(root, operand), whole.rules.scopes, _unless_used(rest, whole))
    statement = root.named_children[0]
    return scopes.value(statement.named_children[0]) if len(statement.named_children) == 1 else ""


def _unless_used(rest: str, whole: OtherLines) -> Callable[[str], str]:
    # What else has the name in the line may bind it.
    return lambda name: "" if is_used_alone(name, rest) else whole.meaning(name)


def operand_start(bare: str) -> int:
    """Return where a chain of names, calls, and brackets begins that ends with some code; -1: it is none."""
    place, is_bracket = len(bare), False
    while place > 0:
        if bare[place - 1] == ")":
            place = _opened(bare, place)
            if is_bracket := place < 0 or _NAME.search(bare[:place]) is None:
                break
        name = _NAME.search(bare[:place])
        if name is None:
            return -1
        place = name.start()
        if (dot := _DOT.search(bare[:place])) is None:
            break
        place = dot.start()
    before = bare[: max(place, 0)]
    called = _CALLED_BEFORE.search(before) if is_bracket else None
    if place < 0 or _PART_BEFORE.search(before) or (called and called[1] not in _KEYWORDS):
        return -1
    new = _NEW.search(before)
    place = new.start() if new else place
    return -1 if bare[:place].endswith(".") else place


def _opened(bare: str, end: int) -> int:
    """Return where the bracket is opened that is closed at the end of some code; -1: nowhere."""
    depth = 0
    for place in range(end - 1, -1, -1):
        depth += (bare[place] in ")]}") - (bare[place] in "([{")
        if depth == 0:
            return place
    return -1


def _in_line(name: str, meaning: str, scopes: Scopes, at: int) -> str:
    """Return what a name means, given that the cursor's line may bind it."""
    values = {one.value() for one in scopes.bindings(name) if one.start <= at} - {None}
    if not is_free(name, meaning) or not values:
        values.add(meaning)
    return (values.pop() or "") if len(values) == 1 else ""


def _facts(code: Code, scopes: Scopes, rules: TypeRules) -> tuple[FileTypes, ...]:
    lost = frozenset((*re.findall(r"\w+", code.lost), *re.findall(r"#\w+", code.lost)))
    extended = {ADDS + one: UNKNOWN_TYPE for one in rules.extended(code.lost)}
    return FileTypes(extended, given=lost), *rules.read(scopes)


def _facts_in(text: str, grammar: str, rules: TypeRules) -> tuple[FileTypes, ...]:
    code = code_of(text, grammar, rules.chunks)
    return (FileTypes(gives_any=True),) if code is None else _facts(code, Scopes(code, rules.scopes), rules)


_kept_facts_in = lru_cache(KEPT_CHUNKS)(_facts_in)


@frozen
class FileTypesOf:
    """Reads what the text of a file says of types; equal ones do the same."""

    path: str
    rules: TypeRules

    def __call__(self, text: str) -> FileTypes:
        grammar = language_of("", self.path).grammar
        root = outline_of(text, self.rules.outline, grammar)
        if root is None:
            return merged(_facts_in(text, grammar, self.rules))
        code = Code(root, root.text)
        return merged(_facts(code, Scopes(code, self.rules.scopes), self.rules))
