"""Dispatches messages by the rules of JSON-RPC, in place of pygls' own dispatch.

Each request gets exactly one reply, whatever is wrong with it. Replies and logs contain no text of the user,
no traceback and no path.
"""

import asyncio
import inspect
import json
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from enum import Enum
from functools import partial
from typing import Any

import cattrs
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

from aide_lsp.errors import AideError, where
from aide_lsp.lsp.rpc.inbox import CancelledEarly
from aide_lsp.lsp.rpc.messages import CANCELLED, UNREADABLE, WEIGHT_LIMIT, MessageId, TooLarge, message_id
from aide_lsp.lsp.rpc.params import InvalidParamsError, structured

log = logging.getLogger("aide.protocol")
current_request: ContextVar[MessageId | None] = ContextVar("current_request", default=None)
"""Id of the request being handled: in its handler, and in the tasks that it starts."""
Handler = Callable[[Any], Any]
_WITH_TEXTS = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
)
"""The notifications that may be too large. They must not be answered."""
PARAMS_ERROR, REQUEST_ERROR = int(types.ErrorCodes.InvalidParams), int(types.ErrorCodes.InvalidRequest)


class Phase(Enum):
    """What the server accepts."""

    NEW = "waiting for initialize"
    RUNNING = "running"
    SHUT_DOWN = "shut down"


