"""Keep-alive connections to targets."""

from __future__ import annotations

import asyncio
import ssl

import h11

from sandbox.gateway.balancer.targets import Address
from sandbox.gateway.balancer.wire import Wire

CONNECT_SECONDS = 10.0
"""Time limit of a target's connection (User Guide, "Troubleshoot", "HTTP 504: Gateway timeout")."""
_KEPT = 32
"""Idle connections kept to one target."""


class Pool:
    """Used by the serving thread alone."""

    def __init__(self) -> None:
        self._idle: dict[tuple[Address, str], list[tuple[Wire, float]]] = {}

    async def take(self, address: Address, protocol: str, idle: float) -> Wire:
        """
        Return a connection, one that was idle for less than *idle* seconds or a new one.

        Raises:
            TimeoutError: the target accepts no connection in time.
            OSError: it refuses it.

        """
        kept = self._idle.get((address, protocol), [])
        now = asyncio.get_running_loop().time()
        while kept:
            wire, since = kept.pop()
            if now - since < idle and wire.quiet:
                return wire
            wire.abort()
        return await opened(address, protocol, CONNECT_SECONDS)

    def give(self, address: Address, protocol: str, wire: Wire) -> None:
        """Keep a connection after its exchange, if HTTP allows its reuse."""
        http = wire.http
        kept = self._idle.setdefault((address, protocol), [])
        if http.our_state is not h11.DONE or http.their_state is not h11.DONE or len(kept) >= _KEPT:
            wire.abort_after_sending()
            return
        http.start_next_cycle()
        kept.append((wire, asyncio.get_running_loop().time()))

    def drop(self, address: Address | None = None) -> None:
        """Close the kept connections to a deregistered target; without an *address*, to all."""
        for key in [key for key in self._idle if address in (None, key[0])]:
            for wire, _ in self._idle.pop(key):
                wire.abort()


async def opened(address: Address, protocol: str, seconds: float) -> Wire:
    """Return a new connection to a target; raises as `Pool.take` does."""
    tls = _unverified() if protocol == "HTTPS" else None
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(*address, ssl=tls)
    return Wire(h11.CLIENT, reader, writer)


def _unverified() -> ssl.SSLContext:
    """Accept any certificate, as a load balancer does (User Guide, "Target groups", "Target type")."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
