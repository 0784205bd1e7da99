"""Merges the places where settings are set: default < user file < project file < editor < one request.

In: a document's path and language, its workspace folder, what the editor sent. Out: `Resolved`.

Within one place the order is: plain keys < `[languages.x]` < globs, a later glob over an earlier one. Each
table counts as a layer. Of the parameters that a table's preset names and those that the table sets by itself
the latter win; both win over everything below. Two settings only ever narrow: `off` adds up, over all project
files on the way to the document too; of several `max_num_context` the lowest counts.

It does not know what a setting means: `settings.py` does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from attrs import evolve

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
from aide_lsp.settings.files import SettingsFile, SettingsFiles, user_file
from aide_lsp.settings.limits import ModelLimits, greatest
from aide_lsp.settings.presets import PRESETS, with_own
from aide_lsp.settings.problems import Problem, named, shown
from aide_lsp.settings.project_folders import globs_root, project_folders
from aide_lsp.settings.resolved import DEFAULT, OffRule, Origin, Resolved
from aide_lsp.settings.secret_files import secret_glob
from aide_lsp.settings.tables import PRESETS as PRESET_TABLES
from aide_lsp.settings.tables import Kind, SettingsLayer, SettingsTable, Subject, fits, tables_of
from aide_lsp.settings.values import Bounds, GoodValues

# Sections of the editor's settings that only the editor's own plugin reads.
CLIENT_SECTIONS = frozenset({"server", "trace"})
EDITOR, REQUEST = "editor settings", "this request"
Sources = tuple[SettingsFile | None, tuple[SettingsFile, ...]]
"""The user's file, and the project files, the nearest first."""
_Rules = list[tuple[SettingsLayer, tuple[str, ...]]]
_Known = tuple[Sources, Path | None, ModelLimits | None, tuple[int, int] | None]
_MOST_PROBLEMS = 100
"""Told of one place."""
_MOST_KEPT = 256
"""Results: one for each document that is typed in."""


class SettingsReader:
    """Merges the layers. Remembers files, the last good value of each key in each place, and what came out.

    That is given again as long as no file changed and the editor's settings are the same object.
    """

    def __init__(self, user: Path | None = None) -> None:
        self._user = user
        self._files = SettingsFiles()
        self._values = GoodValues()
        self._kept: dict[tuple[Subject, Path | None], tuple[Mapping[str, Any] | None, _Known, Resolved]] = {}

    def resolve(
        self,
        document: Path | None = None,
        editor: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        limits: ModelLimits | None = None,
        *,
        language: str = "",
        request: Mapping[str, Any] | None = None,
        others: tuple[Path, ...] = (),
        on_disk: bool = True,
    ) -> Resolved:
        """Merge all layers for a document, key by key.

        Args:
            document: path of the document; None: no file.
            editor: the editor's settings, with or without an `aide` section, camelCase or snake_case.
            folder: the workspace folder that holds the document.
            limits: what the loaded model allows; None: not known yet.
            language: the document's LSP language id; empty: unknown.
            request: what holds for this one request; null for nothing, such as no preset.
            others: more names of the document; Aide is off in it where a rule names one of them.
            on_disk: whether the path is one of this machine; else nothing is read there.
        """
        subject = Subject(document, language, others, on_disk)
        places = project_folders(document, folder) if on_disk else ()
        sources = self._sources(places)
        anchor = folder or (document and Path(document.anchor))
        root = globs_root(document, folder, places) if on_disk else anchor
        known, key = (sources, root, limits, _identity(subject)), (subject, folder)
        kept = None if request else self._kept.get(key)
        if kept is not None and kept[0] is editor and kept[1] == known:
            return kept[2]
        layers, outer = _layers(sources, root)
        layers.append(SettingsLayer(EDITOR, "editor", _editor_values(editor), root, folder))
        layers += [SettingsLayer(REQUEST, "request", _request_values(request), root)] if request else []
        resolved = self._merge(subject, layers, outer, limits, _problems(sources))
        if not request:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = (editor, known, resolved)
        return resolved

    def one_look(self) -> AbstractContextManager[None]:
        """Within it, each file is looked at once: for many documents together."""
        return self._files.one_look()

    def sources(self, document: Path | None, folder: Path | None, on_disk: bool = True) -> Sources:
        """Return the files that a document's settings are read from; equal ones if none of them changed."""
        return self._sources(project_folders(document, folder) if on_disk else ())

    def _sources(self, places: tuple[Path, ...]) -> Sources:
        user = self._files.read(self._user or user_file())
        return user, tuple(self._files.projects(places))

    def _merge(
        self,
        subject: Subject,
        layers: list[SettingsLayer],
        outer: list[SettingsLayer],
        limits: ModelLimits | None,
        problems: list[Problem],
    ) -> Resolved:
        bounds = Bounds(limits, _presets(layers, problems), _cap(layers))
        merge = _Merge(subject, bounds, self._values, problems)
        for layer in layers:
            merge.add(layer)
        for layer in outer:
            merge.add_rules(layer)
        return merge.result()


