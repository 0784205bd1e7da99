"""Merges layers of settings.

Within one layer, plain keys come first, then `[languages.x]`, then globs, a later table over an earlier one.
A value that a table sets explicitly overrides the value of the table's preset; both override all below. Some
settings only ever narrow: `off` and `context_off` add up, over all project files on the way to the document;
of several `max_num_context` the lowest applies; a project's `context_share` never exceeds the user's, or that
of the model's card.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import evolve

from aide_lsp.server_address import server_address
from aide_lsp.settings.fields import (
    FIELDS,
    KEYS,
    PROJECT_NUM_CONTEXT,
    Settings,
    check_value,
    defaults,
    in_effect,
    value_of,
    with_values,
)
from aide_lsp.settings.globs import EVERYWHERE
from aide_lsp.settings.limits import ModelLimits, greatest
from aide_lsp.settings.presets import PRESETS, with_own
from aide_lsp.settings.problems import Problem, named, shown
from aide_lsp.settings.resolved import DEFAULT, OffRule, Origin, Resolved
from aide_lsp.settings.secret_files import secret_glob
from aide_lsp.settings.tables import (
    PRESETS_KEY,
    SettingsLayer,
    SettingsTable,
    Subject,
    glob_applies,
    tables_of,
)
from aide_lsp.settings.values import Bounds, ValueChecker

_ADDED_UP = ("off", "context_off")
"""Settings that list files; patterns from all places add up."""
_Rules = list[tuple[SettingsLayer, OffRule]]
"""Patterns, each with the layer that its glob is relative to."""
_MOST_PROBLEMS = 100
"""Problems reported of one place."""


def merged(
    subject: Subject,
    layers: list[SettingsLayer],
    outer: list[SettingsLayer],
    limits: ModelLimits | None,
    values: ValueChecker,
    problems: list[Problem],
) -> Resolved:
    """Merge layers for a document.

    Args:
        subject: the document.
        layers: in the order in which they apply, a later one over an earlier one.
        outer: project files further out, of which only `off` and `context_off` apply.
        limits: what the loaded model allows; None: not known yet.
        values: checks the values, and remembers the last valid ones.
        problems: those found so far.
    """
    # First, because a layer may use a preset that a later one defines, and a later one's cap holds for all.
    bounds = Bounds(limits, _presets(layers, problems), _cap(layers))
    merge = _Merge(subject, bounds, values, problems)
    for layer in layers:
        merge.add(layer)
    for layer in outer:
        merge.add_rules(layer)
    return merge.result()


class _Merge:
    """One merge in progress."""

    def __init__(
        self, subject: Subject, bounds: Bounds, values: ValueChecker, problems: list[Problem]
    ) -> None:
        self._subject, self._bounds, self._values = subject, bounds, values
        self._problems = problems
        self._origins = {key: [Origin(value, DEFAULT)] for key, value in defaults().items()}
        self._rules: _Rules = []
        self._settings = Settings()
        self._lower_default()

    def add(self, layer: SettingsLayer) -> None:
        """Apply a layer over those before."""
        # A stale layer's problems were reported when its file could still be read.
        problems = [] if layer.stale else self._problems
        users_share = self._settings.context_share
        for table in tables_of(layer, self._subject, problems):
            # Also if the table does not apply: its mistakes are reported whichever document is open.
            good = self._values.check(layer, table, self._settings, self._bounds, problems)
            found = [
                (key, self._lowered(origin, key, layer, table, users_share))
                for key, origin in self._origins_of(good, layer, table)
            ]
            if table.applies:
                self._put(found, lowers_card=layer.kind == "project" and users_share is None)
                self._add_rules(layer, table.label, good)

    def add_rules(self, layer: SettingsLayer) -> None:
        """Apply only `off` and `context_off` of a project file further out."""
        values = {written: value for written, value in layer.table.items() if KEYS.get(written) in _ADDED_UP}
        table = SettingsTable("further out", "", values, True)
        problems = [] if layer.stale else self._problems
        good = self._values.check(layer, table, self._settings, self._bounds, problems)
        self._put((key, Origin(globs, layer.name)) for key, globs in good.items() if globs)
        self._add_rules(layer, "", good)

    def result(self) -> Resolved:
        """Return the merged settings."""
        off = [(layer, rule) for layer, rule in self._rules if rule.key == "off"]
        # Whoever completes in files with secrets has allowed that this machine reads them, and no other.
        server = server_address(self._settings.engine)
        with_secrets = self._settings.complete_secrets and server is None
        return Resolved(
            settings=self._settings,
            problems=tuple(_shortened(self._problems)),
            origins={key: tuple(found) for key, found in self._origins.items()},
            off=_off_rule(off, self._subject, with_secrets, server.host if server else ""),
            # Whoever completes in a file with secrets has not allowed that they appear in others.
            context_off=_off_rule(self._rules, self._subject, with_secrets=False),
            presets=self._bounds.presets,
        )

    def _add_rules(self, layer: SettingsLayer, table: str, good: Mapping[str, Any]) -> None:
        self._rules += [
            (layer, OffRule(glob, layer.name, table, key, layer.kind))
            for key in _ADDED_UP
            for glob in good.get(key, ())
        ]

    def _origins_of(
        self, good: Mapping[str, Any], layer: SettingsLayer, table: SettingsTable
    ) -> Iterator[tuple[str, Origin]]:
        """Yield what a table sets: the values of its preset, then those that it sets explicitly."""
        name = good.get("preset")
        preset = self._bounds.presets[name] if name else {}
        for key, value in preset.items():
            if key not in good:
                yield key, Origin(value, layer.name, table.label, str(name))
        for key, value in good.items():
            yield key, Origin(value, layer.name, table.label)

    def _lowered(
        self, origin: Origin, key: str, layer: SettingsLayer, table: SettingsTable, users_share: float | None
    ) -> Origin:
        """Lower a value to the user's limit, and a preset's value to the model's; report that.

        Without a limit of the user, a project still cannot make each request take many seconds. It never has
        more read of other files than the user.
        """
        tops: list[tuple[float, str]] = []
        if key == "num_context" and self._bounds.cap is not None:
            tops.append((self._bounds.cap, "your max_num_context"))
        elif key == "num_context" and layer.kind == "project":
            # The user's own value may be higher already, and a project may repeat it.
            most = max(PROJECT_NUM_CONTEXT, self._settings.parameters.num_context)
            tops.append((most, "the limit for project files, which your max_num_context can raise"))
        elif key == "context_share" and layer.kind == "project" and users_share is not None:
            tops.append((users_share, "your own value, which a project file can only lower"))
        model = greatest(FIELDS[key], self._bounds.limits)
        # A preset is defined without a model in mind; an explicit value above the model's limit is an error.
        if origin.preset and model is not None:
            tops.append((model, "the model's limit"))
        top, whose = min(tops, default=(origin.value, ""))
        if not tops or origin.value <= top:
            return origin
        by = f" from the preset {named(origin.preset)}" if origin.preset else ""
        error = f"{shown(origin.value)}{by} exceeds {whose}. It is lowered to {top}"
        self._problems.append(Problem.of(table.prefix + key, origin.source, error, notice=True))
        return evolve(origin, value=top, wanted=origin.value)

    def _lower_default(self) -> None:
        """Lower the default Num Context to the limits of user and model. No one set it: nothing to report."""
        limits, wanted = self._bounds.limits, self._settings.parameters.num_context
        tops = (self._bounds.cap, limits.most_context if limits else None)
        lowest = min([wanted, *(top for top in tops if top is not None)])
        if lowest < wanted:
            self._origins["num_context"] = [Origin(lowest, DEFAULT, wanted=wanted)]
            self._settings = with_values(self._settings, {"num_context": lowest})

    def _put(self, found: Iterable[tuple[str, Origin]], *, lowers_card: bool = False) -> None:
        """Put values over those below; combine those of settings that only narrow.

        `lowers_card`: a `context_share` only lowers that of the model's card, which is not known here.
        """
        values = dict[str, Any]()
        for key, origin in found:
            below, value = value_of(self._settings, key), origin.value
            if key in _ADDED_UP:
                value = (*below, *(glob for glob in value if glob not in below))
            elif key == "max_num_context":
                value = min((value for value in (below, value) if value is not None), default=None)
            # Otherwise the values of the preset that is switched off would stay in effect.
            elif key == "preset" and value is None:
                values |= self._without_presets()
            self._origins[key].append(evolve(origin, value=value) if value != origin.value else origin)
            if key == "context_share" and lowers_card:
                self._settings = evolve(self._settings, most_card_share=value)
            else:
                values[key] = value
        if values:
            self._settings = with_values(self._settings, values)

    def _without_presets(self) -> dict[str, Any]:
        """Remove the values that come from presets; return those that are in effect without them."""
        values = dict[str, Any]()
        for key, found in self._origins.items():
            kept = [origin for origin in found if not origin.preset]
            if len(kept) < len(found):
                self._origins[key], values[key] = kept, kept[-1].value
        return values


def _shortened(problems: list[Problem]) -> Iterator[Problem]:
    """Limit the problems of each place: they are kept, compared and shown together."""
    counts = Counter[str]()
    for problem in problems:
        counts[problem.source] += 1
        if counts[problem.source] <= _MOST_PROBLEMS:
            yield problem
    for source, count in counts.items():
        if count > _MOST_PROBLEMS:
            yield Problem(source, "", f"{source}: {count - _MOST_PROBLEMS} more problems are not shown.")


def _presets(layers: Iterable[SettingsLayer], problems: list[Problem]) -> Mapping[str, Mapping[str, Any]]:
    """Return all presets, the user's included."""
    presets = PRESETS
    for layer in layers:
        table = layer.table.get(PRESETS_KEY)
        if layer.kind in ("user", "editor") and table is not None:
            presets = with_own(presets, table, layer.name, [] if layer.stale else problems)
    return presets


