"""Look for new counterexamples to the property tests for some time: `make search MINUTES=60`.

Runs rounds of all property tests that need no real model and no GPU, each with its own seed. Prints every
failing example as an `@example` to paste, and exits with status 1 if there was one. A test that failed is
left out of later rounds. The same seed repeats the same rounds.
"""

import argparse
import random
import re
import subprocess
import sys
import time
from pathlib import Path

PYTEST = (
    *(sys.executable, "-m", "pytest", "-q", "-m", "hypothesis and not gpu and not real_model"),
    *("-p", "no:cacheprovider", "-p", "tests.properties", "-c", "pyproject.toml"),
    *("--no-header", "--hypothesis-profile=search", "--hypothesis-show-statistics"),
)
TRIED = re.compile(r"^ +- (\d+) passing, (\d+) failing, and (\d+) invalid", re.MULTILINE)
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+?::\S+|\S+)", re.MULTILINE)


def main() -> int:
    """Run rounds until the time is up."""
    options = arguments()
    end = time.monotonic() + options.minutes * 60
    failed: list[str] = []
    tried, number = 0, 0
    while number == 0 or time.monotonic() < end:
        seed = options.seed + number
        output, found = run_round(seed, failed, options.tests)
        tried += (here := sum(int(count) for counts in TRIED.findall(output) for count in counts))
        number += 1
        print(f"Round {number}, seed {seed}: {here:,} examples, {len(found)} new failures.", flush=True)
        if found:
            print(output.partition("= Hypothesis Statistics =")[0], flush=True)
        failed += found
    print(f"{number} rounds from seed {options.seed}, {tried:,} examples, {len(failed)} failing tests.")
    for test in failed:
        print(f"  {test}")
    return 1 if failed else 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make search", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("tests", nargs="*", default=["tests"], help="Files or tests to search in.")
    return parser.parse_args()


def run_round(seed: int, failed: list[str], tests: list[str]) -> tuple[str, list[str]]:
    """Run the tests once; return what pytest printed, and which tests failed."""
    without = [f"--deselect={test}" for test in failed]
    command = [*PYTEST, f"--hypothesis-seed={seed}", *without, *tests]
    root = Path(__file__).parents[1]
    run = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    found = FAILED.findall(run.stdout)
    if run.returncode not in (0, 1) or (run.returncode and not found):
        raise SystemExit(f"{run.stdout}\nThe tests cannot be run (pytest ended with {run.returncode}).")
    return run.stdout, found


if __name__ == "__main__":
    sys.exit(main())
