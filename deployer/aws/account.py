"""`Aws`: the implementation of `deployer.cloud.Cloud` on CloudFormation, through botocore."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from deployer.aws.budget import Budget
from deployer.aws.endpoint import emulated
from deployer.aws.errors import is_missing, is_taken
from deployer.aws.reads import Reads
from deployer.aws.shapes import (
    deployment_settings,
)
from deployer.aws.sign_in.login import Login, log_in
from deployer.errors import CloudError, MovedOn, NotOffered, Transient
from deployer.states import ChangeSetRequest, ChangeSetState

EXECUTED = frozenset({"EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED"})


def connect(
    region: str, *, profile: str | None = None, endpoint: str | None = None, budget: Budget | None = None
) -> Aws:
    """
    Return the account and region that the AWS environment (variables, profile, endpoint) points to.

    Raises:
        Refused: there are no credentials, or no such profile.

    """
    return on(log_in(region, profile=profile, endpoint=endpoint), budget=budget)


def on(login: Login, *, budget: Budget | None = None) -> Aws:
    """Return the account and region of *login*; raises DeployError where there is no client for it."""
    client = login.client("cloudformation")
    return Aws(
        client, login.client, login.region, budget=budget or Budget(), renew=login.renew, fresh=login.fresh
    )


class Aws(Reads):
    """A `deployer.cloud.Cloud` on AWS, or on anything that speaks its protocol."""

    def create_change_set(self, request: ChangeSetRequest) -> ChangeSetState:
        """Create a change set, or return the existing one with that name."""
        template = {"TemplateURL": request.url} if request.url else {"TemplateBody": request.body}
        if request.express and not self._knows_express():
            request = replace(request, express=False)
        parameters = [
            {"ParameterKey": key, "ParameterValue": value} for key, value in request.parameters.items()
        ]
        try:
            answer = self._call(
                "create_change_set",
                StackName=request.stack,
                ChangeSetName=request.name,
                ChangeSetType=request.kind,
                ClientToken=request.token,
                Description=request.description,
                Capabilities=list(request.capabilities),
                Parameters=parameters,
                Tags=[{"Key": key, "Value": value} for key, value in request.tags.items()],
                **template,
                **deployment_settings(request),
            )
        except CloudError as error:
            if request.kind == "IMPORT" and emulated(self._client) and not isinstance(error, Transient):
                raise NotOffered(f"this endpoint imports nothing: {error}", code=error.code) from error
            if request.revert_drift and "DeploymentMode" in str(error):
                return self.create_change_set(replace(request, revert_drift=False))
            if request.express and "DeploymentConfig" in str(error):
                return self.create_change_set(replace(request, express=False))
            return self._taken_up(request, error)
        return ChangeSetState(request.name, answer["Id"], answer["StackId"], "CREATE_PENDING")

    def _knows_express(self) -> bool:
        """Whether this botocore knows the parameter; one that does not rejects the request unsent."""
        model = self._client.meta.service_model.operation_model("CreateChangeSet")
        return "DeploymentConfig" in model.input_shape.members

    def _taken_up(self, request: ChangeSetRequest, error: CloudError) -> ChangeSetState:
        if error.code in {"AlreadyExistsException", "AlreadyExists"}:
            found = self._change_set(StackName=request.stack, ChangeSetName=request.name)
            if found is not None:
                return found
        updates = request.kind == "UPDATE"
        if is_missing(error, request.stack) if updates else is_taken(error, request.stack):
            raise MovedOn(str(error), code=error.code, operation=error.operation) from error
        raise error

    def delete_change_set(self, change_set_id: str) -> None:
        """Delete a change set; does nothing if it no longer exists or was executed."""
        try:
            self._call("delete_change_set", ChangeSetName=change_set_id)
        except CloudError as error:
            gone = {"ChangeSetNotFound", "ChangeSetNotFoundException", "InvalidChangeSetStatus"}
            if error.code not in gone and not is_missing(error):
                raise

    def execute(self, change_set_id: str, token: str, *, creation: bool) -> None:
        """Execute a change set, once."""
        wanted: dict[str, Any] = {"RetainExceptOnCreate": True} if creation else {}
        which = {"ChangeSetName": change_set_id, "ClientRequestToken": token}
        try:
            self._call("execute_change_set", **which, **wanted)
        except CloudError as error:
            if wanted and "RetainExceptOnCreate" in str(error):
                self._call("execute_change_set", **which)
                return
            if error.code not in {
                "InvalidChangeSetStatus",
                "ChangeSetNotFound",
                "TokenAlreadyExistsException",
            }:
                raise
            found = self.change_set(change_set_id)
            if found is None or found.execution not in EXECUTED:
                raise MovedOn(str(error), code=error.code, operation=error.operation) from error

    def delete_stack(self, stack_id: str, token: str) -> None:
        """Start deleting a stack."""
        self._act("delete_stack", StackName=stack_id, ClientRequestToken=token)

    def continue_rollback(self, stack_id: str, token: str, skip: Collection[str] = ()) -> None:
        """Continue a rollback that failed."""
        skipped = {"ResourcesToSkip": sorted(skip)} if skip else {}
        self._act("continue_update_rollback", StackName=stack_id, ClientRequestToken=token, **skipped)

    def roll_back(self, stack_id: str, token: str) -> None:
        """Roll a paused update back."""
        self._act("rollback_stack", StackName=stack_id, ClientRequestToken=token)

    def protect(self, stack_id: str, *, on: bool) -> None:
        """Switch termination protection."""
        self._call(
            "update_termination_protection",
            StackName=stack_id,
            EnableTerminationProtection=on,
        )
