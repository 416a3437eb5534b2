"""
Waits, at the end of a stack in express mode, until its resources are ready.

Runs between the decision and the action, as migrations do. Read-only. The stack's own timeout limits the
wait; stacks that run no tasks may start meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deployer.actions import Action, Done, Fail, Wait
from deployer.cloud import Cloud
from deployer.errors import DeployError, LostSight, Transient
from deployer.expected import resources_of
from deployer.options import Host
from deployer.progress import Notice
from deployer.readiness.table import (
    LOOKED_AT,
    SERVICE,
    Condition,
    Verdict,
    Watched,
    judged,
    way_on,
    went_back,
)
from deployer.run.polling_interval import PollingInterval
from deployer.run.work import Work

AT_MOST_SECONDS = 10.0
"""Between two polls, however long something takes to be ready."""
UNSEEN_SECONDS = 120.0
"""How long ECS may show other tasks than the stack's before they count as a rollback."""


@dataclass
class _Look:
    """What is not ready yet of one stack."""

    since: float
    waiting: list[Watched] | None = None
    """None: the stack's resources were not read yet."""
    asked: int = 0
    asked_at: float = 0.0
    words: str = "its resources become ready"
    unseen: list[str] = field(default_factory=list)
    """What this endpoint cannot report."""


class Awaiting:
    """The waits of one run."""

    def __init__(self, cloud: Cloud, host: Host, interval: PollingInterval) -> None:
        self._cloud = cloud
        self._host = host
        self._interval = interval
        self._looks: dict[str, _Look] = {}

    def before(self, work: Work, action: Action, now: float) -> Action:
        """
        Return *action*, or a wait if it would end a stack whose resources are not ready.

        Raises:
            LostSight: the login is over.

        """
        if work.goal != "deploy" or work.spec.express == "never" or not isinstance(action, Done):
            return action
        work.applied = True
        look = self._looks.setdefault(work.name, _Look(now))
        rested = now - look.asked_at
        if rested >= AT_MOST_SECONDS or self._interval.worth_following(now - look.since, rested, look.asked):
            look.asked, look.asked_at = look.asked + 1, now
            verdict = self._seen(work, look, now)
            if verdict.readiness == "ready":
                self._tell_unseen(work, look)
                return action
            if verdict.readiness == "failed":
                return Fail(verdict.text)
            if verdict.text != look.words:
                self._interval.news(now)
                look.words = verdict.text
        return Wait(look.words, on="task")

    def _seen(self, work: Work, look: _Look, now: float) -> Verdict:
        try:
            return self._verdict(work, look, now)
        except LostSight:
            raise
        except Transient:
            self._interval.strained()
            return Verdict("becoming", look.words)
        except DeployError as error:
            return Verdict("failed", f"nobody can say whether its resources are ready: {error}")

    def _verdict(self, work: Work, look: _Look, now: float) -> Verdict:
        """Poll what was not ready at the last poll; what is ready stays so for this run."""
        if look.waiting is None:
            look.waiting = self._watched(work)
        left, told = [], []
        for one in look.waiting:
            condition = self._cloud.condition(one.type, one.physical_id)
            if condition is None:
                look.unseen.append(one.logical_id)
                continue
            found = judged(one, condition)
            if now - look.since > UNSEEN_SECONDS and went_back(one, condition.service):
                text = f"ECS runs other tasks in {one.logical_id} than its stack says: it went back to them"
                found = Verdict("failed", text)
            if found.readiness == "failed":
                return Verdict("failed", self._explained(work, one, condition, found.text))
            if found.readiness == "becoming":
                left.append(one)
                told.append(found.text)
        look.waiting = left
        return Verdict("becoming", "; ".join(told)) if left else Verdict("ready")

    def _watched(self, work: Work) -> list[Watched]:
        """Return what is polled of a stack, with the task definitions that its template gives services."""
        template = resources_of(work.spec.template)
        if work.stack is None or not any(one["Type"] in LOOKED_AT for one in template.values()):
            return []
        there = {one.logical_id: one.physical_id for one in self._cloud.resources(work.stack.id)}
        return [
            Watched(name, there[name], one["Type"], there.get(_definition(one), ""))
            for name, one in template.items()
            if one["Type"] in LOOKED_AT and there.get(name)
        ]

    def _explained(self, work: Work, one: Watched, condition: Condition, text: str) -> str:
        """Return why *one* failed, with what ECS says of its tasks, and the remedy."""
        said = self._cloud.service_trouble(one.physical_id) if one.type == SERVICE else ()
        return f"{'; '.join([text, *said])} -> {way_on(one, condition, work.desired)}"

    def _tell_unseen(self, work: Work, look: _Look) -> None:
        if names := ", ".join(dict.fromkeys(look.unseen)):
            text = f"whether {names} is ready is not seen: this endpoint does not say"
            self._host.tell(Notice(text, work.name))


def _definition(resource: Mapping[str, Any]) -> str:
    """Return the logical id of the task definition that an ECS service is given; empty where it is no Ref."""
    given = resource.get("Properties", {}).get("TaskDefinition")
    return str(given.get("Ref", "")) if isinstance(given, dict) else ""
