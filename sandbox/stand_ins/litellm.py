"""
An HTTP server that behaves as LiteLLM's proxy documents, for keys only: no models, no database, no UI.

Based on LiteLLM's documentation ("Virtual Keys", "Internal Users", "Health Checks") and, where that says
nothing (format and order of errors, repeated calls), on the modules key_management_endpoints.py and
internal_user_endpoints.py of release 1.109. Users and keys survive a restart: LiteLLM has them in its
database. Stores keys as hashes, as LiteLLM does, and of requests only method, path and status.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

ADMIN = "proxy_admin"
SHORTEST_KEY = 16
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_ATTENTION = 0.02
"""Seconds after which a server notices that it is to stop."""

Body = dict[str, Any]
FaultKind = Literal["error", "unavailable", "drop-before", "drop-after"]


@dataclass
class Fault:
    """
    The next *times* requests fail; *path* limits them to one.

    ``error`` is a 500, ``unavailable`` a 503, both before anything is done; the connection is dropped before
    the request is carried out, or after.
    """

    kind: FaultKind
    times: int = 1
    path: str = ""


@dataclass(frozen=True)
class Call:
    """One received request; 0 is no response."""

    method: str
    path: str
    status: int


@dataclass(frozen=True)
class _Key:
    """A virtual key, as in LiteLLM's database."""

    token: str
    key_alias: str | None
    user_id: str | None
    expires: float | None
    deleted: bool = False


