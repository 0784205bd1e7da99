"""The table of languages: one record for each, with its grammar, its marks, and how it marks blocks.

A language that is not in the table has no marks: in such a text nothing is taken for a comment or a string.
Marks are used where there is no grammar, and for text that a model is still generating.
"""

from enum import Enum

from attrs import evolve, frozen

from aide_lsp.language_ids.table import language_id_of


class Blocks(Enum):
    """How a language marks blocks."""

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


@frozen(kw_only=True, cache_hash=True)
class Language:
    """One language, or a few with the same syntax."""

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
    string_prefix: str = ""
    "Characters of which one precedes the quote if code is interpolated; empty: none is needed."
    raw_quotes: tuple[str, ...] = ()
    "Ends of strings in which a backslash escapes nothing."
    has_characters: bool = False
    "Whether single quotes enclose single characters rather than strings."
    spaced_comments: bool = False
    "Whether a comment that runs to the end of the line begins only after whitespace."
    elements: bool = False
    "Whether elements such as `<b>` occur in code."
    blocks: Blocks = Blocks.NONE
    prose: bool = False
    "Natural language: most of the text is not code, so brackets and quotes need not be balanced."
    drops_comments: bool = False
    "Whether lines of comments are no part of the text, as in the message of a commit."
    data: bool = False
    "Entries separated by commas, without a comma after the last, and nothing else."
    key_marks: str = ""
    "Characters that end a key, such as `a:` or `a =`, which is not there twice; empty: it has no keys."
    has_sections: bool = False
    "Whether lines such as `[a]` begin sections, of which each is there once."
    is_aligned: bool = False
    "Whether lines are aligned with those above them, rather than indented by steps."
    has_pipes: bool = False
    "Whether parameters are between pipes, as in `{ |x| x + 1 }`."
    step: str = ""
    "The step by which its files are indented everywhere; empty: each has its own."
    has_macros: bool = False
    "Whether a word can stand for anything, which its grammar cannot know."
    has_dialects: bool = False
    "Whether it has so many dialects that real files do not parse."
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


