"""A client's connection to a listener: its requests in sequence, each by the rules current at that time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import h11

from sandbox.gateway.balancer import headers, rules, view
from sandbox.gateway.balancer.actions import Led, performed
from sandbox.gateway.balancer.answers import PLAIN, Answer, own, phrase
from sandbox.gateway.balancer.asked import Asked
from sandbox.gateway.balancer.exchange import CutOffError, Exchange, FailedError
from sandbox.gateway.balancer.pool import Pool
from sandbox.gateway.balancer.targets import Target, Targets
from sandbox.gateway.balancer.view import Balancer, Group, Listener
from sandbox.gateway.balancer.wire import Activity, GoneError, IdleError, Wire

_UNREAD = 1_048_576
"""Bytes of an unread body that are skipped, to reach the next request."""
_BROKEN = (OSError, GoneError, CutOffError, IdleError, h11.LocalProtocolError)
"""Ends of a client's connection that are no error here."""


@dataclass(frozen=True)
class Way:
    """The origin of a client: the load balancer, its port, and the client's address."""

    arn: str
    port: int
    scheme: str
    """Its protocol."""
    address: tuple[str, int]


@dataclass(frozen=True)
class Serving:
    """The data that all connections share."""

    backend: Callable[[str], Any]
    """Moto's state of an ARN's region."""
    targets: Targets
    pool: Pool
    here: Callable[[str, int], int | None]
    """The loopback port of a load balancer's port."""


class Connection:
    """One client's connection."""

    def __init__(self, client: Wire, way: Way, serving: Serving) -> None:
        self._client = client
        self._way = way
        self._serving = serving

    async def serve(self) -> None:
        """Answer requests until either end closes."""
        try:
            while await self._one():
                pass
            await self._client.close()
        except BaseException as error:
            self._client.abort()
            if not isinstance(error, _BROKEN):
                raise

    def _found(self) -> tuple[Balancer, Listener] | None:
        """Return the load balancer and its listener in their current state."""
        balancer = view.balancer(self._serving.backend(self._way.arn), self._way.arn)
        listeners = balancer.listeners if balancer else ()
        found = [one for one in listeners if one.port == self._way.port]
        return (balancer, found[0]) if balancer and found else None

    async def _one(self) -> bool:
        """Answer one request; returns whether another may follow."""
        found = self._found()
        if found is None:
            return False
        activity = Activity(found[0].idle)
        try:
            event = await self._client.event(activity)
        except h11.RemoteProtocolError:
            await self._answer(own(400), activity)
            return False
        if not isinstance(event, h11.Request):
            return False
        found = self._found()  # the connection may have been idle for long
        if found is None:
            return False
        return await self._asked(event, *found, Activity(found[0].idle))

    async def _asked(
        self, event: h11.Request, balancer: Balancer, listener: Listener, activity: Activity
    ) -> bool:
        asked = Asked(
            method=event.method.decode("ascii"),
            target=event.target.decode("latin-1"),
            headers=list(event.headers),
            source=self._way.address[0],
            scheme=listener.protocol.lower(),
            port=listener.port,
        )
        decided = _refused(asked, self._way) or self._decided(asked, listener)
        if isinstance(decided, Answer):
            await self._answer(decided, activity, to=asked.method)
            return await self._over(activity)
        group = view.group(self._serving.backend(decided.group), decided.group)
        if group is None:
            await self._answer(own(503), activity, to=asked.method)
        elif group.version != "HTTP1":
            await self._answer(own(464), activity, to=asked.method)
        else:
            return await self._passed(asked, balancer, group, activity)
        return await self._over(activity)

    def _decided(self, asked: Asked, listener: Listener) -> Led | Answer:
        rule = rules.chosen(listener.rules, asked)
        actions = rule.actions if rule else ()
        return performed(actions, asked, lambda port: self._serving.here(self._way.arn, port))

    async def _passed(self, asked: Asked, balancer: Balancer, group: Group, activity: Activity) -> bool:
        with self._serving.targets.next(group.arn) as target:
            try:
                if target is not None:
                    return await self._exchanged(asked, balancer, group, target, activity)
                status = 503
            except FailedError as failed:
                status = failed.status
        await self._answer(own(status), activity, to=asked.method)
        return await self._over(activity)

    async def _exchanged(
        self, asked: Asked, balancer: Balancer, group: Group, target: Target, activity: Activity
    ) -> bool:
        """Forward the request to *target*; raises FailedError without a response."""
        wire = await self._wire(target, group, balancer)
        sent = headers.to_target(asked, self._way.address[1], balancer.attributes, time.time())
        exchange = Exchange(self._client, wire, activity)
        try:
            await exchange.run(h11.Request(method=asked.method, target=asked.relative, headers=sent))
            if exchange.status == 101:
                await exchange.upgraded()
                return False
        except BaseException:
            wire.abort()
            raise
        finally:
            if exchange.status == 101:
                wire.abort()
        self._serving.pool.give(target.address, group.protocol, wire)
        return await self._over(activity)

    async def _wire(self, target: Target, group: Group, balancer: Balancer) -> Wire:
        try:
            return await self._serving.pool.take(target.address, group.protocol, balancer.idle)
        except TimeoutError as error:
            raise FailedError(504) from error
        except OSError as error:
            raise FailedError(502) from error

    async def _answer(self, answer: Answer, activity: Activity, to: str = "GET") -> None:
        """Send a response of the load balancer itself to a request of the method *to*."""
        reason = phrase(answer.status).encode()
        begun = h11.Response(status_code=answer.status, headers=answer.all_headers, reason=reason)
        await self._client.send(begun, activity)
        if to != "HEAD":
            await self._client.send(h11.Data(data=answer.content), activity)
        await self._client.send(h11.EndOfMessage(), activity)

    async def _over(self, activity: Activity) -> bool:
        """Prepare the connection for another request; returns whether that is possible."""
        http, read = self._client.http, 0
        with suppress(h11.RemoteProtocolError, IdleError):
            while http.their_state is h11.SEND_BODY and read < _UNREAD:
                event = await self._client.event(activity)
                read += len(event.data) if isinstance(event, h11.Data) else 0
        if http.our_state is not h11.DONE or http.their_state is not h11.DONE:
            return False
        http.start_next_cycle()
        return True


def _refused(asked: Asked, way: Way) -> Answer | None:
    """Return the load balancer's response to a request that no rule gets."""
    if asked.scheme != way.scheme:
        return own(400, PLAIN)
    if asked.method == "CONNECT" or headers.too_large(asked):
        return own(400)
    if asked.method == "TRACE":
        return own(405)
    return own(463) if headers.forwarded_too_often(asked) else None


async def connected(sock: Any, context: Any) -> Wire:
    """Return the wire of a socket that a client has connected to, with TLS where there is a *context*."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=context)
    return Wire(h11.SERVER, reader, asyncio.StreamWriter(transport, protocol, reader, loop))
