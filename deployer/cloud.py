"""
What the cloud is, in our words: frozen data and the `Cloud` protocol. Knows no AWS library, decides nothing.

What a run says about it (progress, results) is in `deployer.progress`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from deployer.checks.delegation import Delegation
from deployer.checks.facts import Facts
from deployer.checks.kept import Candidate
from deployer.checks.key import Key
from deployer.checks.names import Taken
from deployer.checks.zone_needs import Needs
from deployer.checks.zones import ZoneFacts
from deployer.day2.drift_state import Detection, ResourceDrift
from deployer.interfaces import Interface
from deployer.kept import Kept, Snapshot
from deployer.secret_rotation import Rotating
from deployer.stateful import STATEFUL
from deployer.tasks import TaskRequest, TaskState
from generator.manifest import Existing

Replacement = Literal["True", "False", "Conditional"]
Kind = Literal["CREATE", "UPDATE", "IMPORT"]
"""IMPORT: a new stack takes up what is there already."""


@dataclass(frozen=True)
class Output:
    """One output of a live stack."""

    key: str
    value: str
    export: str | None = None
    description: str = ""


@dataclass(frozen=True)
class StackState:
    """A stack as DescribeStacks tells it."""

    name: str
    id: str
    """The ARN: a name can come to mean another stack, an id cannot."""
    status: str
    reason: str = ""
    created: datetime | None = None
    last_updated: datetime | None = None
    change_set_id: str | None = None
    """The change set that was executed last (or that made the stack)."""
    outputs: tuple[Output, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    protected: bool = False
    """Termination protection."""

    @property
    def mark(self) -> tuple[str, ...]:
        """What differs as soon as anything happened to the stack."""
        updated = self.last_updated.isoformat() if self.last_updated else ""
        return (self.id, self.status, updated, self.change_set_id or "", self.reason)


@dataclass(frozen=True)
class PropertyChange:
    """One cause inside a changed resource."""

    attribute: str
    """``Properties``, ``Tags``, ``Metadata``, …"""
    name: str
    """The property, or a path inside it (``/Properties/Engine``) where CloudFormation gives one."""
    recreation: str = ""
    """``Never``, ``Conditionally`` or ``Always``."""
    before: str | None = None
    after: str | None = None
    """Values where the endpoint gives them; ``{{changeSet:KNOWN_AFTER_APPLY}}`` where nobody knows yet."""
    cause: str = ""
    """What the change comes from (``ParameterReference DesiredCount``) where it is not the text."""


@dataclass(frozen=True)
class Change:
    """What a change set does to one resource."""

    action: str
    """``Add``, ``Modify``, ``Remove``, ``Import``, ``Dynamic`` or ``SyncWithActual``."""
    logical_id: str
    type: str
    physical_id: str = ""
    replacement: Replacement | None = None
    policy_action: str = ""
    """``Delete``, ``Retain``, ``Snapshot``, ``ReplaceAndDelete``, …"""
    scope: tuple[str, ...] = ()
    details: tuple[PropertyChange, ...] = ()

    @property
    def stateful(self) -> bool:
        """Whether the resource holds what cannot be made again."""
        return self.type in STATEFUL

    @property
    def destructive(self) -> bool:
        """Whether the resource that is there now goes, or may go (a conditional replacement counts)."""
        return self.action == "Remove" or self.replacement in {"True", "Conditional"}


@dataclass(frozen=True)
class ChangeSetInputs:
    """What a change set was made with, beside its template; None where an emulated endpoint does not tell."""

    parameters: Mapping[str, str] | None = None
    tags: Mapping[str, str] | None = None
    capabilities: tuple[str, ...] | None = None
    rollback_alarms: tuple[str, ...] | None = None
    rollback_minutes: int = 0
    notifications: tuple[str, ...] = ()
    """ARNs of the topics that get the stack's events."""
    on_failure: str = ""
    """OnStackFailure, where one was asked for."""
    nested: bool = False


@dataclass(frozen=True)
class ChangeSetState:
    """A change set as DescribeChangeSet tells it."""

    name: str
    id: str
    stack_id: str
    status: str
    execution: str = "UNAVAILABLE"
    reason: str = ""
    """May stand on a success too (a [WARN])."""
    changes: tuple[Change, ...] = ()
    reverts_drift: bool = False
    inputs: ChangeSetInputs | None = None
    """None for one that was just asked for: nobody has looked at it yet."""


@dataclass(frozen=True)
class Resource:
    """A resource of a live stack."""

    logical_id: str
    physical_id: str
    type: str
    status: str


@dataclass(frozen=True)
class StackEvent:
    """One event of a stack, as CloudFormation tells it."""

    id: str
    stack_id: str
    stack_name: str
    time: datetime
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""
    token: str = ""
    """What the operation was asked for with (ClientRequestToken), where the endpoint tells it."""
    hook: str = ""
    """The type of the Hook that the event is about: ``Acme::Encryption::Required``; mostly none."""
    hook_status: str = ""
    """``HOOK_COMPLETE_FAILED``, …"""
    hook_reason: str = ""
    """The Hook's own words."""

    @property
    def is_stack(self) -> bool:
        """Whether the event is about the stack itself."""
        return self.physical_id == self.stack_id


