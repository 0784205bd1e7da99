"""Types of Go: structs, interfaces, and others, at the top level of a package."""

import posixpath
import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names import go as modules
from aide_lsp.context.names.module import Cursor
from aide_lsp.context.types.code import (
    KEPT,
    CodeAround,
    Meaning,
    Use,
    bindings,
    blocks_at,
    closed_at,
    end_of,
    indent_of,
    opened_at,
    rest_of_line,
)
from aide_lsp.context.types.facts import FileTypes, Receiver, TypeFacts, TypeRules

MARKS = re.compile(
    r'(?P<open>`[^`]*\Z|/\*(?!.*?\*/))|`[^`]*`|/\*.*?\*/|"(?:\\.|[^"\\\n])*+"?|'
    r"'(?:\\[^\n]{1,10}?|[^'\\\n])'|//[^\n]*",
    re.DOTALL,
)
_DOTTED = re.compile(r"(?<![\w.)\]}\"'`])([^\W\d]\w*)\.(\w*)\Z")
_TYPE = r"\*?([^\W\d]\w*(?:\.\w+)?)(?:\[[^\]\n]*\])?"
_PARAMETER = re.compile(rf"(?:[ \t]*,[ \t]*\w+)*[ \t]+{_TYPE}[ \t]*(?=[,)\n]|\Z)")
_ODD_PARAMETER = re.compile(r"(?:[ \t]*,[ \t]*\w+)*[ \t]+(?:\*(?=\w)|\[|\.\.\.|<-|\(|[^\W\d])")
_VARIABLE = re.compile(rf"[ \t]*{_TYPE}[ \t]*(?=[=\n;]|\Z)")
_DEFINES = re.compile(r"(?:[ \t]*,[ \t]*\w+)*[ \t]*:=[ \t]*")
_BEFORE = re.compile(
    r"[ \t]*(?:\}?[ \t]*(?:else[ \t]+)?(?:if|for|switch|case)[ \t]+)?((?:\w+[ \t]*,[ \t]*)*)\Z"
    r"|.*;[ \t]*\Z|.*\{[ \t]*\Z"
)
_IN_VARIABLES = re.compile(r"[ \t]*(?:var|const)[ \t]+(?:\w+[ \t]*,[ \t]*)+\Z")
_GROUP_OF_VALUES = re.compile(r"\b(?:var|const)[ \t]*\Z")
_ENDED = re.compile(r";|[ \t]\{")
"""After what is declared in a line."""
_WORD = re.compile(r"\w+")
_LITERAL = re.compile(rf"&?{_TYPE}(?=[{{])")
_CALL = re.compile(rf"{_TYPE}(?=\()")
_NEW = re.compile(rf"new\({_TYPE}\)")
_ASSERTED = re.compile(rf"[\w.\[\]()]*\.\({_TYPE}\)")
_ENDS = re.compile(r"[ \t]*(?:[\n;]|\{[ \t]*\n|\Z)")
_HEAD = re.compile(r"(?:[^\n]*[^{\n]\n){0,50}?[^\n]*\{\n")
"""Of a function."""
_FIELDS = re.compile(r"(\w+(?:[ \t]*,[ \t]*\w+)*)[ \t]+\S")
_EMBEDDED = re.compile(r'\*?([^\W\d][\w.]*)(?:\[[^\]]*\])?[ \t]*(?:""|["`].*)?\Z')
_METHOD = re.compile(r"(\w+)\(")
_DECLARED = re.compile(
    r"^(type[ \t]+|\t)(\w+)(\[[^\]\n]*[^\]\n \t][^\]\n]*\])?[ \t]+(=[ \t]*)?(?=\S)", re.MULTILINE
)
_GROUP = re.compile(r"^type[ \t]*\(\n", re.MULTILINE)
_FUNCTION = re.compile(
    r"^func[ \t]+(?:\((?:\w+[ \t]+)?\*?(\w+)(?:\[[^\]\n]*\])?\)[ \t]*)?(\w+)[ \t]*(\[[^\]\n]*\])?(\()",
    re.MULTILINE,
)
_RESULT = re.compile(rf"[ \t]*(?:\([ \t]*(?:\w+[ \t]+)?{_TYPE}[ \t]*[,)]|{_TYPE}[ \t]*(?:\{{|\n|\Z))")
_PACKAGE = re.compile(r"^package[ \t]+(\w+)", re.MULTILINE)
_DECLARATION = re.compile(r"^(?:func|type|var|const)\b", re.MULTILINE)
_PLAIN = re.compile(
    r"(?:\[|map\[|chan\b|<-|func\b|u?int\d*\b|string\b|bool\b|byte\b|rune\b|float\d+\b|complex\d+\b|uintptr\b)"
)
_NAMED = re.compile(rf"{_TYPE}[ \t]*\Z")
_STANDARD = {
    "error": "Error", "sync.Mutex": "Lock TryLock Unlock", "sync.Locker": "Lock Unlock",
    "sync.RWMutex": "Lock RLock RLocker RUnlock TryLock TryRLock Unlock", "fmt.Stringer": "String",
    "context.Context": "Deadline Done Err Value", "io.Reader": "Read", "io.Writer": "Write",
    "io.Closer": "Close",
    "io.ReadCloser": "Close Read", "io.WriteCloser": "Close Write", "io.ReadWriter": "Read Write",
}  # fmt: skip


