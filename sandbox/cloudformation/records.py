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
    """What a stack is asked to be."""

    template: Template = EMPTY
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    looked_up: Mapping[str, str] = field(
        default_factory=dict, repr=False
    )  # what SSM parameter types stand for
    tags: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    notification_arns: tuple[str, ...] = ()
    role_arn: str | None = None
    rollback_configuration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Options:
    """How an operation is to be carried out."""

    token: str | None = None
    on_failure: str = "ROLLBACK"  # or DO_NOTHING, DELETE
    retain_except_on_create: bool = False
    change_set_id: str | None = None
    reverts_drift: bool = False
    restores: bool = False  # an update of a nested stack back to what it was, as the stack around goes back
    deployment_config: Mapping[str, Any] = field(default_factory=dict)
    taken_up: Mapping[str, str] = field(default_factory=dict)  # what is imported, logical id -> identifier

    @property
    def express(self) -> bool:
        """Whether a resource is done once its configuration is applied, and not only once it is ready."""
        return self.deployment_config.get("Mode") == "EXPRESS"


@dataclass
class Resource:
    """One resource of a stack as it is; an update makes a new one and keeps this for the way back."""

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
    """A physical resource that the stack is to get rid of; *kept* leaves it in the account."""

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
    """What a stack is busy with, or was last."""

    id: str
    type: str  # CREATE_STACK, UPDATE_STACK, ROLLBACK, DELETE_STACK
    options: Options
    run: Run | None = None
    caller: Caller | None = None  # in whose name it is done; None is an administrator
    live: bool = True  # False once something else took over: what it still had on the agenda is void


@dataclass(frozen=True)
class Hook:
    """What a Hook has to say before a resource is provisioned."""

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
    """What a drift detection found of one resource."""

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
        """Whether it is under way."""
        return self.status == "DETECTION_IN_PROGRESS"


@dataclass(frozen=True)
class Invalid:
    """A resource with a value that its type's schema refuses."""

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
    taken_up: Mapping[str, str] = field(default_factory=dict)  # what of it is there already
    validates: bool = True
    deployment_config: Mapping[str, Any] = field(default_factory=dict)
    invalid: Sequence[Invalid] = ()


@dataclass
class Stack:
    """A stack, living or deleted."""

    id: str
    name: str
    created: float
    status: str = ""
    reason: str | None = None
    updated: float | None = None
    gone: float | None = None
    deployment: Deployment = field(default_factory=Deployment)
    stable: Deployment | None = None  # the last that was deployed whole
    resources: dict[str, Resource] = field(default_factory=dict)
    departed: dict[str, Resource] = field(default_factory=dict)  # what the stack's deletion took or left
    undo: dict[str, Resource | None] = field(
        default_factory=dict
    )  # touched since `stable`; None was not there
    leftovers: list[Leftover] = field(default_factory=list)  # to be removed once the operation is through
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
    parent: str | None = None  # the ids of the stacks around a nested one
    root: str | None = None
    listener: Callable[[], None] | None = None  # is told once when no operation is under way any more

    @property
    def busy(self) -> bool:
        """Whether an operation is in progress."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"
