"""The explanation is that of the completion, and its figures are those of the sampler."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.context.excerpt import Excerpt, LeftOut, Selection
from aide_lsp.context.known_names import OWN, KnownNames, NamesOf
from aide_lsp.errors import DeclinedError
from aide_lsp.explain.explanation import NOTHING, as_json, explain
from aide_lsp.explain.report import report
from aide_lsp.explain.trace import STAGES
from aide_lsp.inference import sampler
from aide_lsp.inference.cancel import Cancelled, CancelToken
from tests.completion.test_completer import completer_of, request_at, session_of, with_parameters
from tests.fakes import FakeSession, babbling, completer_on, continuing

ROOT = Path(__file__).parents[2]
MARKED = "import os\n\ndef f(a):\n    retu|\n    return a\n\nf(1)\n"

MODELS = Excerpt("src/models.py", 13, "class Order:\n    price = 1\n", 4.5)
PRICES = Excerpt("src/prices.py", 1, "price = 2\n" * 3, 2.25)
LONG = Excerpt("src/long.py", 25, "price = 3\n" * 50, 1.125)
SELECTION = Selection(
    excerpts=(PRICES, MODELS, LONG),
    left_out=(LeftOut("src/key.py", "it commonly holds secrets"),),
    files=("src/models.py", "src/prices.py", "src/long.py", "src/other.py"),
)


def explained(completer: Completer, request: CompletionRequest, selection: Selection = NOTHING):
    return explain(completer, request, CancelToken(), selection)


def with_files(request: CompletionRequest, selection: Selection = SELECTION, context_share: float = 0.5):
    request = with_parameters(request, num_context=400).with_options(context_share=context_share)
    return evolve(request, excerpts=selection.excerpts)


class Listening(FakeSession):
    """Keeps the logits of each forward."""

    def __init__(self, script) -> None:
        super().__init__(script)
        self.logits: list[np.ndarray] = []

    def full_logits(self) -> np.ndarray:
        self.logits.append(super().full_logits()[-1].copy())
        return super().full_logits()


@pytest.mark.parametrize("marked", [MARKED, "x = |", "|", "f(|)\n", "a\r\n  b|\r\n"])
@pytest.mark.parametrize("seed", [0, 7, -(2**70)])
def test_explained_completion_is_the_one_without_explanation(marked, seed):
    request = request_at(marked, temperature=1.0, seed=seed)
    plain = completer_of(babbling()).complete(request, CancelToken())
    explanation = explained(completer_of(babbling()), request)
    assert explanation.completion.text == plain.text
    assert explanation.completion.parameters == plain.parameters
    assert explanation.completion.generated_tokens == plain.generated_tokens
    assert sum(not token.step.ends for token in explanation.tokens) == plain.generated_tokens


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_and_column_are_those_of_the_editor(end):
    explanation = explained(completer_of(babbling()), request_at(MARKED.replace("\n", end), seed=1))
    assert (explanation.line, explanation.column) == (4, 9)


@given(cursor=st.integers(0, len(MARKED) - 1), seed=st.integers(0, 9), crlf=st.booleans())
@settings(max_examples=40, deadline=None)
def test_pieces_of_the_tokens_make_up_what_is_shown(cursor, seed, crlf):
    text = MARKED.replace("|", "")
    marked = text[:cursor] + "|" + text[cursor:]
    request = request_at(marked.replace("\n", "\r\n") if crlf else marked, temperature=1.0, seed=seed)
    explanation = explained(completer_of(babbling()), request)
    pieces = [piece for token in explanation.tokens for piece in token.pieces]
    healed = "".join(p.text for p in pieces if p.kind == "given-back")
    shown = "".join(p.text for p in pieces if p.kind == "shown") + explanation.end.added
    assert healed == explanation.prompt.given_back
    # What was added may be anywhere in it.
    assert sorted(shown) == sorted(explanation.completion.text.replace("\r\n", "\n"))


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(0.7, 50, 0.95), (1.0, 5, 0.5), (0.33, 100, 1.0), (0.0, 50, 0.9)]
)
def test_probabilities_and_counts_are_those_of_the_sampler_on_all_logits(temperature, top_k, top_p):
    request = with_parameters(request_at("x\n|", seed=3), temperature=temperature, top_k=top_k, top_p=top_p)
    session = Listening(babbling())
    completer = completer_on(session)
    tokens = explained(completer, request).tokens
    taken = session.logits[-len(tokens) :] if top_k <= 64 else session.logits[1::2]
    assert len(taken) == len(tokens) > 3
    for token, logits in zip(tokens, taken, strict=True):
        step, ids = token.step, [c.token for c in token.step.candidates]
        drawn = sampler.probabilities(logits, temperature, top_k, top_p)
        raw = sampler.probabilities(logits, 1.0, None, None)
        np.testing.assert_allclose([c.probability for c in step.candidates], drawn[ids], rtol=1e-12)
        np.testing.assert_allclose([c.raw_probability for c in step.candidates], raw[ids], rtol=1e-12)
        assert (step.probability, step.raw_probability) == pytest.approx((drawn[step.token], raw[step.token]))
        after_top_k = np.count_nonzero(sampler.probabilities(logits, temperature, top_k, None))
        assert (step.after_top_k, step.after_top_p) == (after_top_k, np.count_nonzero(drawn))
        assert step.rank == 1 + np.count_nonzero(logits > logits[step.token])
        assert step.entropy == pytest.approx(-sum(p * math.log2(p) for p in drawn if p), abs=1e-12)


def test_temperature_next_to_0_is_explained_too():
    request = with_parameters(request_at("x = |"), temperature=5e-324, seed=1)
    step = explained(completer_of(babbling()), request).tokens[0].step
    assert (step.probability, step.entropy, step.log_mass[0]) == (1.0, 0.0, 0.0)


def test_log_mass_gives_each_temperatures_probabilities():
    explanation = explained(completer_of(babbling()), request_at("x\n|", temperature=0.33, seed=1))
    assert 0.33 in explanation.temperatures
    step = explanation.tokens[0].step
    best = step.candidates[0].logit
    at_one = explanation.temperatures.index(1.0)
    for candidate in step.candidates:
        raw = math.exp(candidate.logit - best - step.log_mass[at_one])
        assert raw == pytest.approx(candidate.raw_probability)


def test_prompt_says_what_was_cut_off():
    head, tail = "".join(f"line {n}\n" for n in range(300)), "".join(f"below {n}\n" for n in range(200))
    prompt = explained(completer_of(babbling()), request_at(f"{head}ab|\n{tail}", seed=1)).prompt
    kinds = {part.kind: part for part in prompt.parts}
    assert prompt.given_back == "ab"
    assert prompt.tokens == sum(part.tokens for part in prompt.parts)
    assert head.endswith(kinds["prefix"].text)
    assert len(kinds["prefix"].text) + prompt.cut_above.characters == len(head)
    assert kinds["prefix"].text.count("\n") + prompt.cut_above.lines == 300
    assert len(kinds["suffix"].text) + prompt.cut_below.characters == len(tail) + 1
    assert prompt.parts[0].text == "<|fim_prefix|>"


def test_closing_brackets_right_of_the_cursor_are_neither_in_the_prompt_nor_cut_off():
    prompt = explained(completer_of(babbling()), request_at("f(|)\nx = 1\n", seed=1)).prompt
    assert prompt.closers == ")"
    assert [part.text for part in prompt.parts if part.kind == "suffix"] == ["\nx = 1\n"]
    assert prompt.cut_below.characters == 0


def test_excerpts_of_other_files_are_parts_with_their_place_and_score():
    explanation = explained(completer_of(babbling()), with_files(request_at("x = |\n", seed=1)), SELECTION)
    parts, files = explanation.prompt.parts, explanation.prompt.other_files
    read = [part for part in parts if part.kind == "excerpt"]
    assert [(part.path, part.first_line, part.last_line, part.score, part.text) for part in read] == [
        ("src/models.py", 13, 14, 4.5, MODELS.text),
        ("src/prices.py", 1, 3, 2.25, PRICES.text),
    ]
    assert explanation.completion.excerpts == (MODELS, PRICES)
    assert [(one.path, one.first_line, one.last_line, one.score) for one in files.unread] == [
        ("src/long.py", 25, 74, 1.125)
    ]
    before = parts.index(next(part for part in parts if part.text == "<|fim_prefix|>"))
    assert files.tokens == sum(part.tokens for part in parts[:before]) <= 200
    assert explanation.prompt.tokens == sum(part.tokens for part in parts)
    assert files.says == "2 excerpts of 2 files, the best of 4 files searched."
    assert (files.searched, files.left_out) == (SELECTION.files, SELECTION.left_out)


@pytest.mark.parametrize(
    ("selection", "share", "fim", "said"),
    [
        (SELECTION, 0.5, "prefix", "This model cannot read other files."),
        (SELECTION, 0.0, "qwen2.5-coder", "No lines of other files are read: context_share is 0."),
        (Selection(), 0.5, "qwen2.5-coder", "No other file could be read for this place."),
        (Selection(files=("a.py",)), 0.5, "qwen2.5-coder", "1 file searched: no line matches"),
        (
            Selection((LONG,), files=("src/long.py",)),
            0.5,
            "qwen2.5-coder",
            "1 file searched: lines match, but none",
        ),
    ],
    ids=["model", "share", "none", "no match", "no room"],
)
def test_why_nothing_of_other_files_was_read_is_said(selection, share, fim, said):
    completer = completer_on(FakeSession(babbling()), fim=fim)
    request = with_files(request_at("x = |\n", seed=1), selection, share)
    prompt = explained(completer, request, selection).prompt
    assert prompt.other_files.says.startswith(said)
    assert (prompt.other_files.tokens, [part for part in prompt.parts if part.path]) == (0, [])


@given(cursor=st.integers(0, len(MARKED) - 1), seed=st.integers(0, 9), share=st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_what_was_typed_since_is_marked_and_nothing_else(cursor, seed, share):
    text = MARKED.replace("|", "")
    request = request_at(text[:cursor] + "|" + text[cursor:], temperature=1.0, seed=seed)
    completion = explained(completer_of(babbling()), request).completion.text
    typed = completion[: round(share * len(completion))]
    explanation = explain(completer_of(babbling()), request, CancelToken(), typed=typed)
    pieces = [piece for token in explanation.tokens for piece in token.pieces]
    marked = "".join(piece.text for piece in pieces if piece.kind == "typed")
    rest = "".join(piece.text for piece in pieces if piece.kind == "shown") + explanation.end.added
    assert (explanation.typed, marked + rest) == (typed, completion)
    assert typed.startswith(marked)
    assert completion.endswith(rest)
    other = explain(completer_of(babbling()), request, CancelToken(), typed="something else")
    assert (other.typed, "typed" in report(other)) == ("", False)
    assert ("✓ typed" in report(explanation)) == bool(marked)


def test_healed_text_is_forced_if_no_token_left_matches_it():
    completer = completer_of(continuing({"x": "yz"}))
    first = explained(completer, request_at("ret|", temperature=0.0, seed=1)).tokens[0]
    assert [(piece.kind, piece.text) for piece in first.pieces] == [("given-back", "r")]
    assert (first.step.forced, first.step.after_beginning, first.step.probability) == (True, 0, 1.0)


def test_members_of_a_type_of_the_document_are_named_by_its_path():
    names = KnownNames((NamesOf(OWN, ("add", "put")),))
    request = evolve(request_at("def f(cart: Cart):\n    x = cart.|\n"), names=names)
    files = explained(completer_of(babbling()), request).prompt.other_files
    assert (files.names, files.names_from) == (("add", "put"), (request.path,))


def test_end_says_whether_the_checks_ran():
    request = request_at("x = |", temperature=0.0)
    completer = completer_of(continuing({"x =": " 1\n"}))
    checked, unchecked = (request.with_options(show=show) for show in ("fitting", "all"))
    passed, off = explained(completer, checked).end, explained(completer, unchecked).end
    assert passed.check == f"The text passed the checks. The text's probability is {passed.confidence:.2g}."
    assert off.check == f"The checks are off (setting show). The text's probability is {off.confidence:.2g}."


@pytest.mark.parametrize("said", ["", "  "])
def test_nothing_is_shown_then_no_probability_is_claimed(said):
    request = request_at("def f():\n|    return 1\n", temperature=0.0)
    explanation = explained(completer_of(continuing({"def f():\n": said})), request)
    assert explanation.completion.text == ""
    assert explanation.end.check == "There was nothing to check."
    assert explanation.end.confidence is None
    assert explanation.completion.confidence is None


def test_end_names_the_rule_and_what_it_left_out():
    completer = completer_of(continuing({"return a": " + b\n\nprint(add(1, 2))"}))
    end = explained(completer, request_at("def add(a, b):\n    return a|\n")).end
    assert (end.rule, end.finish_reason, end.dropped, end.by_end_token) == ("line", "stop", "\n", False)
    completer = completer_of(continuing({"x = ": "1"}))
    explanation = explained(completer, request_at("x = |"))
    assert explanation.end.by_end_token
    assert explanation.tokens[-1].step.ends
    assert explanation.tokens[-1].step.text == "<|endoftext|>"
    assert explanation.tokens[-1].pieces == ()


def test_invisible_characters_are_left_out_and_named():
    completer = completer_of(continuing({"x = ": "'a\u200bb\u202ec'  "}))
    explanation = explained(completer, request_at("x = |"))
    assert explanation.completion.text == "'abc'"
    assert explanation.end.invisible == "\u200b\u202e"
    assert "2 characters removed: invisible (U+200B, U+202E)" in explanation.end.clean_up
    assert "2 characters removed: whitespace" in explanation.end.clean_up
    pieces = [piece for token in explanation.tokens for piece in token.pieces if piece.kind == "dropped"]
    assert "".join(piece.text for piece in pieces) == "\u200b\u202e  "


def test_every_stage_is_reported_with_its_time():
    explanation = explained(completer_of(babbling()), request_at("x = |", seed=1))
    assert tuple(stage.name for stage in explanation.stages) == tuple(
        stage for stage in STAGES if stage != "server"
    )
    assert all(stage.ms > 0 for stage in explanation.stages)
    assert all(token.step.ms > 0 for token in explanation.tokens)


def test_without_seed_the_completion_that_is_shown_is_explained():
    """It has a seed that was drawn for it; while its answer is in the cache, that is taken."""
    completer = completer_of(babbling())
    request = request_at("x = |", temperature=1.0)
    shown = completer.complete(request, CancelToken())
    assert explained(completer, request).completion.seed == shown.seed
    assert explained(completer, request).completion.text == shown.text
    completer.forget(request)
    assert explained(completer, request_at("x = |", temperature=1.0)).completion.seed != shown.seed


def test_explaining_leaves_no_answer_behind_and_obeys_a_cancel():
    completer, request = completer_of(babbling()), request_at("x = |", temperature=1.0)
    explained(completer, request)
    assert not completer.complete(request, CancelToken()).from_cache
    token = CancelToken()
    session_of(completer).on_forward = lambda count: token.cancel()
    with pytest.raises(Cancelled):
        explain(completer, request, token)
    with pytest.raises(DeclinedError):
        explained(completer, request_at("|" + "x" * 10_001))


def test_json_has_the_documented_keys_and_no_others():
    # What the fake model writes does not fit, so that each candidate but the last is listed as rejected.
    request = request_at(MARKED, temperature=1.0, seed=0, show="fitting")
    explanation = explained(completer_of(babbling()), with_files(request), SELECTION)
    assert [one.candidate for one in explanation.rejected] == [0, 1]
    # As with a server that ignores one, and after the name of a module: an empty list would show no key.
    files = evolve(explanation.prompt.other_files, names=("price",), names_from=("models.py",))
    prompt = evolve(explanation.prompt, other_files=files)
    as_read = json.loads(json.dumps(as_json(evolve(explanation, ignored=("top_k",), prompt=prompt))))
    page = (ROOT / "docs" / "explain.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    as_read["completion"] = None  # its keys are those of `aide complete --json`
    assert set(_paths(as_read)) == documented


def _paths(value, name=""):
    if isinstance(value, list) and (not value or isinstance(value[0], dict)):
        for inner in value:
            yield from _paths(inner, f"{name}[]")
        return
    for key, inner in value.items() if isinstance(value, dict) else ():
        yield from _paths(inner, f"{name}.{key}" if name else key)
    if name:
        yield name
