"""Which kind of server answers: each kind is asked by its own questions, none of which has source code."""

from aide_lsp.engines.remote.flavors.aide_serve import AideServe
from aide_lsp.engines.remote.flavors.choice import AUTO, ServerChoice
from aide_lsp.engines.remote.flavors.flavor import Flavor, ServerFacts
from aide_lsp.engines.remote.flavors.hosted import DEEPSEEK, MISTRAL
from aide_lsp.engines.remote.flavors.llama_cpp import LlamaCpp
from aide_lsp.engines.remote.flavors.ollama import Ollama
from aide_lsp.engines.remote.flavors.openai_style import OpenAiStyle
from aide_lsp.engines.remote.http.failures import other_kind, unknown_kind
from aide_lsp.engines.remote.http.questions import Questions

FLAVORS: tuple[Flavor, ...] = (AideServe(), LlamaCpp(), Ollama(), MISTRAL, DEEPSEEK, OpenAiStyle())
"""In the order in which they are tried: the last ones also answer as others do."""


def detect(ask: Questions, choice: ServerChoice) -> tuple[Flavor, ServerFacts]:
    """Return what kind of server answers, and what it is.

    Raises:
        Cancelled: no one waits for it anymore.
        ServerError: it does not answer, or is not of a known kind, or not of the one that was chosen.
        SettingsError: the format that the settings name does not suit the model.
    """
    tried = [flavor for flavor in FLAVORS if choice.kind in (AUTO, flavor.kind)]
    for flavor in tried:
        if (facts := flavor.look(ask, choice)) is not None:
            return flavor, facts
    if (failure := ask.failure) is not None:
        raise failure
    raise unknown_kind(ask.host) if choice.kind == AUTO else other_kind(ask.host, tried[0].title)
