"""
Whether the schema is migrated before a stack changes, and the result of the one-off task. Pure.

LiteLLM's tasks do not migrate when they start (``DISABLE_SCHEMA_UPDATE``): several would do it at once, and a
failed migration would affect the tasks that serve clients.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from deployer.run.snapshots import Attempt
from deployer.tasks import TaskRequest, TaskState
from generator.manifest import Migration, StackSpec


@dataclass(frozen=True)
class Live:
    """The stack as it is deployed now."""

    template: str
    count: str | None = None
    """How many tasks are wanted there: ``"0"``, a number, or ``""`` where scaling decides."""


@dataclass(frozen=True)
class Need:
    """Whether to migrate, and why."""

    needed: bool
    reason: str


Stage = Literal["look", "rotation", "snapshot", "start", "follow", "over", "failed"]
WORDS: Mapping[Stage, str] = {
    "look": "whether the database has to be migrated first",
    "rotation": "the rotation of the database's login",
    "snapshot": "the snapshot of the database",
    "start": "the start of the database's migration",
    "follow": "the migration of the database",
}
"""What a stack waits for."""


@dataclass(frozen=True)
class Underway:
    """How far the migration before one execution is."""

    change_set_id: str
    """What is to be executed."""
    since: float
    """When the stage began."""
    stage: Stage = "look"
    asked: int = 0
    """Polls in this stage."""
    asked_at: float = 0.0
    request: TaskRequest | None = None
    """None before it is known that a task is to run."""
    snapshot: Attempt | None = None
    """What the snapshot is for that comes first; None where none does."""
    snapshot_id: str = ""
    """Its name, once it is asked for."""
    snapshot_at: float = 0.0
    refused: int = 0
    """How often ECS had no place for the task."""
    task_id: str = ""
    reason: str = ""
    """Why it is needed, is over, or has failed."""
    starts_tasks: bool = False
    """Whether the stack is about to get its first tasks."""

    def to(self, stage: Stage, reason: str = "") -> Underway:
        """Return the next stage."""
        return replace(self, stage=stage, reason=reason or self.reason)

    @property
    def waits_no_more(self) -> str:
        """What is done although a rotation is in progress."""
        return "the database is migrated anyway" if self.request else "its tasks start anyway"

    @property
    def words(self) -> str:
        """What the stack waits for."""
        which = f" (task {self.task_id.rpartition('/')[2]})" if self.task_id else ""
        if self.stage == "snapshot" and self.snapshot_id:
            which = f" ({self.snapshot_id})"
        return f"{WORDS.get(self.stage, self.stage)}{which}"


def count_of(spec: StackSpec, parameters: Mapping[str, str]) -> str | None:
    """Return how many tasks *parameters* ask for; None for a stack that does not leave it to them."""
    names = [one.parameter for one in spec.lookups if one.rule == "desired-count"]
    return parameters.get(names[0]) if names else None


def starts_tasks(*, count: str | None, live: Live | None) -> bool:
    """Whether a stack is about to get its first tasks: *count* are wanted, and none so far."""
    return count != "0" and (live is None or live.count == "0")


def needed(migration: Migration | None, *, count: str | None, live: Live | None) -> Need:
    """
    Decide for a stack that is about to change.

    *count*: the tasks that will be wanted; *live*: None for a new stack. A needless migration does no harm:
    what is applied already is skipped.
    """
    if migration is None:
        return Need(needed=False, reason="its application migrates the schema itself")
    if count == "0":
        return Need(needed=False, reason="no task is started")
    if live is None:
        return Need(needed=True, reason="no task has run yet")
    if live.count == "0":
        return Need(needed=True, reason="its desired count was 0 so far")
    before = image_of(live.template)
    if before == migration.image:
        return Need(needed=False, reason=f"the tasks that run have {before} already")
    return Need(needed=True, reason=f"the tasks that run have {before or 'an image without a migration'}")


def image_of(template: str) -> str | None:
    """Return the image that a deployed template was migrated for; None if unknown."""
    found = None
    try:
        found = json.loads(template)
        for key in ("Metadata", "gatestack", "migration", "image"):
            found = found.get(key)
    except (ValueError, AttributeError):
        return None
    return found if isinstance(found, str) else None


def foretold(migration: Migration, need: Need, *, snapshot: bool, live: Live | None) -> str:
    """
    Return what a plan says of a migration.

    *snapshot*: whether one is taken before; *live*: as in `needed`. Tasks that run meanwhile were made for
    another schema: what they do with the new one is for the release notes to say.
    """
    first = "after a snapshot of the database, " if snapshot else ""
    text = f"{first}the database is migrated for {migration.image} in a one-off task first ({need.reason})"
    if live is None or live.count == "0":
        return text
    minutes = migration.old_tasks_minutes
    long = f"for about {minutes} minutes" if minutes else "until new ones have taken over"
    return f"{text}; from then on the old tasks use the new schema, {long}"


def wrong_image(migration: Migration, images: Mapping[str, str]) -> str:
    """Return why the live task definition, with *images* by container, is not the one to run; or nothing."""
    image = images.get(migration.container)
    if image is not None and image.endswith(migration.image):
        return ""
    there = f"is for {image}" if image else f"has no container {migration.container}"
    what = f"the migration's task definition {there}, and {migration.image} is deployed"
    return f"{what}: deploy the database stack too (it holds that definition)"


def failure(migration: Migration, task: TaskState | None, region: str) -> str:
    """Return why the stack must not change after *task*, None for one that is lost; empty when it may."""
    if task is not None and task.exit_code == 0:
        return ""
    code = "no exit code" if task is None or task.exit_code is None else f"exit code {task.exit_code}"
    why = "ECS no longer knows the task" if task is None else task.reason
    ended = f"the migration of the database for {migration.image} ended with {code}"
    logs = f"aws logs tail {migration.log_group} --region {region}"
    do = f"this stack was not changed: see `{logs}`, then deploy again"
    return f"{ended} ({why}); {do}" if why else f"{ended}; {do}"


def snapshot_failure(what: str) -> str:
    """Return why the stack must not change without the snapshot that was asked for."""
    do = "this stack was not changed and the database not migrated: deploy again takes another one"
    return f"the snapshot of the database before its migration failed ({what}); {do}"
