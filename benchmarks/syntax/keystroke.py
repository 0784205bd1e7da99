"""The time that syntax trees add to a key: `python -m benchmarks.syntax.keystroke FOLDER ...`.

For each language, the file nearest to 2,000 lines is chosen, and lines in its middle are typed once more, key
by key. Each key takes a tree, what is open at the cursor, and a tree with a completion. A key in a new line
parses the file; the first one loads the grammar too. Checks are those of one text, once the model has written
it: of the rest of the line, and of the same with brackets that do not fit. Times are processor times.
"""

import argparse
import gc
import time
from collections.abc import Iterator
from pathlib import Path

from aide_lsp.infill.checks.find import find_misfit
from aide_lsp.infill.hole import read_hole
from aide_lsp.syntax.languages import LANGUAGES, Language
from aide_lsp.syntax.tree import SyntaxTree
from aide_lsp.syntax.trees import SyntaxTrees
from benchmarks.syntax.files import find_files, text_of

LINES = 2000
COMPLETION = "x"
MISFIT = "]) ("


def main() -> None:
    """Print percentiles for each language."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--languages", nargs="+", default=sorted(LANGUAGES))
    arguments = parser.parse_args()
    print("                                                    keys                 checks")
    print("language         characters   first  new line    p50    p95    max    p50    p95    max  ms")
    for name, files in find_files(arguments.folders, 40).items():
        text = _file_of(files)
        if name in arguments.languages and text:
            _measure(LANGUAGES[name], text, arguments.keys)


def _file_of(files: list[Path]) -> str:
    """Take the file with the number of lines nearest to LINES; empty: none has half of them."""
    texts = [text_of(file) for file in files]
    best = min(texts, key=lambda text: abs(text.count("\n") - LINES), default="")
    return best if best.count("\n") >= LINES // 2 else ""


def _measure(language: Language, text: str, keys: int) -> None:
    trees = SyntaxTrees()
    start = time.thread_time()
    trees.at(text, "", language)
    first = time.thread_time() - start
    same, new, checks = [], [], []
    for before, after, is_new in _keys(text, keys):
        gc.collect(0)
        start = time.thread_time()
        tree = trees.at(before, after, language)
        if tree is not None:
            tree.openings()
            tree.filled(COMPLETION)
        (new if is_new else same).append(time.thread_time() - start)
        rest = text[len(before) :].partition("\n")[0]
        checks.extend(_check(before, after, one, language, tree) for one in (rest, rest + MISFIT))
    every = sorted(same + new)
    keyed = (sorted(same)[len(same) // 2], every[len(every) * 95 // 100], every[-1])
    checked = [sorted(checks)[min(len(checks) * part // 100, len(checks) - 1)] for part in (50, 95, 100)]
    shown = " ".join(f"{1000 * one:6.2f}" for one in (*keyed, *checked))
    opened = sorted(new)[len(new) // 2]
    print(f"{language.id:16} {len(text):10} {1000 * first:7.1f}  {1000 * opened:8.1f} {shown}", flush=True)


def _check(before: str, after: str, text: str, language: Language, tree: SyntaxTree | None) -> float:
    here = language if tree is None else tree.language
    hole = read_hole(before, after, here, None if tree is None else tree.openings())
    start = time.thread_time()
    find_misfit(hole, before, after, text, tree)
    return time.thread_time() - start


def _keys(text: str, keys: int) -> Iterator[tuple[str, str, bool]]:
    """Type lines in the middle: yield the text before and after the cursor, and whether its line is new."""
    lines = text.split("\n")
    middle = len(lines) // 2
    for number in range(middle, len(lines)):
        before = "".join(f"{line}\n" for line in lines[:number])
        after = "".join(f"\n{line}" for line in lines[number + 1 :])
        for column in range(len(lines[number]) + 1):
            yield before + lines[number][:column], after, column == 0
            keys -= 1
            if not keys:
                return


if __name__ == "__main__":
    main()
