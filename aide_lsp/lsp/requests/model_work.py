"""The work of the model for a request, on the worker: add what is read of other files, generate, record."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aide_lsp.application import ledger
from aide_lsp.application.excerpts import Prepared, RequestPreparer
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.loading import runs_here
from aide_lsp.lsp.requests.answer import Completions
from aide_lsp.lsp.requests.in_flight import InFlight
from aide_lsp.lsp.requests.snapshot import Snapshot
from aide_lsp.reasons import NoCompletionReason

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion, CompletionRequest
    from aide_lsp.ledger.recorder import LedgerRecorder


class ModelWork:
    """Does it. For the worker's thread."""

    def __init__(self, recorder: "LedgerRecorder") -> None:
        self._recorder, self._preparer = recorder, RequestPreparer()

    def prepare(self, completer: "Completer", snapshot: Snapshot, *, next_line: bool = False) -> Prepared:
        """Add excerpts and names of other files: see `RequestPreparer.prepare`.

        Raises:
            DeclinedError: a server was chosen since the request came. The settings at that time may allow
                this machine to complete a file with secrets, which must not be sent anywhere.
        """
        if completer.info.host and runs_here(snapshot.settings):
            raise NoCompletionReason.STALE.error("Another engine was chosen in the meantime.")
        return self._preparer.prepare(
            snapshot.request, snapshot.readable, completer.info, next_line=next_line
        )

    def read_ahead(self, completer: "Completer", snapshot: Snapshot, token: CancelToken) -> None:
        """Read other files for the next name after a dot: see `RequestPreparer.read_ahead`."""
        self._preparer.read_ahead(snapshot.request, snapshot.readable, completer.info, token.check)

    def complete(
        self,
        completer: "Completer",
        request: "CompletionRequest",
        in_flight: InFlight,
        first: "Completion | None",
    ) -> Completions:
        """Generate the candidates. `first` is the first one, if it exists already."""
        # Here, since `initialize` is answered before anything that completing needs is imported.
        from aide_lsp.completion.candidates import complete_several

        snapshot = in_flight.snapshot
        if snapshot.fresh:
            completer.forget(request)
        found = complete_several(completer, request, snapshot.count, in_flight.token, first, in_flight)
        self.record(completer, snapshot, request, found)
        return Completions(found)

    def record(
        self,
        completer: "Completer",
        snapshot: Snapshot,
        request: "CompletionRequest",
        completions: "Sequence[Completion]",
    ) -> None:
        """Pass completions of one request to the ledger's writer."""
        ledger.record(self._recorder, snapshot.settings.ledger, request, completions, completer)
