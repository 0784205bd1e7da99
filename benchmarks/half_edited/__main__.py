"""Puts real files into states in which they are edited, and counts what is shown there, without a model.

What a model would generate is what the author wrote, and that with one mistake in it.

    python -m benchmarks.half_edited --per-language 80
"""

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator

from aide_lsp.completion.fitting import Checked, check, surroundings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.infill.stopping import break_off, find_stop
from aide_lsp.settings.fields import Settings
from aide_lsp.syntax.languages import language_of
from aide_lsp.syntax.trees import SyntaxTrees
from benchmarks.half_edited.places import all_places
from benchmarks.half_edited.states import Edited, sample
from benchmarks.real_code.formats import FORMATS
from benchmarks.real_code.holes import rank
from benchmarks.real_code.walk import add_cache_option

OPTIONS = GenerationOptions(parameters=Settings().parameters, max_tokens=Settings().max_tokens)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    options = parse(arguments)
    trees, rejected, total = SyntaxTrees(), Counter[str](), Counter[str]()
    found: dict[str, list[bool]] = defaultdict(list)
    for item in sample(all_places(not options.held_out, options.cache), options.per_language):
        checked = generated(item, item.truth, trees)
        total[item.state] += 1
        if checked.rejection:
            rejected[item.state] += 1
            if options.show:
                show(item, checked)
        for name, text in mistakes(item):
            wrong = generated(item, text, trees)
            # The mistake may be in what is cut off.
            if wrong.cleaned.text.startswith(text.partition("\n")[0].rstrip()[:-1] or "\n"):
                found[name].append(wrong.rejection is not None)
    print("| state of the file | places | what the author wrote is not shown |\n|---|---:|---:|")
    for state in (*total, "all"):
        all_of = (total.total(), rejected.total()) if state == "all" else (total[state], rejected[state])
        print(f"| {state} | {all_of[0]} | {all_of[1]} |")
    print("\n| with a mistake | shown or not | not shown |\n|---|---:|---:|")
    for name, verdicts in found.items():
        print(f"| {name} | {len(verdicts)} | {sum(verdicts) / len(verdicts):.0%} |")
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.half_edited", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("--per-language", type=int, default=80, help="places in each language, in order of hash [80]")
    add("--held-out", action="store_true", help="use the projects that no choice was made on")
    add("--show", action="store_true", help="print every place where the author's text is not shown")
    add_cache_option(parser)
    return parser.parse_args(arguments)


def generated(item: Edited, text: str, trees: SyntaxTrees) -> Checked:
    """Return what is kept of a generated text, which goes on where it ends."""
    path = item.id.split(":")[1]
    around = surroundings(item.before, item.after, language_of(item.language, path), trees)
    stop = find_stop(around.hole, text) or break_off(around.hole, text)
    rated = [(0, 0.0), (len(text), 0.0)]
    return check(around, text, stop, rated, OPTIONS, lambda stage: None)


def mistakes(item: Edited) -> Iterator[tuple[str, str]]:
    """Yield the author's text with one mistake in its first line, in languages of code."""
    line, _, below = item.truth.partition("\n")
    line, pick = line.rstrip(), int(rank(item.id)[:8], 16)
    if not line or item.language in FORMATS or item.kind in ("comment", "string"):
        return
    brackets = [match.start() for match in re.finditer(r"[()\[\]{}]", line)]
    words = list(re.finditer(r"\w+", line))
    string = re.search(r"([\"'])[^\"'\n]{3,}\1", line)
    wrong = {"a `)` too many": line + ")"}
    if brackets:
        at = brackets[pick % len(brackets)]
        wrong["a bracket missing"] = line[:at] + line[at + 1 :]
    if words:
        word = words[pick % len(words)]
        wrong["a word twice"] = f"{line[: word.end()]} {word.group()}{line[word.end() :]}"
        wrong["a `+` at the end"] = line.rstrip(";,{:") + " +"
        wrong["no `;` or `{` at the end"] = line.rstrip(";,{:")
    if string:
        wrong["a string without end"] = line[: string.end() - 2]
    yield from ((name, f"{text}\n{below}") for name, text in wrong.items() if text != line)


def show(item: Edited, checked: Checked) -> None:
    """Print a place, and what is not shown there."""
    reason = checked.rejection.message if checked.rejection else ""
    print(f"=== {item.language}, {item.kind}, {item.state}: {reason}")
    before, after = "\n".join(item.before.split("\n")[-6:]), "\n".join(item.after.split("\n")[:5])
    print(f"{before}⟦{checked.cleaned.text}⟧{after}")


if __name__ == "__main__":
    sys.exit(main())
