"""The keys of model cards as a Markdown table, for the page about models."""

from collections.abc import Mapping

from aide_lsp.catalog.card_rules import CARD, FETCHED, LOCAL, PART, RECIPES, SOURCES, Rule

MEANINGS: Mapping[str, str] = {
    "id": "What settings and commands call it; also the name of its folder.",
    "default": "Used when no model is set.",
    "description": "What `aide models show` says about it.",
    "context_length": "How much it can read, with what it generates.",
    "fim": "How it is asked to fill in the middle; without it, it only continues the text before the cursor.",
    "end_tokens": "Tokens of its vocabulary that end a completion. Control tokens always do, named or not.",
    "context_share": "Share of Num Context for excerpts of other files, if you set none. Without it: 0.",
    "recipes": "How its weights are stored by default, on each device: `cpu`, `amx`, `cuda`.",
    "name": "What messages call it.",
    "license": "Its license.",
    "path": "Your own file or folder, relative to the card or absolute.",
    "file": "What the downloaded file is called on the disk.",
    "size": "Of the file.",
    "sha256": "Of the file.",
    "converted_size": "Disk space of the largest conversion.",
    "sources": "Where the file is downloaded from; tried in order.",
    "recipes.cpu": "The recipe on the CPU.",
    "recipes.amx": "The recipe on a CPU with AMX under Linux. Without it: `recipes.cpu`.",
    "recipes.cuda": "The recipe on a GPU.",
    "sources.kind": '`"hub"` or `"wheels"`.',
    "sources.repo": "Of the Hub.",
    "sources.file": "Of the Hub.",
    "sources.revision": "Of the Hub; a commit cannot change.",
    "sources.parts": "Of wheels, whose members make the file, in order.",
    "parts.distribution": "The wheel's.",
    "parts.version": "The wheel's.",
    "parts.member": "Which file of it.",
    "parts.size": "Of the member.",
    "parts.sha256": "Of the wheel.",
}
"""Key -> what it is for."""


def card_key_table() -> str:
    """Render every key of a card: what it must be, and what it is for."""
    rows = ["| Key | Value | |", "|---|---|---|"]
    groups = (
        ("", "", CARD),
        ("", " Only in cards of your own files.", {"path": LOCAL["path"]}),
        ("", " Required if the file is downloaded.", FETCHED),
        ("recipes.", "", RECIPES),
        ("sources.", "", SOURCES["hub"] | SOURCES["wheels"]),
        ("parts.", "", PART),
    )
    rows += [
        _row(f"{where}{key}", rule, more if key not in CARD else "")
        for where, more, rules in groups
        for key, rule in rules.items()
    ]
    return "\n".join(rows)


def _row(key: str, rule: Rule, more: str) -> str:
    value = rule.expected.partition(" (")[0]
    optional = "" if rule.required or more else " Optional."
    return f"| `{key}` | {value} | {MEANINGS[key]}{optional}{more} |"
