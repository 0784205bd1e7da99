"""The result of merging settings: values, where each comes from, and the problems on the way."""

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from aide_lsp.settings.fields import Settings
from aide_lsp.settings.problems import Problem, shown
from aide_lsp.settings.tables import Kind

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
    """The preset that the value comes from; empty: the key was set explicitly."""
    wanted: Any = None
    """The higher value that was set; None: it was not lowered."""


@frozen
class OffRule:
    """Why a document gets no completions, or is not read for completions in others."""

    glob: str
    """As it was written."""
    source: str
    """The layer that holds it; `default`: it is one of the files that commonly hold secrets."""
    table: str = ""
    """The table in it, such as `[languages.python]`; empty: plain keys."""
    key: str = "off"
    """The setting that lists it: `off` or `context_off`."""
    kind: Kind | None = None
    """Who that layer belongs to; None: it is one of the files that commonly hold secrets."""
    host: str = ""
    """The server that the text would be sent to, if the file commonly holds secrets; empty: none."""

    def sentence(self) -> str:
        """Explain the rule to the user."""
        if self.source == DEFAULT and self.host:
            return (
                f"Aide is off for this file: {self.reason()}, and these are never sent to a server "
                f'({self.host}). For completions here, set engine = "local" and complete_secrets = true.'
            )
        if self.source == DEFAULT:
            return (
                f"Aide is off for this file: files named {shown(self.glob)} commonly hold secrets. If you "
                "want completions here, set complete_secrets = true in your own settings (in an editor: "
                "aide.completeSecrets)."
            )
        return f"Aide is off for this file: {self.reason()}."

    def reason(self) -> str:
        """Name the rule."""
        if self.source == DEFAULT:
            return f"files named {shown(self.glob)} commonly hold secrets"
        where = f"{self.key} in {self.table}" if self.table else self.key
        return f"{self.source} lists {shown(self.glob)} under {where}"


@frozen
class Resolved:
    """The settings in effect, and the problems on the way."""

    settings: Settings
    problems: tuple[Problem, ...]
    """Notices included."""
    origins: Mapping[str, tuple[Origin, ...]] = field(factory=dict)
    """For each key all places that set it, the default first, the one in effect last."""
    off: OffRule | None = None
    """Why the document gets no completions; None: it does."""
    context_off: OffRule | None = None
    """Why completions in other documents must not read this one; None: they may."""
    presets: Mapping[str, Mapping[str, Any]] = field(factory=dict)
    """All presets by name, the user's included."""

    @property
    def errors(self) -> list[Problem]:
        """The problems without notices."""
        return [problem for problem in self.problems if not problem.notice]