class _RefusalError(Exception):
    """An error response, in the form of LiteLLM's ProxyException."""

    def __init__(
        self, status: int, message: str, kind: str = "bad_request_error", param: str = "None"
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": kind, "param": param, "code": str(status)}}


class LiteLLM:
    """A proxy on a loopback port, while the `with` block lasts."""

    def __init__(
        self,
        master_key: str,
        *,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        disable_custom_api_keys: bool = False,
    ) -> None:
        """With *disable_custom_api_keys* no key is created with a given value (general_settings)."""
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        self._master = master_key
        self._clock = clock
        self._custom_keys = not disable_custom_api_keys
        self._users: dict[str, str] = {}
        self._keys: dict[str, _Key] = {}
        self._lock = threading.Lock()
        self._port = port
        self._server: ThreadingHTTPServer | None = None

    def __enter__(self) -> LiteLLM:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def port(self) -> int:
        """The listening port, the same after each start."""
        return self._port

    def start(self) -> None:
        """Start listening."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        self._server.daemon_threads = True
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(_ATTENTION,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def restart(self, master_key: str) -> None:
        """Restart with *master_key*, as new tasks do."""
        with self._lock:
            self._master = master_key

    def answer(self, method: str, target: str, authorization: str, body: Body) -> tuple[int, Any] | None:
        """Return status and body of the response; None to drop the connection."""
        parts = urlsplit(target)
        with self._lock:
            fault = self._fault(parts.path)
            status, answer = self._faulty(fault) or self._served(
                method, parts.path, parts.query, authorization, body
            )
            dropped = fault is not None and fault.kind.startswith("drop")
            self.calls.append(Call(method, parts.path, 0 if dropped else status))
        return None if dropped else (status, answer)

    def _fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.path in ("", path):
                fault.times -= 1
                return fault
        return None

    def _faulty(self, fault: Fault | None) -> tuple[int, Any] | None:
        if fault is None or fault.kind == "drop-after":
            return None
        status = {"error": 500, "unavailable": 503, "drop-before": 0}[fault.kind]
        refusal = _RefusalError(status, "Internal server error", "internal_error")
        return refusal.status, refusal.body

    def _served(self, method: str, path: str, query: str, authorization: str, body: Body) -> tuple[int, Any]:
        try:
            if method == "GET" and path in {"/health/liveliness", "/health/liveness"}:
                return 200, "I'm alive!"
            if method == "GET" and path == "/health/readiness":
                return 200, {"status": "healthy", "db": "connected"}
            caller = self._administrator(path, authorization)
            route = _ROUTES.get((method, path))
            if route is None:
                return 404, {"detail": "Not Found"}
            given = body | {name: values[-1] for name, values in parse_qs(query).items()}
            return 200, route(self, given, caller)
        except _RefusalError as refusal:
            return refusal.status, refusal.body

    def _administrator(self, path: str, authorization: str) -> str:
        """Return the administrator who asks, as the hash of a key; others get an error."""
        scheme, _, key = authorization.partition(" ")
        if not key or scheme != "Bearer":
            raise _RefusalError(401, "Authentication Error, No api key passed in.", "auth_error")
        token = hashed(key)
        role = ADMIN if secrets.compare_digest(key, self._master) else self._role(token)
        if role != ADMIN:
            raise _RefusalError(403, f"Only proxy admins may call {path}. Your role={role}", "auth_error")
        return token

    def _role(self, token: str) -> str:
        known = self._live(token)
        if known is None:
            text = f"Authentication Error, Invalid proxy server token passed. key={token}, not found in db."
            raise _RefusalError(401, text, "token_not_found_in_db", "key")
        if known.expires is not None and known.expires < self._clock():
            raise _RefusalError(401, "Authentication Error - Expired Key.", "expired_key", "key")
        return self._users.get(known.user_id or "", "internal_user")

    def _live(self, token: str) -> _Key | None:
        known = self._keys.get(token)
        return None if known is None or known.deleted else known

    def _new_user(self, given: Body, caller: str) -> Body:
        user = str(given.get("user_id") or secrets.token_hex(8))
        if user in self._users:
            raise _RefusalError(409, str({"error": f"User with id {user} already exists"}))
        self._users[user] = str(given.get("user_role") or "internal_user")
        made: Body = {"user_id": user, "user_role": self._users[user], "key": ""}
        if given.get("auto_create_key", True):
            made |= self._generate({"user_id": user}, caller)
        return made

    def _generate(self, given: Body, caller: str) -> Body:  # noqa: ARG002 - the routes' own signature
        alias, key = given.get("key_alias"), given.get("key")
        self._unique(alias, but="")
        if key is not None:
            self._custom(str(key))
        key = str(key or f"sk-{secrets.token_urlsafe(16)}")
        # An upsert that updates nothing: an existing key stays as it is, also its expiry.
        if self._live(hashed(key)) is None:
            row = _Key(hashed(key), alias, given.get("user_id"), self._end(given.get("duration")))
            self._keys[row.token] = row
        return {"key": key, "token": hashed(key), **_shown(self._keys[hashed(key)])}

    def _custom(self, key: str) -> None:
        if not self._custom_keys:
            text = "Custom API key values are disabled by your administrator. Keys must be auto-generated."
            raise _RefusalError(403, str({"error": text}), "auth_error")
        if not key.startswith("sk-"):
            text = f"Invalid key format. LiteLLM Virtual Key must start with 'sk-'. Received: {key[:4]}****"
            raise _RefusalError(400, str({"error": text}))
        if len(key) < SHORTEST_KEY:
            text = f"Invalid key format. LiteLLM Virtual Key must be at least {SHORTEST_KEY} characters long."
            raise _RefusalError(400, str({"error": text}))

    def _update(self, given: Body, caller: str) -> Body:  # noqa: ARG002 - the routes' own signature
        key = str(given.get("key", ""))
        row = self._live(hashed(key))
        if row is None:
            raise _RefusalError(404, "Key not found in database", "not_found_error", "key")
        alias = given.get("key_alias", row.key_alias)
        self._unique(alias, but=row.token)
        end = self._end(given["duration"]) if "duration" in given else row.expires
        user = given.get("user_id", row.user_id)
        self._keys[row.token] = replace(row, key_alias=alias, expires=end, user_id=user)
        return {"key": key, **_shown(self._keys[row.token])}

    def _info(self, given: Body, caller: str) -> Body:
        asked = str(given.get("key") or caller)
        row = self._keys.get(hashed(asked))
        if row is None:
            raise _RefusalError(404, "Key not found in database", "not_found_error", "key")
        expired = row.expires is not None and row.expires < self._clock()
        status = "deleted" if row.deleted else "expired" if expired else "active"
        return {"key": asked, "info": {"status": status, **_shown(row)}}

    def _delete(self, given: Body, caller: str) -> Body:  # noqa: ARG002 - the routes' own signature
        wanted = {hashed(str(key)) for key in given.get("keys", ())}
        rows = [row for row in self._keys.values() if row.token in wanted and not row.deleted]
        if not rows:
            raise _RefusalError(404, "No keys found", "not_found_error", "keys")
        for row in rows:
            self._keys[row.token] = replace(row, deleted=True)
        return {"deleted_keys": [row.token for row in rows]}

    def _unique(self, alias: str | None, *, but: str) -> None:
        others = (row for row in self._keys.values() if row.token != but and not row.deleted)
        if alias is not None and any(row.key_alias == alias for row in others):
            text = (
                f"Key with alias '{alias}' already exists. Unique key aliases across all keys are required."
            )
            raise _RefusalError(400, text, param="key_alias")

    def _end(self, duration: str | None) -> float | None:
        """Return the expiry of a key that is valid for *duration* (``7d``) from now on."""
        if duration is None:
            return None
        read = re.fullmatch(r"(\d+)([smhdw])", duration)
        if read is None:
            raise _RefusalError(400, f"Invalid duration: {duration}")
        return self._clock() + int(read[1]) * _UNITS[read[2]]


def hashed(key: str) -> str:
    """Return a key's hash as LiteLLM stores it; anything else is taken for such a hash."""
    return hashlib.sha256(key.encode()).hexdigest() if key.startswith("sk-") else key


def _shown(row: _Key) -> Body:
    shown = asdict(row)
    del shown["token"], shown["deleted"]
    if row.expires is not None:
        shown["expires"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row.expires))
    return shown


_ROUTES: dict[tuple[str, str], Callable[[LiteLLM, Body, str], Body]] = {
    ("POST", "/user/new"): LiteLLM._new_user,  # noqa: SLF001 - this module's own
    ("POST", "/key/generate"): LiteLLM._generate,  # noqa: SLF001
    ("POST", "/key/update"): LiteLLM._update,  # noqa: SLF001
    ("GET", "/key/info"): LiteLLM._info,  # noqa: SLF001
    ("POST", "/key/delete"): LiteLLM._delete,  # noqa: SLF001
}


def _handler(proxy: LiteLLM) -> type[BaseHTTPRequestHandler]:
    """Return the handler class for the server's connections."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(json.loads(text or b"{}"))

        def _answer(self, body: Body) -> None:
            answer = proxy.answer(self.command, self.path, self.headers.get("Authorization") or "", body)
            if answer is None:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            status, said = answer
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Log nothing: `calls` has the requests."""

    return Handler
