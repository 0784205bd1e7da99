"""Models with random weights in the shapes of real ones, written by the converter's own graph builder.

All weights are small integers times a power of two: exact in float16 as in float32, so that two recipes
differ in arithmetic only. Needs NumPy, onnx and attrs; no GGUF file, no tokenizer.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.convert.architecture import read_architecture
from aide_lsp.convert.gguf_file import GgufFile, Tensor
from aide_lsp.convert.graph import write_decoder
from aide_lsp.convert.recipes import RECIPES

FLOAT32 = 0  # ggml's number of the type
CONTEXT = 4096
VOCAB_SPREAD = 3.0  # standard deviation of the logits: about that of a code model


@frozen
class Shape:
    """Sizes of a decoder with a tied embedding table (Qwen2 architecture)."""

    hidden_size: int
    intermediate_size: int
    layer_count: int
    head_count: int
    kv_head_count: int
    vocab_size: int

    @property
    def head_dim(self) -> int:
        """Width of one head."""
        return self.hidden_size // self.head_count

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every tensor, by its name in a GGUF file."""
        hidden, inner, kv = self.hidden_size, self.intermediate_size, self.kv_head_count * self.head_dim
        layer: dict[str, tuple[int, ...]] = {
            "attn_norm.weight": (hidden,),
            "attn_q.weight": (hidden, hidden),
            "attn_q.bias": (hidden,),
            "attn_k.weight": (kv, hidden),
            "attn_k.bias": (kv,),
            "attn_v.weight": (kv, hidden),
            "attn_v.bias": (kv,),
            "attn_output.weight": (hidden, hidden),
            "ffn_norm.weight": (hidden,),
            "ffn_gate.weight": (inner, hidden),
            "ffn_up.weight": (inner, hidden),
            "ffn_down.weight": (hidden, inner),
        }
        layers = {
            f"blk.{index}.{name}": shape for index in range(self.layer_count) for name, shape in layer.items()
        }
        return {
            "token_embd.weight": (self.vocab_size, hidden),
            "output_norm.weight": (hidden,),
            **layers,
        }

    def parameter_count(self) -> int:
        """Return the number of weights; all of them are read for each generated token."""
        return sum(int(np.prod(shape)) for shape in self.tensors().values())


SHAPES: Mapping[str, Shape] = {
    "tiny": Shape(128, 256, 2, 4, 2, 512),
    "0.5b": Shape(896, 4864, 24, 14, 2, 151936),
    "1.5b": Shape(1536, 8960, 28, 12, 2, 151936),
}


@frozen
class RandomTensor(Tensor):
    """Values that are computed on demand, the same every time."""

    def floats(self, start: int = 0, stop: int | None = None) -> NDArray[np.float32]:
        """Return rows `start:stop` as float32 (all of a vector)."""
        # `hash` of a text differs from process to process.
        random = np.random.default_rng(zlib.crc32(self.name.encode()))
        step, middle = scale_of(self.name, self.shape)
        # All rows are drawn, so that a row is the same in whatever slice it is read.
        integers = random.integers(-127, 128, self.shape, dtype=np.int8)[start:stop]
        return integers.astype(np.float32) * np.float32(step) + np.float32(middle)


def scale_of(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Return (step, middle): values are integers from -127 to 127 times `step`, plus `middle`."""
    spread = 127 / 3**0.5  # standard deviation of the integers
    if name.endswith("norm.weight"):
        return 2.0**-10, 1.0
    if name.endswith("bias"):
        return 2.0**-10, 0.0
    width = shape[-1]
    # Normalized hidden states have length sqrt(width): products are of order 1, logits as wanted.
    wanted = (VOCAB_SPREAD if name == "token_embd.weight" else 1.0) / width**0.5
    return float(2.0 ** np.round(np.log2(wanted / spread))), 0.0


def write_random_model(shape: Shape, recipe: str, folder: Path) -> None:
    """Write the graphs of a random model of `shape` into `folder`, which is created if needed."""
    folder.mkdir(parents=True, exist_ok=True)
    file = random_file(shape)
    write_decoder(file, read_architecture(file), RECIPES[recipe], folder)


def random_file(shape: Shape) -> GgufFile:
    """Return what opening a GGUF file would return."""
    empty = np.zeros((0, 0), np.uint8)
    tensors = {name: RandomTensor(name, FLOAT32, sizes, empty) for name, sizes in shape.tensors().items()}
    metadata = {
        "general.architecture": "qwen2",
        "qwen2.embedding_length": shape.hidden_size,
        "qwen2.feed_forward_length": shape.intermediate_size,
        "qwen2.block_count": shape.layer_count,
        "qwen2.attention.head_count": shape.head_count,
        "qwen2.attention.head_count_kv": shape.kv_head_count,
        "qwen2.attention.layer_norm_rms_epsilon": 1e-6,
        "qwen2.rope.freq_base": 1e6,
        "qwen2.context_length": CONTEXT,
    }
    return GgufFile(Path("random weights"), metadata, tensors)
