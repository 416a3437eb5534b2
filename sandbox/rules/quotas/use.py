"""The usage of each quota, now and with one more resource. Reads moto's own state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.provisioning import Request
from sandbox.services.reach import Reach


@dataclass(frozen=True)
class Wanted:
    """A demand on a quota."""

    word: str
    total: float
    """The total with it."""
    what: str = ""
    """The thing that the quota limits: a load balancer, a service."""


def wanted(reach: Reach, request: Request, old: Mapping[str, Any] | None) -> Iterator[Wanted]:
    """Yield the demands of creating the resource, or of changing it from *old*."""
    count = _CREATED.get(request.type)
    if count and old is None:
        yield from count(reach, request)
    changed = _CHANGED.get(request.type)
    if changed:
        yield from changed(reach, request, old or {})


def used(reach: Reach, word: str, region: str) -> float | None:
    """Return the usage of an RDS quota, None for others."""
    instances = reach.backend("rds", region).databases.values()
    counts: Mapping[str, Callable[[], float]] = {
        "db-instances": lambda: len(instances),
        "db-storage": lambda: sum(int(one.allocated_storage or 0) for one in instances),
        "db-clusters": lambda: len(reach.backend("rds", region).clusters),
    }
    return counts[word]() if word in counts else None


def _one_more(word: str, there: Callable[[Any], int], service: str) -> Any:
    def count(reach: Reach, request: Request) -> Iterator[Wanted]:
        region = "aws" if service == "iam" else request.region
        yield Wanted(word, there(reach.backend(service, region)) + 1)

    return count


def _endpoints(reach: Reach, request: Request) -> Iterator[Wanted]:
    there = [
        one for one in reach.backend("ec2", request.region).vpc_end_points.values() if one.state != "deleted"
    ]
    kind, vpc = request.properties.get("VpcEndpointType", "Gateway"), request.properties.get("VpcId")
    same = [one for one in there if (one.vpc_endpoint_type or "Gateway") == kind]
    if kind == "Interface":
        yield Wanted("interface-endpoints", sum(one.vpc_id == vpc for one in same) + 1)
    elif kind == "Gateway":
        yield Wanted("gateway-endpoints", len(same) + 1)


def _nat_gateways(reach: Reach, request: Request) -> Iterator[Wanted]:
    backend = reach.backend("ec2", request.region)
    zones = {one.id: one.availability_zone for zone in backend.subnets.values() for one in zone.values()}
    here = zones.get(request.properties.get("SubnetId", ""))
    there = [one for one in backend.nat_gateways.values() if one.state not in {"deleted", "failed"}]
    yield Wanted("nat-gateways", sum(zones.get(one.subnet_id) == here for one in there) + 1)


def _certificates(reach: Reach, request: Request) -> Iterator[Wanted]:
    there = reach.client("acm", request.region).list_certificates()["CertificateSummaryList"]
    yield Wanted("certificates", len(there) + 1)


def _group(reach: Reach, request: Request, old: Mapping[str, Any]) -> Iterator[Wanted]:
    del reach, old
    for way in ("Ingress", "Egress"):
        yield Wanted("security-group-rules", len(request.properties.get(f"SecurityGroup{way}") or ()))


def _rule_of_group(reach: Reach, request: Request) -> Iterator[Wanted]:
    backend, wanted_id = reach.backend("ec2", request.region), request.properties.get("GroupId")
    group = next(
        (one for vpc in backend.groups.values() for one in vpc.values() if one.id == wanted_id), None
    )
    if group is not None:
        there = group.ingress_rules if request.type.endswith("Ingress") else group.egress_rules
        yield Wanted("security-group-rules", len(there) + 1)


def _listener_rule(reach: Reach, request: Request) -> Iterator[Wanted]:
    balancers = reach.backend("elbv2", request.region).load_balancers.values()
    for one in balancers:
        if request.properties.get("ListenerArn") in one.listeners:
            rules = sum(
                len(listener.rules) - 1 for listener in one.listeners.values()
            )  # without the default one
            yield Wanted("listener-rules", rules + 1, one.arn)


def _instance(reach: Reach, request: Request, old: Mapping[str, Any]) -> Iterator[Wanted]:
    there = used(reach, "db-storage", request.region) or 0
    more = _gigabytes(request.properties) - _gigabytes(old)
    if more > 0:
        yield Wanted("db-storage", there + more)


def _gigabytes(properties: Mapping[str, Any]) -> int:
    text = str(properties.get("AllocatedStorage", 0))
    return int(text) if text.isdigit() else 0


def _service(reach: Reach, request: Request, old: Mapping[str, Any]) -> Iterator[Wanted]:
    """
    Demand the vCPUs of the tasks, and those of the old ones while another task definition rolls out.

    A rollback demands none: its tasks still run.
    """
    del old
    name = str(request.properties.get("ServiceName", request.logical_id))
    backend = reach.backend("ecs", request.region)
    cluster = str(request.properties.get("Cluster", "default")).rpartition("/")[2]
    there = [one for one in backend.services.values() if one.status == "ACTIVE"]
    own = next((one for one in there if (one.cluster_name, one.name) == (cluster, name)), None)
    live = int(own.desired_count) if own else 0
    count = int(request.properties.get("DesiredCount", live or 1))
    rolls = own is not None and own.task_definition != request.properties.get("TaskDefinition")
    if not rolls and count <= live:
        return
    for word, vcpus in _vcpus(backend, request.properties):
        kept = sum(_running(backend, one, word) for one in there if rolls or one is not own)
        yield Wanted(word, kept + count * vcpus, name)
    if request.properties.get("LoadBalancers"):
        yield Wanted("targets", count, name)


def _vcpus(backend: Any, properties: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    definition = _definition(backend, str(properties.get("TaskDefinition", "")))
    strategy = properties.get("CapacityProviderStrategy") or [
        {"CapacityProvider": properties.get("LaunchType", "")}
    ]
    word = _PROVIDERS.get(str(strategy[0].get("CapacityProvider")))
    if definition is not None and word:
        yield word, float(definition.cpu or 0) / CPU_UNITS


def _running(backend: Any, service: Any, word: str) -> float:
    provider = getattr(service, PROVIDER, None) or service.launch_type
    definition = _definition(backend, str(service.task_definition or ""))
    if definition is None or _PROVIDERS.get(str(provider)) != word:
        return 0.0
    return int(service.desired_count) * float(definition.cpu or 0) / CPU_UNITS


def _definition(backend: Any, arn: str) -> Any:
    found: Iterable[Any] = (one for family in backend.task_definitions.values() for one in family.values())
    return next((one for one in found if one.arn == arn), None)


PROVIDER = "sandbox_capacity_provider"
"""Attribute of moto's services for the capacity provider, which moto itself forgets."""
CPU_UNITS = 1024
"""Of one vCPU (Amazon ECS Developer Guide, "Task size")."""
_PROVIDERS = {"FARGATE": "fargate-vcpus", "FARGATE_SPOT": "fargate-spot-vcpus"}
_CREATED: Mapping[str, Callable[[Reach, Request], Iterator[Wanted]]] = {
    "AWS::EC2::VPC": _one_more("vpcs", lambda state: len(state.vpcs), "ec2"),
    "AWS::EC2::InternetGateway": _one_more(
        "internet-gateways", lambda state: len(state.internet_gateways), "ec2"
    ),
    "AWS::EC2::EIP": _one_more("elastic-ips", lambda state: len(state.addresses), "ec2"),
    "AWS::EC2::NatGateway": _nat_gateways,
    "AWS::EC2::SecurityGroup": _one_more(
        "security-groups", lambda state: sum(map(len, state.groups.values())), "ec2"
    ),
    "AWS::EC2::SecurityGroupIngress": _rule_of_group,
    "AWS::EC2::SecurityGroupEgress": _rule_of_group,
    "AWS::EC2::VPCEndpoint": _endpoints,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _one_more(
        "load-balancers", lambda state: len(state.load_balancers), "elbv2"
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": _one_more(
        "target-groups", lambda state: len(state.target_groups), "elbv2"
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": _listener_rule,
    "AWS::CertificateManager::Certificate": _certificates,
    "AWS::RDS::DBInstance": _one_more("db-instances", lambda state: len(state.databases), "rds"),
    "AWS::RDS::DBCluster": _one_more("db-clusters", lambda state: len(state.clusters), "rds"),
    "AWS::IAM::Role": _one_more("iam-roles", lambda state: len(state.roles), "iam"),
}
_CHANGED: Mapping[str, Callable[[Reach, Request, Mapping[str, Any]], Iterator[Wanted]]] = {
    "AWS::EC2::SecurityGroup": _group,
    "AWS::RDS::DBInstance": _instance,
    "AWS::ECS::Service": _service,
}
"""Checked at creation, then *old* is empty, and at each change."""