def receiver(cursor: Cursor) -> Receiver | None:
    """Return the name before the cursor and a dot, if its type is certain."""
    found = _DOTTED.search(cursor.before)
    if found is None:
        return None
    code = CodeAround.of(cursor, MARKS)
    if code is None:
        return None
    name, begun = found.groups()
    meaning = _meaning(name, code.above, code.below)
    own = _of(name, code.before + code.after, len(code.before), 0)
    # The line may close blocks in which the name is declared.
    is_seen_here = own.blocks >= 0 or meaning.blocks >= code.before.count("}")
    found_at = code.receiver(name, begun, meaning, own.kinds) if is_seen_here else None
    if found_at is None:
        return None
    first = found_at.type.removesuffix("()").partition(".")[0]
    is_meant = _is_of_package(first, meaning.scope) and not any(bindings(first, code.before, _binds))
    return found_at if is_meant else None


_TYPE_PARAMETERS = re.compile(
    r"func[ \t]+(?:\([^)\[]*(?:\[([^\]]*)\])?\)[ \t]*)?\w+[ \t]*(?:\[((?:[^\[\]]|\[[^\]]*\])*)\])?"
)


@lru_cache(KEPT)
def _is_of_package(first: str, scope: str) -> bool:
    """Whether the name of a type, or of what it is of, is nothing else in a function."""
    head = _TYPE_PARAMETERS.match(scope)
    if head and first in _WORD.findall(f"{head[1]} {head[2]}"):
        return False
    return not any(bindings(first, scope, _binds))


@lru_cache(KEPT)
def _meaning(name: str, above: str, below: str) -> Meaning:
    """Return what a name means in the function between two texts."""
    start = above.rfind("\nfunc") + 1
    end = above.find("\n", start) + 1
    if not above.startswith("func", start) or end_of(above[end:], 0) < len(above) - end:
        return Meaning(frozenset(), blocks=-1)
    head = _HEAD.match(above, start)
    body = head.end() - start if head is not None else 0
    return _of(name, above[start:] + below[: end_of(below, 0)], len(above) - start, body)


def _of(name: str, code: str, cursor: int, body: int) -> Meaning:
    """Return what a name means at a place in some code: what is before `body` is seen in all of it."""
    kinds, blocks = set[str](), -1
    for use, kind in bindings(name, code, _binds):
        kinds.add(kind)
        start = use.start
        if start < body:
            start = body
        elif _declares_for_block(use):
            # What is declared in the head of a block is seen in the block only.
            opened = code.find("{", use.end) + 1 or len(code)
            # The cursor may be in the rest of the head.
            start = opened if opened <= cursor or "\n" in code[start:cursor] else start
        elif "\n" not in code[start:cursor] and not _ENDED.search(code, use.end, cursor):
            kinds.add("")  # in its own value, it has the meaning that it had
        if start <= cursor and not _is_of_other_case(use, cursor):
            blocks = max(blocks, blocks_at(code, start, cursor))
    return Meaning(frozenset(kinds), code, blocks)


def _is_of_other_case(use: Use, cursor: int) -> bool:
    """Whether another case begins between a declaration and the cursor."""
    indent = indent_of(use.left)
    other = re.compile(rf"^[ \t]{{0,{indent - 1}}}(?:case\b|default:)", re.MULTILINE) if indent else None
    return other is not None and other.search(use.code, use.end, cursor) is not None


def _declares_for_block(use: Use) -> bool:
    return (
        re.match(r"[ \t]*\}?[ \t]*(?:else[ \t]+)?(?:if|for|switch|case)\b", use.left) is not None
        or "func" in use.left
        or use.left.rstrip()[-1:] in ("(", ",")
    )


def _binds(use: Use) -> str | None:
    """Return which type a use of a name gives to it."""
    left, right, code = use.left, use.right, use.code
    if defines := _DEFINES.match(right):
        before = _BEFORE.match(left)
        if before is None or (before[1] or "").strip():
            return ""
        return _value(code, use.end + defines.end())
    word = re.search(r"(\w+)[ \t]*\Z", left)
    if word is not None and word[1] in ("var", "const", "type", "func", "package", "import"):
        found = _VARIABLE.match(right) if word[1] == "var" else None
        if found is not None:
            return found[1]
        value = re.match(r"[ \t]*=[ \t]*", right)
        return _value(code, use.end + value.end()) if value and word[1] == "var" else ""
    if not _IN_VARIABLES.match(left):
        pass
    elif found := _VARIABLE.match(right):
        return found[1]
    else:
        return ""
    mark = left.rstrip()[-1:] or code[: use.start].rstrip()[-1:]
    if mark in ("(", ","):
        if found := _PARAMETER.match(right):
            return found[1]
        return "" if _ODD_PARAMETER.match(right) else None
    if not left.strip() and re.match(r"[ \t]*=(?!=)", right):
        opened = opened_at(code, use.start)
        return "" if opened >= 0 and _GROUP_OF_VALUES.search(code, max(0, opened - 20), opened) else None
    return "" if not left.strip() and re.match(r"[ \t]+(?:\*(?=\w)|\[|[^\W\d])", right) else None


