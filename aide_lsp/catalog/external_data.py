"""Finds the other files that an ONNX graph reads: those with its weights.

Only what leads to a tensor is parsed, without the library `onnx`, and nothing is loaded, so a hostile graph
cannot do harm. The caller decides whether a location can be trusted.
"""

import mmap
from collections.abc import Iterator, Mapping
from typing import BinaryIO

MOST_DEPTH = 100
"""Nesting of messages; the protobuf library has the same limit."""
MOST_FIELDS = 10_000_000
"""Fields to look at; the graph of a decoder has at most a hundred thousand."""
# Message -> number of a field -> the message in it, as far as it may contain tensors:
# https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
_MESSAGES: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse tensor",
        23: "sparse tensor",
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
_KEY, _VALUE = 1, 2


def external_files(graph: BinaryIO) -> set[str]:
    """Return the locations of all external data.

    Raises:
        ValueError: the file is not an ONNX graph, or too complex.
    """
    # An empty file cannot be mapped.
    if graph.seek(0, 2) == 0:
        raise ValueError("it is empty")
    with mmap.mmap(graph.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return set(_Walk(data).locations("model", 0, len(data), 0))


class _Walk:
    """One pass over a graph."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data = data
        self.fields = 0

    def locations(self, message: str, start: int, end: int, depth: int) -> Iterator[str]:
        """Yield the locations in the message between two offsets."""
        if depth > MOST_DEPTH:
            raise ValueError("it is nested too deeply")
        if message == "entry":
            yield from self._entry(start, end)
            return
        inside = _MESSAGES[message]
        for number, first, last in self._fields(start, end):
            # Other fields, among them the weights that are in the graph itself, are skipped without a look
            # inside.
            if number in inside:
                yield from self.locations(inside[number], first, last, depth + 1)

    def _entry(self, start: int, end: int) -> Iterator[str]:
        # Read to its end, because protobuf allows fields in any order and takes the last of several.
        texts: dict[int, str] = {_KEY: "", _VALUE: ""}
        for number, first, last in self._fields(start, end):
            texts[number] = self.data[first:last].decode("utf-8")
        if texts[_KEY] == "location":
            yield texts[_VALUE]

    def _fields(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield number, start and end of each field that has a length; skip the others."""
        position = start
        while position < end:
            self.fields += 1
            if self.fields > MOST_FIELDS:
                raise ValueError("it has too many parts")
            tag, position = self._varint(position, end)
            number, kind = tag >> 3, tag & 7
            # Wire types of https://protobuf.dev/programming-guides/encoding/: 0 varint, 1 and 5 of fixed
            # width, 2 with a length. Groups (3, 4) do not occur in ONNX.
            if kind == 2:
                length, position = self._varint(position, end)
                if length > end - position:
                    raise ValueError("it is truncated")
                yield number, position, position + length
                position += length
            elif kind == 0:
                _, position = self._varint(position, end)
            elif kind in (1, 5):
                position += 8 if kind == 1 else 4
            else:
                raise ValueError("it is not an ONNX graph")
        if position > end:
            raise ValueError("it is truncated")

    def _varint(self, position: int, end: int) -> tuple[int, int]:
        value = 0
        # 64 bits in groups of 7.
        for index in range(10):
            if position + index >= end:
                raise ValueError("it is truncated")
            byte = self.data[position + index]
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                return value, position + index + 1
        raise ValueError("it is not an ONNX graph")
