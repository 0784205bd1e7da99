"""What differs between kinds of servers: the interfaces that they implement.

A flavor says how a server shows that it is of its kind. That of a server with an API of its own, which is all
but `aide serve`, also says how a prompt becomes a request, and how an event of the answer is read. Everything
else is the same for all: the connection, the stream, failures, limits.
"""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from attrs import field, frozen

from aide_lsp.completion.fim_template import FimTemplate
from aide_lsp.completion.model import ALL_PARAMETERS
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.remote.http.questions import Questions
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions


@frozen
class ServerFacts:
    """What a server is and has."""

    name: str
    "What it is, for people: `llama.cpp`, `vLLM`, ..."
    model: str
    "The model that is used."
    models: tuple[str, ...] = ()
    "All that it lists."
    version: str = ""
    recipe: str = ""
    "How the model's weights are stored; empty: unknown."
    digest: str = ""
    "SHA-256 of the model, in hexadecimal; empty: unknown."
    context_length: int = 0
    "Tokens that the model takes; 0: unknown."
    vocabulary_size: int = 0
    "0: unknown."
    template: FimTemplate | None = None
    "How prompts are written; None: the server writes them itself, from prefix and suffix."
    format_from: str = ""
    "What that was concluded from, for people."
    reads_files: bool = False
    honored: frozenset[str] = ALL_PARAMETERS
    "Names of the generation parameters that have an effect."
    rates: bool = False
    "Whether it reports probabilities when it is asked to."
    prefills: bool = False
    "Whether it keeps what it has read, so that reading ahead helps."
    passes_to: str = ""
    "Where it sends the text on, if it does not run the model itself."
    notes: tuple[str, ...] = ()
    "What was assumed, and what is not available."
    details: Mapping[str, Any] = field(factory=dict, repr=False)
    "What its flavor needs for requests."

    @property
    def reads_suffix(self) -> bool:
        """Whether the model sees the text after the cursor."""
        return self.template is None or self.template.format.reads_suffix


@frozen
class ServerRequest:
    """A request for a completion."""

    path: str
    body: dict[str, Any] = field(repr=False)
    healed: str = field(default="", repr=False)
    "The answer begins with this text, which is in the document already; or it is of no use."
    otherwise: "ServerRequest | None" = None
    "The request that is sent then; None: the server is held to that text."
    prompt_tokens: int = 0
    "0: unknown until the server says it."


def healing(path: str, plain: dict[str, Any], healed: dict[str, Any], text: str) -> ServerRequest:
    """Return the request to a server that cannot be held to the healed text.

    It is asked to generate the unfinished word again. Only if it means another one, it has to continue from
    where the word is cut, which is half a token, after which models are lost.

    Args:
        path: where it completes.
        plain: the body whose prompt ends at the cursor.
        healed: the body whose prompt ends before the healed text.
        text: the healed text.
    """
    without = ServerRequest(path, plain)
    return ServerRequest(path, healed, text, otherwise=without) if text else without


@frozen
class Piece:
    """What one event of an answer says."""

    text: str = field(default="", repr=False)
    finish: str | None = None
    "`stop` or `length`; None: more may follow."
    tokens: int = 0
    "Tokens of the text."
    log_probability: float = 0.0
    "Of these tokens together; 0 if unknown."
    token_ids: tuple[int, ...] = ()
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    generated_tokens: int | None = None
    "All so far, where a server counts them."


class Flavor(Protocol):
    """One kind of server."""

    @property
    def kind(self) -> str:
        """Its name in the setting `engine_kind`."""
        ...

    @property
    def title(self) -> str:
        """Its name for people."""
        ...

    def look(self, ask: Questions, choice: ServerChoice) -> ServerFacts | None:
        """Ask a server what it is; None: it is not of this kind. Nothing of the user's text is sent.

        Raises:
            Cancelled, ServerError: see `Connection.ask`.
            SettingsError: the format that the settings name does not suit the model.
        """
        ...


@runtime_checkable
class ForeignFlavor(Flavor, Protocol):
    """One kind of server with an API of its own, so that prompts and answers are translated."""

    def request(
        self,
        facts: ServerFacts,
        prompt: Prompt,
        options: GenerationOptions,
        connection: Connection,
        cancel: CancelToken,
    ) -> ServerRequest:
        """Return the request for a completion of a prompt. May ask the server to tokenize it.

        Raises:
            BadStatus, Cancelled, ServerError: see `Connection.ask`.
        """
        ...

    def read(self, event: Mapping[str, Any]) -> Piece:
        """Return what an event says. What is missing or of another type in it counts as nothing."""
        ...
