"""The completer on a model whose answers are written down."""

import math
import re

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.completion import completer as completing
from aide_lsp.completion.candidates import complete_several
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.fitting import confidence_in
from aide_lsp.completion.observer import CompletionObserver
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.completion.window import LINE_TOKENS
from aide_lsp.context.known_names import KnownNames, NamesOf
from aide_lsp.errors import DeclinedError
from aide_lsp.explain.trace import CompletionTrace
from aide_lsp.inference import decoder, generate
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.infill.stop_rules import StopRule
from aide_lsp.settings.fields import Parameters
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.text_limits import MOST_LINES
from tests.fakes import FakeSession, ScriptedModel, babbling, completer_on, continuing


def completer_of(script, *, fim="qwen2.5-coder", **options) -> Completer:
    return completer_on(FakeSession(script, **options), fim=fim)


def session_of(completer: Completer) -> FakeSession:
    return completer._model._session


def request_at(marked: str, **changes) -> CompletionRequest:
    """Make a request from a text with a `|` at the cursor."""
    parameters = Parameters(
        temperature=changes.pop("temperature", 0.0),
        num_context=changes.pop("num_context", 1024),
        seed=changes.pop("seed", None),
    )
    return CompletionRequest(
        text=marked.replace("|", "", 1),
        offset=marked.index("|"),
        language_id="python",
        path=changes.pop("path", "a.py"),
        # Fake models write nonsense; tests of the checks ask for them.
        options=evolve(GenerationOptions(parameters, max_tokens=64, show="all"), **changes),
    )


def with_parameters(request: CompletionRequest, **changes) -> CompletionRequest:
    return request.with_options(parameters=evolve(request.options.parameters, **changes))


def complete(completer, request):
    return completer.complete(request, CancelToken())


def test_complete_gives_the_rest_of_the_line():
    completer = completer_of(continuing({"return a": " + b\n\nprint(add(1, 2))"}))
    completion = complete(completer, request_at("def add(a, b):\n    return a|\n"))
    assert completion.text == " + b"
    assert completion.finish_reason == "stop"
    assert completion.empty_reason is None
    assert not completion.from_cache


def test_complete_without_seed_reports_the_seed_it_drew():
    completer = completer_of(babbling())
    first = complete(completer, request_at("x = |", temperature=1.0))
    completer.clear_cache()
    second = complete(completer, request_at("x = |", temperature=1.0))
    assert first.seed != second.seed
    assert first.parameters.seed == first.seed
    again = complete(completer, request_at("x = |", temperature=1.0, seed=first.seed))
    assert (again.text, again.seed) == (first.text, first.seed)


@pytest.mark.parametrize("seed", [0, -1, 2**70])
def test_complete_with_seed_is_the_same_after_any_history(seed):
    """Cold, warm, after other requests, on another completer."""
    request = request_at("def f():\n    x = |\n    return x\n", temperature=1.0, seed=seed)
    warm = completer_of(babbling())
    texts = [complete(warm, request).text]
    complete(warm, evolve(request, offset=request.offset - 2))
    warm.clear_cache()
    texts += [complete(warm, request).text, complete(warm, request).text]
    texts += [complete(completer_of(babbling()), request).text]
    assert len(set(texts)) == 1


NAMES = KnownNames((NamesOf("m.py", ("alpha", "beta_max", "beta_min", "gamma")),))


def with_names(request: CompletionRequest, begun: str = "") -> CompletionRequest:
    return evolve(request, names=evolve(NAMES, begun=begun))


@pytest.mark.parametrize("begun", ["", "b", "beta_"])
@pytest.mark.parametrize("seed", range(4))
def test_complete_with_names_begins_with_one_of_them_after_any_history(begun, seed):
    """Cold, warm, after the same text without them, on another completer."""
    # It may end anywhere, also in the middle of what follows the name.
    plain = request_at(f"x = m.{begun}|\n", temperature=1.0, seed=seed)
    request, warm = with_names(plain, begun), completer_of(babbling())
    written = [generated(warm, request)]
    complete(warm, plain)
    complete(warm, evolve(plain, offset=plain.offset - 1))
    warm.clear_cache()
    written += [generated(warm, request), generated(completer_of(babbling()), request)]
    assert len(set(written)) == 1
    name = re.match(r"\w*", begun + written[0], re.ASCII).group()
    assert name in NAMES.names


def generated(completer, request) -> str:
    """Complete, and return what the model wrote, before it was cut and cleaned up."""
    texts = []

    class Listener(CompletionObserver):
        def finished(self, generated, cleaned, rejection):
            texts.append(generated.text)

    completer.observe(request, Listener(), CancelToken())
    return texts[0]


@pytest.mark.parametrize("marked", ["# see m.|\n", "x = 'of m.|'\n", '"""\nAbout m.|\n"""\n'])
def test_complete_in_a_comment_or_string_may_begin_with_anything(marked):
    completer = completer_of(continuing({"m.": "the end\n"}))
    request = with_names(request_at(marked))
    assert complete(completer, request).text.startswith("the end")
    assert complete(completer, request).names is None


def test_complete_says_which_names_it_depends_on():
    completion = complete(completer_of(babbling()), with_names(request_at("x = m.|\n")))
    assert completion.names == NAMES
    assert [one.path for one in completion.files_read] == ["m.py"]


def test_complete_candidates_of_one_seed_differ():
    completer = completer_of(babbling())
    requests = [request_at("x = |", temperature=1.0, seed=1, candidate=n) for n in range(3)]
    assert len({complete(completer, request).text for request in requests}) == 3


