"""The graph layout others export: all logits and the present keys and values leave the graph.

Names, types and sizes are read from the graph:
`input_ids, attention_mask, [position_ids], past_key_values.N.key/value -> logits, present.N.key/value`
(https://huggingface.co/docs/optimum-onnx, task text-generation-with-past).

Keys and values are passed from run to run as runtime values, and copied only when they are cut. How the
kernels of an exported graph round is unknown, so rows that run together may affect each other: prompts are
run in blocks that depend on their length alone (`prefix_cache.block_ends`), which gives equal bits for equal
prompts as long as the runtime computes equal shapes in the same way.
"""

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.errors import ModelFilesError, SessionError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.onnx.model_folder import ModelFolder
from aide_lsp.inference.onnx.runtime import Loaded, run
from aide_lsp.inference.prefix_cache import BLOCK_ROWS, RowRule
from aide_lsp.inference.session import Candidates

if TYPE_CHECKING:
    import onnxruntime

PAST, PRESENT = "past_key_values.", "present."
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(bool)": "bool",
}
_KNOWN = ("input_ids", "attention_mask", "position_ids", "use_cache_branch", "num_logits_to_keep")


@frozen
class Input:
    """An input of the graph."""

    shape: tuple[Any, ...]
    "Sizes; a name or None stands for any size."
    dtype: str
    "Its name in numpy."


@frozen
class GrownKv:
    """Keys and values by input name, as the graph returned them. Never changed, only replaced."""

    values: dict[str, "onnxruntime.OrtValue"]
    "(1, heads, length, head_dim) each."
    length: int
    "Positions."


class OptimumKv:
    """A KV cache: see `session.KeysValues`."""

    def __init__(self, held: GrownKv, device: str) -> None:
        self.held, self._device = held, device

    @property
    def bytes(self) -> int:
        """Memory it takes."""
        return sum(
            prod(value.shape()) * np.dtype(_DTYPES[value.data_type()]).itemsize
            for value in self.held.values.values()
        )

    def reserve(self, length: int) -> None:
        """Do nothing: the graph allocates memory itself."""

    def copy(self, length: int) -> "OptimumKv":
        """Return a copy of the first `length` positions."""
        copy = OptimumKv(self.held, self._device)
        copy.trim(length)
        return copy

    def trim(self, length: int) -> None:
        """Drop all but the first `length` positions."""
        import onnxruntime

        if length > self.held.length:
            raise SessionError(
                f"{length} tokens were expected in the KV cache; there are {self.held.length}."
            )
        if length < self.held.length:
            # Nothing is replaced before all layers are cut: a failure in between would leave them unequal.
            cut = {n: np.ascontiguousarray(v.numpy()[:, :, :length]) for n, v in self.held.values.items()}
            ort_value = onnxruntime.OrtValue.ortvalue_from_numpy
            values = {name: ort_value(array, self._device, 0) for name, array in cut.items()}
            self.held = GrownKv(values, length)


