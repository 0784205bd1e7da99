"""An explanation as text for a terminal, at most 100 columns wide.

In: an `Explanation`. Out: text. Whatever the source holds is shown so that it cannot steer a terminal.
It does not know how the figures came about.
"""

import json
import textwrap
from collections.abc import Iterator

from aide_lsp.explain.explanation import Cut, Explanation, Prompt, Token
from aide_lsp.explain.step import Step
from aide_lsp.invisible import escaped
from aide_lsp.settings.report import parameters_line

WIDTH = 100
TOKEN_WIDTH = 22
RUNNER_WIDTH = 14
PART_NAMES = {"prefix": "text left of the cursor", "suffix": "text right of the cursor"}


def report(explanation: Explanation) -> str:
    """Return the explanation as text."""
    sections = (
        _title(explanation),
        _prompt(explanation.prompt),
        _tokens(explanation),
        _end(explanation),
        _stages(explanation),
    )
    return "\n\n".join("\n".join(section) for section in sections)


def quoted(text: str, width: int) -> str:
    """Return a text between quotes on one line, cut to a width; what does not show is escaped."""
    shown = escaped(json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"'))
    room = width - 2
    return f"“{shown if len(shown) <= room else shown[: room - 1] + '…'}”"


def _title(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.path}:{explanation.line}:{explanation.column} · {explanation.model}"
    yield parameters_line(explanation.completion.parameters)


def _prompt(prompt: Prompt) -> Iterator[str]:
    yield f"PROMPT   {prompt.tokens} tokens, format {prompt.format}"
    for part in prompt.parts:
        lines = part.text.count("\n") + (not part.text.endswith("\n") and bool(part.text))
        size = "" if part.kind == "control" else f"{len(part.text):8,} characters in {_lines(lines)}"
        yield f"  {PART_NAMES.get(part.kind, part.text):<26}{part.tokens:6} tokens{size}"
    yield f"  Cut off: {_cut(prompt.cut_above)} above, {_cut(prompt.cut_below)} below."
    if prompt.given_back:
        yield (
            f"  Given back: the model writes {quoted(prompt.given_back, 30)} once more, "
            "so that it begins with whole tokens."
        )


def _tokens(explanation: Explanation) -> Iterator[str]:
    yield f"TOKENS   {len(explanation.tokens)} drawn from a vocabulary of {explanation.vocabulary:,}"
    yield (
        f"   #  {'token':<{TOKEN_WIDTH}} {'drawn':>6} {'model':>6} {'rank':>5} {'K':>6} {'P':>5}"
        f" {'bits':>5}  runners-up"
    )
    for number, token in enumerate(explanation.tokens, 1):
        yield _token_line(number, token)
    kinds = {piece.kind for token in explanation.tokens for piece in token.pieces}
    yield "  drawn: probability after all parameters. model: the model's own. K, P: tokens that Top K and"
    yield "  Top P left. bits: doubt (entropy) when drawing. runners-up: by the model's own probability."
    if "given-back" in kinds:
        yield "  ‹ stands left of the cursor already: only tokens that go on so could be drawn."
    if "dropped" in kinds:
        yield "  × was written, but is not shown: see END."


def _token_line(number: int, token: Token) -> str:
    step = token.step
    runners = ""
    for runner in step.runners_up:
        more = f"  {quoted(runner.text, RUNNER_WIDTH)} {_percent(runner.raw_probability)}"
        if len(runners) + len(more) > WIDTH - 67:
            break
        runners += more
    return (
        f"{number:4}{_mark(token)} {quoted(step.text, TOKEN_WIDTH):<{TOKEN_WIDTH}}"
        f" {_percent(step.probability):>6} {_percent(step.raw_probability):>6} {step.rank:5}"
        f" {step.after_top_k:6} {_left(step):>5} {step.entropy:5.2f}{runners}"
    )


def _left(step: Step) -> str:
    return "-" if step.forced else str(step.after_top_p)


def _mark(token: Token) -> str:
    kinds = {piece.kind for piece in token.pieces}
    if token.step.ends:
        return "."
    return "‹" if "given-back" in kinds else "×" if kinds == {"dropped"} else " "


def _end(explanation: Explanation) -> Iterator[str]:
    end = explanation.end
    rule = f"stop rule {end.rule}" if end.rule else end.finish_reason
    yield f"END      {rule}"
    yield from _wrapped(end.says)
    if end.dropped:
        yield f"  Not kept: {quoted(end.dropped, 80)}"
    yield from _wrapped(f"Clean-up: {end.clean_up}")


def _stages(explanation: Explanation) -> Iterator[str]:
    total = sum(stage.ms for stage in explanation.stages)
    yield f"TIME     {total:.1f} ms on {explanation.device}"
    for stage in explanation.stages:
        share = stage.ms / total if total else 0.0
        yield f"  {stage.name:<12}{stage.ms:9.1f} ms  {'█' * round(share * 40)}"
    written = [token.step.ms for token in explanation.tokens[1:]]
    if written:
        yield f"  {sum(written) / len(written):.1f} ms for each token behind the first"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _cut(cut: Cut) -> str:
    return f"{cut.characters:,} characters ({_lines(cut.lines)})" if cut.characters else "nothing"


def _lines(count: int) -> str:
    return f"{count:,} line{'s' if count != 1 else ''}"


def _percent(share: float) -> str:
    return f"{share * 100:.1f}%" if share >= 0.0005 or not share else "<0.1%"