def test_complete_when_typed_along_asks_no_model():
    completer = completer_of(continuing({"x = ": "foo(bar)\n"}))
    first = complete(completer, request_at("x = |\n"))
    asked = len(session_of(completer).forwards)
    rest = complete(completer, request_at("x = foo(|\n"))
    assert rest.text == "bar)"
    assert rest.from_cache
    assert rest.id == first.id
    assert len(session_of(completer).forwards) == asked


def test_complete_when_typed_along_with_seed_asks_the_model():
    """The rest of an older answer need not be what a fresh request gives."""
    completer = completer_of(continuing({"x = ": "foo(bar)\n"}))
    complete(completer, request_at("x = |\n", seed=1))
    asked = len(session_of(completer).forwards)
    assert not complete(completer, request_at("x = foo(|\n", seed=1)).from_cache
    assert len(session_of(completer).forwards) > asked


def test_forget_makes_the_next_answer_fresh():
    completer = completer_of(babbling())
    request = request_at("x = |", temperature=1.0)
    first = complete(completer, request)
    assert complete(completer, request).id == first.id
    completer.forget(request)
    assert complete(completer, request).id != first.id


def test_complete_keeps_the_line_ends_of_the_text():
    completer = completer_of(continuing({"def f():\n": "    a = 1\n    return a\n\nf()\n"}))
    completion = complete(completer, request_at("def f():\r\n|"))
    assert completion.text == "    a = 1\r\n    return a"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [("", "nothing-to-add"), ("  \n \n", "only-whitespace"), ("    return 1", "repeats-suffix")],
)
def test_complete_when_nothing_is_left_says_why(answer, reason):
    completer = completer_of(continuing({"def f():\n": answer}))
    completion = complete(completer, request_at("def f():\n|    return 1\n"))
    assert (completion.text, completion.empty_reason) == ("", reason)
    assert completion.empty_message


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_complete_declines_a_text_of_too_many_lines(line_end):
    completer = completer_of(continuing({}))
    most = request_at("x = |" + line_end * MOST_LINES)
    assert complete(completer, most).empty_reason != "too-large"
    with pytest.raises(DeclinedError) as caught:
        complete(completer, evolve(most, text=most.text + line_end))
    assert caught.value.reason == "too-large"


def test_complete_declines_what_is_too_large():
    completer = completer_of(continuing({}))
    with pytest.raises(DeclinedError) as caught:
        complete(completer, request_at("|" + "x" * 10_001))
    assert caught.value.reason == "long-line"
    with pytest.raises(DeclinedError) as caught:
        complete(completer, request_at("|" + "x\n" * 3_000_000))
    assert caught.value.reason == "too-large"


def test_complete_when_cancelled_raises():
    completer = completer_of(continuing({"x": "y"}))
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        completer.complete(request_at("x|"), token)
    token = CancelToken()
    session_of(completer).on_forward = lambda count: token.cancel()
    with pytest.raises(Cancelled):
        completer.complete(request_at("x|"), token)
    session_of(completer).on_forward = None
    assert complete(completer, request_at("x|")).text == "y"


def test_complete_when_over_time_half_way_then_nothing_is_shown(monkeypatch):
    """A part would depend on how fast the machine is."""
    completer = completer_of(continuing({"x": "y" * 60}))
    for module in (completing, generate, decoder):
        monkeypatch.setattr(module, "monotonic", lambda: len(session_of(completer).forwards) / 10)
    completion = complete(completer, request_at("x|", deadline_ms=450))
    assert 0 < completion.generated_tokens < 60
    assert (completion.text, completion.finish_reason, completion.empty_reason) == ("", "timeout", "timeout")


def test_complete_when_over_time_says_so():
    completer = completer_of(continuing({"x": "y"}), on_forward=lambda count: None)
    completion = complete(completer, request_at("x|", deadline_ms=1e-9))
    assert (completion.finish_reason, completion.empty_reason) == ("timeout", "timeout")


def test_complete_fits_the_context_of_the_model():
    completer = completer_of(babbling(), context_length=200)
    request = request_at("a\n" * 300 + "|" + "a\n" * 300, num_context=1000, max_tokens=4096)
    completion = complete(completer, request)
    assert completion.parameters.num_context == 100
    assert 50 < completion.prompt_tokens <= 100 + 3
    assert 0 < completion.generated_tokens <= 200 - completion.prompt_tokens + 1


def test_complete_when_the_model_takes_more_then_reads_its_whole_num_context():
    completer = completer_of(babbling(), context_length=2048)
    most = ModelLimits(1000, 2048).most_context
    # The cursor's line counts this much at least.
    line, text = "1" * LINE_TOKENS, "a\n" * (most // 4)
    above = text[: -len(line)]
    completion = complete(completer, request_at(f"{above}{line}|{text}", num_context=most, max_tokens=4096))
    assert completion.parameters.num_context == most == 1792
    assert completion.prompt_tokens == most + 3


def test_complete_without_fim_reads_the_prefix_only():
    completer = completer_of(continuing({"x = ": "1\n"}), fim=None)
    assert complete(completer, request_at("x = |\nb = 2\n")).text == "1"
    assert all(b"b" not in bytes(ids) for ids, _, _ in session_of(completer).forwards)


@pytest.mark.parametrize("marked", ["|", "x|", " |", "|\ny"])
@pytest.mark.parametrize("fim", [None, "qwen2.5-coder"])
@pytest.mark.parametrize("num_context", [1, 1024])
def test_complete_of_next_to_nothing(marked, fim, num_context):
    completion = complete(completer_of(babbling(), fim=fim), request_at(marked, num_context=num_context))
    assert completion.generated_tokens > 0


@pytest.mark.parametrize("marked", ["|", "\n\n|\n", "im|"])
def test_complete_where_the_text_says_little_reads_the_name_of_the_file(marked):
    completer = completer_of(babbling())
    complete(completer, request_at(marked, path="/home/someone/src/tests/date_helper.py"))
    (read, *_), *_ = session_of(completer).forwards
    assert b"# date_helper.py\n" in bytes(token for token in read if token < 256)
    assert b"someone" not in bytes(token for token in read if token < 256)


@pytest.mark.parametrize("text", ["", " \n\n"])
def test_complete_of_an_empty_file_without_a_name_or_language_is_declined(text):
    completer = completer_of(babbling())
    request = evolve(request_at(f"{text}|", path=""), language_id="")
    for ask in (lambda: complete(completer, request), lambda: completer.prefill(request, CancelToken())):
        with pytest.raises(DeclinedError) as caught:
            ask()
        assert caught.value.reason == "empty-file"
    assert session_of(completer).forwards == []


HISTORY = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["x", " ", "foo", "(", "\n    ", ""])), max_size=6
)


