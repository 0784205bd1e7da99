"""Models that people run, as a Markdown table. Whether Aide runs each follows from its tables.

Architectures and tokenizers are as llama.cpp's converter names them.
"""

from attrs import frozen

from aide_lsp.completion.fim import FORMATS
from aide_lsp.convert.transformer.families import FAMILIES
from aide_lsp.convert.vocabulary.pre_tokenizers import PRE_TOKENIZERS

KINDS = SENTENCE_PIECE, BYTE_LEVEL = "SentencePiece", "byte-level BPE"
"""Tokenizers where no name is needed, or none is known."""


@frozen
class KnownModel:
    """A model, or several of one kind."""

    name: str
    architecture: str
    tokenizer: str
    """Name of the pre-tokenizer, or the kind of vocabulary."""
    fim: str | None = None
    """The format that its vocabulary speaks; None: it has no such tokens."""
    why_not: str = ""
    """Why Aide cannot run it."""
    note: str = ""

    @property
    def is_supported(self) -> bool:
        """Whether the tables have all that it needs."""
        return self.architecture in FAMILIES and self.tokenizer in (*KINDS, *PRE_TOKENIZERS)


NEXT_EDIT = "trained to predict edits; Aide asks it to fill in the middle"
MODELS = (
    KnownModel("Qwen2.5-Coder 0.5B to 32B", "qwen2", "qwen2", "qwen2.5-coder"),
    KnownModel("Sweep Next-Edit 0.5B, 1.5B", "qwen2", "qwen2", "qwen2.5-coder", note=NEXT_EDIT),
    KnownModel("Zeta 1 7B, Instinct 7B", "qwen2", "qwen2", "qwen2.5-coder", note=NEXT_EDIT),
    KnownModel("Qwen3 0.6B to 32B, without experts", "qwen3", "qwen2", "qwen2.5-coder", note="a chat model"),
    KnownModel("Seed-Coder 8B", "llama", "seed-coder", "seed-coder"),
    KnownModel("Zeta 2 8B", "llama", "seed-coder", "seed-coder", note=NEXT_EDIT),
    KnownModel("Mellum 4B", "llama", "mellum", "mellum"),
    KnownModel("DeepSeek-Coder 1.3B, 6.7B, 33B", "llama", "deepseek-coder", "deepseek-coder"),
    KnownModel("Code Llama 7B, 13B", "llama", SENTENCE_PIECE, "codellama"),
    KnownModel("Codestral 22B", "llama", SENTENCE_PIECE, "codestral"),
    KnownModel("Granite Code 3B, 8B", "llama", "refact", "starcoder"),
    KnownModel("Granite 3 2B, 8B", "granite", "refact", "starcoder"),
    KnownModel("Granite 4, without Mamba layers", "granite", BYTE_LEVEL, "granite"),
    KnownModel("StarCoder2 3B, 7B, 15B", "starcoder2", "starcoder", "starcoder2"),
    KnownModel("StarCoderBase 1B to 15B, Granite Code 20B", "starcoder", BYTE_LEVEL, "starcoder"),
    KnownModel("CodeGemma 2B, 7B", "gemma", SENTENCE_PIECE, "codegemma"),
    KnownModel(
        "Stable Code 3B", "stablelm", BYTE_LEVEL, "starcoder-psm", note="with `--format starcoder-psm`"
    ),
    KnownModel("SmolLM2 135M to 1.7B", "llama", "smollm"),
    KnownModel("Qwen3.5 0.8B to 9B", "qwen35", "qwen35", why_not="it has linear attention"),
    KnownModel("Qwen3-Coder 30B-A3B", "qwen3moe", "qwen2", why_not="it has experts"),
    KnownModel("Granite 4 H", "granitehybrid", BYTE_LEVEL, why_not="it has Mamba layers"),
    KnownModel("Refact 1.6B", "refact", "refact", why_not="its positions are a bias (ALiBi)"),
)


def known_model_table() -> str:
    """Render every model.

    Raises:
        ValueError: a model runs that has a reason why not, or the other way around; or its format is unknown.
    """
    rows = ["| Model | Architecture | Tokenizer | `fim` | Runs |", "|---|---|---|---|---|"]
    return "\n".join([*rows, *map(_row, MODELS)])


def _row(model: KnownModel) -> str:
    if model.is_supported == bool(model.why_not) or model.fim not in (None, *FORMATS):
        raise ValueError(f"the row of {model.name} contradicts Aide's tables")
    runs = f"no: {model.why_not}" if model.why_not else f"yes{f'; {model.note}' if model.note else ''}"
    kind = model.tokenizer if model.tokenizer in KINDS else f"`{model.tokenizer}`"
    fim = f"`{model.fim}`" if model.fim else "" if model.why_not else "none"
    return f"| {model.name} | `{model.architecture}` | {kind} | {fim} | {runs} |"
