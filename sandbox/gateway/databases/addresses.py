"""
Loopback addresses of their own for databases, so that each has its configured port.

On Linux all of 127.0.0.0/8 is loopback (RFC 1122, 3.2.1.3); where only 127.0.0.1 is, as on a Mac, there is
one database per port. moto's endpoints are names; here they are replaced by the address of the server.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.gateway.databases.errors import DatabaseError
from sandbox.gateway.loopback import objection

_ATTEMPTS = 5
_FIRST, _LAST = 64, 126
"""Range of an address's second number: programs commonly use the first 64."""


@dataclass(frozen=True)
class Key:
    """One database: a single DB instance, or a cluster."""

    account: str
    region: str
    kind: str
    """``instance`` or ``cluster``."""
    name: str


_PLACES: dict[Key, str] = {}
"""Of this process, as moto's state is."""


def free(port: int) -> str:
    """
    Return an address with a free *port*.

    Raises:
        DatabaseError: another program has the port at all of them, or it is not allowed.

    """
    why = ""
    for address in _candidates():
        why = objection(address, port)
        if not why:
            return address
    raise DatabaseError(
        f"port {port} cannot be listened on at any loopback address of this machine ({why}): end the program "
        "that listens on it, or ask for another Port"
    )


def lead(key: Key, address: str | None) -> None:
    """Set the endpoint of *key* to *address*; None: moto's name again."""
    if address is None:
        _PLACES.pop(key, None)
    else:
        _connect()
        _PLACES[key] = address


def _candidates() -> Iterator[str]:
    chosen = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        yield f"127.{chosen.randint(_FIRST, _LAST)}.{chosen.randint(0, 255)}.{chosen.randint(1, 254)}"
    yield "127.0.0.1"


def _connect() -> None:
    """Let moto's models return the addresses; once a process."""
    from moto.rds.models import DBCluster, DBInstance  # noqa: PLC0415 - 0.1 s, only for databases

    if hasattr(DBInstance, "sandbox_endpoints"):
        return
    _replace(DBInstance, "address", _of_instance)
    _replace(DBCluster, "endpoint", _of_cluster)
    _replace(DBCluster, "reader_endpoint", _of_cluster)
    setattr(DBInstance, "sandbox_endpoints", True)  # noqa: B010 - mypy takes no assignment to a foreign class


def _replace(model: Any, name: str, place: Any) -> None:
    beneath = getattr(model, name).fget
    setattr(model, name, property(lambda one: place(one) or beneath(one)))


def _of_instance(instance: Any) -> str | None:
    """An instance of Aurora has its cluster's address: one server for all."""
    if instance.db_cluster_identifier:
        return _PLACES.get(
            Key(instance.account_id, instance.region, "cluster", instance.db_cluster_identifier)
        )
    return _PLACES.get(Key(instance.account_id, instance.region, "instance", instance.db_instance_identifier))


def _of_cluster(cluster: Any) -> str | None:
    return _PLACES.get(Key(cluster.account_id, cluster.region, "cluster", cluster.db_cluster_identifier))
