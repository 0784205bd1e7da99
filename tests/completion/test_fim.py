"""Prompt formats."""

import pytest

from aide_lsp.completion.fim import FORMATS, open_format
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.errors import ModelFilesError
from tests.fakes import CONTROL_TOKENS, ByteTokenizer

PREFIX, SUFFIX, MIDDLE = (CONTROL_TOKENS[f"<|fim_{part}|>"] for part in ("prefix", "suffix", "middle"))


WRITTEN = {
    "qwen2.5-coder": "<|repo_name|>PROJECT<|file_sep|>PATH EXCERPT EXCERPT<|file_sep|>OWN PATH"
    "<|fim_prefix|><|fim_suffix|>SUFFIX<|fim_middle|>HEADERPREFIX",
    "prefix": "HEADERPREFIX",
}
"""What a model of each format reads."""


class AnyVocabulary(ByteTokenizer):
    """Has every control token."""

    def token_id(self, special):
        return 1000 + hash(special) % 1000


def prompt(prefix: str, suffix: str, *more: PromptPart) -> Prompt:
    return Prompt((*more, PromptPart(PartKind.PREFIX, prefix), PromptPart(PartKind.SUFFIX, suffix)))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_as_its_page_says(name):
    template = open_format(name, AnyVocabulary())
    others = [
        PromptPart(PartKind.PROJECT, "PROJECT"),
        PromptPart(PartKind.PATH, "PATH"),
        PromptPart(PartKind.EXCERPT, " EXCERPT"),
        PromptPart(PartKind.EXCERPT, " EXCERPT"),
        PromptPart(PartKind.PATH, "OWN PATH"),
    ]
    parts = prompt("PREFIX", "SUFFIX", *others, PromptPart(PartKind.HEADER, "HEADER"))
    pieces = [piece if isinstance(piece, str) else piece.text for piece in template.pieces(parts)]
    assert "".join(pieces) == WRITTEN[name]
    assert template.reads_files == ("EXCERPT" in WRITTEN[name])
    assert template.format.reads_suffix == ("SUFFIX" in WRITTEN[name])
    assert template.stop_ids


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("qwen2.5-coder", [PREFIX, SUFFIX, 3, 4, MIDDLE, 1, 2]),
        ("prefix", [1, 2]),
        (None, [1, 2]),
    ],
)
def test_render(name, ids):
    template = open_format(name, ByteTokenizer())
    assert template.render(prompt("\1\2", "\3\4"), ByteTokenizer().encode) == ids
    assert len(template.format.control_tokens) == len(ids) - len({1, 2, 3, 4} & set(ids))


def test_several_parts_of_one_kind_are_all_written_in_order():
    parts = [PromptPart(PartKind.PREFIX, text) for text in ("\1", "\2")]
    template = open_format("qwen2.5-coder", ByteTokenizer())
    assert template.render(Prompt(tuple(parts)), ByteTokenizer().encode) == [PREFIX, SUFFIX, MIDDLE, 1, 2]


def test_render_of_an_empty_text_keeps_the_control_tokens():
    template = open_format("qwen2.5-coder", ByteTokenizer())
    assert template.render(prompt("", ""), ByteTokenizer().encode) == [PREFIX, SUFFIX, MIDDLE]
    assert template.render(Prompt(()), ByteTokenizer().encode) == [PREFIX, SUFFIX, MIDDLE]


def test_a_model_without_the_tokens_for_files_reads_none_and_completes():
    class NoFiles(ByteTokenizer):
        def token_id(self, special):
            return None if special == "<|file_sep|>" else super().token_id(special)

    template = open_format("qwen2.5-coder", NoFiles())
    parts = prompt("\1", "\3", PromptPart(PartKind.PATH, "a.py\n"), PromptPart(PartKind.EXCERPT, "x\n"))
    assert not template.reads_files
    assert template.render(parts, ByteTokenizer().encode) == [PREFIX, SUFFIX, 3, MIDDLE, 1]


def test_control_tokens_in_the_text_of_other_files_are_text():
    template = open_format("qwen2.5-coder", ByteTokenizer())
    name = "<|fim_middle|>"
    parts = prompt("", "", PromptPart(PartKind.PATH, name), PromptPart(PartKind.EXCERPT, name))
    ids = template.render(parts, ByteTokenizer().encode)
    assert ids == [CONTROL_TOKENS["<|file_sep|>"], *name.encode(), *name.encode(), PREFIX, SUFFIX, MIDDLE]


def test_open_format_finds_what_ends_a_text():
    stops = open_format("qwen2.5-coder", ByteTokenizer()).stop_ids
    assert stops == set(CONTROL_TOKENS.values())


def test_open_format_that_is_unknown_names_the_known_ones():
    with pytest.raises(ModelFilesError, match=r"qwen2\.5-coder"):
        open_format("nothing", ByteTokenizer())


def test_open_format_without_its_tokens_names_them():
    class Bare(ByteTokenizer):
        def token_id(self, special):
            return None

    with pytest.raises(ModelFilesError, match="fim_middle"):
        open_format("qwen2.5-coder", Bare())


def test_every_format_says_where_it_is_from():
    assert all(record.source.startswith("https://") for record in FORMATS.values())
    assert all(name == record.name for name, record in FORMATS.items())
