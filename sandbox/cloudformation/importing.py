"""
Change sets of type IMPORT: a new stack takes up resources that are there already, as they are.

The rules are those of the CloudFormation User Guide, "Import AWS resources into a CloudFormation stack with
a resource import": every resource of the template is imported and has a DeletionPolicy, none belongs to a
stack, nothing is made, changed or put out along with it; where it fails, the resources stay as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.records import Deployment, Options, Stack
from sandbox.cloudformation.removal import BRIEF
from sandbox.cloudformation.runs import Report, Run, Task
from sandbox.cloudformation.tasks import Working
from sandbox.cloudformation.templates.evaluation import Evaluation, evaluated
from sandbox.cloudformation.templates.template import ResourceSpec
from sandbox.errors import ApiError, ResourceFailure, invalid

Params = Mapping[str, Any]


def asked(params: Params, kind: str) -> Mapping[str, str]:
    """Return what is to be imported, logical id -> identifier; raises ApiError."""
    given = params.get("ResourcesToImport", ())
    if kind != "IMPORT" and given:
        raise invalid("ResourcesToImport can be specified for change sets of type IMPORT only.")
    if kind == "IMPORT" and not given:
        raise invalid("ResourcesToImport must be specified for change sets of type IMPORT.")
    return {each["LogicalResourceId"]: "|".join(each["ResourceIdentifier"].values()) for each in given}


def check(account: Account, wanted: Deployment, imports: Mapping[str, str]) -> None:
    """Refuse what AWS imports not; raises ApiError."""
    specs = wanted.template.resources
    if missing := sorted(specs.keys() - imports.keys()):
        raise invalid(f"Resources [{', '.join(missing)}] is missing from ResourceToImport list")
    if unknown := sorted(imports.keys() - specs.keys()):
        raise invalid(f"Resources [{', '.join(unknown)}] in ResourcesToImport are not in the template")
    if wanted.template.outputs:
        raise invalid("As part of the import operation, you cannot modify or add [Outputs]")
    for name, identifier in sorted(imports.items()):
        if not specs[name].with_policy:
            raise invalid(f"Resources [{name}] must have a DeletionPolicy attribute to be imported")
        owner = _owner(account, specs[name].type, identifier)
        if owner is not None:
            raise invalid(f"{identifier} already exists in stack {owner.id}")


def _owner(account: Account, type_: str, identifier: str) -> Stack | None:
    return next(
        (
            stack
            for stack in account.living()
            for each in stack.resources.values()
            if each.spec.type == type_ and each.physical_id == identifier
        ),
        None,
    )


def changes(wanted: Deployment, imports: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Return the changes that the change set lists."""
    return [
        {
            "Type": "Resource",
            "ResourceChange": {
                "Action": "Import",
                "LogicalResourceId": name,
                "PhysicalResourceId": identifier,
                "ResourceType": wanted.template.resources[name].type,
                "Details": [],
                "Scope": [],
            },
        }
        for name, identifier in sorted(imports.items())
    ]


def begin(
    account: Account, stack: Stack, deployment: Deployment, options: Options, imports: Mapping[str, str]
) -> None:
    """Begin the import into a stack that has nothing yet."""
    account.begin(stack, "CREATE_STACK", options)
    stack.options, stack.deployment = options, deployment
    account.set_status(stack, "IMPORT_IN_PROGRESS", "User Initiated")
    account.later(stack, BRIEF, lambda: _go(account, stack, imports))


def _go(account: Account, stack: Stack, imports: Mapping[str, str]) -> None:
    evaluation = Evaluation(account, stack, stack.deployment)
    try:
        active, needs = evaluation.active(), evaluation.needs()
        stack.imports = evaluation.imports()
    except (ApiError, ResourceFailure) as error:
        _failed(account, stack, str(error))
        return
    tasks: dict[str, Task] = {
        name: Importing(account, stack, spec, evaluation, imports[name]) for name, spec in active.items()
    }
    stack.operation.run = Run(tasks, needs, lambda failed: _worked(account, stack, failed))
    stack.operation.run.start()


def _worked(account: Account, stack: Stack, failed: Sequence[str]) -> None:
    if failed:
        _failed(account, stack, f"The following resource(s) failed to import: [{', '.join(failed)}]. ")
        return
    stack.stable, stack.undo = stack.deployment, {}
    account.later(stack, BRIEF, lambda: account.set_status(stack, "IMPORT_COMPLETE"))


def _failed(account: Account, stack: Stack, reason: str) -> None:
    account.set_status(stack, "IMPORT_ROLLBACK_IN_PROGRESS", reason)
    stack.resources, stack.undo, stack.imports = {}, {}, frozenset()
    stack.deployment = stack.stable = Deployment(tags=stack.deployment.tags)
    account.later(stack, BRIEF, lambda: account.set_status(stack, "IMPORT_ROLLBACK_COMPLETE"))


class Importing(Working):
    """Takes a resource as it is."""

    verb = "create"

    def __init__(
        self, account: Account, stack: Stack, spec: ResourceSpec, evaluation: Evaluation, identifier: str
    ) -> None:
        super().__init__(account, stack, spec)
        self._prefix = "IMPORT"
        self._evaluation = evaluation
        self._identifier = identifier

    def start(self, report: Report) -> None:
        """Begin."""
        self._begin(report)
        self._stack.resources[self._spec.logical_id] = self.resource
        self._say("IN_PROGRESS", "Resource import started.")
        self._later(1.0, lambda: self._succeed(self._adopt))

    def _adopt(self) -> None:
        request = evaluated(self.resource, self._evaluation)
        self.resource.made = self._account.provisioner.adopt(request, self._identifier)
