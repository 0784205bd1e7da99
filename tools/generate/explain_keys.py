"""The keys of `aide explain --json` as a Markdown table, from the doc strings of the attributes."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import attrs

from aide_lsp.explain.explanation import Explanation


def key_table() -> str:
    """Render every key; a list has `[]`."""
    return "\n".join(["| Key | |", "|---|---|", *(f"| `{key}` | {doc} |" for key, doc in _keys(Explanation))])


def _keys(cls: type[attrs.AttrsInstance], prefix: str = "") -> Iterator[tuple[str, str]]:
    docs = _attribute_docs(cls)
    for field in attrs.fields(cls):
        is_list, inner = _item_type(field.type)
        key = prefix + field.name + ("[]" if is_list else "")
        yield key, docs[field.name]
        if inner is not None and field.name != "completion":  # its keys are those of `aide complete --json`
            yield from _keys(inner, f"{key}.")


def _item_type(kind: Any) -> tuple[bool, type[attrs.AttrsInstance] | None]:
    """Say whether values of a type are lists of objects, and of which class the objects are, if any."""
    item = get_args(kind)[0] if get_origin(kind) is tuple else kind
    if not attrs.has(item):
        return False, None
    return item is not kind, item


def _attribute_docs(cls: type) -> dict[str, str]:
    """Return the string under each attribute of a class."""
    # From the source, because Python keeps no strings under attributes.
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    return {
        declared.target.id: " ".join(doc.value.value.split())
        for declared, doc in zip(tree.body, tree.body[1:], strict=False)
        if isinstance(declared, ast.AnnAssign) and isinstance(declared.target, ast.Name)
        if isinstance(doc, ast.Expr)
        and isinstance(doc.value, ast.Constant)
        and isinstance(doc.value.value, str)
    }
