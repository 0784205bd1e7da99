"""Progress of fetching, converting and loading: a bar on stderr, or lines if stderr is not a terminal."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aide_lsp.cli.terminal import say
from aide_lsp.invisible import escaped
from aide_lsp.progress import Progress

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.settings.fields import Settings

STEP_PERCENT, STEP_SECONDS = 10, 10.0
"""Without a terminal, a line is printed after this much progress or this long, whichever comes first."""


@contextmanager
def terminal_progress() -> Iterator[Progress]:
    """Provide a progress callback within the body of a `with` statement."""
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        lines = _Lines()
        yield lambda share, sentence: lines.report(share, escaped(sentence))
        return
    bar = _Bar()
    try:
        yield lambda share, sentence: bar.report(share, escaped(sentence))
    finally:
        bar.close()


def load(settings: "Settings") -> "Completer":
    """Load the model with progress on stderr; warn if it does not run on the GPU that the settings require.

    Raises:
        ModelError, SessionError, SettingsError: see `load_completer`.
    """
    from aide_lsp.loading import load_completer

    with terminal_progress() as progress:
        completer = load_completer(settings, progress)
    note = completer.info.device_note
    if note and settings.provider == "cuda":
        say(f"Warning: {note}", err=True)
    return completer


class _Lines:
    """One line for each new sentence and for each step, for logs and pipes."""

    def __init__(self) -> None:
        self._sentence = ""
        self._percent, self._time = 0, 0.0

    def report(self, share: float | None, sentence: str) -> None:
        percent, now = int(100 * (share or 0.0)), time.monotonic()
        late = percent > self._percent and now - self._time >= STEP_SECONDS
        if sentence == self._sentence and percent < self._percent + STEP_PERCENT and not late:
            return
        self._sentence, self._percent, self._time = sentence, percent, now
        sys.stderr.write(sentence + (f": {percent} %\n" if share is not None else "\n"))
        sys.stderr.flush()


class _Bar:
    """One tqdm bar for each stage."""

    def __init__(self) -> None:
        self._bar: object | None = None
        self._sentence = ""

    def report(self, share: float | None, sentence: str) -> None:
        from tqdm import tqdm  # here, since importing it takes 60 ms

        if sentence != self._sentence:
            self.close()
            self._sentence = sentence
            if share is None:
                sys.stderr.write(sentence + "\n")
                return
            self._bar = tqdm(
                total=100, desc=sentence, bar_format="{desc}: {percentage:3.0f}% |{bar:30}| {elapsed}"
            )
        if self._bar is not None and share is not None:
            self._bar.update(100 * share - self._bar.n)  # type: ignore[attr-defined]

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()  # type: ignore[attr-defined]
            self._bar = None