@pytest.mark.parametrize("fim", ["qwen2.5-coder", "qwen2.5-coder-psm"])
@given(history=HISTORY, last=HISTORY.filter(bool), seed=st.integers(-9, 9), unseeded=st.booleans())
@settings(max_examples=40, deadline=None)
def test_complete_does_not_depend_on_history(fim, history, last, seed, unseeded):
    """Whatever was typed and asked before, seed set or not: the same request gives the same text."""
    used, text = completer_of(babbling(), fim=fim), "def f(a):\n    return a\n\nf(1)\n"
    for offset, typed in (*history, *last):
        text = text[:offset] + typed + text[offset:]
        marked = text[: offset + len(typed)] + "|" + text[offset + len(typed) :]
        complete(used, request_at(marked, temperature=1.0, seed=None if unseeded else seed))
    request = request_at(marked, temperature=1.0, seed=seed)
    assert complete(used, request).text == complete(completer_of(babbling(), fim=fim), request).text


@pytest.mark.parametrize(("fim", "read_again"), [("qwen2.5-coder", 0), ("qwen2.5-coder-psm", 16)])
def test_what_is_typed_is_read_and_with_the_suffix_last_the_suffix_again(fim, read_again):
    completer = completer_of(babbling(), fim=fim)
    complete(completer, request_at("one = 1\n|\nprint(total)\n"))
    completion = complete(completer, request_at("one = 1\ntwo = one\n|\nprint(total)\n"))
    # A token is a byte, or a control token: two of those are read again with the suffix.
    assert completion.prompt_tokens - completion.cached_tokens == len("two = one\n") + read_again


BROKEN, FITTING = "1 +", "12"
"""What does not parse after `x = `, and what does."""


class Sampled(ScriptedModel):
    """Says another text for each candidate."""

    def __init__(self, *texts: str) -> None:
        super().__init__({})
        self._texts = texts

    def generate(self, prompt, options, cancel, observer=None):
        self._answers = {"": [self._texts[options.candidate]]}
        return super().generate(prompt, options, cancel, observer)


def fitting_at(marked: str, **changes) -> CompletionRequest:
    return request_at(marked, **{"show": "fitting", "temperature": 0.7, "seed": 3, **changes})


def test_complete_when_a_candidate_does_not_fit_gives_the_next_one_of_the_seed():
    model = Sampled(BROKEN, BROKEN, FITTING)
    completion = complete(Completer(model), fitting_at("x = |\n"))
    assert (completion.text, completion.candidate, completion.seed) == (FITTING, 2, 3)
    assert [options.candidate for options in model.options] == [0, 1, 2]
    assert {options.parameters.seed for options in model.options} == {3}


def test_complete_when_a_candidate_leads_nowhere_gives_the_next_one_of_the_seed():
    model = Sampled("y\nz\nz\nz\nz\n", "brown")
    completion = complete(Completer(model), fitting_at("# The quick | fox jumps\n"))
    assert (completion.text, completion.candidate) == ("brown", 1)


@pytest.mark.parametrize(
    ("marked", "text", "tries"), [("x = [| for a in b]\n", "a", 2), ("x = list(|)\n", "", 1)]
)
def test_a_candidate_that_closes_a_bracket_that_something_is_missing_in_does_not_fit(marked, text, tries):
    model = Sampled("]\n" if "[" in marked else ")\n", "a for a in b]\n")
    assert complete(Completer(model), fitting_at(marked)).text == text
    assert len(model.options) == tries


@pytest.mark.parametrize(
    ("marked", "written", "text", "tries"),
    [
        ("x = 1\n|\nz = 3\n", ("z = 3\n", "y = 2\nz = 3\n"), "y = 2", 2),
        ("x = 1\n|\nz = 3\n", ("z = 3\n",) * 3, "", 3),
        # Where there is something in the line, nothing may be missing.
        ("x = 1\n|z = 3\n", ("z = 3\n", "y = 2\nz = 3\n"), "", 1),
    ],
)
def test_a_candidate_that_skips_an_empty_line_gives_way_to_the_next_one(marked, written, text, tries):
    model = Sampled(*written)
    completion = complete(Completer(model), fitting_at(marked))
    assert (completion.text, completion.empty_reason) == (text, None if text else "repeats-suffix")
    assert len(model.options) == tries


