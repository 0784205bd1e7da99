"""Measures what an even number of rows costs, which keeps the bits of a forward's result the same.

Forwards of 1 to 6 rows after 544 tokens take turns, so that a busy moment affects all of them. The program
prints the shortest time of each, and how much longer the even number above each odd one takes.
"""

import argparse
import random
import time
from collections.abc import Sequence
from statistics import median

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.session import Session
from aide_lsp.loading import model_folder
from aide_lsp.settings.fields import Settings

PAST, ROWS, REPEAT = 544, (1, 2, 3, 4, 5, 6), 60


def measure(session: Session) -> dict[int, list[float]]:
    """Return milliseconds by number of rows."""
    chance, cancel = random.Random(1), CancelToken()
    ids = [chance.randrange(session.vocab_size) for _ in range(PAST + max(ROWS))]
    session.forward(ids[:PAST], 0, [PAST - 1], cancel)
    times: dict[int, list[float]] = {rows: [] for rows in ROWS}
    for _ in range(REPEAT):
        for rows in chance.sample(ROWS, len(ROWS)):
            started = time.perf_counter()
            session.forward(ids[PAST : PAST + rows], PAST, [rows - 1], cancel)
            times[rows].append((time.perf_counter() - started) * 1e3)
    return times


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the recipes named, or both."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.even_rows",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("recipes", nargs="*", default=["exact", "fast"], help="recipes [exact fast]")
    for recipe in parser.parse_args(arguments).recipes:
        folder = model_folder(Settings(recipe=recipe, provider="cpu"), lambda share, sentence: None)
        times = measure(open_session(folder, "cpu"))
        for odd in (1, 3, 5):
            least, more = min(times[odd]), min(times[odd + 1])
            print(
                f"{recipe}: {odd} rows {least:.1f} ms (median {median(times[odd]):.1f}), {odd + 1} rows"
                f" {more:.1f} ms (median {median(times[odd + 1]):.1f}): {more / least - 1:+.0%}"
            )


if __name__ == "__main__":
    main()
