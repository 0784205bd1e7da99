"""Prompt formats."""

import pytest

from aide_lsp.completion.fim import FORMATS, fim_of
from aide_lsp.completion.fim_template import open_format
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.errors import ModelFilesError
from tests.fakes import CONTROL_TOKENS, ByteTokenizer

PREFIX, SUFFIX, MIDDLE = (CONTROL_TOKENS[f"<|fim_{part}|>"] for part in ("prefix", "suffix", "middle"))


WRITTEN = {
    "qwen2.5-coder": "<|repo_name|>PROJECT<|file_sep|>PATH EXCERPT EXCERPT<|file_sep|>OWN PATH"
    "<|fim_prefix|><|fim_suffix|>SUFFIX<|fim_middle|>HEADERPREFIX",
    "qwen2.5-coder-psm": "<|repo_name|>PROJECT<|file_sep|>PATH EXCERPT EXCERPT<|file_sep|>OWN PATH"
    "<|fim_prefix|>HEADERPREFIX<|fim_suffix|>SUFFIX<|fim_middle|>",
    "codegemma": "<|file_separator|>PATH EXCERPT EXCERPT<|file_separator|>OWN PATH"
    "<|fim_prefix|>HEADERPREFIX<|fim_suffix|>SUFFIX<|fim_middle|>",
    "granite": "<|fim_prefix|>HEADERPREFIX<|fim_suffix|>SUFFIX<|fim_middle|>",
    "mellum": "<filename>PATH EXCERPT EXCERPT<filename>OWN PATH"
    "<fim_suffix>SUFFIX<fim_prefix>HEADERPREFIX<fim_middle>",
    "starcoder2": "<repo_name>PROJECT<file_sep>PATH EXCERPT EXCERPT<file_sep>"
    "<fim_prefix><fim_suffix>SUFFIX<fim_middle>OWN PATHHEADERPREFIX",
    "starcoder": "<fim_prefix><fim_suffix>SUFFIX<fim_middle>HEADERPREFIX",
    "starcoder-psm": "<fim_prefix>HEADERPREFIX<fim_suffix>SUFFIX<fim_middle>",
    "deepseek-coder": "<｜fim▁begin｜>HEADERPREFIX<｜fim▁hole｜>SUFFIX<｜fim▁end｜>",
    "codellama": "▁<PRE>▁<SUF>SUFFIX▁<MID>HEADERPREFIX",
    "codellama-psm": "▁<PRE>HEADERPREFIX▁<SUF>SUFFIX▁<MID>",
    "seed-coder": "<[fim-suffix]>SUFFIX<[fim-prefix]>HEADERPREFIX<[fim-middle]>",
    "codestral": "[SUFFIX]SUFFIX[PREFIX]HEADERPREFIX",
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
    whole = Prompt((*parts, PromptPart(PartKind.SUFFIX, "")))
    assert template.render(whole, ByteTokenizer().encode) == [PREFIX, SUFFIX, MIDDLE, 1, 2]


def test_render_without_a_suffix_then_a_text_to_be_continued():
    parts = (PromptPart(PartKind.PATH, "a.py\n"), PromptPart(PartKind.PREFIX, "\1\2"))
    template = open_format("qwen2.5-coder", ByteTokenizer())
    assert template.render(Prompt(parts), ByteTokenizer().encode) == [1, 2]


def test_render_of_an_empty_text_keeps_the_control_tokens():
    template = open_format("qwen2.5-coder", ByteTokenizer())
    assert template.render(prompt("", ""), ByteTokenizer().encode) == [PREFIX, SUFFIX, MIDDLE]


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


QWEN = "<|endoftext|> <|im_start|> <|im_end|>"
PIPES = "<|fim_prefix|> <|fim_middle|> <|fim_suffix|>"
PLAIN = "<|endoftext|> <fim_prefix> <fim_middle> <fim_suffix> <fim_pad>"
STARCODER = (
    f"{PLAIN} <filename> <gh_stars> <issue_start> <issue_comment> <issue_closed> <jupyter_start> "
    "<jupyter_text> <jupyter_code> <jupyter_output> <empty_output> "
    "<commit_before> <commit_msg> <commit_after> <reponame>"
)
VOCABULARIES = [
    ("Qwen2.5-Coder", f"{QWEN} {PIPES} <|fim_pad|> <|repo_name|> <|file_sep|>", "qwen2.5-coder"),
    ("CodeGemma", f"<pad> <eos> <bos> <start_of_turn> {PIPES} <|file_separator|>", "codegemma"),
    ("Granite 4", f"<|end_of_text|> {PIPES} <|fim_pad|> <|filename|> <|reponame|> <|tool_call|>", "granite"),
    ("Granite 3", f"{STARCODER} <|start_of_role|> <|end_of_role|> <|tool_call|>", "starcoder"),
    ("Granite Code, StarCoder, Refact", STARCODER, "starcoder"),
    (
        "StarCoder2",
        f"{PLAIN} <repo_name> <file_sep> <issue_start> <jupyter_script> <pr> <pr_diff>",
        "starcoder2",
    ),
    ("Mellum", f"{STARCODER} <system> </system> <user> </user> <assistant> </assistant> <think>", "mellum"),
    (
        "DeepSeek-Coder",
        "<｜begin▁of▁sentence｜> <｜end▁of▁sentence｜> <｜fim▁hole｜> <｜fim▁begin｜> <｜fim▁end｜> <|EOT|>",
        "deepseek-coder",
    ),
    ("Code Llama", "<unk> <s> </s> ▁<PRE> ▁<SUF> ▁<MID> ▁<EOT>", "codellama"),
    (
        "Seed-Coder",
        "<[begin▁of▁sentence]> <[end▁of▁sentence]> <[fim-prefix]> <[fim-suffix]> <[fim-middle]>",
        "seed-coder",
    ),
    ("Codestral", "<unk> <s> </s> [INST] [/INST] [PREFIX] [MIDDLE] [SUFFIX]", "codestral"),
    ("Qwen2", QWEN, None),
    ("SmolLM2", f"{QWEN} <repo_name> <reponame> <file_sep> <filename> <gh_stars> <issue_start>", None),
    ("Llama 3", "<|begin_of_text|> <|end_of_text|> <|start_header_id|> <|end_header_id|> <|eot_id|>", None),
    ("Gemma 2", "<pad> <eos> <bos> <unk> <mask> <start_of_turn> <end_of_turn>", None),
    ("none", "", None),
]
"""Control tokens of the vocabularies of models, and the format that they speak."""


@pytest.mark.parametrize(
    ("tokens", "name"),
    [pytest.param(tokens.split(), name, id=model) for model, tokens, name in VOCABULARIES],
)
def test_which_format_a_vocabulary_speaks(tokens, name):
    assert fim_of(tokens) == name
    assert fim_of(list(reversed(tokens))) == name


@pytest.mark.parametrize("name", {name for _, _, name in VOCABULARIES if name})
def test_a_vocabulary_that_lacks_one_of_the_tokens_does_not_speak_the_format(name):
    record = FORMATS[name]
    for token in record.control_tokens:
        assert fim_of({*record.control_tokens, *record.marks} - {token}) is None


def test_a_vocabulary_has_what_its_format_needs_and_ends_a_text():
    class Vocabulary(ByteTokenizer):
        def token_id(self, special):
            return tokens.index(special) if special in tokens else None

    for _, names, name in VOCABULARIES:
        tokens = names.split()
        template = open_format(name, Vocabulary())
        assert template.stop_ids or not tokens
        assert template.reads_files == bool(FORMATS[name or "prefix"].names)


@pytest.mark.parametrize("record", FORMATS.values(), ids=FORMATS)
def test_pieces_without_a_vocabulary(record):
    parts = prompt("PREFIX", "SUFFIX", PromptPart(PartKind.PATH, "PATH"))
    assert list(record.pieces(parts)) == list(open_format(record.name, AnyVocabulary()).pieces(parts))
    assert "PATH" not in [getattr(piece, "text", piece) for piece in record.pieces(parts, reads_files=False)]


def test_every_format_says_where_it_is_from():
    assert all(record.source.startswith("https://") for record in FORMATS.values())
    assert all(name == record.name for name, record in FORMATS.items())
