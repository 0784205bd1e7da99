"""The parameters that a client has sent: each is checked as it is read, and those nobody reads are known."""

from collections.abc import Mapping
from typing import Any

from aide_lsp.engines.shared.wire import WireError

MOST_NAMED, LONGEST_NAMED = 20, 64
"""Parameters without effect that an answer names, and characters of each."""


class ParameterError(WireError):
    """A parameter cannot be used. The message begins with its name."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")
        self.parameter = name


class Given:
    """The parameters of one request. Null is the same as none."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self._read = set[str]()

    @property
    def unread(self) -> list[str]:
        """Names of parameters that nobody has read, so that they have no effect."""
        return sorted({name[:LONGEST_NAMED] for name in self._data.keys() - self._read})[:MOST_NAMED]

    def get(self, name: str) -> Any:
        """Return a value of any kind; None: there is none."""
        self._read.add(name)
        return self._data.get(name)

    def skip(self, *names: str) -> None:
        """Note parameters that need no effect: no text depends on them."""
        self._read.update(names)

    def flag(self, name: str) -> bool:
        """Return true or false; false if there is none.

        Raises:
            ParameterError: it is neither.
        """
        value = self.get(name)
        if value is not None and not isinstance(value, bool):
            raise ParameterError(name, "expected true or false.")
        return bool(value)

    def whole(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number, or None.

        Raises:
            ParameterError: it is none, or out of range.
        """
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ParameterError(name, f"expected a whole number from {least} to {most}.")
        return value

    def text(self, name: str) -> str | None:
        """Return a text, or None.

        Raises:
            ParameterError: it is none.
        """
        value = self.get(name)
        if value is not None and not isinstance(value, str):
            raise ParameterError(name, "expected a string.")
        return value

    def texts(self, name: str, most: int, longest: int) -> tuple[str, ...]:
        """Return texts: from a list of them, or from one.

        Raises:
            ParameterError: there are others among them, too many, or too long ones.
        """
        value = self.get(name)
        found = [] if value is None else [value] if isinstance(value, str) else value
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise ParameterError(name, "expected a string, or a list of strings.")
        if len(found) > most or any(len(one) > longest for one in found):
            raise ParameterError(name, f"expected at most {most} strings of at most {longest:,} characters.")
        return tuple(found)
