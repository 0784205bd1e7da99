"""`aide serve`: Aide's own engine on a server. It is asked in Aide's own protocol (`engines/shared/`).

All that Aide can do works there as it does here, so nothing is translated.
"""

from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.flavors.flavor import ServerFacts
from aide_lsp.engines.remote.http.questions import Questions
from aide_lsp.engines.shared.client import PATH, EngineFacts, facts_in

ENGINE = "engine"
"""Key of the details: what the engine says of itself."""


class AideServe:
    """See `Flavor`."""

    kind = "aide"
    title = "aide serve"

    def look(self, ask: Questions, choice: ServerChoice) -> ServerFacts | None:
        """See `Flavor`."""
        facts = facts_in(ask.get(f"{PATH}/engine"), ask.host)
        if facts is None:
            return None
        info = facts.info
        return ServerFacts(
            name=self.title,
            model=info.id,
            models=(info.id,),
            version=facts.version,
            context_length=info.context_length,
            vocabulary_size=info.vocabulary_size,
            format_from="it is Aide",
            reads_files=info.reads_files,
            honored=info.honored,
            rates=info.rates,
            prefills=True,
            notes=(f"The same seed gives the same completion on all machines of its kind: {facts.machine}",),
            details={ENGINE: facts},
        )


def engine_of(facts: ServerFacts) -> EngineFacts | None:
    """Return the engine that a server is; None: it is another kind of server."""
    found = facts.details.get(ENGINE)
    return found if isinstance(found, EngineFacts) else None
