"""The ids of the languages that Aide knows, other ids for them, and the files that have them."""

from pathlib import PurePath

ALIASES = {
    "tex": "latex", "plaintex": "latex", "bibtex": "latex", "bib": "latex", "rst": "restructuredtext",
    "text": "plaintext", "mdx": "markdown", "quarto": "markdown", "rmd": "markdown",
    "asciidoctor": "asciidoc", "shell": "shellscript", "bash": "shellscript", "sh": "shellscript",
    "zsh": "shellscript", "ps1": "powershell", "make": "makefile", "cs": "csharp", "c-sharp": "csharp",
    "objc": "objective-c", "objcpp": "cpp", "objective-cpp": "cpp", "cuda": "cpp", "cuda-cpp": "cpp",
    "tpp": "cpp", "tsx": "typescriptreact", "typescript.tsx": "typescriptreact", "jsx": "javascriptreact",
    "jsonl": "json", "snippets": "jsonc", "svg": "xml", "xsl": "xml", "xslt": "xml",
    "dockercompose": "yaml", "github-actions-workflow": "yaml", "azure-pipelines": "yaml",
    "dosini": "ini", "cfg": "ini", "confini": "ini", "desktop": "ini", "editorconfig": "ini",
    "gitconfig": "ini", "systemd": "ini", "jproperties": "properties", "commonlisp": "lisp",
    "proto3": "proto", "protobuf": "proto", "sbt": "scala", "octave": "matlab",
    "gitcommit": "git-commit", "git-rebase": "git-commit", "gitrebase": "git-commit",
}  # fmt: skip
"""Other ids of the same languages, as editors use them: Neovim sends its file types."""
SUFFIXES = {
    ".py": "python", ".pyi": "python", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".jsx": "javascriptreact", ".tsx": "typescriptreact",
    ".go": "go", ".rs": "rust", ".c": "c", ".h": "c", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp",
    ".hpp": "cpp", ".hh": "cpp", ".cs": "csharp", ".java": "java", ".kt": "kotlin", ".kts": "kotlin",
    ".swift": "swift", ".scala": "scala", ".sbt": "scala", ".dart": "dart", ".groovy": "groovy",
    ".gradle": "groovy", ".zig": "zig", ".php": "php", ".css": "css", ".scss": "scss", ".less": "less",
    ".json": "json", ".jsonc": "jsonc", ".sh": "shellscript", ".bash": "shellscript", ".rb": "ruby",
    ".ex": "elixir", ".exs": "elixir", ".jl": "julia", ".pl": "perl", ".pm": "perl", ".r": "r",
    ".ps1": "powershell", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".mk": "makefile", ".ini": "ini",
    ".lua": "lua", ".sql": "sql", ".hs": "haskell", ".elm": "elm", ".ml": "ocaml", ".mli": "ocaml",
    ".fs": "fsharp", ".clj": "clojure", ".cljs": "clojure", ".scm": "scheme", ".lisp": "lisp",
    ".rkt": "racket", ".el": "emacs-lisp", ".vb": "vb", ".erl": "erlang", ".html": "html", ".htm": "html",
    ".vue": "vue", ".svelte": "svelte", ".xml": "xml", ".svg": "xml", ".md": "markdown", ".txt": "plaintext",
    ".tex": "latex", ".rst": "restructuredtext", ".adoc": "asciidoc", ".cts": "typescript",
    ".m": "objective-c", ".mm": "objective-c", ".hxx": "cpp", ".inl": "cpp", ".ipp": "cpp", ".tpp": "cpp",
    ".cu": "cpp", ".cuh": "cpp", ".fsi": "fsharp", ".fsx": "fsharp", ".rake": "ruby", ".gemspec": "ruby",
    ".psm1": "powershell", ".hrl": "erlang", ".cljc": "clojure", ".zsh": "shellscript", ".proto": "proto",
    ".cfg": "ini", ".service": "ini", ".properties": "properties", ".jsonl": "json", ".bib": "latex",
}  # fmt: skip
"""Language id by file extension, for files whose language the editor does not know."""
NAMES = {
    "makefile": "makefile", "gnumakefile": "makefile", "dockerfile": "dockerfile",
    "containerfile": "dockerfile", "gemfile": "ruby", "rakefile": "ruby", "jenkinsfile": "groovy",
    ".bashrc": "shellscript", ".profile": "shellscript", ".zshrc": "shellscript", ".editorconfig": "ini",
    ".gitconfig": "ini", "commit_editmsg": "git-commit", "merge_msg": "git-commit",
}  # fmt: skip
"""Language id by file name in lower case, likewise."""
KNOWN_IDS = frozenset((*ALIASES, *ALIASES.values(), *SUFFIXES.values(), *NAMES.values()))
"""All ids of languages that Aide knows."""


def language_id_of(language_id: str, path: str) -> str:
    """Return the LSP id or, if the editor does not know the language, that for the file name; empty: unknown.

    Editors call every file `plaintext` whose language they have no extension for: VS Code does so with TOML.
    A file type of Neovim such as `yaml.ansible` is its first part.
    """
    given = language_id if language_id in ALIASES else language_id.partition(".")[0]
    found = ALIASES.get(given, given)
    if found not in ("", "plaintext"):
        return found
    file = PurePath(path)
    return NAMES.get(file.name.lower()) or SUFFIXES.get(file.suffix.lower(), found)
