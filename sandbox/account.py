"""What one account has in one region: stacks, change sets, events, exports. Holds state and finds it; decides nothing."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.clock import Agenda
from sandbox.errors import ApiError, invalid
from sandbox.faults import Faults
from sandbox.provisioning import Provisioned, Provisioner, Request, Schemas
from sandbox.template import EMPTY, ResourceSpec, Template

if TYPE_CHECKING:
    from sandbox.runs import Run

STACK_TYPE = "AWS::CloudFormation::Stack"


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


@dataclass(frozen=True)
class Event:
    """One line of a stack's history."""

    id: str
    time: float
    operation_id: str
    operation_type: str
    token: str | None
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None
    properties: Mapping[str, Any] | None = None


@dataclass
class Operation:
    """What a stack is busy with, or was last."""

    id: str
    type: str  # CREATE_STACK, UPDATE_STACK, ROLLBACK, DELETE_STACK
    options: Options
    run: Run | None = None
    live: bool = True  # False once something else took over: what it still had on the agenda is void


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

    @property
    def busy(self) -> bool:
        """Whether an operation is under way."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


class Account:
    """Everything of one account and region."""

    def __init__(
        self,
        agenda: Agenda,
        provisioner: Provisioner,
        schemas: Schemas,
        faults: Faults,
        *,
        number: str = "123456789012",
        region: str = "us-east-1",
    ) -> None:
        self.agenda = agenda
        self.provisioner = provisioner
        self.schemas = schemas
        self.faults = faults
        self.number = number
        self.region = region
        self.stacks: dict[str, Stack] = {}
        self.change_sets: dict[str, ChangeSet] = {}
        self._random = random.Random(f"{faults.seed}{region}")  # noqa: S311 - reproducible ids, no secret

    def uuid(self) -> str:
        """Return a new id, the same in every run of the same calls."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def arn(self, kind: str, name: str) -> str:
        """Return a new CloudFormation ARN, *kind* is stack or changeSet."""
        return f"arn:aws:cloudformation:{self.region}:{self.number}:{kind}/{name}/{self.uuid()}"

    def living(self) -> Iterator[Stack]:
        """Yield the stacks that are not deleted."""
        return (stack for stack in self.stacks.values() if stack.status != "DELETE_COMPLETE")

    def find(self, name_or_id: str) -> Stack | None:
        """Return the living stack of that name, or the stack of that id even if it is deleted."""
        if name_or_id.startswith("arn:"):
            return self.stacks.get(name_or_id)
        return next((stack for stack in self.living() if stack.name == name_or_id), None)

    def stack(self, name_or_id: str, wording: str = "Stack [{}] does not exist") -> Stack:
        """Return what `find` finds; raises ApiError."""
        found = self.find(name_or_id)
        if found is None:
            raise invalid(wording.format(name_or_id))
        return found

    def change_set(self, name: str, stack_name: str | None) -> ChangeSet:
        """Return a change set by ARN, or by name on a stack; raises ApiError."""
        if name.startswith("arn:"):
            found = self.change_sets.get(name)
        elif not stack_name:
            raise invalid("StackName must be specified if ChangeSetName is not specified as an ARN.")
        else:
            found = next(
                (each for each in self.change_sets_of(self.stack(stack_name)) if each.name == name), None
            )
        if found is None or found.deleted or self._hidden(found):
            raise ApiError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
        return found

    def _hidden(self, found: ChangeSet) -> bool:
        return self.agenda.now() < found.created + self.faults.behaviour.hidden_change_sets

    def change_sets_of(self, stack: Stack) -> list[ChangeSet]:
        """Return the change sets that still have their name: neither deleted, executed nor obsolete."""
        used = ("EXECUTE_COMPLETE", "EXECUTE_FAILED", "OBSOLETE")
        mine = (each for each in self.change_sets.values() if each.stack_id == stack.id)
        return [each for each in mine if not each.deleted and each.execution not in used]

    def exporter(self, name: str) -> Stack | None:
        """Return the stack that exports *name*."""
        return next((stack for stack in self.living() if name in stack.exports), None)

    def importers(self, name: str, *, apart_from: Stack | None = None) -> list[Stack]:
        """Return the stacks that import *name*."""
        return [stack for stack in self.living() if name in stack.imports and stack is not apart_from]

    def status(self, stack: Stack) -> tuple[str, str | None]:
        """Return a stack's status and reason as a read sees them, which may be stale."""
        at = self.agenda.now() - self.faults.behaviour.stale_reads
        seen = [(status, reason) for time, status, reason in stack.history if time <= at]
        return seen[-1] if seen else stack.history[0][1:]

    def begin(self, stack: Stack, kind: str, options: Options) -> Operation:
        """Make a new operation the stack's; what the one before still had on the agenda is void."""
        stack.operation.live = False
        stack.operation = Operation(self.uuid(), kind, options)
        stack.operations.append(stack.operation)
        return stack.operation

    def later(self, stack: Stack, seconds: float, action: Callable[[], None]) -> None:
        """Have *action* happen if the stack is still at the same operation then."""
        operation = stack.operation
        self.agenda.after(seconds, lambda: action() if operation.live else None)

    def set_status(self, stack: Stack, status: str, reason: str | None = None) -> None:
        """Give a stack a status, with its event."""
        stack.status, stack.reason = status, reason
        now = self.agenda.now()
        stack.history.append((now, status, reason))
        self._close_change_set(stack)
        self._note(stack, self.uuid(), stack.name, stack.id, STACK_TYPE, status, reason, None)

    def _close_change_set(self, stack: Stack) -> None:
        executed = self.change_sets.get(stack.change_set_id or "")
        if executed and executed.execution == "EXECUTE_IN_PROGRESS" and not stack.busy:
            good = stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
            executed.execution = "EXECUTE_COMPLETE" if good else "EXECUTE_FAILED"

    def set_resource(self, stack: Stack, resource: Resource, status: str, reason: str | None = None) -> None:
        """Give a resource a status, with its event."""
        resource.status, resource.reason, resource.time = status, reason, self.agenda.now()
        name = resource.spec.logical_id
        event_id = f"{name}-{status}-{round(resource.time * 1000)}-{len(stack.events)}"
        shown = resource.shown
        self._note(stack, event_id, name, resource.physical_id, resource.spec.type, status, reason, shown)

    def _note(
        self,
        stack: Stack,
        event_id: str,
        logical_id: str,
        physical_id: str,
        type_: str,
        status: str,
        reason: str | None,
        properties: Mapping[str, Any] | None,
    ) -> None:
        doing = stack.operation
        stack.events.append(
            Event(
                id=event_id,
                time=self.agenda.now(),
                operation_id=doing.id,
                operation_type=doing.type,
                token=doing.options.token,
                logical_id=logical_id,
                physical_id=physical_id,
                type=type_,
                status=status,
                reason=reason,
                properties=properties,
            )
        )
