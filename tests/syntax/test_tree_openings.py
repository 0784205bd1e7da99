"""What is open at a cursor, as the tree knows it: also where the text does not parse."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.syntax.languages import LANGUAGES
from aide_lsp.syntax.openings import Opening, OpeningKind
from aide_lsp.syntax.trees import SyntaxTrees

PARSED = [language for language in LANGUAGES.values() if language.grammar]
CASES = [
    (
        "python",
        "def f():\n    try:\n        if c:\n            g(d, █\n        e()\n    finally:\n        h()\n",
        "(-",
    ),
    ("python", 'x = f"a{█}c"\n', 'f"+ {+'),
    ("python", 'x = f"a{█', 'f"- {-'),
    ("python", 'def f(a, "b█\n  x(1)\n', '(- "-'),
    ("python", "foo(a, [█\nbar(2)\n", "(- [-"),
    ("python", "def f(x):\n    if x:\n        return '█\n    if y:\n        return 'No'\n", "'-"),
    ("python", "def f(x):\n    if x:\n        return '█'\n    if y:\n        return 'No'\n", "'+"),
    ("python", 'def f(x):\n    if x:\n        return """█\n    """\n', '"""+'),
    # The parser hides what is not closed in nodes that have other errors.
    ("python", 'class A:\n    t = "<b><i>{{ d }}</i█\n\n    def f(self, *a):\n        pass\n', '"-'),
    ("python", "f(\n    m=\"a: 'b' can't c 0x80: █\n)\n", '(+ "-'),
    ("python", 'x = [\n    g(\n        f\'<t c="d" x█\n    )\n]\n', "[+ (+ f'-"),
    # What a definition above leaves open is not open here.
    (
        "python",
        "def f(a):\n    if a:\n        return g(a\n    b = 2\n    return b\n\n\ndef g(a):\n    b = a█\n",
        "",
    ),
    ("javascript", "if (x) {\n  f('█\n}\nif (y)\n  g('No')\n", "{+ (- '-"),
    ("javascript", "x=`a${█}`;\n", "`+ ${+"),
    ("javascript", "f(`a${█\ng();\n", "(- `- ${-"),
    ("javascript", "function f() {\n  if (a) {█\n  g();\n}\n", "{+ {-"),
    # Without the line, the brace below would be that of the block above.
    ("javascript", "function f() {\n  if (a) {\n    g();\n  } else {█\n  }\n}\n", "{+ {+"),
    ("c", "int f(int a) {\n  if (a) {\n    g();\n  } else if (h(█\n  }\n}\n", "{+ (- (-"),
    ("javascript", "f(a, () => {\n  g();\n}, () => {█\n});\n", "(+ {+"),
    ("javascript", "x = /a(█b/;", "/+"),
    ("javascriptreact", 'x = (<b c="d█" e={f}>t<br/></b>)', '(+ <+ "+'),
    ("javascriptreact", 'x = (<b c="d" e={f}>█<br/></b>)', "(+ <b>+"),
    ("javascriptreact", 'x = (<b c="d" e={f}>█', "(- <b>-"),
    ("javascriptreact", "x = (<b █>d</b>", "(- <+"),
    ("csharp", 'class A{string x=$"a{█}c";}', '{- "+ {+'),
    ("csharp", 'class A{string y=@"z█";}', '{+ @"+'),
    ("csharp", 'class A{string w="""r█""";}', '{+ """+'),
    ("kotlin", 'val x="a${█}c $d"\nval y="""e"""\nval c=\'(\'\n', '"+ ${+'),
    ("swift", 'let x="a\\(█)c"\n', '"+ \\(+'),
    ("swift", 'let x=#"a█"#\n', '#"+'),
    ("scala", 'val x=s"a${█}c"\n', '"+ ${+'),
    ("php", "<?php $x=\"a{$█}c ${d}\"; $y='z';\n", '"+ {+'),
    ("php", "<?php $h=<<<EOT\nabc █{$d}\nEOT;\n", "<<+"),
    ("css", '/* c █*/ a[href="x"]{color:#fff}', "/*+"),
    ("css", "a{color:#█}\nb{}", "{+"),
    ("css", "a{color:█\nb{}", "{-"),
    ("css", "a{background:url(█foo.png)}", "{+ (+"),
    ("html", '<p class="█">b<br></p>', '<+ "+'),
    ("html", '<p class="a">b<br>█</p>', "<p>+"),
    ("html", "<ul><li>a<li>b█</ul>", "<ul>+"),
    ("html", "<div><p>█", "<div>- <p>-"),
    ("html", "<div><p █", "<div>- <-"),
    ("html", "<b>█</b> now.\n", "<b>+"),
    ("html", "<p>\n<script>\nf({█})\n</script>", "<p>- <script>+ (+ {+"),
    ("shellscript", 'x="a${█}c"\n', '"+ ${+'),
    ("shellscript", 'x="$(foo █)"\n', '"+ $(+'),
    ("typescript", "/**\n * a█\nlet b;\n\n/** c */\nlet d;\n", "/*-"),
    ("typescript", "/**\n * a█\n * /* b\n */\nlet c;\n\n/** d */\nlet e;\n", "/*+"),
    ("shellscript", "if [[ █ ]]; then\n  a\nfi\n", "[+ [+"),
    ("shellscript", "if [[█]]; then\n  a\nfi\n", "[+ [+"),
    ("shellscript", "case $x in a) █;; esac\n", ""),
    ("shellscript", "cat <<EOF\nabc ${█}\nEOF\n", "<<+ ${+"),
    ("ruby", 'x="a#{█}c"', '"+ #{+'),
    ("ruby", "z=<<~EOS\n  abc #{█d}\nEOS\n", "<<+ #{+"),
    ("ruby", "w=%w(a █b)", "%w(+"),
    ("rust", 'let r=r#"b█"#;', 'r#"+'),
    ("rust", "/// d█\nfn a(){}", "//+"),
    ("rust", "fn f<'a>(x: &'a str█) {}", "(+"),
    ("go", 'var x="a"+`b█`\n', "`+"),
    ("c", "#define X(a) foo(a, (█b))\n", "(- (-"),
    ("cpp", 'auto x=R"x(a█)x";', 'R"+'),
    ("lua", "y=[[b█]]", "[[+"),
    ("lua", "--[[ d█ ]]", "--[[+"),
    ("lua", "-- d█\n", "--+"),
    ("sql", "select 'a█' from b", "'+"),
    ("haskell", 'x = "a█"', '"+'),
    ("ocaml", 'let x="a█" (* d *)', '"+'),
    ("ocaml", "(* d█ *)", "(*+"),
    ("xml", '<a b="c">d<e/>█</a>\n', "<a>+"),
    ("yaml", 'a: "b█"\n', '"+'),
    ("yaml", "a: [b, █]\n", "[+"),
    ("toml", 'a="b█"', '"+'),
    ("json", '{"a":["b█"]}', '{+ [+ "+'),
    ("json", '{"a":[█]}', "{+ [+"),
    ("json", '{"a":[█', "{- [-"),
    ("javascript", "foo(a, /* b█\n", "(- /*-"),
    ("javascript", 'foo("abc█)\nbar("x");', '(+ "-'),
    ("python", 'x = """abc█\ny = 1\n', '"""-'),
    ("python", 'foo("""abc█\n""")\n', '(+ """+'),
    ("python", 'print(f"{x!r:█}")', '(+ f"+ {+'),
    ("javascript", "// abc█", "//-"),
    ("javascript", "x = 1 // abc█\ny()", "//+"),
    ("java", 'class A { void f() { g("a", █', "{- {- (-"),
    ("shellscript", "if x; then\n  run -s 'from a (█", "'-"),
    ("shellscript", 'echo "█\necho "b"\n', '"-'),
    ("shellscript", "echo $#; f(█\n", "(-"),
    ("css", "a {\n  color: #fff; /* it's */ margin: calc(█);\n}\n", "{+ (+"),
    ("json", '{\n  "a": "█\n  "b": 1\n}\n', '{+ "-'),
    ("javascript", "f({\n  a: 1,\n  b: g(█\n  c: 2,\n});\n", "(+ {+ (-"),
    ("javascript", "if (a) {\n  if (b) {█\n  c();\n}\n", "{+ {-"),
    ("javascript", "function f() {\n  if (b) {\n    c(█\n  }\n}\n", "{+ {+ (-"),
    ("html", "<ul>\n  <li>█\n</ul>\n", "<ul>+ <li>-"),
    ("html", '<p class="█\n<p>b</p>\n', '<- "-'),
    ("html", "<br>█<hr>\n", ""),
    ("typescriptreact", "const a = <Foo bar={█} />;\n", "<+ {+"),
    ("typescriptreact", "return (\n  <p>\n    {a.map(b => <b>█</b>)}\n  </p>\n);\n", "(+ <p>+ {+ (+ <b>+"),
    ("python", 'd = {\n    "a": [\n        1,\n        █\n    ],\n}\n', "{+ [+"),
    ("python", "# it's (█\nx = 1\n", "#+"),
    ("lua", 's = "█"\n', '"+'),
    ("ocaml", "let f (x : 'a) = (█)\n", "(+"),
    # Macros do not parse, and what is around them is open.
    ("cpp", "namespace a M(b)\n{\nclass c\n{\n  {\n  }\n};\n█\nE\n}\n", "{+"),
    ("rust", "pub(█\n    p: a::B<'_>,\n    c: &D<'_, E>,\n) -> R<M> {\n    f();\n}\n", "(+"),
    ("rust", "fn f<'a>(x: &'a str) { g(█) }\n", "{+ (+"),
    ("c", "/* a (b\n * c█\n */\nint x;\n", "/*+"),
    ("c", "int f(void) {\n    return g(1, █;\n}\n", "{+ (-"),
    ("go", "func f() {\n\tx := []int{1, █}\n}\n", "{+ {+"),
    ("yaml", "a: {b: [█]}\n", "{+ [+"),
    ("xml", '<a>\n  <b c="█"/>\n</a>\n', '<a>+ <+ "+'),
    ("vue", "<template>\n  <p>█</p>\n</template>\n<script>\nlet x\n</script>\n", "<template>+ <p>+"),
]
"""Language, text with its cursor, and what is open: closed by the text on the right (+) or not (-)."""