def test_complete_when_three_candidates_do_not_fit_says_why():
    model = Sampled(BROKEN, BROKEN, BROKEN, FITTING)
    completion = complete(Completer(model), fitting_at("x = |\n"))
    assert (completion.text, completion.empty_reason) == ("", "does-not-fit")
    wanted = "The generated text does not fit: the file would no longer parse (setting show)."
    assert completion.empty_message == wanted
    assert len(model.options) == 3


def test_complete_keeps_the_first_lines_of_a_candidate_that_fit_without_the_rest():
    model, explained = Sampled("a = 1\nb = 2\nc = (\nd = 3\n"), Sampled("a = 1\nb = 2\nc = (\nd = 3\n")
    completion = complete(Completer(model), fitting_at("x = 1\n|\n\nprint(x)\n"))
    assert (completion.text, completion.candidate, len(model.options)) == ("a = 1\nb = 2", 0, 1)
    trace = CompletionTrace()
    Completer(explained).observe(fitting_at("x = 1\n|\n\nprint(x)\n"), trace, CancelToken())
    assert (trace.cleaned.text, trace.generated.stop.rule) == ("a = 1\nb = 2", StopRule.FIRST_LINES)


def test_complete_keeps_the_first_lines_that_are_as_probable_as_the_setting_requires():
    script = continuing({"x = 1\n": "a = 1\nb = 2\nc = 3\n"})
    request = fitting_at("x = 1\n|\n\nprint(x)\n", temperature=0.0)
    probable = complete(completer_of(script), request.with_options(min_confidence=0.5))
    assert probable.text == "a = 1\nb = 2\nc = 3"
    least = probable.confidence**0.8
    found = complete(completer_of(script), request.with_options(min_confidence=least))
    assert (found.text, found.empty_reason) == ("a = 1\nb = 2", None)
    assert found.confidence >= least


IN_FUNCTION = "def f(text):\n    return |\n\n\nprint(f)\n"
UNIMPORTED = "json.loads(text)"
NOTE = "Shown although it uses a module that is not imported yet: no other candidate fits."


@pytest.mark.parametrize(
    ("texts", "text", "candidate", "tries"),
    [
        ((UNIMPORTED, "text.strip()"), "text.strip()", 1, 2),
        ((UNIMPORTED, BROKEN, "json.dumps(text)"), UNIMPORTED, 0, 3),
        ((BROKEN, UNIMPORTED, BROKEN), UNIMPORTED, 0, 3),
        ((BROKEN, BROKEN, UNIMPORTED), UNIMPORTED, 0, 3),
        ((UNIMPORTED, ""), UNIMPORTED, 0, 2),
        ((BROKEN, UNIMPORTED, "text.strip()"), "text.strip()", 2, 3),
    ],
)
def test_a_module_that_is_not_imported_is_shown_if_no_other_candidate_fits(texts, text, candidate, tries):
    request = fitting_at(IN_FUNCTION)
    model, explained = Sampled(*texts), Sampled(*texts)
    completion, trace = complete(Completer(model), request), CompletionTrace()
    assert (completion.text, completion.candidate, len(model.options)) == (text, candidate, tries)
    assert (completion.note, completion.empty_reason) == (NOTE if text == UNIMPORTED else None, None)
    # What is explained is what is shown.
    observed = Completer(explained).observe(request, trace, CancelToken())
    assert (observed.text, observed.note, trace.cleaned.text) == (text, completion.note, text)
    assert len(trace.rejected) == tries - 1 - (texts[-1] == "")
    assert evolve(observed, id="", total_ms=0.0) == evolve(completion, id="", total_ms=0.0)


def test_a_last_resort_is_as_probable_as_the_setting_requires():
    request = fitting_at(IN_FUNCTION, temperature=0.0, min_confidence=1.0)
    model = completer_of(continuing({"    return": " " + UNIMPORTED + "\n"}))
    assert complete(model, request).empty_reason == "low-confidence"


def test_a_last_resort_is_kept_for_its_own_request_only():
    model = Sampled(BROKEN, UNIMPORTED, BROKEN, FITTING)
    completer = Completer(model)
    assert complete(completer, fitting_at(IN_FUNCTION)).text == UNIMPORTED
    assert complete(completer, fitting_at(IN_FUNCTION)).from_cache
    assert complete(completer, fitting_at(IN_FUNCTION, candidate=1)).text == FITTING


def test_a_last_resort_comes_after_the_candidates_that_fit_unless_it_is_seen_already():
    request = fitting_at(IN_FUNCTION)
    completer = Completer(Sampled(BROKEN, UNIMPORTED, BROKEN, FITTING))
    found = complete_several(completer, request, 2, CancelToken())
    assert [(one.text, one.candidate) for one in found] == [(FITTING, 3), (UNIMPORTED, 0)]
    seen = complete_several(completer, request, 2, CancelToken(), first=found[1])
    assert [one.text for one in seen] == [UNIMPORTED, FITTING]


def test_complete_when_all_are_to_be_shown_checks_nothing():
    assert complete(Completer(Sampled(BROKEN)), fitting_at("x = |\n", show="all")).text == BROKEN


@pytest.mark.parametrize("drawn", [{"temperature": 0.0}])
def test_complete_where_nothing_is_drawn_tries_no_other_candidate(drawn):
    model = Sampled(BROKEN, FITTING)
    assert complete(Completer(model), fitting_at("x = |\n", **drawn)).empty_reason == "does-not-fit"
    assert len(model.options) == 1


def test_complete_when_nothing_was_written_tries_no_other_candidate():
    model = Sampled("", FITTING)
    assert complete(Completer(model), fitting_at("x = |\n")).empty_reason == "nothing-to-add"
    assert len(model.options) == 1


