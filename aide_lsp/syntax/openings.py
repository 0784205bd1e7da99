"""What is open at a place in a text: brackets, strings, comments, code in strings, tags."""

from enum import Enum

from attrs import frozen

CLOSERS = {"(": ")", "[": "]", "{": "}"}
"""Closing bracket by its opening one."""


class OpeningKind(Enum):
    """What was opened."""

    BRACKET = "bracket"
    STRING = "string"
    INTERPOLATION = "interpolation"
    "Code in a string."
    COMMENT = "comment"
    TAG = "tag"


@frozen
class Opening:
    """Something that begins before a place and does not end before it."""

    kind: OpeningKind
    mark: str
    "What opens it, such as `(`, `${`, `'''`, `/*`, or `<b>`."
    closer: str
    "What closes it, such as `)`, `}`, `'''`, `*/`, or `</b>`; a line feed: the end of the line."
    offset: int
    "Where it begins, in code points."
    is_closed: bool = False
    "Whether the text after the place closes it."
