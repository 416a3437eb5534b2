"""HTTP requests to the application's health and readiness paths."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from deployer.day2.verification import Answer
from deployer.options import Host
from deployer.scrub import said

TIMEOUT_SECONDS = 10.0
ATTEMPTS = 3
PAUSE_SECONDS = 2.0

_AGENT = {"User-Agent": "gatestack"}


@dataclass(frozen=True)
class Balancer:
    """A load balancer to connect to, whatever the name in a URL leads to."""

    host: str
    port: int
    authority: Path | None = None
    """File of CA certificates; None: the default trust store."""


def probe(url: str, paths: Sequence[str], host: Host, get: Callable[[str], Answer] | None = None) -> Answer:
    """
    Return the application's answer at *url*, from the first of *paths* that it knows.

    It is retried, since a task may be stopping; not if the load balancer itself closes the connection.
    """
    ask = get or get_once
    answer = Answer(url, None, "not asked")
    for attempt in range(ATTEMPTS):
        if attempt:
            host.sleep(PAUSE_SECONDS)
        if host.stop():
            return answer
        for path in paths:
            answer = ask(url + path)
            if answer.status != 404:
                break
        if answer.status == 200 or answer.untrusted or answer.closed:
            return answer
    return answer


def get_once(url: str) -> Answer:
    """Return the answer to one GET; certificates are checked."""
    request = Request(url, headers=_AGENT)  # noqa: S310 - https or http: our own output
    try:
        with urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - as above
            return Answer(url, response.status)
    except HTTPError as error:
        return Answer(url, error.code)
    except URLError as error:
        return _without(url, error.reason)
    except (OSError, HTTPException, ValueError) as error:
        return _without(url, error)


def get_by(balancer: Balancer, url: str) -> Answer:
    """Return the answer of *balancer* to one GET; its certificate is checked for the name in *url*."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    try:
        with socket.create_connection((balancer.host, balancer.port), TIMEOUT_SECONDS) as connected:
            connection = HTTPConnection(name, parts.port)
            connection.sock = _secured(connected, balancer, name) if parts.scheme == "https" else connected
            connection.request("GET", parts.path or "/", headers=_AGENT)
            return Answer(url, connection.getresponse().status)
    except (OSError, HTTPException, ValueError) as error:
        return _without(url, error)


def _without(url: str, why: object) -> Answer:
    """Return why there was no answer; a connection without a client certificate is closed (RFC 8446, 6.2)."""
    untrusted = isinstance(why, ssl.SSLCertVerificationError)
    closed = isinstance(why, ssl.SSLError | ConnectionResetError | BrokenPipeError) and not untrusted
    return Answer(url, None, said(why), untrusted=untrusted, closed=closed)


def _secured(connected: socket.socket, balancer: Balancer, name: str) -> ssl.SSLSocket:
    file = str(balancer.authority) if balancer.authority else None
    return ssl.create_default_context(cafile=file).wrap_socket(connected, server_hostname=name)
