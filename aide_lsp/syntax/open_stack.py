"""A stack of what tokens have opened and not closed; in unfinished code, a closer may skip what is open."""

from attrs import define

from aide_lsp.syntax.openings import Opening, OpeningKind

_BARRIERS = (OpeningKind.STRING, OpeningKind.INTERPOLATION)


@define
class Open:
    """Something open: an `Opening` that may still be closed."""

    kind: OpeningKind
    mark: str
    closer: str
    offset: int
    ends_with_line: bool = False
    "Whether it is a string that should end in its line."
    is_closed: bool = False
    is_decided: bool = False
    "Whether `is_closed` is known without reading the tokens after it."

    def opening(self) -> Opening:
        """Return it as a value."""
        return Opening(self.kind, self.mark, self.closer, self.offset, self.is_closed)


class OpenStack:
    """What is open, the innermost last. Tokens after a cursor have their own stack, on top of another."""

    def __init__(self, below: "OpenStack | None" = None) -> None:
        self.items: list[Open] = []
        self._below = below

    @property
    def top(self) -> Open | None:
        """The innermost opening."""
        if self.items:
            return self.items[-1]
        return self._below.top if self._below is not None else None

    @property
    def in_string(self) -> bool:
        """Whether the next token is in a string, and not in code in it."""
        return self.top is not None and self.top.kind is OpeningKind.STRING

    def open(self, item: Open) -> None:
        """Add something; in a string, only what begins code in it."""
        if not self.in_string or item.kind is OpeningKind.INTERPOLATION:
            self.items.append(item)

    def close(self, closer: str) -> Open | None:
        """Close the innermost that this closes, and drop what is open in it; in a string, only the string."""
        top = self.top
        if top is None or (top.kind is OpeningKind.STRING and top.closer != closer):
            return None
        index = self._find(closer)
        if index is None:
            return None
        if index < 0:
            closed = self._below.close(closer) if self._below is not None else None
            if closed is not None:
                self.items.clear()
            return closed
        closed = self.items[index]
        closed.is_closed = True
        del self.items[index:]
        return closed

    def _find(self, closer: str) -> int | None:
        """Return the index of what a closer closes; -1: perhaps something below; None: nothing."""
        for index in range(len(self.items) - 1, -1, -1):
            if self.items[index].closer == closer:
                return index
            if self.items[index].kind in _BARRIERS:
                return None
        return -1

    def end_line(self, text: str, offset: int) -> None:
        """Drop strings that should have ended in their line, and what is open in them, if a new one began."""
        for index, item in enumerate(self.items):
            if item.ends_with_line and "\n" in text[item.offset : offset]:
                del self.items[index:]
                return
