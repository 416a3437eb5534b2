"""Which certificate a listener of a load balancer shows, issued by the sandbox's authority for its names."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Sequence

from sandbox.gateway.authority import Authority, write_closed

_HERE = ("localhost", "127.0.0.1", "::1")
Names = Sequence[str]


def chooser(authority: Authority, certificates: Callable[[], Sequence[Names]]) -> ssl.SSLContext:
    """
    Return a context that shows the certificate for the name that a client asks for, else the first.

    User Guide for Application Load Balancers, "SSL certificates", "Smart certificate selection":
    *certificates* gives the names of each, of the listener as it is then.
    """
    made: dict[Names, ssl.SSLContext] = {}

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        there = [tuple(one) for one in certificates()] or [()]
        chosen = next((one for one in there if name and _covers(one, name)), there[0])
        if chosen not in made:
            made[chosen] = _context(authority, chosen)
        connection.context = made[chosen]

    context = _context(authority, ())
    context.sni_callback = choose
    return context


def _context(authority: Authority, names: Names) -> ssl.SSLContext:
    """Return a context with a new certificate for *names*; the key is in a file for a moment alone."""
    beside = authority.file.with_name(f"load-balancer.{uuid.uuid4().hex}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        write_closed(beside, "".join(authority.issue([*names, *_HERE])).encode())
        context.load_cert_chain(beside)
    finally:
        beside.unlink(missing_ok=True)
    return context


def _covers(names: Names, asked: str) -> bool:
    wild = f"*.{asked.partition('.')[2]}"
    return any(one.lower() in (asked.lower(), wild.lower()) for one in names)
