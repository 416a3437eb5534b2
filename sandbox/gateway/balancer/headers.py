"""
The headers that a load balancer forwards, drops and adds. Pure.

Source: User Guide for Application Load Balancers, "HTTP headers and Application Load Balancers"
(X-Forwarded-For appended by default, -Proto and -Port set), "Edit attributes" (the attributes that are read
here) and "Request tracing" (X-Amzn-Trace-Id); RFC 9110, 7.6.1 (hop by hop).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence

from sandbox.gateway.balancer.asked import Asked, Header

_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate te trailer transfer-encoding upgrade".split()
)
_OWN = frozenset(b"host x-forwarded-for x-forwarded-proto x-forwarded-port x-amzn-trace-id expect".split())
"""Headers that it sets itself; it answers ``Expect: 100-continue`` itself as well."""
_VALID = re.compile(rb"[-A-Za-z0-9]+")
_MODE, _PORT = "routing.http.xff_header_processing.mode", "routing.http.xff_client_port.enabled"
_DROP = "routing.http.drop_invalid_header_fields.enabled"
LONGEST, MOST_BYTES = 16_384, 65_536
"""Bytes of the request line or of one header, and of all headers ("Quotas"; 400 by "Troubleshoot")."""
_NOBODY = b"localhost"
"""Host of an HTTP/1.0 request without one."""
MOST_FORWARDED = 30
"""Addresses in X-Forwarded-For; a request with more is answered 463."""


def to_target(asked: Asked, client_port: int, attributes: Mapping[str, str], now: float) -> list[Header]:
    """Return the headers of the request to a target; *now* is for the trace's id."""
    kept = [
        (name, value)
        for name, value in passed_on(asked.headers)
        if name not in _OWN and (_VALID.fullmatch(name) or attributes.get(_DROP) != "true")
    ]
    kept.insert(0, (b"Host", asked.authority.encode("latin-1") or _NOBODY))
    address = f"{asked.source}:{client_port}" if attributes.get(_PORT) == "true" else asked.source
    there, mode = asked.values("x-forwarded-for"), attributes.get(_MODE, "append")
    forwarded = {"append": [*there, address], "preserve": there, "remove": []}[mode]
    if forwarded:
        kept.append((b"X-Forwarded-For", ", ".join(forwarded).encode("latin-1")))
    kept += [
        (b"X-Forwarded-Proto", asked.scheme.encode()),
        (b"X-Forwarded-Port", str(asked.port).encode()),
        (b"X-Amzn-Trace-Id", _trace(asked.values("x-amzn-trace-id"), now).encode("latin-1")),
    ]
    if chunked(asked.headers):
        kept.append((b"Transfer-Encoding", b"chunked"))
    if (protocol := upgrade(asked.headers)) is not None:
        kept += [(b"Connection", b"upgrade"), (b"Upgrade", protocol)]
    return kept


def passed_on(headers: Sequence[Header]) -> list[Header]:
    """Return *headers*, of a request or a response, without hop-by-hop ones."""
    dropped = _HOP | _named(headers)
    return [(name, value) for name, value in headers if name.lower() not in dropped]


def chunked(headers: Sequence[Header]) -> bool:
    """Whether a request's body is sent in chunks."""
    return any(name == b"transfer-encoding" for name, _ in headers)


def upgrade(headers: Sequence[Header]) -> bytes | None:
    """Return the protocol to switch to, in a request or a response, like websocket."""
    found = [value for name, value in headers if name.lower() == b"upgrade"]
    return found[0] if found and b"upgrade" in _named(headers) else None


def too_large(asked: Asked) -> bool:
    """Whether a line of the request is longer than a load balancer accepts."""
    lines = [len(name) + len(value) for name, value in asked.headers]
    return max((len(asked.target), *lines)) > LONGEST or sum(lines) > MOST_BYTES


def forwarded_too_often(asked: Asked) -> bool:
    """Whether X-Forwarded-For has more addresses than a load balancer accepts."""
    return sum(value.count(",") + 1 for value in asked.values("x-forwarded-for")) > MOST_FORWARDED


def _named(headers: Sequence[Header]) -> set[bytes]:
    """Return the header names in the Connection header."""
    given = [value for name, value in headers if name.lower() == b"connection"]
    return {one.strip().lower() for value in given for one in value.split(b",")}


def _trace(given: Sequence[str], now: float) -> str:
    """Return the trace's id: a new root, or the existing one, with this load balancer's own part."""
    made = f"1-{int(now):08x}-{secrets.token_hex(12)}"
    fields = [one.strip() for one in ";".join(given).split(";") if one.strip()]
    if not any(one.startswith("Root=") for one in fields):
        return ";".join([f"Root={made}", *fields])
    return ";".join([f"Self={made}", *(one for one in fields if not one.startswith("Self="))])
