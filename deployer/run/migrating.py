"""
Steps on the database before a stack's change set is executed: its login is rotated once before the first
tasks use it, a snapshot is taken, and a one-off task migrates the schema.

Runs between the decision and the action. Each step is idempotent: a task that already runs, from another or
an interrupted run, is followed. `deployer.run.schema_migration` decides whether a migration is needed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from deployer.actions import Action, Execute, Fail, Migrate, Wait
from deployer.cloud import Cloud
from deployer.errors import CloudError, Transient
from deployer.observed import live
from deployer.options import Host
from deployer.progress import Notice
from deployer.run.polling_interval import PollingInterval
from deployer.run.schema_migration import (
    Live,
    Stage,
    Underway,
    count_of,
    failure,
    needed,
    snapshot_failure,
    starts_tasks,
    wrong_image,
)
from deployer.run.snapshots import (
    AVAILABLE,
    CREATING,
    Attempt,
    DatabaseSnapshot,
    attempt,
    name,
    outdated,
    serving,
)
from deployer.run.work import STALE_SECONDS, Work
from deployer.states import StackState
from deployer.tasks import NO_CAPACITY, TaskRequest, TaskState
from generator.manifest import StackSpec

ROTATION_SECONDS = 300.0
"""How long a rotation of the login may take, that usually takes one minute: a failed one never ends."""

ValueOf = Callable[[str], str | None]
"""Export -> its value."""


def deployed(cloud: Cloud, spec: StackSpec, stack: StackState | None) -> Live | None:
    """Return what is deployed of *spec*, None for a new stack; reads its template, may raise CloudError."""
    there = live(stack)
    return Live(cloud.template(there.id), count_of(spec, there.parameters)) if there else None


class Migrating:
    """The migrations of one run."""

    def __init__(
        self,
        cloud: Cloud,
        host: Host,
        interval: PollingInterval,
        value_of: ValueOf,
        made_now: Callable[[str], bool],
        *,
        region: str,
        environment: str,
    ) -> None:
        """*made_now*: whether this run makes the stack of an export; *environment*: what commands call it."""
        self._cloud = cloud
        self._host = host
        self._interval = interval
        self._value_of = value_of
        self._made_now = made_now
        self._region = region
        self._environment = environment
        self._steps: Mapping[str, Callable[[Work, Underway], Underway]] = {
            "look": self._look,
            "rotation": self._await_rotation,
            "snapshot": self._snapshot,
            "start": self._start,
            "follow": self._follow,
        }

    def before(self, work: Work, action: Action, now: float) -> Action:
        """Return *action*, or what has to come before it."""
        imports = work.request is not None and work.request.kind == "IMPORT"
        asked_for = work.spec.migration or work.spec.login_secret
        if not asked_for or imports or not isinstance(action, Execute):
            return action
        done = work.migration
        if done is None or (done.change_set_id != action.change_set_id and not done.task_id):
            done = work.migration = Underway(action.change_set_id, now)
        if done.stage == "failed":
            return Fail(done.reason)
        if done.stage == "over":
            return action
        if self._interval.worth_following(now - done.since, now - done.asked_at, done.asked):
            return Migrate(action.kind, done.words)
        return Wait(done.words, on="task")

    def carry_out(self, work: Work) -> None:
        """
        Take the step that is due.

        Raises:
            DeployError: AWS refused, or could not be reached; the same step can be taken again.

        """
        done = work.migration
        if done is None:
            return
        now = self._host.clock()
        done = work.migration = replace(done, asked=done.asked + 1, asked_at=now)
        found = self._steps[done.stage](work, done)
        if found.stage != done.stage:
            self._interval.news(now)
            found = replace(found, since=now, asked=0)
            work.since = now
        work.migration = found

    def _look(self, work: Work, done: Underway) -> Underway:
        """Decide whether to run anything, and what."""
        parameters = work.request.parameters if work.request else {}
        count, there = count_of(work.spec, parameters), deployed(self._cloud, work.spec, work.stack)
        done = replace(done, starts_tasks=starts_tasks(count=count, live=there))
        wanted, need = work.spec.migration, needed(work.spec.migration, count=count, live=there)
        if wanted is None or not need.needed:
            waits = done.starts_tasks and work.spec.login_secret
            return done.to("rotation" if waits else "over", need.reason)
        names = (wanted.definition_export, *wanted.subnet_exports, *wanted.security_group_exports)
        values = {name: self._value_of(name) for name in names}
        if missing := [name for name, value in values.items() if value is None]:
            text = f"the database cannot be migrated, because no stack exports {', '.join(missing)}"
            return done.to("failed", f"{text}: deploy all stacks")
        found = {name: str(value) for name, value in values.items()}
        images = self._cloud.task_images(found[wanted.definition_export])
        if images is None:
            return self._without(work, done, "this endpoint has no ECS")
        if problem := wrong_image(wanted, images):
            return done.to("failed", problem)
        request = TaskRequest(
            wanted.cluster,
            found[wanted.definition_export],
            wanted.container,
            tuple(found[name] for name in wanted.subnet_exports),
            tuple(found[name] for name in wanted.security_group_exports),
        )
        empty = self._made_now(wanted.definition_export)  # the database is new, too
        first = None if empty or wanted.snapshot is None else wanted.snapshot
        snapshot = attempt(first, wanted.image, work.version()) if first else None
        return replace(done.to("rotation", need.reason), request=request, snapshot=snapshot)

    def _await_rotation(self, work: Work, done: Underway) -> Underway:
        """
        Wait for a rotation: it changes the owner of all objects, and none should be created meanwhile.

        If no task runs yet, none starts before the first rotation: it would log in as the administrator.
        """
        secret = work.spec.login_secret
        next_: Stage = "snapshot" if done.snapshot else "start"
        then = done.to(next_ if done.request else "over")
        rotating = self._cloud.rotating(secret) if secret else None
        if rotating is None and secret:
            text = f"this endpoint has no Secrets Manager: a rotation of {secret} is not seen"
            self._host.tell(Notice(text, work.name))
        if rotating is None or not rotating.under_way:
            return then
        seconds = self._host.clock() - done.since
        if seconds < ROTATION_SECONDS:
            return done
        if rotating.first and done.starts_tasks:
            return done.to("failed", rotating.unrotated(self._environment, seconds / 60))
        what = f"the rotation of {secret} has not ended in {seconds / 60:.0f} minutes"
        text = f"{what}: {then.waits_no_more}; see the log of the rotation's function"
        self._host.tell(Notice(text, work.name, warning=True))
        return then

    def _snapshot(self, work: Work, done: Underway) -> Underway:
        """Take a snapshot of the database, or use the one that an interrupted run has requested."""
        one = done.snapshot
        there = self._cloud.database_snapshots(one.wanted) if one else None
        if one is None or there is None:
            text = "no snapshot is taken before the migration: this endpoint has no RDS"
            self._host.tell(Notice(text, work.name, warning=True))
            return done.to("start")
        asked = next((each for each in there if each.id == done.snapshot_id), None)
        found = asked or serving(one, there)
        if found is None:
            return self._not_there(work, done, one, there)
        if found.status == AVAILABLE:
            self._host.tell(Notice(f"the snapshot {found.id} of the database is complete", work.name))
            self._prune(work, one, there)
            return done.to("start")
        if found.status != CREATING:
            return done.to("failed", snapshot_failure(f"{found.id} is {found.status}"))
        if not asked:
            self._host.tell(Notice(f"resumes waiting for the snapshot {found.id}", work.name))
        return replace(done, snapshot_id=found.id)

    def _not_there(
        self, work: Work, done: Underway, one: Attempt, there: Collection[DatabaseSnapshot]
    ) -> Underway:
        """Request a snapshot; RDS may not show it at once."""
        now = self._host.clock()
        if done.snapshot_id:
            lost = now - done.snapshot_at >= STALE_SECONDS
            return done.to("failed", snapshot_failure(f"RDS lost {done.snapshot_id}")) if lost else done
        new = name(one, there)
        if not self._cloud.take_snapshot(one.wanted, new, {**work.desired.tags, **one.tags}):
            return done  # a backup, or a change, of the database comes first
        self._host.tell(Notice(f"takes the snapshot {new} of the database before its migration", work.name))
        return replace(done, snapshot_id=new, snapshot_at=now)

    def _prune(self, work: Work, one: Attempt, there: Collection[DatabaseSnapshot]) -> None:
        """Delete excess snapshots of earlier migrations; a failure stops nothing."""
        for old in outdated(one, there):
            try:
                self._cloud.delete_snapshot(one.wanted, old)
                self._host.tell(Notice(f"deleted the snapshot {old} of an earlier migration", work.name))
            except CloudError as error:
                text = f"the snapshot {old} of an earlier migration could not be deleted: {error}"
                self._host.tell(Notice(text, work.name, warning=True))

    def _start(self, work: Work, done: Underway) -> Underway:
        """Follow a task that runs already, or run one."""
        wanted = work.spec.migration
        image = wanted.image if wanted else ""
        request = self._request(work, done)
        running = self._cloud.running_task(request)
        try:
            task = running or self._cloud.run_task(request)
        except Transient as error:
            if error.code == NO_CAPACITY:
                work.migration = replace(done, refused=done.refused + 1)
            raise
        text = f"migrates the database for {image} in a one-off task: {done.reason}"
        if running:
            text = f"resumes waiting for the task that migrates the database for {image}"
        self._host.tell(Notice(text, work.name))
        return self._judged(work, replace(done.to("follow"), task_id=task.id), task)

    def _follow(self, work: Work, done: Underway) -> Underway:
        """Check the state of the task; ECS may not show it at once."""
        task = self._cloud.task(self._request(work, done), done.task_id)
        if task is None and self._host.clock() - done.since < STALE_SECONDS:
            return done
        wanted = work.spec.migration
        if task is None and wanted is not None:
            return done.to("failed", failure(wanted, None, self._region))
        return self._judged(work, done, task) if task is not None else done

    def _judged(self, work: Work, done: Underway, task: TaskState) -> Underway:
        wanted = work.spec.migration
        if wanted is None or not task.stopped:
            return done
        if task.pretended:
            return self._without(work, done, "this endpoint runs no tasks")
        if problem := failure(wanted, task, self._region):
            return done.to("failed", problem)
        self._host.tell(Notice(f"the database is migrated for {wanted.image}", work.name))
        return done.to("over")

    def _without(self, work: Work, done: Underway, why: str) -> Underway:
        text = f"the database is not migrated before tasks start: {why}"
        self._host.tell(Notice(text, work.name, warning=True))
        return done.to("over", why)

    def _request(self, work: Work, done: Underway) -> TaskRequest:
        """
        Return the request with a token from its content: runs of the same change set share one task.

        A plan in a file keeps its change sets when a migration fails, so there each run has its own token.
        """
        request = done.request or TaskRequest("", "", "", (), ())
        run = self._host.run_id if work.approval and work.approval.lasting else ""
        content = json.dumps([str(request), done.change_set_id, done.refused, run])
        token = f"gatestack-{hashlib.sha256(content.encode()).hexdigest()[:32]}"
        return replace(request, token=token)
