"""Some lines of another file, and what was chosen for one place."""

from attrs import field, frozen


@frozen
class Excerpt:
    """Some lines of another file of the project."""

    path: str
    "Of the file, relative to the project's root, with `/` on every system."
    first_line: int
    "Number of its first line, from 1."
    text: str = field(repr=False)
    "Complete lines with \\n line ends."
    score: float = field(eq=False)
    "How well it matches the lines around the cursor; larger is better. Comparable within one selection."

    @property
    def last_line(self) -> int:
        """Number of its last line."""
        return self.first_line + max(0, self.text.count("\n") - self.text.endswith("\n"))


@frozen
class LeftOut:
    """A file that is not read, and why."""

    path: str
    "Of the file, relative to the project's root, with `/` on every system."
    reason: str
    "In words."


@frozen
class Selection:
    """What was chosen for one place: a function of texts, line, and settings only."""

    excerpts: tuple[Excerpt, ...] = ()
    "Best first. How many of them the model reads depends on Num Context."
    left_out: tuple[LeftOut, ...] = ()
    "Files that were found but not read."
    files: tuple[str, ...] = ()
    "Files that were read, nearest first."
