"""
`watch`: follows the operations in progress in an environment's stacks, whoever started them, to their end.

Read-only: it never starts or stops anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from deployer import causes
from deployer.cloud import Cloud
from deployer.day2.follow import GONE, REVIEWED, SIGHT_SECONDS, Follower, going
from deployer.errors import CloudError, DeployError, LostSight, NotAllowed, Transient
from deployer.options import Host
from deployer.progress import (
    Cause,
    Notice,
    Outcome,
    ResourceEvent,
    Result,
    RunStarted,
    StackFinished,
    StackResult,
    StackStarted,
    Stopping,
    Verb,
    outputs_of,
)
from deployer.run.polling_interval import LONGEST, PollingInterval
from deployer.states import StackEvent, StackState
from deployer.statuses import SUCCEEDED

QUIET_PAUSES = 2
"""
Longest pauses without an operation after which `watch` ends: between two stacks of a deployment nothing is in
progress for a moment.
"""
NOTHING = "nothing is in progress"
GOOD = SUCCEEDED | {GONE}


@dataclass
class _Watched:
    """One stack."""

    name: str
    stack_name: str
    stack: StackState | None = None
    looked: bool = False
    began: float | None = None
    """When an operation was first seen in progress, or found completed since the poll before."""
    verb: Verb = "none"
    result: StackResult | None = field(default=None)

    @property
    def going(self) -> bool:
        return going(self.stack)


def watch(
    environment: str,
    names: Mapping[str, str],
    cloud: Cloud,
    host: Host,
    *,
    poll_interval: float | None = None,
    show_events: bool = True,
    env: str = "",
) -> Result:
    """
    Show the operations in progress in the stacks *names* (short name -> CloudFormation's name) to their end.

    *env*: what the user calls the environment, where that is not its name.

    Raises:
        CloudError: AWS could not be asked at all.
        LostSight: the login is over before anything was seen.

    """
    found = _Attached(environment, names, cloud, host, poll_interval, show_events=show_events).run()
    return replace(found, env=env)


class _Attached:
    """One `watch`."""

    def __init__(
        self,
        environment: str,
        names: Mapping[str, str],
        cloud: Cloud,
        host: Host,
        poll_interval: float | None,
        *,
        show_events: bool,
    ) -> None:
        self._environment = environment
        self._stacks = {name: _Watched(name, stack) for name, stack in names.items()}
        self._cloud = cloud
        self._host = host
        self._shown = show_events
        self._follower = Follower(cloud)
        self._began = self._sight = host.clock()
        self._interval = PollingInterval(poll_interval, self._began)
        self._quiet = QUIET_PAUSES * (LONGEST if poll_interval is None else poll_interval)
        self._interrupted = False

    def run(self) -> Result:
        """Watch until nothing is in progress for a while, a signal comes, or AWS cannot be read any more."""
        self._look()
        if not self._running():
            return self._over()
        names = {one.name: one.stack_name for one in self._stacks.values()}
        self._host.tell(RunStarted(self._environment, "watch", (tuple(names),), names, {}))
        quiet_since: float | None = None
        problem = ""
        try:
            while not self._signalled():
                self._show()
                now = self._host.clock()
                quiet_since = None if self._running() else now if quiet_since is None else quiet_since
                if quiet_since is not None and now - quiet_since >= self._quiet:
                    break
                self._host.sleep(self._interval.pause(now))
                self._look_again()
        except LostSight as error:
            problem = str(error)
        return self._over(problem)

    def _running(self) -> list[_Watched]:
        return [one for one in self._stacks.values() if one.going]

    def _signalled(self) -> bool:
        if not self._host.stop():
            return False
        self._interrupted = True
        self._host.tell(Stopping(tuple(one.name for one in self._running()), leaving=True))
        return True

    # poll

    def _look(self) -> None:
        names = [one.stack_name for one in self._stacks.values()]
        ids = [one.stack.id for one in self._stacks.values() if one.stack and one.stack.status != GONE]
        states = self._cloud.stacks(names, ids)
        self._sight = self._host.clock()
        self._interval.relaxed()
        for one in self._stacks.values():
            self._take(one, _pick(one, states))

    def _take(self, one: _Watched, found: StackState | None) -> None:
        """Record the observed state of a stack; one that no longer exists was deleted."""
        if found is None and one.stack is not None and one.stack.status == GONE:
            return
        moved = (found.mark if found else None) != (one.stack.mark if one.stack else None)
        if moved:
            self._interval.news(self._sight)
        happened = going(found) or (moved and one.looked and found is not None and found.status != REVIEWED)
        one.stack, one.looked = found, True
        if happened and one.began is None:
            one.began = self._sight

    def _look_again(self) -> None:
        try:
            self._look()
        except Transient as error:
            self._interval.strained()
            quiet = self._host.clock() - self._sight
            if quiet > SIGHT_SECONDS:
                raise LostSight(f"no answer from AWS for {quiet / 60:.0f} minutes: {error}") from error
        except CloudError as error:
            raise LostSight(f"the stacks can no longer be read: {error}") from error

    # report

    def _show(self) -> None:
        for one in self._stacks.values():
            if one.stack is None or one.began is None:
                continue
            if one.verb == "none":
                self._start(one, one.stack)
            for event in self._events(one.stack) if self._shown else ():
                self._host.tell(ResourceEvent(one.name, event))
            if not one.going and one.result is None:
                self._host.tell(StackFinished(self._ended(one)))
            elif one.going and one.result is not None:
                one.result, one.verb = None, "none"

    def _start(self, one: _Watched, stack: StackState) -> None:
        one.verb = _verb(stack.status)
        self._host.tell(StackStarted(one.name, one.verb, self._size(stack)))

    def _size(self, stack: StackState) -> int:
        """Return how many resources the operation touches, for the bar; 0 if unknown."""
        with suppress(DeployError, ValueError):
            made = self._cloud.change_set(stack.change_set_id) if stack.change_set_id else None
            if made is not None and made.changes and _verb(stack.status) != "delete":
                return len(made.changes)
            return len(json.loads(self._cloud.template(stack.id)).get("Resources", {}))
        return 0

    def _events(self, stack: StackState) -> Iterator[StackEvent]:
        try:
            if stack.id in self._follower.events:
                yield from self._follower.fresh(stack, self._host.clock())
            else:
                yield from self._follower.start(stack, self._host.clock(), past=False)
        except NotAllowed as error:
            self._shown = False
            self._host.tell(Notice(f"events cannot be shown: {error}", None))
        except CloudError:
            return

    # end

    def _ended(self, one: _Watched, problem: str = "") -> StackResult:
        """Return the result that the stack's last state gives."""
        status = one.stack.status if one.stack else GONE
        seconds = 0.0 if one.began is None else self._host.clock() - one.began
        outcome, reason = self._outcome(one, status, problem)
        cause = self._cause(one.stack) if outcome == "failed" and one.stack else None
        shown = "" if one.stack is None else status
        one.result = StackResult(
            one.name, one.stack_name, one.verb, outcome, shown, seconds, reason, cause=cause
        )
        return one.result

    def _outcome(self, one: _Watched, status: str, problem: str) -> tuple[Outcome, str]:
        if one.began is None:
            return "done", NOTHING
        if one.going:
            return "going-on", problem or "the wait ended before the operation; AWS continues"
        reason = one.stack.reason if one.stack else ""
        return ("done", reason) if status in GOOD else ("failed", reason or f"it ended in {status}")

    def _cause(self, stack: StackState) -> Cause | None:
        with suppress(CloudError, LostSight):
            return causes.first_cause(causes.operation(self._cloud.events(stack.id)))
        return None

    def _over(self, problem: str = "") -> Result:
        results = tuple(
            one.result if one.result and not one.going else self._ended(one, problem)
            for one in self._stacks.values()
        )
        outputs = tuple(output for one in self._stacks.values() for output in outputs_of(one.name, one.stack))
        seconds = self._host.clock() - self._began
        return Result(self._environment, "watch", results, outputs, seconds, self._interrupted)


def _pick(one: _Watched, states: tuple[StackState, ...]) -> StackState | None:
    """Return the live stack of the name, else the one that was watched, which may be deleted by now."""
    named = [state for state in states if state.name == one.stack_name]
    alive = [state for state in named if state.status != GONE]
    own = [state for state in named if one.stack is not None and state.id == one.stack.id]
    return next(iter(alive or own), None)


def _verb(status: str) -> Verb:
    if status.startswith(("CREATE", "ROLLBACK")):
        return "create"
    return "delete" if status.startswith("DELETE") else "update"
