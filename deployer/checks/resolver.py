"""
Asks a DNS resolver for the name servers of a domain: by UDP, and by TCP where an answer is truncated.

Only two record types are needed, so it parses messages itself (RFC 1035) instead of using a DNS library.
Answers are untrusted: lengths and pointers are checked, and an answer counts only from the server that was
asked, with the id that was sent.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
import struct
from collections.abc import Collection, Mapping
from pathlib import Path

from deployer.checks.delegation import OTHER_RESOLVER, Delegation

A, NS = 1, 2
ANSWER, AUTHORITATIVE, CUT, RECURSIVE = 0x8000, 0x0400, 0x0200, 0x0080
"""Flags of a message (RFC 1035, 4.1.1)."""
NO_SUCH_DOMAIN = 3
SECONDS = 2.0
TRIES = 2
MOST_PARTS = 128
"""Labels and pointers of one name: RFC 1035 allows 127 labels; more is a loop."""
_SETTINGS = Path("/etc/resolv.conf")
_SERVER = re.compile(r"^\s*nameserver\s+(\S+)", re.MULTILINE)

Place = tuple[str, int]


class Unanswered(Exception):  # noqa: N818 - named after the outcome
    """There was no answer, or no readable one; the message says which."""


def chosen(environment: Mapping[str, str] = os.environ) -> Place | None:
    """Return the resolver that the user names; None where none is named."""
    named = environment.get(OTHER_RESOLVER, "").strip()
    if not named:
        return None
    host, colon, port = named.rpartition(":")
    one_colon = colon and ":" not in host and port.isdigit()
    return (host, int(port)) if one_colon else (named, 53)


def own() -> Place | None:
    """Return the machine's resolver; None where it has none that can be asked directly."""
    try:
        found = _SERVER.search(_SETTINGS.read_text())
    except OSError:
        return None
    return (found[1], 53) if found else None


def delegation(domain: str, zone_servers: Collection[str], resolver: Place | None) -> Delegation:
    """
    Return what *resolver* says of the name servers of *domain*; other failures are reported as unknown.

    *zone_servers*: those of the hosted zone. Where none has the same name, their addresses are compared.
    """
    if resolver is None:
        return Delegation(unknown="this machine names no DNS server")
    try:
        servers = records(domain, NS, resolver)
        if not servers or set(servers) & {one.lower().rstrip(".") for one in zone_servers}:
            return Delegation(tuple(servers))
        same = _addresses(servers, resolver) & _addresses(zone_servers, resolver)
    except Unanswered as error:
        return Delegation(unknown=str(error))
    return Delegation(tuple(servers), same=bool(same))


def _addresses(names: Collection[str], resolver: Place) -> set[str]:
    return {address for name in names for address in records(name, A, resolver)}


def records(name: str, kind: int, resolver: Place) -> list[str]:
    """
    Return the records of *name*; none where there is no such name, or nothing of that kind.

    Raises:
        Unanswered: the resolver does not answer, refuses, or answers with what is no DNS.

    """
    number = secrets.randbelow(65_536)
    question = (
        struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + _encoded(name) + struct.pack("!HH", kind, 1)
    )
    for last in range(TRIES, 0, -1):
        try:
            answer = _by_udp(question, resolver)
            if struct.unpack_from("!H", answer, 2)[0] & CUT:
                answer = _by_tcp(question, resolver)
            return _read(answer, number, kind)
        except (OSError, struct.error, IndexError, UnicodeError) as error:
            if last == 1:
                what = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
                raise Unanswered(f"DNS server {resolver[0]}: {what}") from error
    raise AssertionError


def _by_udp(question: bytes, resolver: Place) -> bytes:
    family = socket.AF_INET6 if ":" in resolver[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as line:
        line.settimeout(SECONDS)
        line.connect(resolver)  # so that datagrams from others are dropped
        line.send(question)
        return line.recv(65_535)


def _by_tcp(question: bytes, resolver: Place) -> bytes:
    with socket.create_connection(resolver, timeout=SECONDS) as line:
        line.sendall(struct.pack("!H", len(question)) + question)
        with line.makefile("rb") as answers:
            return answers.read(struct.unpack("!H", answers.read(2))[0])


def _read(answer: bytes, number: int, kind: int) -> list[str]:
    same, flags, questions, found = struct.unpack_from("!HHHH", answer)
    if same != number or not flags & ANSWER:
        raise Unanswered("the DNS server answers something else than was asked")
    code, alone = flags & 0x000F, not flags & (AUTHORITATIVE | RECURSIVE)
    if code == NO_SUCH_DOMAIN:
        return []
    if code:
        raise Unanswered(f"the DNS server answers with error {code}")
    place = 12
    for _ in range(questions):
        place = _name(answer, place)[1] + 4
    texts = []
    for _ in range(found):
        place = _name(answer, place)[1]
        type_, _class, _ttl, length = struct.unpack_from("!HHIH", answer, place)
        place += 10
        if type_ == kind == NS:
            texts.append(_name(answer, place)[0])
        elif type_ == kind == A:
            texts.append(socket.inet_ntoa(answer[place : place + length]))
        place += length
    if alone and not texts:
        raise Unanswered("the DNS server asks no other one")
    return texts


def _encoded(name: str) -> bytes:
    labels = [label.encode("idna") for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _name(answer: bytes, place: int) -> tuple[str, int]:
    """Return a name and the position behind it; a pointer refers to the rest of the name."""
    labels, behind = [], 0
    for _ in range(MOST_PARTS):
        length = answer[place]
        if length >= 0xC0:
            behind = behind or place + 2
            place = struct.unpack_from("!H", answer, place)[0] & 0x3FFF
        elif length:
            labels.append(answer[place + 1 : place + 1 + length].decode("ascii"))
            place += 1 + length
        else:
            return ".".join(labels).lower(), behind or place + 1
    raise IndexError
