"""Inputs and outputs of forwards in fixed memory, on the device where the graph reads and writes them.

Only what is requested is copied to the host. Addresses stay the same as long as shapes and KV buffers do, so
that the runtime can capture a forward as a CUDA graph, which always uses the addresses of its capture.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aide_lsp.inference.onnx.model_folder import ModelFolder

if TYPE_CHECKING:
    import onnxruntime


class IoBinding:
    """The inputs and outputs of one forward at a time, of one session of the runtime."""

    def __init__(self, session: "onnxruntime.InferenceSession", info: ModelFolder, device: str) -> None:
        self.binding = session.io_binding()
        """The runtime's own binding."""
        self._info, self._device = info, device
        self._kv: Mapping[str, Any] = {}
        self._seqlens = self._tensor("seqlens_k", (1,), np.int32)
        # Attention kernels read this one on the host.
        self._total = _Tensor(self.binding, "total_sequence_length", (), np.int32, "cpu")
        self._bind_rows(1)
        self._bind_logit_rows(1)

    def bind(self, kv: Mapping[str, Any], rows: int, logit_rows: int) -> None:
        """Prepare a forward of `rows` rows on `kv`, with the candidates of `logit_rows` rows."""
        if kv is not self._kv:
            # Takes a tenth of a millisecond: not worth a binding for each KV cache.
            self.bind_kv(kv)
        if (1, rows) != self._ids.shape:
            self._bind_rows(rows)
        if (logit_rows,) != self._logit_rows.shape:
            self._bind_logit_rows(logit_rows)

    def bind_kv(self, kv: Mapping[str, Any]) -> None:
        """Let go of the KV buffers that are bound, and bind others."""
        self._kv = kv
        for name, value in kv.items():
            self.binding.bind_ortvalue_input(name, value)
            self.binding.bind_ortvalue_output(name.replace("past", "present"), value)

    def write(self, ids: Sequence[int], past: int, total: int, logit_rows: Sequence[int]) -> None:
        """Write what the next forward reads.

        Args:
            ids: token ids, at positions `past`, `past + 1`, ...
            past: positions before them.
            total: positions that kernels plan for: all, or on CUDA more.
            logit_rows: indices in `ids`.
        """
        # In place, which takes 0.3 ms less for each token than binding new values.
        self._ids.write([ids])
        self._logit_rows.write(logit_rows)
        # GroupQueryAttention takes the number of positions less one.
        self._seqlens.write([past + len(ids) - 1])
        self._total.write(total)

    def candidates(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:  # (P, C), (P, C)
        """Return a copy of the last forward's candidates and their logits."""
        # Not `get_outputs`, which also returns the keys and values of all layers.
        return self._best_ids.read(), self._best_logits.read()

    def hidden(self) -> NDArray[np.float32]:  # (P, hidden_size)
        """Return a copy of the last forward's hidden states."""
        return self._hidden.read()

    def _bind_rows(self, rows: int) -> None:
        self._ids = self._tensor("input_ids", (1, rows), np.int64)

    def _bind_logit_rows(self, rows: int) -> None:
        best, hidden = (rows, self._info.candidate_count), (rows, self._info.hidden_size)
        self._logit_rows = self._tensor("logit_rows", (rows,), np.int64)
        self._best_logits = self._tensor("candidate_logits", best, np.float32, output=True)
        self._best_ids = self._tensor("candidate_ids", best, np.int64, output=True)
        self._hidden = self._tensor("hidden", hidden, np.float32, output=True)

    def _tensor(self, name: str, shape: tuple[int, ...], dtype: Any, *, output: bool = False) -> "_Tensor":
        return _Tensor(self.binding, name, shape, dtype, self._device, output=output)


class _Tensor:
    """A tensor at one address for many forwards.

    On the graph's device: an input elsewhere would be copied once, when it is bound, and never again.
    """

    def __init__(
        self,
        binding: "onnxruntime.IOBinding",
        name: str,
        shape: tuple[int, ...],
        dtype: Any,
        device: str,
        *,
        output: bool = False,
    ) -> None:
        import onnxruntime

        self.shape, self._dtype = shape, dtype
        self._first = np.zeros(shape, dtype)  # on the CPU the value uses this memory
        self._value = onnxruntime.OrtValue.ortvalue_from_numpy(self._first, device, 0)
        if output:
            binding.bind_ortvalue_output(name, self._value)
        else:
            binding.bind_ortvalue_input(name, self._value)

    def write(self, values: Any) -> None:
        """Write what the next forward reads."""
        self._value.update_inplace(np.array(values, self._dtype))

    def read(self) -> NDArray[Any]:
        """Return a copy of the contents."""
        return np.array(self._value.numpy())
