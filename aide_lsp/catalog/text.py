"""Text from elsewhere, such as a model's own metadata, made fit for a model card and a terminal."""

from typing import Any


def one_line(value: Any, most: int = 80) -> str:
    """Return a text as one line of printable characters, cut to a length; empty if it is none."""
    if not isinstance(value, str):
        return ""
    # First cut: a hostile text may have megabytes.
    shown = "".join(character if character.isprintable() else " " for character in value[: 4 * most])
    line = " ".join(shown.split())
    return line if len(line) <= most else line[: most - 3].rstrip() + "..."
