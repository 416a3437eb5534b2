"""
Placeholder resources: an id and attributes of the right form, for types without a handler.

Pure. Attributes follow from the physical id, so an update gives the same values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.provisioning import Provisioned
from sandbox.resources.handler import Call, Handler, generated_name, nothing, random_text

_HEX = "0123456789abcdef"

_REF: Mapping[str, str] = {
    "AWS::SecretsManager::ResourcePolicy": "SecretId",
    "AWS::Events::Rule": "Name",
    "AWS::CodeDeploy::Application": "ApplicationName",
    "AWS::CodeDeploy::DeploymentGroup": "DeploymentGroupName",
    "AWS::Budgets::Budget": "BudgetName",
    "AWS::CloudTrail::Trail": "TrailName",
    "AWS::SQS::Queue": "QueueName",
}
"""The property that `Ref` returns, where it differs from the schema's identifier (AWS template reference)."""

_ARNS: Mapping[str, str] = {
    "AWS::Events::Rule": "events:{region}:{account}:rule/{id}",
    "AWS::CloudWatch::CompositeAlarm": "cloudwatch:{region}:{account}:alarm:{id}",
    "AWS::CloudTrail::Trail": "cloudtrail:{region}:{account}:trail/{id}",
    "AWS::KinesisFirehose::DeliveryStream": "firehose:{region}:{account}:deliverystream/{id}",
    "AWS::ElastiCache::ReplicationGroup": "elasticache:{region}:{account}:replicationgroup:{id}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{id}",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{id}",
    "AWS::StepFunctions::StateMachine": "states:{region}:{account}:stateMachine:{id}",
}
"""ARN formats that are not `service:region:account:kind/id` (AWS docs, Service Authorization Reference)."""

_PORTS = {"ElastiCache": "6379", "RDS": "5432", "DocDB": "27017", "Neptune": "8182", "Redshift": "5439"}
_DOMAINS = {"ElastiCache": "cache", "RDS": "rds"}


def _create(call: Call) -> Provisioned:
    return Provisioned(_physical_id(call))


def _update(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    """Keep the id; the attributes follow from it and from the current properties."""
    del call, old
    return Provisioned(current.physical_id)


HANDLER = Handler(create=_create, update=_update, delete=nothing)
"""The handler of every type without its own."""


def attributes(call: Call, physical_id: str) -> dict[str, Any]:
    """Return a plausible value for every attribute that `Fn::GetAtt` accepts of the call's type."""
    schemas = call.schemas
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


def _physical_id(call: Call) -> str:
    if call.request.type in _REF:
        return call.name(_REF[call.request.type])
    identifier = call.schemas.identifier(call.request.type)
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
    forms: Mapping[tuple[str, ...], Callable[[], str]] = {
        ("Arn", "ARN"): lambda: physical_id if physical_id.startswith("arn:") else _arn(call, physical_id),
        ("Port",): lambda: _PORTS.get(_service(call), "443"),
        ("Address", "Endpoint", "DNSName", "DnsName", "DomainName"): lambda: _host(call, physical_id, name),
        ("Url", "URL", "Uri", "URI"): lambda: f"https://{_host(call, physical_id, name)}",
        ("Id", "ID"): lambda: f"{_kind(call)}-{_digest(physical_id, name)[:17]}",
        ("Time", "Date", "At", "Timestamp"): lambda: "2026-01-01T00:00:00Z",
        ("Status", "State"): lambda: "ACTIVE",
    }
    return next((form() for endings, form in forms.items() if last.endswith(endings)), physical_id)


def _digest(physical_id: str, name: str) -> str:
    return hashlib.sha256(f"{physical_id}/{name}".encode()).hexdigest()


def _host(call: Call, physical_id: str, name: str) -> str:
    service = _service(call)
    domain = _DOMAINS.get(service, service.lower())
    start = f"{_slug(physical_id)}.{_digest(physical_id, name)[:12]}"
    return f"{start}.{call.request.region}.{domain}.amazonaws.com"


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
