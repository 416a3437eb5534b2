"""
Resources that exist in name only: a physical id and attributes of the right shape, for types without a handler.

Pure. Attributes follow from the physical id, so an update gives the same values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sandbox.handler import Call, Handler, generated_name, nothing, random_text, unchanged
from sandbox.provisioning import Provisioned
from sandbox.schema import ProviderSchemas

_HEX = "0123456789abcdef"

_REF: Mapping[str, str] = {
    "AWS::SecretsManager::RotationSchedule": "SecretId",
    "AWS::SecretsManager::ResourcePolicy": "SecretId",
    "AWS::Events::Rule": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::CodeDeploy::Application": "ApplicationName",
    "AWS::CodeDeploy::DeploymentGroup": "DeploymentGroupName",
    "AWS::Budgets::Budget": "BudgetName",
    "AWS::CloudTrail::Trail": "TrailName",
    "AWS::SQS::Queue": "QueueName",
}
"""The property whose value `Ref` gives, where the schemas' identifier says otherwise (AWS template reference)."""

_ARNS: Mapping[str, str] = {
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{id}",
    "AWS::Events::Rule": "events:{region}:{account}:rule/{id}",
    "AWS::CloudWatch::CompositeAlarm": "cloudwatch:{region}:{account}:alarm:{id}",
    "AWS::CloudTrail::Trail": "cloudtrail:{region}:{account}:trail/{id}",
    "AWS::ElastiCache::ReplicationGroup": "elasticache:{region}:{account}:replicationgroup:{id}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{id}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{id}",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{id}",
}
"""ARN formats that are not `service:region:account:kind/id` (AWS docs, Service Authorization Reference)."""

_PORTS = {"ElastiCache": "6379", "RDS": "5432", "DocDB": "27017", "Neptune": "8182", "Redshift": "5439"}
_DOMAINS = {"ElastiCache": "cache", "RDS": "rds"}


def _create(call: Call) -> Provisioned:
    return Provisioned(_physical_id(call, ProviderSchemas()))


HANDLER = Handler(create=_create, update=unchanged, delete=nothing)
"""The handler of every type that has none of its own."""


def attributes(call: Call, physical_id: str, schemas: ProviderSchemas) -> dict[str, Any]:
    """Return a plausible value for everything that `Fn::GetAtt` accepts of the call's type."""
    names = schemas.attributes(call.request.type)
    leaves = {name for name in names if not any(other.startswith(f"{name}.") for other in names)}
    identifier = schemas.identifier(call.request.type)
    values: dict[str, Any] = {}
    for name in sorted(leaves):
        if name in call.properties:
            values[name] = call.properties[name]
        elif (name,) == identifier:
            values[name] = physical_id
        else:
            values[name] = _value(call, physical_id, name, schemas.kind_of(call.request.type, name))
    return values


def _physical_id(call: Call, schemas: ProviderSchemas) -> str:
    if call.request.type in _REF:
        return call.name(_REF[call.request.type])
    identifier = schemas.identifier(call.request.type)
    parts = [
        str(call.properties[name]) if name in call.properties else _made_up(call, name) for name in identifier
    ]
    return "|".join(parts) or generated_name(call.request.stack_name, call.request.logical_id, 64)


def _made_up(call: Call, identifier: str) -> str:
    own_name = generated_name(call.request.stack_name, call.request.logical_id, 64)
    if identifier.endswith(("Arn", "ARN")):
        return _arn(call, next((str(v) for k, v in call.properties.items() if k.endswith("Name")), own_name))
    if identifier.endswith(("Id", "ID")):
        return f"{_kind(call)}-{random_text(17, _HEX)}"
    return own_name.lower() if identifier.endswith("Identifier") else own_name


def _value(call: Call, physical_id: str, name: str, kind: str) -> Any:
    if kind == "array":
        return []
    if kind == "integer":
        return int(_PORTS.get(_service(call), "443")) if name.endswith("Port") else 1
    if kind in ("boolean", "object"):
        return False if kind == "boolean" else {}
    return _text(call, physical_id, name)


def _text(call: Call, physical_id: str, name: str) -> str:
    last = name.rsplit(".", 1)[-1]
    digest = hashlib.sha256(f"{physical_id}/{name}".encode()).hexdigest()
    service, region = _service(call), call.request.region
    if last.endswith(("Arn", "ARN")):
        return physical_id if physical_id.startswith("arn:") else _arn(call, physical_id)
    if last.endswith("Port"):
        return _PORTS.get(service, "443")
    if last.endswith(("Address", "Endpoint", "DNSName", "DnsName", "DomainName")):
        return f"{_slug(physical_id)}.{digest[:12]}.{region}.{_DOMAINS.get(service, service.lower())}.amazonaws.com"
    if last.endswith(("Url", "URL", "Uri", "URI")):
        return f"https://{service.lower()}.{region}.amazonaws.com/{call.request.account}/{_slug(physical_id)}"
    if last.endswith(("Id", "ID")):
        return f"{_kind(call)}-{digest[:17]}"
    if last.endswith(("Time", "Date", "At", "Timestamp")):
        return "2026-01-01T00:00:00Z"
    return "ACTIVE" if last.endswith(("Status", "State")) else physical_id


def _arn(call: Call, identifier: str) -> str:
    plain = "{service}:{region}:{account}:{kind}/{id}"
    form = _ARNS.get(call.request.type, plain)
    facts = {"region": call.request.region, "account": call.request.account, "id": identifier}
    return "arn:aws:" + form.format(service=_service(call).lower(), kind=_kind(call), **facts)


def _service(call: Call) -> str:
    parts = call.request.type.split("::")
    return parts[1] if len(parts) > 2 else "cloudformation"


def _kind(call: Call) -> str:
    return call.request.type.split("::")[-1].lower()


def _slug(physical_id: str) -> str:
    return physical_id.rsplit("/", 1)[-1].rsplit(":", 1)[-1].replace("|", "-").lower()
