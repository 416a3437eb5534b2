"""Events of several stacks as they arrive: each once, read only from stacks that may have new ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from deployer.causes import operation
from deployer.cloud import Cloud
from deployer.errors import CloudError, LostSight, NotAllowed, Transient
from deployer.options import Host
from deployer.run.polling_interval import PollingInterval
from deployer.states import StackEvent, StackState

SECONDS_BETWEEN = 1.0
"""Between two reads of a stack in progress that shows nothing new itself."""
SIGHT_SECONDS = 600.0
"""How long the endpoint may refuse every answer."""
REVIEWED = "REVIEW_IN_PROGRESS"
GONE = "DELETE_COMPLETE"


def going(stack: StackState | None) -> bool:
    """Whether an operation on the stack is in progress in AWS."""
    return stack is not None and stack.status.endswith("_IN_PROGRESS") and stack.status != REVIEWED


class Follower:
    """The new events of stacks."""

    def __init__(self, cloud: Cloud, since: datetime | None = None) -> None:
        """*since*: what was before is not read."""
        self._cloud = cloud
        self._since = since
        self._last: dict[str, str | None] = {}
        self._marks: dict[str, tuple[str, ...]] = {}
        self._read_at: dict[str, float] = {}
        self.events: dict[str, list[StackEvent]] = {}
        """The events reported so far, by stack id."""

    def start(self, stack: StackState, now: float, *, past: bool) -> tuple[StackEvent, ...]:
        """
        Start following a stack; of its *past* only the operation in progress is reported, else the newest.

        With a start time, everything since then is reported.

        Raises:
            CloudError: its events cannot be read.

        """
        found = self._cloud.events(stack.id, None, self._since)
        self._note(stack, found, now)
        fresh = operation(found) if going(stack) or not past else ()
        fresh = found if self._since else fresh
        self.events[stack.id] = list(fresh)
        return fresh

    def fresh(self, stack: StackState, now: float) -> tuple[StackEvent, ...]:
        """Return what is new, oldest first; nothing where the endpoint does not answer just now."""
        if not self._due(stack, now):
            return ()
        try:
            found = self._cloud.events(stack.id, self._last.get(stack.id), self._since)
        except NotAllowed:
            raise
        except CloudError:
            return ()
        self._note(stack, found, now)
        self.events.setdefault(stack.id, []).extend(found)
        return found

    def _due(self, stack: StackState, now: float) -> bool:
        if self._marks.get(stack.id) != stack.mark:
            return True
        return going(stack) and now - self._read_at.get(stack.id, now - SECONDS_BETWEEN) >= SECONDS_BETWEEN

    def _note(self, stack: StackState, found: tuple[StackEvent, ...], now: float) -> None:
        self._marks[stack.id], self._read_at[stack.id] = stack.mark, now
        if found:
            self._last[stack.id] = found[-1].id


def follow(
    names: Mapping[str, str],
    cloud: Cloud,
    host: Host,
    show: Callable[[Sequence[tuple[str, StackEvent]]], None],
    *,
    poll_interval: float | None,
    since: datetime | None = None,
) -> None:
    """
    Give *show* the events of the stacks *names* (short name -> CloudFormation's name) until a signal comes.

    Operations in progress are shown from their beginning; completed ones only if *since* covers them.

    Raises:
        LostSight: the login is over, or AWS has not answered for a long time.
        CloudError: AWS could not be asked at all.

    """
    follower, interval = Follower(cloud, since), PollingInterval(poll_interval, host.clock())
    ids: dict[str, str] = {}
    sight, first = host.clock(), True
    while not host.stop():
        try:
            states = cloud.stacks(list(names.values()), list(ids.values()))
            sight = host.clock()
            interval.relaxed()
            rows = _rows(follower, names, states, sight, past=first)
            ids = {state.name: state.id for state in states if state.status != GONE}
            first = False
            if rows:
                interval.news(sight)
                show(rows)
        except Transient as error:
            interval.strained()
            if host.clock() - sight > SIGHT_SECONDS:
                raise LostSight(f"no answer from AWS for a long time: {error}") from error
        host.sleep(interval.pause(host.clock()))


def _rows(
    follower: Follower,
    names: Mapping[str, str],
    states: Collection[StackState],
    now: float,
    *,
    past: bool,
) -> list[tuple[str, StackEvent]]:
    short = {stack: name for name, stack in names.items()}
    rows = []
    for state in states:
        known = state.id in follower.events
        fresh = follower.fresh(state, now) if known else follower.start(state, now, past=past)
        rows += [(short[state.name], event) for event in fresh]
    return sorted(rows, key=lambda row: row[1].time)
