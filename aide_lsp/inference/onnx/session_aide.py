"""The graph layout of our own converter: candidates leave the graph, and keys and values stay in place.

Why results do not depend on what was run before (CPU, recipes `exact`, `int4` and `fast`, ONNX Runtime
1.31 and 1.32; according to its source, and measured on its kernels and on the model):

- GroupQueryAttention of two or more rows processes the rows in blocks of
  `min(L2 bytes / (32 head_dim), 2 head_dim)`: 128 for heads of 64, 256 for heads of 128. Each row's sum
  runs in the same order whatever block it is in, unless a block has a single row: its product with the
  values then uses the matrix-vector kernel, which adds in another order. That happens to the last row of
  a forward of 1, 129, 257, 385, ... rows, and to nothing else.
- Keys are processed in blocks that begin at fixed positions, and what is after a row adds exact zeros.
- Threads divide heads, rows and columns, never a sum: 1 to 16 threads give the same bits.
- Products in blocks of more than 32 columns process rows in pairs: the last one of an odd number uses another
  kernel, which adds in another order. The same is true of the rows whose candidates are requested. (The
  candidates of a single row are also divided among the threads, and 3 threads have one row too many for a
  block.)
- The other operators treat each row alone; `fast` rounds each row by its own largest value, and the
  integer sums of its products have no order.

Blocks are even for every head size that is a power of two, so a forward with an even number of rows never
ends in a block of one, nor has a row without a pair: `RowRule(multiple=2)`. Decoding runs the newest token
together with the one before it; for an odd number of candidates, those of the last row are computed twice.
Heads of 256 are different: a product of that depth is one sum with up to 64 keys, and two with more.

With a bound in the softmax (`softcap`) attention runs in other kernels, to which the same applies.

None of this holds for float16 or for CUDA, whose kernels are chosen by shape. There a prompt is run in blocks
that depend on its length alone (`prefix_cache.block_ends`), which gives the same shapes, and so the same
bits, for the same prompt. On CUDA everything after the blocks, including decoded tokens and drafts, is run in
steps: 8 rows starting at a multiple of 8, with the candidates of all of them, planned for a number of
positions that is the same for the same text. So a token's row, and the shapes of all that computes it, depend
on its position alone. Eight rows read the weights as often as one does, and only one shape has to be captured
as a CUDA graph.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from aide_lsp.errors import SessionError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.onnx.cuda_graphs import NOT_CAPTURED, CudaGraphs
from aide_lsp.inference.onnx.io_binding import IoBinding
from aide_lsp.inference.onnx.kv_cache import KvCache, KvShape, SpareBuffers
from aide_lsp.inference.onnx.model_folder import ModelFolder
from aide_lsp.inference.onnx.runtime import Loaded, load, run
from aide_lsp.inference.prefix_cache import BLOCK_ROWS, RowRule
from aide_lsp.inference.session import Candidates

EVEN_HEADS = (16, 32, 64, 128)
"""Sizes of heads for which the rows of the CPU's attention are independent."""
STEP_ROWS = 8
"""Rows of a step on CUDA: the newest token and the longest draft."""
STEP_POSITIONS = 1024
"""Steps are planned for a multiple of this many positions; with steps, buffers grow by as many."""


def open_aide_session(
    folder: Path, info: ModelFolder, provider: str, threads: int, capacity: int, *, cuda_graphs: bool = True
) -> "AideSession":
    """Load the model in `folder`; on CUDA with captured steps, if the runtime can capture them.

    See `open.open_session` for arguments and errors.
    """
    note = None
    if provider == "cuda" and cuda_graphs:
        try:
            # Captured at once, so that a runtime that cannot is noticed before the first completion.
            return _capturing(folder, info, threads, capacity)
        except SessionError as error:
            note = f"Running without CUDA graphs, which is slower: {error}"
    loaded = load(folder / info.graph, provider, threads)
    return AideSession(folder, info, evolve(loaded, note=loaded.note or note), threads, capacity)


def _capturing(folder: Path, info: ModelFolder, threads: int, capacity: int) -> "AideSession":
    loaded = load(folder / info.graph, "cuda", threads, cuda_graphs=True)
    session = AideSession(folder, info, loaded, threads, capacity)
    session.capture()
    return session


