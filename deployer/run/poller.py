"""Observes AWS for a run: one poll for all stacks, and their pending change sets. Decides nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from deployer.cloud import Cloud
from deployer.errors import CloudError, LostSight, Transient
from deployer.options import Host
from deployer.run.concurrency import Workers
from deployer.run.polling_interval import PollingInterval
from deployer.run.work import GONE, STALE_SECONDS, Work, pick
from deployer.states import ChangeSetState, StackState

SIGHT_SECONDS = 600.0
"""How long the endpoint may refuse every answer before a run gives up watching."""
AT_ONCE = 64
"""Change sets read between two polls: no call returns several."""


class Poller:
    """Polls the stacks and change sets of one run."""

    def __init__(
        self, works: Collection[Work], cloud: Cloud, host: Host, interval: PollingInterval, workers: Workers
    ) -> None:
        self._works = tuple(works)
        """The most urgent first."""
        self._cloud = cloud
        self._host = host
        self._interval = interval
        self._workers = workers
        self._silent: dict[str, float] = {}
        """What is not answered at present, and since when."""

    def look(self) -> None:
        """Poll all stacks once."""
        open_ = [work for work in self._works if work.open]
        ids = [work.follow for work in open_ if work.follow]
        began = self._host.clock()
        states = self._cloud.stacks([work.spec.stack_name for work in open_], ids)
        self._interval.took(self._host.clock() - began)
        self.answered("stacks")
        self.see(states)

    def see(self, states: Collection[StackState]) -> None:
        """Record what a poll returned."""
        now = self._host.clock()
        by_name: dict[str, list[StackState]] = {}
        for state in states:
            by_name.setdefault(state.name, []).append(state)
        for work in (work for work in self._works if work.open):
            if work.seen(pick(work, by_name.get(work.spec.stack_name, ()))):
                self._interval.news(now)

    def look_again(self) -> None:
        """
        Poll all stacks once, if any of them can have changed.

        Raises:
            LostSight: nothing can be seen any more, or nothing was for a long time.

        """
        waits = (work.wait for work in self._works if work.open)
        if not any(wait is None or wait.on == "stack" for wait in waits):
            return
        try:
            self.look()
        except Transient as error:
            self.endure("stacks", error)
        except CloudError as error:
            raise LostSight(f"the stacks can no longer be read: {error}") from error

    def change_sets(self) -> list[tuple[Work, CloudError]]:
        """
        Read the change sets that AWS is working on, or whose execution the stacks show no trace of.

        Returns those that cannot be read, with why. Raises LostSight as `look_again` does.
        """
        now = self._host.clock()
        due = [work for work in self._works if work.open and self._due(work, now)]
        due = due[:AT_ONCE]
        refused: list[tuple[Work, CloudError]] = []
        answers = self._workers.each(self._read, due)
        if due:
            self._interval.took(self._host.clock() - now)
        for work, found in zip(due, answers, strict=True):
            if isinstance(found, Transient):
                self.endure("change sets", found)
            elif isinstance(found, CloudError) and not work.history.executed:
                refused.append((work, found))
            elif work.change_set is not None:
                self._take_in(work, work.change_set, None if isinstance(found, CloudError) else found)
        return refused

    def _due(self, work: Work, now: float) -> bool:
        if work.recheck:
            return True
        if work.pending:
            return self._interval.worth_asking(now - work.made_at, now - work.asked_at, work.asked_for)
        return work.doubtful(now) and self._interval.worth_asking(now - work.acted_at, now - work.asked_at)

    def _read(self, work: Work) -> ChangeSetState | CloudError | None:
        work.asked_at = self._host.clock()
        work.asked_for += 1
        if work.change_set is None:
            work.recheck = False
            return None
        try:
            return self._cloud.change_set(work.change_set.id)
        except CloudError as error:
            return error

    def _take_in(self, work: Work, before: ChangeSetState, found: ChangeSetState | None) -> None:
        now = self._host.clock()
        self.answered("change sets")
        if found is not None:
            if work.told(found):
                self._interval.news(now)
        elif work.history.executed:
            work.change_set, work.recheck = replace(before, execution=GONE), False
        elif now - work.made_at > STALE_SECONDS:
            work.recheck = False
            work.forget_change_set()

    def answered(self, what: str) -> None:
        """Note that AWS answers queries for *what*."""
        self._silent.pop(what, None)
        if not self._silent:
            self._interval.relaxed()

    def endure(self, what: str, error: Transient) -> None:
        """Tolerate a failed poll; raises LostSight if none has succeeded for a long time."""
        self._interval.strained()
        now = self._host.clock()
        quiet = now - self._silent.setdefault(what, now)
        if quiet > SIGHT_SECONDS:
            raise LostSight(f"no answer from AWS for {quiet / 60:.0f} minutes: {error}") from error