class Protocol(LanguageServerProtocol):
    """Dispatches messages. For the event loop's thread."""

    def __init__(self, server: Any, converter: cattrs.Converter) -> None:
        self.phase = Phase.NEW
        # Not pygls' `_request_futures`: that holds our requests to the client, and ids may coincide.
        self._running: dict[MessageId, asyncio.Future[Any]] = {}
        self._answered: set[MessageId] = set()
        """Ids of requests that were answered before they started."""
        self._write: Callable[[bytes], None] = lambda body: None
        self._lost: Callable[[str, Any], None] = lambda method, params: None
        self._exit: Callable[[int], None] = lambda code: None
        self._cancelled: Callable[[MessageId], None] = lambda msg_id: None
        self._too_large: Callable[[str], None] = lambda uri: None
        super().__init__(server, converter)

    def connect(
        self,
        write: Callable[[bytes], None],
        lost: Callable[[str, Any], None],
        ended: Callable[[int], None],
        cancelled: Callable[[MessageId], None],
        too_large: Callable[[str], None],
    ) -> None:
        """Set what the protocol calls.

        Args:
            write: sends a body.
            lost: a notification could not be used.
            ended: the client sent `exit`; gets the exit code.
            cancelled: the client canceled a request that is already answered.
            too_large: a message that names this document was too large.
        """
        self._write, self._lost, self._exit = write, lost, ended
        self._cancelled, self._too_large = cancelled, too_large

    # -- messages in

    def receive(self, message: Any) -> None:
        """Handle one message from the client."""
        if message is UNREADABLE:
            self._error(None, int(types.ErrorCodes.ParseError), "The message is not JSON in UTF-8.")
        elif isinstance(message, TooLarge):
            self._refuse_large(message)
        elif isinstance(message, CancelledEarly):
            self._begin_cancelled(message.message)
        elif not isinstance(message, dict):
            self._error(None, REQUEST_ERROR, "A message must be one JSON object.")
        elif isinstance(message.get("method"), str) and "id" not in message:
            self._notification(message["method"], message.get("params"))
        elif isinstance(message.get("method"), str):
            self._request(message["id"], message["method"], message)
        elif "id" in message and ("result" in message or "error" in message):
            self._response(message)
        elif "id" in message:
            self._error(message_id(message["id"]), REQUEST_ERROR, "The request names no method.")
        else:
            log.debug("A message without method and id was ignored.")

    def _request(self, given_id: Any, method: str, message: dict[str, Any]) -> None:
        msg_id = message_id(given_id)
        if msg_id is None:
            self._error(None, REQUEST_ERROR, "The id of a request must be an integer or a string.")
        elif message.get("jsonrpc") != "2.0":
            self._error(msg_id, REQUEST_ERROR, 'The message must say "jsonrpc": "2.0".')
        elif msg_id in self._running:
            self._error(msg_id, REQUEST_ERROR, "The id belongs to a request that is still running.")
        elif (refusal := self._refusal(method)) is not None:
            self._error(msg_id, *refusal)
        elif (handler := self._handler(method)) is None:
            self._error(msg_id, int(types.ErrorCodes.MethodNotFound), f"Aide has no method {_short(method)}.")
        else:
            self._call(msg_id, method, handler, message.get("params"))

    def _begin_cancelled(self, message: dict[str, Any]) -> None:
        """Start a request whose cancel has been answered already: nothing more is sent for it."""
        msg_id = message_id(message["id"])
        if msg_id is not None and msg_id not in self._running:
            self._answered.add(msg_id)
            self._request(msg_id, message["method"], message)
            if msg_id in self._running:  # after its first step: a task canceled earlier would never start
                asyncio.get_running_loop().call_soon(self._running[msg_id].cancel)

    def _call(self, msg_id: MessageId, method: str, handler: Handler, params: Any) -> None:
        """Call a handler; reply with its result, or later if it is a coroutine.

        The coroutine takes its first step before the next message is handled (see `Inbox.open`).
        """
        reset = current_request.set(msg_id)
        try:
            result = handler(structured(self._converter, method, params))
        except InvalidParamsError as error:
            self._error(msg_id, PARAMS_ERROR, error.message)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, or the panic of a library in Rust
            self._reply_error(msg_id, method, error)
        else:
            if inspect.isawaitable(result):
                self._await(msg_id, method, result)
            else:
                self._reply(msg_id, result)
        finally:
            current_request.reset(reset)

    def _await(self, msg_id: MessageId, method: str, result: Awaitable[Any]) -> None:
        # The task copies the context, in which `current_request` remains set.
        future = asyncio.ensure_future(result)
        self._running[msg_id] = future
        future.add_done_callback(partial(self._finish, msg_id, method))

    def _finish(self, msg_id: MessageId, method: str, future: "asyncio.Future[Any]") -> None:
        """Reply to a request whose handler has ended."""
        self._running.pop(msg_id, None)
        if future.cancelled():
            self._error(msg_id, *CANCELLED)
        elif (error := future.exception()) is not None:
            self._reply_error(msg_id, method, error)
        else:
            self._reply(msg_id, future.result())

    def _notification(self, method: str, params: Any) -> None:
        """Handle a notification. No one waits for an answer: errors go to the log."""
        if method == types.EXIT:
            self._exit(0 if self.phase is Phase.SHUT_DOWN else 1)
        elif method == types.CANCEL_REQUEST:
            self._cancel(params)
        elif self.phase is Phase.RUNNING and (handler := self._handler(method)) is not None:
            try:
                handler(structured(self._converter, method, params))
            except InvalidParamsError as error:
                log.warning("%s was ignored. %s", method, error.message)
                self._lost(method, params)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                log.error("%s failed: %s", method, where(error))
                self._lost(method, params)

    def _refuse_large(self, message: TooLarge) -> None:
        """Report that a message was not read, and that the documents it names are out of date."""
        mib = WEIGHT_LIMIT // 2**21  # ASCII text weighs twice its length
        text = f"A message of {message.size:,} bytes was not read: Aide reads messages of up to {mib} MiB"
        text += ", less if they contain many values or non-ASCII characters."
        if message.method not in _WITH_TEXTS:
            self._error(None, REQUEST_ERROR, text)
        log.warning("%s", text)
        for uri in message.uris:
            self._too_large(uri)

    def _response(self, message: dict[str, Any]) -> None:
        """Hand the client's response to whoever waits for it."""
        msg_id = message_id(message["id"])
        future = self._request_futures.pop(msg_id, None) if msg_id is not None else None
        response_type: Any = self._result_types.pop(msg_id, None) if msg_id is not None else None
        # False if we stopped waiting: setting a result would raise then.
        if future is None or not future.set_running_or_notify_cancel():
            return
        if "error" in message:
            future.set_exception(_client_error(message["error"]))
            return
        try:
            future.set_result(self._converter.structure(message, response_type).result)
        except Exception:  # whatever the client sent instead of a result
            future.set_exception(JsonRpcException("The client's response does not fit the request."))

    def _cancel(self, params: Any) -> None:
        msg_id = message_id(params.get("id")) if isinstance(params, dict) else None
        future = self._running.get(msg_id) if msg_id is not None else None
        if future is not None:
            future.cancel()
        elif msg_id is not None:
            self._cancelled(msg_id)

    def _refusal(self, method: str) -> tuple[int, str] | None:
        """Return why a request cannot be handled in this phase."""
        if self.phase is Phase.SHUT_DOWN:
            return REQUEST_ERROR, "The server is shut down."
        if self.phase is Phase.NEW and method != types.INITIALIZE:
            return int(types.ErrorCodes.ServerNotInitialized), "The first request must be initialize."
        if self.phase is Phase.RUNNING and method == types.INITIALIZE:
            return REQUEST_ERROR, "The server is already initialized."
        return None

    def _handler(self, method: str) -> Handler | None:
        handler: Handler | None = self.fm.builtin_features.get(method) or self.fm.features.get(method)
        return handler

    # -- messages out

    def cancel_all(self) -> None:
        """Cancel all running requests; each is answered."""
        for future in list(self._running.values()):
            future.cancel()

    def _reply(self, msg_id: MessageId, result: Any) -> None:
        try:
            body = json.dumps(
                {"jsonrpc": "2.0", "id": msg_id, "result": result},
                default=self._serialize_message,
                allow_nan=False,  # NaN is not JSON: clients could not parse the message
            )
        except Exception as error:
            self._reply_error(msg_id, "the reply", error)
        else:
            self._send_reply(msg_id, body)

    def _error(self, msg_id: MessageId | None, code: int, message: str) -> None:
        error = {"code": code, "message": message}
        self._send_reply(msg_id, json.dumps({"jsonrpc": "2.0", "id": msg_id, "error": error}))

    def _send_reply(self, msg_id: MessageId | None, body: str) -> None:
        if msg_id in self._answered:
            self._answered.discard(msg_id)
        else:
            self._send(body)

    def _reply_error(self, msg_id: MessageId, method: str, error: BaseException) -> None:
        """Reply for a handler that raised. Only messages written for users are sent."""
        if isinstance(error, JsonRpcException):
            self._error(msg_id, error.code, error.message)
        elif isinstance(error, AideError):
            self._error(msg_id, int(types.LSPErrorCodes.RequestFailed), str(error))
        else:
            log.error("%s failed: %s", method, where(error))
            text = f"Internal error ({type(error).__name__}) in {method}; the server's log says where."
            self._error(msg_id, int(types.ErrorCodes.InternalError), text)

    def _send_data(self, data: Any) -> None:
        """Send what pygls serializes: our notifications and requests."""
        self._send(json.dumps(data, default=self._serialize_message))

    def _send(self, body: str) -> None:
        # `json.dumps` escapes all else, also lone surrogates, which UTF-8 cannot hold.
        self._write(body.encode("ascii"))

    # pygls would register its own handlers here; all of ours are in `handlers.py`.
    def _register_builtin_features(self) -> None:
        return


def _client_error(error: Any) -> JsonRpcException:
    code = error.get("code") if isinstance(error, dict) else None
    return JsonRpcException("The client responded with an error.", code if isinstance(code, int) else None)


def _short(text: str) -> str:
    return json.dumps(text if len(text) <= 60 else text[:57] + "...")
