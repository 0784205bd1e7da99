"""How close a recipe is to float32: its logits compared with those of a float graph of the same weights.

For each recipe it measures top-1 agreement and Kullback-Leibler divergence over positions of code that
calibration never saw: modules of Python's standard library. The models are converted and run in a child
process, in a temporary folder, so that the float graph never appears among the user's models.
"""

import shutil
import sysconfig
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import asdict, frozen
from numpy.typing import NDArray

from aide_lsp.convert.convert import run_worker
from aide_lsp.convert.worker import serve_one, write_model_folder
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.progress import Progress

MODULES = (
    *("textwrap", "heapq", "bisect", "fnmatch", "sched", "colorsys", "calendar", "shlex"),
    *("configparser", "statistics", "graphlib", "fractions", "csv", "difflib", "queue", "string"),
)
PROMPT_TOKENS = 384
TOKENS_AT_ONCE = 96
EVERY = 6
REFERENCE = "float"
"""The recipe to compare with."""


@frozen
class Fidelity:
    """Measurements of one recipe."""

    recipe: str
    positions: int
    top1: float
    """Share of positions at which the best token is the same."""
    mean_kl: float
    """Mean of KL(reference || recipe), in nats."""
    p99_kl: float
    """99th percentile of KL."""
    recall50: float
    """Share of the recipe's own 50 largest logits that are among its candidates."""
    recall64: float
    """The same for as many logits as there are candidates."""


def measure_fidelity(
    source: Path, scratch: Path, recipes: Sequence[str], progress: Progress
) -> list[Fidelity]:
    """Measure `recipes` on the model in the GGUF file `source`.

    While it runs, it needs disk space and memory for a float32 copy of the weights. The folder `scratch` is
    for it alone; another measurement with the same one waits.

    Raises ConversionError if the model cannot be converted.
    """
    from filelock import FileLock

    job = {"source": str(source), "recipes": list(recipes), "scratch": str(scratch)}
    scratch.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(scratch.with_name(f".{scratch.name}.lock")):
        # Gigabytes that a killed measurement left.
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            answer = run_worker("aide_lsp.bench.fidelity", job, progress)
        finally:
            # Here: an interrupted worker is killed.
            shutil.rmtree(scratch, ignore_errors=True)
    return [Fidelity(**result) for result in answer]


def held_out_texts() -> list[str]:
    """Return the source of the modules, each from its first function on."""
    library = Path(sysconfig.get_path("stdlib"))
    sources = [(library / f"{name}.py").read_text(encoding="utf-8") for name in MODULES]
    return [source[max(0, source.find("\ndef ")) :] for source in sources]


def _measure(job: Mapping[str, Any], report: Progress) -> list[dict[str, Any]]:
    steps = len(job["recipes"]) + 1
    source, scratch = Path(job["source"]), Path(job["scratch"])
    report(0.0, "reference")
    reference, _ = _run_recipe(source, REFERENCE, scratch)
    results = []
    for number, recipe in enumerate(job["recipes"], start=1):
        report(number / steps, recipe)
        logits, candidates = _run_recipe(source, recipe, scratch)
        results.append(asdict(compare(recipe, reference, logits, candidates)))
    return results


def _run_recipe(source: Path, recipe: str, scratch: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Convert, run, and remove; return all logits (positions, vocabulary) and candidate ids."""
    # Removed before the next one is converted: a float32 copy of the default model takes 2 GB.
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        card: dict[str, Any] = {"id": "fidelity", "fim": None, "end_tokens": [], "source_sha256": ""}
        job = {"source": str(source), "folder": folder, "model": card, "recipe": recipe}
        return _run_texts(Path(write_model_folder(job)))


def _run_texts(folder: Path) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Run the held-out texts through a model folder.

    Returns logits (positions, vocabulary) and candidate ids (positions, candidates).
    """
    from aide_lsp.inference.tokenizer import Tokenizer

    tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
    session = open_session(folder, "cpu")
    # Not every row: 1,000 positions with 150,000 logits take 0.6 GB, for the reference and for a recipe.
    rows = range(EVERY - 1, TOKENS_AT_ONCE, EVERY)
    logits, ids = [], []
    for text in held_out_texts():
        prompt = tokenizer.encode(text)[:PROMPT_TOKENS]
        for past in range(0, len(prompt) - TOKENS_AT_ONCE + 1, TOKENS_AT_ONCE):
            block = prompt[past : past + TOKENS_AT_ONCE]
            ids.append(session.forward(block, past, rows, CancelToken()).ids)
            logits.append(session.full_logits())
    return np.concatenate(logits), np.concatenate(ids)


def compare(
    recipe: str, reference: NDArray[np.float32], logits: NDArray[np.float32], candidates: NDArray[np.int64]
) -> Fidelity:
    """Compare the logits of `recipe` with the reference's, both (positions, vocabulary)."""
    divergences = [_divergence(p, q) for p, q in zip(reference, logits, strict=True)]
    return Fidelity(
        recipe=recipe,
        positions=len(divergences),
        # Completions are drawn from the candidates, whose logits are more exact than the head's.
        top1=float(np.mean(reference.argmax(axis=1) == candidates[:, 0])),
        mean_kl=float(np.mean(divergences)),
        p99_kl=float(np.quantile(divergences, 0.99)),
        # 50: the default of Top K.
        recall50=_recall(logits, candidates, min(50, candidates.shape[1])),
        recall64=_recall(logits, candidates, candidates.shape[1]),
    )


def _divergence(reference: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """KL(softmax(reference) || softmax(other)) in nats."""
    p, q = _log_softmax(reference), _log_softmax(other)
    return float(np.sum(np.exp(p) * (p - q)))


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - logits.max()
    return np.asarray(shifted - np.log(np.exp(shifted).sum()))


def _recall(logits: NDArray[np.float32], candidates: NDArray[np.int64], count: int) -> float:
    best = np.argpartition(-logits, count - 1, axis=1)[:, :count]
    found = [np.isin(b, c).mean() for b, c in zip(best, candidates, strict=True)]
    return float(np.mean(found))


if __name__ == "__main__":
    # `run_worker` starts this module as a program.
    serve_one(_measure)
