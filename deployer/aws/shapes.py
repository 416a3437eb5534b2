"""Converts CloudFormation's responses to the deployer's types. Sends no requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deployer.causes import HOOK_REFUSALS, hook_words
from deployer.checks.kept import IDENTIFIERS
from deployer.kept import Kept
from deployer.states import (
    Change,
    ChangeSetInputs,
    ChangeSetRequest,
    ChangeSetState,
    Output,
    PropertyChange,
    Resource,
    StackEvent,
    StackState,
)

Answer = Mapping[str, Any]
EXPRESS: Mapping[str, Any] = {"Mode": "EXPRESS", "DisableRollback": False}
"""
Without the second, express mode leaves a stack that fails as it is, and refuses replacements (CloudFormation
User Guide, "Deploy AWS CloudFormation stacks faster with express mode"; aws/aws-cdk-cli#1931).
"""


def stack_state(answer: Answer) -> StackState:
    """Read a Stack of DescribeStacks."""
    return StackState(
        name=answer["StackName"],
        id=answer["StackId"],
        status=answer["StackStatus"],
        reason=answer.get("StackStatusReason", ""),
        created=answer.get("CreationTime"),
        last_updated=answer.get("LastUpdatedTime"),
        change_set_id=answer.get("ChangeSetId"),
        outputs=tuple(_output(output) for output in answer.get("Outputs", ())),
        parameters={
            one["ParameterKey"]: one.get("ParameterValue", "") for one in answer.get("Parameters", ())
        },
        tags={tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())},
        protected=bool(answer.get("EnableTerminationProtection", False)),
    )


def has_tags(answer: Answer, wanted: Mapping[str, str]) -> bool:
    """Whether a Stack of DescribeStacks has all *wanted* tags; nested ones have them of their parent only."""
    tags = {tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())}
    return bool(wanted) and "ParentId" not in answer and wanted.items() <= tags.items()


def change_set_state(answer: Answer, changes: list[Answer], *, emulated: bool = False) -> ChangeSetState:
    """Read a DescribeChangeSet answer, with the changes of all its pages."""
    resources = [change["ResourceChange"] for change in changes if "ResourceChange" in change]
    return ChangeSetState(
        name=answer.get("ChangeSetName", ""),
        id=answer["ChangeSetId"],
        stack_id=answer.get("StackId", ""),
        status=answer["Status"],
        execution=answer.get("ExecutionStatus", "UNAVAILABLE"),
        reason=answer.get("StatusReason", ""),
        changes=tuple(_change(resource) for resource in resources),
        reverts_drift=answer.get("DeploymentMode") == "REVERT_DRIFT",
        inputs=_inputs(answer, emulated=emulated),
    )


def _inputs(answer: Answer, *, emulated: bool) -> ChangeSetInputs:
    """Read the inputs of a change set; a missing or empty one is none on AWS, and unknown elsewhere."""
    absent: list[Any] | None = None if emulated else []
    capabilities = answer.get("Capabilities") or absent
    rollback = answer.get("RollbackConfiguration") or (None if emulated else {})
    return ChangeSetInputs(
        _pairs(answer.get("Parameters") or absent, "ParameterKey", "ParameterValue"),
        _pairs(answer.get("Tags") or absent, "Key", "Value"),
        None if capabilities is None else tuple(capabilities),
        None if rollback is None else tuple(one["Arn"] for one in rollback.get("RollbackTriggers", ())),
        (rollback or {}).get("MonitoringTimeInMinutes", 0),
        tuple(answer.get("NotificationARNs", ())),
        answer.get("OnStackFailure", ""),
        bool(answer.get("IncludeNestedStacks", False)),
        answer.get("DeploymentConfig", {}).get("Mode") == "EXPRESS",
        bool(answer.get("DeploymentConfig", {}).get("DisableRollback", False)),
    )


def _pairs(listed: list[Answer] | None, key: str, value: str) -> Mapping[str, str] | None:
    return None if listed is None else {one[key]: one.get(value, "") for one in listed}


def deployment_settings(request: ChangeSetRequest) -> dict[str, Any]:
    """Return a change set's settings besides the template; alarms are sticky and therefore always sent."""
    triggers = [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in request.rollback_alarms]
    alarms = {"RollbackTriggers": triggers, "MonitoringTimeInMinutes": request.rollback_minutes}
    mode = {"DeploymentMode": "REVERT_DRIFT"} if request.revert_drift else {}
    imports = {"ResourcesToImport": [_import(one) for one in request.imports]} if request.imports else {}
    express = {"DeploymentConfig": EXPRESS} if request.express else {}
    return {"RollbackConfiguration": alarms, **mode, **imports, **express}


def _import(one: Kept) -> dict[str, Any]:
    """Return a ResourceToImport."""
    identifier = {IDENTIFIERS[one.type]: one.physical_id}
    return {
        "ResourceType": one.type,
        "LogicalResourceId": one.logical_id,
        "ResourceIdentifier": identifier,
    }


def stack_event(answer: Answer) -> StackEvent:
    """Read a StackEvent."""
    return StackEvent(
        id=answer["EventId"],
        stack_id=answer["StackId"],
        stack_name=answer["StackName"],
        time=answer["Timestamp"],
        logical_id=answer.get("LogicalResourceId", ""),
        physical_id=answer.get("PhysicalResourceId", ""),
        type=answer.get("ResourceType", ""),
        status=answer.get("ResourceStatus", ""),
        reason=answer.get("ResourceStatusReason", ""),
        token=answer.get("ClientRequestToken") or "",
        hook=answer.get("HookType") or "",
        hook_status=answer.get("HookStatus") or "",
        hook_reason=answer.get("HookStatusReason") or "",
    )


def resource(answer: Answer) -> Resource:
    """Read a StackResourceSummary."""
    return Resource(
        answer["LogicalResourceId"],
        answer.get("PhysicalResourceId", ""),
        answer["ResourceType"],
        answer["ResourceStatus"],
    )


def validation_failure(answer: Answer) -> str:
    """
    Read the failure that an OperationEvent of a change set reports; empty if none.

    A Hook that only warns is no failure.
    """
    if answer.get("HookStatus") in HOOK_REFUSALS and answer.get("HookFailureMode") != "WARN":
        return _refused_by_hook(answer)
    if answer.get("ValidationStatus") != "FAILED" and answer.get("EventType") != "VALIDATION_ERROR":
        return ""
    reason = answer.get("ValidationStatusReason") or answer.get("ResourceStatusReason", "")
    where = " ".join(part for part in (answer.get("LogicalResourceId"), answer.get("ValidationPath")) if part)
    return f"{where}: {reason}" if where else str(reason)


def _refused_by_hook(answer: Answer) -> str:
    said = hook_words(answer.get("HookType", ""), answer.get("HookStatusReason", ""))
    where = answer.get("LogicalResourceId", "")
    return f"{where}: {said}" if where else said


def _output(answer: Answer) -> Output:
    return Output(
        answer["OutputKey"],
        answer.get("OutputValue", ""),
        answer.get("ExportName"),
        answer.get("Description", ""),
    )


def _change(answer: Answer) -> Change:
    return Change(
        action=answer["Action"],
        logical_id=answer["LogicalResourceId"],
        type=answer["ResourceType"],
        physical_id=answer.get("PhysicalResourceId", ""),
        replacement=answer.get("Replacement"),
        policy_action=answer.get("PolicyAction", ""),
        scope=tuple(answer.get("Scope", ())),
        details=tuple(_detail(detail) for detail in answer.get("Details", ())),
    )


def _detail(answer: Answer) -> PropertyChange:
    target = answer.get("Target", {})
    source = answer.get("ChangeSource", "")
    return PropertyChange(
        attribute=target.get("Attribute", ""),
        name=target.get("Path") or target.get("Name", ""),
        recreation=target.get("RequiresRecreation", ""),
        before=target.get("BeforeValue"),
        after=target.get("AfterValue"),
        cause=""
        if source in {"", "DirectModification"}
        else f"{source} {answer.get('CausingEntity', '')}".strip(),
    )
