"""
Waits and retries where a stack's deletion fails because network interfaces still exist.

Runs between the decision and the action, as migrations do. Read-only.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from deployer import expected, interfaces
from deployer.actions import Action, DeleteStack, Wait
from deployer.cloud import Cloud
from deployer.errors import DeployError
from deployer.options import Host
from deployer.progress import Notice
from deployer.run.work import Work
from deployer.statuses import RESOURCE_GONE

SUBNET, GROUP = "AWS::EC2::Subnet", "AWS::EC2::SecurityGroup"
LONG_SECONDS = 300.0
"""After which the run says why the deletion of a function takes long."""
AGAIN_SECONDS = 30.0
"""Between two reads of the interfaces."""


@dataclass
class _Waiting:
    since: float
    asked_at: float
    deletes: int
    """Deletions that this run had begun: after each the interfaces are read again."""
    words: str = ""
    limit: float = 0.0
    """Seconds after which the deletion is repeated whatever is still there."""


class Lingering:
    """The interfaces that stacks of one run wait for."""

    def __init__(self, cloud: Cloud, host: Host) -> None:
        self._cloud = cloud
        self._host = host
        self._waiting: dict[str, _Waiting] = {}
        self._said: set[str] = set()

    def before(self, work: Work, action: Action, now: float) -> Action:
        """Return *action*, or a wait where the same interfaces would prevent a deletion once more."""
        status = work.stack.status if work.stack else ""
        if isinstance(action, Wait) and status == "DELETE_IN_PROGRESS":
            self._say_slow(work, now)
        if not isinstance(action, DeleteStack) or status != "DELETE_FAILED":
            return action
        one = self._waiting.get(work.name)
        if one is not None and one.deletes != work.history.deletes:
            one = None
        if one is None or (one.words and now - one.asked_at >= AGAIN_SECONDS):
            one = self._look(work, one, now)
        if not one.words or now - one.since >= one.limit:
            return action
        work.since = now  # the time limit is per operation, and none is in progress
        return Wait(one.words, on="task")

    def _say_slow(self, work: Work, now: float) -> None:
        """Report once what a deletion of functions waits for; CloudFormation shows nothing of it."""
        functions = expected.in_vpc(work.spec.template)
        if not functions or work.name in self._said or now - work.acted_at < LONG_SECONDS:
            return
        self._said.add(work.name)
        what = f"Lambda is deleting the network interfaces of {', '.join(functions)}"
        text = f"{what}: {expected.FUNCTION_MINUTES} minutes are normal, nothing is wrong"
        self._host.tell(Notice(text, work.name))

    def _look(self, work: Work, before: _Waiting | None, now: float) -> _Waiting:
        """Read which interfaces exist; if that is unknown, the deletion is simply repeated."""
        one = before or _Waiting(now, now, work.history.deletes)
        self._waiting[work.name], one.asked_at, one.words = one, now, ""
        with suppress(DeployError):
            found = self._found(work)
            minutes = interfaces.patience_minutes(found)
            one.limit = max(one.limit, 60.0 * minutes)
            if minutes:
                one.words = (
                    f"AWS deletes network interfaces later than their resources: {interfaces.told(found)}; "
                    f"up to {minutes} minutes are normal, then the deletion is retried"
                )
            elif found and before is None:
                text = f"network interfaces block the deletion: {interfaces.told(found)}"
                self._host.tell(Notice(text, work.name, warning=True))
        return one

    def _found(self, work: Work) -> tuple[interfaces.Interface, ...]:
        there = self._cloud.resources(work.stack.id) if work.stack else ()
        left = [one for one in there if one.physical_id and one.status not in RESOURCE_GONE]
        subnets, groups = (
            frozenset(one.physical_id for one in left if one.type == type_) for type_ in (SUBNET, GROUP)
        )
        return self._cloud.interfaces(subnets, groups) or ()