def _cap(layers: Iterable[SettingsLayer]) -> int | None:
    """Return the lowest valid `max_num_context` of the user's places."""
    found = [
        value
        for layer in layers
        if layer.kind != "project"
        for written, value in layer.table.items()
        if KEYS.get(written) == "max_num_context" and value is not None
    ]
    usable = (value for value in found if not check_value("max_num_context", value))
    return min((in_effect("max_num_context", value) for value in usable), default=None)


def _off_rule(rules: _Rules, subject: Subject, with_secrets: bool, host: str = "") -> OffRule | None:
    """Find the first rule that matches a document, or the file that it links to.

    `host`: the server that its text would be sent to.
    """
    document = subject.document
    if document is None:
        # It has no name, but may have a language.
        return next((rule for _, rule in rules if rule.glob == EVERYWHERE), None)
    if with_secrets and not rules:
        return None
    real = (_real(document),) if subject.on_disk else ()
    for path in dict.fromkeys((document, *subject.others, *real)):
        for layer, rule in rules:
            if glob_applies(rule.glob, layer, path):
                return rule
        secret = None if with_secrets else secret_glob(path)
        if secret is not None:
            return OffRule(secret, DEFAULT, host=host)
    return None


def _real(document: Path) -> Path:
    try:
        return document.resolve()
    # RuntimeError: a loop of links, before Python 3.13.
    except (OSError, RuntimeError):
        return document
