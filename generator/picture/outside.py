"""
What is outside an environment's VPC: AWS services, who calls them and by which route, and the internet.

Calls are derived from the roles of tasks and functions: what a policy does not allow is not called. Calls
that AWS makes for them are not traffic of the VPC: KMS through another service (kms:ViaService), and a
function's log and network interfaces, which Lambda manages (AWS Lambda Developer Guide, "Sending Lambda
function logs to CloudWatch Logs", "Giving Lambda functions access to resources in an Amazon VPC").
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.picture.landscape import Holding, Service, Thing, Way
from generator.references import References, Resource, Target
from stacks.beside import host

BY_LAMBDA = frozenset({"ec2", "logs"})
PLACEHOLDER = "REPLACE_ME"
"""Value of a secret until a person enters the key that was issued elsewhere."""


@dataclass(frozen=True)
class Known:
    """A service as policies, endpoints and templates name it."""

    title: str
    actions: str
    """Prefixes of the actions of its policies; empty: no policy is about it."""
    endpoints: tuple[str, ...] = ()
    """Names of its endpoints, after ``com.amazonaws.REGION.``."""
    types: Mapping[str, str] = field(default_factory=dict)
    """Its resource types -> their names."""


KNOWN = (
    Known(
        "Secrets Manager", "secretsmanager", ("secretsmanager",), {"AWS::SecretsManager::Secret": "secret"}
    ),
    Known("Parameter Store", "ssm", ("ssm",), {"AWS::SSM::Parameter": "parameter"}),
    Known("ECR", "ecr", ("ecr.api", "ecr.dkr"), {"AWS::ECR::Repository": "repository"}),
    Known("CloudWatch Logs", "logs", ("logs",), {"AWS::Logs::LogGroup": "log group"}),
    Known("S3", "s3", ("s3",), {"AWS::S3::Bucket": "bucket"}),
    Known("Bedrock", "bedrock", ("bedrock", "bedrock-agent-runtime", "bedrock-runtime")),
    Known("Bedrock AgentCore", "bedrock-agentcore", ("bedrock-agentcore", "bedrock-agentcore.gateway")),
    Known("Bedrock Mantle", "bedrock-mantle", ("bedrock-mantle",)),
    Known("SageMaker", "sagemaker", ("sagemaker.runtime",)),
    Known("S3 Vectors", "s3vectors", ("s3vectors",)),
    Known("SQS", "sqs", ("sqs",)),
    Known("DynamoDB", "dynamodb", ("dynamodb",)),
    Known("Polly", "polly", ("polly",)),
    Known("API Gateway", "execute-api", ("execute-api",)),
    Known("X-Ray", "xray", ("xray",)),
    Known("ECS", "ecs", ("ecs",), {"AWS::ECS::Cluster": "cluster"}),
    Known("STS", "sts", ("sts",)),
    Known("Session Manager", "ssmmessages", ("ssmmessages",)),
    Known("KMS", "kms", ("kms",), {"AWS::KMS::Key": "key"}),
    Known("SNS", "sns", ("sns",), {"AWS::SNS::Topic": "alarm topic"}),
    Known(
        "CloudWatch",
        "cloudwatch",
        ("monitoring",),
        {"AWS::CloudWatch::Alarm": "alarm", "AWS::CloudWatch::Dashboard": "dashboard"},
    ),
    Known("EventBridge", "events", ("events",), {"AWS::Events::Rule": "rule"}),
    Known("Data Firehose", "firehose", (), {"AWS::KinesisFirehose::DeliveryStream": "stream"}),
    Known("CloudTrail", "cloudtrail", (), {"AWS::CloudTrail::Trail": "trail"}),
    Known("WAF", "wafv2", (), {"AWS::WAFv2::WebACL": "web ACL"}),
    Known("Certificate Manager", "acm", (), {"AWS::CertificateManager::Certificate": "certificate"}),
    Known("Route 53", "route53", (), {"AWS::Route53::RecordSet": "record"}),
    Known("IAM", "iam", (), {"AWS::IAM::Role": "role"}),
)


def services(found: References, drawn: tuple[Thing, ...], *, way_out: bool) -> tuple[Service, ...]:
    """Return the services outside the VPC; *way_out*: whether the VPC has another route than endpoints."""
    called = _called(found)
    ends = [thing for thing in drawn if thing.kind == "endpoint"]
    known = [_service(found, one, called, ends, way_out=way_out) for one in KNOWN]
    others = sorted(called.keys() - {one.actions for one in KNOWN})
    unknown = [Service(name, "gateway" if way_out else "none", called[name]) for name in others]
    return tuple(one for one in [*known, *unknown] if one.callers or one.holdings)


def internet(found: References) -> tuple[str, ...]:
    """Return who is called on the internet: by keys that people enter, and images' registries."""
    keys = list(dict.fromkeys(_foreign_keys(found)))
    hosts = list(dict.fromkeys(_registries(found)))
    return (
        *(f"called with {', '.join(some)}" for some in _by_two(keys)),
        *(f"images of {host}" for host in hosts),
    )


