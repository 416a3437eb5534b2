"""
Change sets of type IMPORT: a stack imports existing resources without changing them.

The rules are those of the CloudFormation User Guide, "Import AWS resources into a CloudFormation stack with a
resource import": every new resource of the template is imported and has a DeletionPolicy, none belongs to a
stack, nothing else is created, changed or exported; if the import fails, the resources stay unchanged.
ImportExistingResources is in `existing.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.plan import AUTOMATIC, plan
from sandbox.cloudformation.records import Deployment, Options, Stack
from sandbox.cloudformation.removal import BRIEF
from sandbox.cloudformation.runs import Report, Run, Task
from sandbox.cloudformation.tasks import Working
from sandbox.cloudformation.templates.evaluation import Evaluation, evaluated
from sandbox.cloudformation.templates.template import ResourceSpec
from sandbox.errors import ApiError, ResourceFailure, invalid

Params = Mapping[str, Any]


def asked(params: Params, kind: str) -> Mapping[str, str]:
    """Return the resources to import, logical id -> identifier; raises ApiError."""
    given = params.get("ResourcesToImport", ())
    if kind != "IMPORT" and given:
        raise invalid("ResourcesToImport can be specified for change sets of type IMPORT only.")
    if kind == "IMPORT" and not given:
        raise invalid("ResourcesToImport must be specified for change sets of type IMPORT.")
    return {each["LogicalResourceId"]: "|".join(each["ResourceIdentifier"].values()) for each in given}


def check(account: Account, wanted: Deployment, imports: Mapping[str, str], stack: Stack | None) -> None:
    """Refuse what AWS does not import into *stack*, None for a new one; raises ApiError."""
    there = stack.resources if stack else {}
    specs = {name: spec for name, spec in wanted.template.resources.items() if name not in there}
    if stack is not None:
        _check_rest(account, wanted, stack)
    if missing := sorted(specs.keys() - imports.keys()):
        raise invalid(f"Resources [{', '.join(missing)}] is missing from ResourceToImport list")
    if unknown := sorted(imports.keys() - specs.keys()):
        raise invalid(f"Resources [{', '.join(unknown)}] in ResourcesToImport are not in the template")
    if wanted.template.outputs != (stack.deployment.template.outputs if stack else {}):
        raise invalid("As part of the import operation, you cannot modify or add [Outputs]")
    for name, identifier in sorted(imports.items()):
        if not specs[name].with_policy:
            raise invalid(f"Resources [{name}] must have a DeletionPolicy attribute to be imported")
        owner = owner_of(account, specs[name].type, identifier)
        if owner is not None:
            raise invalid(f"{identifier} already exists in stack {owner.id}")


def _check_rest(account: Account, wanted: Deployment, stack: Stack) -> None:
    listed = [each["ResourceChange"] for each in plan(account, stack, wanted).changes]
    others = [each for each in listed if each["Action"] != "Add" and each["Details"] != [AUTOMATIC]]
    if changed := [each["LogicalResourceId"] for each in others]:
        raise invalid(
            f"You have modified resources [{', '.join(changed)}] in your template that are not being"
            " imported. Update, create or delete operations cannot be executed during import operations."
        )


def owner_of(account: Account, type_: str, identifier: str) -> Stack | None:
    """Return the stack that a resource belongs to."""
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
    types = wanted.template.resources
    return [change(name, types[name].type, identifier) for name, identifier in sorted(imports.items())]


def change(name: str, type_: str, identifier: str) -> Mapping[str, Any]:
    """Return one change that a change set lists."""
    named = {"LogicalResourceId": name, "PhysicalResourceId": identifier, "ResourceType": type_}
    return {"Type": "Resource", "ResourceChange": {"Action": "Import", **named, "Details": [], "Scope": []}}


def begin(
    account: Account, stack: Stack, deployment: Deployment, options: Options, imports: Mapping[str, str]
) -> None:
    """Start the import."""
    account.begin(stack, "UPDATE_STACK" if stack.stable else "CREATE_STACK", options)
    stack.options, stack.deployment = options, deployment
    account.set_status(stack, "IMPORT_IN_PROGRESS", "User Initiated")
    account.later(stack, BRIEF, lambda: _go(account, stack, imports))


def _go(account: Account, stack: Stack, imports: Mapping[str, str]) -> None:
    evaluation = Evaluation(account, stack, stack.deployment)
    try:
        active, needs = evaluation.active(), evaluation.needs()
        stack.imports |= evaluation.imports()
    except (ApiError, ResourceFailure) as error:
        _failed(account, stack, imports, str(error))
        return
    tasks: dict[str, Task] = {
        name: Importing(account, stack, active[name], evaluation, identifier)
        for name, identifier in imports.items()
        if name in active
    }
    stack.operation.run = Run(tasks, needs, lambda failed: _worked(account, stack, imports, failed))
    stack.operation.run.start()


def _worked(account: Account, stack: Stack, imports: Mapping[str, str], failed: Sequence[str]) -> None:
    if failed:
        _failed(
            account, stack, imports, f"The following resource(s) failed to import: [{', '.join(failed)}]. "
        )
        return
    stack.stable, stack.undo = stack.deployment, {}
    account.later(stack, BRIEF, lambda: account.set_status(stack, "IMPORT_COMPLETE"))


def _failed(account: Account, stack: Stack, imports: Mapping[str, str], reason: str) -> None:
    account.set_status(stack, "IMPORT_ROLLBACK_IN_PROGRESS", reason)
    stack.resources = {name: each for name, each in stack.resources.items() if name not in imports}
    stack.deployment = stack.stable = stack.stable or Deployment(tags=stack.deployment.tags)
    stack.undo, stack.imports = {}, Evaluation(account, stack, stack.deployment).imports()
    account.later(stack, BRIEF, lambda: account.set_status(stack, "IMPORT_ROLLBACK_COMPLETE"))


class Importing(Working):
    """Imports a resource without changing it."""

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
        self._stack.undo.setdefault(self._spec.logical_id, None)
        self._stack.resources[self._spec.logical_id] = self.resource
        self._say("IN_PROGRESS", "Resource import started.")
        self._later(1.0, lambda: self._succeed(self._adopt))

    def _adopt(self) -> None:
        request = evaluated(self.resource, self._evaluation)
        self.resource.made = self._account.provisioner.adopt(request, self._identifier)
