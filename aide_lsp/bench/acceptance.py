"""Tests a model that was just added: can it complete, and how fast is it on this machine?"""

import argparse
import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from attrs import frozen

from aide_lsp.bench.speed import SpeedBench
from aide_lsp.errors import AideError, MemoryShortError, SessionError
from aide_lsp.settings.fields import Settings, with_values

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion
    from aide_lsp.inference.session import Session
    from aide_lsp.inference.tokenizer import Tokenizer

CURSOR = "█"
HOLE = f'''def area(width: float, height: float) -> float:
    """Return the area of a rectangle."""
    return {CURSOR}


def perimeter(width: float, height: float) -> float:
    """Return the perimeter of a rectangle."""
    return 2 * (width + height)
'''
"""A hole that any model of code fills."""
FILLING = "width * height"
ANOTHER_FORMAT = 'If completions do not fit what follows the cursor, write fim = "prefix" into its card.'
PROMPT_TOKENS, GENERATED_TOKENS = 256, 24
"""What the speed is measured with: a long prompt while typing, a usual completion."""
MOST_TOKENS = 32


@frozen
class Check:
    """The result of one test."""

    level: Literal["ok", "warn", "fail"]
    """`fail`: the model cannot be used."""
    what: str
    detail: str


@frozen
class Speed:
    """Tokens per second."""

    prefill: float
    generation: float


@frozen
class Acceptance:
    """The results of all tests."""

    checks: tuple[Check, ...]
    speed: Speed | None
    """None: the model cannot be used."""
    hole: str = ""
    """What the model filled in; empty: nothing."""
    device: str = ""
    """Where it runs, and with which recipe."""

    @property
    def passed(self) -> bool:
        """Whether the model can be used."""
        return all(check.level != "fail" for check in self.checks)


def accept(folder: Path, settings: Settings, report: Callable[[Check], None]) -> Acceptance:
    """Load a converted model and test it; each result is reported as soon as it is known.

    Args:
        folder: of the conversion.
        settings: device and threads are taken from these.
        report: is called with each result.

    Raises:
        MemoryShortError: there is not enough memory now, which says nothing about the model.
    """
    done: list[Check] = []

    def note(check: Check) -> None:
        done.append(check)
        report(check)

    try:
        return _accept(folder, settings, note, done)
    except MemoryShortError:
        raise
    except AideError as error:
        note(Check("fail", "Loading" if len(done) < 2 else "Completing", str(error)))
    return Acceptance(tuple(done), None)


def _accept(folder: Path, settings: Settings, note: Callable[[Check], None], done: list[Check]) -> Acceptance:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.engines.local import LoadedModel, LocalModel
    from aide_lsp.inference.onnx.model_folder import read_model_folder
    from aide_lsp.inference.onnx.open import open_session
    from aide_lsp.inference.onnx.runtime import thread_count
    from aide_lsp.inference.tokenizer import Tokenizer

    description = read_model_folder(folder)
    tokenizer = Tokenizer.from_file(folder / "tokenizer.json")
    # Before the weights are loaded, which takes longer.
    note(_markers(description.fim, tokenizer))
    session = open_session(folder, settings.provider, thread_count(settings.threads))
    try:
        finite, speed = _run(session, tokenizer)
    except MemoryShortError:
        raise
    # Choosing a token already notices most of what is not finite.
    except SessionError as error:
        finite, speed = Check("fail", "Logits", str(error)), None
    note(finite)
    if finite.level == "fail":
        return Acceptance(tuple(done), None)
    completer = Completer(
        LocalModel(LoadedModel(tokenizer, session, description), cache_mb=settings.cache_mb)
    )
    note(_same_seed(completer, settings))
    filled = _complete(completer, settings, temperature=0.0)
    note(_filled(filled, description.fim))
    hole = filled.text.strip().partition("\n")[0][:200]
    return Acceptance(tuple(done), speed, hole, completer.info.runs_on)


