"""
Which status of a resource means ready, and which means that it never will be: one table, as data. Pure.

Read in November 2026. Every other status means not yet ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from deployer.day2.rollout import ROLLS_BACK
from deployer.day2.service import Service
from deployer.observed import Desired
from deployer.progress import again

Readiness = Literal["ready", "becoming", "failed"]


@dataclass(frozen=True)
class Condition:
    """A resource as its own service tells it."""

    status: str
    """In the service's words; empty where the service does not show it yet."""
    service: Service | None = None
    """Of an ECS service."""


@dataclass(frozen=True)
class Row:
    """A type of resource that something else waits for."""

    what: str
    ready: frozenset[str]
    failed: frozenset[str]
    source: str


@dataclass(frozen=True)
class Verdict:
    """How far one resource is."""

    readiness: Readiness
    text: str = ""
    """What it does, or why it failed; empty for one that is ready."""


@dataclass(frozen=True)
class Watched:
    """A resource of a stack that is polled."""

    logical_id: str
    physical_id: str
    type: str
    definition: str = ""
    """ARN of the task definition that the stack gives an ECS service."""


_DATABASE = Row(
    "database",
    frozenset(
        {
            "available",
            "backing-up",
            "configuring-enhanced-monitoring",
            "configuring-iam-database-auth",
            "configuring-log-exports",
            "storage-config-upgrade",
            "storage-initialization",
            "storage-optimization",
        }
    ),
    frozenset(
        {
            "cloning-failed",
            "deleting",
            "failed",
            "inaccessible-encryption-credentials",
            "inaccessible-encryption-credentials-recoverable",
            "incompatible-create",
            "incompatible-network",
            "incompatible-option-group",
            "incompatible-parameters",
            "incompatible-restore",
            "insufficient-capacity",
            "migration-failed",
            "restore-error",
            "stopped",
            "storage-full",
        }
    ),
    "Amazon RDS User Guide, Viewing Amazon RDS DB instance status; Aurora User Guide, DB cluster status",
)
_CACHE = Row(
    "cache",
    frozenset({"available", "snapshotting"}),
    frozenset({"create-failed", "deleting", "restore-failed"}),
    "Amazon ElastiCache API Reference, ReplicationGroup, Status",
)
TABLE: Mapping[str, Row] = {
    "AWS::RDS::DBInstance": _DATABASE,
    "AWS::RDS::DBCluster": _DATABASE,
    "AWS::ElastiCache::ReplicationGroup": _CACHE,
    "AWS::EC2::NatGateway": Row(
        "NAT gateway",
        frozenset({"available"}),
        frozenset({"failed", "deleting", "deleted"}),
        "Amazon EC2 API Reference, NatGateway, state",
    ),
    "AWS::EC2::VPCEndpoint": Row(
        "VPC endpoint",
        frozenset({"available"}),
        frozenset({"deleted", "deleting", "expired", "failed", "rejected"}),
        "Amazon EC2 API Reference, VpcEndpoint, state",
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": Row(
        "load balancer",
        frozenset({"active", "active_impaired"}),
        frozenset({"failed"}),
        "Elastic Load Balancing API Reference, LoadBalancerState",
    ),
}
SERVICE = "AWS::ECS::Service"
LOOKED_AT = frozenset({*TABLE, SERVICE})


def judged(one: Watched, condition: Condition) -> Verdict:
    """Return how far *one* is, by its *condition*."""
    if one.type == SERVICE:
        return _of_service(one, condition.service)
    row, status = TABLE[one.type], condition.status.lower()
    told = f"the {row.what} {one.logical_id} is {status or 'not visible yet'}"
    if status in row.ready:
        return Verdict("ready")
    return Verdict("failed" if status in row.failed else "becoming", told)


def went_back(one: Watched, service: Service | None) -> bool:
    """
    Whether ECS has gone back from the stack's task definition to another one.

    ECS may also show for seconds what was there before: only what stays so counts.
    """
    primary = service.primary if service else None
    if primary is None or not one.definition or primary.definition in {"", one.definition}:
        return False
    return primary.rollout == "COMPLETED" or ROLLS_BACK in primary.reason.lower()


def _of_service(one: Watched, service: Service | None) -> Verdict:
    """
    Return how far the deployment of an ECS service is.

    One that the circuit breaker has ended is FAILED, and the one before it is PRIMARY again (Amazon ECS
    Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures"); CloudFormation, whose
    operation is over, says nothing of it. That of an earlier task definition may stay in the list.
    """
    name = f"the service {one.logical_id}"
    if service is None:
        return Verdict("becoming", f"{name} is not visible yet")
    if service.status != "ACTIVE":
        return Verdict("failed", f"{name} is {service.status}")
    own = {"", one.definition} if one.definition else {each.definition for each in service.deployments}
    ended = (each for each in service.deployments if each.rollout == "FAILED" and each.definition in own)
    if failed := next(ended, None):
        why = failed.reason or "its tasks did not start"
        return Verdict("failed", f"the deployment of {name} failed after its stack had ended: {why}")
    primary = service.primary
    if primary is None or primary.definition not in own:
        return Verdict("becoming", f"{name} does not run the stack's task definition yet")
    if primary.rollout == "COMPLETED" or (not primary.rollout and primary.running == primary.desired):
        return Verdict("ready")
    return Verdict("becoming", f"{name}: {primary.running} of {primary.desired} new tasks run")


def way_on(one: Watched, condition: Condition, desired: Desired) -> str:
    """Return the remedy for *one* that failed, of the stack that is *desired*."""
    command = desired.command
    if condition.status == "stopped":
        return f"start it, then run `{command}`"
    if one.type != SERVICE:
        return (
            "AWS does not repair it: correct the file so that it is replaced, or, where nothing holds data "
            f"yet, run `{again('destroy', desired.env)}` and `{command}`"
        )
    primary = condition.service.primary if condition.service else None
    if primary is not None and primary.rollout == "FAILED":
        fixed = f"fix the cause and run `{again('rollout', desired.env)}`"
        return f"no task ran before it: {fixed}, or correct the file and run `{command}`"
    return (
        f"the tasks before it run on: correct the file and run `{command}`; where the cause is not in the "
        "file, run it with the previous file first, then with this one"
    )
