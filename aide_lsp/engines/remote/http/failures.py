"""What goes wrong with a server: what happened, and what to do, as errors for the user.

No message has text of the user's, or the API key: what a server says of a request is quoted only if it
repeats neither.
"""

import json
import re
import ssl
from collections.abc import Iterator
from typing import Any

from aide_lsp.errors import ServerError

CHANGE = "change the setting engine"
KEY = "Store one with `aide engine key`, or set AIDE_API_KEY."
MOST_QUOTED = 200
"""Characters of what a server says."""
REPEATED = 12
"""So many characters of a prompt in a row must not appear in a message: servers quote it in part, too."""
MOST_WAIT = 60.0
"""Seconds of a server's wish to wait that are granted."""
_PROXIES = "HTTPS_PROXY, HTTP_PROXY, or ALL_PROXY"
_MISSING = re.compile(r"not found|not exist|unknown|no such|invalid model", re.IGNORECASE)
_LOADING = re.compile(r"\b(?:loading|being loaded)\b", re.IGNORECASE)
_CONTEXT = re.compile(r"context|too long|maximum.{0,20}length", re.IGNORECASE)


class BadStatus(Exception):  # noqa: N818 - it becomes an error, or says that a server is of another kind
    """A server answered with a status that is not 200."""

    def __init__(self, status: int, said: str = "", retry_after: str = "") -> None:
        """Take the status, the beginning of the body, and the header of that name."""
        super().__init__(status)
        self.status, self.said, self.retry_after = status, said, retry_after


def unreachable(host: str, error: BaseException, seconds: float, *, proxied: bool = False) -> ServerError:
    """Return the error for a connection that was not made, or broke off before the answer.

    `proxied`: whether it was to a proxy, which then connects to the server.
    """
    for root in _roots(error):
        if isinstance(root, ssl.SSLCertVerificationError):
            why = root.verify_message or "the certificate is not valid"
            return ServerError(
                "tls",
                f"{host} has no certificate that this machine trusts ({why}). Aide sends no text there. "
                f"Repair the certificate, or {CHANGE}.",
            )
        if isinstance(root, ssl.SSLError):
            return ServerError(
                "tls",
                f"{host} does not speak TLS, as https: requires. Check the setting engine: its port.",
            )
        # What is above may be the server's, through a proxy.
        if proxied and isinstance(root, OSError):
            return proxy_refuses(host)
        if type(root).__name__ == "gaierror":
            return ServerError(
                "unknown-host", f"There is no host {host}, or there is no network. Check both, or {CHANGE}."
            )
        if isinstance(root, ConnectionRefusedError):
            return ServerError(
                "refused", f"Nothing answers at {host} (connection refused). Start the server, or {CHANGE}."
            )
        if isinstance(root, TimeoutError):
            return timeout(host, seconds)
    return ServerError("unreachable", f"{host} cannot be reached. Check the network, or {CHANGE}.")


def not_found_in_time(host: str, seconds: float) -> ServerError:
    """Return the error for a host whose name the network does not look up in time."""
    return ServerError(
        "unreachable",
        f"The address of {host} could not be looked up within {seconds:.3g} s. Check the network, or "
        f"{CHANGE}.",
    )


def proxy_refuses(host: str) -> ServerError:
    """Return the error for a proxy that makes no connection; its address may have a password."""
    return ServerError(
        "proxy",
        f"Your proxy ({_PROXIES}) does not connect to {host}. Check its address and password, or name "
        f"{host} in NO_PROXY.",
    )


def unusable_proxy(host: str) -> ServerError:
    """Return the error for a proxy that is none, or of a kind that the library does not know."""
    return ServerError(
        "proxy",
        f"The proxy that {_PROXIES} names cannot be used: expected an address such as "
        f"http://proxy.example.com:3128. Correct it where your editor starts, or name {host} in NO_PROXY.",
    )


def unusable_certificates() -> ServerError:
    """Return the error for certificates that cannot be read."""
    return ServerError(
        "tls",
        "The certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read. Correct it where your "
        "editor starts.",
    )


def timeout(host: str, seconds: float) -> ServerError:
    """Return the error for a server that takes too long."""
    return ServerError(
        "timeout",
        f"{host} did not answer within {seconds:.3g} s. See whether the server runs and is not overloaded, "
        f"or {CHANGE}.",
    )


def broken_off(host: str) -> ServerError:
    """Return the error for an answer that has no end."""
    return ServerError(
        "broken-off", f"{host} ended its answer too early. The server may have stopped; see its log."
    )


def unreadable(host: str, what: str) -> ServerError:
    """Return the error for an answer that is not what was expected."""
    return ServerError(
        "unreadable",
        f"{host} answers with {what}, which is no answer of a server for models. Check the "
        "setting engine: its port and its path.",
    )


def unknown_kind(host: str) -> ServerError:
    """Return the error for a server that is none of the known ones."""
    return ServerError(
        "unknown-kind",
        f"{host} answers, but not as aide serve, llama.cpp, Ollama, or a server with /v1/completions does. "
        "Check the setting engine: host, port, path; or set engine_kind.",
    )