@dataclass(frozen=True)
class ExportState:
    """An export of the region, with the stack that owns it."""

    name: str
    value: str
    stack_id: str

    @property
    def stack_name(self) -> str:
        """The owner's name, out of its ARN."""
        return self.stack_id.split("/")[1] if "/" in self.stack_id else self.stack_id


@dataclass(frozen=True)
class ChangeSetRequest:
    """What a change set is made from."""

    stack: str
    """Name for a new one, id for an UPDATE."""
    kind: Kind
    name: str
    token: str
    """The same token means the same request: repeating it is harmless."""
    body: str | None
    url: str | None
    """Either the template's text or where it is in S3."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    description: str = ""
    revert_drift: bool = False
    """For an UPDATE: set back what has drifted; left out where the endpoint does not know how."""
    rollback_alarms: tuple[str, ...] = ()
    """ARNs; none means that none is left on the stack."""
    rollback_minutes: int = 0
    imports: tuple[Kept, ...] = ()
    """For an IMPORT: what is taken up, by its primary identifier."""


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
        One batched look: the live stacks called *names*, and those of *ids* even when they are deleted.

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

    def events(self, stack_id: str, after: str | None = None) -> tuple[StackEvent, ...]:
        """Return the events of a stack, oldest first, those up to and with the id *after* left out."""

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
        """Begin a drift detection and return its id; CloudError where the endpoint has none."""

    def drift_detection(self, detection_id: str) -> Detection:
        """Return how far a drift detection is."""

    def resource_drifts(self, stack_id: str) -> tuple[ResourceDrift, ...]:
        """Return the resources that the last detection found to be other than deployed."""

    def resource_drift(self, stack_id: str, logical_id: str) -> ResourceDrift:
        """Look at one resource, at once; CloudError where its type, or the endpoint, cannot be asked."""

    # acts
    def create_change_set(self, request: ChangeSetRequest) -> ChangeSetState:
        """Ask for a change set; one that is there under that name already is returned as it is."""

    def delete_change_set(self, change_set_id: str) -> None:
        """Remove a change set; one that is gone is no error."""

    def execute(self, change_set_id: str, token: str, *, creation: bool) -> None:
        """
        Execute a change set; one that was executed already is no error.

        On *creation* a failure takes everything away again, also what is retained later on.
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
        """Return what is there of what *wanted* names; *tags* mark what the environment itself has made."""

    def taken(self, wanted: Mapping[str, Collection[str]]) -> Taken:
        """Return who has which of the names in *wanted*, by resource type."""

    def kept(self, tags: Mapping[str, str], repositories: Collection[str]) -> tuple[Candidate, ...] | None:
        """
        Return what carries *tags*, of the types that an import takes; None where nobody can tell.

        *repositories*: names of ECR repositories that carry them.
        """

    def final_snapshot(self, one: Kept, stack_name: str) -> Snapshot | None:
        """Return the newest snapshot that CloudFormation took of *one*; None where there is none to see."""

    # edges: None means that this endpoint cannot tell
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

    def put_object(self, bucket: str, key: str, body: bytes) -> bool:
        """Put an object, whatever is there; False where the endpoint has no S3."""

    def artifacts_bucket(self, account: str) -> str:
        """Return the bucket for big templates, made on first need: versioned, encrypted, private."""

    def object_url(self, bucket: str, key: str) -> str:
        """Return the URL by which CloudFormation reads an object."""

    def service_trouble(self, service: str) -> tuple[str, ...]:
        """Return why tasks of the ECS service with this ARN have stopped; empty where nobody can tell."""

    def unlock(self, resource: Resource) -> None:
        """Switch off a resource's own deletion protection; nothing is done for types that have none."""

    def empty_bucket(self, bucket: str) -> int | None:
        """Delete every version of every object; returns how many, None where the endpoint has no S3."""

    def delete_log_group(self, name: str) -> None:
        """Delete a log group; one that is gone is no error."""

    # one-off tasks
    def task_images(self, definition: str) -> Mapping[str, str] | None:
        """Return the images of a task definition by container; None where the endpoint has no ECS."""

    def rotating(self, secret: str) -> Rotating | None:
        """Return how far the rotation of a secret (name or ARN) is; None where the endpoint cannot tell."""

    def running_task(self, request: TaskRequest) -> TaskState | None:
        """Return a task of that definition that has not stopped, whoever started it."""

    def run_task(self, request: TaskRequest) -> TaskState:
        """Start a task; the one that the same token has started before is returned as it is."""

    def task(self, request: TaskRequest, task_id: str) -> TaskState | None:
        """Return a task; None when ECS does not know it (yet, or any more)."""
