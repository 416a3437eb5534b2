"""The deployer's interface to AWS: the `Cloud` protocol. Independent of any AWS library."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Protocol

from deployer.checks.delegation import Delegation
from deployer.checks.facts import Facts
from deployer.checks.kept import Candidate
from deployer.checks.key import Key
from deployer.checks.names import Taken
from deployer.checks.zone_needs import Needs
from deployer.checks.zones import ZoneFacts
from deployer.day2.drift_state import Detection, ResourceDrift
from deployer.day2.secret_rotation import Rotating
from deployer.interfaces import Interface
from deployer.kept import Kept, Snapshot
from deployer.readiness.table import Condition
from deployer.run.snapshots import DatabaseSnapshot
from deployer.states import (
    ChangeSetRequest,
    ChangeSetState,
    ExportState,
    Resource,
    StackEvent,
    StackState,
)
from deployer.tasks import TaskRequest, TaskState
from generator.manifest import Existing, SnapshotFirst


class Cloud(Protocol):
    """
    The account and region a run works on.

    Every method may raise `deployer.errors.Transient` (worth repeating: throttled, 5xx, connection),
    `NotAllowed` (a permission is missing), `LostSight` (credentials expired) or `CloudError` (anything else).
    """

    # reads
    def stacks(
        self, names: Collection[str], ids: Collection[str] = (), tags: Mapping[str, str] | None = None
    ) -> tuple[StackState, ...]:
        """
        Read, in one batch, the live stacks called *names*, and those of *ids* even if deleted.

        With *tags* also every live stack that has all of them, where the endpoint can list its stacks.
        """

    def deleted(self, names: Collection[str]) -> tuple[StackState, ...]:
        """Return the newest deleted stack of each of *names*, as far back as AWS tells (90 days)."""

    def change_set(self, change_set_id: str) -> ChangeSetState | None:
        """Return a change set with all its changes; None when there is none (any more)."""

    def change_set_values(self, change_set_id: str) -> ChangeSetState | None:
        """Return a change set with the values before and after; None where the endpoint cannot tell."""

    def holds_template(self, change_set: ChangeSetState, template: str) -> bool | None:
        """Whether a change set was made from *template*; None where an emulated endpoint cannot tell."""

    def change_set_names(self, stack_id: str) -> Mapping[str, str]:
        """Return the ids of a stack's change sets, by name."""

    def change_set_failures(self, change_set_id: str) -> tuple[str, ...]:
        """Return what validation found wrong with a change set; empty where the endpoint cannot tell."""

    def events(
        self, stack_id: str, after: str | None = None, since: datetime | None = None
    ) -> tuple[StackEvent, ...]:
        """
        Return the events of a stack, oldest first, those up to and with the id *after* left out.

        *since*: also those before that moment, and what is older is not read.
        """

    def resources(self, stack_id: str) -> tuple[Resource, ...]:
        """Return a stack's resources."""

    def template(self, stack_id: str) -> str:
        """Return the template a stack was deployed with."""

    def exports(self) -> tuple[ExportState, ...]:
        """Return every export of the region."""

    def importers(self, export: str) -> tuple[str, ...]:
        """Return the names of the stacks that import *export*."""

    def partition(self) -> str:
        """Return the partition of the region: ``aws``, ``aws-cn``, ``aws-us-gov``, ..."""

    def account(self) -> str:
        """Return the account of the credentials."""

    def caller(self) -> str:
        """Return the ARN of the credentials; empty where the endpoint does not tell."""

    def detect_drift(self, stack_id: str) -> str:
        """Start a drift detection and return its id; CloudError where the endpoint has none."""

    def drift_detection(self, detection_id: str) -> Detection:
        """Return the status of a drift detection."""

    def resource_drifts(self, stack_id: str) -> tuple[ResourceDrift, ...]:
        """Return the resources that the last detection found to be other than deployed."""

    def resource_drift(self, stack_id: str, logical_id: str) -> ResourceDrift:
        """Detect the drift of one resource; CloudError where its type or the endpoint does not support it."""

    # acts
    def create_change_set(self, request: ChangeSetRequest) -> ChangeSetState:
        """Create a change set; an existing one with that name is returned as it is."""

    def delete_change_set(self, change_set_id: str) -> None:
        """Remove a change set; one that is gone is no error."""

    def execute(self, change_set_id: str, token: str, *, creation: bool) -> None:
        """
        Execute a change set; one that was executed already is no error.

        On *creation* a failure deletes everything again, also what is retained later on.
        """

    def delete_stack(self, stack_id: str, token: str) -> None:
        """Start deleting a stack."""

    def continue_rollback(self, stack_id: str, token: str, skip: Collection[str] = ()) -> None:
        """Continue a rollback that failed; resources of *skip*, which it failed at, are left as they are."""

    def roll_back(self, stack_id: str, token: str) -> None:
        """Roll a paused update back."""

    def protect(self, stack_id: str, *, on: bool) -> None:
        """Switch termination protection."""

    def existing(self, wanted: Existing, tags: Mapping[str, str]) -> Facts:
        """Return the resources of *wanted* that exist; *tags* mark those of the environment itself."""

    def taken(self, wanted: Mapping[str, Collection[str]]) -> Taken:
        """Return which names in *wanted* are taken, and by whom, by resource type."""

    def kept(self, tags: Mapping[str, str], repositories: Collection[str]) -> tuple[Candidate, ...] | None:
        """
        Return the importable resources that carry *tags*; None if unknown.

        *repositories*: names of ECR repositories that carry them.
        """

    def final_snapshot(self, one: Kept, stack_name: str) -> Snapshot | None:
        """Return the newest snapshot that CloudFormation took of *one*; None where there is none to see."""

    # other services: None means that this endpoint lacks the call
    def delegation(self, domain: str, servers: Collection[str]) -> Delegation | None:
        """Return what public DNS says of *domain*, whose zone has *servers*; None for an emulated zone."""

    def key(self, alias: str) -> Key | None:
        """Return the KMS key behind *alias*; None also where there is none, or it may not be seen."""

    def zones(self, needs: Needs, subnets: tuple[str, ...]) -> ZoneFacts | None:
        """Return the region's availability zones, where what *needs* names is offered and *subnets* are."""

    def has_image(self, repository: str, tag: str) -> bool | None:
        """Whether *tag* is in the ECR repository called *repository*."""

    def engine_versions(self, engine: str) -> tuple[str, ...] | None:
        """Return the versions of a database engine that the region offers."""

    def database_version(self, identifier: str, *, cluster: bool = False) -> str | None:
        """Return the live engine version of a database instance or cluster; None also where there is none."""

    def database_storage(self, identifier: str) -> int | None:
        """Return the GiB of a DB instance's disk; None also where there is none."""

    def snapshot_storage(self, snapshot: str) -> int | None:
        """Return the GiB that a DB instance made from *snapshot* needs; None also where there is none."""

    def rule_groups(self, rule: str) -> Mapping[str, int] | None:
        """Return the weights of the target groups that the listener rule with this ARN leads to, by ARN."""

    def interfaces(self, subnets: Collection[str], groups: Collection[str]) -> tuple[Interface, ...] | None:
        """Return the network interfaces in one of *subnets*, or with one of the security *groups*."""

    def get_object(self, bucket: str, key: str) -> bytes | None:
        """Return an object; None if it does not exist, or the endpoint has no S3."""

    def put_object(self, bucket: str, key: str, body: bytes) -> bool:
        """Write an object, overwriting an existing one; False where the endpoint has no S3."""

    def artifacts_bucket(self, account: str) -> str:
        """Return the bucket for large templates, created on first use: versioned, encrypted, private."""

    def object_url(self, bucket: str, key: str) -> str:
        """Return the URL by which CloudFormation reads an object."""

    def condition(self, type_name: str, physical_id: str) -> Condition | None:
        """Return the state of a resource from its own service; None where the endpoint cannot tell."""

    def service_trouble(self, service: str) -> tuple[str, ...]:
        """Return why tasks of the ECS service with this ARN have stopped; empty if unknown."""

    def unlock(self, resource: Resource) -> None:
        """Switch off a resource's own deletion protection; nothing is done for types that have none."""

    def empty_bucket(self, bucket: str) -> int | None:
        """Delete every version of every object; returns how many, None where the endpoint has no S3."""

    def delete_log_group(self, name: str) -> None:
        """Delete a log group; one that is gone is no error."""

    # snapshots before a migration
    def database_snapshots(self, wanted: SnapshotFirst) -> tuple[DatabaseSnapshot, ...] | None:
        """Return the manual snapshots of a database; None where the endpoint has no RDS."""

    def take_snapshot(self, wanted: SnapshotFirst, name: str, tags: Mapping[str, str]) -> bool:
        """Ask for a snapshot, once for each *name*; False while the database is busy with something else."""

    def delete_snapshot(self, wanted: SnapshotFirst, name: str) -> None:
        """Delete a manual snapshot; one that is gone is no error."""

    # one-off tasks
    def task_images(self, definition: str) -> Mapping[str, str] | None:
        """Return the images of a task definition by container; None where the endpoint has no ECS."""

    def rotating(self, secret: str) -> Rotating | None:
        """Return how far the rotation of a secret (name or ARN) is; None where the endpoint cannot tell."""

    def secret_version(self, secret: str) -> str | None:
        """Return the id of a secret's current version; None if it is missing, or unknown."""

    def running_task(self, request: TaskRequest) -> TaskState | None:
        """Return a task of that definition that has not stopped, whoever started it."""

    def run_task(self, request: TaskRequest) -> TaskState:
        """Start a task; the one that the same token has started before is returned as it is."""

    def task(self, request: TaskRequest, task_id: str) -> TaskState | None:
        """Return a task; None when ECS does not know it (yet, or any more)."""
