"""What a model folder holds, as described by the converter's manifest or by the files of an export.

The sizes of the files are checked against the manifest. An export without a manifest is described from the
configuration files next to it.
"""

import json
import reprlib
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import field, frozen

from aide_lsp.errors import ModelFilesError
from aide_lsp.plain_file import read_json

FORMAT = 4
"""Version of the manifest this module reads. Part of the folder's name: raise it whenever the converter
writes another graph, and models are converted again."""

MANIFEST = "manifest.json"
CHECKSUM = "checksum"
"""Entry of the manifest: the sha256 of all its other entries."""
READ_BYTES = 1 << 20
MOST = 1 << 50
"""Numbers in these files must be smaller: bytes, tokens, layers."""
UNKNOWN_CONTEXT = 2048
"""Context length of an export that does not state its own: that of the oldest code models."""

UNUSABLE = (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What reading a file with unexpected contents may raise."""
EXPORT_NAMES = ("model.onnx", "decoder_model_merged.onnx", "decoder_with_past_model.onnx")
"""Names that exporters give a decoder's graph, in order of preference."""


@frozen
class ModelFile:
    """A file of the model."""

    name: str
    "Path inside the folder, with `/`."
    sha256: str
    "Lower-case hexadecimal digits."
    size: int
    "Bytes."


@frozen
class ModelFolder:
    """What a model folder holds."""

    model: str
    "Id of its card, or the name of the folder."
    recipe: str
    "`exact`, `fast`, `fp16` or `imported`."
    layout: str
    "`aide` or `optimum`: how the graph's inputs and outputs are named."
    graph: str
    "Path of the graph inside the folder."
    context_length: int
    "Greatest number of tokens."
    vocab_size: int
    "Number of logits; 0 if only the graph states it."
    kv_dtype: str = "float32"
    "`float32` or `float16`."
    layer_count: int = 0
    "Layers with keys and values; 0 if only the graph states it."
    kv_head_count: int = 0
    "Heads of keys and values; 0 if only the graph states it."
    head_dim: int = 0
    "Numbers of one head; 0 if only the graph states it."
    hidden_size: int = 0
    "Numbers of a hidden state; 0 if only the graph states it."
    candidate_count: int = 64
    "Best logits that leave the graph."
    fim: str | None = None
    "Name of the FIM format; None: the model only continues text."
    end_tokens: frozenset[int] = frozenset()
    "Token ids that end a text."
    bos: int | None = None
    "Token id that every prompt begins with; None: the model was trained without one."
    architecture: str = ""
    "`qwen2`, `llama`, ...; empty if unknown."
    source_sha256: str = ""
    "Of the file it was converted from; empty if it was not."
    aide_version: str = ""
    "Version that converted it; empty if it was not converted."
    files: tuple[ModelFile, ...] = field(default=(), repr=False)
    "Files with their sizes and hashes; empty without a manifest."

    @property
    def in_integers(self) -> bool:
        """Whether its matrices are integers, for the CPU; its files also hold them packed for the kernels."""
        return self.recipe in ("exact", "fast", "int4")


def memory_in_use(files: int, packed: bool) -> int:
    """Estimate the bytes of memory that a model takes on the CPU, what is mapped of its files included.

    Args:
        files: bytes of its files.
        packed: whether they hold matrices packed for this processor, too: then the plain ones are only read
            while it loads. Otherwise the runtime makes a packed copy.
    """
    return int(files * 0.6) + 250_000_000 if packed else 2 * files


def read_model_folder(folder: Path) -> ModelFolder:
    """Read what `folder` holds.

    Raises:
        ModelFilesError: there is no model, the manifest is invalid, or a file is missing or has another size
            than the manifest states.
    """
    if not folder.is_dir():
        raise ModelFilesError(f"There is no model folder {folder}. Run `aide models fetch`.")
    if not (folder / MANIFEST).is_file():
        try:
            return _describe_export(folder)
        except UNUSABLE as error:
            raise ModelFilesError(f"The files of {folder} cannot be used: {error!r}.") from error
    info = _read_manifest(folder / MANIFEST)
    # Sizes only: hashing every file takes 0.7 s with the default model (`verify_files`).
    for file in info.files:
        _check_size(folder, file)
    return info


def verify_files(
    folder: Path, at_most: int | None = None, between: Callable[[], object] = lambda: None
) -> list[str]:
    """Read every file in full; return a sentence for each that differs from the manifest.

    Args:
        folder: of a model.
        at_most: bytes of the largest file to read; None: read all.
        between: called after each piece of a file.

    Raises:
        ModelFilesError: as `read_model_folder`.
    """
    files = read_model_folder(folder).files
    small = [file for file in files if at_most is None or file.size <= at_most]
    return [problem for file in small if (problem := _problem_of(folder, file, between))]


def seal(manifest: dict[str, Any]) -> dict[str, Any]:
    """Add to a manifest its checksum, which is verified when it is read."""
    # The hashes of the files do not cover the manifest's own numbers.
    return {**manifest, CHECKSUM: _checksum(manifest)}


def is_intact(manifest: dict[str, Any]) -> bool:
    """Whether a manifest matches its checksum; one without a checksum is accepted."""
    # Models converted by earlier versions have none.
    return manifest.get(CHECKSUM) in (None, _checksum(manifest))


def _read_manifest(path: Path) -> ModelFolder:
    manifest = read_json(path)
    if manifest.get("format") != FORMAT:
        raise ModelFilesError(
            f"{path} has format {manifest.get('format')} instead of {FORMAT}. Convert the model again."
        )
    try:
        if not is_intact(manifest):
            raise ModelFilesError(f"{path} differs from its checksum. Convert the model again.")
        return _from_manifest(manifest)
    except UNUSABLE as error:
        raise ModelFilesError(f"{path} cannot be used: {error!r}. Convert the model again.") from error


def _from_manifest(manifest: dict[str, Any]) -> ModelFolder:
    files = (
        ModelFile(_inside(name), str(entry["sha256"]), _number(entry["size"]))
        for name, entry in manifest["files"].items()
    )
    return ModelFolder(
        model=str(manifest["model"]),
        recipe=str(manifest["recipe"]),
        layout=str(manifest["layout"]),
        graph=_inside(manifest.get("graph", "model.onnx")),
        context_length=_number(manifest["context_length"]),
        vocab_size=_number(manifest["vocab_size"]),
        kv_dtype=str(manifest["kv_dtype"]),
        fim=manifest["fim"],
        end_tokens=frozenset(map(_number, manifest["end_tokens"])),
        # Models converted by earlier versions have none.
        bos=None if manifest.get("bos") is None else _number(manifest["bos"]),
        files=tuple(files),
        layer_count=_number(manifest["layer_count"]),
        kv_head_count=_number(manifest["kv_head_count"]),
        head_dim=_number(manifest["head_dim"]),
        hidden_size=_number(manifest["hidden_size"]),
        candidate_count=_number(manifest["candidate_count"]),
        architecture=str(manifest["architecture"]),
        source_sha256=str(manifest["source_sha256"]),
        aide_version=str(manifest["aide_version"]),
    )


def _inside(name: str) -> str:
    """Return a path of a manifest; raise if it leads out of the folder."""
    # A manifest may come from someone else, and must not make Aide read other files.
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise ValueError(f"the path {name!r} leads out of the folder")
    return path.as_posix()


def _check_size(folder: Path, file: ModelFile) -> None:
    path = folder / file.name
    size = path.stat().st_size if path.is_file() else None
    if size is None:
        raise ModelFilesError(f"{path} is missing. Convert the model again.")
    if size != file.size:
        raise ModelFilesError(f"{path} has {size} bytes instead of {file.size}. Convert the model again.")


def _problem_of(folder: Path, file: ModelFile, between: Callable[[], object]) -> str:
    """Say how a file differs from the manifest; empty if it does not."""
    try:
        found = _sha256(folder / file.name, between)
    except OSError as error:
        return f"{file.name} cannot be read: {error.strerror}."
    if found == file.sha256:
        return ""
    return f"{file.name} has the sha256 {found}; the manifest says {file.sha256}."


def _sha256(path: Path, between: Callable[[], object]) -> str:
    # In pieces, so that a thread that verifies in the background can rest between them.
    digest = sha256()
    with path.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
            between()
    return digest.hexdigest()


def _checksum(manifest: dict[str, Any]) -> str:
    content = {key: value for key, value in manifest.items() if key != CHECKSUM}
    # Sorted: what counts is what it says, not the order of the entries.
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _describe_export(folder: Path) -> ModelFolder:
    graph = _find_graph(folder)
    if not (folder / "tokenizer.json").is_file():
        raise ModelFilesError(f"{folder} has a graph ({graph}) but no tokenizer.json next to it.")
    config, tokenizer = _optional(folder / "config.json"), read_json(folder / "tokenizer.json")
    return ModelFolder(
        model=folder.name,
        recipe="imported",
        layout="optimum",
        graph=graph,
        context_length=_whole(config, "max_position_embeddings", "n_positions") or UNKNOWN_CONTEXT,
        vocab_size=_whole(config, "vocab_size"),
        layer_count=_whole(config, "num_hidden_layers", "n_layer"),
        # Models whose queries share no keys state only the number of attention heads.
        kv_head_count=_whole(config, "num_key_value_heads", "num_attention_heads", "n_head"),
        head_dim=_head_dim(config),
        hidden_size=_whole(config, "hidden_size", "n_embd"),
        architecture=str(config.get("model_type", "")),
        end_tokens=frozenset(_end_tokens(folder, config, tokenizer)),
        bos=_bos(tokenizer),
    )


def _find_graph(folder: Path) -> str:
    # Many repositories on the Hub have their graphs in a folder `onnx`.
    places = [place for place in (folder, folder / "onnx") if place.is_dir()]
    found = [place / name for name in EXPORT_NAMES for place in places if (place / name).is_file()]
    others = [path for place in places for path in sorted(place.glob("*.onnx"))]
    if found:
        return found[0].relative_to(folder).as_posix()
    if len(others) == 1:
        return others[0].relative_to(folder).as_posix()
    names = ", ".join(path.name for path in others)
    raise ModelFilesError(
        f"{folder} has several graphs ({names}); leave one, or name it model.onnx."
        if others
        else f"{folder} contains no model: neither {MANIFEST} nor an .onnx file. Run `aide models fetch`."
    )


def _head_dim(config: dict[str, Any]) -> int:
    heads = _whole(config, "num_attention_heads", "n_head")
    # If it is stated it may be another number: Gemma 7B's heads are larger than this quotient.
    return _whole(config, "head_dim") or (_whole(config, "hidden_size", "n_embd") // heads if heads else 0)


def _bos(tokenizer: dict[str, Any]) -> int | None:
    """Return the token that an export's tokenizer puts before every text."""
    post = tokenizer.get("post_processor") or {}
    for step in post.get("processors", [post]):
        for part in (step.get("single") or [])[:1]:
            if "SpecialToken" in part:
                return _number(step["special_tokens"][part["SpecialToken"]["id"]]["ids"][0])
    return None


def _end_tokens(folder: Path, config: dict[str, Any], tokenizer: dict[str, Any]) -> Iterable[int]:
    """Yield the end tokens that the export's own files list, by id or by name."""
    # Exports need not have all of these files, nor list every end token in one of them.
    generation = _optional(folder / "generation_config.json")
    for source in (generation, config):
        ends = source.get("eos_token_id")
        yield from filter(_is_number, ends if isinstance(ends, list) else [ends])
    name = _optional(folder / "tokenizer_config.json").get("eos_token")
    name = name.get("content") if isinstance(name, dict) else name
    for token in tokenizer.get("added_tokens") or []:
        if token["content"] == name:
            yield _number(token["id"])


def _whole(config: dict[str, Any], *names: str) -> int:
    """Return the first of these entries that is a whole number, or 0."""
    return next((config[name] for name in names if _is_number(config.get(name))), 0)


def _is_number(value: Any) -> bool:
    # In Python, JSON's true is an int too.
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST


def _number(value: Any) -> int:
    if not _is_number(value):
        raise ValueError(f"expected a whole number from 0 to {MOST - 1}, found {reprlib.repr(value)}")
    return int(value)


def _optional(path: Path) -> dict[str, Any]:
    # A link that leads nowhere does not exist, but is refused like any link instead of ignored.
    return read_json(path) if path.exists() or path.is_symlink() else {}