class OptimumSession:
    """An exported decoder, loaded."""

    def __init__(self, info: ModelFolder, loaded: Loaded) -> None:
        self.provider, self.provider_note = loaded.provider, loaded.note
        self.row_rule = RowRule(block=BLOCK_ROWS)
        self.context_length = info.context_length
        self._session = loaded.session
        self._inputs = _read_inputs(loaded.session)
        self._past = [name for name in self._inputs if name.startswith(PAST)]
        self.vocab_size = _vocab_size(loaded.session, info)
        self.candidate_count = min(info.candidate_count, self.vocab_size)
        _check_layout(self._inputs, loaded.session)
        self._nothing = GrownKv({name: self._empty(name, info) for name in self._past}, 0)
        self.kv = self.new_kv()
        self._logits: NDArray[np.float32] = np.zeros((0, self.vocab_size), np.float32)

    def new_kv(self) -> OptimumKv:
        """See `Session.new_kv`."""
        return OptimumKv(self._nothing, self.provider)

    def use(self, kv: OptimumKv) -> None:
        """See `Session.use`."""
        self.kv = kv

    def release(self) -> None:
        """See `Session.release`."""
        self.kv = self.new_kv()

    def forward(
        self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken
    ) -> Candidates:
        """See `Session.forward`."""
        if past + len(ids) > self.context_length:
            raise SessionError(
                f"{past + len(ids)} tokens are needed; the model takes at most {self.context_length}."
            )
        self.kv.trim(past)
        # A new one each time: every forward has other shapes.
        binding = self._session.io_binding()
        first = min(logit_rows, default=len(ids))
        for name, value in self._arguments(ids, past, len(ids) - first).items():
            binding.bind_cpu_input(name, value)
        for name, value in self.kv.held.values.items():
            binding.bind_ortvalue_input(name, value)
            binding.bind_output(name.replace(PAST, PRESENT), self.provider)
        binding.bind_output("logits", "cpu")
        run(self._session, binding, cancel)
        *present, logits = binding.get_outputs()  # in the order in which they were bound
        self.kv.held = GrownKv(dict(zip(self._past, present, strict=True)), past + len(ids))
        return self._candidates(logits.numpy()[0], [row - len(ids) for row in logit_rows])

    def full_logits(self) -> NDArray[np.float32]:  # (P, V)
        """See `Session.full_logits`."""
        return self._logits

    def logits_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:  # (N,) -> (N,)
        """See `Session.logits_of`."""
        logits: NDArray[np.float32] = self._logits[0][ids]
        return logits

    def arrays(self, length: int) -> dict[str, NDArray[Any]]:
        """Return a copy of the keys and values of the first `length` positions, for tests and diagnosis."""
        return {name: np.array(value.numpy()[:, :, :length]) for name, value in self.kv.held.values.items()}

    def _arguments(self, ids: Sequence[int], past: int, logit_count: int) -> dict[str, NDArray[Any]]:
        values: dict[str, Any] = {
            "input_ids": [ids],
            "attention_mask": [[1] * (past + len(ids))],
            "position_ids": [range(past, past + len(ids))],
            # Graphs with two decoders use the one with a past, which may be empty here.
            "use_cache_branch": [True],
            # 0 would mean all rows.
            "num_logits_to_keep": max(logit_count, 1),
        }
        return {
            name: np.array(value, dtype=self._inputs[name].dtype)
            for name, value in values.items()
            if name in self._inputs
        }

    def _candidates(self, logits: NDArray[Any], rows: list[int]) -> Candidates:
        # Counted from the end: some graphs return only the last logits.
        self._logits = logits[rows].astype(np.float32)
        found = [best_first(row, self.candidate_count) for row in self._logits]
        best = np.array(found, dtype=np.int64).reshape(len(rows), self.candidate_count)
        return Candidates(ids=best, logits=np.take_along_axis(self._logits, best, axis=1))

    def _empty(self, name: str, info: ModelFolder) -> "onnxruntime.OrtValue":
        import onnxruntime

        declared, dtype = self._inputs[name].shape, self._inputs[name].dtype
        heads = declared[1] if isinstance(declared[1], int) else info.kv_head_count
        head_dim = declared[3] if isinstance(declared[3], int) else info.head_dim
        if not heads or not head_dim:
            raise ModelFilesError(f"Neither the graph nor a config.json states the sizes of {name}.")
        return onnxruntime.OrtValue.ortvalue_from_numpy(
            np.zeros((1, heads, 0, head_dim), dtype), self.provider, 0
        )


def _read_inputs(session: "onnxruntime.InferenceSession") -> dict[str, Input]:
    inputs = {}
    for value in session.get_inputs():
        if value.type not in _DTYPES:
            raise ModelFilesError(
                f"The graph's input {value.name} has the type {value.type}, which Aide does not support."
            )
        inputs[value.name] = Input(tuple(value.shape), _DTYPES[value.type])
    return inputs


def _check_layout(inputs: dict[str, Input], session: "onnxruntime.InferenceSession") -> None:
    outputs = {value.name for value in session.get_outputs()}
    past = [name for name in inputs if name.startswith(PAST)]
    wanted = {"logits", *(name.replace(PAST, PRESENT) for name in past)}
    strange = [name for name in inputs if name not in _KNOWN and name not in past]
    if not past or "input_ids" not in inputs:
        raise ModelFilesError(
            "The graph is not a decoder with past keys and values. "
            "Export it for the task text-generation-with-past."
        )
    if strange or not wanted <= outputs:
        names = ", ".join([*strange, *sorted(wanted - outputs)])
        raise ModelFilesError(f"The graph does not have the layout of an exported decoder: {names}.")


def _vocab_size(session: "onnxruntime.InferenceSession", info: ModelFolder) -> int:
    size = next((value.shape[-1] for value in session.get_outputs() if value.name == "logits"), None)
    if isinstance(size, int):
        return size
    if info.vocab_size:
        return info.vocab_size
    raise ModelFilesError("Neither the graph nor a config.json states the size of the vocabulary.")


def best_first(logits: NDArray[np.float32], count: int) -> NDArray[np.int64]:  # (V,) -> (count,)
    """Return the ids of the highest logits; of equal ones the lowest ids come first; NaN is highest."""
    threshold = np.partition(logits, logits.size - count)[logits.size - count]
    # Not `>=`, which is false for NaN: it has to be among the candidates, so that `generate` notices it.
    ids = np.flatnonzero(~(logits < threshold))
    order = np.argsort(np.nan_to_num(-logits[ids], nan=-np.inf), kind="stable")
    return ids[order[:count]].astype(np.int64)
