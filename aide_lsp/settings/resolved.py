"""What comes out when settings are merged: the values, where each came from, what was wrong.

It does not know how they are merged: `settings_layers.py` does.
"""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from aide_lsp.settings.fields import Settings
from aide_lsp.settings.problems import Problem, shown

DEFAULT = "default"


@frozen
class Origin:
    """One place that sets a key."""

    value: Any
    """What it sets."""
    source: str
    """The layer: a path, `editor settings`, `this request` or `default`."""
    table: str = ""
    """The table in it, such as `[languages.python]`; empty: plain keys."""
    preset: str = ""
    """The preset that brought it; empty: the key was set by itself."""
    wanted: Any = None
    """The greater value that was asked for; None: it was not lowered."""


@frozen
class OffRule:
    """Why a document gets no completions."""

    glob: str
    """As it was written."""
    source: str
    """The layer that holds it; `default`: it is one of the files that commonly hold secrets."""

    def sentence(self) -> str:
        """Say it."""
        if self.source == DEFAULT:
            return (
                f"Aide is off for this file: files named {shown(self.glob)} commonly hold secrets. If you "
                "want completions here, set complete_secrets = true in your own settings (in an editor: "
                "aide.completeSecrets)."
            )
        return f"Aide is off for this file: {self.source} lists {shown(self.glob)} under off."


@frozen
class Resolved:
    """The effective settings, and what was wrong on the way."""

    settings: Settings
    """In effect."""
    problems: tuple[Problem, ...]
    """Notices included."""
    origins: Mapping[str, tuple[Origin, ...]] = field(factory=dict)
    """For each key all that set it, the default first, the one in effect last."""
    off: OffRule | None = None
    """Why the document gets no completions; None: it does."""
    presets: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    """All presets there are, those of the user included."""

    @property
    def sources(self) -> dict[str, str]:
        """For each key that a layer set: the name of that layer."""
        return {key: found[-1].source for key, found in self.origins.items() if len(found) > 1}

    @property
    def faults(self) -> list[Problem]:
        """The problems without those that only tell how something takes effect."""
        return [problem for problem in self.problems if not problem.notice]