def test_a_candidate_that_replaced_another_is_not_generated_again():
    model = Sampled(BROKEN, FITTING)
    completer = Completer(model)
    first = complete(completer, fitting_at("x = |\n", seed=None))
    second = complete(completer, fitting_at("x = |\n", seed=first.seed, candidate=1))
    assert (second.text, second.id, second.from_cache) == (FITTING, first.id, True)


def test_complete_below_the_confidence_asked_for_says_so():
    completer = completer_of(continuing({"x": "y"}))
    completion = complete(completer, request_at("x|"))
    assert 0.9 < completion.confidence <= 1
    request = request_at("x|", min_confidence=1.0)
    assert complete(completer, request).empty_reason == "low-confidence"


HEADERLESS = """class A {
  int depth;

  |
    // Part 0.
    // Part 1.
    // Part 2.
    // Part 3.
    // Part 4.
    // Part 5.
    int width = 1;
    return width * depth;
  }
}
"""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("int size() {\n    int height = 2;\n    // Part 0.\n", "int size() {\n    int height = 2;"),
        # It repeats a line that comes soon after, so only what opens the block is kept.
        ("int size() {\n    int width = 1;\n    // Part 0.\n", "int size() {"),
        ("int size() { return 1; }\n\n  int depth() { return 2; }\n", ""),
    ],
)
def test_complete_opens_the_block_that_the_lines_below_need(written, expected):
    request = evolve(fitting_at(HEADERLESS, temperature=0.0), language_id="java", path="A.java")
    completion = complete(completer_of(continuing({"int depth;\n\n  ": written})), request)
    assert completion.text == expected
    assert (completion.empty_reason == "does-not-fit") == (not expected)


def test_complete_adds_the_comma_that_a_list_needs():
    request = evolve(fitting_at("x = {\n  a: 1,|\n  c: 3\n}\n", temperature=0.0), language_id="javascript")
    completer = completer_of(continuing({"a: 1,": "\n  b: 2\n}\n"}))
    assert complete(completer, request).text == "\n  b: 2,"


def test_complete_when_it_only_repeats_itself_may_leave_its_brackets_open():
    repeated = "f(\n" + "".join(f"    a{number}=a{number},\n" for number in range(12))
    request = fitting_at("x = |\n\n\ny = 2\n", temperature=0.0).with_options(max_tokens=600)
    completion = complete(completer_of(continuing({"x = ": repeated})), request)
    assert completion.text.startswith("f(\n    a0=a0,")
    assert completion.finish_reason == "stop"


def test_complete_when_it_only_repeats_itself_the_line_that_opens_a_block_comes_alone():
    arguments = "".join(f"                a{number}=a{number},\n" for number in range(14))
    repeated = f"\n    ) -> Any:\n        if b is None:\n            b = g(\n{arguments}"
    text = "from m import *\n\n\ndef f():\n    def h(\n        b: B,|\n\n        e = g(b)\n        return e\n"
    request = fitting_at(text, temperature=0.0).with_options(max_tokens=600)
    assert complete(completer_of(continuing({"        b: B,": repeated})), request).text == "\n    ) -> Any:"


@pytest.mark.parametrize(
    ("marked", "written", "expected"),
    [
        ("[a]\nb = 1|\nd = 2\n", "\nc = 3\nb = 4\ne = 5\n\n", "\nc = 3"),
        ("[a]\nb = 1\n|d = 2\n", "c = 3\nb = 4\ne = 5\n\n", "c = 3\n"),
        ("[a]\nb = 1|\nd = 2\n", "\nb = 4\ne = 5\n\n", ""),
    ],
)
def test_complete_ends_above_a_key_that_is_there_twice(marked, written, expected):
    request = evolve(fitting_at(marked, temperature=0.0), language_id="toml", path="a.toml")
    before = marked.partition("|")[0][-6:]
    assert complete(completer_of(continuing({before: written})), request).text == expected


@pytest.mark.parametrize(
    ("path", "marked", "written", "expected"),
    [
        ("a.rs", "enum A {\n    B,|\n    C,\n    D,\n}\n", "\n    E,\n    D,\n    F,\n}\n", "\n    E,"),
        ("a.tsx", 'const a = <b c="1"| d="2" />;\n', ' e="3" d="4" f="5" />;\n', ' e="3"'),
        ("a.py", "a(b,|, c=1)\n", " d=2, c=3, e=4)\n", " d=2"),
    ],
)
def test_complete_ends_before_a_name_that_is_there_twice(path, marked, written, expected):
    request = evolve(fitting_at(marked, temperature=0.0), language_id="", path=path)
    before = marked.partition("|")[0][-4:]
    assert complete(completer_of(continuing({before: written})), request).text == expected


@pytest.mark.parametrize(
    ("path", "marked", "written", "expected"),
    [
        (
            "a.py",
            "def f(x):\n    if x > 0:\n        return 1\n    |\n    return 0\n",
            "elif x < 0:\n        return -1\n    else:\n        return 0\n\n\ndef g():\n",
            "elif x < 0:\n        return -1",
        ),
        (
            "a.js",
            "function f(x) {\n  if (x > 0) return 1;\n  |\n  return 0;\n}\n",
            "if (x < 0) {\n    return -1;\n  } else {\n    return 0;\n  }\n}\n",
            "if (x < 0) {\n    return -1;\n  }",
        ),
    ],
)
def test_complete_ends_before_an_else_that_makes_the_code_below_dead(path, marked, written, expected):
    request = evolve(fitting_at(marked, temperature=0.0), language_id="", path=path)
    before = marked.partition("|")[0][-8:]
    assert complete(completer_of(continuing({before: written})), request).text == expected


