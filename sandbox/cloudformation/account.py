"""One account and region: looks up its stacks, and records the history of changes. Decides nothing."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from typing import Protocol

from sandbox.clock import Agenda
from sandbox.cloudformation.records import (
    ChangeSet,
    Detection,
    Event,
    Hook,
    Operation,
    Options,
    Resource,
    Stack,
)
from sandbox.errors import ApiError, invalid
from sandbox.faults import Faults
from sandbox.provisioning import Caller, Provisioned, Provisioner, ProvisionError, Request, Schemas

STACK_TYPE = "AWS::CloudFormation::Stack"


class Nested(Protocol):
    """Makes the stacks inside of stacks."""

    def create(self, parent: Stack, request: Request) -> Stack:
        """Start to create the stack of *request*; raises ProvisionError."""

    def update(self, parent: Stack, child: Stack, request: Request) -> bool:
        """Start to update *child*; returns whether there is anything to do; raises ProvisionError."""

    def restore(self, parent: Stack, child: Stack, request: Request) -> bool:
        """Start to restore *child* to *request*; returns whether there is anything to do."""

    def delete(self, parent: Stack, child: Stack) -> bool:
        """Start to delete *child*; returns whether it existed."""

    def cancel(self, child: Stack, status: str) -> None:
        """Cancel the operation of *child*, and set its *status*."""


class Account:
    """Everything of one account and region."""

    nested: Nested
    """Set once the account exists, as it works on it."""
    elsewhere: Callable[[str], Account]
    """Returns the same account in another region; set once the account exists."""

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
        self.detections: dict[str, Detection] = {}
        self.service_role: Callable[[str], Caller | None] = lambda _: None
        """CloudFormation as the role of that ARN, None for an administrator; raises ApiError."""
        self.calling: tuple[Caller | None] | None = None  # the caller, while a call is answered
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
        """Start a new operation of the stack; scheduled actions of the previous one are void."""
        stack.operation.live = False
        stack.drifts, stack.drift_status, stack.drift_checked = {}, "NOT_CHECKED", None
        caller = stack.operation.caller if self.calling is None else self.calling[0]
        stack.operation = Operation(self.uuid(), kind, options, caller=caller)
        stack.operations.append(stack.operation)
        return stack.operation

    def permit(
        self, stack: Stack, operation: str, request: Request, current: Provisioned | None = None
    ) -> None:
        """
        Authorize this for the stack's service role, else for the caller of the operation.

        Raises:
            ProvisionError: the role, or the caller, may not.

        """
        role = stack.deployment.role_arn
        try:
            caller = self.service_role(role) if role else stack.operation.caller
        except ApiError as error:  # it was deleted
            raise ProvisionError(error.message) from error
        if caller is not None:
            caller.provisions(operation, request, current)

    def later(self, stack: Stack, seconds: float, action: Callable[[], None]) -> None:
        """Schedule *action*, if the stack is still in the same operation then."""
        operation = stack.operation
        self.agenda.after(seconds, lambda: action() if operation.live else None)

    def set_status(self, stack: Stack, status: str, reason: str | None = None) -> None:
        """Give a stack a status, with its event."""
        stack.status, stack.reason = status, reason
        now = self.agenda.now()
        stack.history.append((now, status, reason))
        self._close_change_set(stack)
        event = Event(self.uuid(), now, stack.operation, stack.name, stack.id, STACK_TYPE, status, reason)
        stack.events.append(event)
        if stack.listener is not None and not stack.busy:
            told, stack.listener = stack.listener, None
            self.agenda.after(0, told)

    def _close_change_set(self, stack: Stack) -> None:
        executed = self.change_sets.get(stack.change_set_id or "")
        if executed and executed.execution == "EXECUTE_IN_PROGRESS" and not stack.busy:
            good = stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
            executed.execution = "EXECUTE_COMPLETE" if good else "EXECUTE_FAILED"

    def set_resource(
        self,
        stack: Stack,
        resource: Resource,
        status: str,
        reason: str | None = None,
        hook: Hook | None = None,
    ) -> None:
        """Give a resource a status, with its event."""
        resource.status, resource.reason, resource.time = status, reason, self.agenda.now()
        name, id_ = resource.spec.logical_id, resource.physical_id
        event_id = f"{name}-{status}-{round(resource.time * 1000)}-{len(stack.events)}"
        what = (name, id_, resource.spec.type, status, reason, resource.shown)
        event = Event(event_id, resource.time, stack.operation, *what, hook)
        stack.events.append(event)
