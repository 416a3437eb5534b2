"""
Resource names in templates that are already taken, and by whom. Pure: answers in, conflicts out.

CloudFormation cannot create a resource whose name is taken, and reports one such name at a time, in the
middle of a deployment. Resources with the environment's tags are reported apart: an earlier stack may have
kept them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.conditions import holds
from generator.manifest import StackSpec

FREE = "delete it"


@dataclass(frozen=True)
class Kind:
    """A type of resource with a name that is unique in its account and region, or wider."""

    property: str
    """Of the resource type, where the template gives the name."""
    words: str
    """What a person calls it."""
    removal: str = ""
    """The command that frees the name; empty where it takes more than one, or would lose too much."""


NAMES: Mapping[str, Kind] = {
    "AWS::CloudWatch::Alarm": Kind("AlarmName", "alarm", "aws cloudwatch delete-alarms --alarm-names {name}"),
    "AWS::CloudWatch::Dashboard": Kind("DashboardName", "dashboard"),
    "AWS::ECR::Repository": Kind(
        "RepositoryName", "ECR repository", "aws ecr delete-repository --repository-name {name}"
    ),
    "AWS::ECS::Cluster": Kind("ClusterName", "ECS cluster", "aws ecs delete-cluster --cluster {name}"),
    "AWS::ECS::Service": Kind("ServiceName", "ECS service"),
    "AWS::ElastiCache::ReplicationGroup": Kind("ReplicationGroupId", "cache"),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Kind("Name", "load balancer"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": Kind("Name", "target group"),
    "AWS::ElasticLoadBalancingV2::TrustStore": Kind("Name", "trust store"),
    "AWS::Events::Rule": Kind("Name", "EventBridge rule"),
    "AWS::IAM::ManagedPolicy": Kind("ManagedPolicyName", "managed policy"),
    "AWS::IAM::Role": Kind("RoleName", "IAM role"),
    "AWS::KMS::Alias": Kind("AliasName", "KMS alias", "aws kms delete-alias --alias-name {name}"),
    "AWS::Lambda::Function": Kind(
        "FunctionName", "Lambda function", "aws lambda delete-function --function-name {name}"
    ),
    "AWS::Logs::LogGroup": Kind(
        "LogGroupName", "log group", "aws logs delete-log-group --log-group-name {name}"
    ),
    "AWS::RDS::DBCluster": Kind("DBClusterIdentifier", "database cluster"),
    "AWS::RDS::DBInstance": Kind("DBInstanceIdentifier", "database instance"),
    "AWS::RDS::DBParameterGroup": Kind("DBParameterGroupName", "database parameter group"),
    "AWS::RDS::DBSubnetGroup": Kind("DBSubnetGroupName", "database subnet group"),
    "AWS::S3::Bucket": Kind("BucketName", "bucket"),
    "AWS::SNS::Topic": Kind("TopicName", "SNS topic"),
    "AWS::SSM::Parameter": Kind("Name", "SSM parameter", "aws ssm delete-parameter --name {name}"),
    "AWS::SecretsManager::Secret": Kind(
        "Name",
        "secret",
        "aws secretsmanager delete-secret --secret-id {name} --force-delete-without-recovery",
    ),
    "AWS::WAFv2::IPSet": Kind("Name", "set of addresses of the firewall"),
    "AWS::WAFv2::WebACL": Kind("Name", "web ACL"),
}
"""Resource type -> its name (CloudFormation template reference); `deployer.aws.names` looks most up."""

PSEUDO = re.compile(r"\$\{(AWS::Region|AWS::AccountId)\}")


@dataclass(frozen=True)
class Named:
    """A resource that a template names."""

    stack: str
    """Short name: ``service``."""
    logical_id: str
    type: str
    name: str


@dataclass(frozen=True)
class Holder:
    """A resource in the account that has a name."""

    type: str
    name: str
    tags: Mapping[str, str] | None = None
    """None: they could not be read."""
    going: bool = False
    """Whether it is scheduled for deletion, which keeps its name from everybody."""


@dataclass(frozen=True)
class Taken:
    """Which of the queried names exist."""

    holders: tuple[Holder, ...] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Type -> why it could not be checked; such names count as neither free nor taken."""


