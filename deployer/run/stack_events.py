"""Reads stack events: to show progress, and to find the root cause of a failure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress

from deployer import causes, expected
from deployer.checks.names import named
from deployer.cloud import Cloud
from deployer.errors import CloudError, LostSight, NotAllowed
from deployer.history.durations import past
from deployer.options import Host
from deployer.progress import Cause, Notice, ResourceEvent, StackExpected
from deployer.run.concurrency import Workers
from deployer.run.work import Work
from deployer.states import StackEvent, StackState
from deployer.statuses import Step, row

SECONDS_BETWEEN = 1.0
LONG_SECONDS = 300.0
"""After this, an ECS service still in progress is asked why its tasks stop …"""
AGAIN_SECONDS = 60.0
"""… and again, until there is an answer."""
AT_ONCE = 10
"""Stacks whose events are read between two polls."""


class Watch:
    """The events of one run."""

    def __init__(self, cloud: Cloud, host: Host, *, shown: bool) -> None:
        self._cloud = cloud
        self._host = host
        self._shown = shown

    def read(self, works: Collection[Work], workers: Workers) -> None:
        """
        Report the new events of stacks in progress or just ended; errors are ignored.

        No call returns those of several stacks: between two polls only a few are read, the longest unread
        ones first.
        """
        if self._shown:
            due = [(work, work.stack) for work in works if work.stack and self._due(work, work.stack)]
            workers.each(self._read, sorted(due, key=lambda one: one[0].events_at)[:AT_ONCE])

    def _read(self, one: tuple[Work, StackState]) -> None:
        work, stack = one
        work.events_mark, work.events_at = stack.mark, self._host.clock()
        try:
            self._take(work)
            self._ask_service(work)
        except NotAllowed as error:
            self._shown = False
            self._host.tell(Notice(f"events cannot be shown: {error}", work.name))
        except (CloudError, LostSight):
            work.events_mark = None

    def cause(self, work: Work) -> Cause | None:
        """Return the first real cause of what went wrong; None where the events show none."""
        with suppress(CloudError, LostSight):
            self._take(work)
        found = causes.first_cause(work.events)
        if found is None:
            return None
        names = {one.logical_id: one.name for one in named((work.spec,))}
        found = causes.with_name(found, names.get(found.logical_id, ""))
        if found.type != causes.SERVICE:
            return found
        event = causes.service_of(work.events)
        details = self._cloud.service_trouble(event.physical_id) if event else ()
        return causes.with_detail(found, details or work.trouble)

    def _ask_service(self, work: Work) -> None:
        """Ask ECS once why a service fails, or is not stable for long, and report it."""
        event = causes.service_of(work.events)
        if event is None or work.trouble or event.status.endswith("_COMPLETE"):
            return
        now = self._host.clock()
        began = work.service_since = now if work.service_since is None else work.service_since
        failed = event.status.endswith("_FAILED")
        if not failed and (now - began < LONG_SECONDS or now - work.service_asked < AGAIN_SECONDS):
            return
        work.service_asked, work.trouble = now, self._cloud.service_trouble(event.physical_id)
        if work.trouble and not failed:
            what = "; ".join(work.trouble)
            text = f"{event.logical_id} is not stable after {(now - began) / 60:.0f} minutes: {what}"
            self._host.tell(Notice(text, work.name, warning=True))

    def refusals(self, work: Work) -> tuple[str, ...]:
        """Return the failures of AWS's validation of the change set of *work*."""
        if work.change_set is None or work.change_set.status != "FAILED":
            return ()
        try:
            return self._cloud.change_set_failures(work.change_set.id)
        except (CloudError, LostSight):
            return ()

    def _due(self, work: Work, stack: StackState) -> bool:
        """Whether the stack has changed, or is in progress and was not read for a while."""
        going = row(stack.status).deploy is Step.WAIT
        rested = self._host.clock() - work.events_at >= SECONDS_BETWEEN
        news = work.events_mark != stack.mark or (rested and stack.status.endswith("_IN_PROGRESS"))
        return news and (going or work.asked) and work.observed("", self._host.clock()).fresh

    def _take(self, work: Work) -> None:
        if work.stack is None:
            return
        last = work.events[-1].id if work.events else None
        events = self._cloud.events(work.stack.id, last)
        fresh = causes.operation(events) if last is None else events
        if self._shown and last is None and fresh:
            self._foretell(work, events[: -len(fresh)])
        work.events.extend(fresh)
        for event in fresh if self._shown else ():
            self._host.tell(ResourceEvent(work.name, event))

    def _foretell(self, work: Work, before: Sequence[StackEvent]) -> None:
        """Correct the expected time of the operation by what the stack's events tell of those *before*."""
        if work.touched is None or not (known := past(before)).operations:
            return
        will = expected.seconds(work.touched, work.spec.template, known)
        self._host.tell(StackExpected(work.name, will))
