"""Tables of docs/security.md: `python -m tests.security.security_page` rewrites them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from security.scan import manifests
from stacks import STACKS
from stacks.alb.managed_rules import COUNTED
from stacks.bootstrap import NAME
from stacks.environment import defaults
from tests.docs.generated_parts import with_parts
from tests.places import ROOT

PAGE = ROOT / "docs" / "security.md"
OURS = "environment's key"
BUCKETS_OWN = "S3's own key (AES-256)"
AWS_OWN = "a key of AWS's own"


@dataclass(frozen=True)
class Resource:
    """One resource of some template."""

    environment: str
    system: str
    place: str
    """``security/Key``."""
    type: str
    properties: Mapping[str, Any]


@cache
def resources() -> tuple[Resource, ...]:
    """Return every resource of gatestack's own; a team's additions and patches are its own responsibility."""
    return tuple(
        Resource(environment.name, environment.system, f"{spec.name}/{title}", one["Type"], one["Properties"])
        for environment, manifest in manifests()
        for spec in manifest.stacks
        if spec.name in {*STACKS, NAME}
        for title, one in json.loads(spec.template)["Resources"].items()
        if title not in {patch.resource for patch in spec.patched}
    )


def _own(key: Any) -> str:
    """Return whether *key* is the environment's, from any stack, as text."""
    text = json.dumps(key)
    ours = text in {'{"Ref": "Key"}', '{"Fn::GetAtt": ["Key", "Arn"]}'} or "security-KmsKeyArn" in text
    return OURS if ours else f"not ours: {text}"


