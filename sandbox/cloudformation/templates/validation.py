"""
Validates property values by the types' schemas: before an operation, and in it, when all values are known.

Sources: AWS CloudFormation User Guide, "Validate stack deployments" (read 2026-11-28: property syntax
validation runs when a change set is created, fails it, and DescribeEvents reports each error); the change
set's reason as in aws-cloudformation/rain#744 and aws/aws-cdk-cli#1000.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.cloudformation.records import Invalid
from sandbox.cloudformation.templates.template import Template
from sandbox.errors import ResourceFailure
from sandbox.provisioning import Request, Schemas

NAME = "AWS::EarlyValidation::PropertyValidation"
REASON = (
    f"The following hook(s)/validation failed: [{NAME}]. To troubleshoot Early Validation errors, use the "
    "DescribeEvents API for detailed failure information."
)


def invalid(
    schemas: Schemas, region: str, template: Template, asked: Mapping[str, Mapping[str, Any]]
) -> tuple[Invalid, ...]:
    """Return the schemas' errors about the properties *asked* for, by logical id."""
    types = {name: template.resources[name].type for name in asked}
    return tuple(
        Invalid(name, types[name], found)
        for name, properties in asked.items()
        for found in schemas.refused(types[name], properties, region)
    )


def check(schemas: Schemas, request: Request) -> None:
    """Raise ResourceFailure if a schema rejects a resource to be created or changed."""
    found = schemas.refused(request.type, request.properties, request.region)
    if found:
        told = ", ".join(each.told for each in found)
        raise ResourceFailure(
            f"Properties validation failed for resource {request.logical_id} with message:\n[{told}]"
        )


def event(found: Invalid) -> dict[str, Any]:
    """Return DescribeEvents' data of an error, without its resource (OperationEvent, API Reference)."""
    return {
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": found.logical_id,
        "ResourceType": found.type,
        "ValidationFailureMode": "FAIL",
        "ValidationName": NAME,
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": found.found.early,
        "ValidationPath": f"/Resources/{found.logical_id}/Properties{found.found.path}",
    }
