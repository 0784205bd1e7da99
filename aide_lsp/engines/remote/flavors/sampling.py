"""The generation parameters as a server gets them."""

from attrs import frozen

from aide_lsp.engines.remote.flavors.seeds import server_seed
from aide_lsp.inference.options import GenerationOptions


@frozen
class Sampling:
    """The parameters for a server. If it lets Aide set an order, it applies them in Aide's."""

    temperature: float
    top_k: int
    top_p: float
    seed: int


def sampling_of(options: GenerationOptions) -> Sampling:
    """Return the parameters for a server.

    Where chance does not decide, each of several parameters says so, and some servers reject a Top P of 0, or
    any Top P with temperature 0: then all say the same, that the most likely token is taken.
    """
    parameters, seed = options.parameters, server_seed(options.seed, options.candidate)
    if not parameters.draws:
        return Sampling(0.0, 1, 1.0, seed)
    return Sampling(parameters.temperature, parameters.top_k, parameters.top_p, seed)
