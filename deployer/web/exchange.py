"""One JSON request and its response: HTTPS or loopback, no redirects, limited in time and size."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from deployer.scrub import said

TIMEOUT_SECONDS = 15.0
MOST_BYTES = 8 * 1024 * 1024
"""Of an answer: a hundred of the longest comments that GitHub has."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
AGAIN = frozenset({429, 500, 502, 503, 504})
"""Answers after which the same request may succeed (RFC 9110, 15.6; RFC 6585, 4)."""
ATTEMPTS = 3
LONGEST_PAUSE_SECONDS = 30.0


class ExchangeError(Exception):
    """There is no answer; the message has no address, because some are secrets."""


@dataclass(frozen=True)
class Question:
    """What is asked of a server."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    document: Any = None
    plain: bool = False
    """Whether it may go over HTTP to other machines: it holds no secret."""
    seconds: float = TIMEOUT_SECONDS
    """How long a connection, or the next part of an answer, is waited for."""


@dataclass(frozen=True)
class Reply:
    """What a server answered, whatever the status."""

    status: int
    document: Any
    """None where the answer is no JSON."""
    retry_after: float | None = None
    """Seconds."""

    @property
    def message(self) -> str:
        """What the server says about a refusal, as one short line without secrets."""
        found = self.document.get("message") if isinstance(self.document, dict) else None
        return said(found, most=200) if isinstance(found, str) else ""


Ask = Callable[[Question], Reply]


class _Stays(HTTPRedirectHandler):
    """Follows no redirect: a token or a secret address would go to another server."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Say that there is nothing to follow."""


def allowed(url: str, *, plain: bool = False) -> bool:
    """Whether requests may go to *url*: HTTPS, or a server on this machine; *plain*: any server."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and (plain or host in LOOPBACK))
    )


def ask_once(question: Question) -> Reply:
    """
    Send *question* and return the reply; certificates are checked.

    Raises:
        ExchangeError: the address is not allowed, or no answer came.

    """
    if not allowed(question.url, plain=question.plain):
        raise ExchangeError("the address is neither https:// nor on this machine")
    body = None if question.document is None else json.dumps(question.document).encode()
    headers = {"User-Agent": "gatestack", "Accept": "application/json", **question.headers}
    if body is not None:
        headers["Content-Type"] = "application/json"
    request = Request(question.url, data=body, headers=headers, method=question.method)  # noqa: S310 - checked
    try:
        with build_opener(_Stays).open(request, timeout=question.seconds) as response:
            return _reply(response.status, response.read(MOST_BYTES), response.headers)
    except HTTPError as error:
        with error:
            return _reply(error.code, error.read(MOST_BYTES), error.headers)
    except URLError as error:
        raise ExchangeError(f"no answer: {said(error.reason, most=200)}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise ExchangeError(f"no answer: {said(error, most=200)}") from None


def asked(
    question: Question, sleep: Callable[[float], None], ask: Ask = ask_once, attempts: int = ATTEMPTS
) -> Reply:
    """
    Send *question* until there is an answer that another attempt would not change, *attempts* at most.

    Only for what may be sent twice. Raises ExchangeError: the last attempt had no answer.
    """
    for attempt in range(1, attempts + 1):
        try:
            reply = ask(question)
        except ExchangeError:
            if attempt == attempts:
                raise
            sleep(pause(attempt, None))
            continue
        if reply.status not in AGAIN or attempt == attempts:
            return reply
        sleep(pause(attempt, reply.retry_after))
    raise AssertionError  # the last attempt returns or raises


def pause(attempt: int, retry_after: float | None) -> float:
    """Return the seconds before another attempt after so many: what the server asks for, within reason."""
    return min(float(2**attempt) if retry_after is None else retry_after, LONGEST_PAUSE_SECONDS)


def _reply(status: int, body: bytes, headers: Any) -> Reply:
    try:
        document = json.loads(body) if body else None
    except ValueError:
        document = None
    wanted = str(headers.get("Retry-After") or "")
    return Reply(status, document, float(wanted) if wanted.isascii() and wanted.isdigit() else None)
