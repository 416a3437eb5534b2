"""Templates, assumptions and prices -> the monthly cost of an environment, row by row. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from generator.cost import data, keys, network, tasks, watching
from generator.cost.case import Case, Pricer, Row, Totals
from generator.cost.free import FREE
from generator.cost.prices import Noting, PriceTable
from generator.cost.template import Template
from generator.cost.usage import Usage

PRICED: Mapping[str, Pricer] = {
    "AWS::ApplicationAutoScaling::ScalingPolicy": tasks.scaling_policy,
    "AWS::CloudTrail::Trail": watching.trail,
    "AWS::CloudWatch::Alarm": watching.alarm,
    "AWS::CloudWatch::Dashboard": watching.dashboard,
    "AWS::EC2::EIP": network.address,
    "AWS::EC2::FlowLog": network.flow_log,
    "AWS::EC2::NatGateway": network.nat_gateway,
    "AWS::EC2::VPCEndpoint": network.endpoint,
    "AWS::ECR::Repository": data.repository,
    "AWS::ECS::Cluster": tasks.cluster,
    "AWS::ECS::Service": tasks.service,
    "AWS::ECS::TaskDefinition": tasks.task_definition,
    "AWS::ElastiCache::ReplicationGroup": data.replication_group,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": network.load_balancer,
    "AWS::ElasticLoadBalancingV2::TrustStore": network.trust_store,
    "AWS::IAM::Policy": keys.role,
    "AWS::IAM::Role": keys.role,
    "AWS::KMS::Key": keys.key,
    "AWS::KinesisFirehose::DeliveryStream": watching.delivery_stream,
    "AWS::Lambda::Function": tasks.function,
    "AWS::Logs::LogGroup": watching.log_group,
    "AWS::RDS::DBCluster": data.db_cluster,
    "AWS::RDS::DBInstance": data.db_instance,
    "AWS::Route53::RecordSet": network.record_set,
    "AWS::S3::Bucket": data.bucket,
    "AWS::SNS::Subscription": watching.subscription,
    "AWS::SecretsManager::Secret": keys.secret,
    "AWS::WAFv2::WebACL": network.web_acl,
}
"""Type -> what its resources cost."""

UNKNOWN = "gatestack has no price for resources of this type"
STRANGE = "its properties are not written as gatestack writes them"


@dataclass(frozen=True)
class Estimate:
    """What an environment costs in a month."""

    rows: tuple[Row, ...]

    @property
    def monthly_usd(self) -> float:
        """The sum of all that is estimated, in US dollars."""
        return total(self.rows)

    @property
    def stacks(self) -> Mapping[str, tuple[Row, ...]]:
        """The rows by stack, in the order of the stacks."""
        names = dict.fromkeys(row.stack for row in self.rows)
        return {name: tuple(row for row in self.rows if row.stack == name) for name in names}

    @property
    def not_estimated(self) -> tuple[Row, ...]:
        """The rows without a figure."""
        return tuple(row for row in self.rows if row.monthly_usd is None)


@dataclass(frozen=True)
class Difference:
    """One item with another cost after than before; 0 if it is missing, or not estimated."""

    stack: str
    logical_id: str
    item: str
    before: float
    after: float


def total(rows: Iterable[Row]) -> float:
    """Return the sum of *rows*, in US dollars and cents."""
    return round(sum(row.monthly_usd or 0 for row in rows), 2)


def estimate(templates: Iterable[Template], usage: Usage, prices: PriceTable) -> Estimate:
    """
    Return the rows of all resources: priced, free although others of the type are not, or not estimated.
    """
    read = tuple(templates)
    totals = _totals(read)
    cases = (
        Case(resource, template, totals, usage, prices)
        for template in read
        for resource in template.resources
    )
    return Estimate(tuple(row for case in cases for row in _rows(case)))


def names(templates: Iterable[Template], usage: Usage, prices: PriceTable) -> tuple[str, ...]:
    """Return the names of the prices that an estimate asks for."""
    noting = Noting(prices.region, prices.seen, prices.prices, prices.families)
    estimate(templates, usage, noting)
    return tuple(noting.noted)


def compared(before: Estimate, after: Estimate) -> tuple[Difference, ...]:
    """Return what differs, the largest first."""
    old, new = _by_item(before), _by_item(after)
    found = (
        Difference(*place, before=old.get(place, 0), after=new.get(place, 0))
        for place in dict.fromkeys([*new, *old])
    )
    differing = [one for one in found if round(one.after - one.before, 4)]
    return tuple(sorted(differing, key=lambda one: (-abs(one.after - one.before), one.stack, one.logical_id)))


def _by_item(estimated: Estimate) -> dict[tuple[str, str, str], float]:
    return {(row.stack, row.logical_id, row.item): row.monthly_usd or 0 for row in estimated.rows}


def _rows(case: Case) -> tuple[Row, ...]:
    kind = case.resource.type
    if kind not in PRICED:
        return () if kind in FREE else (case.open("resource", UNKNOWN),)
    try:
        return tuple(PRICED[kind](case))
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return (case.open("resource", STRANGE),)


def _totals(templates: tuple[Template, ...]) -> Totals:
    def count(kind: str) -> int:
        return sum(len(template.of_type(kind)) for template in templates)

    endpoints = (one for template in templates for one in template.of_type("AWS::EC2::VPCEndpoint"))
    return Totals(
        nat_gateways=count("AWS::EC2::NatGateway"),
        endpoints=sum(one.properties.get("VpcEndpointType") == "Interface" for one in endpoints),
        task_logs=sum(len(watching.task_logs(template)) for template in templates),
        buckets=count("AWS::S3::Bucket"),
        repositories=count("AWS::ECR::Repository"),
    )
