"""The table of languages: one record for each, with its grammar, its marks, and how its blocks are written.

A language that is not in the table has no marks: in such a text nothing is taken for a comment or a string
that may be none. Marks serve where there is no grammar, and for text that a model is still writing.
"""

from enum import Enum
from pathlib import PurePath

from attrs import frozen


class Blocks(Enum):
    """How a language writes blocks."""

    NONE = "none"
    "It has none, or they have no fixed form."
    INDENTATION = "indentation"
    "By indentation alone."
    BRACES = "braces"
    "In brackets."
    WORDS = "words"
    "Up to a word such as `end`."
    TAGS = "tags"
    "In tags."


@frozen(kw_only=True)
class Language:
    """One language, or the few that are written alike."""

    id: str = ""
    "LSP language id; empty: unknown."
    grammar: str = ""
    "Module of its tree-sitter grammar, and the function in it if it is not `language`; empty: none."
    line_comments: tuple[str, ...] = ()
    "Starts of a comment that runs to the end of the line."
    block_comments: tuple[tuple[str, str], ...] = ()
    "Start and end of other comments."
    quotes: tuple[str, ...] = ()
    "Quotes of strings that end with their line."
    long_quotes: tuple[tuple[str, str], ...] = ()
    "Start and end of strings that may span lines."
    interpolations: tuple[str, ...] = ()
    "What begins code in a string; it ends with the bracket that closes it."
    plain_quotes: tuple[str, ...] = ()
    "Those of the quotes, short or long, in which nothing is interpolated."
    blocks: Blocks = Blocks.NONE
    prose: bool = False
    "Natural language: most of the text is no code, so brackets and quotes need not be balanced."
    data: bool = False
    "Entries separated by commas, without a comma after the last, and nothing else."
    embeds: tuple[tuple[str, str], ...] = ()
    "Nodes of its tree that hold another language, and that language's id."

    @property
    def marks(self) -> tuple[str, ...]:
        """All starts of comments."""
        return (*self.line_comments, *(start for start, _ in self.block_comments))


_SLASHES = (("/*", "*/"),)
_DOUBLE = (('"""', '"""'),)
_TRIPLE = (('"""', '"""'), ("'''", "'''"))
_MARKUP = (("<!--", "-->"),)


def _c(id: str, grammar: str = "", **more: object) -> Language:
    """Return a language with the comments, strings and braces of C."""
    fields: dict[str, object] = {
        "line_comments": ("//",),
        "block_comments": _SLASHES,
        "quotes": ('"', "'"),
        "blocks": Blocks.BRACES,
    }
    return Language(id=id, grammar=grammar, **(fields | more))  # type: ignore[arg-type]


def _script(id: str, grammar: str) -> Language:
    return _c(id, grammar, long_quotes=(("`", "`"),), interpolations=("${",), plain_quotes=('"', "'"))


def _hash(id: str, grammar: str = "", **more: object) -> Language:
    """Return a language whose comments begin with `#`."""
    fields: dict[str, object] = {"line_comments": ("#",), "quotes": ('"', "'"), "plain_quotes": ("'",)}
    return Language(id=id, grammar=grammar, **(fields | more))  # type: ignore[arg-type]


def _lisp(id: str) -> Language:
    return Language(id=id, line_comments=(";",), block_comments=(("#|", "|#"),), long_quotes=(('"', '"'),))


def _prose(id: str, grammar: str = "", **more: object) -> Language:
    return Language(id=id, grammar=grammar, prose=True, **more)  # type: ignore[arg-type]


_RUST_LIKE = {"quotes": ('"',)}
"""A single quote also marks lifetimes or type variables; a character literal is too short to matter."""

