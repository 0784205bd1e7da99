"""Line ends, of which models and grammars know one kind."""

import re

LINE_END = re.compile(r"\r\n|\n|\r")
"""What ends a line in the language server protocol, and so in editors."""


def with_line_feeds(text: str) -> str:
    r"""Return a text with \n line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
