"""The process that converts: started by `convert`, never imported by it.

It reads one JSON line from standard input with source, folder, model and recipe, and writes JSON lines to
standard output: {"progress", "step"} and at the end {"result"} or {"error"}. It ends when standard input
closes, which means that the parent is gone.
"""

import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aide_lsp.convert.architecture import Architecture, read_architecture
from aide_lsp.convert.calibration import activation_maxima
from aide_lsp.convert.gguf_file import GgufFile, open_gguf
from aide_lsp.convert.graph import write_decoder
from aide_lsp.convert.head import CANDIDATES
from aide_lsp.convert.manifest import CardFacts, ConvertedModel, sync_files, write_manifest
from aide_lsp.convert.packing import add_packed_matrices
from aide_lsp.convert.processor import integer_products_are_exact
from aide_lsp.convert.recipes import Recipe, check_recipe, find_recipe
from aide_lsp.convert.smoothing import smooth
from aide_lsp.convert.tokenizer_json import bos_token, special_token_ids, write_tokenizer
from aide_lsp.convert.weights import LayerWeights
from aide_lsp.errors import AideError, ConversionError, disk_is_full
from aide_lsp.progress import Progress

# A conversion keeps the cores busy for up to half a minute, in which the user may be typing.
NICENESS = 10


def serve_one(work: Callable[[Mapping[str, Any], Progress], Any]) -> None:
    """Read one job from standard input, run `work` on it, and answer on standard output."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # Before the thread, which reads everything that is left.
    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = {"result": work(job, _report)}
    except AideError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "The conversion ran out of memory. Free some memory and try again."}
    except OSError as error:
        answer = {"error": _refusal(error)}
    _say(answer)


def _refusal(error: OSError) -> str:
    if disk_is_full(error):
        return "The disk is full. Free some space, or set AIDE_DATA_DIR to a folder on another disk."
    return f"The conversion could not read or write a file: {error}."


def _report(share: float | None, step: str) -> None:
    """Report progress to the parent."""
    _say({"progress": round(share or 0.0, 4), "step": step})


def _say(message: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    sys.stdin.read()
    # `sys.exit` would end only this thread.
    os._exit(1)


def write_model_folder(job: Mapping[str, Any], report: Progress = lambda *_: None) -> str:
    """Convert `job["source"]` into the empty folder `job["folder"]`; return the folder.

    Raises ConversionError if the file cannot be converted.
    """
    folder, card, recipe = Path(job["folder"]), CardFacts(**job["model"]), find_recipe(job["recipe"])
    report(0.0, "reading the file")
    file = open_gguf(Path(job["source"]))
    a = read_architecture(file)
    check_recipe(recipe, a)
    # Before the long work, because a card may name a token that the file does not have.
    end_tokens = special_token_ids(file, card.end_tokens)
    write_tokenizer(file, folder / "tokenizer.json")
    _write_graphs(file, a, recipe, folder, report)
    # Only the CPU's integer kernels pack matrices.
    if recipe.packed:
        report(0.85, "packing matrices for this processor")
        add_packed_matrices(folder)
    report(0.95, "computing checksums")
    count = min(CANDIDATES, a.vocab_size)
    # Last, because it has the hash of every other file.
    model = ConvertedModel(recipe.name, a, recipe.dtype, count, end_tokens, bos_token(file))
    write_manifest(folder, card, model)
    sync_files(folder)
    report(1.0, "done")
    return str(folder)


def _write_graphs(file: GgufFile, a: Architecture, recipe: Recipe, folder: Path, report: Progress) -> None:
    """Write the graphs with `recipe`, smoothed first if it says so."""

    def layer_done(count: int) -> None:
        report(0.4 + 0.45 * count / a.layer_count, f"layer {count} of {a.layer_count}")

    if not recipe.smoothed:
        write_decoder(file, a, recipe, folder, layer_done=layer_done)
        return
    if not integer_products_are_exact():
        raise ConversionError(
            f"the recipe '{recipe.name}' needs a processor with VNNI or dot-product instructions, "
            "and this one has none; use the recipe 'exact'"
        )
    report(0.1, "running the calibration text")
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.") as scratch:
        maxima = activation_maxima(file, a, folder / "tokenizer.json", Path(scratch))

    def smoothed(index: int, layer: LayerWeights) -> LayerWeights:
        return smooth(a, layer, maxima[index])

    write_decoder(file, a, recipe, folder, edit=smoothed, layer_done=layer_done)


if __name__ == "__main__":
    serve_one(write_model_folder)
