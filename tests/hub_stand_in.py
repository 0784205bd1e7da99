"""A small Hugging Face Hub on this machine: repositories with files, on a host that redirects to another one.

Behaves as https://huggingface.co/docs/hub/api says: the listing with `blobs` names the sha256 and size of
large files; a file is a redirect to storage, which knows ranges; refusals have an `X-Error-Code`. What is odd
about it is set on the stand-in.
"""

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from attrs import define, field

COMMIT = "c0ffee" * 6 + "abcd"
MISSING = (401, "RepoNotFound")


@define
class Refusal:
    """A status instead of an answer."""

    status: int
    code: str = ""
    headers: dict[str, str] = field(factory=dict)


@define
class HubStandIn:
    """The repositories, and what is odd."""

    repos: dict[str, dict[str, bytes]]
    "Repository -> path -> content."
    url: str = ""
    storage: str = ""
    token: str | None = None
    "Only whoever sends this token sees repositories in `hidden`."
    hidden: set[str] = field(factory=set)
    gated: set[str] = field(factory=set)
    "Their listings can be seen, their files cannot."
    refuse: dict[str, Refusal] = field(factory=dict)
    "What a path begins with -> the refusal."
    stored: dict[str, bytes] = field(factory=dict)
    "sha256 -> what the storage sends instead."
    listing: Mapping[str, Any] = field(factory=dict)
    "Entries that replace those of every listing."
    body: bytes | None = None
    "What is sent instead of a listing."
    card: Mapping[str, Any] = field(factory=lambda: {"license": "apache-2.0"})
    has_ranges: bool = True
    is_endless: bool = False
    "The storage never stops sending."
    at_once: int = 1 << 40
    "The storage breaks off after this many bytes."
    holds: threading.Event | None = None
    "A download stops after half of the file, until this is set."
    seen: list[str] = field(factory=list)
    "Requests: method, path, and range."
    headers: list[dict[str, str]] = field(factory=list)
    sent: int = 0
    "Bytes of files that the storage has sent."


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def log_message(self, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self._route(has_body=False)

    def do_GET(self) -> None:
        self._route(has_body=True)

    def _route(self, *, has_body: bool) -> None:
        hub: HubStandIn = self.server.hub
        url = urlsplit(self.path)
        path = unquote(url.path)
        hub.seen.append(" ".join(filter(None, [self.command, path, self.headers.get("Range", "")])))
        hub.headers.append({name.lower(): value for name, value in self.headers.items()})
        refusal = next((one for prefix, one in hub.refuse.items() if path.startswith(prefix)), None)
        if refusal is not None:
            self._refuse(refusal)
        elif path.startswith("/storage/"):
            self._send_stored(path.removeprefix("/storage/"), has_body)
        elif path.startswith("/api/models/"):
            self._list(path.removeprefix("/api/models/"), parse_qs(url.query))
        else:
            self._redirect(path.lstrip("/"))

    def _may_see(self, repo: str) -> bool:
        hub: HubStandIn = self.server.hub
        is_known = hub.token is not None and self.headers.get("Authorization") == f"Bearer {hub.token}"
        return repo in hub.repos and (repo not in hub.hidden or is_known)

    def _list(self, words: str, query: Mapping[str, list[str]]) -> None:
        hub: HubStandIn = self.server.hub
        owner, name, *rest = words.split("/")
        repo = f"{owner}/{name}"
        if not self._may_see(repo):
            self._refuse(Refusal(*MISSING))
        elif rest and rest[1] not in ("main", COMMIT):
            self._refuse(Refusal(404, "RevisionNotFound"))
        else:
            siblings = [_sibling(path, data, "blobs" in query) for path, data in hub.repos[repo].items()]
            facts = {"id": repo, "sha": COMMIT, "private": False, "gated": repo in hub.gated and "manual"}
            facts |= {"cardData": hub.card, "siblings": siblings, **hub.listing}
            body = json.dumps(facts).encode() if hub.body is None else hub.body
            self._answer(body, {"Content-Type": "application/json"})

    def _redirect(self, words: str) -> None:
        hub: HubStandIn = self.server.hub
        owner, name, _, revision, *file = words.split("/")
        repo, path = f"{owner}/{name}", "/".join(file)
        if not self._may_see(repo):
            self._refuse(Refusal(*MISSING))
        elif repo in hub.gated and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self._refuse(Refusal(401 if "Authorization" not in self.headers else 403, "GatedRepo"))
        elif revision not in ("main", COMMIT):
            self._refuse(Refusal(404, "RevisionNotFound"))
        elif path not in hub.repos[repo]:
            self._refuse(Refusal(404, "EntryNotFound"))
        else:
            data = hub.repos[repo][path]
            digest = hashlib.sha256(data).hexdigest()
            hub.stored.setdefault(digest, data)
            headers = {"Location": f"{hub.storage}/storage/{digest}", "X-Repo-Commit": COMMIT}
            self._answer(
                b"", headers | {"X-Linked-Size": str(len(data)), "X-Linked-Etag": f'"{digest}"'}, 302
            )

    def _send_stored(self, digest: str, has_body: bool) -> None:
        hub: HubStandIn = self.server.hub
        data, start, end = hub.stored[digest], 0, 0
        wanted = self.headers.get("Range")
        headers = {}
        if wanted and hub.has_ranges:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start, end = int(first), min(int(last or len(data) - 1), len(data) - 1)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
        body = data[start : end + 1] if headers else data
        if hub.is_endless:
            self._send_for_ever(headers)
            return
        self.send_response(206 if headers else 200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if has_body and hub.holds is not None and not wanted:
            self.wfile.write(body[: len(body) // 2])
            hub.holds.wait()
            self.close_connection = True
        elif has_body:
            hub.sent += len(body[: hub.at_once])
            try:
                self.wfile.write(body[: hub.at_once])
            except OSError:
                self.close_connection = True
            self.close_connection = self.close_connection or len(body) > hub.at_once

    def _send_for_ever(self, headers: Mapping[str, str]) -> None:
        self.send_response(206 if headers else 200)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        piece = b"\0" * (1 << 20)
        try:
            while True:
                self.wfile.write(piece)
                self.server.hub.sent += len(piece)
        except OSError:
            return

    def _refuse(self, refusal: Refusal) -> None:
        code = {"X-Error-Code": refusal.code} if refusal.code else {}
        self._answer(b"", code | refusal.headers, refusal.status)

    def _answer(self, body: bytes, headers: Mapping[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _sibling(path: str, data: bytes, blobs: bool) -> dict[str, Any]:
    if not blobs:
        return {"rfilename": path}
    facts = {"rfilename": path, "blobId": "0" * 40, "size": len(data)}
    if not path.endswith(".gguf"):
        return facts
    return facts | {
        "lfs": {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    }


@contextmanager
def hub_stand_in(repos: dict[str, dict[str, bytes]]) -> Iterator[HubStandIn]:
    """Serve repositories; the files are on a host of another name."""
    hub = HubStandIn(repos)
    servers = [ThreadingHTTPServer(("127.0.0.1", 0), _Handler) for _ in range(2)]
    for server in servers:
        server.hub = hub  # type: ignore[attr-defined]
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    hub.url = f"http://127.0.0.1:{servers[0].server_port}"
    hub.storage = f"http://localhost:{servers[1].server_port}"
    try:
        yield hub
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
