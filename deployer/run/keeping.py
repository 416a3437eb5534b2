"""What a destroy run keeps: recorded for each deleted stack, also for those that an earlier run deleted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace

from deployer.checks.taking import REPOSITORY
from deployer.cloud import Cloud
from deployer.decide import OWNER_TAGS, owned
from deployer.errors import DeployError
from deployer.kept import RETAINED, Kept, kept, policies_of
from deployer.run.work import Work
from deployer.states import StackState


class Keeping:
    """Looks for what is left; a failed query is ignored."""

    def __init__(self, cloud: Cloud, names: Callable[[], Collection[str]]) -> None:
        """*names*: of the stacks that did not exist when the run began."""
        self._cloud = cloud
        self._names = names
        self._deleted: tuple[StackState, ...] | None = None

    def note(self, work: Work) -> None:
        """Note what is left of a stack that does not exist (any more)."""
        earlier = work.first is None or work.first.status == "DELETE_COMPLETE"
        if earlier:
            work.kept = self._of_earlier(work)
        elif work.first and work.first.status != "REVIEW_IN_PROGRESS" and not work.history.deletes:
            work.kept = self._left(work.first)
        with suppress(DeployError):
            named = tuple(self._named(one, work) for one in work.kept)
            work.kept = tuple(one for one in named if one.snapshot_id or not (earlier and one.snapshot))

    def _of_earlier(self, work: Work) -> tuple[Kept, ...]:
        """Return what still exists of a stack that was deleted before."""
        if not {*RETAINED, "Snapshot"} & set(policies_of(work.spec.template).values()):
            return ()
        with suppress(DeployError):
            if self._deleted is None:
                self._deleted = self._cloud.deleted(sorted(self._names()))
            stack = next((one for one in self._deleted if one.name == work.spec.stack_name), None)
            if stack is not None and owned(stack, work.desired.tags):
                return self._there(self._left(stack), work)
        return ()

    def _left(self, stack: StackState) -> tuple[Kept, ...]:
        """Return what is left of a deleted stack; AWS returns it by its id for 90 days."""
        with suppress(DeployError):
            return kept(self._cloud.template(stack.id), self._cloud.resources(stack.id), stack.id)
        return ()

    def _there(self, found: Collection[Kept], work: Work) -> tuple[Kept, ...]:
        """Leave out what somebody has deleted since; a snapshot is asked for by its database."""
        if all(one.snapshot for one in found):
            return tuple(found)
        tags = {key: work.desired.tags[key] for key in OWNER_TAGS}
        names = [one.physical_id for one in found if one.type == REPOSITORY]
        holders = self._cloud.taken({REPOSITORY: names}).holders if names else ()
        own = [one.name for one in holders if tags.items() <= (one.tags or {}).items()]
        things = self._cloud.kept(tags, own)
        there = None if things is None else {(one.type, one.id) for one in things}
        return tuple(
            one for one in found if there is None or one.snapshot or (one.type, one.physical_id) in there
        )

    def _named(self, one: Kept, work: Work) -> Kept:
        snapshot = self._cloud.final_snapshot(one, work.spec.stack_name) if one.snapshot else None
        if snapshot is None:
            return one
        return replace(one, snapshot_id=snapshot.id, arn=snapshot.arn, gib=snapshot.gib)
