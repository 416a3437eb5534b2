"""One side of an HTTP/1.1 connection: bytes by asyncio, parsed by h11, without buffering."""

from __future__ import annotations

import asyncio
import select
from contextlib import suppress
from typing import Any

import h11

PIECE = 65_536
"""Bytes per read, and the most that headers may have (User Guide, "Quotas": 64 K)."""

Role = type[h11.CLIENT] | type[h11.SERVER]


class IdleError(Exception):
    """No byte was transferred for the idle timeout of the connection."""


class GoneError(Exception):
    """The other end has closed the connection."""


class Activity:
    """The time of the last byte between a client and its target."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.note()

    def note(self) -> None:
        """Note the transfer of a byte."""
        self._last = asyncio.get_running_loop().time()

    @property
    def until(self) -> float:
        """The loop's time at which the connection reaches its idle timeout."""
        return self._last + self._seconds


class Wire:
    """A connection to a client or to a target."""

    def __init__(self, role: Role, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """*role* is that of this side: h11.SERVER towards a client."""
        self.reader = reader
        self.writer = writer
        self.http = h11.Connection(role, max_incomplete_event_size=PIECE)

    async def event(self, activity: Activity) -> Any:
        """
        Return what the other end sends next, as h11's event.

        Raises:
            IdleError: nothing was received in time, nor transferred elsewhere in the same *activity*.
            h11.RemoteProtocolError: it is not HTTP.
            OSError: the connection broke.

        """
        while (event := self.http.next_event()) is h11.NEED_DATA:
            self.http.receive_data(await self.piece(activity))
        return event

    async def piece(self, activity: Activity) -> bytes:
        """Return what the other end sends next, empty where it has closed; raises as `event` does."""
        while True:
            try:
                async with asyncio.timeout_at(activity.until):
                    found = await self.reader.read(PIECE)
            except TimeoutError:
                if activity.until > asyncio.get_running_loop().time():
                    continue  # the other direction was busy
                raise IdleError from None
            activity.note()
            return found

    async def send(self, event: Any, activity: Activity) -> None:
        """Send an event; waits while the other end is slow. Raises IdleError, OSError."""
        found = self.http.send(event)
        if found:
            await self.write(found, activity)

    async def write(self, piece: bytes, activity: Activity) -> None:
        """Send bytes as they are; raises as `send` does."""
        self.writer.write(piece)
        activity.note()
        try:
            async with asyncio.timeout_at(activity.until):
                await self.writer.drain()
        except TimeoutError:
            raise IdleError from None
        activity.note()

    @property
    def quiet(self) -> bool:
        """Whether it is open, without unexpected data: such as its end."""
        if self.reader.at_eof() or self.writer.is_closing():
            return False
        looked = select.poll()
        looked.register(self.writer.get_extra_info("socket").fileno(), select.POLLIN)
        return not looked.poll(0)

    def abort(self) -> None:
        """Close the connection, without sending the rest."""
        self.writer.transport.abort()

    async def close(self) -> None:
        """
        Close the connection; data that was sent arrives.

        Incoming data is read for a moment: else the other system would discard our response.
        """
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self.writer.drain()
                if self.writer.can_write_eof():
                    self.writer.write_eof()
                    while await self.reader.read(PIECE):
                        pass
        self.abort_after_sending()

    def abort_after_sending(self) -> None:
        """Close the connection once everything is sent, without waiting."""
        self.writer.close()
