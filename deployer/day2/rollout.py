"""New tasks for a service: follows one deployment until it is steady, rolled back or failed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from deployer.day2.service import Deployment, Place, Service, Services
from deployer.day2.waiting import Patience, wait
from deployer.errors import DeployError
from deployer.options import Host
from deployer.progress import Notice
from deployer.run.backoff import with_backoff

Status = Literal["COMPLETED", "ROLLED_BACK", "FAILED", "IN_PROGRESS", "SKIPPED"]
"""``SKIPPED``: none was started."""

ROLLBACK_SECONDS = 10.0
"""How long after a deployment's failure ECS may take to begin the rollback."""
UNSEEN_LOOKS = 10
"""Polls in a row that may miss a new deployment: ECS may return the old state for some seconds."""
NOTICED_SECONDS = 60.0
"""How long after a rotation its function has started the new tasks at the latest."""
ROLLS_BACK = "rolling back"
"""What ECS writes into the reason of the deployment it goes back to ("ECS deployment circuit breaker")."""


@dataclass(frozen=True)
class Rollout:
    """How a deployment ended."""

    deployment: str
    status: Status
    seconds: float
    reason: str = ""
    """The first cause, where it is not COMPLETED."""


@dataclass(frozen=True)
class Going:
    """A deployment has not ended."""

    deployment: str
    """The one to follow: another one if it was superseded."""
    text: str
    superseded: bool = False


@dataclass(frozen=True)
class Ended:
    """A deployment has ended."""

    status: Status
    reason: str = ""


def judged(
    service: Service, deployment: str, before: Collection[str] = (), *, seen: bool = True
) -> Going | Ended:
    """
    Decide the state of *deployment*, started when those of *before* existed.

    *seen*: whether a poll has shown it, or enough polls have not.

    A deployment that fails is followed by a rollback to the one before it, which is PRIMARY again (ECS
    Developer Guide, "Deployment circuit breaker"); a newer one of somebody else's is followed instead.
    """
    own, primary = service.deployment(deployment), service.primary
    if service.status != "ACTIVE":
        return Ended("FAILED", f"the service is {service.status}")
    if own is not None and own == primary:
        return _newest(service, deployment)
    if primary is None:
        return Going(deployment, "has no newest deployment")
    if own is None and not seen and primary.id in before:
        return Going(deployment, "is not visible yet")
    back = primary.id in before or ROLLS_BACK in primary.reason.lower()
    if back or (own is not None and own.rollout == "FAILED"):
        return _rollback(service, deployment, primary)
    return Going(primary.id, "another deployment has started: following it", superseded=True)


def _rollback(service: Service, deployment: str, primary: Deployment) -> Going | Ended:
    own = service.deployment(deployment)
    reason = (own.reason if own else "") or primary.reason or "its tasks did not start"
    if primary.rollout == "FAILED":
        return Ended("FAILED", f"{reason}; the rollback failed too: {primary.reason}")
    over = primary.rollout == "COMPLETED" or (not primary.rollout and _steady(service))
    return Ended("ROLLED_BACK", reason) if over else Going(deployment, f"rolls back: {reason}")


def _newest(service: Service, deployment: str) -> Going | Ended:
    own = service.deployment(deployment)
    if own is None or own.rollout == "FAILED":
        return Ended("FAILED", (own.reason if own else "") or "its tasks did not start")
    if own.rollout == "COMPLETED" or (not own.rollout and _steady(service)):
        return Ended("COMPLETED")
    failed = f", {own.failed} could not be started" if own.failed else ""
    return Going(deployment, f"{own.running} of {own.desired} new tasks run{failed}")


def _steady(service: Service) -> bool:
    """Whether the counts alone say that it has ended: for endpoints that return no rollout state."""
    return len(service.deployments) == 1 and service.running == service.desired


@dataclass(frozen=True)
class Begun:
    """A deployment that was started."""

    deployment: str
    before: frozenset[str] = frozenset()
    """The ids of the deployments that existed before."""


