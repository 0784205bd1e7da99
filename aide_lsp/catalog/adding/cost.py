"""What adding a model will cost: download, disk, memory and time. Estimates, from the number of its weights.

Figures of the conversions of the models that Aide ships: the 0.5B, which has 494 million weights, and for
`int4` the 1.5B, whose file is a Q4_K_M.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from aide_lsp.disk import megabytes
from aide_lsp.inference.onnx.model_folder import memory_in_use

BYTES_PER_WEIGHT: Mapping[str, float] = {
    **{"exact": 2.2, "int4": 1.75, "fast": 2.1},
    **{"int4_fp16": 0.9, "fp16": 2.0},
}
"""Recipe -> bytes on the disk. Recipes for the CPU hold each matrix twice, once packed for the processor."""
WITHOUT_4_BITS: Mapping[str, float] = {"int4": 2.2, "int4_fp16": 1.3}
"""The same for files that have most weights in another type: these become 8 bits."""
TYPES_OF_4_BITS = ("Q4_0", "Q4_1", "Q4_K")
WEIGHTS_PER_SECOND = 17e6
"""Converted by two cores."""
GPU_RECIPES = ("fp16", "int4_fp16")


@frozen
class Cost:
    """What adding a model takes, in bytes and seconds."""

    download: int
    """Left to download; 0: the file is here."""
    files: int
    """Size of the conversion."""
    conversion: int
    """Disk space that it still takes; 0: it is there."""
    memory: int
    """That it takes while it is used."""
    seconds: float
    """The conversion takes about this long; 0 if there is none to make."""
    basis: str
    """What the time was estimated from."""

    @property
    def disk(self) -> int:
        """Disk space that will be taken."""
        return self.download + self.conversion


def conversion_size(parameters: int, quantization: str, recipe: str) -> int:
    """Estimate the bytes of a conversion, from the number of weights and the type of most of them."""
    each = BYTES_PER_WEIGHT[recipe]
    if quantization not in TYPES_OF_4_BITS:
        each = WITHOUT_4_BITS.get(recipe, each)
    return max(1, int(parameters * each))


def cost_of(
    parameters: int,
    quantization: str,
    recipe: str,
    download: int,
    *,
    is_converted: bool = False,
    measured: float = 0.0,
) -> Cost:
    """Estimate the cost of a model.

    Args:
        parameters: number of its weights.
        quantization: type of most of them in the file.
        recipe: by which it will be converted.
        download: bytes left to download.
        is_converted: whether a conversion is here already.
        measured: weights per second of an earlier conversion on this machine; 0 if unknown.
    """
    conversion = conversion_size(parameters, quantization, recipe)
    rate = measured or WEIGHTS_PER_SECOND
    return Cost(
        download=download,
        files=conversion,
        conversion=0 if is_converted else conversion,
        memory=conversion if recipe in GPU_RECIPES else memory_in_use(conversion, packed=True),
        seconds=0.0 if is_converted else parameters / rate,
        basis="as fast as the last conversion here" if measured else "on two cores",
    )


def cost_of_import(size: int, *, is_converted: bool) -> Cost:
    """Return the cost of an exported model, whose files have this many bytes."""
    return Cost(
        download=0,
        files=size,
        conversion=0 if is_converted else size,
        memory=memory_in_use(size, packed=False),
        seconds=0.0,
        basis="",
    )


def disk_shortage(cost: Cost, folder: Path, name: str) -> str | None:
    """Say that the disk has not enough space for what will be written to `folder`; None: it has."""
    place = folder
    # The folder may have to be created.
    while not place.exists() and place.parent != place:
        place = place.parent
    free = shutil.disk_usage(place).free
    if free >= cost.disk:
        return None
    return (
        f"{name} needs {megabytes(cost.disk)} of disk space in {folder}, and {megabytes(free)} are free. "
        "Free some space, or set AIDE_DATA_DIR to a folder on another disk."
    )


def duration(seconds: float) -> str:
    """Return a time for people."""
    if seconds < 90:
        return f"{max(5, 5 * round(seconds / 5)):.0f} seconds"
    return f"{round(seconds / 60)} minutes"