@dataclass(frozen=True)
class Conflict:
    """A name that a stack wants and somebody has."""

    wanted: Named
    own: bool | None
    """Whether it carries the environment's own tags; None where they could not be read."""
    going: bool = False
    """Whether it is scheduled for deletion, and cannot be imported."""

    @property
    def stops(self) -> bool:
        """Whether it certainly prevents the creation; the environment's own resources may be imported."""
        return self.going or self.own is False

    def __str__(self) -> str:
        kind = NAMES[self.wanted.type]
        where = f"{self.wanted.stack}/{self.wanted.logical_id}"
        what = f"{where}: the {kind.words} {self.wanted.name}"
        if self.going:
            command = kind.removal.format(name=self.wanted.name)
            return f"{what} is scheduled for deletion: `{command}` frees its name, or wait until it is gone"
        if self.own:
            command = kind.removal.format(name=self.wanted.name) or FREE
            kept = f"{what} was kept by an earlier destroy"
            return f"{kept}: deploy without --fresh imports it, `{command}` deletes it"
        remedy = f"`{kind.removal.format(name=self.wanted.name)}`" if kind.removal else FREE
        return f"{what} exists already, and no stack of the environment created it: {remedy}"


def named(
    specs: Collection[StackSpec], region: str | None = None, account: str | None = None
) -> tuple[Named, ...]:
    """
    Return the resources that the templates of *specs* name, in their order.

    Names that depend on a parameter, an import or a condition are left out: they are unknown before.
    """
    known = pseudo(region, account)
    found = []
    for spec in specs:
        for logical_id, resource in surely(spec, known).items():
            kind = NAMES.get(resource["Type"])
            if kind is None:
                continue
            name = _text(resource.get("Properties", {}).get(kind.property), known)
            if name:
                found.append(Named(spec.name, logical_id, resource["Type"], name))
    return tuple(found)


def pseudo(region: str | None, account: str | None) -> Mapping[str, str]:
    """Return the pseudo parameters that are known."""
    return {name: value for name, value in (("AWS::Region", region), ("AWS::AccountId", account)) if value}


def surely(spec: StackSpec, known: Mapping[str, str]) -> Mapping[str, Any]:
    """
    Return the resources that *spec* certainly has, by logical id: without a condition, or where it holds.

    *known*: values of pseudo parameters. What a look-up decides is not known.
    """
    document = json.loads(spec.template)
    looked_up = {one.parameter for one in spec.lookups}
    defaults = {
        name: one["Default"]
        for name, one in document.get("Parameters", {}).items()
        if "Default" in one and name not in looked_up
    }
    values = {**defaults, **known}

    def value(written: Any) -> Any:
        return values.get(written.get("Ref", "")) if isinstance(written, dict) else written

    return {
        name: one
        for name, one in document.get("Resources", {}).items()
        if "Condition" not in one or holds(one["Condition"], document, value)
    }


def in_the_way(wanted: Collection[Named], taken: Taken, tags: Mapping[str, str]) -> tuple[Conflict, ...]:
    """Return every name of *wanted* that is taken; *tags* are those of the environment's resources."""
    holders = {(one.type, one.name): one for one in taken.holders}
    return tuple(
        Conflict(one, None if holder.tags is None else tags.items() <= holder.tags.items(), holder.going)
        for one in wanted
        if (holder := holders.get((one.type, one.name))) is not None
    )


def _text(value: Any, known: Mapping[str, str]) -> str:
    """Return a name as text, with the known pseudo parameters filled in; empty if others are needed."""
    if isinstance(value, str):
        return value
    text = value.get("Fn::Sub") if isinstance(value, dict) else None
    if not isinstance(text, str):
        return ""
    done = PSEUDO.sub(lambda found: known.get(found[1], found[0]), text)
    return "" if "${" in done else done
