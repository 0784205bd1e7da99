"""A model with a SentencePiece vocabulary, converted and run."""

import pytest

from aide_lsp.completion.prompt import build_prompt
from aide_lsp.convert.convert import convert
from aide_lsp.engines.local import open_local_model
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.onnx.model_folder import read_model_folder
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import Parameters
from tests.llama_reference import llama_server
from tests.tiny_model import tiny_card
from tests.vocabularies import CONTROL, sentence_piece, vocabulary_gguf

TEXT = "def budget(lines, 漢ก):\n\treturn lines\n"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    metadata = sentence_piece(words=True, space_prefix=True)
    return vocabulary_gguf(tmp_path_factory.mktemp("model") / "tiny.gguf", metadata)


@pytest.mark.parametrize("recipe", ["exact", "fast"])
def test_it_reads_what_it_was_trained_on_and_continues_it_as_llama_cpp_does(file, tmp_path, recipe):
    """BOS, then a blank, then the text; and what it generates is shown with its first blank."""
    card = tiny_card([CONTROL[0]])
    folder = convert(file, tmp_path / "model", card, recipe)
    model = open_local_model(folder, "cpu", 1, 64, fim=None)
    prompt = build_prompt(TEXT, "", 500, model.count_tokens, reads_suffix=False)
    greedy = GenerationOptions(Parameters(temperature=0.0, seed=0), max_tokens=12)
    text = "".join(model.generate(prompt, greedy, CancelToken()))
    with llama_server(file) as server:
        ids = server.post("/tokenize", {"content": TEXT, "add_special": True})["tokens"]
        assert read_model_folder(folder).bos == ids[0]
        assert model._render(prompt) == ids
        expected = server.generate(ids, 12)
    assert len(text) > 12
    assert recipe != "exact" or text == expected
