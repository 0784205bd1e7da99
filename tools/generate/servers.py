"""The kinds of servers as a Markdown table, for the page about them."""

from collections.abc import Iterator

from aide_lsp.completion.model import ALL_PARAMETERS
from aide_lsp.engines.remote.flavors.aide_serve import AideServe
from aide_lsp.engines.remote.flavors.hosted import DEEPSEEK, MISTRAL
from aide_lsp.engines.remote.flavors.llama_cpp import LlamaCpp
from aide_lsp.engines.remote.flavors.ollama import Ollama
from aide_lsp.engines.remote.flavors.openai_style import OTHER, VARIANTS, OpenAiStyle
from aide_lsp.settings.fields import PARAMETERS, label

OWN_WORDS = "Aide's, as text"


def server_table() -> str:
    """Render every kind: how it is set and asked, what it ignores, what it reports."""
    rows = [
        "| Server | `engine_kind` | Prompt | Without effect | Probabilities | An unfinished word |",
        "|---|---|---|---|---|---|",
    ]
    return "\n".join([*rows, *map(_row, _kinds())])


def _kinds() -> Iterator[tuple[str, ...]]:
    again = "is generated again"
    llama, ollama = LlamaCpp(), Ollama()
    none, tokens = _ignored(ALL_PARAMETERS), "Aide's, as tokens"
    yield (
        f"Aide (`{AideServe.title}`)",
        AideServe.kind,
        "Aide's",
        none,
        "yes",
        "is generated again, in complete tokens",
    )
    yield f"{llama.title} (`llama-server`)", llama.kind, tokens, none, "yes", "begins the answer"
    for one in VARIANTS:
        if one.is_aide:
            continue
        name = "others with `/v1/completions`" if one is OTHER else one.name
        suffix = " or the server's" if one.takes_suffix else ""
        rates = "yes" if one.rates else ""
        yield name, OpenAiStyle.kind, OWN_WORDS + suffix, _ignored(one.honored), rates, again
    yield ollama.title, ollama.kind, OWN_WORDS, none, "yes", again
    for api in (MISTRAL, DEEPSEEK):
        rates = "yes" if api.rates else ""
        yield api.title, api.kind, "the server's", _ignored(api.honored), rates, "is sent as it is"


def _ignored(honored: frozenset[str]) -> str:
    return ", ".join(label(name) for name in PARAMETERS if name not in honored) or "none"


def _row(cells: tuple[str, ...]) -> str:
    name, kind, *others = cells
    return f"| {name} | `{kind}` | {' | '.join(others)} |"
