"""What the model is shown and made to write."""

import pytest

from aide_lsp.completion.hole import read_hole
from aide_lsp.completion.syntax import language_of
from aide_lsp.completion.writer import UNFINISHED, Task, Writer
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.sampler import SamplingParams
from tests.completion.test_completer import Facts
from tests.fakes import ByteTokenizer, FakeSession, babbling, continuing


def task(
    prefix: str, suffix: str = "\n", *, temperature: float = 0.0, seed: int = 0, max_tokens: int = 40
) -> Task:
    return Task(
        prefix=prefix,
        suffix=suffix,
        hole=read_hole(prefix, suffix, language_of("python")),
        num_context=1000,
        sampling=SamplingParams(temperature, 50, 0.95, seed),
        max_tokens=max_tokens,
        deadline=None,
    )


def writer_of(script) -> tuple[Writer, FakeSession]:
    session = FakeSession(script)
    return Writer(ByteTokenizer(), session, Facts()), session


@pytest.mark.parametrize(
    ("prefix", "given_back"),
    [
        ("    retu", " retu"),
        ("\tretu", "\tretu"),
        ("retu", "retu"),
        ("\nretu", "retu"),
        ("foo(se", "(se"),
        ("self.na", ".na"),
        ("odd_dig", "_dig"),
        ("foo(", "("),
        ("foo()", "()"),
        ("x =", " ="),
        ("x = ", " "),
        ("        ", " "),
        ("\t\t", "\t"),
        ("x\n", ""),
        ("x\r\n", ""),
        ("x1", ""),
        ("", ""),
        ("    na\u00efv", " na\u00efv"),
    ],
)
def test_what_may_be_half_a_token_is_given_back(prefix, given_back):
    match = UNFINISHED.search(prefix)
    assert (match.group() if match else "") == given_back


def test_write_does_not_show_what_is_given_back():
    writer, session = writer_of(continuing({"def f():\n   ": " return 1\n"}))
    written = writer.write(task("def f():\n    ret"), CancelToken())
    assert written.text == "urn 1\n"
    shown = bytes(i for i in session.forwards[0][0] if i < 256)
    assert shown.rstrip(b" ").endswith(b"def f():\n")


def test_write_begins_as_the_user_did_where_the_model_would_not():
    writer, _ = writer_of(continuing({"def f():\n   ": " return 1\n", "def f():\n    rai": "se\n"}))
    assert writer.write(task("def f():\n    rai"), CancelToken()).text == "se\n"


def test_write_while_a_word_is_typed_reads_nothing_again():
    writer, session = writer_of(continuing({"value =": " function(argument)\n"}))
    writer.write(task("x = 1\nvalue = "), CancelToken())
    for typed in ("f", "fu", "fun", "func"):
        session.forwards.clear()
        written = writer.write(task("x = 1\nvalue = " + typed), CancelToken())
        assert written.text == " function(argument)\n".removeprefix(" " + typed)
        assert written.timings.cached_tokens >= written.timings.prompt_tokens - 2


@pytest.mark.parametrize("prefix", ["", "x", "x = ", "def f(", "\u00e9t\u00e9", "\U0001f600", "a" * 200])
def test_write_never_loses_what_stands_left_of_the_cursor(prefix):
    """What the model has read and written is suffix, prefix and then the text."""
    for seed in range(5):
        writer, session = writer_of(babbling(seed))
        written = writer.write(task(prefix, temperature=1.0, seed=seed), CancelToken())
        read = ByteTokenizer().decode(session.held)
        assert len(written.text) > 1
        assert read.startswith("\n" + prefix + written.text[0])


def test_write_counts_only_what_is_new():
    writer, _ = writer_of(continuing({"def f():\n   ": " return 1\n"}))
    written = writer.write(task("def f():\n    ret", max_tokens=3), CancelToken())
    assert (written.text, written.finish_reason) == ("urn", "length")


def test_write_when_broken_off_keeps_whole_lines():
    writer, _ = writer_of(continuing({"def f():\n": "    a = 1\n    b = 2\n    return a + b\n"}))
    written = writer.write(task("def f():\n", "", max_tokens=25), CancelToken())
    assert written.finish_reason == "length"
    assert written.stop
    assert written.text[: written.stop.end] == "    a = 1\n    b = 2"