class _Merge:
    """One merge: what was gathered so far."""

    def __init__(self, subject: Subject, bounds: Bounds, values: GoodValues, problems: list[Problem]) -> None:
        self._subject, self._bounds, self._values = subject, bounds, values
        self._problems = problems
        self._origins = {key: [Origin(value, DEFAULT)] for key, value in defaults().items()}
        self._rules: _Rules = []
        self._settings = Settings()
        self._lower_default()

    def add(self, layer: SettingsLayer) -> None:
        """Put a layer over those before."""
        # What is wrong with the last good contents of a broken file was told when they were read.
        problems = [] if layer.stale else self._problems
        for table in tables_of(layer, self._subject, problems):
            good = self._values.check(layer, table, self._settings, self._bounds, problems)
            found = [
                (key, self._lowered(origin, key, layer, table))
                for key, origin in self._origins_of(good, layer, table)
            ]
            if table.fits:
                self._put(found)
                self._rules.append((layer, good.get("off", ())))

    def add_rules(self, layer: SettingsLayer) -> None:
        """Take only what a project file further out switches off."""
        values = {written: value for written, value in layer.table.items() if KEYS.get(written) == "off"}
        table = SettingsTable("further out", "", values, True)
        problems = [] if layer.stale else self._problems
        globs = self._values.check(layer, table, self._settings, self._bounds, problems).get("off", ())
        self._put([("off", Origin(globs, layer.name))] if globs else [])
        self._rules.append((layer, globs))

    def result(self) -> Resolved:
        """Return what came out."""
        return Resolved(
            settings=self._settings,
            problems=tuple(_shortened(self._problems)),
            origins={key: tuple(found) for key, found in self._origins.items()},
            off=_off_rule(self._rules, self._subject, self._settings.complete_secrets),
            presets=self._bounds.presets,
        )

    def _origins_of(
        self, good: Mapping[str, Any], layer: SettingsLayer, table: SettingsTable
    ) -> Iterator[tuple[str, Origin]]:
        """What a table sets: its preset written out, over that what it sets by itself."""
        name = good.get("preset")
        preset = self._bounds.presets[name] if name else {}
        for key, value in preset.items():
            if key not in good:
                yield key, Origin(value, layer.name, table.label, str(name))
        for key, value in good.items():
            yield key, Origin(value, layer.name, table.label)

    def _lowered(self, origin: Origin, key: str, layer: SettingsLayer, table: SettingsTable) -> Origin:
        """Lower a value to the user's cap, one of a preset also to what the model can do; say so.

        Where the user set no cap, a project cannot make each request take many seconds either.
        """
        tops: list[tuple[float, str]] = []
        if key == "num_context" and self._bounds.cap is not None:
            tops.append((self._bounds.cap, "your max_num_context"))
        elif key == "num_context" and layer.kind == "project":
            most = max(PROJECT_NUM_CONTEXT, self._settings.parameters.num_context)
            tops.append((most, "a project may ask for unless you set max_num_context"))
        model = greatest(FIELDS[key], self._bounds.limits)
        if origin.preset and model is not None:
            tops.append((model, "what the model can do"))
        top, whose = min(tops, default=(origin.value, ""))
        if not tops or origin.value <= top:
            return origin
        by = f" of the preset {named(origin.preset)}" if origin.preset else ""
        wrong = f"{shown(origin.value)}{by} is more than {whose}; it is lowered to {top}"
        self._problems.append(Problem.of(table.prefix + key, origin.source, wrong, notice=True))
        return evolve(origin, value=top, wanted=origin.value)

    def _lower_default(self) -> None:
        """Lower the default Num Context to what the user and the model allow: nobody asked for more."""
        limits, wanted = self._bounds.limits, self._settings.parameters.num_context
        tops = (self._bounds.cap, limits.most_context if limits else None)
        lowest = min([wanted, *(top for top in tops if top is not None)])
        if lowest < wanted:
            self._origins["num_context"] = [Origin(lowest, DEFAULT, wanted=wanted)]
            self._settings = with_values(self._settings, {"num_context": lowest})

    def _put(self, found: Iterable[tuple[str, Origin]]) -> None:
        """Put values over those below; those that only narrow are joined with them."""
        values = dict[str, Any]()
        for key, origin in found:
            below, value = value_of(self._settings, key), origin.value
            if key == "off":
                value = (*below, *(glob for glob in value if glob not in below))
            elif key == "max_num_context":
                value = min((value for value in (below, value) if value is not None), default=None)
            elif key == "preset" and value is None:
                values |= self._without_presets()
            self._origins[key].append(evolve(origin, value=value) if value != origin.value else origin)
            values[key] = value
        if values:
            self._settings = with_values(self._settings, values)

    def _without_presets(self) -> dict[str, Any]:
        """Take out the values that presets brought; return those that are in effect without them."""
        values = dict[str, Any]()
        for key, found in self._origins.items():
            kept = [origin for origin in found if not origin.preset]
            if len(kept) < len(found):
                self._origins[key], values[key] = kept, kept[-1].value
        return values


