"""Readiness of a stack's resources, each read from its own service. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deployer.aws.endpoint import ask, emulated
from deployer.aws.sign_in.login import Clients
from deployer.aws.stores.service_store import by_arn
from deployer.errors import CloudError, LostSight, NotAllowed, NotOffered, Transient
from deployer.readiness.table import SERVICE, Condition


@dataclass(frozen=True)
class _Question:
    """The call that tells the status of one resource."""

    service: str
    method: str
    parameter: str
    answers: str
    status: tuple[str, ...]
    """The keys that lead to it in the response."""


QUESTIONS: Mapping[str, _Question] = {
    "AWS::RDS::DBInstance": _Question(
        "rds", "describe_db_instances", "DBInstanceIdentifier", "DBInstances", ("DBInstanceStatus",)
    ),
    "AWS::RDS::DBCluster": _Question(
        "rds", "describe_db_clusters", "DBClusterIdentifier", "DBClusters", ("Status",)
    ),
    "AWS::ElastiCache::ReplicationGroup": _Question(
        "elasticache", "describe_replication_groups", "ReplicationGroupId", "ReplicationGroups", ("Status",)
    ),
    "AWS::EC2::NatGateway": _Question(
        "ec2", "describe_nat_gateways", "NatGatewayIds", "NatGateways", ("State",)
    ),
    "AWS::EC2::VPCEndpoint": _Question(
        "ec2", "describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints", ("State",)
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _Question(
        "elbv2", "describe_load_balancers", "LoadBalancerArns", "LoadBalancers", ("State", "Code")
    ),
}


def condition(clients: Clients, type_name: str, physical_id: str) -> Condition | None:
    """
    Return a resource's state from its own service; None if an emulated endpoint lacks it.

    A resource that the service does not know yet has no status: it may be seconds behind.
    """
    question = QUESTIONS.get(type_name)
    service = question.service if question else "ecs"
    try:
        if type_name == SERVICE:
            return Condition("", by_arn(clients, physical_id))
        return None if question is None else Condition(_status(clients, question, physical_id))
    except (Transient, NotAllowed):
        raise
    except NotOffered:
        return None
    except (CloudError, LostSight) as error:
        if emulated(clients(service)):
            return None
        if isinstance(error, CloudError) and "NotFound" in error.code:
            return Condition("")
        raise


def _status(clients: Clients, question: _Question, physical_id: str) -> str:
    given = [physical_id] if question.parameter.endswith("s") else physical_id
    answer = ask(clients(question.service), question.method, **{question.parameter: given})
    found: Any = next(iter(answer.get(question.answers, ())), {})
    for key in question.status:
        found = found.get(key, {})
    return str(found or "")
