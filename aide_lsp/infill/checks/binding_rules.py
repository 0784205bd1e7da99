"""What names are in the tree of a language: which nodes bind them, which use them, and which are global.

A name that is called, or of which a member is taken, may be one that the user imports next. In JavaScript and
TypeScript, where editors add imports afterwards, only names of plain values count, such as arguments.
"""

import builtins
import re

from attrs import frozen


@frozen(kw_only=True)
class BindingRules:
    """The rules of one grammar."""

    names: tuple[str, ...] = ("identifier",)
    "Kinds of nodes that are names of variables."
    functions: tuple[str, ...]
    "Kinds of nodes that are functions: the outermost one at the cursor is looked at."
    definitions: tuple[str, ...]
    "Those of which the code outside knows only the name."
    local_scopes: tuple[str, ...]
    "Scopes in which a name may be used above what binds it."
    other_scopes: tuple[str, ...] = ()
    "Other scopes."
    loops: tuple[str, ...] = ()
    "In these, what binds a name may be below, too."
    parts: dict[str, dict[str, bool]]
    "Kinds of nodes whose parts bind names, or only use them: for each part, whether it binds."
    binding: tuple[str, ...]
    "Kinds of nodes in which every name is bound."
    only: dict[str, str]
    "Kinds of nodes that have names of variables in one part alone, where they are used."
    values: dict[str, str] | None = None
    "Kinds of nodes in which a lowercase name counts, and in which part (empty: in all); None: all do."
    builtins: frozenset[str]
    "Names that every file has."
    modules: frozenset[str] = frozenset()
    "Modules of the language's library that any file can import, and whose names are hardly ever variables."
    is_closed: re.Pattern[str] | None = None
    "Found in files that import the names of other files; None: all do."
    from_elsewhere: re.Pattern[str]
    "Found in files that may have names that nothing in them binds."


_PARAMETERS = {"name": True, "parameters": True, "type_parameters": True}
_MODULES = """
    abc argparse ast asyncio atexit base64 binascii bisect codecs collections configparser contextlib
    contextvars copy csv ctypes dataclasses datetime decimal difflib enum errno fnmatch functools gc getpass
    glob gzip hashlib heapq importlib inspect io ipaddress itertools json locale logging math mimetypes
    multiprocessing operator os pathlib pickle platform pprint random re shlex shutil signal socket ssl
    statistics struct subprocess sys tempfile textwrap threading time timeit tomllib traceback types typing
    unicodedata unittest urllib uuid warnings weakref zipfile zlib zoneinfo
"""
_PYTHON = BindingRules(
    functions=("function_definition",),
    definitions=("function_definition", "class_definition"),
    local_scopes=(
        "list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression",
    ),
    other_scopes=("function_definition", "class_definition", "lambda"),
    loops=("for_statement", "while_statement"),
    parts={
        "function_definition": _PARAMETERS,
        "class_definition": {"name": True, "type_parameters": True},
        "lambda": {"parameters": True},
        "assignment": {"left": True},
        "for_statement": {"left": True},
        "for_in_clause": {"left": True},
        "named_expression": {"name": True},
        "type_alias_statement": {"left": True},
        # A target such as `x.a` or `x[i]`, a default value, and an annotation use names.
        "subscript": {"value": False, "subscript": False},
        "default_parameter": {"value": False},
        "typed_parameter": {"type": False},
        "typed_default_parameter": {"value": False, "type": False},
    },
    binding=(
        "import_statement", "import_from_statement", "global_statement", "nonlocal_statement", "case_pattern",
        "as_pattern_target", "delete_statement",
    ),
    # In `x.a` and `f(a=1)`, `a` is no variable; and `x` in `x.a = 1` is used.
    only={"attribute": "object", "keyword_argument": "value"},
    builtins=frozenset(dir(builtins)),
    modules=frozenset(_MODULES.split()),
    from_elsewhere=re.compile(r"import\s*\(?\s*\*|\bexec\(|\bglobals\(\)|\blocals\(\)"),
)  # fmt: skip

