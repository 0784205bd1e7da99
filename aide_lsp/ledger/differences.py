"""Compare the inputs of a recorded completion with those of now, one by one.

They are: the text before and after the cursor, the lines of other files that the model read, model, recipe,
device, versions and parameters.
"""

from collections.abc import Callable, Iterator, Sequence

import attrs
from attrs import field, frozen

from aide_lsp.completion.file_header import says_little
from aide_lsp.context.excerpt import Excerpt, Selection
from aide_lsp.context.known_names import KnownNames
from aide_lsp.ledger.entry import (
    LABEL,
    MOST_EXCERPTS,
    SERVER_LABEL,
    UNKNOWN,
    Entry,
    Provenance,
    RecordedExcerpt,
    hash_of,
    recorded,
)
from aide_lsp.line_ends import with_line_feeds
from aide_lsp.settings.fields import PARAMETERS, check_value
from aide_lsp.settings.limits import ModelLimits


@frozen
class Difference:
    """An input that differs from the recorded one."""

    what: str
    "A short code for programs: `before`, `after`, `model`, `source_sha256`, `top_k`, ..."
    message: str
    "The same for people: the input, its recorded value, its value now."


def text_differences(entry: Entry, text: str, offset: int, salt: bytes) -> list[Difference]:
    """Compare a text and cursor with the recorded ones."""
    before, after = text[:offset], text[offset:]
    found = []
    if hash_of(before, salt) != entry.before_hash:
        found.append(_text_difference("before", "before the cursor", entry.offset, len(before)))
    if hash_of(after, salt) != entry.after_hash:
        found.append(_text_difference("after", "after the cursor", entry.after_length, len(after)))
    return found


def provenance_differences(entry: Entry, provenance: Provenance) -> list[Difference]:
    """Compare model, recipe, device and versions with the recorded ones."""
    found = []
    for one in attrs.fields(Provenance):
        what, label, unknown = one.name, one.metadata[LABEL], one.metadata[UNKNOWN]
        # A model here without `source_sha256` was not converted; a server may say nothing.
        if entry.provenance.host and one.metadata[SERVER_LABEL]:
            label, unknown = one.metadata[SERVER_LABEL], ""
        then, now = getattr(entry.provenance, what), getattr(provenance, what)
        if then != now and unknown not in (then, now):
            found.append(Difference(what, f"{label}: {_short(what, then)} then, {_short(what, now)} now"))
    return found


def parameter_differences(entry: Entry, limits: ModelLimits) -> list[Difference]:
    """List the parameters that the loaded model does not allow."""
    problems = {key: check_value(key, getattr(entry.parameters, key), limits) for key in PARAMETERS}
    return [Difference(key, f"{key}: {problem}") for key, problem in problems.items() if problem]


def path_differences(entry: Entry, text: str, path: str, salt: bytes) -> list[Difference]:
    """Name the path if it is another one and the file's name may be in the prompt."""
    reads_name = says_little(text) or any(one.first_line for one in entry.excerpts)
    if not reads_name or hash_of(path, salt) == entry.path_hash:
        return []
    return [Difference("path", "the file's path: the model read the file's name")]


@frozen
class OtherFiles:
    """The other files of the project, as they are now."""

    selection: Selection = field(factory=Selection)
    "What is chosen of them."
    text_of: Callable[[str], str | None] = lambda path: None
    "The text of one that is read; None: there is none. Its path is relative to the project."
    names: KnownNames | None = None
    "Of a module or type, of which one must come at the cursor."


def file_differences(
    entry: Entry, read: Sequence[Excerpt], files: OtherFiles, salt: bytes
) -> Iterator[Difference]:
    """Name the other files of which the model reads something else now.

    Args:
        entry: the recorded completion.
        read: what the model reads now.
        files: where that is from.
        salt: of the ledger's hashes.
    """
    now = tuple(recorded(excerpt, salt) for excerpt in read[:MOST_EXCERPTS])
    there = {*files.selection.files, *(one.path for one in (files.names.files if files.names else ()))}
    known = (*there, *(excerpt.path for excerpt in entry.full_excerpts or ()))
    names = {hash_of(path, salt): path for path in known}
    refused = {hash_of(one.path, salt): one for one in files.selection.left_out}
    for path_hash in dict.fromkeys(one.path_hash for one in (*entry.excerpts, *now)):
        one_then, one_now = _of(entry.excerpts, path_hash), _of(now, path_hash)
        name = names.get(path_hash)
        if one_then == one_now:
            continue
        if not path_hash:
            said = "other members of types in this file may come"
        elif path_hash in refused:
            said = f"{refused[path_hash].path} is not read now: {refused[path_hash].reason}"
        elif name is None or name not in there:
            said = f"{name or f'a file, whose name is not recorded (#{path_hash[:6]}),'} is missing"
        elif _has_changed(files.text_of(name), one_then, salt):
            said = f"{name} has changed since"
        else:
            said = f"{name}: {_lines(one_then)} then, {_lines(one_now)} now"
        yield Difference("file", said)


def _of(excerpts: Sequence[RecordedExcerpt], path_hash: str) -> list[RecordedExcerpt]:
    return sorted(
        (one for one in excerpts if one.path_hash == path_hash),
        key=lambda one: (one.first_line, one.text_hash),
    )


def _has_changed(text: str | None, then: Sequence[RecordedExcerpt], salt: bytes) -> bool:
    """Whether a file has other text now in the lines that were read."""
    lines = with_line_feeds(text or "").split("\n")
    for one in then:
        now = "\n".join(lines[one.first_line - 1 : one.last_line])
        # The last line of a file may have no end.
        if one.text_hash not in (hash_of(now, salt), hash_of(now + "\n", salt)):
            return True
    return False


def _lines(excerpts: Sequence[RecordedExcerpt]) -> str:
    ranges = ", ".join(f"{one.first_line}-{one.last_line}" for one in excerpts if one.first_line)
    names = "its names" if any(not one.first_line for one in excerpts) else ""
    return " and ".join(filter(None, (f"lines {ranges}" if ranges else "", names))) or "nothing"


def _text_difference(what: str, where: str, then: int, now: int) -> Difference:
    lengths = f"{then} characters then, {now} now" if then != now else f"{then} characters then and now"
    return Difference(what, f"the text {where}: {lengths}")


def _short(what: str, value: str) -> str:
    shown = value[:12] if what == "source_sha256" else value
    return shown or "none"
