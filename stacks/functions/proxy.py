"""
LiteLLM's administration over HTTP, as far as the rotation of its master key needs it. Quotes no answer:
keys!

Source: LiteLLM's documentation ("Virtual Keys", "Internal Users") and its key_management_endpoints.py: a key
may be given (``key``: starts with ``sk-``, 16 characters or more), an existing one is left as it is, an
alias belongs to one key, /key/info takes a key's SHA-256 in its place and answers for deleted keys, too.
"""

from __future__ import annotations

import hashlib
import http.client
import json
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

from stacks.functions.errors import RotationError

SECONDS = 10
"""For a connection, and for each answer."""
MINIMUM_KEY = 16
ALREADY = (400, 409)
"""What a second use of an id or an alias is refused with, in older and in newer releases."""
ADMIN = "proxy_admin"


class UnavailableError(RotationError):
    """The proxy does not answer, is not ready, or does not know the key (yet): worth another attempt."""


class RefusedError(RotationError):
    """The proxy will never do it."""


@dataclass(frozen=True)
class Request:
    """One request; *key* authenticates it."""

    address: str
    port: int
    method: str
    path: str
    key: str = field(repr=False)
    body: dict[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: dict[str, Any] = field(repr=False)

    @property
    def message(self) -> str:
        """LiteLLM's own words; to decide by, never to be logged."""
        error = self.body.get("error", self.body.get("detail", ""))
        return str(error.get("message", error.get("error", "")) if isinstance(error, dict) else error)


class Send(Protocol):
    """Sends requests; tests count and cut them."""

    def __call__(self, request: Request) -> Answer:
        """Return the answer, whatever its status; raises UnavailableError without one."""


def send(request: Request) -> Answer:
    """Send over plain HTTP, inside the VPC, past any proxy; raises UnavailableError without an answer."""
    connection = http.client.HTTPConnection(request.address, request.port, timeout=SECONDS)
    headers = {"Authorization": f"Bearer {request.key}", "Content-Type": "application/json"}
    body = None if request.body is None else json.dumps(request.body)
    try:
        connection.request(request.method, request.path, body, headers)
        answer = connection.getresponse()
        text, status = answer.read(), answer.status
    except (OSError, http.client.HTTPException):
        raise UnavailableError(f"the proxy at {request.address}:{request.port} does not answer") from None
    finally:
        connection.close()
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    return Answer(status, read if isinstance(read, dict) else {})


@dataclass(frozen=True)
class Proxy:
    """One running proxy, spoken to with its master key."""

    address: str
    port: int
    key: str = field(repr=False)
    send: Send = send

    def add_admin(self, user: str) -> None:
        """Make *user* an administrator; fine if there is one. Raises UnavailableError and RefusedError."""
        answer = self._ask("POST", "/user/new", user_id=user, user_role=ADMIN, auto_create_key=False)
        if answer.status in ALREADY and "already exists" in answer.message:
            return
        _accepted(answer, "a user for master keys")

    def keep_key(self, key: str, *, alias: str, user: str, duration: str) -> None:
        """
        Make *key* a key of *user*'s, valid for *duration* from now on. Raises UnavailableError, RefusedError.

        A key that is there is prolonged: made again, LiteLLM would leave it as it is, its old end included.
        """
        path = "/key/update" if self.knows(key) else "/key/generate"
        answer = self._ask("POST", path, key=key, duration=duration, key_alias=alias, user_id=user)
        if answer.status in ALREADY and "already exists" in answer.message and self.knows(key):
            return  # the same step runs twice at once
        if answer.status == 403 and "ustom" in answer.message:
            raise RefusedError(
                "the proxy makes no keys with a given value: take disable_custom_api_keys out of its"
                " general_settings, or the previous master key ends at once; then rotate again"
            )
        _accepted(answer, "a master key as a virtual key")

    def knows(self, key: str) -> bool:
        """Return whether *key* is a virtual key; by its hash: the proxy's access log shows URLs."""
        query = urlencode({"key": hashlib.sha256(key.encode()).hexdigest()})
        answer = self._ask("GET", f"/key/info?{query}")
        if answer.status == 404:
            return False
        _accepted(answer, "a question about a master key")
        info = answer.body.get("info")
        return not (isinstance(info, dict) and (info.get("status") == "deleted" or info.get("deleted_at")))

    def _ask(self, method: str, path: str, **body: Any) -> Answer:
        answer = self.send(Request(self.address, self.port, method, path, self.key, body or None))
        if answer.status == 401:
            raise UnavailableError(
                "the proxy does not know the current master key: its tasks are older than the secret;"
                " run `gatestack rollout`, then rotate again"
            )
        if answer.status == 429 or answer.status >= 500:
            raise UnavailableError(f"the proxy answers {path.partition('?')[0]} with {answer.status}")
        return answer


def _accepted(answer: Answer, what: str) -> None:
    if answer.status != 200:
        raise RefusedError(f"the proxy refuses {what} with {answer.status}: look at the log of its tasks")
