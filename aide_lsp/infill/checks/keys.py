"""Keys and names: is one of them there twice, of those that there may only be one of?

So it is with keys of a mapping, named arguments, parameters, attributes of a tag, members of an enum, fields,
cases, and functions with the same parameters: two neighbors in the tree must not have the same name. In a
list of data with several different strings, none is there twice.
"""

import re
from collections.abc import Iterator

from attrs import frozen

from aide_lsp.infill.checks.filled import FilledText
from aide_lsp.syntax.node import SyntaxNode

ENTRIES = (
    "pair", "block_mapping_pair", "flow_pair", "table", "keyed_element", "element_value_pair", "field",
    "initializer_pair", "field_initializer", "keyword_argument", "argument", "jsx_attribute", "attribute",
    "enum_assignment", "enum_constant", "enum_variant", "enumerator", "enum_member_declaration", "enum_entry",
    "enum_case", "property_signature", "public_field_definition", "property_declaration", "field_declaration",
    "lexical_declaration", "local_variable_declaration", "struct_item", "enum_item", "match_arm", "when",
    "import_specifier", "column_definition",
)  # fmt: skip
"""Kinds of nodes of which two neighbors have different names, in all languages."""
PARAMETERS = (
    "parameter", "formal_parameter", "required_parameter", "optional_parameter", "keyword_parameter",
    "typed_parameter", "default_parameter", "typed_default_parameter", "simple_parameter", "class_parameter",
    "parameter_declaration", "assignment_pattern", "shorthand_property_identifier_pattern",
    "object_assignment_pattern", "pair_pattern", "shorthand_property_identifier",
)  # fmt: skip
"""Kinds of parameters, and of names of JavaScript that are taken out of an object, or put into one."""
LISTS = ("parameters", "formal_parameters", "lambda_parameters", "method_parameters")
"""Where a plain name is a parameter, too."""
CASES = ("switch_case", "expression_case", "case_statement", "case_item")
"""The same, with a value instead of a name."""
FIRST = (
    "pair", "table", "jsx_attribute", "attribute", "initializer_pair", "lexical_declaration",
    "column_definition",
)  # fmt: skip
"""Those whose name is their first part, unless the grammar says so."""
DATA = "document"
"""The root of JSON and TOML."""
LEAST_STRINGS = 3
"""Different strings before one that is there twice: fewer show nothing."""
FUNCTIONS = ("function", "method", "constructor")
"""Parts of the types of nodes of which two may have one name, but not with the same parameters."""
SINGLE = "method_definition"
"""A method of JavaScript and TypeScript: no other with a body has its name."""
ACCESSORS = ("get", "set")
"""What is before the names of two such methods that belong together."""
MEMBERS = {SINGLE, "public_field_definition"}
"""Members of a class of TypeScript: only a getter and a setter can have one name."""
PARTS = ("alias", "key", "name", "field", "pattern", "declarator")
"""What grammars call the part of a node that is its name."""
WORD = re.compile(r"\w+")
VALUE = re.compile(r"\"[^\"]*\"|'[^']*'|\{[^{}\s]*\}")
"""The value of an attribute; one in braces that has blanks is several attributes to the grammar of HTML."""
TEMPLATE = re.compile(r"\{|<[%?]")
"""What may begin a condition, or several attributes, in a tag without its values."""
HANDLER = re.compile(r"[@(]|(?:on|use|v-on):")
"""How the name of an attribute begins that a tag may have several of: handlers of events, and actions."""
SEVERAL = ("_", "init", "<<")
"""Names that there may be several of: in Go, functions that run first; in YAML, mappings to be merged."""
INTERFACE = "explicit_interface_specifier"
"""In C#, what is before the name of a method that only an interface has."""
ATTRIBUTE = "attribute_item"
"""An attribute of Rust."""
DIRECTIVE = "directive"
"""Such as `#if` in Swift, whose grammar does not tell what depends on it."""
MOST_ENTRIES = 1000
"""Neighbors that are compared; among more no name is looked for."""


