"""The server: one client, its documents and settings, one model.

It creates the parts, connects them, and handles everything from `initialize` to the end. It loads nothing
before `initialized`.
"""

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine
from threading import Event
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from aide_lsp import __version__
from aide_lsp.errors import where
from aide_lsp.inference.forward_watch import WATCH
from aide_lsp.ledger.recorder import LedgerRecorder
from aide_lsp.loading import ledger_file
from aide_lsp.lsp.client import ClientProfile
from aide_lsp.lsp.client_window import ERROR, ClientWindow
from aide_lsp.lsp.logs import ClientHandler
from aide_lsp.lsp.model.model_host import FindMissing, LoadCompleter, ModelHost
from aide_lsp.lsp.model.server_trouble import ServerTrouble
from aide_lsp.lsp.model.worker import Worker
from aide_lsp.lsp.model_loading import ModelLoading
from aide_lsp.lsp.registrations import registrations_for
from aide_lsp.lsp.requests.alternatives import Alternatives
from aide_lsp.lsp.requests.notifications import Notifier
from aide_lsp.lsp.requests.scheduler import Scheduler
from aide_lsp.lsp.requests.screen import Screen
from aide_lsp.lsp.requests.snooze import Snooze
from aide_lsp.lsp.requests.status import Status
from aide_lsp.lsp.rpc import lifetime
from aide_lsp.lsp.rpc.inbox import ConnectionEnd
from aide_lsp.lsp.rpc.params import strict_converter
from aide_lsp.lsp.rpc.protocol import Phase, Protocol
from aide_lsp.lsp.rpc.transport import Transport
from aide_lsp.lsp.rpc.watchdog import DEAF_TICKS, stacks
from aide_lsp.lsp.settings_documents import SettingsDocuments
from aide_lsp.lsp.workspace.client_settings import Configuration
from aide_lsp.lsp.workspace.documents import DocumentStore
from aide_lsp.lsp.workspace.notebooks import Notebooks
from aide_lsp.settings.fields import Settings
from aide_lsp.settings.problems import Problem

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.model import ModelInfo

log = logging.getLogger("aide.server")
CLIENT_SECONDS = 5.0
"""The model is loaded once the settings are known: a client that never answers must not prevent that."""


