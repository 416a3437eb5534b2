"""Reads stacks' events: for showing what goes on, and for the first real cause of a failure."""

from __future__ import annotations

from contextlib import suppress

from deployer import causes
from deployer.cloud import Cloud, StackState
from deployer.errors import CloudError, LostSight, NotAllowed
from deployer.options import Host
from deployer.progress import Cause, Notice, ResourceEvent
from deployer.statuses import Step, row
from deployer.work import Work

SECONDS_BETWEEN = 1.0


class Watch:
    """The events of one run."""

    def __init__(self, cloud: Cloud, host: Host, *, shown: bool) -> None:
        self._cloud = cloud
        self._host = host
        self._shown = shown

    def read(self, work: Work) -> None:
        """Tell the new events of a stack that goes on or has just ended; never a reason to fail."""
        stack = work.stack
        if not self._shown or stack is None or not self._due(work, stack):
            return
        going = row(stack.status).deploy is Step.WAIT
        if not (going or work.asked) or not work.observed("", self._host.clock()).fresh:
            return
        work.events_mark, work.events_at = stack.mark, self._host.clock()
        try:
            self._take(work)
        except NotAllowed as error:
            self._shown = False
            self._host.tell(Notice(f"events cannot be shown: {error}", work.name))
        except (CloudError, LostSight):
            work.events_mark = None

    def cause(self, work: Work) -> Cause | None:
        """Return the first real cause of what went wrong; None where the events show none."""
        with suppress(CloudError, LostSight):
            self._take(work)
        return causes.first_cause(work.events)

    def refusals(self, work: Work) -> tuple[str, ...]:
        """Return what AWS's validation says against the change set of *work*."""
        if work.change_set is None or work.change_set.status != "FAILED":
            return ()
        try:
            return self._cloud.change_set_failures(work.change_set.id)
        except (CloudError, LostSight):
            return ()

    def _due(self, work: Work, stack: StackState) -> bool:
        """Whether the stack has changed, or goes on and was not asked for a while."""
        rested = self._host.clock() - work.events_at >= SECONDS_BETWEEN
        return work.events_mark != stack.mark or (rested and stack.status.endswith("_IN_PROGRESS"))

    def _take(self, work: Work) -> None:
        if work.stack is None:
            return
        last = work.events[-1].id if work.events else None
        events = self._cloud.events(work.stack.id, last)
        fresh = causes.operation(events) if last is None else events
        work.events.extend(fresh)
        for event in fresh if self._shown else ():
            self._host.tell(ResourceEvent(work.name, event))
