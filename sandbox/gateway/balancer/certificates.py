"""The certificate of a listener, issued by the sandbox's CA for its names."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Callable, Sequence

from sandbox.gateway.authority import Authority, write_closed

_HERE = ("localhost", "127.0.0.1", "::1")
Names = Sequence[str]


Contexts = Callable[[], ssl.SSLContext]
"""Returns the context for a new connection."""


def chooser(
    authority: Authority, certificates: Callable[[], Sequence[Names]], clients: Callable[[], str]
) -> Contexts:
    """
    Return contexts with the certificate for the name that a client requests, else the first.

    User Guide for Application Load Balancers, "SSL certificates", "Smart certificate selection":
    *certificates* gives the names of each, of the listener as it is then; *clients* the authorities (PEM) of
    which clients have to show a certificate ("Mutual authentication with TLS"), empty where none is verified.
    """
    made: dict[tuple[Names, str], ssl.SSLContext] = {}

    def context(names: Names) -> ssl.SSLContext:
        wanted = names, clients()
        if wanted not in made:
            made[wanted] = _context(authority, *wanted)
        return made[wanted]

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        there = [tuple(one) for one in certificates()] or [()]
        connection.context = context(next((one for one in there if name and _covers(one, name)), there[0]))

    def begin() -> ssl.SSLContext:
        first = context(())
        first.sni_callback = choose
        return first

    return begin


def _context(authority: Authority, names: Names, clients: str) -> ssl.SSLContext:
    """
    Return a context with a new certificate for *names*; the key is in a file only for a moment.

    *clients* are the authorities of client certificates: the first context decides whether they are needed,
    the chosen one which are accepted.
    """
    beside = authority.file.with_name(f"load-balancer.{uuid.uuid4().hex}")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        write_closed(beside, "".join(authority.issue([*names, *_HERE])).encode())
        context.load_cert_chain(beside)
    finally:
        beside.unlink(missing_ok=True)
    if clients:
        context.load_verify_locations(cadata=clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _covers(names: Names, asked: str) -> bool:
    wild = f"*.{asked.partition('.')[2]}"
    return any(one.lower() in (asked.lower(), wild.lower()) for one in names)
