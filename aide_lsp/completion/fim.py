"""FIM formats: how a prompt is written for a model that was trained to fill in the middle.

One record for each format. A model card names its format, and `fim_of` finds out which one a vocabulary
speaks. Models are named here only as names of formats.

There are three orders:

- *suffix, prefix* without a token between prefix and middle: the second SPM variant of the FIM paper
  (https://arxiv.org/abs/2207.14255, 4.3). Typing only appends to the prompt, so all of it stays valid in the
  KV cache. It is used for every model that was trained on it.
- *suffix, prefix, middle token*: typing replaces only that token.
- *prefix, suffix*: what is typed changes the middle of the prompt, so the suffix is read again at each key.
"""

from collections.abc import Collection, Iterator, Mapping

from attrs import field, frozen

from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart

Parts = tuple[str | PartKind, ...]
FILES = frozenset({PartKind.PROJECT, PartKind.PATH, PartKind.EXCERPT})
"""Parts that are read of other files, with their names, and the file's own name after them."""
ENDS = (
    *("<|endoftext|>", "<|im_end|>", "<|im_start|>", "<|end_of_text|>", "<|eot_id|>", "<|EOT|>", "<|end|>"),
    *("</s>", "<eos>", "<end_of_turn>", "<start_of_turn>"),
    *("<｜end▁of▁sentence｜>", "<[end▁of▁sentence]>"),
)
"""Control tokens after which no vocabulary goes on with a text. Each has some of them."""


@frozen
class FimFormat:
    """One way to write a prompt."""

    name: str
    "The name that model cards use."
    parts: Parts
    """The prompt in order: control tokens by name, and kinds of text. A `PartKind.PATH` among them is where
    the file's own name is read, if it is not read after the other files."""
    source: str
    "URL of its documentation."
    models: str = ""
    "Families of models that speak it."
    names: Mapping[PartKind, str] = field(factory=dict)
    "Control tokens that precede names of project and files; empty: the model reads no other files."
    marks: tuple[str, ...] = ()
    "Control tokens that only vocabularies of this format have besides those of `parts`."
    ends: tuple[str, ...] = ()
    "Control tokens that end a completion, besides those of the prompt and `ENDS`."

    @property
    def reads_suffix(self) -> bool:
        """Whether the model sees the text after the cursor at all."""
        return PartKind.SUFFIX in self.parts

    @property
    def order(self) -> str:
        """What the model reads first, for people."""
        if not self.reads_suffix:
            return "prefix only"
        return (
            "suffix, prefix"
            if self.parts.index(PartKind.SUFFIX) < self.parts.index(PartKind.PREFIX)
            else "prefix, suffix"
        )

    @property
    def control_tokens(self) -> tuple[str, ...]:
        """The prompt's control tokens, in order."""
        return tuple(part for part in self.parts if isinstance(part, str))

    @property
    def stops(self) -> tuple[str, ...]:
        """Control tokens that end a completion, in addition to the model's own end tokens."""
        return tuple(dict.fromkeys((*self.ends, *self.names.values(), *self.control_tokens, *ENDS)))

    def pieces(self, prompt: Prompt, *, reads_files: bool = True) -> Iterator[PromptPart | str]:
        """Yield the prompt in the model's order: its parts, and control tokens by name.

        The token that begins every text, such as `<s>`, is not among them: servers add it by themselves.
        A prompt without a suffix, not even an empty one, is a text to be continued: it has no control tokens.

        Args:
            prompt: what the model reads, as text.
            reads_files: whether its vocabulary has the tokens for other files.
        """
        if not any(part.kind is PartKind.SUFFIX for part in prompt.parts):
            yield from (part for part in prompt.parts if part.kind not in FILES)
            return
        files = [part for part in prompt.parts if part.kind in FILES] if self.names and reads_files else []
        own = files[-1] if PartKind.PATH in self.parts and files else None
        for part in files:
            if part.kind in self.names:
                yield self.names[part.kind]
            if part is not own and (part.kind in self.names or part.kind is PartKind.EXCERPT):
                yield part
        for piece in self.parts:
            if isinstance(piece, str):
                yield piece
            elif piece is not PartKind.PATH:
                yield from (part for part in prompt.parts if part.kind is piece)
            elif own is not None:
                yield own


def _suffix_first(prefix: str, suffix: str, middle: str, *own_name: PartKind) -> Parts:
    return (prefix, suffix, PartKind.SUFFIX, middle, *own_name, PartKind.HEADER, PartKind.PREFIX)


def _suffix_then_middle(prefix: str, suffix: str, *middle: str) -> Parts:
    return (suffix, PartKind.SUFFIX, prefix, PartKind.HEADER, PartKind.PREFIX, *middle)


def _prefix_first(prefix: str, suffix: str, middle: str) -> Parts:
    return (prefix, PartKind.HEADER, PartKind.PREFIX, suffix, PartKind.SUFFIX, middle)


_PIPES = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
_PLAIN = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")
_QWEN = "https://github.com/QwenLM/Qwen2.5-Coder#3-file-level-code-completion-fill-in-the-middle"
_QWEN_NAMES = {PartKind.PROJECT: "<|repo_name|>", PartKind.PATH: "<|file_sep|>"}

