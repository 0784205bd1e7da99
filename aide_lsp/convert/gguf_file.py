"""Reads a GGUF file: metadata, and tensors as raw blocks or as float32.

Versions 2 and 3, little-endian. The bytes of tensors stay memory-mapped until they are needed. Every length
and offset in the file is checked before it is used, so a truncated or hostile file ends in `ConversionError`.
`read_gguf_header` reads the beginning of a file that is elsewhere: all that can be checked without weights.

The header is parsed here because `gguf.GGUFReader` creates five arrays for each vocabulary entry, which takes
seconds. Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import math
import mmap
import reprlib
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from aide_lsp.errors import ConversionError

SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
STRING, ARRAY = 8, 9
MOST_ITEMS = 1 << 24
"""Limit of an array of metadata: far more than any vocabulary, and still a list of 128 MB."""
MOST_NUMBER = 1 << 50
Item = TypeVar("Item")

DAMAGED = (struct.error, ValueError, TypeError, ArithmeticError, RecursionError)
"""What arbitrary bytes may raise, such as an alignment of 0, arrays in arrays, or a tensor past the end."""
NO_BYTES = np.zeros((0, 0), np.uint8)

# ggml type -> (name, values per block, bytes per block), for the types that the converter can read.
TENSOR_TYPES: Mapping[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    30: ("BF16", 1, 2),
}


@frozen
class Tensor:
    """One tensor as stored in the file."""

    name: str
    """Name in the file, such as `blk.0.attn_q.weight`."""
    type_id: int
    """ggml's number of the storage type."""
    shape: tuple[int, ...]
    """Rows first, as NumPy has it: (output features, input features) for a matrix."""
    raw: NDArray[np.uint8] = field(repr=False)
    """The stored bytes, (rows, bytes of a row); empty if only the header was read."""

    @property
    def type_name(self) -> str:
        """ggml's name of the storage type, such as `Q5_0`."""
        return TENSOR_TYPES[self.type_id][0]

    def floats(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return rows `start:stop` as float32 (all of a vector)."""
        from gguf import GGMLQuantizationType
        from gguf.quants import dequantize

        values: NDArray[np.float32] = dequantize(self.raw[start:stop], GGMLQuantizationType(self.type_id))
        return np.ascontiguousarray(values, dtype=np.float32).reshape(-1, *self.shape[1:])


@frozen
class GgufFile:
    """An open GGUF file."""

    path: Path
    """For messages only."""
    metadata: Mapping[str, Any]
    """Key -> number, string, bool, or list of these."""
    tensors: Mapping[str, Tensor]
    """Name -> tensor, in the order of the file."""

    def value(self, key: str) -> Any:
        """Return the metadata value of `key`; raise ConversionError if it is missing."""
        if key not in self.metadata:
            raise ConversionError(f"{self.path.name} has no metadata '{key}', which the conversion needs")
        return self.metadata[key]

    def number(self, key: str, otherwise: float | None = None) -> float:
        """Return a plausible number above 0; raise ConversionError for anything else."""
        value = self.value(key) if otherwise is None else self.metadata.get(key, otherwise)
        # To Python, `true` is the integer 1.
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < MOST_NUMBER:
            raise ConversionError(
                f"{self.path.name}: expected a number above 0 in '{key}', found {reprlib.repr(value)}"
            )
        return value

    def whole(self, key: str, otherwise: int | None = None) -> int:
        """Return a whole number, as `number` does."""
        value = self.number(key, otherwise)
        if value != int(value) or value > MOST_ITEMS:
            raise ConversionError(
                f"{self.path.name}: expected a whole number up to {MOST_ITEMS} in '{key}', found {value}"
            )
        return int(value)

    def items(self, key: str, kind: type[Item]) -> list[Item]:
        """Return a list of items of one type; raise ConversionError for anything else."""
        value = self.value(key)
        if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
            raise ConversionError(f"{self.path.name}: expected a list of {kind.__name__} in '{key}'")
        return value

    def tensor(self, name: str) -> Tensor:
        """Return the tensor `name`; raise ConversionError if it is missing."""
        if name not in self.tensors:
            raise ConversionError(f"{self.path.name} has no tensor '{name}', which the conversion needs")
        return self.tensors[name]

    def vector(self, name: str, length: int) -> NDArray[np.float32]:
        """Return a tensor as float32; raise ConversionError if it is missing or has another shape."""
        tensor = self.tensor(name)
        if tensor.shape != (length,):
            raise ConversionError(f"{self.path.name}: '{name}' is {tensor.shape}, expected {(length,)}")
        return tensor.floats()


def open_gguf(path: Path) -> GgufFile:
    """Parse the header of `path` and map its tensors.

    Raises ConversionError if the file is not GGUF, is truncated, or stores a tensor in an unsupported type.
    """
    with path.open("rb") as file:
        # Magic, version and two counts. An empty file cannot be mapped.
        if path.stat().st_size < 24:
            raise ConversionError(f"{path.name} is too short to be a GGUF file")
        buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return _parse(path, buffer)
    except DAMAGED as error:
        raise ConversionError(f"{path.name} is damaged or truncated ({error}); download it again") from error


def read_gguf_header(data: bytes, name: str) -> GgufFile | None:
    """Parse the first bytes of a GGUF file; None if they end before the header does.

    The result has everything but the bytes of tensors, which are empty; `name` is for messages.

    Raises ConversionError if it is not GGUF, is damaged, or stores a tensor in an unsupported type.
    """
    path = Path(name)
    try:
        return _parse(path, data, has_weights=False)
    except _PastTheEndError:
        return None
    except DAMAGED as error:
        raise ConversionError(f"{path.name} is damaged ({error}); download it again") from error


def _parse(path: Path, buffer: mmap.mmap | bytes, *, has_weights: bool = True) -> GgufFile:
    cursor = _Cursor(buffer)
    magic, version = cursor.unpack("<4sI")
    # Version 1 has counts of 32 bits.
    if magic != b"GGUF" or version not in (2, 3):
        raise ConversionError(
            f"{path.name} is not a GGUF file of version 2 or 3 (magic {magic!r}, {version})"
        )
    tensor_count, key_count = cursor.unpack("<QQ")
    metadata: dict[str, Any] = {}
    for _ in range(key_count):
        key = cursor.string()
        metadata[key] = cursor.value(cursor.unpack("<I")[0])
    infos = [_tensor_info(cursor) for _ in range(tensor_count)]
    alignment = int(metadata.get("general.alignment", 32))
    start = math.ceil(cursor.position / alignment) * alignment if has_weights else None
    tensors = {info[0]: _map_tensor(path, buffer, start, *info) for info in infos}
    return GgufFile(path, metadata, tensors)


def _tensor_info(cursor: "_Cursor") -> tuple[str, tuple[int, ...], int, int]:
    name = cursor.string()
    (dimensions,) = cursor.unpack("<I")
    if not 1 <= dimensions <= 4:
        raise ValueError(f"tensor '{name}' has {dimensions} dimensions")
    shape = cursor.unpack(f"<{dimensions}Q")
    type_id, offset = cursor.unpack("<IQ")
    return name, tuple(reversed(shape)), type_id, offset


def _map_tensor(
    path: Path,
    buffer: mmap.mmap | bytes,
    start: int | None,
    name: str,
    shape: tuple[int, ...],
    type_id: int,
    offset: int,
) -> Tensor:
    """Return the tensor, its bytes `offset` after `start`; None: without them."""
    if type_id not in TENSOR_TYPES:
        known = ", ".join(names[0] for names in TENSOR_TYPES.values())
        raise ConversionError(
            f"{path.name} stores '{name}' as {_type_name(type_id)}, which Aide cannot read; choose a file of "
            f"the model with one of {known}"
        )
    _, block, block_bytes = TENSOR_TYPES[type_id]
    if shape[-1] % block:
        raise ValueError(f"tensor '{name}': rows of {shape[-1]} are not multiples of {block}")
    row_bytes = shape[-1] // block * block_bytes
    if start is None:
        return Tensor(name, type_id, shape, NO_BYTES)
    size = math.prod(shape[:-1]) * row_bytes
    # Raises ValueError if the tensor does not fit into the file.
    raw = np.frombuffer(buffer, dtype=np.uint8, count=size, offset=start + offset)
    return Tensor(name, type_id, shape, raw if len(shape) == 1 else raw.reshape(-1, row_bytes))


def _type_name(type_id: int) -> str:
    from gguf import GGMLQuantizationType

    try:
        return GGMLQuantizationType(type_id).name
    except ValueError:
        return f"type {type_id}"


class _PastTheEndError(ValueError):
    """The bytes end too early."""


class _Cursor:
    """Reads values one after another; raises `_PastTheEndError` past the end."""

    def __init__(self, buffer: mmap.mmap | bytes) -> None:
        self.buffer = buffer
        self.position = 0

    def unpack(self, form: str) -> tuple[Any, ...]:
        start, self.position = self.position, self.position + struct.calcsize(form)
        if self.position > len(self.buffer):
            raise _PastTheEndError("a value runs past the end")
        return struct.unpack_from(form, self.buffer, start)

    def string(self) -> str:
        (length,) = self.unpack("<Q")
        start = self.position
        if length > len(self.buffer) - start:
            raise _PastTheEndError("a string runs past the end")
        self.position = start + length
        return self.buffer[start : self.position].decode("utf-8", errors="replace")

    def value(self, kind: int) -> Any:
        if kind in SCALARS:
            return self.unpack("<" + SCALARS[kind])[0]
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            return self.array()
        raise ValueError(f"unknown metadata type {kind}")

    def array(self) -> list[Any]:
        item, count = self.unpack("<IQ")
        # Checked before a list of that length is created. An item has at least one byte.
        if count > MOST_ITEMS:
            raise ValueError("an array is too long for a vocabulary")
        if count > len(self.buffer) - self.position:
            raise _PastTheEndError("an array runs past the end")
        # All at once, because a vocabulary has more than 100,000 numbers.
        if item in SCALARS:
            return list(self.unpack(f"<{count}{SCALARS[item]}"))
        return [self.value(item) for _ in range(count)]
