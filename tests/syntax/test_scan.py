"""What is open in a text, by the marks of its language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.syntax.languages import LANGUAGES, Language, language_of
from aide_lsp.syntax.openings import OpeningKind
from aide_lsp.syntax.scan import scan

TEXT = st.text(alphabet=list("ab\"'`#/*\\\n()[]{}$<>-!@"), max_size=60)


def marks(text: str, language: str) -> list[str]:
    return [opening.mark for opening in scan(text, language_of(language)).open]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("python", 'f(x, "a)', '( "'),
        ("python", 'f(x, "a\\")', '( "'),
        ("python", 'f("a" + [', "( ["),
        ("python", '"""doc ( ', '"""'),
        ("python", "x = '''a\n''' + (", "("),
        ("python", "# it's (\nfoo(", "("),
        ("python", "it's (\nf(", "("),
        ("python", "7 // f(", "("),
        ("python", '"abc\\', '"'),
        ("python", "f'{a + \"(", "f' { \""),
        ("python", "f'{{a (", "f'"),
        ("python", "'{a (", "'"),
        ("python", "f'{a\ng[", "["),
        ("c", "// f(\n{", "{"),
        ("c", "/* a ( */ f[", "["),
        ("c", "'(' + f(", "("),
        ("rust", "fn f<'a>(x: &'a str) {", "{"),
        ("rust", "match c { '(' => f[", "{ ["),
        ("haskell", "f ')' (", "("),
        ("ocaml", "let id (x : 'a) : 'a = (", "("),
        ("typescript", "`a ${b", "` ${"),
        ("typescript", "`a ${f(`b ${c} ", "` ${ ( `"),
        ("csharp", '$"a {b', '$" {'),
        ("csharp", '"a {b', '"'),
        ("swift", 'print("a \\(b', '( " \\('),
        ("scala", 's"a ${b', 's" ${'),
        ("ruby", 'puts "a #{b', '" #{'),
        ("ruby", "puts 'a #{b", "'"),
        ("shellscript", 'x=$(basename "$#" (', "( ("),
        ("shellscript", "echo a#b (", "("),
        ("shellscript", "echo 'a\\' (", "("),
        ("shellscript", 'echo "$(date', '" $('),
        ("css", "a { color: #fff; } b {", "{"),
        ("lua", "--[[ it's\n(a note ]] f(", "("),
        ("clojure", "(def xs '(1 2 3)) (f", "("),
        ("vb", "' don't (do this\nx = f(", "("),
        ("go", "`a\\` + f(", "("),
        ("latex", "5\\% of (", "("),
        ("markdown", "it's (as they say", "("),
        ("unknown", "# (\n// [\n{", "( [ {"),
        ("html", "<p>it's <a href=\"x>", '<p> <a "'),
        ("html", "<p><b>x</b><br> <!-- <i>", "<p> <!--"),
        ("html", "<script>if (a < b) { x", "<script> {"),
        ("html", "<style>a { color: red</style><p>", "<p>"),
        ("vue", "<b>{{ f(", "<b> {{ ("),
        ("vue", "<b>{{ {a: {}} }}<i>", "<b> <i>"),
        ("svelte", "<b>{f(", "<b> { ("),
        ("xml", "<a><br>", "<a> <br>"),
        ("javascript", "return <p>Don't {f(", "<p> { ("),
        ("javascript", "if (a <b) { x", "{"),
        ("typescript", "const f = <T>(x: T) => {", "{"),
    ],
)
def test_scan_knows_what_is_open(language, text, found):
    assert " ".join(marks(text, language)) == found


@pytest.mark.parametrize("text", ["# c", "x = 1  # c", "# c 'x"])
def test_scan_knows_that_it_ends_in_a_comment(text):
    assert [o.kind for o in scan(text, language_of("python")).open] == [OpeningKind.COMMENT]
    assert not scan(text + "\n", language_of("python")).open


def test_scan_finds_what_nothing_opens():
    closers = scan("a) + (b])}", language_of("c")).closers
    assert [(c.offset, c.mark, c.opening) for c in closers] == [
        (1, ")", None),
        (7, "]", None),
        (9, "}", None),
    ]


def test_scan_closes_what_is_open_inside():
    assert scan("{ f( [ }", language_of("c")).open == ()


def test_scan_finds_what_closes_what_was_open_at_the_start():
    language = language_of("javascript")
    start = scan("f(`a ${b", language).open
    found = scan("[0]} c` + (d), e) + [", language, start)
    assert [(c.offset, c.mark, c.opening) for c in found.closers] == [
        (3, "}", start[2]),
        (6, "`", start[1]),
        (16, ")", start[0]),
    ]
    assert (found.kept, [o.mark for o in found.opened]) == (0, ["["])


@given(text=TEXT, name=st.sampled_from(sorted(LANGUAGES)))
def test_scan_continues_where_it_stopped_after_any_line(text, name):
    """A text may be scanned in one go, or line by line."""
    language = language_of(name)
    head, _, rest = text.partition("\n")
    start = scan(head + "\n", language)
    found, complete = scan(rest, language, start.open), scan(head + "\n" + rest, language)
    assert [o.mark for o in found.open] == [o.mark for o in complete.open]
    assert [c.mark for c in complete.closers] == [
        *(c.mark for c in start.closers),
        *(c.mark for c in found.closers if c.opening is None),
    ]


@given(text=TEXT, more=TEXT, name=st.sampled_from(sorted(LANGUAGES)))
def test_scan_reports_a_closer_as_soon_as_it_is_decided(text, more, name):
    language = language_of(name)
    decided = [c for c in scan(text, language).closers if c.decided_at <= len(text)]
    assert [c for c in scan(text + more, language).closers if c.decided_at <= len(text)] == decided


@pytest.mark.parametrize("piece", ["(", "}", 'f"{', "<a>", "</a", "{\n", "{{", '"\\', "/*", "'("])
@pytest.mark.parametrize("language", ["python", "javascript", "vue", "rust"])
def test_scan_reads_hostile_text(piece, language):
    found = scan(piece * 3000, language_of(language))
    assert len(found.open) <= 6000


def test_language_of_uses_the_path_where_no_language_is_named():
    assert language_of("", "a/b.PY") is LANGUAGES["python"]
    assert language_of("go", "a.py") is LANGUAGES["go"]
    assert language_of("", "a.unheard-of") == Language()
