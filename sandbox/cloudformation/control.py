"""CloudFormation's control plane: runs each action by name, one call at a time, after due transitions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sandbox.clock import Action as Step
from sandbox.clock import Agenda, Clock
from sandbox.cloudformation import changesets, drift, history, reads, writes
from sandbox.cloudformation.account import Account
from sandbox.cloudformation.nested.stacks import NestedStacks
from sandbox.cloudformation.records import Stack
from sandbox.cloudformation.requests import Fetch
from sandbox.errors import ApiError
from sandbox.faults import Faults
from sandbox.provisioning import Caller, Provisioner, Schemas
from sandbox.rehearsal import by_hand

Action = Callable[[Account, Mapping[str, Any], Fetch], Mapping[str, Any]]
ServiceRole = Callable[[str], Caller | None]
ACTIONS: Mapping[str, Action] = {
    "CancelUpdateStack": writes.cancel_update_stack,
    "ContinueUpdateRollback": writes.continue_update_rollback,
    "CreateChangeSet": changesets.create_change_set,
    "CreateStack": writes.create_stack,
    "DeleteChangeSet": changesets.delete_change_set,
    "DeleteStack": writes.delete_stack,
    "DescribeChangeSet": changesets.describe_change_set,
    "DescribeEvents": history.describe_events,
    "DescribeStackEvents": history.describe_stack_events,
    "DescribeStackResource": reads.describe_stack_resource,
    "DescribeStackResources": reads.describe_stack_resources,
    "DescribeStackDriftDetectionStatus": drift.describe_stack_drift_detection_status,
    "DescribeStackResourceDrifts": drift.describe_stack_resource_drifts,
    "DescribeStacks": reads.describe_stacks,
    "DetectStackDrift": drift.detect_stack_drift,
    "DetectStackResourceDrift": drift.detect_stack_resource_drift,
    "EstimateTemplateCost": reads.estimate_template_cost,
    "ExecuteChangeSet": changesets.execute_change_set,
    "GetStackPolicy": writes.get_stack_policy,
    "GetTemplate": reads.get_template,
    "GetTemplateSummary": reads.get_template_summary,
    "ListChangeSets": changesets.list_change_sets,
    "ListExports": reads.list_exports,
    "ListImports": reads.list_imports,
    "ListStackResources": reads.list_stack_resources,
    "ListStacks": reads.list_stacks,
    "RollbackStack": writes.rollback_stack,
    "SetStackPolicy": writes.set_stack_policy,
    "UpdateStack": writes.update_stack,
    "UpdateTerminationProtection": writes.update_termination_protection,
    "ValidateTemplate": reads.validate_template,
}


class Control:
    """The control planes of all regions, on one clock."""

    def __init__(
        self,
        clock: Clock,
        faults: Faults,
        provisioner: Callable[[str], Provisioner],
        schemas: Schemas,
        fetch: Fetch,
        service_role: ServiceRole = lambda _: None,
    ) -> None:
        """
        *provisioner* creates that of a region; *fetch* returns the text at a TemplateURL.

        *service_role*: CloudFormation as the role of an ARN, None for an administrator; raises ApiError.
        """
        self.clock = clock
        self.faults = faults
        self._provisioner = provisioner
        self._schemas = schemas
        self._fetch = fetch
        self._service_role = service_role
        self._agenda = Agenda(clock)
        self._accounts: dict[str, Account] = {}
        self._lock = threading.RLock()

    def call(
        self, action: str, params: Mapping[str, Any], region: str, caller: Caller | None = None
    ) -> Mapping[str, Any]:
        """Carry out one API call of *caller*, None for an administrator; raises ApiError."""
        if action not in ACTIONS or action in self.faults.behaviour.lacks:
            raise ApiError("InvalidAction", f"The action {action} is not offered by this sandbox.")
        for name in self.faults.behaviour.lacks:
            if name in params:
                raise ApiError("ValidationError", f"Unknown parameter in input: {name}")
        with self._lock:
            self.settle()
            account = self._account(region)
            if params.get("RoleARN"):
                self._service_role(str(params["RoleARN"]))
            account.calling = (caller,)
            try:
                answer = ACTIONS[action](account, params, self._fetch)
            finally:
                account.calling = None
            self.settle()
            return answer

    def stack_of(self, change_set: str, region: str) -> str | None:
        """Return the id of the stack that the change set with that ARN is for."""
        found = self._account(region).change_sets.get(change_set)
        return found.stack_id if found else None

    def stacks(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return tags, and resources by logical id with their types, of each stack, by region and name."""
        with self._lock:
            self.settle()
            return {
                region: {stack.name: _described(stack) for stack in account.living()}
                for region, account in self._accounts.items()
            }

    @contextmanager
    def held(self) -> Iterator[frozenset[str]]:
        """Block all actions meanwhile; gives the regions that have been used."""
        with self._lock:
            self.settle()
            yield frozenset(self._accounts)

    def change_by_hand(self, stack: str, logical_id: str, path: str, value: str) -> list[dict[str, str]]:
        """Change a resource of a stack, in whatever region, as `by_hand.change` does; raises ValueError."""
        with self._lock:
            self.settle()
            for account in self._accounts.values():
                if found := account.find(stack):
                    return by_hand.change(account, found, logical_id, path, value)
        raise ValueError(f"there is no stack {stack}")

    def settle(self) -> None:
        """Run everything that is due."""
        with self._lock:
            self._agenda.settle()

    def after(self, seconds: float, step: Step) -> None:
        """Schedule *step* of the services behind in *seconds*, under the lock."""
        with self._lock:
            self._agenda.after(seconds, step)

    def advance(self, seconds: float) -> None:
        """Advance the clock and run everything that is due."""
        with self._lock:
            self.clock.advance(seconds)
            self.settle()

    def finish(self) -> bool:
        """Advance the clock until nothing is in progress; returns whether anything was."""
        found = False
        with self._lock:
            while (due := self._agenda.next_due()) is not None:
                found = True
                self.clock.advance(max(0.0, due - self.clock.now()))
                self.settle()
        return found

    def reset(self) -> None:
        """Forget everything but the faults."""
        with self._lock:
            self._agenda.clear()
            self._accounts.clear()

    def _account(self, region: str) -> Account:
        if region not in self._accounts:
            made = Account(self._agenda, self._provisioner(region), self._schemas, self.faults, region=region)
            made.service_role = self._service_role
            made.nested, made.elsewhere = NestedStacks(made, self._fetch), self._account
            self._accounts[region] = made
        return self._accounts[region]


def _described(stack: Stack) -> dict[str, Any]:
    types = {name: one.spec.type for name, one in stack.resources.items()}
    return {"tags": dict(stack.deployment.tags), "resources": types}
