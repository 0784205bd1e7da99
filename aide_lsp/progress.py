"""The type of callback through which long work (fetch, convert, load, replay) reports its progress."""

from collections.abc import Callable

Progress = Callable[[float | None, str], None]
"""Called with the fraction done, from 0 to 1 (None if unknown), and a sentence for people."""
