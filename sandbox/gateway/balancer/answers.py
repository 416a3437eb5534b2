"""
Responses that a load balancer generates itself. Pure.

Source: User Guide for Application Load Balancers, "Troubleshoot your Application Load Balancers", "The load
balancer generates an HTTP error"; the pages are those that ``awselb/2.0`` sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from sandbox.gateway.balancer.asked import Header

SERVER = b"awselb/2.0"
_PHRASES = {463: "", 464: "", 503: "Service Temporarily Unavailable", 504: "Gateway Time-out"}
_EMPTY = (204, 304)
"""Statuses whose responses have no body and no length (RFC 9110, 6.4.1 and 8.6)."""
PLAIN = "The plain HTTP request was sent to HTTPS port"


@dataclass(frozen=True)
class Answer:
    """One complete response."""

    status: int
    headers: Sequence[Header]
    body: bytes = b""

    @property
    def all_headers(self) -> list[Header]:
        """The headers, with those that every response of a load balancer has."""
        length = [] if self.status in _EMPTY else [(b"Content-Length", str(len(self.body)).encode())]
        return [(b"Server", SERVER), *self.headers, *length]

    @property
    def content(self) -> bytes:
        """The body that is sent."""
        return b"" if self.status in _EMPTY else self.body


def phrase(status: int) -> str:
    """Return the reason phrase that a load balancer sends with *status*."""
    if status in _PHRASES:
        return _PHRASES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def own(status: int, said: str = "") -> Answer:
    """Return a load balancer's page for *status*; *said* is a line below its title."""
    title = f"{status} {phrase(status)}".rstrip()
    lines = [
        f"<html>\r\n<head><title>{(said and f'{status} {said}') or title}</title></head>\r\n<body>",
        f"<center><h1>{title}</h1></center>",
        *([f"<center>{said}</center>"] if said else []),
        "</body>\r\n</html>\r\n",
    ]
    return Answer(status, ((b"Content-Type", b"text/html"),), "\r\n".join(lines).encode())


def redirected(location: str, status: int) -> Answer:
    """Return the redirect to *location*."""
    page = own(status)
    return Answer(status, (*page.headers, (b"Location", location.encode("latin-1", "replace"))), page.body)
