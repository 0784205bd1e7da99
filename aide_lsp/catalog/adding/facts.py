"""What the beginning of a GGUF file says about the model in it, and whether Aide can run it.

The file may come from anyone: what it says is checked and made fit for a terminal and a card. All that
decides whether the conversion will succeed is checked here, before anything is downloaded.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from aide_lsp.catalog.text import one_line
from aide_lsp.completion.fim import FORMATS, fim_of
from aide_lsp.errors import ConversionError

if TYPE_CHECKING:
    from aide_lsp.convert.architecture import Architecture
    from aide_lsp.convert.gguf_file import GgufFile, Tensor

END_KEYS = ("eos", "eot", "eom")
"""Metadata `tokenizer.ggml.KEY_token_id`: tokens that end a text, an answer, a message."""
MOST_END_TOKENS = 40
SPLIT = re.compile(r"-\d{5}-of-\d{5}\.gguf$", re.IGNORECASE)
"""How the names of the parts of a model end."""
INT4_WEIGHTS = 4_000_000_000
"""Larger models are stored in 4 bits, to take less memory. On the CPU, 8 bits are faster."""


@frozen
class ModelFacts:
    """A model, as its own file describes it."""

    name: str
    """Empty: the file states none."""
    architecture: str
    parameters: int
    """Number of weights."""
    quantization: str
    """Type of most of them, such as `Q4_K`; empty if unknown."""
    context_length: int
    vocabulary: str
    """Kind of tokenizer, and how many tokens it has."""
    fim: str | None
    """Name of the FIM format; None: the model only continues the text before the cursor."""
    fim_tokens: tuple[str, ...]
    """Control tokens that the format uses."""
    end_tokens: tuple[str, ...]
    license: str
    """Empty: the file states none."""
    recipes: Mapping[str, str] = field(factory=dict)
    """By which recipe it is best stored, for `cpu` and `cuda`; empty: it is used as it is."""
    notes: tuple[str, ...] = ()
    """What else the user should know, in sentences."""


def facts_of(header: "GgufFile", size: int, fim: str | None = None) -> ModelFacts:
    """Return what a file's header says.

    Args:
        header: of the file; the bytes of its tensors may be missing.
        size: bytes of the file.
        fim: the format that the user has named; None: find out which one the vocabulary speaks.

    Raises:
        ConversionError: Aide cannot run the model; the message is one sentence.
    """
    from aide_lsp.convert.architecture import read_architecture
    from aide_lsp.convert.tokenizer_json import tokenizer_json
    from aide_lsp.convert.weights import check_tensors

    _check_kind(header)
    architecture = read_architecture(header)
    check_tensors(header, architecture)
    _check_size(header, size)
    definition = tokenizer_json(header)
    control = [str(token["content"]) for token in definition["added_tokens"] if token["special"]]
    fim = fim_of(control) if fim is None else _checked_format(header, fim, control)
    metadata = header.metadata
    return ModelFacts(
        name=one_line(metadata.get("general.name")),
        architecture=architecture.name,
        parameters=_parameters(header),
        quantization=_main_type(header.tensors.values()),
        context_length=architecture.context_length,
        vocabulary=_vocabulary(metadata, architecture.vocab_size),
        fim=fim,
        fim_tokens=FORMATS[fim].control_tokens if fim else (),
        end_tokens=tuple(_end_tokens(metadata, control, fim)),
        license=one_line(metadata.get("general.license")),
        recipes=_recipes(architecture, _parameters(header)),
        notes=tuple(format_notes(fim, control)),
    )


def _check_kind(header: "GgufFile") -> None:
    """Refuse files that hold something else than a model that writes text."""
    metadata, file = header.metadata, header.path.name
    architecture = str(metadata.get("general.architecture", ""))
    kind = metadata.get("general.type")
    parts = metadata.get("split.count", 0)
    pooling = metadata.get(f"{architecture}.pooling_type", 0)
    if kind == "mmproj" or architecture == "clip":
        raise ConversionError(f"{file} holds the image encoder of another model: add that model's own file")
    if kind == "adapter" or "adapter.type" in metadata:
        raise ConversionError(
            f"{file} is an adapter (LoRA): merge it into its model, and add the merged file"
        )
    if kind == "imatrix":
        raise ConversionError(f"{file} holds statistics for quantizing, and no model")
    if (isinstance(parts, int) and parts > 1) or SPLIT.search(file):
        raise ConversionError(
            f"{file} is one of several parts of a model: merge them with llama-gguf-split --merge, and add "
            "the merged file"
        )
    if not header.tensors:
        raise ConversionError(f"{file} has a vocabulary and no weights: it is no model")
    # 0 is no pooling (llama.cpp's enum llama_pooling_type).
    if pooling or "bert" in architecture:
        raise ConversionError(
            f"{file} is an embedding model, which writes no text: choose one for completion"
        )


def _parameters(header: "GgufFile") -> int:
    """Return the number of weights; of a table that is stored twice, once."""
    sizes = {name: math.prod(tensor.shape) for name, tensor in header.tensors.items()}
    every = sum(sizes.values())
    once = every - sizes.get("output.weight", 0)
    label = re.fullmatch(r"(\d{1,4}(?:\.\d{1,3})?)([MB])", str(header.metadata.get("general.size_label", "")))
    if label is None:
        return every
    # Files often have the embedding table a second time; whether they do is only seen in the weights.
    stated = float(label[1]) * (1e6 if label[2] == "M" else 1e9)
    return min(every, once, key=lambda count: abs(count - stated))


def _recipes(architecture: "Architecture", parameters: int) -> dict[str, str]:
    from aide_lsp.convert.recipes import check_recipe, find_recipe

    on_gpu, stored = ("int4", "int4_fp16") if parameters > INT4_WEIGHTS else ("fp16", "fp16")
    try:
        check_recipe(find_recipe(stored), architecture)
    # It has values that float16 does not hold.
    except ConversionError:
        on_gpu = "exact"
    return {"cpu": "int4" if parameters > INT4_WEIGHTS else "exact", "cuda": on_gpu}


def _check_size(header: "GgufFile", size: int) -> None:
    from aide_lsp.convert.gguf_file import TENSOR_TYPES

    needed = 0
    for tensor in header.tensors.values():
        _, block, block_bytes = TENSOR_TYPES[tensor.type_id]
        needed += math.prod(tensor.shape) // block * block_bytes
    if needed > size:
        raise ConversionError(
            f"{header.path.name} is incomplete: it has {size:,} bytes, and its weights alone take "
            f"{min(needed, 1 << 60):,}"
        )


def _main_type(tensors: "Iterable[Tensor]") -> str:
    sizes: dict[str, int] = {}
    for tensor in tensors:
        sizes[tensor.type_name] = sizes.get(tensor.type_name, 0) + math.prod(tensor.shape)
    return max(sizes, key=sizes.__getitem__, default="")


def _vocabulary(metadata: Mapping[str, Any], size: int) -> str:
    from aide_lsp.convert.tokenizer_json import BYTE_LEVEL

    # A SentencePiece vocabulary needs no rule by which text is split into words.
    is_byte_level = metadata.get("tokenizer.ggml.model") == BYTE_LEVEL
    pre = one_line(metadata.get("tokenizer.ggml.pre"), 30) or "default"
    return f"{f'byte-level BPE ({pre})' if is_byte_level else 'SentencePiece'}, {size:,} tokens"


def _checked_format(header: "GgufFile", fim: str, control: list[str]) -> str:
    if fim not in FORMATS:
        raise ConversionError(f"there is no format {fim!r}; there are {', '.join(sorted(FORMATS))}")
    missing = [token for token in FORMATS[fim].control_tokens if token not in control]
    if missing:
        raise ConversionError(
            f"{header.path.name} cannot be used with the format {fim}: its vocabulary has no "
            f"{', '.join(missing)}"
        )
    return fim


def _end_tokens(metadata: Mapping[str, Any], control: list[str], fim: str | None) -> Iterator[str]:
    """Yield the names of the tokens that end a completion, each once."""
    tokens = metadata["tokenizer.ggml.tokens"]
    ids = (metadata.get(f"tokenizer.ggml.{key}_token_id") for key in END_KEYS)
    stated = (tokens[i] for i in ids if isinstance(i, int) and 0 <= i < len(tokens))
    known = set(control)
    stops = (token for token in FORMATS[fim or "prefix"].stops if token in known)
    for token in list(dict.fromkeys((*stated, *stops)))[:MOST_END_TOKENS]:
        # What a card cannot hold, such as a line break, ends nothing that a model writes of itself.
        if token.isprintable() and token.strip():
            yield token


def format_notes(fim: str | None, control: Iterable[str]) -> Iterator[str]:
    """Yield what the user should know about a vocabulary without a known FIM format."""
    # Also if it is `prefix`, which only a user chooses.
    if fim is not None:
        return
    unknown = [one_line(token, 40) for token in control if "fim" in token.lower()]
    if unknown:
        yield (
            f"Its vocabulary has {', '.join(unknown[:6])}, which belong to no format that Aide knows, so it "
            "only continues the text before the cursor."
        )
    else:
        yield (
            "Its vocabulary has no tokens for filling in the middle: it only continues the text before the "
            "cursor, and does not see what follows."
        )
