"""Looks at a folder that the user wants to add: an exported ONNX decoder, or a folder with a GGUF file."""

from pathlib import Path
from typing import Any

from aide_lsp.catalog.adding.facts import ModelFacts, format_notes
from aide_lsp.catalog.text import one_line
from aide_lsp.completion.fim import FORMATS, fim_of
from aide_lsp.errors import ConversionError, ModelFilesError
from aide_lsp.plain_file import read_json


def find_model_file(path: Path) -> Path:
    """Return the path itself, or the only GGUF file in a folder that has no ONNX model.

    Raises:
        ModelFilesError: there are several.
    """
    if not path.is_dir():
        return path
    if any(path.glob("*.onnx")) or any(path.glob("onnx/*.onnx")):
        return path
    found = sorted(one for one in path.glob("*.gguf") if one.is_file())
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:12])
        raise ModelFilesError(f"{path} has {len(found)} GGUF files ({names}). Give the path of one of them.")
    if not found:
        raise ModelFilesError(
            f"{path} has neither a GGUF file nor an ONNX model (.onnx with tokenizer.json). Give the path of "
            "one."
        )
    return found[0]


def export_facts(folder: Path, fim: str | None) -> tuple[ModelFacts, int]:
    """Return what the files next to an exported graph say, and the bytes of all files in the folder.

    Raises:
        ModelFilesError: it has no graph, no tokenizer, or one that Aide cannot use.
        ConversionError: the named format does not fit its vocabulary.
    """
    from aide_lsp.disk import bytes_in
    from aide_lsp.inference.onnx.model_folder import UNUSABLE, read_model_folder
    from aide_lsp.inference.tokenizer import Tokenizer

    info = read_model_folder(folder.resolve())
    tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
    try:
        added: Any = read_json(folder / "tokenizer.json").get("added_tokens") or ()
        control = {int(token["id"]): str(token["content"]) for token in added}
    except UNUSABLE as error:
        raise ModelFilesError(f"{folder / 'tokenizer.json'} cannot be read: {error!r}.") from error
    names = [name for name in control.values() if tokenizer.token_id(name) is not None]
    fim = fim_of(names) if fim is None else _checked(folder, fim, names)
    ends = [control[token] for token in sorted(info.end_tokens) if token in control]
    stops = [token for token in FORMATS[fim or "prefix"].stops if token in names]
    facts = ModelFacts(
        name=one_line(folder.resolve().name),
        architecture=one_line(info.architecture),
        parameters=0,
        quantization="",
        context_length=info.context_length,
        vocabulary=f"{tokenizer.vocab_size:,} tokens",
        fim=fim,
        fim_tokens=FORMATS[fim].control_tokens if fim else (),
        end_tokens=tuple(
            token for token in dict.fromkeys([*ends, *stops]) if token.isprintable() and token.strip()
        ),
        license="",
        notes=tuple(format_notes(fim, names)),
    )
    return facts, bytes_in(folder)


def _checked(folder: Path, fim: str, names: list[str]) -> str:
    missing = [token for token in FORMATS[fim].control_tokens if token not in names]
    if missing:
        raise ConversionError(
            f"{folder} cannot be used with the format {fim}: its vocabulary has no {', '.join(missing)}"
        )
    return fim