@frozen
class _Entry:
    """A node that has a name."""

    node: SyntaxNode
    name: SyntaxNode
    key: str
    "What is there once: the name, and a function's parameters."


def first_repeated_key(filled: FilledText) -> int | None:
    """Return where the text has an entry whose key is there twice; None: nowhere."""
    key = min((entry.node.start for entry in _entries(filled) if _is_repeated(entry)), default=None)
    return _first_repeated_string(filled) if key is None else key


def _first_repeated_string(filled: FilledText) -> int | None:
    """Return where the text repeats a string of a list of data in lines of their own; None: nowhere."""
    around = filled.root.smallest(filled.start, filled.end)
    parent = next((node for node in (around, *around.ancestors()) if node.type == "array"), None)
    if filled.root.type != DATA or parent is None or parent.has_error:
        return None
    strings = [node for node in parent.named_children[:MOST_ENTRIES] if _is_line(filled, node)]
    own = [node for node in strings if node.start < filled.end and node.end > filled.start]
    others = [node.text for node in strings if node not in own]
    known = set(others)
    if len(known) < len(others):
        return None
    for node in own:
        if node.text in known and len(known) >= LEAST_STRINGS:
            return node.start
        known.add(node.text)
    return None


def _is_line(filled: FilledText, node: SyntaxNode) -> bool:
    """Whether a string begins its line; options of a program may come twice."""
    above = filled.text[filled.text.rfind("\n", 0, node.start) + 1 : node.start]
    return node.type == "string" and not above.strip() and not node.text[1:].startswith("-")


def _entries(filled: FilledText) -> Iterator[_Entry]:
    """Yield the entries whose names the text has, or ends."""
    around = filled.root.smallest(filled.start, filled.end)
    nodes, inside = [*around.ancestors()], [around]
    while inside:
        nodes.append(inside.pop())
        parts = (part for part in nodes[-1].named_children if part.end > filled.start)
        inside.extend(part for part in parts if part.start < filled.end)
    for entry in filter(None, map(_entry, nodes)):
        if entry.name.start < filled.end and entry.name.end > filled.start:
            yield entry


def _entry(node: SyntaxNode) -> _Entry | None:
    name, kind = None, node.type
    if kind in CASES:
        name = node.part("value")
    elif kind in ENTRIES:
        name = next(filter(None, map(node.part, PARTS)), None)
        if name is None and kind in FIRST:
            name = next(iter(node.named_children), None)
        if name is None or not _is_unique(node, name):
            return None
    elif _is_parameter(node):
        name = _parameter_name(node)
    elif kind == "expression_statement":
        name = _field(node)
    elif kind == "dotted_name":
        statement = node.parent
        is_import = statement is not None and statement.type == "import_from_statement"
        name = node if is_import and statement and node != statement.part("module_name") else None
    elif any(part in kind for part in FUNCTIONS) and (body := node.part("body")) is not None:
        name = node.part("name") or node.part("declarator")
        # In C, what is in a function and seems to be one is a macro before a statement.
        if name is None or name.text in SEVERAL or (node.parent and node.parent.type == "compound_statement"):
            return None
        if node.type == SINGLE:
            return _Entry(node, name, _owner(node, name) + name.text)
        # In Go and Ruby, what it is a function of is before the name.
        start = (node.part("receiver") or node.part("object") or name).start - node.start
        header = "".join(node.text[start : body.start - node.start].split())
        return _Entry(node, name, _owner(node, name) + header)
    if name is None or name.text in SEVERAL:
        return None
    if "declarator" in name.type:
        name = name.part("name") or name
    return _Entry(node, name, _owner(node, name) + name.text)


def _is_parameter(node: SyntaxNode) -> bool:
    is_plain = node.type == "identifier" and node.parent is not None and node.parent.type in LISTS
    return is_plain or node.type in PARAMETERS