_C = Language(line_comments=("//",), block_comments=_SLASHES, quotes=('"', "'"), blocks=Blocks.BRACES)
_SCRIPT = evolve(_C, long_quotes=(("`", "`"),), interpolations=("${",), plain_quotes=('"', "'"))
_HASH = Language(line_comments=("#",), quotes=('"', "'"), plain_quotes=("'",))
_JSX = evolve(_SCRIPT, elements=True)
_RUBY = evolve(_HASH, interpolations=("#{",), blocks=Blocks.WORDS)
_LISP = Language(line_comments=(";",), block_comments=(("#|", "|#"),), long_quotes=(('"', '"'),))
_HTML = Language(
    grammar="tree_sitter_html",
    block_comments=_MARKUP,
    interpolations=("{{",),
    raw_quotes=('"', "'"),
    blocks=Blocks.TAGS,
    embeds=(("script_element", "javascript"), ("style_element", "css")),
)
_COMPONENT = evolve(_HTML, embeds=(("script_element", "typescript"), ("style_element", "css")))
_PROSE = Language(prose=True)
# A single quote also marks lifetimes or type variables; a character literal is too short to matter.
_ONE_QUOTE = ('"',)

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
            string_prefix="ft",
            blocks=Blocks.INDENTATION,
        ),
        evolve(_JSX, id="javascript", grammar="tree_sitter_javascript"),
        evolve(_JSX, id="javascriptreact", grammar="tree_sitter_javascript"),
        evolve(_SCRIPT, id="typescript", grammar="tree_sitter_typescript:language_typescript"),
        evolve(_JSX, id="typescriptreact", grammar="tree_sitter_typescript:language_tsx"),
        evolve(
            _C, id="go", grammar="tree_sitter_go", long_quotes=(("`", "`"),), raw_quotes=("`",), step="\t"
        ),
        evolve(
            _C, has_pipes=True, id="rust", grammar="tree_sitter_rust", quotes=_ONE_QUOTE, has_characters=True
        ),
        evolve(_C, id="java", grammar="tree_sitter_java", long_quotes=_DOUBLE),
        evolve(_C, id="c", grammar="tree_sitter_c", has_macros=True),
        evolve(_C, id="cpp", grammar="tree_sitter_cpp", has_macros=True),
        evolve(_C, id="objective-c"),
        evolve(
            _C,
            id="csharp",
            grammar="tree_sitter_c_sharp",
            long_quotes=_DOUBLE,
            interpolations=("{",),
            plain_quotes=("'",),
            string_prefix="$",
        ),
        evolve(
            _C,
            id="kotlin",
            grammar="tree_sitter_kotlin",
            long_quotes=_DOUBLE,
            interpolations=("${",),
            plain_quotes=("'",),
        ),
        evolve(
            _C,
            id="swift",
            grammar="tree_sitter_swift",
            quotes=('"',),
            long_quotes=_DOUBLE,
            interpolations=("\\(",),
        ),
        evolve(
            _C,
            id="scala",
            grammar="tree_sitter_scala",
            quotes=('"',),
            long_quotes=_DOUBLE,
            interpolations=("${",),
            string_prefix="sfraw",
            has_characters=True,
        ),
        evolve(_C, id="dart", long_quotes=_TRIPLE, interpolations=("${",)),
        evolve(_C, id="groovy", long_quotes=_TRIPLE, interpolations=("${",), plain_quotes=("'", "'''")),
        evolve(_C, id="zig"),
        evolve(_C, id="proto"),
        evolve(
            _C,
            id="php",
            grammar="tree_sitter_php:language_php",
            line_comments=("//", "#"),
            interpolations=("{", "${"),
            plain_quotes=("'",),
        ),
        Language(
            id="css",
            grammar="tree_sitter_css",
            block_comments=_SLASHES,
            quotes=('"', "'"),
            blocks=Blocks.BRACES,
        ),
        evolve(_C, id="scss", interpolations=("#{",)),
        evolve(_C, id="less", interpolations=("@{",)),
        Language(
            id="json",
            grammar="tree_sitter_json",
            quotes=('"',),
            blocks=Blocks.BRACES,
            data=True,
            key_marks=":",
        ),
        evolve(_C, id="jsonc", grammar="tree_sitter_json", quotes=('"',), data=True, key_marks=":"),
        evolve(
            _HASH,
            id="shellscript",
            grammar="tree_sitter_bash",
            quotes=(),
            long_quotes=(('"', '"'), ("'", "'")),
            interpolations=("${", "$("),
            plain_quotes=("'",),
            raw_quotes=("'",),
            spaced_comments=True,
            blocks=Blocks.WORDS,
        ),
        evolve(_RUBY, id="ruby", grammar="tree_sitter_ruby", has_pipes=True),
        evolve(_RUBY, id="elixir", long_quotes=_DOUBLE),
        evolve(_HASH, id="julia", long_quotes=_DOUBLE, interpolations=("$(",), blocks=Blocks.WORDS),
        evolve(_HASH, id="perl", interpolations=("${", "@{"), blocks=Blocks.BRACES),
        evolve(_HASH, id="r", blocks=Blocks.BRACES),
        evolve(
            _HASH,
            id="powershell",
            block_comments=(("<#", "#>"),),
            interpolations=("$(",),
            raw_quotes=('"', "'"),
            spaced_comments=True,
            blocks=Blocks.BRACES,
        ),
        evolve(
            _HASH,
            id="yaml",
            grammar="tree_sitter_yaml",
            raw_quotes=("'",),
            spaced_comments=True,
            blocks=Blocks.INDENTATION,
            is_aligned=True,
            key_marks=":",
        ),
        evolve(
            _HASH,
            id="toml",
            grammar="tree_sitter_toml",
            long_quotes=_TRIPLE,
            raw_quotes=("'", "'''"),
            key_marks="=",
        ),
        evolve(_HASH, id="makefile", quotes=()),
        evolve(_HASH, id="dockerfile", spaced_comments=True),
        evolve(_HASH, id="ini", line_comments=(";", "#"), quotes=(), key_marks=":=", has_sections=True),
        evolve(_HASH, id="properties", quotes=(), key_marks=":="),
        Language(
            id="lua",
            grammar="tree_sitter_lua",
            line_comments=("--",),
            block_comments=(("--[[", "]]"),),
            quotes=('"', "'"),
            long_quotes=(("[[", "]]"),),
            raw_quotes=("]]",),
            blocks=Blocks.WORDS,
        ),
        Language(
            id="sql",
            grammar="tree_sitter_sql",
            line_comments=("--",),
            block_comments=_SLASHES,
            long_quotes=(("'", "'"), ('"', '"')),
            raw_quotes=("'", '"'),
            has_dialects=True,
        ),
        Language(
            id="haskell",
            grammar="tree_sitter_haskell",
            line_comments=("--",),
            block_comments=(("{-", "-}"),),
            quotes=('"',),
            has_characters=True,
            blocks=Blocks.INDENTATION,
            is_aligned=True,
        ),
        Language(
            id="elm",
            line_comments=("--",),
            block_comments=(("{-", "-}"),),
            quotes=('"',),
            long_quotes=_DOUBLE,
            has_characters=True,
            blocks=Blocks.INDENTATION,
            is_aligned=True,
        ),
        Language(
            id="ocaml",
            grammar="tree_sitter_ocaml:language_ocaml",
            block_comments=(("(*", "*)"),),
            quotes=('"',),
            has_characters=True,
        ),
        evolve(
            _C,
            id="fsharp",
            block_comments=(("(*", "*)"),),
            blocks=Blocks.INDENTATION,
            is_aligned=True,
            quotes=_ONE_QUOTE,
            has_characters=True,
        ),
        evolve(_LISP, id="clojure"),
        evolve(_LISP, id="scheme"),
        evolve(_LISP, id="lisp"),
        evolve(_LISP, id="racket"),
        evolve(_LISP, id="emacs-lisp"),
        Language(id="vb", line_comments=("'",), quotes=('"',), raw_quotes=('"',), blocks=Blocks.WORDS),
        Language(id="erlang", line_comments=("%",), quotes=('"',)),
        Language(id="matlab", line_comments=("%",), quotes=('"',), blocks=Blocks.WORDS),
        evolve(_HTML, id="html"),
        evolve(_COMPONENT, id="vue"),
        # The grammar of HTML does not know code in attributes, such as `a={b === "c"}`.
        evolve(_COMPONENT, id="svelte", interpolations=("{",), has_dialects=True),
        Language(
            id="xml",
            grammar="tree_sitter_xml:language_xml",
            block_comments=_MARKUP,
            raw_quotes=('"', "'"),
            blocks=Blocks.TAGS,
        ),
        evolve(_PROSE, id="plaintext"),
        evolve(_PROSE, id="markdown"),
        evolve(_PROSE, id="asciidoc"),
        evolve(_PROSE, id="latex", line_comments=("%",)),
        evolve(_PROSE, id="restructuredtext"),
        evolve(_PROSE, id="git-commit", line_comments=("#",), drops_comments=True),
    )
}
"""By LSP language id."""
UNKNOWN = Language()


def language_of(language_id: str, path: str = "") -> Language:
    """Find a language by its LSP id, else by the file name."""
    return LANGUAGES.get(language_id_of(language_id, path), UNKNOWN)
