"""Makes a completion of the ledger again, and says which input differs where it cannot or does not come out.

In: an entry, the text it was made for, a loaded completer. Out: a `Replay`. Inputs are compared one by one
with what the entry says of them: text before and behind the cursor, model, recipe, device, versions,
parameters. It does not know where entries are kept, nor how a model is loaded.
"""

from typing import TYPE_CHECKING

from attrs import frozen

from aide_lsp.ledger.entry import Entry, Maker, hash_of, maker_of
from aide_lsp.settings.fields import FIELDS, PARAMETERS, check_value
from aide_lsp.settings.limits import ModelLimits

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, CompletionRequest

_MAKER = {
    "model": "the model",
    "source_sha256": "the model's file (sha256)",
    "recipe": "the recipe",
    "device": "the device",
    "runtime": "the version of ONNX Runtime",
    "aide": "the version of Aide",
}


@frozen
class Difference:
    """An input that is not what it was."""

    what: str
    "A short code for programs: `before`, `after`, `model`, `source_sha256`, `top_k`, ..."
    message: str
    "The same for people: the input, what it was, what it is."


@frozen
class Replay:
    """How it went."""

    id: str
    "Of the completion."
    reproduced: bool
    "The same completion came out, byte for byte."
    differences: tuple[Difference, ...] = ()
    "Inputs that are not what they were."
    ran: bool = False
    "The model was asked; not so where the question itself is another."
    note: str = ""
    "What else there is to say."

    def lines(self) -> list[str]:
        """Render for a terminal."""
        differing = [f"  {difference.message}" for difference in self.differences]
        if self.reproduced:
            head = f"Reproduced: {self.id} came out the same, byte for byte."
            differing = [f"  although{line[1:]}" for line in differing]
        elif not self.ran:
            head = f"Not replayed: {self.id} was made from other inputs." if differing else "Not replayed."
        elif differing:
            head = f"Not reproduced: another completion came out than {self.id}. What differs:"
        else:
            head = f"Not reproduced: another completion came out than {self.id}, from the same inputs."
        return [head, *differing, *([f"  {self.note}"] if self.note else [])]


def restored(entry: Entry, text: str, salt: bytes) -> str:
    """Take the completion out of a text where it stands behind the cursor: the user accepted it."""
    end = entry.offset + entry.completion_length
    accepted = entry.completion_length > 0 and len(text) == end + entry.after_length
    if accepted and hash_of(text[entry.offset : end], salt) == entry.completion_hash:
        return text[: entry.offset] + text[end:]
    return text


def text_differences(entry: Entry, text: str, offset: int, salt: bytes) -> list[Difference]:
    """Compare a text, and a cursor in it, with what the completion was made for."""
    before, after = text[:offset], text[offset:]
    found = []
    if hash_of(before, salt) != entry.before_hash:
        found.append(_text_difference("before", "before the cursor", entry.offset, len(before)))
    if hash_of(after, salt) != entry.after_hash:
        found.append(_text_difference("after", "behind the cursor", entry.after_length, len(after)))
    return found


def maker_differences(entry: Entry, maker: Maker) -> list[Difference]:
    """Compare model, recipe, device and versions with those that made the completion."""
    pairs = ((what, getattr(entry, what), getattr(maker, what)) for what in _MAKER)
    return [
        Difference(what, f"{_MAKER[what]}: {_short(what, then)} then, {_short(what, now)} now")
        for what, then, now in pairs
        if then != now
    ]


def parameter_differences(entry: Entry, limits: ModelLimits) -> list[Difference]:
    """Name the parameters that the loaded model does not allow."""
    faults = {key: check_value(key, getattr(entry.parameters, key), limits) for key in PARAMETERS}
    return [Difference(key, f"{key}: {fault}") for key, fault in faults.items() if fault]


def problem(entry: Entry, text: str | None) -> str | None:
    """Say why there is nothing to make again; None: there is."""
    if entry.finish_reason == "timeout":
        return "It was given up at its deadline: what would have come depends on the machine's speed."
    if text is None:
        return f"The ledger holds no text of it. Name its file: aide replay {entry.id[:8]} FILE"
    return None


def replay(
    entry: Entry, text: str, salt: bytes, path: str, completer: "Completer", limits: ModelLimits
) -> Replay:
    """Ask the model again, without help from the completion cache, and compare.

    Raises:
        SessionError: the runtime failed.
    """
    from aide_lsp.inference.cancel import CancelToken

    differences = tuple(maker_differences(entry, maker_of(completer)))
    refused = tuple(parameter_differences(entry, limits))
    if refused:
        return Replay(entry.id, reproduced=False, differences=differences + refused)
    completer.clear_cache()
    completion = completer.complete(_request(entry, text, path), CancelToken())
    same = hash_of(completion.text, salt) == entry.completion_hash
    note = "" if same or differences else "That must not be: `aide doctor` checks whether seeds hold here."
    return Replay(entry.id, reproduced=same, differences=differences, ran=True, note=note)


def settings_values(entry: Entry) -> dict[str, object]:
    """Return the settings that load what made the completion."""
    recipe = entry.recipe if entry.recipe in FIELDS["recipe"].choices else "auto"
    return {"model": entry.model, "recipe": recipe, "provider": entry.device}


def _request(entry: Entry, text: str, path: str) -> "CompletionRequest":
    from aide_lsp.completion.completer import CompletionRequest

    return CompletionRequest(
        text=text,
        offset=entry.offset,
        language_id=entry.language,
        path=path,
        parameters=entry.parameters,
        max_tokens=entry.max_tokens,
        deadline_ms=0,
        candidate=entry.candidate,
    )


def _text_difference(what: str, where: str, then: int, now: int) -> Difference:
    lengths = f"{then} characters then, {now} now" if then != now else f"{then} characters then and now"
    return Difference(what, f"the text {where}: {lengths}")


def _short(what: str, value: str) -> str:
    shown = value[:12] if what == "source_sha256" else value
    return shown or "none"