class AideSession:
    """A converted model, loaded."""

    def __init__(self, folder: Path, info: ModelFolder, loaded: Loaded, threads: int, capacity: int) -> None:
        self.vocab_size, self.candidate_count = info.vocab_size, info.candidate_count
        self.provider, self.provider_note = loaded.provider, loaded.note
        self.row_rule = rule = row_rule(info, loaded.provider)
        # Padding and steps need positions too: none may be past the model's context.
        self.context_length = info.context_length - info.context_length % (rule.step or rule.multiple)
        self._folder, self._info, self._threads, self._capacity = folder, info, threads, capacity
        self._session = loaded.session
        self._head: Any = None
        self._head_rows: Any = None
        self._spare = SpareBuffers()
        self.kv = self.new_kv()
        self._any = IoBinding(self._session, info, self.provider)
        # Graphs use the addresses of their capture, which other forwards would change with their shapes.
        self._step = IoBinding(self._session, info, self.provider) if rule.step else self._any
        self._graphs = CudaGraphs() if loaded.cuda_graphs else None
        self._last, self._rows = self._any, [0]  # the last forward's binding, and its requested rows

    def new_kv(self) -> KvCache:
        """See `Session.new_kv`."""
        return self._new_kv(self._capacity)

    def _new_kv(self, capacity: int) -> KvCache:
        info = self._info
        shape = KvShape(info.layer_count, info.kv_head_count, info.head_dim, info.kv_dtype)
        if not self.row_rule.step:
            return KvCache(shape, capacity, self.context_length, self.provider)
        spare = self._spare
        return KvCache(shape, capacity, self.context_length, self.provider, STEP_POSITIONS, spare)

    def use(self, kv: KvCache) -> None:
        """See `Session.use`."""
        self.kv = kv

    def release(self) -> None:
        """See `Session.release`."""
        # Memory may be short, so nothing is allocated before the next prompt.
        self.kv = self._new_kv(0)
        for binding in (self._any, self._step):
            binding.bind_kv(self.kv.values)
        if self._graphs:
            self._graphs.release()
        # Last: what was in use until now has become spare.
        self._spare.clear()

    def forward(
        self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken
    ) -> Candidates:
        """See `Session.forward`."""
        # The graph does not check ids: one out of range would read other memory.
        if not 0 <= min(ids) <= max(ids) < self.vocab_size:
            raise SessionError(
                f"A token id is outside the model's {self.vocab_size}; its tokenizer does not fit."
            )
        if len(ids) == self.row_rule.step:
            self._run_step(ids, past, logit_rows, cancel)
        else:
            self._run_any(ids, past, logit_rows, cancel)
        return self._best()

    def capture(self) -> None:
        """Run a step, so that the runtime captures it if it can; the KV cache's contents are lost.

        Raises:
            SessionError: it cannot be captured.
        """
        if self._graphs:
            self._run_step([0] * self.row_rule.step, 0, [0], CancelToken())
            self._best()

    def full_logits(self) -> NDArray[np.float32]:  # (P, V)
        """See `Session.full_logits`. The head is loaded on first use."""
        # Rarely needed: for more than the candidates.
        if self._head is None:
            self._head = load(self._folder / "head.onnx", self.provider, self._threads).session
        # Row by row, since the product of one row adds in another order than that of several.
        hidden = self._last.hidden()
        rows = [{"hidden": hidden[row : row + 1]} for row in self._rows]
        logits: NDArray[np.float32] = np.concatenate([self._head.run(["logits"], row)[0] for row in rows])
        # The head rounds its factors; the candidates' logits were computed exactly, so they take precedence.
        best = self._best()
        np.put_along_axis(logits, best.ids, best.logits, axis=1)
        return logits

    def logits_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:  # (N,) -> (N,)
        """See `Session.logits_of`. On the CPU, whose memory the file is mapped into: these are few."""
        if self._head_rows is None:
            self._head_rows = load(self._folder / "head_rows.onnx", "cpu", 1).session
        first = self._last.hidden()[self._rows[:1]]
        logits: NDArray[np.float32] = self._head_rows.run(["logits"], {"hidden": first, "ids": ids})[0][0]
        return logits

    def _run_any(self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken) -> None:
        """Run a forward of any shape."""
        total = past + len(ids)
        self.kv.reserve(total)
        # The product that gives candidates takes rows in pairs too.
        padding = [logit_rows[-1]] * (-len(logit_rows) % self.row_rule.multiple)
        self._any.bind(self.kv.values, len(ids), len(logit_rows) + len(padding))
        self._any.write(ids, past, total, [*logit_rows, *padding])
        self._last, self._rows = self._any, list(range(len(logit_rows)))
        run(self._session, self._any.binding, cancel, NOT_CAPTURED if self._graphs else None)

    def _run_step(
        self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken
    ) -> None:
        """Run a step, planned by `past` alone."""
        total = min(-(-(past + len(ids)) // STEP_POSITIONS) * STEP_POSITIONS, self.context_length)
        self.kv.reserve(total)
        self._step.bind(self.kv.values, len(ids), len(ids))
        self._step.write(ids, past, total, range(len(ids)))
        self._last, self._rows = self._step, list(logit_rows)
        number = self._graphs.number(self.kv.values, total) if self._graphs else None
        run(self._session, self._step.binding, cancel, number)

    def _best(self) -> Candidates:
        """Return the candidates of the last forward's requested rows."""
        ids, logits = self._last.candidates()
        return Candidates(ids[self._rows], logits[self._rows])


def row_rule(info: ModelFolder, provider: str) -> RowRule:
    """Return which forwards give the same bits, as the module's docstring explains."""
    if info.in_integers and provider == "cpu" and info.kv_dtype == "float32" and info.head_dim in EVEN_HEADS:
        return RowRule(multiple=2)
    return RowRule(block=BLOCK_ROWS, step=STEP_ROWS if provider == "cuda" else 0)
