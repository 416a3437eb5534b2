"""The data of an account: stacks, their resources, events and operations, change sets. Data only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.cloudformation.differences import Difference
from sandbox.cloudformation.templates.template import EMPTY, ResourceSpec, Template
from sandbox.provisioning import Caller, Provisioned, Refused, Request

if TYPE_CHECKING:
    from sandbox.cloudformation.runs import Run


@dataclass(frozen=True)
class Deployment:
    """The requested state of a stack."""

    template: Template = EMPTY
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    looked_up: Mapping[str, str] = field(
        default_factory=dict, repr=False
    )  # the values of SSM parameter types
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    notification_arns: tuple[str, ...] = ()
    role_arn: str | None = None
    rollback_configuration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """How to execute an operation."""

    token: str | None = None
    on_failure: str = "ROLLBACK"  # or DO_NOTHING, DELETE
    retain_except_on_create: bool = False
    change_set_id: str | None = None
    reverts_drift: bool = False
    restores: bool = False  # a rollback of a nested stack, by an update, as the parent rolls back
    deployment_config: Mapping[str, Any] = field(default_factory=dict)
    taken_up: Mapping[str, str] = field(default_factory=dict)  # resources to import, logical id -> identifier

    @property
    def express(self) -> bool:
        """Whether a resource is complete once its configuration is applied, not only once it is ready."""
        return self.deployment_config.get("Mode") == "EXPRESS"


@dataclass
class Resource:
    """One resource of a stack as it is; an update creates a new record and keeps this for the rollback."""

    spec: ResourceSpec
    status: str
    time: float
    reason: str | None = None
    plain: Mapping[str, Any] = field(default_factory=dict, repr=False)  # dynamic references unresolved
    shown: Mapping[str, Any] = field(default_factory=dict, repr=False)  # and NoEcho values hidden
    request: Request | None = field(default=None, repr=False)
    made: Provisioned | None = field(default=None, repr=False)

    @property
    def imported(self) -> bool:
        """Whether it was imported last: it existed before, and no rollback deletes it."""
        return self.status == "IMPORT_COMPLETE"

    @property
    def physical_id(self) -> str:
        """The resource's id, empty while there is none."""
        return self.made.physical_id if self.made else ""


@dataclass(frozen=True)
class Leftover:
    """A physical resource that the stack has to delete; *kept* leaves it in the account."""

    resource: Resource
    kept: bool


@dataclass(frozen=True)
class Output:
    """A resolved output."""

    key: str
    value: str
    description: str | None
    export: str | None


@dataclass
class Operation:
    """The current or last operation of a stack."""

    id: str
    type: str  # CREATE_STACK, UPDATE_STACK, ROLLBACK, DELETE_STACK
    options: Options
    run: Run | None = None
    caller: Caller | None = None  # the caller; None is an administrator
    live: bool = True  # False once another operation began: scheduled actions of this one are void


@dataclass(frozen=True)
class Hook:
    """The result of a Hook before a resource is provisioned."""

    type: str
    status: str  # HOOK_IN_PROGRESS, HOOK_COMPLETE_FAILED
    mode: str  # FAIL, WARN
    reason: str | None = None


@dataclass(frozen=True)
class Event:
    """One line of a stack's history."""

    id: str
    time: float
    operation: Operation
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None
    properties: Mapping[str, Any] | None = None
    hook: Hook | None = None


@dataclass(frozen=True)
class ResourceDrift:
    """The result of a drift detection for one resource."""

    status: str  # IN_SYNC, MODIFIED, DELETED, UNKNOWN
    time: float
    differences: tuple[Difference, ...] = ()
    expected: Mapping[str, Any] = field(default_factory=dict, repr=False)
    actual: Mapping[str, Any] = field(default_factory=dict, repr=False)
    reason: str | None = None


@dataclass
class Detection:
    """A drift detection of a stack."""

    id: str
    stack_id: str
    time: float
    status: str = "DETECTION_IN_PROGRESS"
    reason: str | None = None
    outcome: str | None = None  # the stack's drift status
    drifted: int | None = None

    @property
    def running(self) -> bool:
        """Whether it is in progress."""
        return self.status == "DETECTION_IN_PROGRESS"


@dataclass(frozen=True)
class Invalid:
    """A resource with a value that its type's schema rejects."""

    logical_id: str
    type: str
    found: Refused


@dataclass
class ChangeSet:
    """A change set."""

    id: str
    name: str
    stack_id: str
    type: str
    created: float
    deployment: Deployment
    token: str | None = None
    description: str | None = None
    on_stack_failure: str | None = None
    status: str = "CREATE_PENDING"
    reason: str | None = None
    warning: str | None = None
    execution: str = "UNAVAILABLE"
    changes: Sequence[Mapping[str, Any]] = ()
    valued_changes: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    deleted: bool = False
    include_nested: bool = False
    reverts_drift: bool = False
    drift_status: str | None = None
    imports: Mapping[str, str] = field(default_factory=dict)  # logical id -> identifier
    unmade: str | None = None  # why its macros fail
    import_existing: bool = False
    taken_up: Mapping[str, str] = field(default_factory=dict)  # which of it exists already
    validates: bool = True
    deployment_config: Mapping[str, Any] = field(default_factory=dict)
    invalid: Sequence[Invalid] = ()


@dataclass
class Stack:
    """A stack, live or deleted."""

    id: str
    name: str
    created: float
    status: str = ""
    reason: str | None = None
    updated: float | None = None
    gone: float | None = None
    deployment: Deployment = field(default_factory=Deployment)
    stable: Deployment | None = None  # the last complete deployment
    resources: dict[str, Resource] = field(default_factory=dict)
    departed: dict[str, Resource] = field(default_factory=dict)  # what the stack's deletion deleted or left
    undo: dict[str, Resource | None] = field(
        default_factory=dict
    )  # changed since `stable`; None did not exist
    leftovers: list[Leftover] = field(default_factory=list)  # to be deleted at the end of the operation
    outputs: list[Output] = field(default_factory=list, repr=False)
    exports: dict[str, str] = field(default_factory=dict)
    imports: frozenset[str] = frozenset()
    events: list[Event] = field(default_factory=list)
    history: list[tuple[float, str, str | None]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    operation: Operation = field(default_factory=lambda: Operation("", "CREATE_STACK", Options()))
    options: Options = field(default_factory=Options)
    protected: bool = False
    policy: str | None = None
    timeout: int | None = None
    change_set_id: str | None = None
    deletion_mode: str | None = None
    drifts: dict[str, ResourceDrift] = field(default_factory=dict)
    drift_status: str = "NOT_CHECKED"
    drift_checked: float | None = None
    parent: str | None = None  # the ids of the parents of a nested stack
    root: str | None = None
    listener: Callable[[], None] | None = None  # called once when no operation is in progress any more

    @property
    def busy(self) -> bool:
        """Whether an operation is in progress."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"
