"""What the server reports: its state as JSON (`aide.status`, `aide/status`), and a log line for each request.

Neither contains source text.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from aide_lsp import __version__
from aide_lsp.application.excerpts import read_lines
from aide_lsp.application.server_facts import server_json
from aide_lsp.invisible import escaped
from aide_lsp.lsp.model.model_host import ModelHost, wanted_model
from aide_lsp.lsp.model.server_trouble import ServerTrouble
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.requests.screen import Screen
from aide_lsp.lsp.requests.snooze import Snooze
from aide_lsp.lsp.workspace.client_settings import Configuration
from aide_lsp.lsp.workspace.uris import file_of
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.settings.fields import PARAMETERS, Parameters, camel
from aide_lsp.settings.problems import shown

if TYPE_CHECKING:
    from aide_lsp.completion.model import ModelInfo
    from aide_lsp.completion.request import Completion
    from aide_lsp.ledger.recorder import LedgerRecorder
    from aide_lsp.settings.resolved import OffRule, Resolved

log = logging.getLogger("aide.requests")
MOST_PROBLEMS = 10
"""Problems with settings that the state names: it is sent after each change."""
QUIET = frozenset(reason.code for reason in NoCompletionReason if reason.is_routine)
"""Codes of reasons that occur with every keystroke: not worth a log line."""
_Resolve = Callable[[str], "Resolved"]
_WIRE_NAMES = {key: camel(key) for key in PARAMETERS}


class Status:
    """Reports the state, and remembers the outcome of the last request."""

    def __init__(
        self,
        configuration: Configuration,
        host: ModelHost,
        recorder: "LedgerRecorder",
        screen: Screen,
        snooze: Snooze,
        trouble: ServerTrouble,
        changed: Callable[[], object],
    ) -> None:
        """Report what these know; `changed` is called when `summary` may have changed."""
        self._configuration, self._host, self._recorder = configuration, host, recorder
        self._screen, self._snooze, self._trouble, self._changed = screen, snooze, trouble, changed
        self._last: dict[str, Any] | None = None
        self._accepted: list[str] = []
        self._busy = 0
        self.accepted_count = 0
        self.paused = False
        """Whether the user paused completions."""

    @property
    def snoozed(self) -> str:
        """When completions resume, as a sentence; empty: they were not paused for a time."""
        return self._snooze.sentence

    @property
    def source(self) -> dict[str, Any]:
        """What generates the completions, as items say it."""
        server = self._server_facts()
        return {"model": self._host.model} | ({} if server is None else {"server": server})

    def began(self) -> None:
        """Note that a request is being answered."""
        self._busy += 1
        self._changed()

    def ended(self) -> None:
        """Note that a request has been answered."""
        self._busy -= 1
        self._changed()

    def pause(self, paused: bool) -> None:
        """Note that the user paused or resumed completions."""
        self.paused = paused
        self._changed()

    def completed(self, request_id: int | str | None, completion: "Completion") -> None:
        """Note that a request got a completion, perhaps an empty one."""
        is_shown = bool(completion.text)
        reason = None if is_shown else completion.empty_reason or "empty"
        self._note(
            request_id,
            shown=is_shown,
            reason=reason,
            message=completion.note if is_shown else completion.empty_message,
            **numbers(completion),
        )
        log.info("request %s: %s", shown(request_id), _line(completion, self._host.model, reason))

    def declined(self, request_id: int | str | None, nothing: NoCompletion) -> None:
        """Note that a request got no completion, and why."""
        if nothing.reason not in QUIET:
            self._note(request_id, shown=False, reason=nothing.reason, message=nothing.message)
        level = logging.DEBUG if nothing.reason in QUIET else logging.INFO
        log.log(level, "request %s: nothing, %s: %s", shown(request_id), nothing.reason, nothing.message)

    def accepted(self, completion_id: str) -> None:
        """Note that the user accepted a completion."""
        # Its first lines and the rest may be accepted one after the other.
        if completion_id not in self._accepted:
            self.accepted_count += 1
            self._accepted = [*self._accepted[-9:], completion_id]
        self._recorder.accepted(completion_id)
        self._changed()

    def summary(self) -> dict[str, Any]:
        """Return the state for a status bar, as JSON."""
        host = self._host
        loading, state = host.state in ("starting", "loading"), self.state
        # Settings are looked up on the disk each time; mostly both documents are the same.
        resolve = cache(self._configuration.resolve)
        return {
            "state": state,
            "busy": self._busy > 0 and state == "ready",
            "message": escaped(self._message) or None,
            "percent": None if host.share is None or not loading else round(100 * host.share),
            "model": escaped(host.model or wanted_model(self._configuration.resolve().settings)),
            **self._device(),
            "shares": escaped(self._shares) or None,
            "server": self._server(),
            "shown": self._shown(resolve),
            "nothing": self._nothing(),
            "document": self._document(resolve),
        }

    def _shown(self, resolve: _Resolve) -> dict[str, Any] | None:
        visible = self._screen.visible
        if visible is None:
            return None
        uri, completion = visible.snapshot.uri, visible.completion
        # Asked now, not remembered: settings change while a completion is visible.
        seed = resolve(uri).settings.parameters.seed
        return {
            "uri": uri,
            "seed": completion.seed,
            "candidate": completion.candidate,
            "parameters": parameters_json(completion.parameters),
            "pinned": seed == completion.seed,
            "files": [
                {"path": escaped(path), "lines": lines}
                for path, lines in read_lines(completion.files_read).items()
            ],
        }

    def _nothing(self) -> dict[str, Any] | None:
        nothing = self._screen.nothing
        if nothing is None:
            return None
        return {"uri": nothing.uri, "reason": nothing.why.reason, "message": escaped(nothing.why.message)}

    def _document(self, resolve: _Resolve) -> dict[str, Any] | None:
        """Return what is in effect where the user is."""
        uri = self._screen.uri
        if uri is None:
            return None
        resolved = resolve(uri)
        # A notice is no reason to show the status in red.
        problems = [escaped(problem.message) for problem in resolved.problems if not problem.notice]
        if len(problems) > MOST_PROBLEMS:
            more = len(problems) - MOST_PROBLEMS
            problems = [*problems[:MOST_PROBLEMS], f"There are {more} more problems with the settings."]
        return {
            "uri": uri,
            "language": self._configuration.language_of(uri),
            "parameters": parameters_json(resolved.settings.parameters),
            "preset": resolved.settings.preset,
            **self._off(uri, resolved.off),
            "problems": problems,
        }

    def _off(self, uri: str, rule: "OffRule | None") -> dict[str, str | None]:
        """Return why completions are off, what can turn them on, and the file with the rule."""
        if rule is None:
            return {"off": None, "offScope": None, "offPath": None}
        # Here, since what edits settings files is not needed at the start.
        from aide_lsp.application.switching import off_scope

        scope = off_scope(rule, file_of(self._configuration.file_of(uri)))
        path = rule.source if rule.kind in ("user", "project") else None
        return {"off": escaped(rule.sentence()), "offScope": scope, "offPath": path}

    @property
    def state(self) -> str:
        """The state as clients get it."""
        if self._host.state != "ready":
            return self._host.state
        # As if its model had not been loaded: a server that gives no completions has none either.
        return "paused" if self.paused else "failed" if self._trouble.message else "ready"

    @property
    def _message(self) -> str:
        now = self.snoozed if self.state == "paused" else self._trouble.message
        return now or self._host.message

    @property
    def _info(self) -> "ModelInfo | None":
        completer = self._host.completer
        return completer.info if completer else None

    @property
    def _shares(self) -> str:
        """Whether the engine is shared, in a sentence; empty: it was not to be."""
        info = self._info
        return self._host.shares or (info.shares if info else "")

    def _device(self) -> dict[str, Any]:
        info = self._info
        if info is None or info.host:
            return {"device": None, "recipe": None}
        return {"device": info.device.upper(), "recipe": info.recipe}

    def _server(self) -> dict[str, Any] | None:
        """Return which server the text is sent to, and what it does; None: no text leaves this process."""
        found = self._server_facts()
        return None if found is None else {**found, "problem": escaped(self._trouble.message) or None}

    def _server_facts(self) -> dict[str, Any] | None:
        info = self._info
        return None if info is None else server_json(info, camel)

    def report(self, uri: str | None = None, documents: Iterable[str] = ()) -> dict[str, Any]:
        """Return everything, as JSON; the parameters are those of a document if `uri` is given.

        The problems are those with the settings for it, the folders, and the open `documents`.
        """
        others = self._configuration.current_problems(documents)
        resolved = self._configuration.resolve(uri)
        problems = dict.fromkeys((*resolved.problems, *others))
        info = self._info
        return {
            "version": __version__,
            "state": self.state,
            "message": escaped(self._message) or None,
            "model": self._host.model or resolved.settings.model,
            "device": ("server" if info.host else info.device) if info else None,
            "deviceNote": info.device_note if info else None,
            "recipe": self._device()["recipe"] or None,
            "shares": escaped(self._shares) or None,
            "server": self._server(),
            "parameters": parameters_json(resolved.settings.parameters),
            "settingsProblems": [escaped(problem.message) for problem in problems],
            "lastRequest": self._last,
            "accepted": {"count": self.accepted_count, "ids": self._accepted},
            "ledger": self._recorder.report(resolved.settings.ledger),
        }

    def _note(self, request_id: int | str | None, **facts: Any) -> None:
        self._last = {"id": request_id, **facts}


def parameters_json(parameters: Parameters) -> dict[str, Any]:
    """Return the parameters under their names in JSON."""
    return {name: getattr(parameters, key) for key, name in _WIRE_NAMES.items()}


def numbers(completion: "Completion") -> Mapping[str, Any]:
    """Return what a completion was generated with and what it cost."""
    return {
        "completionId": completion.id,
        "seed": completion.seed,
        "parameters": parameters_json(completion.parameters),
        "finishReason": completion.finish_reason,
        "promptTokens": completion.prompt_tokens,
        "cachedTokens": completion.cached_tokens,
        "generatedTokens": completion.generated_tokens,
        "firstTokenMs": round(completion.first_token_ms, 1),
        "totalMs": round(completion.total_ms, 1),
        "fromCache": completion.from_cache,
    }


def _line(completion: "Completion", model: str, reason: str | None) -> str:
    line = (
        f"model {model}, tokens {completion.prompt_tokens} prompt / {completion.cached_tokens} cached / "
        f"{completion.generated_tokens} generated, first token {completion.first_token_ms:.0f} ms, "
        f"{completion.tokens_per_second:.1f} tokens/s, {completion.finish_reason}"
    )
    if completion.from_cache:
        line += ", from the completion cache"
    return line if reason is None else f"{line}, nothing shown: {reason}"