def _layer(file: SettingsFile, kind: Kind, root: Path | None) -> SettingsLayer:
    return SettingsLayer(str(file.path), kind, file.table, root, stale=file.fault is not None)


def _layers(sources: Sources, root: Path | None) -> tuple[list[SettingsLayer], list[SettingsLayer]]:
    """Return the layers of files, and the project files further out."""
    user, files = sources
    own = [_layer(user, "user", root)] if user else []
    projects = [_layer(file, "project", file.path.parent) for file in files if not file.distrust]
    return own + projects[:1], projects[1:]


def _problems(sources: Sources) -> list[Problem]:
    """Say what is wrong with files."""
    user, files = sources
    return [problem for file in ([user] if user else []) + [*files] for problem in _file_problems(file)]


def _shortened(problems: list[Problem]) -> Iterator[Problem]:
    """Leave out what one place has too much of: they are kept, compared and shown together."""
    counts = Counter[str]()
    for problem in problems:
        counts[problem.source] += 1
        if counts[problem.source] <= _MOST_PROBLEMS:
            yield problem
    for source, count in counts.items():
        if count > _MOST_PROBLEMS:
            yield Problem(source, "", f"{source}: {count - _MOST_PROBLEMS} more problems are not shown.")


def _file_problems(file: SettingsFile) -> list[Problem]:
    found = []
    if file.distrust is not None:
        message = f"{file.path} is not used, because {file.distrust}."
        found.append(Problem(str(file.path), "", message, notice=True))
    if file.fault is not None:
        stays = "Its last good values stay in effect." if file.table else "Nothing of it is in effect."
        found.append(Problem(str(file.path), "", f"{file.path} cannot be read: {file.fault}. {stays}"))
    if file.hides is not None:
        message = f"[tool.aide] in {file.hides} is not read, since {file.path.name} lies beside it."
        found.append(Problem(str(file.hides), "", message, notice=True))
    return found


def _presets(layers: Iterable[SettingsLayer], problems: list[Problem]) -> Mapping[str, Mapping[str, Any]]:
    """Gather all presets, those of the user's own places included."""
    presets = PRESETS
    for layer in layers:
        table = layer.table.get(PRESET_TABLES)
        if layer.kind in ("user", "editor") and table is not None:
            presets = with_own(presets, table, layer.name, [] if layer.stale else problems)
    return presets


def _cap(layers: Iterable[SettingsLayer]) -> int | None:
    """The lowest `max_num_context` of the user's places."""
    found = [
        value
        for layer in layers
        if layer.kind != "project"
        for written, value in layer.table.items()
        if KEYS.get(written) == "max_num_context" and value is not None
    ]
    usable = (value for value in found if not check_value("max_num_context", value))
    return min((in_effect("max_num_context", value) for value in usable), default=None)


def _off_rule(rules: _Rules, subject: Subject, with_secrets: bool) -> OffRule | None:
    """Find the first rule that switches Aide off for a document, or for the file that it is a link to."""
    document = subject.document
    if document is None or (with_secrets and not any(globs for _, globs in rules)):
        return None
    real = (_real(document),) if subject.on_disk else ()
    for path in dict.fromkeys((document, *subject.others, *real)):
        for layer, globs in rules:
            for glob in globs:
                if fits(glob, layer, path):
                    return OffRule(glob, layer.name)
        secret = None if with_secrets else secret_glob(path)
        if secret is not None:
            return OffRule(secret, DEFAULT)
    return None


def _identity(subject: Subject) -> tuple[int, int] | None:
    """Which file a document is on the disk; it may become a link to another one."""
    if subject.document is None or not subject.on_disk:
        return None
    try:
        found = subject.document.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _real(document: Path) -> Path:
    try:
        return document.resolve()
    except (OSError, RuntimeError):
        return document


def _request_values(request: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out null, unless it says that a setting is set to nothing: then it overrides what is below."""
    nullable = {written for written, key in KEYS.items() if FIELDS[key].none}
    return {key: value for key, value in request.items() if value is not None or key in nullable}


def _editor_values(editor: Mapping[str, Any] | None) -> dict[str, Any]:
    """Unwrap the `aide` section; null means that the editor sets nothing."""
    values: Any = editor or {}
    if isinstance(values.get("aide"), Mapping):
        values = values["aide"]
    return {
        key: value
        for key, value in values.items()
        if value is not None and key.partition(".")[0] not in CLIENT_SECTIONS
    }