class Server(LanguageServer):
    """One connection. For the event loop's thread."""

    protocol: Protocol

    def __init__(
        self,
        transport: Transport,
        load: LoadCompleter,
        logs: ClientHandler,
        watch: Callable[[int], None] = lambda process_id: None,
        loading_seconds: float = 5.0,
        find_missing: FindMissing = lambda settings: None,
    ) -> None:
        super().__init__("aide-lsp", __version__, protocol_cls=Protocol, converter_factory=strict_converter)
        self._transport, self._logs, self.watch = transport, logs, watch
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._started = False
        self.profile = ClientProfile()
        self.documents = DocumentStore()
        self.notebooks = Notebooks(self.documents)
        self.configuration = Configuration(
            language_of=self.documents.language_of, file_of=self.notebooks.notebook_of
        )
        self._recorder = LedgerRecorder(ledger_file)
        self.window = ClientWindow(self.protocol)
        # What it sends is put together from the parts that report their changes to it.
        self.notifier = Notifier(self.protocol.notify, lambda: self.status.summary())
        changed = self.notifier.changed
        self.trouble = ServerTrouble(self.window.warn, changed, self._retry, self._learn)
        self.host = ModelHost(Worker(), load, find_missing, self.trouble, self.window.warn, self._reload)
        self.loading = ModelLoading(self.host, self.window, self._spawn, changed, self._loaded)
        self.screen, self.snooze = Screen(changed), Snooze(self._wake)
        self.status = Status(
            self.configuration, self.host, self._recorder, self.screen, self.snooze, self.trouble, changed
        )
        self.settings_documents = SettingsDocuments(
            self.documents, self.configuration, self.text_document_publish_diagnostics
        )
        self.requests = Scheduler(
            self.documents,
            self.notebooks,
            self.configuration,
            self.host,
            self.status,
            self.screen,
            self._recorder,
            self.notifier,
            loading_seconds,
        )
        self.alternatives = Alternatives(self.requests)
        self.protocol.connect(transport.write, self.lost, self.exit, self.requests.cancelled, self.too_large)
        WATCH.deaf = self._lose_worker

    def take(self, message: Any) -> None:
        """Handle a message from the client, or the end of the connection."""
        if isinstance(message, ConnectionEnd):
            self.leave(message.reason)
        else:
            self.protocol.receive(message)

    # -- from initialize to the end

    def begin(self, profile: ClientProfile) -> None:
        """Take the client's profile. `initialize` has been answered, or is answered next."""
        self.profile = profile
        self.documents.encoding = profile.encoding
        self.configuration.start(profile.options, profile.folders, guards=profile.status)
        self.protocol.phase = Phase.RUNNING
        self.notifier.enabled, self.notifier.first_lines = profile.status, profile.first_lines
        self.loading.consent.is_general = profile.download or not profile.questions
        self.window.has_progress = profile.progress
        self.notifier.changed()
        self._logs.send = self.window.log

    def start_up(self) -> None:
        """Ask for settings, then load the model. Does so once: some clients never send `initialized`."""
        if not self._started:
            self._started = True
            self._spawn(self._start_up())

    def shut_down(self) -> None:
        """Cancel all running requests."""
        self.protocol.phase = Phase.SHUT_DOWN
        self.protocol.cancel_all()

    def exit(self, code: int) -> None:
        """End the process, after the replies that are being sent."""
        # A task that `shutdown` canceled ends in the next turn, and its reply is sent in the one after.
        self._loop.call_soon(self._loop.call_soon, lifetime.leave, code, self._flush)

    def leave(self, reason: str) -> None:
        """End the process because the client is gone. For any thread."""
        shut_down = self.protocol.phase is Phase.SHUT_DOWN
        if reason:
            self._logs.send = None  # no client is left to read it, only stderr
            log.error("The server exits: %s.", reason)
        # The protocol asks for 1 unless the client has sent `shutdown`.
        lifetime.leave(0 if shut_down else 1, self._flush)

    def _lose_worker(self) -> None:
        """End the process: a thread that hangs in native code cannot be ended. For any thread."""
        log.error("The model hangs and cannot be stopped; the server exits. Threads:\n%s", stacks())
        shown = Event()

        def show() -> None:
            self.window.show(ERROR, "The model hangs and cannot be stopped, so the server exits.")
            shown.set()

        self._loop.call_soon_threadsafe(show)
        # Not forever: the event loop may be stuck as well.
        shown.wait(1.0)
        lifetime.leave(1, self._flush)

    def leave_deaf(self) -> None:
        """End the process because its event loop no longer responds: the editor starts another one."""
        lifetime.leave(1, self._log_stacks)

    def _log_stacks(self) -> None:
        self._logs.send = None  # sending needs the event loop
        log.error("The server exits: it did not respond for %d seconds. Threads:\n%s", DEAF_TICKS, stacks())
        logging.shutdown()

    def _wake(self) -> None:
        """Offer completions again after a snooze."""
        self.status.pause(False)
        self._retry()

    def _retry(self) -> None:
        """Have the client repeat a request that came too early."""
        self.requests.retry()

    # -- settings

    def refresh_settings(self) -> None:
        """Ask for the settings again and apply them; load another model if they name one."""
        self._spawn(self._follow_settings())

    def check_settings(self, uri: str | None) -> None:
        """Show new problems with the settings for a document. Whatever happens, the document stays open."""
        try:
            self.configuration.resolve(uri)
        except Exception as error:
            log.error("Reading the settings of a document failed: %s", where(error))
            return
        self.show_new_problems()

    def show_new_problems(self) -> None:
        """Show the problems that were found when settings were last resolved, if they are new."""
        self._show_problems(self.configuration.new_problems())

    def review_settings(self) -> None:
        """Check the settings of all folders and documents, after something changed."""
        self._show_problems(self.configuration.review(document.uri for document in self.documents))
        self.notifier.changed()
        self.requests.retry()
        self.settings_documents.check_all()

    def _show_problems(self, problems: list[Problem]) -> None:
        """Show problems in one message, except those that the editor shows in the file itself."""
        problems = [problem for problem in problems if not self.settings_documents.holds(problem.source)]
        lines = [problem.message for problem in problems[:5]]
        if len(problems) > 5:
            lines.append(f"... and {len(problems) - 5} more.")
        if lines:
            self.window.warn("Aide: " + "\n".join(lines))

    # -- documents

    def drop(self, uri: str) -> None:
        """Forget a document and what runs for it."""
        document = self.documents.get(uri)
        uri = document.uri if document is not None else uri
        self.requests.supersede(uri)
        self.requests.forget(uri)
        self.settings_documents.closed(uri)
        self.documents.close(uri)

    def lost(self, method: str, params: Any) -> None:
        """Drop the text that an unusable notification would have changed."""
        document = params.get("textDocument") if isinstance(params, dict) else None
        uri = document.get("uri") if isinstance(document, dict) else None
        if method in (types.TEXT_DOCUMENT_DID_CHANGE, types.TEXT_DOCUMENT_DID_OPEN) and isinstance(uri, str):
            self._lose(uri, too_large=False)

    def too_large(self, uri: str) -> None:
        """Drop a text that is too large to keep."""
        self._lose(uri, too_large=True)

    def _lose(self, uri: str, *, too_large: bool) -> None:
        language = self.documents.language_of(uri)
        self.drop(uri)
        self.documents.lose(uri, language, too_large=too_large)

    # -- inside

    async def _start_up(self) -> None:
        log.info("Aide %s for %s.", __version__, self.profile.name)
        await self._follow_settings()
        await self._register()

    async def _follow_settings(self) -> None:
        if self.profile.configuration:
            await self._pull_settings()
        self.review_settings()
        self.loading.follow(self.configuration.resolve().settings)

    async def _pull_settings(self) -> None:
        async def ask(params: types.ConfigurationParams) -> Any:
            request = self.protocol.send_request_async(types.WORKSPACE_CONFIGURATION, params)
            return await asyncio.wait_for(request, CLIENT_SECONDS) or ()  # null: nothing is set

        try:
            await self.configuration.pull(ask)
        except Exception as error:  # no answer, or a malformed one
            log.warning("The client did not send its settings (%s).", type(error).__name__)

    def _reload(self, settings: Settings) -> None:
        self.loading.start(settings)

    def _loaded(self, completer: "Completer") -> None:
        info, note = completer.info, completer.info.device_note
        # What was loaded stays. Searching it for garbage would stop all threads for a fifth of a second.
        gc.freeze()
        log.info(
            "%s is ready: %s%s.", self.host.model or info.host, info.runs_on, f" ({note})" if note else ""
        )
        if note and self.configuration.resolve().settings.provider == "cuda":
            self.window.warn(f'Aide: provider "cuda" cannot be used here. {note}')
        self._learn(info)
        self.requests.loaded()
        self._spawn(self.host.verify(completer))

    def _learn(self, info: "ModelInfo") -> None:
        self.configuration.limits = info.limits
        self.review_settings()  # values beyond the model's limits are problems from now on

    async def _register(self) -> None:
        if not (found := registrations_for(self.profile)):
            return
        request = self.protocol.send_request_async(
            types.CLIENT_REGISTER_CAPABILITY, types.RegistrationParams(registrations=found)
        )
        try:
            await asyncio.wait_for(request, CLIENT_SECONDS)
        except Exception:  # then project files are only checked at each request
            log.debug("The client registers nothing.")

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something concurrently; if it fails, the error is logged."""
        task = asyncio.ensure_future(work)
        # The event loop keeps only weak references to tasks.
        self._tasks.add(task)
        task.add_done_callback(self._spawned)

    def _spawned(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("A task failed: %s", where(error))

    def _flush(self) -> None:
        # Together less than `lifetime.GRACE_SECONDS`: then the process ends, whatever is left.
        self._transport.flush(1.0)
        self._recorder.flush(0.5)
        logging.shutdown()
