"""
Which status of a resource means that it is ready, and which that it never will be: one table, as data. Pure.

Read in November 2026; everything else means that it becomes ready.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from deployer.day2.rollout import ROLLS_BACK
from deployer.day2.service import Deployment, Service

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
    """A resource of a stack that is looked at."""

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


def went_back(one: Watched, condition: Condition) -> bool:
    """Whether an ECS service has come to rest with another task definition than its stack's."""
    primary = condition.service.primary if condition.service else None
    other = primary is not None and primary.definition not in {"", one.definition}
    return other and bool(one.definition) and primary is not None and primary.rollout == "COMPLETED"


def _of_service(one: Watched, service: Service | None) -> Verdict:
    """
    Return how far the deployment of an ECS service is.

    One that the circuit breaker has ended is FAILED, and the one before it is PRIMARY again (Amazon ECS
    Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures"); CloudFormation, whose
    operation is over, says nothing of it.
    """
    name = f"the service {one.logical_id}"
    if service is None:
        return Verdict("becoming", f"{name} is not visible yet")
    if service.status != "ACTIVE":
        return Verdict("failed", f"{name} is {service.status}")
    failed = next((each for each in service.deployments if each.rollout == "FAILED"), None)
    primary = service.primary
    back = primary is not None and ROLLS_BACK in primary.reason.lower()
    if failed is not None or back:
        why = (failed or primary or Deployment("", "", "")).reason or "its tasks did not start"
        return Verdict("failed", f"the deployment of {name} failed after its stack had ended: {why}")
    if primary is None or (one.definition and primary.definition not in {"", one.definition}):
        return Verdict("becoming", f"{name} does not run the stack's task definition yet")
    if primary.rollout == "COMPLETED" or (not primary.rollout and primary.running == primary.desired):
        return Verdict("ready")
    return Verdict("becoming", f"{name}: {primary.running} of {primary.desired} new tasks run")