def _service(
    found: References,
    known: Known,
    called: Mapping[str, tuple[str, ...]],
    ends: Iterable[Thing],
    *,
    way_out: bool,
) -> Service:
    own = [thing for thing in ends if thing.title in known.endpoints]
    callers = called.get(known.actions, ())
    way: Way = "endpoint" if own else "gateway" if way_out else "none"
    return Service(
        known.title,
        way if callers else "beside",
        callers,
        tuple(_holdings(found, known)),
        tuple(thing.key for thing in own),
        by_route_table=any(not thing.subnets for thing in own),
        asked_for=tuple(dict.fromkeys(_models(found))) if known.actions == "bedrock" else (),
    )


def _holdings(found: References, known: Known) -> Iterator[Holding]:
    for kind, noun in known.types.items():
        for stack, count in Counter(one.stack for one in found.of_type(kind)).items():
            yield Holding(stack, count, noun)


def _called(found: References) -> Mapping[str, tuple[str, ...]]:
    """Return service -> its callers, as the roles of tasks and functions allow."""
    called: dict[str, tuple[str, ...]] = {}
    for caller, roles, not_by_it in (
        ("tasks", _roles(found, "AWS::ECS::TaskDefinition", "ExecutionRoleArn", "TaskRoleArn"), frozenset()),
        ("functions", _roles(found, "AWS::Lambda::Function", "Role"), BY_LAMBDA),
    ):
        for service in sorted({name for role in roles for name in _allowed(role)} - not_by_it):
            called[service] = (*called.get(service, ()), caller)
    return called


def _roles(found: References, kind: str, *names: str) -> list[Resource]:
    keys = {
        key for one in found.of_type(kind) for name in names for key in found.keys(one.stack, [one.get(name)])
    }
    return [role for key in sorted(keys) if (role := found.at(key))]


def _allowed(role: Resource) -> Iterator[str]:
    """Yield the services whose actions *role* allows by itself, not through another service."""
    for statement in _statements(role):
        through = "kms:ViaService" in json.dumps(statement.get("Condition", {}))
        if statement["Effect"] == "Allow" and not through:
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                yield action.partition(":")[0]


def _statements(role: Resource) -> Iterator[Mapping[str, Any]]:
    for policy in role.get("Policies") or ():
        yield from policy["PolicyDocument"]["Statement"]


def _models(found: References) -> Iterator[str]:
    """Yield the models of Bedrock that tasks may call; those behind a profile under its name."""
    for role in _roles(found, "AWS::ECS::TaskDefinition", "TaskRoleArn"):
        for statement in _statements(role):
            if "bedrock:InvokeModel" in statement["Action"] and "Condition" not in statement:
                texts = [found.text(role.stack, resource) for resource in statement["Resource"]]
                yield from (text.rpartition("/")[2] for text in texts)


def _foreign_keys(found: References) -> Iterator[str]:
    """Yield the variables of containers whose value a person enters into a secret: it is issued elsewhere."""
    for task in found.of_type("AWS::ECS::TaskDefinition"):
        for container in task.get("ContainerDefinitions") or ():
            for entry in container.get("Secrets") or ():
                source = entry["ValueFrom"]
                if isinstance(source, str):  # the ARN of an existing resource
                    continue
                ends = list(found.pointers(task.stack, source.get("Fn::Join", [])))
                key = found.text(task.stack, source).split(":")[1:2]
                if any(_put_in(found, end, key) for end in ends):
                    yield entry["Name"]


def _put_in(found: References, end: Target, key: list[str]) -> bool:
    secret = found.at(end.key)
    said = secret.get("SecretString") if secret else None
    return isinstance(said, str) and json.loads(said).get(*key) == PLACEHOLDER if key else False


def _registries(found: References) -> Iterator[str]:
    for task in found.of_type("AWS::ECS::TaskDefinition"):
        for container in task.get("ContainerDefinitions") or ():
            registry = host(found.text(task.stack, container["Image"]))
            if ".dkr.ecr." not in registry:
                yield registry


def _by_two(names: list[str]) -> Iterator[list[str]]:
    for first in range(0, len(names), 2):
        yield names[first : first + 2]
