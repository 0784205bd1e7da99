"""The FIM formats as a Markdown table, for the page about them."""

from aide_lsp.completion.fim import FORMATS


def format_table() -> str:
    """Render every format: who speaks it, what is read first, and whether it has room for other files."""
    rows = ["| `fim` | Models | Order | Other files |", "|---|---|---|---|"]
    rows += [
        f"| [`{one.name}`]({one.source}) | {one.models} | {one.order} | {'yes' if one.names else ''} |"
        for one in FORMATS.values()
    ]
    return "\n".join(rows)
