"""An explanation as text for a terminal, at most 100 columns wide.

Source text is escaped, so that it cannot control the terminal.
"""

import json
import textwrap
from collections.abc import Iterator

from aide_lsp.completion.step import Step
from aide_lsp.explain.explained_prompt import (
    Cut,
    ExplainedFiles,
    ExplainedPart,
    ExplainedPrompt,
    UnreadExcerpt,
)
from aide_lsp.explain.explanation import Explanation, Token
from aide_lsp.invisible import escaped
from aide_lsp.line_ends import with_line_feeds
from aide_lsp.settings.fields import label
from aide_lsp.settings.report import parameters_line

WIDTH = 100
TOKEN_WIDTH = 22
RUNNER_WIDTH = 14
MOST_LEFT_OUT = 6
"""Files that are named for each reason; the others are counted."""
PART_NAMES = {
    "project": "the project's name",
    "path": "a file's name",
    "excerpt": "lines of another file",
    "header": "the file's name",
    "prefix": "text before the cursor",
    "suffix": "text after the cursor",
}


def report(explanation: Explanation) -> str:
    """Return the explanation as text."""
    sections = (
        _title(explanation),
        _prompt(explanation.prompt),
        _other_files(explanation.prompt),
        _tokens(explanation),
        _end(explanation),
        _stages(explanation),
    )
    return "\n\n".join("\n".join(section) for section in sections)


