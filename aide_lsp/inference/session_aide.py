"""The graph layout of our own converter: candidates leave the graph, keys and values stay in place.

In and out: as `session.Session`. It does not know sampling, text or the files' names.

Why results do not depend on what was run before (CPU, recipes `exact` and `fast`, ONNX Runtime
1.31 and 1.32; read in its source and measured on its kernels and on the model):

- GroupQueryAttention of two or more rows walks the rows in blocks of
  `min(L2 bytes / (32 head_dim), 2 head_dim)`: 128 for heads of 64, 256 for heads of 128. Each row's sum
  runs in the same order whatever block it is in, unless a block has one row only: its product with the
  values then takes the matrix-vector kernel, which adds in another order. That happens to the last row of
  a forward of 1, 129, 257, 385, ... rows, and to nothing else.
- Keys are walked in blocks that begin at fixed positions, and what lies behind a row adds exact zeros.
- Threads share out heads, rows and columns, never a sum: 1 to 16 threads give the same bits. (One exception:
  the candidates of a single row, with 3 threads. Two are computed at least; `FEWEST_LOGIT_ROWS`.)
- The other operators treat each row alone; `fast` rounds each row by its own largest value, and the
  integer sums of its products have no order.

Blocks are even for every head size that is a power of two, so a forward with an even number of rows never
ends in a block of one: `RowRule(multiple=2)`. Decoding runs the newest token together with the one before
it. Nothing of this holds for float16 or for CUDA, whose kernels are chosen by shape: there a prompt is run
in blocks that depend on its length alone (`prefix_cache.block_ends`), which gives the same shapes, and so
the same bits, for the same prompt.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from aide_lsp.errors import SessionError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.kv_cache import KvCache, KvShape
from aide_lsp.inference.model_folder import ModelInfo
from aide_lsp.inference.prefix_cache import RowRule
from aide_lsp.inference.session import Candidates
from aide_lsp.inference.session_runtime import Loaded, load, run

if TYPE_CHECKING:
    import onnxruntime

FEWEST_LOGIT_ROWS = 2
"""Rows whose candidates are computed at least, where rows are independent. With one alone the product with
its 256 best tokens is cut into a piece for each thread, and 3 pieces have a row too many for a block."""
BLOCK_ROWS = 32
"""Rows of the smallest block where rows are not independent: half of it is run again for each prompt."""


class AideSession:
    """A converted model, loaded."""

    def __init__(self, folder: Path, info: ModelInfo, loaded: Loaded, threads: int, capacity: int) -> None:
        self.vocab_size, self.candidate_count = info.vocab_size, info.candidate_count
        self.provider, self.provider_note = loaded.provider, loaded.note
        self.row_rule = row_rule(info, loaded.provider)
        self.context_length = info.context_length - info.context_length % self.row_rule.multiple
        self._folder, self._info, self._threads, self._asked = folder, info, threads, 0
        self._session = loaded.session
        self._head: Any = None
        self._binding = loaded.session.io_binding()
        self._capacity = capacity
        self.kv = self.new_kv()
        self._bound_kv: dict[str, Any] = {}
        self._seqlens = self._bound("seqlens_k", (1,), np.int32)
        # Attention's kernels read this one on the host.
        self._total = _Bound(self._binding, "total_sequence_length", (), np.int32, "cpu")
        self._bind_rows(self.row_rule.multiple)
        self._fewest = 1 if self.row_rule.block else FEWEST_LOGIT_ROWS
        self._bind_logit_rows(self._fewest)

    def new_kv(self) -> KvCache:
        """See `Session.new_kv`."""
        info = self._info
        shape = KvShape(info.layer_count, info.kv_head_count, info.head_dim, info.kv_dtype)
        return KvCache(shape, self._capacity, self.context_length, self.provider)

    def use(self, kv: KvCache) -> None:
        """See `Session.use`."""
        self.kv = kv

    def forward(
        self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken
    ) -> Candidates:
        """See `Session.forward`."""
        self.kv.reserve(past + len(ids))
        if self.kv.values is not self._bound_kv:
            self._bind_kv()
        if (1, len(ids)) != self._ids.shape:
            self._bind_rows(len(ids))
        self._asked = len(logit_rows)
        if (wanted := max(self._asked, self._fewest),) != self._logit_rows.shape:
            self._bind_logit_rows(wanted)
        # The graph's embedding reads whatever lies there: an id out of range is not refused by it.
        if not 0 <= min(ids) <= max(ids) < self.vocab_size:
            raise SessionError(
                f"A token id is outside the model's {self.vocab_size}; its tokenizer does not fit."
            )
        self._ids.write([ids])
        self._logit_rows.write([*logit_rows, *[logit_rows[-1]] * (wanted - self._asked)])
        self._seqlens.write([past + len(ids) - 1])
        self._total.write(past + len(ids))
        run(self._session, self._binding, cancel)
        return self._best()

    def full_logits(self) -> NDArray[np.float32]:  # (P, V)
        """See `Session.full_logits`. The head is loaded when it is first needed."""
        if self._head is None:
            self._head = load(self._folder / "head.onnx", self.provider, self._threads).session
        # Row by row: the product of one row adds in another order than that of several.
        hidden = self._hidden.read()
        rows = [{"hidden": hidden[row : row + 1]} for row in range(self._asked)]
        logits: NDArray[np.float32] = np.concatenate([self._head.run(["logits"], row)[0] for row in rows])
        # The head rounds what it multiplies; the candidates were computed again, exactly. Theirs hold.
        best = self._best()
        np.put_along_axis(logits, best.ids, best.logits, axis=1)
        return logits

    def _best(self) -> Candidates:
        """Return the candidates that the last forward was asked for."""
        return Candidates(self._best_ids.read()[: self._asked], self._best_logits.read()[: self._asked])

    def _bind_kv(self) -> None:
        # A tenth of a millisecond: not worth a binding for each KV cache.
        self._bound_kv = self.kv.values
        for name, value in self.kv.values.items():
            self._binding.bind_ortvalue_input(name, value)
            self._binding.bind_ortvalue_output(name.replace("past", "present"), value)

    def _bind_rows(self, rows: int) -> None:
        self._ids = self._bound("input_ids", (1, rows), np.int64)

    def _bind_logit_rows(self, rows: int) -> None:
        best, hidden = (rows, self.candidate_count), (rows, self._info.hidden_size)
        self._logit_rows = self._bound("logit_rows", (rows,), np.int64)
        self._best_logits = self._bound("candidate_logits", best, np.float32, output=True)
        self._best_ids = self._bound("candidate_ids", best, np.int64, output=True)
        self._hidden = self._bound("hidden", hidden, np.float32, output=True)

    def _bound(self, name: str, shape: tuple[int, ...], dtype: Any, *, output: bool = False) -> "_Bound":
        return _Bound(self._binding, name, shape, dtype, self.provider, output=output)


def row_rule(info: ModelInfo, provider: str) -> RowRule:
    """Return which forwards give the same bits; the module's docstring says why."""
    power_of_two = info.head_dim & (info.head_dim - 1) == 0
    if info.recipe in ("exact", "fast") and provider == "cpu" and info.kv_dtype == "float32" and power_of_two:
        return RowRule(multiple=2)
    return RowRule(block=BLOCK_ROWS)


class _Bound:
    """A tensor at one place for many forwards, on the device where the graph reads or writes it.

    An input on another device would be copied there when it is bound, and never again.
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
        self._first = np.zeros(shape, dtype)  # on the CPU the value lives in its memory
        self._value = onnxruntime.OrtValue.ortvalue_from_numpy(self._first, device, 0)
        if output:
            binding.bind_ortvalue_output(name, self._value)
        else:
            binding.bind_ortvalue_input(name, self._value)

    def write(self, values: Any) -> None:
        """Put in what the next forward shall read."""
        self._value.update_inplace(np.array(values, self._dtype))

    def read(self) -> NDArray[Any]:
        """Return a copy of what the last forward wrote."""
        return np.array(self._value.numpy())
