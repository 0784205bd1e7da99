"""The settings in effect for a file as a page: what each is, where it comes from, and what it overrides."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from aide_lsp.pages.markup import Markup, h, joined
from aide_lsp.pages.page import render_page
from aide_lsp.settings.fields import FIELDS, GROUPS, camel, label
from aide_lsp.settings.problems import shown
from aide_lsp.settings.resolved import DEFAULT, Origin, Resolved

STYLE = """
.name { white-space: nowrap; }
.plain th { font-weight: 600; padding: 5px 14px 5px 0; vertical-align: top; }
.plain td { color: var(--ink); padding: 5px 14px 5px 0; vertical-align: top; }
.plain small { display: block; overflow-wrap: anywhere; }
.plain code { font-weight: 600; }
.plain a { font-weight: 400; overflow-wrap: anywhere; }
.default code { font-weight: 400; }
.off { border-left: 4px solid var(--chosen); }
@container (max-width: 640px) {
  .settings tr { display: grid; grid-template-columns: 10em 1fr auto; gap: 0 10px; padding: 5px 0; }
  .settings tr + tr { border-top: 1px solid var(--line); }
  .settings th, .settings td { padding: 0; min-width: 0; }
  .settings .where { grid-column: 2 / -1; grid-row: 2; color: var(--soft); }
}
"""


def settings_page(
    resolved: Resolved, path: str | None, in_use: Mapping[str, str], came_to: Mapping[str, str]
) -> str:
    """Return the page.

    Args:
        resolved: the settings.
        path: of the file they are for; None: there is none.
        in_use: what is loaded, by label: the model, its device, and so on.
        came_to: what a value such as `auto` means here, by key.
    """
    name = Path(path).name if path else ""
    place = (
        h("p", {"class": "note", "title": path or ""}, "For ", h("code", {}, name), ".") if path else Markup()
    )
    body = [
        h("h1", {}, "Effective settings"),
        place,
        *_notices(resolved),
        *(_group(resolved, group, came_to) for group in GROUPS),
        _in_use(in_use),
    ]
    return render_page(
        f"Effective settings: {name}" if name else "Effective settings", joined(*body), style=STYLE
    )


def _notices(resolved: Resolved) -> Iterator[Markup]:
    """What is wrong, and why the file gets no completions."""
    if resolved.off:
        yield h("section", {"class": "off"}, h("h2", {}, "Off"), h("p", {}, resolved.off.sentence()))
    if resolved.problems:
        found = [h("p", {}, problem.message) for problem in resolved.problems]
        yield h("section", {"class": "off"}, h("h2", {}, "Problems"), *found)


def _group(resolved: Resolved, group: str, came_to: Mapping[str, str]) -> Markup:
    keys = [key for key in resolved.origins if FIELDS[key].group == group]
    rows = [_row(key, resolved.origins[key], came_to.get(key, "")) for key in keys]
    table = h("table", {"class": "plain settings"}, h("tbody", {}, *rows))
    return h("section", {}, h("h2", {}, group), table) if rows else Markup()


def _row(key: str, found: tuple[Origin, ...], came_to: str) -> Markup:
    *under, origin = found
    change = h("a", {"href": "#", "data-setting": f"aide.{camel(key)}"}, "Change")
    overridden = [
        h("small", {}, "overrides ", _value(key, one), ", ", _place(one)) for one in reversed(under)
    ]
    is_default = origin.source == DEFAULT
    return h(
        "tr",
        {"class": "default" if is_default else "set"},
        h("th", {"scope": "row", "class": "name"}, label(key)),
        h("td", {}, _effective(key, origin, came_to)),
        h("td", {"class": "where"}, _place(origin), *overridden),
        h("td", {}, change),
    )


def _effective(key: str, origin: Origin, came_to: str) -> Markup:
    if not came_to:
        return _value(key, origin)
    note = h("span", {}, came_to if origin.value is None else f" ({came_to})")
    return note if origin.value is None else joined(_value(key, origin), note)


def _value(key: str, origin: Origin) -> Markup:
    if origin.value is None:
        return h("span", {}, FIELDS[key].none or "none")
    return h("code", {}, shown(origin.value))


def _place(origin: Origin) -> Markup:
    """Where a value comes from; a file is a link."""
    path = Path(origin.source)
    if path.is_absolute():
        source = h("a", {"href": path.as_uri(), "title": origin.source}, path.name)
    else:
        source = h("span", {}, origin.source)
    table = f" {origin.table}" if origin.table else ""
    preset = f', preset "{origin.preset}"' if origin.preset else ""
    lowered = f", lowered from {shown(origin.wanted)}" if origin.wanted is not None else ""
    return joined(source, table, preset, lowered)


def _in_use(in_use: Mapping[str, str]) -> Markup:
    rows = [
        h("tr", {}, h("th", {"scope": "row", "class": "name"}, name), h("td", {}, h("code", {}, value)))
        for name, value in in_use.items()
    ]
    note = h("p", {"class": "note"}, "What the settings of the model came to.")
    return h(
        "section",
        {},
        h("h2", {}, "In use"),
        note,
        h("table", {"class": "plain settings"}, h("tbody", {}, *rows)),
    )
