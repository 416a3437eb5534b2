"""
The targets of all groups: their state, the next one for a request, and open requests.

Source: User Guide for Application Load Balancers, "Target groups for your Application Load Balancers",
"Deregistration delay": a deregistered target gets no new request and drains; it stays visible until the delay
is over. "Health checks": if all registered targets are unhealthy, all of them get requests. A target that is
registered and not yet checked gets none if there is another one.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from sandbox.gateway.balancer import health
from sandbox.gateway.balancer.health import Failure, Health, State
from sandbox.gateway.balancer.view import Check, Group

Address = tuple[str, int]
_PATIENCE = 90.0
"""Most real seconds that a target has, as on AWS, before failed checks make it unhealthy."""
_ORDER: tuple[set[State], ...] = ({"healthy"}, {"unhealthy"}, {"initial", "unused"})
"""States of targets that get requests, if there are none of the earlier states."""


@dataclass(eq=False)
class Target:
    """One registration of an address with a group."""

    group: str
    address: Address
    check: Check
    used: bool
    health: Health = health.REGISTERING
    due: float = 0.0
    """Virtual time of the next check; 0 for at once."""
    checking: bool = False
    in_flight: int = 0
    due_by: float = 0.0
    """
    Real time before which a new, or only silent, target is not unhealthy.

    Processes start and answer no faster here, and slower on a busy machine.
    """
    drains: _Drains | None = None


@dataclass(frozen=True)
class _Drains:
    """The end of draining: by both clocks if requests are in progress."""

    virtual: float
    real: float


@dataclass
class _Members:
    registered: dict[Address, Target] = field(default_factory=dict)
    draining: list[Target] = field(default_factory=list)
    turn: Iterator[int] = field(default_factory=itertools.count)
    requests: int = 0


class Targets:
    """Used by the threads of API calls and by the serving one: each call is short."""

    def __init__(self, now: Callable[[], float], real: Callable[[], float] = time.monotonic) -> None:
        """*now* returns virtual time, *real* that of the processes."""
        self._now = now
        self._real = real
        self._lock = threading.Lock()
        self._groups: dict[str, _Members] = {}

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._groups.clear()

    def sync(self, groups: Iterable[Group], region: str) -> list[Address]:
        """Read the registered targets of *region*'s groups; return the deregistered ones."""
        gone: list[Address] = []
        with self._lock:
            there = {one.arn: one for one in groups}
            for arn in [one for one in self._groups if f":{region}:" in one and one not in there]:
                gone += self._groups.pop(arn).registered
            for arn, group in there.items():
                gone += self._sync(self._groups.setdefault(arn, _Members()), group)
        return gone

    def _sync(self, members: _Members, group: Group) -> list[Address]:
        wanted = set(group.targets)
        gone = [address for address in members.registered if address not in wanted]
        for address in gone:
            target = members.registered.pop(address)
            if target.used:
                target.drains = _Drains(self._now() + group.delay, self._real() + group.delay)
                target.health = health.DRAINING
                members.draining.append(target)
        for address in group.targets:
            new = address not in members.registered
            target = members.registered.setdefault(
                address, Target(group.arn, address, group.check, group.used)
            )
            if group.used and (new or not target.used):
                target.health, target.due = health.REGISTERING, 0.0
                target.due_by = self._real() + _patience(group.check)
            target.check, target.used = group.check, group.used
        return gone

    def described(self, arn: str) -> list[tuple[Target, Health]]:
        """Return a group's registered or draining targets, with their health data."""
        with self._lock:
            members = self._members(arn)
            shown = [(one, self._told(one)) for one in members.registered.values()]
            again = members.registered.keys()
            return shown + [(one, one.health) for one in members.draining if one.address not in again]

    def _told(self, target: Target) -> Health:
        if not target.used:
            return health.NOT_IN_USE
        return target.health if target.check.enabled else health.HEALTHY

    @contextmanager
    def next(self, arn: str) -> Iterator[Target | None]:
        """Return the next target, and count a request to it; None if there is none."""
        with self._lock:
            members = self._members(arn)
            there = list(members.registered.values())
            ranks = ([one for one in there if self._told(one).state in states] for states in _ORDER)
            first = next((rank for rank in ranks if rank), [])
            target = first[next(members.turn) % len(first)] if first else None
            if target is not None:
                target.in_flight += 1
                members.requests += 1
        try:
            yield target
        finally:
            if target is not None:
                with self._lock:
                    target.in_flight -= 1

    def requests(self) -> dict[str, int]:
        """Return how many requests each group got so far, by ARN."""
        with self._lock:
            return {arn: members.requests for arn, members in self._groups.items()}

    def due(self) -> list[Target]:
        """Return the targets to check now; each belongs to the caller until `checked` is called."""
        now = self._now()
        with self._lock:
            every = [one for members in self._groups.values() for one in members.registered.values()]
            found = [one for one in every if one.used and not one.checking and one.due <= now]
            for one in [one for one in found if one.check.enabled]:
                one.checking, one.due = True, now + one.check.interval
                if one.health == health.REGISTERING:
                    one.health = health.CHECKING
            return [one for one in found if one.checking]

    def checked(self, target: Target, failure: Failure | None) -> None:
        """Note the result of a check."""
        with self._lock:
            target.checking = False
            if target.drains is not None:
                return
            before, now = target.health, self._real()
            if failure is None:
                target.due_by = now + _patience(target.check)
            early = now < target.due_by and (before.state == "initial" or failure is health.TIMEOUT)
            told = health.after(before, failure, target.check)
            worse = told.state == "unhealthy" and before.state != "unhealthy"
            target.health = replace(before, failed=0) if early and worse else told

    def _members(self, arn: str) -> _Members:
        members = self._groups.get(arn) or _Members()
        members.draining = [one for one in members.draining if self._drains(one)]
        return members

    def _drains(self, target: Target) -> bool:
        """
        Whether a deregistered target still drains.

        The sandbox's clock is fast, and processes are not: with requests in progress, the delay is in real
        seconds.
        """
        if target.drains is None:
            return False
        busy = target.in_flight > 0 and self._real() < target.drains.real
        return busy or self._now() < target.drains.virtual


def _patience(check: Check) -> float:
    """Return the real seconds of failed checks that make a target unhealthy on AWS, within bounds."""
    return min(check.interval * check.unhealthy, _PATIENCE)