def test_complete_ends_above_a_section_that_is_there_already():
    request = evolve(
        fitting_at("[a]\nb = 1|\n\n[c]\nd = 2\n", temperature=0.0), language_id="ini", path="a.ini"
    )
    completer = completer_of(continuing({"b = 1": "\ne = 3\n\n[c]\nf = 4\n\n"}))
    assert complete(completer, request).text == "\ne = 3"


@pytest.mark.parametrize(
    ("language", "marked", "written", "expected"),
    [
        # With the colon after the bracket it parses: a line deeper below is its block.
        ("python", "def f(|)\n    return 1\n", "a, b):\n", "a, b):"),
        ("python", "def f(|)\n\n\ng()\n", "a, b):\n    return a\n\n\ng()\n", "a, b):\n    return a"),
        ("python", "if f([1, |])\n\n\ng()\n", "2]):\n", "2]):"),
        # The user may type the colon, too.
        ("python", "def f(|)\n    return 1\n", "a, b)\n", "a, b"),
        ("go", "package a\n\nfunc f(|)\n\nvar b = 1\n", "a int) {\n", "a int"),
        ("javascript", "class A {\n  f() {\n    g();\n  }\n\n  f(|)\n    h();\n  }\n}\n", "a) {\n", "a) {"),
        # What ends a statement or an entry comes with the text.
        ("c", "int f(void) {\n  g(|)\n  h();\n}\n", "1);\n", "1);"),
        ("rust", "fn f() {\n    let a = g(|)\n    h();\n}\n", "1);\n", "1);"),
        ("json", '{\n  "a": [|]\n  "b": 1\n}\n', "1],\n", "1],"),
        ("shellscript", "if [[ |]]\n  a\nfi\n", "-f b ]]; then\n", "-f b "),
        ("typescript", "import { |}\n\nf();\n", 'a } from "b";\n', 'a } from "b";'),
        ("python", "def f(|)\n    return 1\n", "a b):\n", ""),
        ("c", "int f(void) {\n  g(|)\n  h();\n}\n", "1 2);\n", ""),
        # Without its bracket, the file has other faults than those of the text.
        ("java", "class A {\n  void f() {\n    if (a) {\n    } else {|}\n  }\n}\n", " )\n", ""),
        # With more at its end, it would no longer be the line below.
        (
            "javascript",
            "if (compute(|))\nif (compute(value_one, value_two))\n  b();\n",
            "value_one, value_two))\n",
            "",
        ),
        # It is no end of a line.
        ("python", "def f(|) -> int\n    return 1\n", "a, b):\n", ""),
    ],
)
def test_complete_in_brackets_that_the_editor_closed_takes_the_line_for_unfinished(
    language, marked, written, expected
):
    request = evolve(fitting_at(marked, temperature=0.0), language_id=language, path="a")
    before = marked[: marked.index("|") - 1]  # the bracket is healed
    completion = complete(completer_of(continuing({before: marked[len(before)] + written})), request)
    assert (completion.text, completion.empty_reason) == (expected, None if expected else "does-not-fit")


ENTRIES = "x = [\n  { a: 1 },\n  {|}\n  { a: 3 },\n];\n"


@pytest.mark.parametrize(
    ("marked", "written", "text", "replaces"),
    [
        (ENTRIES, "{ a: 2 },\n  { a: 4 },\n", " a: 2 },", 1),
        (ENTRIES, "{\n    a: 2\n  },\n", "\n    a: 2\n  },", 1),
        # The model forgets it.
        (ENTRIES, "{ a: 2 }\n  { a: 4 },\n", " a: 2 },", 1),
        (ENTRIES.replace("{|}", "'|'"), "'b',\n  'c',\n", "b',", 1),
        (ENTRIES.replace("{|}", "f('|')"), "'b'),\n  'c',\n", "b'),", 2),
        # It goes on before the second of them.
        (ENTRIES.replace("{|}", "f('|')"), "'b', c),\n  'c',\n", "b', c),", 2),
        (ENTRIES.replace("{|}", "f('|')"), "'b', c +),\n  'c',\n", "b", 0),
        # It fits without.
        (ENTRIES.replace("{|}", "{|},"), "{ a: 2 },\n", " a: 2 ", 0),
        (ENTRIES.replace("  { a: 3 },\n", ""), "{ a: 2 },\n];\n", " a: 2 ", 0),
        # It does not fit with it either.
        (ENTRIES, "{ a: 2 + },\n", "", 0),
    ],
)
def test_an_entry_whose_bracket_the_editor_closed_gets_the_comma_that_the_next_one_needs(
    marked, written, text, replaces
):
    request = evolve(fitting_at(marked, temperature=0.0), language_id="javascript", path="a.js")
    before = marked[: marked.index("|") - 1]
    completion = complete(completer_of(continuing({before: written})), request)
    assert (completion.text, completion.replaces) == (text, replaces)


@pytest.mark.parametrize(
    ("language", "marked", "written", "replaces"),
    [
        ("go", "if err := f(|)\n\treturn nil\n}\n", "a); err != nil {\n\t\treturn err\n\t}\n", 1),
        ("lua", "on('a', function(|))\n", "a)\n  print(a)\nend)\n", 2),
        ("lua", "local function f(|)\n", "a)\n  return a\nend\n", 1),
        # What comes over the brackets does not fit either.
        ("lua", "on('a', function(|))\n", "a)\n  print(a\nend)\n", 0),
    ],
)
def test_a_text_that_does_not_fit_before_closed_brackets_goes_on_over_them(
    language, marked, written, replaces
):
    above = "package a\n\nfunc g() error {\n\t" if language == "go" else ""
    request = evolve(fitting_at(above + marked, temperature=0.0), language_id=language, path="a")
    completion = complete(Completer(ScriptedModel({"": list(written)})), request)
    assert (completion.text, completion.replaces) == (written.rstrip() if replaces else "", replaces)


