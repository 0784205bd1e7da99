"""Writes GGUF files that say anything, by hand: the library refuses to."""

import struct
from typing import Any

from tests.tiny_model import MERGES, tiny_vocabulary

INT32, UINT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 5, 4, 6, 7, 8, 9, 10
VOCABULARY = 320


def text(value: str | bytes) -> bytes:
    data = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<Q", len(data)) + data


def typed(value: Any) -> bytes:
    """A value with its type before it."""
    if isinstance(value, bool):
        return struct.pack("<I?", BOOL, value)
    if isinstance(value, int):
        return struct.pack("<Ii", INT32, value) if value < 0 else struct.pack("<IQ", UINT64, value)
    if isinstance(value, float):
        return struct.pack("<If", FLOAT32, value)
    if isinstance(value, str | bytes):
        return struct.pack("<I", STRING) + text(value)
    items = b"".join(text(one) if isinstance(one, str) else struct.pack("<i", one) for one in value)
    kind = STRING if value and isinstance(value[0], str) else INT32
    return struct.pack("<IIQ", ARRAY, kind, len(value)) + items


def metadata(**changes: Any) -> dict[str, Any]:
    """What a small model says; `__` stands for a dot, and None removes a key."""
    tokens, types = tiny_vocabulary(VOCABULARY)
    said = {
        "general.architecture": "qwen2",
        "general.name": "Tiny",
        "qwen2.context_length": 512,
        "qwen2.embedding_length": 64,
        "qwen2.block_count": 1,
        "qwen2.feed_forward_length": 96,
        "qwen2.attention.head_count": 4,
        "qwen2.attention.head_count_kv": 2,
        "qwen2.attention.layer_norm_rms_epsilon": 1e-6,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.merges": list(MERGES),
        "tokenizer.ggml.eos_token_id": tokens.index("<|endoftext|>"),
    }
    said |= {key.replace("__", "."): value for key, value in changes.items()}
    return {key: value for key, value in said.items() if value is not None}


def tensors() -> dict[str, tuple[int, ...]]:
    """The shapes of its weights, columns first as in the file."""
    return {
        "token_embd.weight": (64, VOCABULARY),
        "output_norm.weight": (64,),
        "blk.0.attn_norm.weight": (64,),
        "blk.0.ffn_norm.weight": (64,),
        **{f"blk.0.attn_{name}.bias": (rows,) for name, rows in (("q", 64), ("k", 32), ("v", 32))},
        **{f"blk.0.attn_{name}.weight": (64, rows) for name, rows in (("q", 64), ("k", 32), ("v", 32))},
        "blk.0.attn_output.weight": (64, 64),
        "blk.0.ffn_gate.weight": (64, 96),
        "blk.0.ffn_up.weight": (64, 96),
        "blk.0.ffn_down.weight": (96, 64),
    }


def gguf(
    said: dict[str, Any] | None = None,
    shapes: dict[str, tuple[int, ...]] | None = None,
    type_id: int = 0,
    *,
    weights: bool = True,
) -> bytes:
    """A GGUF file, whose weights are zeros."""
    said, shapes = metadata() if said is None else said, tensors() if shapes is None else shapes
    head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(said))
    head += b"".join(text(key) + typed(value) for key, value in said.items())
    offset = 0
    for name, shape in shapes.items():
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, type_id, offset)
        count = 1
        for one in shape:
            count *= one
        offset += 4 * count + -4 * count % 32
    head += bytes(-len(head) % 32)
    return head + bytes(offset) if weights and offset < 1 << 30 else head
