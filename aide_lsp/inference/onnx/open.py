"""Opens a model folder as a session: chooses the device, and the session for the graph's layout."""

from pathlib import Path

from aide_lsp.inference.onnx.model_folder import read_model_folder
from aide_lsp.inference.onnx.runtime import cuda_problem, load
from aide_lsp.inference.onnx.session_aide import open_aide_session
from aide_lsp.inference.onnx.session_optimum import OptimumSession
from aide_lsp.inference.session import Session


def open_session(folder: Path, provider: str = "auto", threads: int = 0, capacity: int = 0) -> Session:
    """Load the model in `folder`.

    Args:
        folder: see `model_folder`.
        provider: `cpu`, `cuda`, or `auto`: what the model's recipe is meant for, if it is available.
        threads: CPU threads; 0: one for each physical core.
        capacity: tokens for which a KV cache reserves memory at once; it grows when necessary.

    Raises:
        ModelFilesError: the files cannot be used.
        SessionError: the runtime cannot load them.
    """
    info = read_model_folder(folder)
    provider = choose_provider(provider, info.recipe)
    if info.layout == "optimum":
        return OptimumSession(info, load(folder / info.graph, provider, threads))
    return open_aide_session(folder, info, provider, threads, capacity)


def choose_provider(requested: str, recipe: str) -> str:
    """Return `cpu` or `cuda`. Recipes whose activations are not float16 consist of kernels for the CPU."""
    if requested != "auto":
        return requested
    if recipe == "imported":
        return "cpu" if cuda_problem() else "cuda"
    # Even if CUDA is missing: `load` then takes the CPU, and its note says why.
    return "cuda" if recipe.endswith("fp16") else "cpu"
