"""Generate a completion of the ledger again, and report which inputs differ from the recorded ones."""

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from aide_lsp.completion.auto_closing import closers_of
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.ledger.differences import (
    Difference,
    OtherFiles,
    file_differences,
    parameter_differences,
    path_differences,
    provenance_differences,
)
from aide_lsp.ledger.entry import Entry, hash_of, provenance_of
from aide_lsp.server_address import LOCAL, server_address
from aide_lsp.settings.fields import FIELDS

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.settings.fields import Settings

BROKEN = "This should not happen. `aide doctor` checks whether results are reproducible on this machine."
BROKEN_THERE = "This should not happen: {} promises the same completion for the same seed."
UNSEEDED = "{} does not promise the same completion each time, even with the same seed."
REPEATED = "{} does not promise that: it may give another completion next time."


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
    missing = end + entry.after_length - len(text)
    # It may have replaced brackets that the editor had closed.
    closers = closers_of(text[: entry.offset].rpartition("\n")[2])[: max(0, missing)]
    accepted = entry.completion_length > 0 and len(closers) == missing
    if accepted and hash_of(text[entry.offset : end], salt) == entry.completion_hash:
        return text[: entry.offset] + closers + text[end:]
    return text


def problem(entry: Entry, text: str | None) -> str | None:
    """Say why the completion cannot be replayed; None: it can."""
    if entry.figures.finish_reason == "timeout":
        return "Its deadline passed before it was finished, so there is no completion to compare with."
    if text is None:
        return f"The ledger has no source text for it. Name its file: aide replay {entry.id[:8]} FILE"
    return None


def replay(
    entry: Entry, text: str, salt: bytes, path: str, completer: "Completer", files: OtherFiles
) -> Replay:
    """Run the model again, without the completion cache, and compare.

    Args:
        entry: the recorded completion.
        text: of the document; the same as then.
        salt: of the ledger's hashes.
        path: of the document.
        completer: with the model that is loaded now.
        files: the other files of the project: see `request_again`.

    Raises:
        SessionError: the runtime failed.
    """
    from aide_lsp.inference.cancel import CancelToken

    differences = (
        *path_differences(entry, text, path, salt),
        *provenance_differences(entry, provenance_of(completer.info)),
    )
    refused = tuple(parameter_differences(entry, completer.info.limits))
    if refused:
        return Replay(entry.id, reproduced=False, differences=differences + refused)
    completer.clear_cache()
    request = evolve(request_again(entry, text, path), excerpts=files.selection.excerpts, names=files.names)
    completion = completer.complete(request, CancelToken())
    differences = (*file_differences(entry, completion.files_read, files, salt), *differences)
    same = hash_of(completion.text, salt) == entry.completion_hash
    info = completer.info
    broken = "" if same or differences else BROKEN_THERE.format(info.host) if info.host else BROKEN
    note = broken if info.replays else (REPEATED if same else UNSEEDED).format(info.host or "This model")
    return Replay(entry.id, reproduced=same, differences=differences, ran=True, note=note)


def no_server(entry: Entry, settings: "Settings") -> Difference | None:
    """Say that a completion came from a server, and the settings name none; None: it did not, or they do."""
    if not entry.provenance.host or server_address(settings.engine) is not None:
        return None
    what = f"{entry.provenance.host} then, Aide's own engine now"
    return Difference("host", f"the server: {what}. Name the server with --engine URL to replay it")


def settings_values(entry: Entry) -> dict[str, object]:
    """Return the settings that load the recorded model, on top of the user's own."""
    made_by = entry.provenance
    # What a server is called with, only the user's settings say.
    if made_by.host:
        return {}
    # On a GPU, `int4` is recorded with its element type.
    recipe = made_by.recipe.removesuffix("_fp16")
    # The recipe of an imported model is none of the setting's choices.
    recipe = recipe if recipe in FIELDS["recipe"].choices else "auto"
    return {"engine": LOCAL, "model": made_by.model, "recipe": recipe, "provider": made_by.device}


def request_again(entry: Entry, text: str, path: str) -> CompletionRequest:
    """Return the recorded request, without excerpts of other files."""
    return CompletionRequest(
        text=text,
        offset=entry.offset,
        language_id=entry.language,
        path=path,
        # No deadline is recorded: it decides whether a completion comes in time, not what it says.
        options=entry.options,
    )
