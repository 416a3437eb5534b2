"""A DNS server on loopback, with the records that a test gives it (RFC 1035)."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

KINDS = {"A": 1, "NS": 2}
Records = Mapping[tuple[str, str], Sequence[str]]
"""(name, kind) -> values; a name without any record does not exist."""


@dataclass
class NameServer:
    """Its responses, and the questions that it got."""

    records: Records
    flags: int = 0x8180
    """Response, recursion desired and available."""
    cut: bool = False
    """Whether UDP responses are truncated, so that TCP is needed."""
    forged: bytes = b""
    """Sent instead of any other response."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    place: tuple[str, int] = ("127.0.0.1", 0)

    @property
    def address(self) -> str:
        return f"{self.place[0]}:{self.place[1]}"

    def answer(self, question: bytes, *, whole: bool) -> bytes:
        name, behind = _read(question)
        kind = {number: word for word, number in KINDS.items()}[struct.unpack_from("!H", question, behind)[0]]
        self.asked.append((name, kind))
        if self.forged:
            return self.forged
        values = self.records.get((name, kind), ())
        known = any(one == name for one, _ in self.records)
        flags = self.flags | (0 if known else 3)
        if self.cut and not whole:
            return question[:2] + struct.pack("!HHHHH", flags | 0x0200, 1, 0, 0, 0) + question[12:]
        head = question[:2] + struct.pack("!HHHHH", flags, 1, len(values), 0, 0) + question[12:]
        return head + b"".join(_record(KINDS[kind], value) for value in values)


@contextmanager
def serving(records: Records, **how: object) -> Iterator[NameServer]:
    """Give a running server; UDP and TCP have the same port."""
    server = NameServer(records, **how)  # type: ignore[arg-type]
    with _bound() as (datagrams, streams):
        server.place = datagrams.getsockname()
        threads = [
            threading.Thread(target=_udp, args=(datagrams, server)),
            threading.Thread(target=_tcp, args=(streams, server)),
        ]
        for thread in threads:
            thread.start()
        try:
            yield server
        finally:
            datagrams.sendto(b"", server.place)
            socket.create_connection(server.place).close()
            for thread in threads:
                thread.join()


@contextmanager
def _bound() -> Iterator[tuple[socket.socket, socket.socket]]:
    for _ in range(20):
        streams = socket.create_server(("127.0.0.1", 0))
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagrams.bind(streams.getsockname())
        except OSError:  # the port is taken for datagrams
            streams.close()
            datagrams.close()
            continue
        with streams, datagrams:
            yield datagrams, streams
        return
    raise AssertionError("no port is free for both")


def _udp(line: socket.socket, server: NameServer) -> None:
    while True:
        question, sender = line.recvfrom(4096)
        if not question:
            return
        line.sendto(server.answer(question, whole=False), sender)


def _tcp(listening: socket.socket, server: NameServer) -> None:
    while True:
        line, _ = listening.accept()
        with line, line.makefile("rb") as sent:
            length = sent.read(2)
            if not length:
                return
            found = server.answer(sent.read(struct.unpack("!H", length)[0]), whole=True)
            line.sendall(struct.pack("!H", len(found)) + found)


def _read(question: bytes) -> tuple[str, int]:
    place, labels = 12, []
    while length := question[place]:
        labels.append(question[place + 1 : place + 1 + length].decode())
        place += 1 + length
    return ".".join(labels), place + 1


def _record(kind: int, value: str) -> bytes:
    """Return a record whose name is a pointer to the question's."""
    data = socket.inet_aton(value) if kind == KINDS["A"] else _name(value)
    return struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(data)) + data


def _name(text: str) -> bytes:
    return b"".join(bytes([len(one)]) + one.encode() for one in text.split(".")) + b"\0"
