"""
All load balancers of one account: one thread, one event loop, any number of connections.

A load balancer has one loopback port for its listeners on 80 and 443: a connection that starts with a TLS
handshake goes to the latter, any other to the former. So ``localhost:PORT`` is its DNSName for both schemes.
Each other listener has a port of its own.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.gateway.authority import Authority
from sandbox.gateway.balancer import view
from sandbox.gateway.balancer.certificates import Contexts, Names, chooser
from sandbox.gateway.balancer.checks import keep_checking
from sandbox.gateway.balancer.connection import Connection, Serving, Way, connected
from sandbox.gateway.balancer.pace import Pace
from sandbox.gateway.balancer.pool import Pool
from sandbox.gateway.balancer.ports import Ports
from sandbox.gateway.balancer.targets import Targets
from sandbox.gateway.balancer.view import Balancer, Listener
from sandbox.services.reach import Reach

ENTRY = (80, 443)
"""Ports that share the one of the DNSName."""
_PATIENCE = 60.0
"""Seconds in which a new client must send its first byte."""
_PAUSE, _END_SECONDS = 0.1, 2.0
_HANDSHAKE = b"\x16"
"""First byte of a TLS connection (RFC 8446, 5.1: a record of type handshake)."""
Door = tuple[str, int]
"""ARN of a load balancer, and its port; 0 for those of ENTRY."""


@dataclass(frozen=True)
class Place:
    """The address of a listener."""

    balancer: str
    """Its name."""
    region: str
    port: int
    """Port as on AWS."""
    protocol: str
    here: int
    """The port on loopback."""
    names: Sequence[str]
    """Names of its certificates."""


class Balancers:
    """The data plane of one account; `synced` reports each change."""

    def __init__(self, reach: Reach, folder: Path) -> None:
        """*folder* keeps the ports and the authority's key; initially nothing listens."""
        self._reach = reach
        self._ports = Ports(folder)
        self.authority = Authority(folder)
        self.targets = Targets(Pace(self._now).now)
        self._pool = Pool()
        self._lock = threading.Lock()
        self._doors: dict[Door, socket.socket] = {}
        self._serving = Serving(self._backend, self.targets, self._pool, self.port)
        self._tasks: dict[Door | str, asyncio.Task[None]] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="load-balancers", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close all connections and ports."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        with self._lock:
            for each in self._doors.values():
                each.close()
            self._doors.clear()

    def clear(self) -> None:
        """Forget everything: the account is empty again."""
        with self._lock:
            gone = list(self._doors)
            self.targets.clear()
            self._shut(gone)
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._pool.drop)

    def synced(self, region: str) -> None:
        """Read what has changed in *region*; after `close`, nothing any more."""
        backend = self._reach.backend("elbv2", region)
        with self._lock:
            if self._loop.is_closed():
                return
            there = view.balancers(backend)
            wanted = {door: one for one in there for door in _doors(one)}
            gone = [door for door in self._doors if f":{region}:" in door[0] and door not in wanted]
            for door, one in wanted.items():
                if door not in self._doors:
                    self._open(door, one)
            self._shut(gone)
            for one in there:
                backend.load_balancers[one.arn].dns_name = f"localhost:{self.port(one.arn, 0)}"
            for address in self.targets.sync(view.groups(backend), region):
                self._loop.call_soon_threadsafe(self._pool.drop, address)

    def port(self, arn: str, port: int) -> int | None:
        """Return the loopback port of a load balancer's *port*, None where nothing listens."""
        found = self._doors.get((arn, 0 if port in ENTRY else port))
        return int(found.getsockname()[1]) if found else None

    def places(self) -> list[Place]:
        """Return the address of each listener."""
        arns = sorted({arn for arn, _ in list(self._doors)})
        found = [one for arn in arns if (one := view.balancer(self._backend(arn), arn))]
        return [
            Place(one.name, one.region, each.port, each.protocol, here, self._names_of(one.arn, each.port))
            for one in found
            for each in one.listeners
            if (here := self.port(one.arn, each.port))
        ]

    def _now(self) -> float:
        return self._reach.surroundings.now()  # the sandbox itself is passed later

    def _backend(self, arn: str) -> Any:
        return self._reach.backend("elbv2", arn.split(":")[3])

    def _open(self, door: Door, balancer: Balancer) -> None:
        arn, port = door
        made = self._ports.bound(f"{balancer.region}/{balancer.name}/{port or 'entry'}")
        self._doors[door] = made
        tls = port or ENTRY[1]
        contexts = chooser(
            self.authority, lambda: self._certificates(arn, tls), lambda: self._clients(arn, tls)
        )
        self._soon(door, self._accept(door, made, contexts))

    def _shut(self, doors: Sequence[Door]) -> None:
        """Close the ports, and wait until they are closed: a new one of the same name gets them again."""
        ended = [asyncio.run_coroutine_threadsafe(self._end(door), self._loop) for door in doors]
        wait(ended, timeout=_END_SECONDS)

    async def _end(self, door: Door) -> None:
        task = self._tasks.pop(door)
        task.cancel()
        await asyncio.wait((task,))
        self._doors.pop(door).close()

    def _certificates(self, arn: str, port: int) -> list[Names]:
        return [self._names(one) for each in self._listeners(arn, port) for one in each.certificates]

    def _clients(self, arn: str, port: int) -> str:
        return "".join(each.authorities for each in self._listeners(arn, port))

    def _listeners(self, arn: str, port: int) -> list[Listener]:
        found = view.balancer(self._backend(arn), arn)
        return [one for one in found.listeners if one.port == port] if found else []

    def _names_of(self, arn: str, port: int) -> list[str]:
        return [name for names in self._certificates(arn, port) for name in names]

    def _names(self, certificate: str) -> Names:
        """Return the names of a certificate of ACM's; one of IAM's is unknown."""
        if ":acm:" not in certificate:
            return ()
        acm = self._reach.client("acm", certificate.split(":")[3])
        found = acm.describe_certificate(CertificateArn=certificate)["Certificate"]
        return tuple(dict.fromkeys((found["DomainName"], *found.get("SubjectAlternativeNames", ()))))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._soon("checks", keep_checking(self.targets))
        try:
            self._loop.run_forever()
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.close()

    def _soon(self, name: Door | str, what: Coroutine[Any, Any, None]) -> None:
        def begin() -> None:
            self._tasks[name] = self._loop.create_task(what)

        self._loop.call_soon_threadsafe(begin)

    async def _accept(self, door: Door, listening: socket.socket, contexts: Contexts) -> None:
        """Take every connection; they end with the port."""
        clients: set[asyncio.Task[None]] = set()
        try:
            while True:
                try:
                    sock, address = await self._loop.sock_accept(listening)
                except OSError:  # the process has reached its limit of open files for the moment
                    await asyncio.sleep(_PAUSE)
                    continue
                task = self._loop.create_task(self._serve(door, sock, (address[0], address[1]), contexts))
                clients.add(task)
                task.add_done_callback(clients.discard)
        finally:
            for task in clients:
                task.cancel()

    async def _serve(
        self, door: Door, sock: socket.socket, address: tuple[str, int], contexts: Contexts
    ) -> None:
        arn, port = door
        with suppress(OSError, TimeoutError):
            try:
                secure = await self._first(sock) == _HANDSHAKE
            except BaseException:
                sock.close()
                raise
            way = Way(arn, port or ENTRY[secure], "https" if secure else "http", address)
            wire = await connected(sock, contexts() if secure else None)  # it owns the socket from now on
            await Connection(wire, way, self._serving).serve()

    async def _first(self, sock: socket.socket) -> bytes:
        """Return the client's first byte, left in the buffer."""
        said = asyncio.Event()
        self._loop.add_reader(sock, said.set)
        try:
            async with asyncio.timeout(_PATIENCE):
                await said.wait()
        finally:
            self._loop.remove_reader(sock)
        return sock.recv(1, socket.MSG_PEEK)


def _doors(balancer: Balancer) -> list[Door]:
    others = [one.port for one in balancer.listeners if one.port not in ENTRY]
    return [(balancer.arn, port) for port in (0, *others)]