def openings(language, text):
    before, after = text.split("█")
    return SyntaxTrees().at(before, after, LANGUAGES[language]).openings()


@pytest.mark.parametrize(("language", "text", "expected"), CASES)
def test_what_is_open_at_the_cursor(language, text, expected):
    found = openings(language, text)
    assert " ".join(one.mark + ("+" if one.is_closed else "-") for one in found) == expected
    assert [one.offset for one in found] == sorted(one.offset for one in found)
    assert all(text.startswith(one.mark[:2], one.offset) for one in found if one.mark != "<<")


def test_opening_has_its_closer_and_its_place():
    assert openings("python", 'é = f"""a{█}') == (
        Opening(OpeningKind.STRING, 'f"""', '"""', 4),
        Opening(OpeningKind.INTERPOLATION, "{", "}", 9, is_closed=True),
    )
    assert openings("javascriptreact", "(<a.b c>█</a.b>)")[1] == Opening(
        OpeningKind.TAG, "<a.b>", "</a.b>", 1, is_closed=True
    )
    assert openings("rust", "f(); // a█\n") == (Opening(OpeningKind.COMMENT, "//", "\n", 5, is_closed=True),)


def test_offsets_in_a_script_are_those_of_the_page():
    found = openings("html", "<p>\n<script>\nf(█)\n</script>")
    assert [(one.mark, one.offset) for one in found] == [("<p>", 0), ("<script>", 4), ("(", 14)]


WORDS = """( ) [ ] { } < > " ' ` ; : , . = # / * - \\ $ ${ #{ $( f' \"\"\" /* */ // -- {- (* <b> </b> </ />
<script> </script> if x é R"( %w( <<E [[ \\("""
PIECES = st.sampled_from([*WORDS.split(), " ", "\n", "\n  "])
TEXTS = st.lists(PIECES, max_size=40).map("".join)


@settings(max_examples=600)
@given(st.sampled_from(PARSED), TEXTS, TEXTS)
def test_openings_of_any_text_are_in_order_and_before_the_cursor(language, before, after):
    tree = SyntaxTrees().at(before, after, language)
    if tree is not None:
        found = tree.openings()
        assert found == SyntaxTrees().at(before, after, language).openings()
        assert [one.offset for one in found] == sorted({one.offset for one in found})
        assert all(0 <= one.offset < len(before) and one.mark and one.closer for one in found)
