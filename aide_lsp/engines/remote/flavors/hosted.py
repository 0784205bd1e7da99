"""Mistral's and DeepSeek's APIs, which get prefix and suffix, and write the prompt themselves.

Documentation: https://docs.mistral.ai/api/endpoint/fim,
https://api-docs.deepseek.com/api/create-completion
"""

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from aide_lsp.completion.model import ALL_PARAMETERS
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.flavors.flavor import Piece, ServerFacts, ServerRequest
from aide_lsp.engines.remote.flavors.formats import own_prompt
from aide_lsp.engines.remote.flavors.openai_style import entry_of, listed_models, read_choice
from aide_lsp.engines.remote.flavors.sampling import sampling_of
from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.remote.http.failures import no_models
from aide_lsp.engines.remote.http.questions import Questions
from aide_lsp.engines.remote.http.values import names_in, number_at, text_at, value_at
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions


@frozen
class HostedApi:
    """See `Flavor`."""

    kind: str
    title: str
    owner: str
    "Who owns the models, as the API says it."
    path: str
    "Where it completes."
    can_fill: str
    "The capability that models have which fill in; where none says so, all may."
    most_tokens: int
    seed: str
    "Its name for the seed; empty: it has none."
    rates: bool = False

    @property
    def honored(self) -> frozenset[str]:
        """Names of the generation parameters that have an effect."""
        return ALL_PARAMETERS - {"top_k"} - ({"seed"} if not self.seed else set())

    def look(self, ask: Questions, choice: ServerChoice) -> ServerFacts | None:
        """See `Flavor`."""
        if (listed := listed_models(ask, choice, self.kind)) is None:
            return None
        if choice.kind != self.kind and text_at(listed, 0, "owned_by") != self.owner:
            return None
        fitting = [one for one in listed if value_at(one, "capabilities", self.can_fill)]
        models = names_in(fitting or listed, "id")
        if not (model := choice.model or next(iter(models), "")):
            raise no_models(ask.host)
        entry = entry_of(listed, model)
        return ServerFacts(
            name=self.title,
            model=model,
            models=models,
            context_length=number_at(entry, "max_context_length"),
            format_from="the server's own (suffix)",
            honored=self.honored,
            rates=self.rates,
            notes=("It has no Top K.",) if self.seed else ("It has neither Top K nor a seed.",),
        )

    def request(
        self,
        facts: ServerFacts,
        prompt: Prompt,
        options: GenerationOptions,
        connection: Connection,
        cancel: CancelToken,
    ) -> ServerRequest:
        """See `Flavor`."""
        sampling = sampling_of(options)
        prefix, suffix = own_prompt(prompt)
        body: dict[str, Any] = {
            "model": facts.model,
            "prompt": prefix,
            "suffix": suffix,
            "max_tokens": min(options.max_tokens, self.most_tokens),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stream": True,
        }
        if self.seed:
            body[self.seed] = sampling.seed
        if self.rates and options.min_confidence > 0:
            body["logprobs"] = 1
        return ServerRequest(self.path, body)

    def read(self, event: Mapping[str, Any]) -> Piece:
        """See `Flavor`."""
        return read_choice(event)


MISTRAL = HostedApi(
    kind="mistral",
    title="Mistral",
    owner="mistralai",
    path="/v1/fim/completions",
    can_fill="completion_fim",
    most_tokens=4096,
    seed="random_seed",
)
DEEPSEEK = HostedApi(
    kind="deepseek",
    title="DeepSeek",
    owner="deepseek",
    path="/beta/completions",
    can_fill="",
    most_tokens=4096,
    seed="",
    rates=True,
)
