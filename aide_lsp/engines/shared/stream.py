"""The lines of the stream with which an engine answers `generate`: one JSON object each.

`{"rendered": ...}` and `{"step": ..., "text": ..., "stages": ...}` come only if they were asked for, each
step before the text of its token. `{"text": ...}` has a piece of text and what it has cost so far, since a
reader whose stop rule ends the text never sees the end. `{"end": ...}` or `{"error": ...}` is last.
"""

from collections.abc import Mapping
from typing import Any

import attrs
from attrs import field, frozen

from aide_lsp.completion.model import TextGeneration
from aide_lsp.completion.observer import RenderedPiece, RenderedPrompt
from aide_lsp.completion.prompt import PromptPart
from aide_lsp.completion.step import Candidate, Step
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.engines.shared.wire import WireError, from_error, from_timings, to_error, to_timings
from aide_lsp.inference.observer import Timings

FINISH_REASONS = ("stop", "length", "timeout")
MOST_PIECES = 20_000
MOST_CANDIDATES = 1000
MOST_BITS = 63
"""Of a whole number."""


@frozen
class GenerationProgress:
    """How far a generation is."""

    finish_reason: str | None
    log_probability: float
    timings: Timings
    text: str = field(default="", repr=False)


def text_line(piece: str, generation: TextGeneration) -> dict[str, Any]:
    """Return the line for a piece of text, right after the generation has yielded it."""
    return {"text": piece, **_progress(generation)}


def end_line(generation: TextGeneration) -> dict[str, Any]:
    """Return the last line of a generation that has ended."""
    return {"end": _progress(generation)}


def error_line(error: Exception) -> dict[str, Any]:
    """Return the last line of a generation that has failed."""
    return {"error": from_error(error)}


def rendered_line(rendered: RenderedPrompt) -> dict[str, Any]:
    """Return the line that says how the model reads the prompt."""
    pieces = [_from_piece(piece) for piece in rendered.pieces]
    return {
        "rendered": {
            "format": rendered.format,
            "pieces": pieces,
            "healed_tokens": rendered.healed_tokens,
        }
    }


def step_line(step: Step, text: str, stages: Mapping[str, float]) -> dict[str, Any]:
    """Return the line for a token: its step, the text that it completes, milliseconds of stages."""
    return {"step": attrs.asdict(step), "text": text, "stages": dict(stages)}


def to_progress(line: Mapping[str, Any]) -> GenerationProgress:
    """Return what a line for a piece of text, or the value of `end`, says.

    Raises:
        WireError: it is none.
    """
    reason, text = line.get("finish_reason"), line.get("text", "")
    if reason is not None and reason not in FINISH_REASONS:
        raise WireError("finish_reason: expected one of " + ", ".join(FINISH_REASONS) + ".")
    if not isinstance(text, str):
        raise WireError("text: expected a string.")
    rated: Any = line.get("log_probability")
    if not _is(rated, float):
        raise WireError("log_probability: expected a number.")
    return GenerationProgress(reason, float(rated), to_timings(line.get("timings")), text)


def to_line_error(line: Mapping[str, Any]) -> Exception:
    """Return the error of a line that has one.

    Raises:
        WireError: it is none.
    """
    return to_error(line.get("error"))


def to_rendered(data: Any, excerpts: Mapping[tuple[str, int], Excerpt]) -> RenderedPrompt:
    """Return the prompt of a line; its excerpts are those that were sent, by path and first line.

    Raises:
        WireError: it is none.
    """
    if not isinstance(data, dict) or not isinstance(data.get("pieces"), list):
        raise WireError("rendered: expected a prompt.")
    if len(data["pieces"]) > MOST_PIECES:
        raise WireError(f"rendered.pieces: expected at most {MOST_PIECES:,}.")
    pieces = tuple(_to_piece(piece, excerpts) for piece in data["pieces"])
    name: Any = data.get("format")
    healed: Any = data.get("healed_tokens")
    if not isinstance(name, str) or not _is(healed, int):
        raise WireError("rendered: expected a format and a number of tokens.")
    return RenderedPrompt(name, pieces, healed, None, {}, frozenset())