def _markers(fim: str | None, tokenizer: "Tokenizer") -> Check:
    from aide_lsp.completion.fim_template import open_format

    # Raises ModelFilesError if the vocabulary has no token of one of these names.
    template = open_format(fim, tokenizer)
    markers = template.format.control_tokens
    if not markers:
        return Check("ok", "FIM markers", "none: the model continues the text before the cursor")
    # What users write must never become a marker.
    if any(template.ids[marker] in tokenizer.encode(marker) for marker in markers):
        return Check("fail", "FIM markers", "text that looks like a marker becomes one")
    return Check("ok", "FIM markers", f"one token each: {' '.join(markers)}")


def _run(session: "Session", tokenizer: "Tokenizer") -> tuple[Check, Speed]:
    """Run a prompt and generate after it."""
    ids = tokenizer.encode(inspect.getsource(argparse)[:8000])
    count = min(PROMPT_TOKENS, len(ids), max(1, session.context_length // 2))
    bench = SpeedBench(session, ids)
    # Once before it is timed: the first forward allocates.
    bench.prefill(min(16, count))()
    prefill = _seconds(bench.prefill(count))
    logits = session.full_logits()
    finite = bool(np.isfinite(logits).all())
    generated = min(GENERATED_TOKENS, max(1, session.context_length - count - 1))
    generation = _seconds(bench.decode(count, generated))
    speed = Speed(count / max(prefill, 1e-6), generated / max(generation, 1e-6))
    if finite:
        return Check("ok", "Logits", f"all {logits.size:,} are finite after {count} tokens"), speed
    bad = logits.size - int(np.isfinite(logits).sum())
    return Check("fail", "Logits", f"{bad:,} of {logits.size:,} are not finite after {count} tokens"), speed


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _same_seed(completer: "Completer", settings: Settings) -> Check:
    """Complete with one seed, with a cold and a warm KV cache."""
    cold, warm = (_complete(completer, settings, temperature=1.0) for _ in range(2))
    if (cold.text, cold.generated_tokens) == (warm.text, warm.generated_tokens):
        return Check("ok", "Same seed", "the same bytes twice")
    return Check(
        "warn",
        "Same seed",
        "two different completions: a seed promises nothing with this model. Please report this",
    )


def _filled(filled: "Completion", fim: str | None) -> Check:
    text = filled.text.strip()
    # Its vocabulary may have the tokens of a format that the model was not trained with.
    advice = "" if fim in (None, "prefix") else f" {ANOTHER_FORMAT}"
    if not text:
        reason = filled.empty_message or "The model ended at once."
        return Check("warn", "Known hole", f"not filled: {reason}{advice}")
    first = f"`return {CURSOR}` was filled with `{text.partition(chr(10))[0][:100]}`"
    if FILLING in text.partition("\n")[0]:
        return Check("ok", "Known hole", first)
    return Check("warn", "Known hole", f"{first}; expected `{FILLING}`.{advice}")


def _complete(completer: "Completer", settings: Settings, temperature: float) -> "Completion":
    from aide_lsp.application import requests

    given = {
        "seed": 1,
        "temperature": temperature,
        "top_k": 50,
        "top_p": 1.0,
        "num_context": _context(completer),
    }
    settings = with_values(settings, given | {"show": "all", "min_confidence": 0.0})
    text, offset = HOLE.replace(CURSOR, ""), HOLE.index(CURSOR)
    request = requests.request_of(settings, text, offset, "", "python")
    # Otherwise the second one would come from there, and prove nothing.
    completer.clear_cache()
    # Without a deadline: what is tested is not how long it takes.
    request = request.with_options(deadline_ms=0, max_tokens=MOST_TOKENS)
    (completion,) = requests.complete(completer, settings, request)
    return completion


def _context(completer: "Completer") -> int:
    from aide_lsp.settings.limits import most_context

    return min(PROMPT_TOKENS, most_context(completer.info.context_length))
