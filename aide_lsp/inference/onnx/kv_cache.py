"""Memory for the keys and values of one text: buffers that the graph reads and writes in place.

Past and present keys and values are the same runtime values, so that a forward copies nothing. Buffers grow
in steps: a model that takes 32,768 tokens would otherwise use 0.8 GB (0.5B parameters, float32) for prompts
of a thousand.
"""

from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.errors import MemoryShortError, SessionError

if TYPE_CHECKING:
    import onnxruntime

Values = dict[str, Any]
"""Runtime values by input name: `past_key_0`, `past_value_0`, `past_key_1`, ..."""

MOST_SPARE = 2
"""Sets of buffers kept for later KV caches: usually one text is dropped when another one comes."""
STEP = 64
"""Positions by which buffers usually grow: 1.6 MB of a model with 0.5B parameters in float32."""


@frozen
class KvShape:
    """Size of the keys, and of the values, of each layer."""

    layer_count: int
    head_count: int
    "Heads of keys and values."
    head_dim: int
    "Numbers of one head."
    dtype: str
    "`float32` or `float16`."

    @property
    def position_bytes(self) -> int:
        """Bytes of one position: its keys and values in all layers."""
        return 2 * self.layer_count * self.head_count * self.head_dim * np.dtype(self.dtype).itemsize


class SpareBuffers:
    """Unused buffers, kept so that later KV caches have the addresses for which CUDA graphs were captured.

    Thread-safe: with several clients, a KV cache may be dropped on any thread while another one grows.
    """

    def __init__(self) -> None:
        # Reentrant, since a KV cache may be dropped, and its buffers given, wherever Python frees memory.
        self._lock = RLock()
        self._sets: list[tuple[int, Values]] = []  # with their capacity; the first one is dropped first

    def take(self, capacity: int) -> Values | None:
        """Return buffers of exactly that capacity, with any contents; None: there are none."""
        with self._lock:
            found = next((one for one in self._sets if one[0] == capacity), None)
            if found is None:
                return None
            # Not by its index, which changes when others are given meanwhile.
            self._sets = [one for one in self._sets if one is not found]
            return found[1]

    def clear(self) -> None:
        """Free them."""
        with self._lock:
            self._sets = []

    def give(self, capacity: int, values: Values) -> None:
        """Keep buffers for later."""
        if capacity:
            with self._lock:
                self._sets = [*self._sets, (capacity, values)][-MOST_SPARE:]


class KvCache:
    """Buffers of keys and values, (1, heads, capacity, head_dim) each, on the CPU or a CUDA device."""

    def __init__(
        self,
        shape: KvShape,
        capacity: int,
        limit: int,
        device: str,
        step: int = STEP,
        spare: SpareBuffers | None = None,
    ) -> None:
        self._shape, self._limit, self._device, self._step, self._spare = shape, limit, device, step, spare
        self.capacity = self._rounded(capacity)
        """Positions that fit."""
        self.values = self._allocate(self.capacity)
        """Replaced when they grow."""

    def __del__(self) -> None:
        # Allocation may have failed in `__init__`.
        if self._spare is not None and hasattr(self, "values"):
            self._spare.give(self.capacity, self.values)

    @property
    def bytes(self) -> int:
        """Memory of the buffers. On the CPU, parts that were never written to use no memory yet."""
        return self.capacity * self._shape.position_bytes

    def reserve(self, length: int) -> None:
        """Grow to at least `length` positions, keeping the contents.

        Raises:
            SessionError: the model takes fewer positions, or memory is short.
        """
        if length <= self.capacity:
            return
        if length > self._limit:
            raise SessionError(f"{length} tokens are needed; the model takes at most {self._limit}.")
        capacity = self._rounded(length)
        # All of it: how many positions hold a text is known to the prefix cache only.
        values = self._allocate(capacity, self._content(self.capacity))
        if self._spare is not None:
            self._spare.give(self.capacity, self.values)
        self.capacity, self.values = capacity, values

    def copy(self, length: int) -> "KvCache":
        """Return a copy of the first `length` positions.

        Raises:
            SessionError: memory is short.
        """
        # Created empty, since buffers with contents are written once, when they are allocated.
        copy = KvCache(self._shape, 0, self._limit, self._device, self._step, self._spare)
        copy.capacity = self._rounded(length)
        copy.values = self._allocate(copy.capacity, self._content(length))
        return copy

    def arrays(self, length: int) -> dict[str, NDArray[Any]]:
        """Return a copy of the first `length` positions, for tests and diagnosis."""
        return {name: np.array(array) for name, array in self._content(length).items()}

    def _content(self, length: int) -> dict[str, NDArray[Any]]:
        return {name: value.numpy()[:, :, :length] for name, value in self.values.items()}

    def _allocate(self, capacity: int, content: dict[str, NDArray[Any]] | None = None) -> Values:
        spare = self._spare.take(capacity) if self._spare is not None else None
        try:
            return {
                name: self._buffer(capacity, (content or {}).get(name), (spare or {}).get(name))
                for name in self._names()
            }
        except MemoryError as error:
            raise MemoryShortError(
                f"There is not enough memory for a context of {capacity} tokens. Lower Num Context."
            ) from error

    def _buffer(
        self, capacity: int, content: NDArray[Any] | None, spare: "onnxruntime.OrtValue | None"
    ) -> "onnxruntime.OrtValue":
        import onnxruntime

        if spare is not None and content is None:
            return spare  # its old contents are after the end of any text
        shape = self._shape
        buffer = np.zeros((1, shape.head_count, capacity, shape.head_dim), dtype=shape.dtype)
        if content is not None:
            buffer[:, :, : content.shape[2]] = content
        # Its address is the one for which a graph may have been captured.
        if spare is not None:
            spare.update_inplace(buffer)
            return spare
        # On the CPU the runtime uses the array's own memory; on a device it gets a copy.
        return onnxruntime.OrtValue.ortvalue_from_numpy(buffer, self._device, 0)

    def _names(self) -> list[str]:
        return [
            f"past_{kind}_{layer}" for layer in range(self._shape.layer_count) for kind in ("key", "value")
        ]

    def _rounded(self, length: int) -> int:
        return min(-(-length // self._step) * self._step, self._limit)
