"""The API's read actions: stacks, resources, templates, exports, imports. Events: `history.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.cloudformation.account import Account
from sandbox.cloudformation.changesets import parameters, tags
from sandbox.cloudformation.drift import resource_information, stack_information
from sandbox.cloudformation.paging import paged
from sandbox.cloudformation.records import Resource, Stack
from sandbox.cloudformation.requests import Fetch, Params, deployment, stack_name, text
from sandbox.cloudformation.templates.evaluation import Evaluation
from sandbox.cloudformation.templates.references import capabilities, check
from sandbox.cloudformation.templates.template import Template, parse
from sandbox.errors import ApiError, invalid

Answer = Mapping[str, Any]
WITH_ID = "Stack with id {} does not exist"
QUOTED = "Stack '{}' does not exist"


def describe_stacks(account: Account, params: Params, _: Fetch) -> Answer:
    """Describe one stack, deleted ones by id only, or all that are not deleted."""
    if params.get("StackName"):
        return {"Stacks": [_described(account, account.stack(stack_name(params), WITH_ID))]}
    newest = sorted(account.living(), key=lambda stack: stack.created, reverse=True)
    return paged("Stacks", [_described(account, stack) for stack in newest], params.get("NextToken"))


def _described(account: Account, stack: Stack) -> Answer:
    status, reason = account.status(stack)
    wanted = stack.deployment
    settled = stack.outputs if not status.startswith(("CREATE_IN", "REVIEW", "ROLLBACK")) else []
    outputs = [
        {
            "OutputKey": each.key,
            "OutputValue": each.value,
            "Description": each.description,
            "ExportName": each.export,
        }
        for each in settled
    ]
    return {
        **_dated(stack),
        "StackId": stack.id,
        "StackName": stack.name,
        "StackStatus": status,
        "StackStatusReason": reason,
        "ChangeSetId": stack.change_set_id,
        "Description": wanted.template.description,
        "Parameters": parameters(wanted),
        "RollbackConfiguration": wanted.rollback_configuration,
        "DeploymentConfig": stack.options.deployment_config or None,
        "DisableRollback": stack.options.on_failure == "DO_NOTHING",
        "NotificationARNs": wanted.notification_arns,
        "TimeoutInMinutes": stack.timeout,
        "Capabilities": wanted.capabilities or None,
        "Outputs": outputs or None,
        "RoleARN": wanted.role_arn,
        "Tags": tags(wanted) or [],
        "EnableTerminationProtection": stack.protected,
        "DriftInformation": stack_information(stack),
        "DeletionMode": stack.deletion_mode,
        "LastOperations": _last_operations(stack),
    }


def _dated(stack: Stack) -> dict[str, Any]:
    around = {"ParentId": stack.parent, "RootId": stack.root}
    times = {"CreationTime": stack.created, "LastUpdatedTime": stack.updated, "DeletionTime": stack.gone}
    return {**times, **around}


def _last_operations(stack: Stack) -> list[Answer]:
    return [{"OperationType": each.type, "OperationId": each.id} for each in reversed(stack.operations[-2:])]


def list_stacks(account: Account, params: Params, _: Fetch) -> Answer:
    """List stacks, deleted ones too, by status."""
    wanted = set(params.get("StackStatusFilter", ()))
    newest = sorted(account.stacks.values(), key=lambda stack: stack.created, reverse=True)
    found = [stack for stack in newest if not wanted or account.status(stack)[0] in wanted]
    return paged("StackSummaries", [_summary(account, stack) for stack in found], params.get("NextToken"))


def _summary(account: Account, stack: Stack) -> Answer:
    status, reason = account.status(stack)
    return {
        **_dated(stack),
        "StackId": stack.id,
        "StackName": stack.name,
        "StackStatus": status,
        "StackStatusReason": reason,
        "TemplateDescription": stack.deployment.template.description,
        "DriftInformation": stack_information(stack),
        "LastOperations": _last_operations(stack),
    }


def describe_stack_resources(account: Account, params: Params, _: Fetch) -> Answer:
    """Describe a stack's resources, found by the stack or by a physical id."""
    physical = params.get("PhysicalResourceId")
    if physical and not params.get("StackName"):
        stack = _by_physical_id(account, str(physical))
    else:
        stack = account.stack(stack_name(params), WITH_ID)
    wanted = params.get("LogicalResourceId")
    resources = [each for name, each in stack.resources.items() if wanted in (None, name)]
    resources = [each for each in resources if physical in (None, each.physical_id)]
    return {"StackResources": [{**_resource(stack, each), "Timestamp": each.time} for each in resources]}


def _by_physical_id(account: Account, physical_id: str) -> Stack:
    for stack in account.living():
        if any(each.physical_id == physical_id for each in stack.resources.values()):
            return stack
    raise invalid(f"Stack for {physical_id} does not exist")


def _resource(stack: Stack, resource: Resource) -> dict[str, Any]:
    return {
        "StackName": stack.name,
        "StackId": stack.id,
        "LogicalResourceId": resource.spec.logical_id,
        "PhysicalResourceId": resource.physical_id or None,
        "ResourceType": resource.spec.type,
        "LastUpdatedTimestamp": resource.time,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
        "DriftInformation": resource_information(stack, resource),
    }


