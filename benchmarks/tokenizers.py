"""Does a GGUF file's vocabulary give the same tokens as in llama.cpp? Compares 1,100 texts for each file.

Only the metadata is read: a file may be cut off after its header, and llama.cpp gets a copy of the vocabulary
in a tiny model.

    python -m benchmarks.tokenizers FILE.gguf ...
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from aide_lsp.convert.gguf_file import GgufFile, open_gguf
from aide_lsp.convert.tokenizer_json import tokenizer_json
from aide_lsp.errors import AideError
from aide_lsp.inference.tokenizer import Tokenizer
from tests.llama_reference import LlamaServer, llama_server
from tests.vocabularies import snippets, vocabulary_gguf

SHOWN = 3
"""Differing texts that are printed for each file."""


def compare(path: Path, folder: Path) -> tuple[str, list[str]]:
    """Return what one file is found to be, and the texts that become other tokens."""
    try:
        file = open_gguf(path)
        definition = tokenizer_json(file)
        ours = Tokenizer(definition)
    except AideError as error:
        return str(error), []
    control = [int(token["id"]) for token in definition["added_tokens"] if token["special"]]
    texts = snippets()
    with llama_server(vocabulary_gguf(folder / path.name, _vocabulary_of(file))) as server:
        theirs = _tokens(server, texts, control)
    differing = [text for text, ids in zip(texts, theirs, strict=True) if ours.encode(text) != ids]
    return f"{len(texts) - len(differing)} of {len(texts)} equal", differing


def _vocabulary_of(file: GgufFile) -> dict[str, Any]:
    facts = {key: value for key, value in file.metadata.items() if key.startswith("tokenizer.ggml.")}
    # Texts are compared as they are in the middle of a prompt.
    return facts | {"tokenizer.ggml.add_space_prefix": False}


def _tokens(server: LlamaServer, texts: list[str], control: list[int]) -> list[list[int]]:
    if control:
        return server.tokenize_all(texts, mark=control[-1])
    return [server.tokenize(text) for text in texts]


def main(arguments: list[str] | None = None) -> None:
    """Compare the files named on the command line; exit with 1 if any differs."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tokenizers", description=__doc__.split("\n")[0]
    )
    parser.add_argument("files", nargs="+", type=Path, help="GGUF files")
    any_differs = False
    with tempfile.TemporaryDirectory() as folder:
        for path in parser.parse_args(arguments).files:
            found, differing = compare(path, Path(folder))
            print(f"{path.name}: {found}", *map(repr, differing[:SHOWN]), sep="\n    ", flush=True)
            any_differs |= bool(differing)
    raise SystemExit(int(any_differs))


if __name__ == "__main__":
    main()