def other_kind(host: str, expected: str) -> ServerError:
    """Return the error for a server that is not of the kind that the settings name."""
    return ServerError(
        "other-kind",
        f'{host} answers, but not as {expected} does. Set engine_kind to "auto", or {CHANGE}.',
    )


def no_models(host: str) -> ServerError:
    """Return the error for a server without a model."""
    return ServerError("no-model", f"{host} lists no model. Load one there, or set engine_model.")


def unknown_model(host: str, model: str, models: tuple[str, ...] = ()) -> ServerError:
    """Return the error for a model that the server does not have."""
    listed = f" It has {', '.join(models[:5])}{', ...' if len(models) > 5 else ''}." if models else ""
    return ServerError("unknown-model", f'{host} has no model "{model}".{listed} Change engine_model.')


def refused(
    host: str, answer: BadStatus, *, has_key: bool = False, secrets: tuple[str, ...] = ()
) -> ServerError:
    """Return the error for a status that is not 200.

    Args:
        host: the server.
        answer: what it answered.
        has_key: whether an API key was sent.
        secrets: the key, and texts that were sent: what repeats them is not quoted.
    """
    # What it means counts, also where it cannot be repeated.
    status, said = answer.status, message_in(answer.said)[:MOST_QUOTED]
    shown = quoted(message_in(answer.said), secrets)
    quote = f": {shown}" if shown else ""
    if status in (401, 403) and not has_key:
        return ServerError("key", f"{host} requires an API key. {KEY}")
    if status in (401, 403):
        return ServerError("key", f"{host} rejects the API key (status {status}{quote}). {KEY}")
    if status == 429:
        wait = seconds_of(answer.retry_after)
        asks = f" and asks to wait {wait:,} s" if wait else ""
        said = f"{host} has had too many requests{asks} (status 429{quote}). Aide tries again later."
        return ServerError("busy", said, min(wait, MOST_WAIT))
    if status in (402,):
        return ServerError("payment", f"{host} wants to be paid first (status 402{quote}).")
    if status < 300:
        return unreadable(host, f"status {status}")
    if 300 <= status < 400:
        return ServerError(
            "redirect",
            f"{host} redirects to another address (status {status}). Aide follows none: set engine to the "
            "address where the server is.",
        )
    if status in (400, 404, 422) and "model" in said.lower() and _MISSING.search(said):
        return ServerError(
            "unknown-model",
            f"{host} does not have the model (status {status}{quote}). Change engine_model; `aide engine "
            "check` lists what there is.",
        )
    if status in (404, 405):
        return ServerError(
            "unreadable",
            f"{host} answers, but has no such service (status {status}{quote}). Check the "
            "setting engine: its port and its path.",
        )
    if status == 503 and _LOADING.search(said):
        return ServerError("loading", f"{host} is still loading its model. Completions start once it has.")
    if status >= 500:
        return ServerError("server-failed", f"{host} failed (status {status}{quote}). See the server's log.")
    if _CONTEXT.search(shown):
        return ServerError(
            "too-long",
            f"The prompt is too long for the model at {host} (status {status}{quote}). Lower num_context, or "
            "give the model more context there.",
        )
    return ServerError("rejected", f"{host} rejects the request (status {status}{quote}).")


def failed_while_generating(host: str, event: dict[str, Any], secrets: tuple[str, ...]) -> ServerError:
    """Return the error that a server reports within its answer."""
    said = quoted(message_in(json.dumps(event)), secrets)
    return ServerError("server-failed", f"{host} failed while it generated{': ' + said if said else ''}.")


def engine_failed(host: str, said: str, secrets: tuple[str, ...]) -> ServerError:
    """Return the error for an engine of Aide's that says that it is broken."""
    said = quoted(said, secrets)
    return ServerError("server-failed", f"{host} failed{': ' + said if said else ''}. See the server's log.")


def seconds_of(header: str) -> int:
    """Return the seconds that a Retry-After header asks for; dates count as unknown."""
    return int(header) if re.fullmatch(r"\d{1,9}", header.strip(), re.ASCII) else 0


def message_in(body: str) -> str:
    """Return what a body with an error says: in `error`, `error.message`, `message` or `detail`."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        # A page for a browser says nothing here.
        return "" if "<" in body else body
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    return found if isinstance(found, str) else ""


def quoted(said: str, secrets: tuple[str, ...] = ()) -> str:
    """Return what a server says as one short line; nothing if it repeats what nobody else should read."""
    line = _one_line(said)
    return "" if any(_repeats(line, secret) for secret in secrets) else line


def _one_line(said: str) -> str:
    line = " ".join("".join(char if char.isprintable() else " " for char in said).split()).rstrip(".")
    return line if len(line) <= MOST_QUOTED else line[: MOST_QUOTED - 3] + "..."


def _repeats(line: str, secret: str) -> bool:
    """Whether a line has all of a secret, or so much of it that it can be recognized."""
    secret = " ".join(secret.split())
    size = min(REPEATED, len(secret))
    return size > 0 and any(line[at : at + size] in secret for at in range(len(line) - size + 1))


def _roots(error: BaseException) -> Iterator[BaseException]:
    """Yield what led to an error, it included; the libraries pass causes on in three ways."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        linked = (one.__cause__, one.__context__, *one.args)
        waiting += [other for other in linked if isinstance(other, BaseException)]