def describe_stack_resource(account: Account, params: Params, _: Fetch) -> Answer:
    """Describe one resource, with its metadata."""
    stack = account.stack(stack_name(params), QUOTED)
    name = str(params["LogicalResourceId"])
    if name not in stack.resources:
        raise invalid(f"Resource {name} does not exist for stack {params['StackName']}")
    resource = stack.resources[name]
    metadata = (
        Evaluation(account, stack, stack.deployment).metadata(resource.spec)
        if resource.spec.metadata
        else None
    )
    detail = {**_resource(stack, resource), "Metadata": json.dumps(metadata) if metadata else None}
    return {"StackResourceDetail": detail}


def list_stack_resources(account: Account, params: Params, _: Fetch) -> Answer:
    """
    List a stack's resources, with what its deletion deleted or left.

    A deleted stack is listed for 90 days (CloudFormation API Reference, ListStackResources).
    """
    stack = account.stack(stack_name(params), WITH_ID)
    listed = [_resource(stack, each) for each in {**stack.departed, **stack.resources}.values()]
    return paged("StackResourceSummaries", listed, params.get("NextToken"))


def get_template(account: Account, params: Params, _: Fetch) -> Answer:
    """Return the template of a stack or of a change set, as given or as processed by its macros."""
    if params.get("ChangeSetName"):
        found = account.change_set(str(params["ChangeSetName"]), params.get("StackName")).deployment
    else:
        found = account.stack(stack_name(params), WITH_ID).deployment
    template, stages = found.template, ["Original", "Processed"]
    text = template.text
    if template.processed is not None and params.get("TemplateStage") == "Processed":
        text = json.dumps(template.processed)
    return {"TemplateBody": text, "StagesAvailable": stages[: 1 if template.pending else 2]}


def _given(account: Account, params: Params, fetch: Fetch) -> Template:
    given = text(params, fetch)
    if given is None:
        raise invalid("Either Template URL or Template Body must be specified.")
    template = parse(given)
    if not template.pending:
        check(template, account.schemas)
    return template


def get_template_summary(account: Account, params: Params, fetch: Fetch) -> Answer:
    """Return a template's declarations and requirements."""
    if params.get("StackName"):
        stack = account.stack(stack_name(params), WITH_ID)
        if stack.status == "REVIEW_IN_PROGRESS":
            raise invalid("GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.")
        template = stack.deployment.template
    else:
        template = _given(account, params, fetch)
    return {
        **_declared(template),
        "ResourceTypes": sorted({spec.type for spec in template.resources.values()}),
        "Version": template.version,
        "Metadata": json.dumps(template.metadata) if template.metadata else None,
    }


def _declared(template: Template) -> dict[str, Any]:
    iam, types = capabilities(template)
    reason = f"The following resource(s) require capabilities: [{', '.join(types)}]" if iam else None
    needed = [*([iam] if iam else []), *(["CAPABILITY_AUTO_EXPAND"] if template.transforms else [])]
    return {
        "Description": template.description,
        "Capabilities": needed or None,
        "CapabilitiesReason": reason,
        "DeclaredTransforms": list(template.transforms) or None,
        "Parameters": [
            {
                "ParameterKey": spec.name,
                "DefaultValue": spec.default,
                "ParameterType": spec.type,
                "NoEcho": spec.no_echo,
                "Description": spec.description,
                "ParameterConstraints": {
                    "AllowedValues": [str(each) for each in spec.rules.get("AllowedValues", ())]
                },
            }
            for spec in template.parameters.values()
        ],
    }


def validate_template(account: Account, params: Params, fetch: Fetch) -> Answer:
    """Check a template by itself."""
    return _declared(_given(account, params, fetch))


def estimate_template_cost(account: Account, params: Params, fetch: Fetch) -> Answer:
    """
    Check a template with its parameters, and return the address of a calculation.

    CloudFormation API Reference, EstimateTemplateCost: an address of the AWS Simple Monthly Calculator, which
    AWS has shut down since.
    """
    deployment(account, {**params, "Capabilities": ["CAPABILITY_NAMED_IAM"]}, fetch, None)
    return {"Url": f"http://calculator.s3.amazonaws.com/calc5.html?key=cloudformation/{account.uuid()}"}


def list_exports(account: Account, params: Params, _: Fetch) -> Answer:
    """List the exports of all stacks, by name."""
    found = [
        {"ExportingStackId": stack.id, "Name": name, "Value": value}
        for stack in account.living()
        for name, value in stack.exports.items()
    ]
    found.sort(key=lambda export: export["Name"])
    return paged("Exports", found, params.get("NextToken"))


def list_imports(account: Account, params: Params, _: Fetch) -> Answer:
    """List the stacks that import an export; none is an error."""
    name = str(params["ExportName"])
    users = [stack.name for stack in account.importers(name)]
    if not users:
        raise ApiError("ValidationError", f"Export '{name}' is not imported by any stack.")
    return paged("Imports", users, params.get("NextToken"))
