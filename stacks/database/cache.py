"""Redis: the replication group, its subnets, parameters and alarms, and the tasks' connection settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from troposphere import GetAtt, Ref, Sub
from troposphere.elasticache import ParameterGroup, ReplicationGroup, SubnetGroup

from stacks.known_secrets import CACHE
from stacks.parts import parameters
from stacks.parts.alarms import Metric, Statistic, above, add_alarm
from stacks.parts.placement import data_subnets
from stacks.parts.retention import removed
from stacks.parts.security_groups import REDIS
from stacks.settings import Settings
from stacks.wiring import Stack

ENGINE_VERSION = "7.1"
"""The last of Redis OSS (ElastiCache User Guide, "Supported engines and versions"); LiteLLM needs 7.0."""

FAMILY = "redis7"


def add(stack: Stack) -> None:
    """Add the cache to the database's stack and export its address."""
    group = _replication_group(stack)
    _alarms(stack, group)
    stack.export("RedisEndpoint", GetAtt(group, "PrimaryEndPoint.Address"), "Host name of Redis")
    stack.export("RedisPort", GetAtt(group, "PrimaryEndPoint.Port"), "Port of Redis")
    parameters.add_located(stack)


def _replication_group(stack: Stack) -> ReplicationGroup:
    """
    Return the cache: one primary, and replicas in other zones that take over by themselves.

    A replication group also with one node: only it has TLS; failover needs a second node. Source:
    CloudFormation Template Reference, "AWS::ElastiCache::ReplicationGroup".
    """
    cache = stack.settings.cache
    replicated = cache.nodes > 1
    return stack.add(
        ReplicationGroup(
            "Redis",
            **removed(),
            **_protection(stack),
            ReplicationGroupId=stack.settings.cache_identifier,
            ReplicationGroupDescription=f"Redis of {stack.settings.prefix}",
            Engine="redis",
            EngineVersion=ENGINE_VERSION,
            AutoMinorVersionUpgrade=True,
            CacheNodeType=cache.node_type,
            NumCacheClusters=cache.nodes,
            AutomaticFailoverEnabled=replicated,
            MultiAZEnabled=replicated,
            CacheParameterGroupName=Ref(_parameter_group(stack)),
            CacheSubnetGroupName=Ref(_subnet_group(stack)),
            SecurityGroupIds=[stack.imported("network", "RedisSecurityGroupId")],
            Port=REDIS,
            SnapshotRetentionLimit=cache.snapshot_retention_days,
            SnapshotWindow="03:00-04:00",
            PreferredMaintenanceWindow="sun:05:00-sun:06:00",
        )
    )


def _protection(stack: Stack) -> Mapping[str, Any]:
    """
    Return encryption on disk with the environment's key, TLS on the way, and the password.

    ``preferred`` takes connections with and without TLS, and has no password: who knows no TLS would send it
    as clear text. Source: ElastiCache User Guide, "In-transit encryption", "Authenticating with AUTH". No
    template holds the password: CloudFormation reads it as it deploys.
    """
    cache = stack.settings.cache
    always = {
        "AtRestEncryptionEnabled": True,
        "KmsKeyId": stack.imported("security", "KmsKeyArn"),
        "TransitEncryptionEnabled": True,
        "TransitEncryptionMode": cache.transit_encryption,
    }
    if not cache.makes_password:
        return always
    reference = f"{{{{resolve:secretsmanager:${{Password}}:SecretString:{CACHE.content}}}}}"
    return always | {"AuthToken": Sub(reference, Password=stack.imported("security", "CacheSecretArn"))}


def _parameter_group(stack: Stack) -> ParameterGroup:
    return stack.add(
        ParameterGroup(
            "RedisParameterGroup",
            Description=f"{stack.settings.prefix}: what Redis does when it is full, and more",
            CacheParameterGroupFamily=FAMILY,
            Properties=dict(stack.settings.cache.parameters),
        )
    )


def _subnet_group(stack: Stack) -> SubnetGroup:
    return stack.add(
        SubnetGroup(
            "RedisSubnetGroup",
            Description=f"{stack.settings.prefix}: subnets of two availability zones",
            SubnetIds=data_subnets(stack),
        )
    )


def _alarms(stack: Stack, group: ReplicationGroup) -> None:
    """
    Monitor every node, since each may become the primary.

    A node has the group's name and a number. The limits are those of the ElastiCache User Guide, "Which
    metrics should I monitor?", and "Quotas for ElastiCache": 65,000 connections to a node.
    """
    for number in range(1, stack.settings.cache.nodes + 1):
        node = {"CacheClusterId": Sub(f"${{{group.title}}}-{number:03d}")}
        for one in _watched(stack.settings, number):
            metric = Metric("AWS/ElastiCache", one.metric, one.statistic, node, reported_always=one.always)
            limit = above(one.most, periods=3, minutes=5)
            add_alarm(stack, f"Redis{one.name}{number}", metric, limit, meaning=f"Redis {one.what}: {one.do}")


class _Watched(NamedTuple):
    """A metric that is monitored of a node."""

    name: str
    metric: str
    most: int
    what: str
    statistic: Statistic = "Average"
    always: bool = True
    """False: of replicas alone, and so of no node for certain."""
    do: str = "take a larger cache.node_type"


def _watched(settings: Settings, number: int) -> Iterator[_Watched]:
    node, most = f"node {number}", settings.observability.alarms.cache_evictions
    yield _Watched("HighCpu", "EngineCPUUtilization", 80, f"keeps more than 80 % of {node}'s core busy")
    full = f"fills more than 80 % of {node}'s memory and will drop entries"
    yield _Watched("HighMemory", "DatabaseMemoryUsagePercentage", 80, full)
    leak = f"has more than 52,000 connections to {node}, of 65,000"
    roll = "some client does not close them; replace the tasks"
    yield _Watched("ManyConnections", "CurrConnections", 52_000, leak, do=roll)
    if most:
        what = f"dropped more than {most} entries of {node} in 5 minutes, its memory is full"
        yield _Watched("Evictions", "Evictions", most, what, statistic="Sum")
    if settings.cache.nodes > 1:
        what = f"has {node} more than 30 seconds behind the primary, and a failover would lose them"
        yield _Watched("ReplicationLag", "ReplicationLag", 30, what, always=False)