LANGUAGES: dict[str, Language] = {
    language.id: language
    for language in (
        Language(
            id="python",
            grammar="tree_sitter_python",
            line_comments=("#",),
            quotes=('"', "'"),
            long_quotes=_TRIPLE,
            interpolations=("{",),
            blocks=Blocks.INDENTATION,
        ),
        _script("javascript", "tree_sitter_javascript"),
        _script("javascriptreact", "tree_sitter_javascript"),
        _script("typescript", "tree_sitter_typescript:language_typescript"),
        _script("typescriptreact", "tree_sitter_typescript:language_tsx"),
        _c("go", "tree_sitter_go", long_quotes=(("`", "`"),)),
        _c("rust", "tree_sitter_rust", **_RUST_LIKE),
        _c("java", "tree_sitter_java", long_quotes=_DOUBLE),
        _c("c", "tree_sitter_c"),
        _c("cpp", "tree_sitter_cpp"),
        _c("objective-c"),
        _c("csharp", "tree_sitter_c_sharp", long_quotes=_DOUBLE, interpolations=("{",), plain_quotes=("'",)),
        _c("kotlin", "tree_sitter_kotlin", long_quotes=_DOUBLE, interpolations=("${",), plain_quotes=("'",)),
        _c(
            "swift",
            "tree_sitter_swift",
            quotes=('"',),
            long_quotes=_DOUBLE,
            interpolations=("\\(",),
        ),
        _c("scala", "tree_sitter_scala", quotes=('"',), long_quotes=_DOUBLE, interpolations=("${",)),
        _c("dart", long_quotes=_TRIPLE, interpolations=("${",)),
        _c("groovy", long_quotes=_TRIPLE, interpolations=("${",), plain_quotes=("'", "'''")),
        _c("zig"),
        _c(
            "php",
            "tree_sitter_php:language_php",
            line_comments=("//", "#"),
            interpolations=("{$", "${"),
            plain_quotes=("'",),
        ),
        Language(
            id="css", grammar="tree_sitter_css", block_comments=_SLASHES, quotes=('"', "'"), blocks=Blocks.BRACES
        ),
        _c("scss", interpolations=("#{",)),
        _c("less", interpolations=("@{",)),
        Language(id="json", grammar="tree_sitter_json", quotes=('"',), blocks=Blocks.BRACES, data=True),
        _c("jsonc", "tree_sitter_json", quotes=('"',), data=True),
        _hash(
            "shellscript",
            "tree_sitter_bash",
            quotes=(),
            long_quotes=(('"', '"'), ("'", "'")),
            interpolations=("${", "$("),
            blocks=Blocks.WORDS,
        ),
        _hash("ruby", "tree_sitter_ruby", interpolations=("#{",), blocks=Blocks.WORDS),
        _hash("elixir", long_quotes=_DOUBLE, interpolations=("#{",), blocks=Blocks.WORDS),
        _hash("julia", long_quotes=_DOUBLE, interpolations=("$(",), blocks=Blocks.WORDS),
        _hash("perl", interpolations=("${", "@{"), blocks=Blocks.BRACES),
        _hash("r", blocks=Blocks.BRACES),
        _hash("powershell", block_comments=(("<#", "#>"),), interpolations=("$(",), blocks=Blocks.BRACES),
        _hash("yaml", "tree_sitter_yaml", blocks=Blocks.INDENTATION),
        _hash("toml", "tree_sitter_toml", long_quotes=_TRIPLE),
        _hash("makefile", quotes=()),
        _hash("dockerfile"),
        _hash("ini", line_comments=(";", "#"), quotes=()),
        _hash("properties", quotes=()),
        Language(
            id="lua",
            grammar="tree_sitter_lua",
            line_comments=("--",),
            block_comments=(("--[[", "]]"),),
            quotes=('"', "'"),
            long_quotes=(("[[", "]]"),),
            blocks=Blocks.WORDS,
        ),
        Language(
            id="sql",
            grammar="tree_sitter_sql",
            line_comments=("--",),
            block_comments=_SLASHES,
            long_quotes=(("'", "'"), ('"', '"')),
        ),
        Language(
            id="haskell",
            grammar="tree_sitter_haskell",
            line_comments=("--",),
            block_comments=(("{-", "-}"),),
            quotes=('"',),
            blocks=Blocks.INDENTATION,
        ),
        Language(
            id="elm",
            line_comments=("--",),
            block_comments=(("{-", "-}"),),
            quotes=('"',),
            long_quotes=_DOUBLE,
            blocks=Blocks.INDENTATION,
        ),
        Language(
            id="ocaml", grammar="tree_sitter_ocaml:language_ocaml", block_comments=(("(*", "*)"),), quotes=('"',)
        ),
        _c("fsharp", block_comments=(("(*", "*)"),), blocks=Blocks.INDENTATION, **_RUST_LIKE),
        _lisp("clojure"),
        _lisp("scheme"),
        _lisp("lisp"),
        _lisp("racket"),
        _lisp("emacs-lisp"),
        Language(id="vb", line_comments=("'",), quotes=('"',), blocks=Blocks.WORDS),
        Language(id="erlang", line_comments=("%",), quotes=('"',)),
        Language(id="matlab", line_comments=("%",), quotes=('"',), blocks=Blocks.WORDS),
        Language(
            id="html",
            grammar="tree_sitter_html",
            block_comments=_MARKUP,
            blocks=Blocks.TAGS,
            embeds=(("script_element", "javascript"), ("style_element", "css")),
        ),
        Language(
            id="vue",
            grammar="tree_sitter_html",
            block_comments=_MARKUP,
            blocks=Blocks.TAGS,
            embeds=(("script_element", "typescript"), ("style_element", "css")),
        ),
        Language(
            id="svelte",
            grammar="tree_sitter_html",
            block_comments=_MARKUP,
            blocks=Blocks.TAGS,
            embeds=(("script_element", "typescript"), ("style_element", "css")),
        ),
        Language(id="xml", grammar="tree_sitter_xml:language_xml", block_comments=_MARKUP, blocks=Blocks.TAGS),
        _prose("plaintext"),
        _prose("markdown"),
        _prose("latex", line_comments=("%",)),
        _prose("restructuredtext"),
        _prose("git-commit", line_comments=("#",)),
    )
}
"""By LSP language id."""
ALIASES = {"tex": "latex", "bibtex": "latex", "shell": "shellscript", "bash": "shellscript", "sh": "shellscript",
    "objective-cpp": "objective-c", "cuda-cpp": "cpp", "mdx": "markdown", "quarto": "markdown",
    "commonlisp": "lisp", "xsl": "xml", "svg": "xml", "git-rebase": "git-commit", "jsonl": "json"}  # fmt: skip
