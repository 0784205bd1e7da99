"""Builds HTML in which all text is escaped."""

from html import escape

VOID = frozenset({"br", "hr", "input"})
"""Elements without an end tag."""


class Markup(str):
    """HTML. Every other string is text."""

    __slots__ = ()


def h(tag: str, attributes: dict[str, str | bool] | None = None, *children: str) -> Markup:
    """Return an element.

    Args:
        tag: its name.
        attributes: True for one without a value; those that are False are left out. There is no `style`: the
            policy of a page forbids it, so use classes.
        children: markup, or text, which is escaped.
    """
    named = (attributes or {}).items()
    written = "".join(
        f" {name}" if value is True else f' {name}="{escape(str(value))}"'
        for name, value in named
        if value is not False
    )
    end = "" if tag in VOID else f"</{tag}>"
    return Markup(f"<{tag}{written}>{joined(*children)}{end}")


def joined(*children: str) -> Markup:
    """Return markup and text, which is escaped, one after the other."""
    return Markup("".join(child if isinstance(child, Markup) else escape(child) for child in children))