def _parameter_name(node: SyntaxNode) -> SyntaxNode | None:
    """Return what a parameter is called inside; None: nothing that is sure to be its name."""
    if not node.named_children:
        return node
    name = next(filter(None, map(node.part, ("pattern", "name", "declarator", "left", "value"))), None)
    if name is None:
        return next((part for part in node.named_children if part.type == "identifier"), None)
    # In C++, only a type is there, such as `char *`.
    return None if name.type.startswith("abstract") else name


def _is_unique(node: SyntaxNode, name: SyntaxNode) -> bool:
    """Whether an entry is of a kind of which its language has only one with a name."""
    parent = node.parent
    if node.type == "field":  # of a table; in SQL, a column that is read
        return parent is not None and parent.type == "table_constructor"
    if node.type != "attribute":
        return True
    # Only of tags: others may be repeated, and so may what a template has there.
    is_plain = name.type == "attribute_name" and not HANDLER.match(name.text)
    return is_plain and parent is not None and not TEMPLATE.search(VALUE.sub("", parent.text))


def _owner(node: SyntaxNode, name: SyntaxNode) -> str:
    """Return what members of one name may differ in: of the class or not, get or set, and for what."""
    parts = (part for part in node.children if part.start < name.start)
    found = (
        part for part in parts if part.type == INTERFACE or "static" in part.text or part.text in ACCESSORS
    )
    return " ".join(part.text for part in found)


def _field(node: SyntaxNode) -> SyntaxNode | None:
    """Return the name that a statement of Python adds to a class, or to an enum."""
    block = node.parent
    owner, assignment = block and block.parent, next(iter(node.named_children), None)
    if owner is None or owner.type != "class_definition" or assignment is None:
        return None
    name, value = assignment.part("left"), assignment.part("right")
    if assignment.type != "assignment" or name is None or name.type != "identifier":
        return None
    is_used = value is not None and value.type != "string" and name.text in WORD.findall(value.text)
    # As in `name = property(name)`.
    return None if is_used else name


def _is_repeated(entry: _Entry) -> bool:
    parent = entry.node.parent
    # Where a part does not parse, it may be one of two versions, as in a conflict.
    if parent is None or parent.has_error or _is_conditional(entry.node):
        return False
    others = parent.named_children
    if len(others) > MOST_ENTRIES or any(other.type == DIRECTIVE for other in others):
        return False
    is_parameter = _is_parameter(entry.node)
    found = (
        _entry(other)
        for other in others
        if other.type == entry.node.type or (is_parameter and _is_parameter(other))
    )
    alike = (other for other in found if other and other.node != entry.node and other.key == entry.key)
    members = (_entry(other) for other in others if {other.type, entry.node.type} <= MEMBERS)
    if any(other and other.node != entry.node and _are_members(entry, other) for other in members):
        return True
    return any(not (_is_conditional(other.node) or _are_one(entry.node, other.node)) for other in alike)


def _are_one(one: SyntaxNode, other: SyntaxNode) -> bool:
    """Whether two statements of Python define one name together: `x: int`, and `x = 1` without a type."""
    parts = [node.named_children[0] for node in (one, other) if node.type == "expression_statement"]
    return {(part.part("type") is None, part.part("right") is None) for part in parts} == {
        (False, True),
        (True, False),
    }


def _are_members(one: _Entry, other: _Entry) -> bool:
    """Whether two members have one name, both of the class or neither, and do not belong together."""
    owners = [_owner(entry.node, entry.name).split() for entry in (one, other)]
    are_alike = one.name.text == other.name.text and len({"static" in owner for owner in owners}) == 1
    return are_alike and {part for owner in owners for part in owner if part in ACCESSORS} != {*ACCESSORS}


def _is_conditional(node: SyntaxNode) -> bool:
    """Whether an attribute of Rust may say that only one of two counts, as `#[cfg(test)]` does.

    It is before an item, and in the arm of a `match` and the field of a value.
    """
    attributes, before = [part for part in node.children if part.type == ATTRIBUTE], node.previous
    while before is not None and before.type == ATTRIBUTE:
        attributes.append(before)
        before = before.previous
    return any("cfg" in attribute.text for attribute in attributes)
