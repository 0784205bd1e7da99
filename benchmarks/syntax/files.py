"""Source files of this machine, by language: the same ones every time, as far as the machine is the same."""

import os
import random
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from aide_lsp.language_ids.table import SUFFIXES
from aide_lsp.syntax.languages import LANGUAGES

SMALLEST, LARGEST = 500, 100_000
MOST_SEEN = 20_000
"""Files of one language that are looked at."""


def find_files(folders: Iterable[Path], count: int) -> dict[str, list[Path]]:
    """Choose files of each language that has a grammar, at random but always alike."""
    found: dict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        for root, subfolders, names in os.walk(folder):
            subfolders.sort()
            for name in sorted(names):
                language = SUFFIXES.get(Path(name).suffix.lower(), "")
                if language in LANGUAGES and LANGUAGES[language].grammar and len(found[language]) < MOST_SEEN:
                    found[language].append(Path(root, name))
    return {language: _chosen(files, count) for language, files in sorted(found.items()) if files}


def _chosen(files: list[Path], count: int) -> list[Path]:
    random.Random(1).shuffle(files)
    chosen, seen = [], set()
    for file in files:
        if len(chosen) == count:
            break
        if file.is_symlink() or not SMALLEST <= file.stat().st_size <= LARGEST:
            continue
        digest = sha256(file.read_bytes()).digest()
        if digest not in seen:
            seen.add(digest)
            chosen.append(file)
    return chosen


def text_of(file: Path) -> str:
    """Read a file as the parser gets it."""
    return file.read_bytes().decode(errors="replace").replace("\r\n", "\n").replace("\r", "\n")