def to_step(line: Mapping[str, Any]) -> tuple[Step, str, dict[str, float]]:
    """Return the step of a line, the text that its token completes, and the milliseconds of stages so far.

    Raises:
        WireError: it has none.
    """
    step, text, stages = _step(line.get("step")), line.get("text"), line.get("stages")
    if not isinstance(text, str):
        raise WireError("text: expected a string.")
    if not isinstance(stages, dict) or not all(_is(ms, float) for ms in stages.values()):
        raise WireError("stages: expected milliseconds.")
    return step, text, {name: float(ms) for name, ms in stages.items()}


def _progress(generation: TextGeneration) -> dict[str, Any]:
    return {
        "finish_reason": generation.finish_reason,
        "log_probability": generation.log_probability,
        "timings": from_timings(generation.timings),
    }


def _from_piece(piece: RenderedPiece) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": piece.kind, "text": piece.text, "tokens": piece.tokens}
    if piece.excerpt is not None:
        data["excerpt"] = [piece.excerpt.path, piece.excerpt.first_line]
    return data


def _to_piece(data: Any, excerpts: Mapping[tuple[str, int], Excerpt]) -> RenderedPiece:
    if not isinstance(data, dict):
        raise WireError("rendered.pieces: expected objects.")
    kind, text, at = data.get("kind"), data.get("text"), data.get("excerpt")
    tokens: Any = data.get("tokens")
    if not isinstance(kind, str) or not isinstance(text, str) or not _is(tokens, int):
        raise WireError("rendered.pieces: expected a kind, a text, and a number of tokens.")
    where = tuple(at) if isinstance(at, list) and all(isinstance(one, str | int) for one in at) else ()
    return RenderedPiece(kind, text, tokens, excerpts.get(where) if len(where) == 2 else None)


def excerpts_by_place(parts: tuple[PromptPart, ...]) -> dict[tuple[str, int], Excerpt]:
    """Return the excerpts of a prompt's parts by path and first line."""
    found = [part.excerpt for part in parts if part.excerpt is not None]
    return {(one.path, one.first_line): one for one in found}


def _step(data: Any) -> Step:
    values = _values(Step, data)
    for name in ("runners_up", "candidates"):
        values[name] = tuple(Candidate(**_values(Candidate, one)) for one in _list(data, name))
    values["log_mass"] = _floats(_list(data, "log_mass"))
    over = data.get("log_mass_top_k")
    values["log_mass_top_k"] = None if over is None else _floats(_list(data, "log_mass_top_k"))
    return Step(**values)


_COMPOSED = ("runners_up", "candidates", "log_mass", "log_mass_top_k")


def _values(kind: type[attrs.AttrsInstance], data: Any) -> dict[str, Any]:
    """Return the plain fields of a step or of a candidate."""
    if not isinstance(data, dict):
        raise WireError("step: expected an object.")
    values: dict[str, Any] = {}
    for attribute in attrs.fields(kind):
        if attribute.name in _COMPOSED:
            continue
        value = data.get(attribute.name)
        is_optional = attribute.name == "after_beginning" and value is None
        wanted: Any = int if attribute.name == "after_beginning" else attribute.type
        if not is_optional and not _is(value, wanted):
            raise WireError(f"step.{attribute.name}: expected another type.")
        values[attribute.name] = float(value) if wanted is float else value  # type: ignore[arg-type]
    return values


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    if not isinstance(value, list) or len(value) > MOST_CANDIDATES:
        raise WireError(f"step.{name}: expected a list.")
    return value


def _floats(values: list[Any]) -> tuple[float, ...]:
    if not all(_is(value, float) for value in values):
        raise WireError("step: expected numbers.")
    return tuple(map(float, values))


def _is(value: Any, kind: Any) -> bool:
    """Whether a value has a type; a boolean is no number, and a whole number can be one with a fraction."""
    if isinstance(value, bool):
        return kind is bool
    # JSON has numbers of any size, and a fraction cannot be as large.
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return False
    return isinstance(value, (int, float) if kind is float else kind)
