"""The table of languages whose imports are found: to add one, add an entry.

Languages in which an import is a path need no more than that; the others have a module each.
"""

from aide_lsp.context.imports import c, dotnet, go, javascript, jvm, php, python, rust
from aide_lsp.context.imports.by_name import snake_case
from aide_lsp.context.imports.paths import by_path, by_type, either
from aide_lsp.context.imports.statement import ImportRules, entries

_JAVASCRIPT = ImportRules(
    javascript.named, javascript.files, entries("index", "main", "mod", "public-api", "public_api")
)
_C = ImportRules(c.named, c.files)
_JVM = ImportRules(jvm.named, jvm.files)
_DOTNET = ImportRules(dotnet.named, dotnet.files)
_STYLE = by_path(
    r"@(?:import|use|forward|plugin|reference)\s+(?:\([^()\n]*\)\s*)?(?:url\(\s*)?[\"']?~?([^\"'()\s;]+)"
    r"|\bcomposes:[^;\n]{0,200}\bfrom\s+[\"']([^\"'\n]+)",
    ("", ".css", ".scss", "_.scss", ".less", "/_index.scss", "/index.scss", "/index.css"),
    ("", "src", "styles"),
)
_LISP = by_path(
    r"\((?:require|include|load|load-file)\s+(?:\"([^\"\n]+)|'([\w./-]+))",
    ("", ".el", ".scm", ".rkt", ".lisp"),
    ("", "lisp", "src"),
)

LANGUAGES: dict[str, ImportRules] = {
    "python": ImportRules(python.named, python.files, entries("__init__")),
    "javascript": _JAVASCRIPT,
    "javascriptreact": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "typescriptreact": _JAVASCRIPT,
    # Nuxt imports components by their names.
    "vue": either(_JAVASCRIPT, by_type((".vue",), ("nuxt.config.*",), ("components", "app/components"))),
    "svelte": _JAVASCRIPT,
    "go": ImportRules(go.named, go.files),
    "rust": ImportRules(rust.named, rust.files, rust.passes_on),
    "java": _JVM,
    "kotlin": _JVM,
    "scala": _JVM,
    "groovy": _JVM,
    "c": _C,
    "cpp": _C,
    "objective-c": _C,
    "csharp": _DOTNET,
    "fsharp": _DOTNET,
    "vb": _DOTNET,
    "php": ImportRules(php.named, php.files),
    "ruby": either(
        by_path(
            r"\b(?:require_relative|require|load|autoload\b[^,\n]{0,100},)\s*+(?:\(\s*+)?[\"']([^\"'\n#]+)",
            (".rb", ""),
            ("", "lib", "app", "spec", "test"),
        ),
        by_type((".rb",), ("Gemfile", "*.gemspec", "Rakefile"), ("app", "lib"), snake_case),
    ),
    "swift": by_type((".swift",), ("Package.swift", "Podfile", "*.podspec", "project.yml")),
    "dart": by_path(
        r"\b(?:import|export|part(?:\s+of)?)\s+[\"'](?:package:\w+/)?([^\"'\n]+)",
        ("",),
        ("", "lib", "packages/*/lib", "*/lib", "*"),
    ),
    "elixir": either(
        by_path(
            r"\b(?:alias|import|use|require)\s+([A-Z][\w.]*\w)",
            (".ex", ".exs"),
            ("", "lib", "test/support", "apps/*/lib"),
            ".",
            snake_case,
            shorter=1,
        ),
        by_type((".ex",), ("mix.exs",), ("lib", "test/support"), snake_case),
    ),
    "lua": by_path(
        r"\b(?:require|dofile|loadfile)[\s(,]*[\"']([\w./-]+?)(?:\.lua)?[\"']",
        (".lua", "/init.lua"),
        ("", "lua", "src", "lib"),
        ".",
    ),
    "zig": by_path(
        r"@(?:import|embedFile)\(\s*\"([^\"\n]+)",
        ("", ".zig", "/root.zig", "/src/root.zig", "/src/main.zig"),
        ("", "src", "lib", "libs"),
    ),
    "haskell": by_path(
        r"^[ \t]*import\s+(?:safe\s+)?(?:qualified\s+)?(?:\"[^\"\n]+\"\s+)?([A-Z][\w.']*)",
        (".hs", ".lhs"),
        ("", "src", "lib", "app", "test", "*", "*/src"),
        ".",
    ),
    "proto": by_path(
        r"^[ \t]*import\s+(?:public\s+|weak\s+)?[\"']([^\"'\n]+)",
        ("",),
        ("", "proto", "protos", "src", "src/main/proto", "*", "*/proto"),
    ),
    "elm": by_path(r"^import\s+([A-Z][\w.]*)", (".elm",), ("", "src", "*"), "."),
    "ocaml": by_type(
        (".ml", ".mli"), ("dune-project", "*.opam"), spelled=lambda name: name[0].lower() + name[1:]
    ),
    "julia": by_path(
        r"\binclude\(\s*\"([^\"\n]+)|^[ \t]*(?:using|import)\s+\.*([A-Z]\w*)", ("", ".jl"), ("", "src")
    ),
    "r": by_path(r"\b(?:sys\.)?source\(\s*[\"']([^\"'\n]+)", ("",), ("", "R")),
    "perl": by_path(
        r"\b(?:use|require|extends|with|parent|base)\b[\s\"'(qw]*([A-Z]\w*(?:::\w+)*)",
        (".pm",),
        ("", "lib", "t/lib"),
        "::",
    ),
    "powershell": by_path(
        r"(?:^|[;{])[ \t]*(?:\.|&|Import-Module|using[ \t]+module)[ \t]+[\"'(]*(?:Join-Path[ \t]+)?"
        r"(?:\$\w+|\.)?[\\/ \"']{0,4}([\w.\\/-]+\.ps[md]?1)"
    ),
    "shellscript": by_path(
        r"(?:^|[;&|{]|\b(?:then|do|else)\b)[ \t]*(?:source|\.)[ \t]++"
        r"(?:[^\n;|&]{0,100}[$)}\"']\w{0,40}\}?\"?/|[\"']?)([\w.-][\w./-]*)",
        ("", ".sh"),
        ("", "lib", "scripts"),
    ),
    "erlang": by_path(
        r"^-include(?:_lib)?\(\s*\"([^\"\n]+)|^-(?:behaviou?r|import)\(\s*(\w+)|\b([a-z]\w*):[a-z]\w*\(",
        ("", ".erl"),
        ("", "src", "include", "apps", "apps/*/src", "apps/*/include"),
    ),
    "clojure": by_path(
        r"[\[(]\s*([a-z][\w*+!?<>=-]*(?:\.[\w*+!?<>=-]+)+)(?=[\s\])])",
        (".clj", ".cljs", ".cljc"),
        ("", "src", "test", "src/*", "src/main/clojure"),
        ".",
        lambda name: name.replace("-", "_"),
    ),
    "scheme": _LISP,
    "racket": _LISP,
    "lisp": _LISP,
    "emacs-lisp": _LISP,
    "css": _STYLE,
    "scss": _STYLE,
    "less": _STYLE,
    "html": by_path(
        r"<(?:script|link)\b[^<>]*?\b(?:src|href)\s*=\s*[\"']/?([^\"'\s?#]+)"
        r"|\{%-?\s*(?:extends|include|import|from)\s+[\"']([^\"'\n]+)",
        ("",),
        ("", "public", "static", "src", "templates", "views", "_includes"),
    ),
}
"""By LSP language id."""
