"""The interface between the endpoint and the services behind it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.cloudformation.requests import Fetch
from sandbox.provisioning import Provisioner, Schemas
from sandbox.surroundings import Surroundings

if TYPE_CHECKING:  # it knows botocore, which is loaded when it is first needed
    from sandbox.access.access import Access
    from sandbox.rehearsal.provide import Provide
    from sandbox.rules.quotas.held import Quotas

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True)
class Backing:
    """What is behind the control plane; `services` answers every call that is not CloudFormation's."""

    provisioner: Callable[[str], Provisioner]
    schemas: Schemas
    fetch: Fetch
    services: Wsgi
    access: Access | None = None  # authorizes callers with roles; without it everybody is an administrator
    connect: Callable[[Surroundings], None] = lambda _: None  # called once, before any request
    reset: Callable[[], None] = lambda: None  # forgets the services' contents, and ends what runs
    provide: Provide | None = None  # resources of an account before a deployment; None: there can be none
    there: Callable[[str], Mapping[str, Collection[str]]] = lambda _: {}  # what can be provided, and exists
    quotas: Quotas | None = None  # the account's quotas; None: nothing is counted
    close: Callable[[], None] = lambda: None  # ends what runs; nothing is started afterwards
    notes: Callable[[], Sequence[str]] = tuple  # what running tasks lack here, a sentence each
    wait: Callable[[], bool] = lambda: False  # waits until no function runs; returns whether one did
    balancers: Callable[[], list[dict[str, Any]]] = list  # the addresses of load balancers, for people
    databases: Callable[[], dict[str, Any]] = dict  # the servers of databases, if there are any