GO = "package a\n\nfunc f(xs []int) {\n\t|\n}\n"
CSHARP = "class A\n{\n    void F(List<int> xs)\n    {\n        foreach (|)\n    }\n}\n"


@pytest.mark.parametrize(
    ("language", "marked", "written", "text", "replaces"),
    [
        # In Go, what `go` and `defer` start is a call.
        ("go", GO.replace("|", "go func() {|}"), "\n\t\tg()\n\t}()\n}\n", "\n\t\tg()\n\t}()", 1),
        ("go", GO.replace("|", "defer func() {|}"), " g() }()\n}\n", " g() }()", 1),
        ("go", GO.replace("|", "go func() {|}"), "\n\t\tg()\n\t}\n}\n", "\n\t\tg()\n\t}()", 1),
        ("go", GO.replace("|", "go func() {\n\t\t|\n\t}"), "g()\n\t}()\n}\n", "g()", 0),
        # The user has not called it yet.
        ("go", GO.replace("|", "go func(|) {\n\t\tg()\n\t}"), "x int) {\n", "x int", 0),
        # The line ends without a semicolon, and the block comes in the next one.
        ("csharp", CSHARP, "var x in xs)\n        {\n            G(x);\n        }\n", "var x in xs", 0),
        # Some editors keep the blank that is typed in brackets on both sides.
        ("typescript", "import { | }\n\nconst a = 1;\n", "b } from './b';\n\nconst a", "b } from './b';", 2),
        ("typescript", "const f = g({ | })\nf();\n", "a: 1 }, b);\n", "a: 1", 0),
        ("json", '{\n  "a": { | }\n  "c": 1\n}\n', '\n    "b": 2\n', '\n    "b": 2\n  },', 2),
        # The blank before the brackets stays where the model says no more.
        ("javascript", "f({\n  g({ |})\n    x();\n  }\n})\n", "b }) {\n    x();\n  }\n})\n", "b ", 0),
    ],
)
def test_what_the_line_needs_after_closed_brackets_comes_as_the_model_writes_it(
    language, marked, written, text, replaces
):
    request = evolve(fitting_at(marked, temperature=0.0), language_id=language, path="a")
    completion = complete(Completer(ScriptedModel({"": list(written)})), request)
    assert (completion.text, completion.replaces) == (text, replaces)


@pytest.mark.parametrize(
    ("marked", "written", "text", "replaces"),
    [
        ('<ul>\n  <li><a href="#|"\n</ul>\n', 'b">B</a></li>\n</ul>\n', 'b">B</a></li>', 1),
        ('<p id="|"></p>\n', 'b"></p>\n', "b", 0),
    ],
)
def test_a_tag_whose_quote_the_editor_closed_is_completed(marked, written, text, replaces):
    request = evolve(fitting_at(marked, temperature=0.0), language_id="html", path="a.html")
    completion = complete(completer_of(continuing({marked[: marked.index("|")]: written})), request)
    assert (completion.text, completion.replaces) == (text, replaces)


def test_a_string_whose_quote_the_editor_closed_is_not_joined_with_the_next_one():
    marked = 'xs = [\n    "a",\n    "|"\n    "c",\n]\n'
    request = fitting_at(marked, temperature=0.0)
    for written in ('b",\n    "c",\n', 'b"\n    "c",\n'):
        completion = complete(completer_of(continuing({marked[: marked.index("|")]: written})), request)
        assert (completion.text, completion.replaces) == ('b",', 1)


@pytest.mark.parametrize(
    ("marked", "written"),
    [
        ('raise Error(\n    code,\n    "|"\n    "c",\n)\n', 'b"\n'),
        ('xs = [\n    "a",\n    "|"\n    "c",\n]\n', 'b "\n'),
        ('xs = {\n    "a": 1,\n    "|"\n    "c": 2,\n}\n', 'b"\n'),
    ],
)
def test_a_message_may_go_on_in_the_next_line_and_a_key_gets_no_comma(marked, written):
    request = fitting_at(marked, temperature=0.0)
    completion = complete(completer_of(continuing({marked[: marked.index("|")]: written})), request)
    assert (completion.text, completion.replaces) == (written[: written.index('"')], 0)


@pytest.mark.parametrize(
    ("marked", "written", "text", "replaces"),
    [
        ('{\n  "a": 1,\n  "|"\n  "c": 3\n}\n', 'b": 2,\n  "c": 3\n', 'b": 2,', 1),
        ('{\n  "a": 1,\n  "|"\n}\n', 'b": 2\n}\n', 'b": 2', 1),
        ('{\n  "a": 1,\n  "b": "|"\n}\n', 'x"\n}\n', "x", 0),
        ('x = {\n    "a": 1,\n    "|"\n}\n', 'b": 2,\n}\n', 'b": 2,', 1),
        ('x = {\n    "a": 1,\n    "|"\n    "c": 3,\n}\n', 'b": 2,\n    "c": 3,\n', 'b": 2,', 1),
    ],
)
def test_a_key_whose_quote_the_editor_closed_gets_its_value(marked, written, text, replaces):
    language = "python" if marked.startswith("x") else "json"
    request = evolve(fitting_at(marked, temperature=0.0), language_id=language)
    completion = complete(completer_of(continuing({marked[: marked.index("|")]: written})), request)
    assert (completion.text, completion.replaces) == (text, replaces)


