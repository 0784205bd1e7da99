"""The checks, the stop rules and the languages as Markdown tables, for the page on what is shown."""

from aide_lsp.infill.checks.misfit import Misfit
from aide_lsp.infill.stop_rules import StopRule
from aide_lsp.syntax.languages import LANGUAGES


def check_table() -> str:
    """Render every check with its message."""
    rows = ["| Check | Not shown, because |", "|---|---|"]
    rows += [f"| `{misfit.code}` | {misfit.message} |" for misfit in Misfit]
    return "\n".join(rows)


def stop_rule_table() -> str:
    """Render every stop rule with its message."""
    rows = ["| Stop rule | What ends the text |", "|---|---|"]
    rows += [f"| `{rule.code}` | {rule.message} |" for rule in StopRule]
    return "\n".join(rows)


def language_table() -> str:
    """Render the languages by what is known of them."""
    known = [("a tree-sitter grammar", [one for one in LANGUAGES.values() if one.grammar])]
    known += [("marks only", [one for one in LANGUAGES.values() if not one.grammar and not one.prose])]
    known += [("prose", [one for one in LANGUAGES.values() if one.prose])]
    rows = ["| Known by | Language ids |", "|---|---|"]
    rows += [f"| {how} | {', '.join(f'`{one.id}`' for one in languages)} |" for how, languages in known]
    return "\n".join(rows)