_SIGNATURES = (
    "function_signature", "method_signature", "abstract_method_signature", "call_signature",
    "construct_signature", "function_type", "constructor_type",
)  # fmt: skip
_FUNCTIONS = (
    "function_declaration", "generator_function_declaration", "function_expression", "generator_function",
    "arrow_function", "method_definition",
)  # fmt: skip
_CLASSES = ("class_declaration", "abstract_class_declaration")
_GLOBALS = """
    addEventListener after afterAll afterEach ai alert arguments assert assertType atob before beforeAll
    beforeEach blur browser btoa by caches cancelAnimationFrame cancelIdleCallback chai clearImmediate
    clearInterval clearTimeout clientInformation clients close closed confirm console context
    cookieStore createImageBitmap crossOriginIsolated crypto currentFrame currentTime customElements cy
    decodeURI decodeURIComponent describe device devicePixelRatio dispatchEvent document
    documentPictureInPicture element encodeURI encodeURIComponent escape eval event expect expectAsync
    expectTypeOf exports external fail fdescribe fence fetch fetchLater find fit focus fonts
    frameElement frames getComputedStyle getScreenDetails getSelection global globalThis history
    importScripts indexedDB innerHeight innerWidth isFinite isNaN isSecureContext it jasmine jest jQuery
    launchQueue length localStorage location locationbar matchMedia menubar mocha model module moveBy
    moveTo name navigation navigator offscreenBuffering open opener origin originAgentCluster
    outerHeight outerWidth page pageXOffset pageYOffset parent parseFloat parseInt pending performance
    personalbar port postMessage print process prompt queueMicrotask registerProcessor registration
    removeEventListener reportError requestAnimationFrame requestIdleCallback require resizeBy resizeTo
    run runs sampleRate scheduler screen screenLeft screenTop screenX screenY scroll scrollbars scrollBy
    scrollTo scrollX scrollY self serviceWorker sessionStorage setImmediate setInterval setTimeout setup
    showDirectoryPicker showOpenFilePicker showSaveFilePicker skipWaiting specify speechSynthesis spyOn
    spyOnAllFunctions spyOnProperty status statusbar stop structuredClone styleMedia suite suiteSetup
    suiteTeardown teardown test toolbar top trustedTypes undefined unescape vi viewport visualViewport
    vitest waits waitsFor when window xcontext xdescribe xit xspecify xtest
"""
"""Names of browsers, Node and its like, and test runners; those with a capital are never looked up."""
_SCRIPT = BindingRules(
    names=("identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"),
    functions=_FUNCTIONS,
    definitions=(*_FUNCTIONS, *_CLASSES),
    local_scopes=(*_FUNCTIONS, *_SIGNATURES, *_CLASSES, "class", "class_static_block"),
    parts={kind: _PARAMETERS | {"parameter": True} for kind in (*_FUNCTIONS, *_SIGNATURES)} | {
        "variable_declarator": {"name": True},
        "catch_clause": {"parameter": True},
        "for_in_statement": {"left": True},
        "assignment_expression": {"left": True},
        "tuple_parameter": {"name": True},
        "index_signature": {"name": True},
        # Names of elements, which are lowercase if they are those of the language.
        "jsx_opening_element": {"name": True},
        "jsx_closing_element": {"name": True},
        "jsx_self_closing_element": {"name": True},
        "subscript_expression": {"object": False, "index": False},
        "assignment_pattern": {"right": False},
        "object_assignment_pattern": {"right": False},
        "required_parameter": {"value": False, "type": False},
        "optional_parameter": {"value": False, "type": False},
    },
    binding=(
        "import_statement", "shorthand_property_identifier_pattern", "enum_declaration", "internal_module",
        "module",
    ),
    only={"member_expression": "object"},
    values={
        "arguments": "", "array": "", "object": "", "pair": "value", "binary_expression": "",
        "spread_element": "", "template_substitution": "", "ternary_expression": "",
        "parenthesized_expression": "", "await_expression": "", "return_statement": "", "throw_statement": "",
        "variable_declarator": "value", "arrow_function": "body", "assignment_expression": "right",
        "augmented_assignment_expression": "", "for_in_statement": "right", "jsx_expression": "",
        "as_expression": "", "non_null_expression": "",
    },
    builtins=frozenset(_GLOBALS.split()),
    is_closed=re.compile(r"^\s*(?:import|export)\b|\brequire\(", re.MULTILINE),
    from_elsewhere=re.compile(r"\bdeclare global\b|\beval\(|\bwith \(|/\*\s*globals?\b|/// *<reference"),
)  # fmt: skip

RULES = {
    "python": _PYTHON,
    "javascript": _SCRIPT,
    "javascriptreact": _SCRIPT,
    "typescript": _SCRIPT,
    "typescriptreact": _SCRIPT,
}
"""Rules by the id of the language."""