"""Other ids of the same languages, as editors use them."""
SUFFIXES = {
    ".py": "python", ".pyi": "python", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".jsx": "javascriptreact", ".tsx": "typescriptreact",
    ".go": "go", ".rs": "rust", ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp", ".hpp": "cpp",
    ".hh": "cpp", ".cs": "csharp", ".java": "java", ".kt": "kotlin", ".kts": "kotlin", ".swift": "swift",
    ".scala": "scala", ".sbt": "scala", ".dart": "dart", ".groovy": "groovy", ".gradle": "groovy", ".zig": "zig",
    ".php": "php", ".css": "css", ".scss": "scss", ".less": "less", ".json": "json", ".jsonc": "jsonc",
    ".sh": "shellscript", ".bash": "shellscript", ".rb": "ruby", ".ex": "elixir", ".exs": "elixir",
    ".jl": "julia", ".pl": "perl", ".pm": "perl", ".r": "r", ".ps1": "powershell", ".yaml": "yaml",
    ".yml": "yaml", ".toml": "toml", ".mk": "makefile", ".ini": "ini", ".lua": "lua", ".sql": "sql",
    ".hs": "haskell", ".elm": "elm", ".ml": "ocaml", ".mli": "ocaml", ".fs": "fsharp", ".clj": "clojure",
    ".cljs": "clojure", ".scm": "scheme", ".lisp": "lisp", ".rkt": "racket", ".el": "emacs-lisp", ".vb": "vb",
    ".erl": "erlang", ".html": "html", ".htm": "html", ".vue": "vue", ".svelte": "svelte", ".xml": "xml",
    ".svg": "xml", ".md": "markdown", ".txt": "plaintext", ".tex": "latex", ".rst": "restructuredtext",
}  # fmt: skip
"""Language id by file extension, for requests that name no language."""
UNKNOWN = Language()


def language_of(language_id: str, path: str = "") -> Language:
    """Find a language by its LSP id, else by the file name."""
    return LANGUAGES.get(language_id_of(language_id, path), UNKNOWN)


def language_id_of(language_id: str, path: str) -> str:
    """Return the LSP id, else the one for the file extension; empty: unknown."""
    found = language_id or SUFFIXES.get(PurePath(path).suffix.lower(), "")
    return ALIASES.get(found, found)