def _bucket(properties: Mapping[str, Any]) -> str:
    (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    how = rule["ServerSideEncryptionByDefault"]
    return BUCKETS_OWN if how["SSEAlgorithm"] == "AES256" else _own(how["KMSMasterKeyID"])


def _instance(properties: Mapping[str, Any]) -> str:
    if "DBClusterIdentifier" in properties:
        return ""  # its storage is the cluster's
    return _storage(properties)


def _storage(properties: Mapping[str, Any]) -> str:
    return _own(properties["KmsKeyId"]) if properties["StorageEncrypted"] is True else "not encrypted"


def _insights(properties: Mapping[str, Any]) -> str:
    return _own(properties["PerformanceInsightsKMSKeyId"]) if properties["EnablePerformanceInsights"] else ""


def _stream(properties: Mapping[str, Any]) -> str:
    kind = properties["DeliveryStreamEncryptionConfigurationInput"]["KeyType"]
    return AWS_OWN if kind == "AWS_OWNED_CMK" else f"not ours: {kind}"


def _function(properties: Mapping[str, Any]) -> str:
    return _own(properties["KmsKeyArn"]) if "KmsKeyArn" in properties else AWS_OWN


Key = Callable[[Mapping[str, Any]], str]

STORES: Mapping[str, tuple[tuple[str, Key], ...]] = {
    "AWS::SecretsManager::Secret": (("secrets", lambda one: _own(one["KmsKeyId"])),),
    "AWS::RDS::DBInstance": (
        ("database, its snapshots and backups", _instance),
        ("Database Insights", _insights),
    ),
    "AWS::RDS::DBCluster": (("database, its snapshots and backups", _storage),),
    "AWS::ElastiCache::ReplicationGroup": (
        ("Redis, its snapshots", lambda one: _own(one["AtRestEncryptionEnabled"] and one["KmsKeyId"])),
    ),
    "AWS::Logs::LogGroup": (("log groups", lambda one: _own(one["KmsKeyId"])),),
    "AWS::S3::Bucket": (("buckets", _bucket),),
    "AWS::CloudTrail::Trail": (("CloudTrail's files", lambda one: _own(one["KMSKeyId"])),),
    "AWS::KinesisFirehose::DeliveryStream": (("logs in transit to the archive", _stream),),
    "AWS::ECR::Repository": (("images", lambda one: _own(one["EncryptionConfiguration"]["KmsKey"])),),
    "AWS::SNS::Topic": (("alarms' messages", lambda one: _own(one["KmsMasterKeyId"])),),
    "AWS::Lambda::Function": (("the rotation functions' variables (names, no secret)", _function),),
}
"""Types with data -> what, and how their properties name the key."""

_NOTHING: Mapping[str, str] = {
    "ApplicationAutoScaling": "ScalableTarget ScalingPolicy",
    "CertificateManager": "Certificate",
    "CloudWatch": "Alarm Dashboard",
    "EC2": (
        "EIP FlowLog InternetGateway NatGateway Route RouteTable SecurityGroup SecurityGroupEgress "
        "SecurityGroupIngress Subnet SubnetRouteTableAssociation VPC VPCEndpoint VPCGatewayAttachment"
    ),
    "ECS": "Cluster ClusterCapacityProviderAssociations Service TaskDefinition",
    "ElastiCache": "ParameterGroup SubnetGroup",
    "ElasticLoadBalancingV2": "Listener ListenerRule LoadBalancer TargetGroup TrustStore",
    "Events": "Rule",
    "IAM": "ManagedPolicy OIDCProvider Policy Role",
    "KMS": "Alias Key",
    "Lambda": "Permission",
    "Logs": "LogStream SubscriptionFilter",
    "RDS": "DBClusterParameterGroup DBParameterGroup DBSubnetGroup",
    "Route53": "RecordSet",
    "S3": "BucketPolicy",
    "SecretsManager": "RotationSchedule SecretTargetAttachment",
    "SNS": "Subscription TopicPolicy",
    "SSM": "Parameter",
    "WAFv2": "IPSet LoggingConfiguration WebACL WebACLAssociation",
}
KEEPS_NOTHING = frozenset(
    f"AWS::{service}::{name}" for service, names in _NOTHING.items() for name in names.split()
)
"""Types without data, or with public data only: parameters are of type String."""


def at_rest() -> Iterator[tuple[str, str, str]]:
    """Yield the data, its place (many places are all of them), and the key."""
    rows: dict[tuple[str, str], set[str]] = {}
    for one in resources():
        for what, key in STORES.get(one.type, ()):
            if found := key(one.properties):
                rows.setdefault((what, found), set()).add(one.place)
    for (what, key), places in sorted(rows.items()):
        many = len(places) > 6
        yield what, "all" if many else ", ".join(f"`{place}`" for place in sorted(places)), key


def systems_where(test: Callable[[Resource], bool]) -> str:
    """Return the systems with a resource for which *test* holds."""
    return ", ".join(sorted({one.system for one in resources() if test(one)}))


def in_transit() -> Iterator[tuple[str, str, str]]:
    """Yield each path of data, its protection, and the setting behind it."""
    tls = defaults("litellm", "production")["alb"]["ssl_policy"]
    plain = systems_where(lambda one: _redis(one) == "preferred")
    strict = systems_where(lambda one: _redis(one) == "required")
    yield (
        "client to load balancer",
        "TLS 1.2 or 1.3 with a domain name; HTTP without one",
        f"`alb/HttpsListener.SslPolicy = {tls}`; port 80 redirects",
    )
    yield "load balancer to task", "none: HTTP inside the VPC", "`alb/TargetGroup.Protocol = HTTP`"
    yield (
        "master key's rotation to task",
        "none: HTTP inside the VPC",
        "security groups: `LambdaToEcs`",
    )
    yield (
        "LiteLLM's and llm-proxy's tasks, and every rotation, to PostgreSQL",
        "TLS; in production the server's certificate is verified, chain and name",
        (
            "`rds.force_ssl = 1`: the server accepts nothing else; `database.verify_certificate`, "
            "`CACertificateIdentifier = rds-ca-rsa2048-g1`"
        ),
    )
    yield f"task to Redis ({strict})", "TLS and a password", "`TransitEncryptionMode = required`, `AuthToken`"
    yield (
        f"task to Redis ({plain})",
        "none, or TLS",
        "`TransitEncryptionMode = preferred`: its event bus does not support TLS",
    )
    yield "clients of the buckets", "TLS", "the buckets' policies refuse everything else"
    yield "clients of AWS's services and model providers", "TLS", "their endpoints"


def counted() -> Iterator[tuple[str, str, str]]:
    """Yield the managed rules that count without blocking, by group and reason."""
    for group, rules in COUNTED.items():
        for why in dict.fromkeys(rules.values()):
            names = ", ".join(f"`{name}`" for name in rules if rules[name] == why)
            yield names, group.removeprefix("AWSManagedRules"), why


def _redis(one: Resource) -> str | None:
    if one.type != "AWS::ElastiCache::ReplicationGroup":
        return None
    return str(one.properties["TransitEncryptionMode"])


def sections() -> Mapping[str, str]:
    """Return the generated parts by the name of their marker."""
    return {
        "at-rest": _table(("what", "where", "at rest by"), at_rest()),
        "counted": _table(("rules", "group", "reason"), counted()),
        "in-transit": _table(("path", "protected by", "setting"), in_transit()),
    }


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace(
        "| --- | --- | --- |", "|---|---|---|"
    )


def filled(page: str) -> str:
    """Return *page* with its generated parts replaced."""
    return with_parts(page, sections())


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