# In this order `fim_of` looks at them: of formats with the same control tokens, those with marks come first.
FORMATS = {
    record.name: record
    for record in (
        # Its page shows the other order. Single-line holes of HumanEval that pass in this one and in that: 79
        # and 57 of 100 with the 0.5B model, 85 and 83 of 100 with the 1.5B model.
        FimFormat(
            name="qwen2.5-coder",
            models="Qwen2.5-Coder, Qwen3-Coder, and models tuned from them",
            parts=_suffix_first(*_PIPES),
            names=_QWEN_NAMES,
            marks=("<|file_sep|>",),
            ends=("<|fim_pad|>",),
            source=_QWEN,
        ),
        FimFormat(
            name="qwen2.5-coder-psm",
            models="as `qwen2.5-coder`, in the other order",
            parts=_prefix_first(*_PIPES),
            names=_QWEN_NAMES,
            marks=("<|file_sep|>",),
            ends=("<|fim_pad|>",),
            source=_QWEN,
        ),
        # Trained in both orders; how the suffix is written first is not documented.
        FimFormat(
            name="codegemma",
            models="CodeGemma",
            parts=_prefix_first(*_PIPES),
            names={PartKind.PATH: "<|file_separator|>"},
            marks=("<|file_separator|>",),
            source="https://arxiv.org/abs/2406.11409",
        ),
        # From version 4 on; earlier ones speak `starcoder`. Tokens for names of files are in its vocabulary,
        # but not in its documentation. It is also the order that a model with just these tokens must know.
        FimFormat(
            name="granite",
            models="Granite 4",
            parts=_prefix_first(*_PIPES),
            ends=("<|fim_pad|>", "<|filename|>", "<|reponame|>"),
            source="https://www.ibm.com/granite/docs/use-cases/prompt-engineering",
        ),
        FimFormat(
            name="mellum",
            models="Mellum",
            parts=_suffix_then_middle(*_PLAIN),
            names={PartKind.PATH: "<filename>"},
            marks=("<filename>", "<assistant>"),
            ends=("<fim_pad>", "<reponame>"),
            source="https://huggingface.co/JetBrains/Mellum-4b-base",
        ),
        # The file's own name is read at the beginning of its text, not before it (5.1 of the paper).
        FimFormat(
            name="starcoder2",
            models="StarCoder2",
            parts=_suffix_first(*_PLAIN, PartKind.PATH),
            names={PartKind.PROJECT: "<repo_name>", PartKind.PATH: "<file_sep>"},
            marks=("<file_sep>",),
            ends=("<fim_pad>",),
            source="https://arxiv.org/abs/2402.19173",
        ),
        # Trained in both orders, half of the time each (https://arxiv.org/abs/2305.06161), as is Granite Code
        # (https://arxiv.org/abs/2405.04324), whose vocabulary is the same.
        FimFormat(
            name="starcoder",
            models="StarCoder, Granite Code, Granite 3",
            parts=_suffix_first(*_PLAIN),
            ends=("<fim_pad>", "<filename>", "<reponame>"),
            source="https://huggingface.co/bigcode/starcoder",
        ),
        FimFormat(
            name="starcoder-psm",
            models="as `starcoder`, in the other order: StableCode, Refact",
            parts=_prefix_first(*_PLAIN),
            ends=("<fim_pad>", "<filename>", "<reponame>"),
            source="https://huggingface.co/bigcode/starcoder",
        ),
        # Trained in this order only (https://arxiv.org/abs/2401.14196).
        FimFormat(
            name="deepseek-coder",
            models="DeepSeek-Coder",
            parts=_prefix_first("<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>"),
            source="https://github.com/deepseek-ai/DeepSeek-Coder#2-code-insertion",
        ),
        # Trained in both orders, half of the time each. The paper (https://arxiv.org/abs/2308.12950) advises
        # against suffix first unless tokens are healed, which they are.
        FimFormat(
            name="codellama",
            models="Code Llama 7B and 13B",
            parts=_suffix_first("▁<PRE>", "▁<SUF>", "▁<MID>"),
            ends=("▁<EOT>",),
            source="https://github.com/meta-llama/codellama",
        ),
        # For servers that do not heal tokens.
        FimFormat(
            name="codellama-psm",
            models="as `codellama`, in the other order, for servers that cannot heal tokens",
            parts=_prefix_first("▁<PRE>", "▁<SUF>", "▁<MID>"),
            ends=("▁<EOT>",),
            source="https://github.com/meta-llama/codellama",
        ),
        FimFormat(
            name="seed-coder",
            models="Seed-Coder, and models tuned from it",
            parts=_suffix_then_middle("<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>"),
            source="https://arxiv.org/abs/2506.03524",
        ),
        FimFormat(
            name="codestral",
            models="Codestral",
            parts=_suffix_then_middle("[PREFIX]", "[SUFFIX]"),
            ends=("[MIDDLE]",),
            source="https://github.com/mistralai/cookbook/blob/main/concept-deep-dive/tokenization/chat_templates.md",
        ),
        FimFormat(
            name="prefix",
            models="any model: it only continues the text before the cursor",
            parts=(PartKind.HEADER, PartKind.PREFIX),
            source="https://huggingface.co/blog/how-to-generate",
        ),
    )
}


def fim_of(control_tokens: Collection[str]) -> str | None:
    """Return the name of the format that a vocabulary speaks, from the names of its control tokens.

    None: it has no such tokens, or not all that a format needs. Tokens say nothing about training: a general
    model may have those of its family's code models. A card may name any other format.
    """
    found = set(control_tokens)
    speaks = (
        record.name
        for record in FORMATS.values()
        if record.control_tokens and found.issuperset((*record.control_tokens, *record.marks))
    )
    return next(speaks, None)
