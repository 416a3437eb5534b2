"""The resource AWS::CloudFormation::Stack: creates, updates and deletes the nested stack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.cloudformation import operations
from sandbox.cloudformation.account import Account
from sandbox.cloudformation.changesets import check_updatable, transformed
from sandbox.cloudformation.plan import plan
from sandbox.cloudformation.records import Deployment, Options, Stack
from sandbox.cloudformation.removal import delete
from sandbox.cloudformation.requests import Fetch, check_expansion, deployment
from sandbox.cloudformation.rollback import roll_back
from sandbox.cloudformation.templates.template import scalar
from sandbox.errors import ApiError
from sandbox.provisioning import ProvisionError, Request

_OPTIONS = Options(on_failure="DO_NOTHING")
"""A nested stack that fails stays as it is: the parent stack decides what follows."""
_NAME = 128
_RANDOM = 12


def _options(parent: Stack) -> Options:
    """Return the options of a nested stack: its mode is the parent's (User Guide, express mode)."""
    return replace(_OPTIONS, deployment_config=parent.operation.options.deployment_config)


class NestedStacks:
    """The nested stacks of an account; fulfils `account.Nested`."""

    def __init__(self, account: Account, fetch: Fetch) -> None:
        self._account = account
        self._fetch = fetch

    def create(self, parent: Stack, request: Request) -> Stack:
        """Start to create the stack of *request*; raises ProvisionError."""
        account, name = self._account, self._name(parent, request.logical_id)
        wanted, unmade = self._wanted(parent, request, name, None)
        child = Stack(account.arn("stack", name), name, account.agenda.now())
        child.parent, child.root = parent.id, parent.root or parent.id
        minutes = request.properties.get("TimeoutInMinutes")
        child.timeout = None if minutes is None else int(minutes)
        self._check(child, wanted, unmade)
        account.stacks[child.id] = child
        child.operation.caller = parent.operation.caller
        operations.create(account, child, wanted, _options(parent), unmade)
        return child

    def update(self, parent: Stack, child: Stack, request: Request, *, restores: bool = False) -> bool:
        """Start to update *child*; returns whether there is anything to do; raises ProvisionError."""
        wanted, unmade = self._wanted(parent, request, child.name, child)
        try:
            check_updatable(child)
        except ApiError as error:
            raise ProvisionError(error.message) from error
        if self._check(child, wanted, unmade):
            return False
        child.operation.caller = parent.operation.caller
        options = replace(_options(parent), restores=restores)
        operations.update(self._account, child, wanted, options, unmade)
        return True

    def restore(self, parent: Stack, child: Stack, request: Request) -> bool:
        """
        Start to restore *child* to *request*; returns whether there is anything to do.

        It ends as the parent does, in UPDATE_ROLLBACK_COMPLETE (CloudFormation User Guide, "Split a template
        into reusable pieces using nested stacks").
        """
        if child.status in ("UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED"):
            child.operation.caller = parent.operation.caller
            roll_back(self._account, child, _OPTIONS, None)
            return True
        return self.update(parent, child, request, restores=True)

    def delete(self, parent: Stack, child: Stack) -> bool:
        """Start to delete *child*; returns whether it existed."""
        if child.status == "DELETE_COMPLETE":
            return False
        child.operation.caller = parent.operation.caller
        delete(self._account, child, Options())
        return True

    def cancel(self, child: Stack, status: str) -> None:
        """Cancel the operation of *child*, as the parent does."""
        if child.operation.run is not None:
            child.operation.run.cancel()
        child.operation.live = False
        self._account.set_status(child, status, "User Initiated")

    def _name(self, parent: Stack, logical_id: str) -> str:
        random = self._account.uuid().replace("-", "")[:_RANDOM].upper()
        room = _NAME - len(random) - 2
        return f"{parent.name[: room - len(logical_id)]}-{logical_id[:room]}-{random}"

    def _wanted(
        self, parent: Stack, request: Request, name: str, child: Stack | None
    ) -> tuple[Deployment, str | None]:
        given = _params(parent, request)
        try:
            wanted = deployment(self._account, given, self._fetch, child)
            check_expansion(wanted.template, given)
            return transformed(self._account, name, wanted, self._fetch)
        except ApiError as error:
            raise ProvisionError(error.message) from error

    def _check(self, child: Stack, wanted: Deployment, unmade: str | None) -> bool:
        """Return whether *wanted* changes nothing; raises ProvisionError where it cannot be evaluated."""
        try:
            return unmade is None and plan(self._account, child, wanted).empty
        except ApiError as error:
            raise ProvisionError(error.message) from error


def _params(parent: Stack, request: Request) -> dict[str, Any]:
    """Return the call that creates or updates the nested stack; it has the parent's tags too."""
    asked = request.properties
    tags = {**parent.deployment.tags, **{each["Key"]: str(each["Value"]) for each in asked.get("Tags", ())}}
    return {
        "TemplateURL": asked["TemplateURL"],
        "Parameters": _parameters(asked.get("Parameters", {})),
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        "Capabilities": parent.deployment.capabilities,
        "NotificationARNs": asked.get("NotificationARNs", ()),
        "RoleARN": parent.deployment.role_arn,
    }


def _parameters(given: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    return [
        {
            "ParameterKey": name,
            "ParameterValue": ",".join(map(scalar, value)) if isinstance(value, list) else scalar(value),
        }
        for name, value in given.items()
    ]