def test_complete_when_the_token_limit_cuts_a_block_shows_its_beginning():
    changes = {"temperature": 0.0, "max_tokens": 30}
    request = evolve(fitting_at("function f(a) {\n  |\n}\n", **changes), language_id="javascript")
    completer = completer_of(continuing({"function f(a) {\n  ": "if (a) {\n    b(a);\n    " + "cdef" * 9}))
    completion = complete(completer, request)
    assert (completion.text, completion.finish_reason) == ("if (a) {\n    b(a);", "length")


@pytest.mark.parametrize(("end", "total"), [(0, 0.0), (1, -1.0), (2, -1.0), (3, -2.0), (9, -2.0)])
def test_confidence_is_the_probability_of_the_tokens_that_are_kept(end, total):
    assert confidence_in([(0, 0.0), (2, -1.0), (4, -2.0)], end) == pytest.approx(math.exp(total))


@pytest.mark.parametrize(("blanks", "expected"), [(2, "  y()"), (4, "y()"), (3, " y()"), (5, "   y()")])
def test_a_cursor_between_two_steps_gets_the_column_of_a_block(blanks, expected):
    """The model indents by 4 or 8 if it writes all of the indentation, and else goes on where it is."""
    before = "if a:\n    if b:\n        x()\n"
    script = {before: "    y()" if blanks < 5 else "        y()"}
    script[before + " " * (blanks - 1)] = " y()"
    completer = completer_of(continuing(script))
    assert complete(completer, request_at(before + " " * blanks + "|\n")).text == expected


@pytest.mark.parametrize(
    ("marked", "written", "text", "replaces"),
    [
        ("if f(a|)\n    b()\n", "):\n    c()", "):", 1),
        ("if f('a|')\n    b()\n", "'):\n    c()", "'):", 2),
        ("if f(g(a|))\n    b()\n", ")):\n    c()", ")):", 2),
        # It says no more than the brackets do.
        ("f(a|)\nb()\n", ")\nb()", "", 0),
        # It belongs before them.
        ("f(a|)\nb()\n", ", c)\nb()", ", c", 0),
        # Something follows them already.
        ("if f(a|):\n    b()\n", "):\n    c()", "", 0),
    ],
)
def test_a_text_that_begins_with_brackets_that_are_closed_goes_on_after_them(marked, written, text, replaces):
    line = marked[: marked.index("|")]
    completion = complete(completer_of(continuing({line: written})), request_at(marked))
    assert (completion.text, completion.replaces) == (text, replaces)
    assert completion.empty_reason == (None if text else "repeats-suffix")


def test_a_text_after_closed_brackets_is_checked():
    request = request_at("x = f(a|)\nb()\n", show="fitting")
    completion = complete(completer_of(continuing({"x = f(a": ")) + (\nb()"})), request)
    assert (completion.text, completion.empty_reason) == ("", "repeats-suffix")


def test_a_bracket_that_is_typed_over_leaves_the_rest_to_be_offered():
    completer = completer_of(continuing({"if f(a": "):\n    c()"}))
    complete(completer, request_at("if f(a|)\n    b()\n"))
    completion = complete(completer, request_at("if f(a)|\n    b()\n"))
    assert (completion.text, completion.replaces, completion.from_cache) == (":", 0, True)


def test_with_a_seed_nothing_is_kept_for_a_text_that_was_not_asked_about():
    completer = completer_of(continuing({"if f(a": "):\n    c()"}))
    complete(completer, request_at("if f(a|)\n    b()\n", seed=1))
    assert not complete(completer, request_at("if f(a|\n    b()\n", seed=1)).from_cache


@pytest.mark.parametrize("seed", [None, 1])
def test_what_replaces_a_bracket_does_so_again_when_it_comes_from_the_cache(seed):
    completer = completer_of(continuing({"if f(a": "):\n    c()"}))
    request = request_at("if f(a|)\n    b()\n", seed=seed)
    first, again = complete(completer, request), complete(completer, request)
    assert (again.text, again.replaces, again.from_cache) == (first.text, first.replaces, True)
    assert again.replaces == 1


def test_what_replaces_a_bracket_does_so_where_the_editor_lets_another_be_typed():
    completer = completer_of(continuing({"if f(a": "):\n    c()"}))
    shown = complete(completer, request_at("if f(a|)\n    b()\n"))
    rest = complete(completer, request_at("if f(a)|)\n    b()\n"))
    assert (rest.text, rest.replaces, rest.from_cache) == (":", 1, True)
    assert shown.after(")") == evolve(shown, text=":", typed=")")


def test_what_replaces_a_bracket_does_not_go_on_before_another_that_the_editor_adds():
    completer = completer_of(continuing({"x = f(a": ")[0] + 1\ny()"}))
    shown = complete(completer, request_at("x = f(a|)\n"))
    assert (shown.text, shown.replaces) == (")[0] + 1", 1)
    assert shown.after(")[", "]") is None
    assert not complete(completer, request_at("x = f(a)[|])\n")).from_cache


def test_a_block_whose_bracket_the_editor_closed_may_need_another_one_after_it():
    marked = "function f() {\n  try {|}\n}\n"
    request = evolve(fitting_at(marked, temperature=0.0), language_id="javascript", path="a.js")
    script = {"function f() {\n  try {": "\n    g();\n  } catch (e) {\n    h();\n  }\n}\n"}
    assert complete(completer_of(continuing(script)), request).text == "\n    g();\n  "