def _value(code: str, start: int) -> str:
    """Return the type of the value that begins at a place."""
    line = rest_of_line(code, start)
    if found := _NEW.match(line) or _ASSERTED.match(line):
        return found[1] if _ENDS.match(code, start + found.end()) else ""
    for pattern, mark in ((_LITERAL, ""), (_CALL, "()")):
        if found := pattern.match(line):
            end = closed_at(code, start + found.end())
            return found[1] + mark if end >= 0 and _ENDS.match(code, end) else ""
    return ""


def package(path: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the files in the folder of one: some may be of another package."""
    yield path
    folder = posixpath.dirname(path)
    for name in tree.files(folder):
        if name.endswith(".go") and (other := posixpath.join(folder, name)) != path:
            yield other


def is_seen(name: str) -> bool:
    """Whether another package sees a member."""
    return name[:1].isupper()


def known(name: str, module: str) -> frozenset[str] | None:
    """Return the members of a well-known interface or lock."""
    name = f"{module}.{name}" if module else name
    return frozenset(_STANDARD[name].split()) if name in _STANDARD else None


def read(code: str) -> FileTypes:
    """Return the types of a file."""
    named = _PACKAGE.search(code)
    if named is None:
        return FileTypes()
    types = dict[str, TypeFacts]()
    groups = [
        (found.end(), end)
        for found in _GROUP.finditer(code)
        if (end := closed_at(code, found.end() - 2)) >= 0
    ]
    for found in _DECLARED.finditer(code):
        is_grouped = found[1] == "\t"
        if not is_grouped or any(start <= found.start() < end for start, end in groups):
            _add(types, found[2], _declared(code, found.end(), 1 if is_grouped else 0))
    results = dict[str, str]()
    for found in _FUNCTION.finditer(code):
        if found[1]:
            _add(types, found[1], TypeFacts(frozenset((found[2],)), is_declared=False))
            continue
        end = closed_at(code, found.start(4))
        if end >= 0 and (result := _RESULT.match(code, end)):
            kind = result[1] or result[2]
            if kind not in _WORD.findall(found[3] or ""):
                results[found[2]] = kind
    imports = {
        alias or modules.VERSION.sub("", path).rpartition("/")[2]: (path, "")
        for alias, path in modules.IMPORT.findall(code[: _first(code)])
    }
    return FileTypes(types, imports, results, package=named[1])


def _first(code: str) -> int:
    """Return where the first declaration after the imports begins."""
    found = _DECLARATION.search(code)
    return found.start() if found else len(code)


def _add(types: dict[str, TypeFacts], name: str, facts: TypeFacts) -> None:
    types[name] = types[name].with_more(facts) if name in types else facts


def _declared(code: str, start: int, indent: int) -> TypeFacts:
    """Return what a declaration says, from the type on."""
    line = rest_of_line(code, start).strip()
    unknown = TypeFacts(is_complete=False)
    for word, reads in (("struct", _field), ("interface", _method)):
        if re.match(rf"{word}[ \t]*\{{", line):
            opened = code.index("{", start)
            end = closed_at(code, opened)
            return _body(code[opened + 1 : end - 1], indent, reads) if end >= 0 else unknown
    if _PLAIN.match(line):
        return TypeFacts()
    named = _NAMED.match(line)
    return TypeFacts(bases=(named[1],)) if named else unknown


def _body(body: str, indent: int, reads: Callable[[str, set[str], list[str]], bool]) -> TypeFacts:
    members, bases = set[str](), list[str]()
    lines = (
        body.split("\n") if "\n" in body else ["\t" * (indent + 1) + one.strip() for one in body.split(";")]
    )
    for line in lines:
        statement = line.strip()
        if not statement or indent_of(line) > indent + 1 or statement[0] in ")]}":
            continue
        if indent_of(line) <= indent or not reads(statement, members, bases):
            return TypeFacts(is_complete=False)
    return TypeFacts(frozenset(members), tuple(bases))


def _field(statement: str, members: set[str], bases: list[str]) -> bool:
    if found := _EMBEDDED.match(statement):
        bases.append(found[1])
        members.add(found[1].rpartition(".")[2])
    elif found := _FIELDS.match(statement):
        members.update(re.findall(r"\w+", found[1]))
    else:
        return False
    return True


def _method(statement: str, members: set[str], bases: list[str]) -> bool:
    if found := _METHOD.match(statement):
        members.add(found[1])
    elif found := _EMBEDDED.match(statement):
        bases.append(found[1])
    else:
        return False
    return True


RULES = TypeRules(receiver, MARKS, read, modules.files, package, known, is_seen=is_seen)
