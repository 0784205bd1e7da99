"""What is offered of a generated text, after clean-up and checks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.completion.fitting import Surroundings, check, check_first_lines, surroundings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.infill import stopping as finding
from aide_lsp.infill.stopping import break_off, find_stop
from aide_lsp.settings.fields import Parameters
from aide_lsp.syntax.languages import language_of
from aide_lsp.syntax.trees import SyntaxTrees

OPTIONS = GenerationOptions(Parameters(), max_tokens=128)


def around_of(language: str, marked: str) -> Surroundings:
    before, after = marked.split("█")
    return surroundings(before, after, language_of(language), SyntaxTrees())


def offered(language: str, marked: str, text: str) -> str:
    """Return what is inserted where a model generates `text` and goes on; empty: nothing."""
    around = around_of(language, marked)
    stop = find_stop(around.hole, text) or break_off(around.hole, text)
    rated = [(0, 0.0), (len(text), 0.0)]
    checked = check(around, text, stop, rated, OPTIONS, lambda stage: None)
    return "" if checked.rejection else checked.cleaned.text


def first_lines(language: str, marked: str, text: str) -> str:
    """Return what is shown first of a text that is still being generated; empty: nothing."""
    around = around_of(language, marked)
    stop = finding.first_lines(around.hole, text)
    checked = stop and check_first_lines(around, text, stop, [(0, 0.0), (len(text), 0.0)], OPTIONS)
    return checked.cleaned.text if checked else ""


FUNCTION = "function f(a) {\n  █\n}\n"
BODY = "def f(a):\n    █\n\n\nf(1)\n"


@pytest.mark.parametrize(
    ("language", "marked", "text", "shown"),
    [
        ("python", BODY, "b = a", ""),
        ("python", BODY, "b = a\n    return", "b = a"),
        ("python", BODY, "b = a\n\n    return", "b = a"),
        ("python", BODY, "if a:\n        return", ""),
        ("python", BODY, "if a:\n        return 1\n    return", "if a:\n        return 1"),
        ("python", BODY, "b = [\n        a,\n    ", ""),
        # The next line may go on with it.
        ("python", BODY, "b = [\n        a,\n    ]\n    ", ""),
        ("python", BODY, "b = [\n        a,\n    ]\n    return", "b = [\n        a,\n    ]"),
        ("python", BODY, "@a\n    def", ""),
        # Its next line goes on with it, or it says something of that.
        ("python", BODY, "b = a\n    # Done.\n    return", "b = a"),
        ("typescript", FUNCTION, "const b = a\n    .c(", ""),
        ("typescript", FUNCTION, "const b = a\n    .c;\n  return", "const b = a\n    .c;"),
        ("csharp", "class A\n{\n    █\n}\n", "int b;\n    void C(int d)\n    {\n", "int b;"),
        ("csharp", "class A\n{\n    █\n}\n", "int b;\n    [Fact]\n    void C", "int b;"),
        ("csharp", "class A\n{\n    █\n}\n", "int b;\n\n    /* It is\n    void */\n    void C", "int b;"),
        ("typescript", FUNCTION, "a();\n  if (a)\n    a();\n  b();\n", "a();\n  if (a)\n    a();"),
        ("typescript", FUNCTION, "a();\n  if (a)\n    a(", "a();"),
        ("python", BODY, "b = a)\n    return", ""),  # it does not fit
        ("typescript", FUNCTION, "if (a) {\n    return 1;\n", ""),
        ("typescript", FUNCTION, "const b = a;\n  return", "const b = a;"),
        # It may be the first piece of a loop, or all that is meant.
        (
            "typescript",
            FUNCTION,
            "a.first();\n  a.second();\n  a.first();\n  a.second",
            "a.first();\n  a.second();",
        ),
        ("python", "x = foo(\n    a,█\n\ny = 1\n", " b,\n    c,\n    d,\n", ""),
        ("rust", "impl A {\n    █\n}\n", "fn f() -> u32;\n    fn g() -> u32\n    wher", "fn f() -> u32;"),
        ("css", "a { color: red; }\n█\n", "b { color: red; }\nh1,\nh2 {\n", "b { color: red; }"),
        # The text may be the first line of the block that is there already.
        ("python", "def f(a):\n    █\n        return 1\n", "if a:\n        b = a\n        return", ""),
        # It may lead to what is right of the cursor.
        ("python", "x = f(█, 1)\n", "a,\n      b", ""),
    ],
)
def test_of_a_text_that_is_being_generated_finished_lines_that_fit_are_shown(language, marked, text, shown):
    assert first_lines(language, marked, text) == shown


@pytest.mark.parametrize(
    ("language", "marked", "text", "inserted"),
    [
        ("python", BODY, "b = a\n    c = b)\n    return b\n\n\n", "b = a"),
        ("python", BODY, "b = a\n    c = b\n    print(zz)\n\n\n", "b = a\n    c = b"),
        ("python", BODY, "b = a\n    return b\n    print(b)\n\n\n", "b = a\n    return b"),
        (
            "python",
            BODY,
            "if a:\n        print(a)\n    else:\n        print(a))\n\n\n",
            "if a:\n        print(a)",
        ),
        # Nothing of it fits, or is finished.
        ("python", BODY, "b = zz\n    c = b\n\n\n", ""),
        ("python", BODY, "b = [\n        a,\n        a),\n    ]\n\n\n", ""),
        # Nothing catches it.
        ("python", BODY, "try:\n        print(a)\n    print(zz)\n\n\n", ""),
        ("typescript", FUNCTION, "try {\n    a();\n  }\n  a(;\n}\n", ""),
        ("csharp", "void F()\n{\n    █\n}\n", "try {\n        G();\n    }\n    G(;\n}\n", ""),
        ("typescript", FUNCTION, "if (a) {\n    a();\n  }\n  a(;\n}\n", "if (a) {\n    a();\n  }"),
        ("typescript", FUNCTION, "const b = 1;\n  a();\n  const b = 2;\n}\n", "const b = 1;\n  a();"),
    ],
)
def test_of_a_text_that_does_not_fit_the_first_lines_are_kept_that_do(language, marked, text, inserted):
    assert offered(language, marked, text) == inserted


LINES = {
    "python": [
        "b = a", "c = b", "print(b)", "return b", "if a:", "    b = 1", "else:", "    b = 2", "try:",
        "    a()", "except ValueError:", "    pass", "b = [", "    a,", "]", "print(zz)", "b = a)", "",
        "# Done.", "f(1)",
    ],
    "typescript": [
        "const b = a;", "const c = b;", "a();", "return b;", "if (a) {", "  a(b);", "}", "} else {", "try {",
        "} catch {", "const d = [", "  a,", "];", "a(;", "", "// Done.", "f(1);",
    ],
}  # fmt: skip
HOLES = {
    "python": (
        BODY,
        "def f(a):\n    b = a█\n    f(1)\n",
        "def f(a):\n    if a:\n        b = 1\n    █\n    f(1)\n",
    ),
    "typescript": (
        FUNCTION,
        "function f(a) {\n  a();█\n  f(1);\n}\n",
        "function f(a) {\n  if (a) {█\n  f(1);\n}\n",
    ),
}


@given(data=st.data(), language=st.sampled_from(sorted(LINES)))
@settings(max_examples=400, deadline=None)
def test_lines_that_are_shown_first_stay(data, language):
    """What is shown while a text is generated is the beginning of what is offered in the end."""
    marked = data.draw(st.sampled_from(HOLES[language]))
    before = marked.split("█")[0].rpartition("\n")[2]
    lines = data.draw(st.lists(st.sampled_from(LINES[language]), min_size=2, max_size=8))
    lines *= data.draw(st.sampled_from([1, 1, 4]))
    blanks = before[: len(before) - len(before.lstrip())]
    text = ("" if not before.strip() else "\n" + blanks) + f"\n{blanks}".join(lines) + "\n"
    final = offered(language, marked, text)
    for end in range(len(text)):
        if find_stop(around_of(language, marked).hole, text[:end]) is not None:
            break
        assert final.startswith(first_lines(language, marked, text[: end + 1]))


@pytest.mark.parametrize(
    ("language", "marked", "text", "inserted"),
    [
        ("ruby", "def f(a)\n  █\nend\n", "a.split(/b # c/)\nend\n", "a.split(/b # c/)"),
        ("ruby", "A = █\n", "%w[b # c]\nB = 1\n", "%w[b # c]"),
        ("python", 'x = "█\n', 'a # b"\n', 'a # b"'),
        ("python", 'x = "█\n', 'a"  # Replace it.\n', 'a"'),
        ("yaml", "run: |\n  █\n", "echo a # b\n\nb: 1\n", "echo a # b"),
    ],
)
def test_what_only_looks_like_a_comment_is_kept(language, marked, text, inserted):
    assert offered(language, marked, text) == inserted


@pytest.mark.parametrize(
    ("language", "marked", "text", "inserted"),
    [
        (
            "html",
            "<html>\n<head>\n  <title>A</title>\n  █\n</head>\n<body>\n</body>\n</html>\n",
            '<link rel="icon" href="a.png">\n  <nav>\n    <a href="/">Home</a>\n  </nav>\n</head>\n',
            '<link rel="icon" href="a.png">',
        ),
        (
            "yaml",
            "services:\n  web:\n    depends_on:\n      - █\n  db:\n    image: a\n",
            "db\n      - web\n  db:\n",
            "db",
        ),
    ],
)
def test_what_is_before_something_misplaced_is_kept(language, marked, text, inserted):
    assert offered(language, marked, text) == inserted


@pytest.mark.parametrize(
    ("marked", "text", "inserted"),
    [
        ('{\n  "a": 1█\n}\n', ',\n  "b": 2\n}\n', ',\n  "b": 2'),
        ('{\n  "a": [\n    1,\n    2█\n  ],\n  "b": 2\n}\n', ",\n    3\n  ],\n", ",\n    3"),
        ('[\n  {\n    "a": 1\n  }█\n]\n', ',\n  {\n    "a": 2\n  }\n]\n', ',\n  {\n    "a": 2\n  }'),
        ('{\n  "a": 1\n  █\n}\n', '"b": 2\n}\n', ',"b": 2'),
        ('{\n  "a": 1█\n  "c": 3\n}\n', ',\n  "b": 2,\n  "c": 3\n}\n', ',\n  "b": 2,'),
        ('{\n  "a": 1█,\n  "c": 3\n}\n', '00,\n  "b": 2,\n  "c": 3\n}\n', "00"),
    ],
)
def test_entries_of_json_follow_the_last_one(marked, text, inserted):
    assert offered("json", marked, text) == inserted


@pytest.mark.parametrize(
    ("language", "marked", "text", "inserted"),
    [
        (
            "toml",
            '[project]\nname = "a"\n█\nreadme = "b"\n',
            'description = "c"\nauthors = ["Your Name"]\nlicense = "MIT"\n',
            'description = "c"',
        ),
        (
            "python",
            "class A:\n    █\n\n    b = 1\n",
            "def a(self):\n        # Your code here\n        pass\n\n    def b",
            "def a(self):",
        ),
        ("python", "x = 1\n█\n", "# Your code here\ny = 2\n", ""),
    ],
)
def test_what_is_above_a_placeholder_is_kept(language, marked, text, inserted):
    assert offered(language, marked, text) == inserted


@pytest.mark.parametrize(
    ("language", "marked", "text", "inserted"),
    [
        ("typescript", "function f(h: any) {\n  h[█] =\n}\n", "'a'] = 1;", "'a'"),
        ("php", "<?php\nfunction f($a) {\n    return g($a, █) .\n}\n", "',') . 'x';", "','"),
        ("python", "def f(a):\n    return g(█) +\n\nx = 1\n", "a, 1) + 2", "a, 1"),
        ("python", "def f(a):\n    return g(█) +\n\nx = 1\n", "a, (1]) + 2", ""),
    ],
)
def test_a_text_fits_before_an_operator_whose_value_is_not_written_yet(language, marked, text, inserted):
    assert offered(language, marked, text) == inserted


TABLE = "CREATE TABLE a (\n  id INT NOT NULL,\n  █\n  total INT NOT NULL\n);\n"


@pytest.mark.parametrize(
    ("marked", "text", "inserted"),
    [
        (TABLE, "name TEXT NOT NULL\n);\n", "name TEXT NOT NULL,"),
        (TABLE, "name TEXT NOT NULL,\n  total INT\n", "name TEXT NOT NULL,"),
        (TABLE, "total NUMERIC(10, 2) NOT NULL\n);\n", ""),
        (TABLE.replace("  total INT NOT NULL\n", ""), "name TEXT NOT NULL\n);\n", "name TEXT NOT NULL"),
        ("SELECT a,\n  █\nFROM b;\n", "c\nFROM b;\n", "c"),
        ("INSERT INTO a (\n  id,\n  █\n  total\n) VALUES (1, 2, 3);\n", "name\n  total\n", "name,"),
        # What is below goes on with what is above, or is no column.
        (TABLE.replace("█\n  total INT", "total INT █\n    CHECK (total > 0)"), "NOT NULL\n", "NOT NULL"),
        ("WITH a AS (\n  SELECT id,\n  █\n  FROM b\n)\nSELECT 1;\n", "name\n  FROM b\n", "name"),
        ("CREATE TABLE a AS (\n  SELECT id,\n  █\n  FROM b\n);\n", "name\n  FROM b\n", "name"),
        ("SELECT f(\n  a,\n  b █\n  OR c\n) FROM t;\n", "> 1\n  OR c\n", "> 1"),
        (TABLE, "-- The sum.\n  total INT\n", "-- The sum."),
    ],
)
def test_a_column_of_a_table_gets_its_comma_and_is_there_once(marked, text, inserted):
    assert offered("sql", marked, text) == inserted


@pytest.mark.parametrize(
    ("language", "marked", "text", "inserted"),
    [
        ("html", "<a href=\"<?= $p['a'] ?>\">█</a>\n", "<?= $p['b'] ?></a>\n", "<?= $p['b'] ?>"),
        ("php", '<a id="<?= █ ?>" class="b"></a>\n', '$a ?>" class="b"></a>\n', "$a"),
    ],
)
def test_code_in_a_page_need_not_parse_as_html(language, marked, text, inserted):
    assert offered(language, marked, text) == inserted


@pytest.mark.parametrize(
    ("language", "marked", "text", "inserted"),
    [
        ("lua", 'g("x", █, {})\n', "function()\n  f()\nend, {})\n", "function()\n  f()\nend"),
        ("lua", "g({\n  a = █,\n})\n", "function()\n    f()\n  end,\n})\n", "function()\n    f()\n  end"),
        (
            "lua",
            "local f = █\n\nf()\n",
            "function(a)\n  return a\nend\n\nf()",
            "function(a)\n  return a\nend",
        ),
        ("ruby", "xs.each █\n\nputs 1\n", "do |x|\n  puts x\nend\n\nputs 1", "do |x|\n  puts x\nend"),
        ("ruby", "class A\n  de█\nend\n", "f f(a)\n    a\n  end\nend\n", "f f(a)\n    a\n  end"),
        ("ruby", "class A\n  def f█\nend\n", "(a) = a * 2\n\n  def g\n    1\n  end\nend\n", "(a) = a * 2"),
        ("ruby", "def f(x)\n  re█\nend\n", "turn if x\n  y\nend\n", "turn if x"),
        ("ruby", "def f(x)\n  if █\n    y\n  end\nend\n", "x > 1\n    y\n  end\nend\n", "x > 1"),
        ("ruby", "class A\n  def █\nend\n", "done?\n    a\n  end\nend\n", "done?\n    a\n  end"),
        ("ruby", "class A\n  if█\nend\n", " a.end > 3\n    b\n  end\nend\n", " a.end > 3\n    b\n  end"),
        ("ruby", "if█\n\nc\n", " a then b end\n\nc\n", " a then b end"),
        ("shellscript", "for█\n\nc\n", " a in b; do c; done\n\nc\n", " a in b; do c; done"),
        ("ruby", "x = <<~EOS\n  if█\nEOS\n", " you want\n    more\nEOS\n", " you want"),
    ],
)
def test_a_block_that_a_word_ends_is_complete(language, marked, text, inserted):
    assert offered(language, marked, text) == inserted


ENTRIES = '[\n  {\n    "a": "first one"\n  },\n  █\n  {\n    "a": "the third one",\n    "b": 1\n  }\n]\n'


def test_an_entry_ends_before_the_next_one_is_repeated():
    text = '{\n    "a": "the second one"\n  },\n  {\n    "a": "the third one",\n    "b": 1\n  }\n]\n'
    for language in ("json", "javascript", "python"):
        assert offered(language, ENTRIES, text) == '{\n    "a": "the second one"\n  },'


TSX = "const a = (\n  <div>\n    {b && %s}\n  </div>\n);\n"


@pytest.mark.parametrize(
    ("language", "marked", "text", "inserted"),
    [
        ("dockerfile", "FROM a:b-█ AS c\n\nRUN d\n", "slim\n\nWORKDIR /e\n\nCOPY f .\nRUN g\n", "slim"),
        ("html", '<a id="b█\n<p id="x"></p>\n', 'c">d</a>\n<p id="x"></p>\n', 'c">d</a>'),
        ("html", '<head>\n  <meta name="b█"\n  <title>a</title>\n</head>\n', 'c">\n  <title>a', "c"),
        ("html", '<ul>\n  <li><a href="#b█"\n</ul>\n', 'c">c</a></li>\n</ul>\n', "c"),
        (
            "typescriptreact",
            'const a = (\n  <div id="█\n    <p id="b">\n      c\n    </p>\n  </div>\n);\n',
            'd">\n    <p id="b">\n      c\n    </p>\n  </div>\n);\n',
            'd">',
        ),
        ("typescriptreact", TSX % "<p█", ">No</p>}\n  </div>\n", ">No</p>"),
        ("typescriptreact", TSX % "<█", "p>No</p>}\n  </div>\n", "p>No</p>"),
        ("javascript", "function f() {\n  g(`a ${█\n}\n", "b}`);\n}\n", "b}`);"),
        ("python", 'x = f"{a█\n\ny = {b}\n', '.b}"\n\ny = {b}\n', '.b}"'),
        ("python", "import a\n\n\n@a.post(█\n", '"/")\ndef f():\n    pass\n', '"/")'),
        ("python", "import a\n\n\n@a.post(█)\n", '"/")\ndef f():\n    pass\n', '"/"'),
        ("java", "class A {\n    @Get(█)\n}\n", '"/a")\n    void f() {}\n}\n', '"/a"'),
        ("java", "class A {\n    @T█\n}\n", "est\n    void f() {\n    }\n}\n", "est"),
        ("csharp", "class A\n{\n    [Get(█)]\n}\n", '"a")]\n    void F() {}\n}\n', '"a"'),
        (
            "python",
            'def f(a):\n    """Do.\n\n    a: █\n',
            "what the user's code is\n",
            "what the user's code is",
        ),
        ("shellscript", 'if [ -z "█" ]\n', '$1" ]; then\n  a\nfi\n', "$1"),
        (
            "shellscript",
            "case $1 in\n  a)\n    b\n    ;;\n  c█\n  *)\n    e\n    ;;\nesac\n",
            "d)\n    d\n    ;;\n  *)\n    e\n",
            "d)\n    d\n    ;;",
        ),
    ],
)
def test_what_is_begun_is_continued(language, marked, text, inserted):
    assert offered(language, marked, text) == inserted
