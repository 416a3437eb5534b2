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
    access: Access | None = None  # judges callers that are roles; without it everybody is an administrator
    connect: Callable[[Surroundings], None] = lambda _: None  # told once, before anything is asked
    reset: Callable[[], None] = lambda: None  # forgets what the services hold, and ends what runs
    provide: Provide | None = None  # what is in the account before anybody deploys; None: nothing can be
    there: Callable[[str], Mapping[str, Collection[str]]] = lambda _: {}  # what can be provided and is there
    quotas: Quotas | None = None  # what the account may have; None: nothing is counted
    close: Callable[[], None] = lambda: None  # ends what runs; nothing is started any more
    notes: Callable[[], Sequence[str]] = tuple  # what the tasks that run lack here, a sentence each
    wait: Callable[[], bool] = lambda: False  # until no function runs; whether one did
    balancers: Callable[[], list[dict[str, Any]]] = list  # where load balancers answer, for people
    databases: Callable[[], dict[str, Any]] = dict  # their servers, where there are to be some
