"""
Forwards one request to a target and streams the response back.

Source: User Guide for Application Load Balancers, "Troubleshoot" (502 if the target refuses the connection,
closes it before it answers, or answers what is not HTTP; 504 if it does not accept the connection in 10 s, or
nothing comes within the idle timeout). It mentions no retry; there is none here.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import h11

from sandbox.gateway.balancer.headers import passed_on, upgrade
from sandbox.gateway.balancer.wire import PIECE, Activity, GoneError, IdleError, Wire


class FailedError(Exception):
    """The target gave no response; the client gets the load balancer's own, of `status`."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class CutOffError(Exception):
    """The response was cut off: the client's connection can only be closed."""


@dataclass
class Exchange:
    """A client's request and the connection to the target that answers it."""

    client: Wire
    target: Wire
    activity: Activity
    status: int = field(default=0, init=False)
    """Of the response, once it has begun."""
    _whole: bool = field(default=False, init=False)
    """Whether the client has sent all of its request."""

    async def run(self, request: h11.Request) -> None:
        """
        Forward the request and its response.

        Raises:
            FailedError: the target gives no answer.
            CutOffError: it ends in the middle of it.
            GoneError: the client has closed the connection.

        """
        await self._to_target(request)
        up, down = asyncio.create_task(self._up()), asyncio.create_task(self._down())
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if not down.done() and (error := up.exception()) is not None:
                raise error
            await down
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)

    async def _up(self) -> None:
        """Forward the body; then check whether the client is still connected. Raises GoneError."""
        try:
            if self.client.http.they_are_waiting_for_100_continue:
                await self.client.send(h11.InformationalResponse(status_code=100, headers=[]), self.activity)
            event: Any = None
            while not isinstance(event, h11.EndOfMessage):
                event = await self.client.event(self.activity)
                await self._to_target(event)
            self._whole = True
            if (said := await self.client.reader.read(PIECE)) == b"":
                raise GoneError
            self.client.http.receive_data(said)  # its next request, or data of the upgraded connection
        except IdleError as error:
            raise self._cut(408) from error
        except (OSError, h11.RemoteProtocolError) as error:
            raise GoneError from error

    async def _to_target(self, event: Any) -> None:
        """Send to the target; one that accepts no more may have answered already."""
        try:
            with suppress(OSError, h11.LocalProtocolError):
                await self.target.send(event, self.activity)
        except IdleError as error:
            raise self._cut(504) from error

    async def _down(self) -> None:
        """Forward the response."""
        while True:
            event = await self._answered()
            if isinstance(event, h11.InformationalResponse):
                if event.status_code == 101:
                    await self._switched(event)
                    return
                continue
            if isinstance(event, h11.Response):
                event = self._passed(event)
            await self._to_client(event)
            if isinstance(event, h11.EndOfMessage):
                return

    async def _answered(self) -> Any:
        """Return the target's next event; raises FailedError before its response, CutOffError within."""
        try:
            event = await self.target.event(self.activity)
        except IdleError as error:
            raise self._cut(504 if self._whole else 408) from error
        except (OSError, h11.RemoteProtocolError) as error:
            raise self._cut(502) from error
        if isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
            raise self._cut(502)
        return event

    def _cut(self, status: int) -> Exception:
        return CutOffError() if self.status else FailedError(status)

    def _passed(self, event: h11.Response) -> h11.Response:
        self.status = event.status_code
        headers = passed_on(event.headers.raw_items())
        return h11.Response(status_code=event.status_code, headers=headers, reason=event.reason)

    async def _to_client(self, event: Any) -> None:
        try:
            await self.client.send(event, self.activity)
        except (OSError, IdleError) as error:
            raise GoneError from error
        except h11.LocalProtocolError as error:  # such as a body longer than was announced
            raise self._cut(502) from error

    async def _switched(self, event: h11.InformationalResponse) -> None:
        """Tell the client that the connection has switched protocols; `upgraded` forwards the rest."""
        headers = event.headers.raw_items()
        own = [(b"Connection", b"upgrade"), (b"Upgrade", upgrade(headers) or b"")]
        told = h11.InformationalResponse(
            status_code=101, headers=[*passed_on(headers), *own], reason=event.reason
        )
        await self._to_client(told)
        self.status = 101

    async def upgraded(self) -> None:
        """Forward bytes both ways after a 101 response, until one end closes or both are idle."""
        ways = [
            asyncio.create_task(self._copied(self.target, self.client)),
            asyncio.create_task(self._copied(self.client, self.target)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ways:
                task.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _copied(self, source: Wire, sink: Wire) -> None:
        piece, _ = source.http.trailing_data
        while True:
            if piece:
                await sink.write(piece, self.activity)
            piece = await source.piece(self.activity)
            if not piece:
                return
