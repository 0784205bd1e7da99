"""Generate a completion of the ledger again, and report which inputs differ from the recorded ones.

Inputs are compared one by one: the text before and after the cursor, model, recipe, device, versions and
parameters.
"""

from typing import TYPE_CHECKING

from attrs import frozen

from aide_lsp.completion.file_header import says_little
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.ledger.entry import Entry, Provenance, hash_of, provenance_of
from aide_lsp.settings.fields import FIELDS, PARAMETERS, check_value
from aide_lsp.settings.limits import ModelLimits

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer

_PROVENANCE = {
    "model": "the model",
    "source_sha256": "the model's file (sha256)",
    "recipe": "the recipe",
    "device": "the device",
    "runtime": "the version of ONNX Runtime",
    "aide": "the version of Aide",
}

BROKEN = "This should not happen. `aide doctor` checks whether results are reproducible on this machine."
UNSEEDED = "This model does not give the same completion each time, even with the same seed."


@frozen
class Difference:
    """An input that differs from the recorded one."""

    what: str
    "A short code for programs: `before`, `after`, `model`, `source_sha256`, `top_k`, ..."
    message: str
    "The same for people: the input, its recorded value, its value now."


@frozen
class Replay:
    """The outcome."""

    id: str
    "The completion's id."
    reproduced: bool
    "Whether the completion is the same, byte for byte."
    differences: tuple[Difference, ...] = ()
    "Inputs that differ from the recorded ones."
    ran: bool = False
    "Whether the model was run; it is not if the text or the parameters cannot be the same."
    note: str = ""
    "Further explanation; may be empty."

    def lines(self) -> list[str]:
        """Render for a terminal."""
        differing = [f"  {difference.message}" for difference in self.differences]
        if self.reproduced:
            head = f"Reproduced: {self.id} is the same, byte for byte."
            if differing:
                head += " Inputs that differ:"
        elif not self.ran:
            head = f"Not replayed: the inputs of {self.id} differ." if differing else "Not replayed."
        elif differing:
            head = f"Not reproduced: the completion differs from {self.id}. Inputs that differ:"
        else:
            head = f"Not reproduced: the completion differs from {self.id}, although all inputs are the same."
        return [head, *differing, *([f"  {self.note}"] if self.note else [])]


def restored(entry: Entry, text: str, salt: bytes) -> str:
    """Remove the completion from a text if it is after the cursor, because the user accepted it."""
    end = entry.offset + entry.completion_length
    accepted = entry.completion_length > 0 and len(text) == end + entry.after_length
    if accepted and hash_of(text[entry.offset : end], salt) == entry.completion_hash:
        return text[: entry.offset] + text[end:]
    return text


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
    pairs = ((what, getattr(entry, what), getattr(provenance, what)) for what in _PROVENANCE)
    return [
        Difference(what, f"{_PROVENANCE[what]}: {_short(what, then)} then, {_short(what, now)} now")
        for what, then, now in pairs
        if then != now
    ]


def parameter_differences(entry: Entry, limits: ModelLimits) -> list[Difference]:
    """List the parameters that the loaded model does not allow."""
    problems = {key: check_value(key, getattr(entry.parameters, key), limits) for key in PARAMETERS}
    return [Difference(key, f"{key}: {problem}") for key, problem in problems.items() if problem]


def problem(entry: Entry, text: str | None) -> str | None:
    """Say why the completion cannot be replayed; None: it can."""
    if entry.finish_reason == "timeout":
        return "Its deadline passed before it was finished, so there is no completion to compare with."
    if text is None:
        return f"The ledger has no source text for it. Name its file: aide replay {entry.id[:8]} FILE"
    return None


def replay(entry: Entry, text: str, salt: bytes, path: str, completer: "Completer") -> Replay:
    """Run the model again, without the completion cache, and compare.

    Raises:
        SessionError: the runtime failed.
    """
    from aide_lsp.inference.cancel import CancelToken

    differences = (
        *_path_differences(entry, text, path, salt),
        *provenance_differences(entry, provenance_of(completer.info)),
    )
    refused = tuple(parameter_differences(entry, completer.info.limits))
    if refused:
        return Replay(entry.id, reproduced=False, differences=differences + refused)
    completer.clear_cache()
    completion = completer.complete(_request(entry, text, path), CancelToken())
    same = hash_of(completion.text, salt) == entry.completion_hash
    note = "" if same or differences else BROKEN if completer.info.replays else UNSEEDED
    return Replay(entry.id, reproduced=same, differences=differences, ran=True, note=note)


def settings_values(entry: Entry) -> dict[str, object]:
    """Return the settings that load the recorded model."""
    # The recipe of an imported model is none of the setting's choices.
    recipe = entry.recipe if entry.recipe in FIELDS["recipe"].choices else "auto"
    return {"model": entry.model, "recipe": recipe, "provider": entry.device}


def _request(entry: Entry, text: str, path: str) -> CompletionRequest:
    return CompletionRequest(
        text=text,
        offset=entry.offset,
        language_id=entry.language,
        path=path,
        # No deadline: it decides whether a completion comes in time, not what it says.
        options=GenerationOptions(
            entry.parameters,
            max_tokens=entry.max_tokens,
            candidate=entry.candidate,
            show=entry.show,
            min_confidence=entry.min_confidence,
            context_share=entry.context_share,
        ),
    )


def _path_differences(entry: Entry, text: str, path: str, salt: bytes) -> list[Difference]:
    """Name the path if it is another one and the file's name may be in the prompt."""
    if not says_little(text) or hash_of(path, salt) == entry.path_hash:
        return []
    return [Difference("path", "the file's path, whose name is read where the text says little")]


def _text_difference(what: str, where: str, then: int, now: int) -> Difference:
    lengths = f"{then} characters then, {now} now" if then != now else f"{then} characters then and now"
    return Difference(what, f"the text {where}: {lengths}")


def _short(what: str, value: str) -> str:
    shown = value[:12] if what == "source_sha256" else value
    return shown or "none"