def quoted(text: str, width: int) -> str:
    """Return a text in quotes on one line, truncated to a width, with invisible characters escaped."""
    # JSON escapes quotes, but these are not the ones around the text.
    shown = escaped(json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"'))
    width -= 2
    return f"“{shown if len(shown) <= width else shown[: width - 1] + '…'}”"


def _title(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.path}:{explanation.line}:{explanation.column} · {explanation.model}"
    yield parameters_line(explanation.completion.parameters)
    if explanation.host:
        yield f"Text was sent to {explanation.host}."
    if explanation.ignored:
        yield f"Without effect there: {', '.join(map(label, explanation.ignored))}."
    if explanation.host and not explanation.replays:
        yield "The same seed may give another completion there."


def _prompt(prompt: ExplainedPrompt) -> Iterator[str]:
    yield f"PROMPT   {prompt.tokens} tokens, format {prompt.format}"
    for part in prompt.parts:
        lines = part.text.count("\n") + (not part.text.endswith("\n") and bool(part.text))
        noun = "token" if part.tokens == 1 else "tokens"
        size = f"{_count(len(part.text), 'character'):>19} in {_count(lines, 'line')}"
        size = "" if part.kind == "control" else size
        yield f"  {PART_NAMES.get(part.kind, part.text):<26}{part.tokens:6} {noun:<6}{size}".rstrip()
    yield f"  Cut off: {_cut(prompt.cut_above)} above, {_cut(prompt.cut_below)} below."
    if prompt.given_back:
        yield (
            f"  Token healing: {quoted(prompt.given_back, 30)} is not in the prompt but generated again, "
            "in complete tokens."
        )
    if prompt.closers:
        yield f"  Closers: {quoted(prompt.closers, 30)} is not in the prompt; the model writes it itself."


def _other_files(prompt: ExplainedPrompt) -> Iterator[str]:
    files = prompt.other_files
    yield f"FILES    {files.says}"
    excerpts = [part for part in prompt.parts if part.kind == "excerpt"]
    for part in excerpts:
        yield f"{part.tokens:8} tokens  score {part.score:5.2f}  {_lines_of(part)}"
    for one in files.unread:
        yield f"     did not fit  score {one.score:5.2f}  {_lines_of(one)}"
    if files.context_share and excerpts:
        allowed = int(prompt.num_context * files.context_share)
        yield f"  {files.tokens} tokens with names, of {allowed} (context_share {files.context_share:g})."
    if files.names:
        first, more = escaped(files.names_from[0]), len(files.names_from) - 1
        where = f"{first} and {_count(more, 'more file')}" if more else first
        names = _count(len(files.names), "name")
        yield from _wrapped(
            f"One of the {names} of {where} had to come at the cursor: only tokens that lead there came."
        )
    for reason, paths in _by_reason(files).items():
        more = len(paths) - MOST_LEFT_OUT
        named = ", ".join(map(escaped, paths[:MOST_LEFT_OUT])) + (f", and {more} more" if more > 0 else "")
        yield from _wrapped(f"Left out: {named} ({reason})")


def _lines_of(excerpt: ExplainedPart | UnreadExcerpt) -> str:
    return f"{escaped(excerpt.path or '')}:{excerpt.first_line}-{excerpt.last_line}"


def _by_reason(files: ExplainedFiles) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in files.left_out:
        found.setdefault(one.reason, []).append(one.path)
    return found


def _tokens(explanation: Explanation) -> Iterator[str]:
    if explanation.why_no_tokens:
        yield "TEXT"
        yield from (f"  {escaped(line)}" for line in with_line_feeds(explanation.completion.text).split("\n"))
        yield ""
        yield "TOKENS   not known"
        yield from _wrapped(explanation.why_no_tokens)
        return
    yield f"TOKENS   {len(explanation.tokens)} drawn from a vocabulary of {explanation.vocabulary:,}"
    yield (
        f"   #  {'token':<{TOKEN_WIDTH}} {'drawn':>6} {'model':>6} {'rank':>5} {'K':>6} {'P':>5}"
        f" {'bits':>5}  runners-up"
    )
    for number, token in enumerate(explanation.tokens, 1):
        yield _token_line(number, token)
    kinds = {piece.kind for token in explanation.tokens for piece in token.pieces}
    yield "  drawn: probability when drawn, after all parameters. model: probability by the model. K, P:"
    yield "  tokens left by Top K and Top P. bits: entropy when drawn. runners-up: most likely by the model."
    if "given-back" in kinds:
        yield "  ‹ token healing: repeats text before the cursor; only matching tokens could be drawn."
    if any(token.step.own for token in explanation.tokens):
        yield "    The model foresees no token that matches, so text is repeated in its own tokens."
    if "typed" in kinds:
        yield "  ✓ typed or accepted since."
    if "dropped" in kinds:
        yield "  × generated, but not shown: see END."


def _token_line(number: int, token: Token) -> str:
    step = token.step
    runners = ""
    for runner in step.runners_up:
        more = f"  {quoted(runner.text, RUNNER_WIDTH)} {_percent(runner.raw_probability)}"
        # The columns before take 67 characters.
        if len(runners) + len(more) > WIDTH - 67:
            break
        runners += more
    return (
        f"{number:4}{_mark(token)} {quoted(step.text, TOKEN_WIDTH):<{TOKEN_WIDTH}}"
        f" {_percent(step.probability):>6} {_percent(step.raw_probability):>6} {step.rank:5}"
        f" {step.after_top_k:6} {_left(step):>5} {step.entropy:5.2f}{runners}"
    )


def _left(step: Step) -> str:
    # A forced token is not one of those that Top P left.
    return "-" if step.forced else str(step.after_top_p)


def _mark(token: Token) -> str:
    kinds = {piece.kind for piece in token.pieces}
    if token.step.ends:
        return "."
    marks = {"given-back": "‹", "typed": "✓"}
    return next((mark for kind, mark in marks.items() if kind in kinds), "×" if kinds == {"dropped"} else " ")


def _end(explanation: Explanation) -> Iterator[str]:
    end = explanation.end
    rule = f"stop rule {end.rule}" if end.rule else end.finish_reason
    yield f"END      {rule}"
    yield from _wrapped(end.says)
    if end.dropped:
        yield f"  Not kept: {quoted(end.dropped, 80)}"
    yield from _wrapped(f"Clean-up: {end.clean_up}")
    yield from _wrapped(f"Checks: {end.check}")
    for rejected in explanation.rejected:
        yield from _wrapped(f"Candidate {rejected.candidate} was not shown. {rejected.says}")


def _stages(explanation: Explanation) -> Iterator[str]:
    total = sum(stage.ms for stage in explanation.stages)
    yield f"TIME     {total:.1f} ms on {explanation.device}"
    for stage in explanation.stages:
        share = stage.ms / total if total else 0.0
        yield f"  {stage.name:<12}{stage.ms:9.1f} ms  {'█' * round(share * 40)}"
    later = [token.step.ms for token in explanation.tokens[1:]]
    if later:
        yield f"  {sum(later) / len(later):.1f} ms for each token after the first"


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")


def _cut(cut: Cut) -> str:
    return (
        f"{_count(cut.characters, 'character')} ({_count(cut.lines, 'line')})"
        if cut.characters
        else "nothing"
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' if number != 1 else ''}"


def _percent(share: float) -> str:
    # From 0.0005 on a share is rounded up to 0.1%; "0.0%" would look like an excluded token.
    return f"{share * 100:.1f}%" if share >= 0.0005 or not share else "<0.1%"