@dataclass(frozen=True)
class Roller:
    """A service of one environment, and what is needed to wait for it."""

    services: Services
    place: Place
    host: Host
    patience: Patience
    environment: str

    def look(self) -> Service | None:
        """Return the service, retried while ECS throttles; None when there is none."""
        return with_backoff(self.host, lambda: self.services.look(self.place))

    def begin(self, idle: str) -> Begun:
        """
        Start new tasks.

        Raises:
            DeployError: there is no service, or it is to run no tasks: then *idle* says why.

        """
        found = self.look()
        if found is None or found.status != "ACTIVE":
            where = f"{self.place.service} in cluster {self.place.cluster}"
            raise DeployError(
                f"there is no service {where}: `gatestack deploy {self.environment}` creates it"
            )
        if not found.desired:
            raise DeployError(f"{found.name} runs no tasks: {idle}")
        primary = found.primary
        if primary is not None and primary.rollout == "IN_PROGRESS":
            self.say(f"a deployment is in progress already ({primary.id}): the new one supersedes it")
        made = with_backoff(self.host, lambda: self.services.roll(self.place))
        self.say(f"new tasks are started ({made})")
        return Begun(made, frozenset(one.id for one in found.deployments))

    def follow(self, begun: Begun) -> Rollout:
        """
        Wait until a deployment has ended.

        Raises:
            Interrupted, LostSight: ECS continues it; the message says how to check again.

        """
        return _Follower(self, begun).result()

    def noticed(self, before: Service) -> Begun | None:
        """Return a deployment newer than those of *before*, once it exists; None after a while."""
        known = frozenset(one.id for one in before.deployments)
        last = self.host.clock() + NOTICED_SECONDS / self.patience.speed

        def newer() -> str | None:
            found = self.services.look(self.place)
            if found and found.primary and found.primary.id not in known:
                return found.primary.id
            return "" if self.host.clock() >= last else None

        made = wait(newer, self.host, self.patience, self.going_on)
        return Begun(made, known) if made else None

    @property
    def going_on(self) -> str:
        """What ECS continues, for messages."""
        look = f"`gatestack verify {self.environment}` shows the result"
        return f"ECS continues the deployment of {self.place.service}; {look}"

    def say(self, text: str, *, warning: bool = False) -> None:
        """Tell a person something about the service."""
        self.host.tell(Notice(text, self.place.label, warning=warning))


class _Follower:
    """Follows one deployment, and tells what is new."""

    def __init__(self, roller: Roller, begun: Begun) -> None:
        self._roller = roller
        self._before = begun.before
        self._deployment = begun.deployment
        self._unseen = 0
        self._told = ""
        self._began = roller.host.clock()
        self._failed_at: float | None = None

    def result(self) -> Rollout:
        """Wait for the end."""
        roller = self._roller
        ended = wait(self._look, roller.host, roller.patience, roller.going_on)
        seconds = roller.host.clock() - self._began
        return Rollout(self._deployment, ended.status, seconds, ended.reason)

    def _look(self) -> Ended | None:
        found = self._roller.services.look(self._roller.place)
        if found is None:
            return Ended("FAILED", "the service no longer exists")
        if found.deployment(self._deployment) is not None:
            self._unseen = UNSEEN_LOOKS
        self._unseen += 1
        verdict = judged(found, self._deployment, self._before, seen=self._unseen > UNSEEN_LOOKS)
        if isinstance(verdict, Going):
            self._goes_on(verdict)
            return None
        if verdict.status == "COMPLETED":
            return verdict
        if verdict.status == "FAILED" and found.status == "ACTIVE" and self._rollback_may_begin():
            return None
        trouble = self._roller.services.trouble(found)
        return Ended(verdict.status, "; ".join([verdict.reason, *trouble]))

    def _goes_on(self, verdict: Going) -> None:
        self._deployment = verdict.deployment
        if verdict.text != self._told:
            self._told = verdict.text
            self._roller.say(verdict.text, warning=verdict.superseded)

    def _rollback_may_begin(self) -> bool:
        now = self._roller.host.clock()
        if self._failed_at is None:
            self._failed_at = now
        return now - self._failed_at < ROLLBACK_SECONDS
