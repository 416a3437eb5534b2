"""Containers: ECS clusters, their capacity providers, task definitions and services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.provisioning import Provisioned, ProvisionError
from sandbox.resources import require
from sandbox.resources.handler import Call, Handler
from sandbox.rules.quotas.use import PROVIDER
from sandbox.services import containers
from sandbox.services.pulls import failure

_NO_CAPACITY = (
    "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in "
    "a different availability zone."
)
"""ECS's event where Fargate has no room in a zone (Amazon ECS Developer Guide, "Service event messages")."""
NEVER_SECONDS = 10800.0
"""
How long CloudFormation waits for a service without circuit breaker, in which ECS starts tasks again and again
and never gives up (Amazon ECS Developer Guide, "Amazon ECS service throttle logic"; AWS re:Post, "How do I
prevent my CloudFormation stack from being stuck when an ECS service fails to stabilize": three hours).
"""


def _create_cluster(call: Call) -> Provisioned:
    name = call.name("ClusterName", 255)
    found = call.ask("ecs", "describe_clusters", clusters=[name])["clusters"]
    if any(cluster["status"] == "ACTIVE" for cluster in found):
        raise call.already_exists(name)
    settings = call.properties.get("ClusterSettings")
    made = call.apply("ecs", "create_cluster", clusterName=name, settings=settings, tags=call.tags)["cluster"]
    return Provisioned(name, {"Arn": made["clusterArn"]})


def _update_cluster(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    if call.changed(old, "ClusterSettings", "Configuration", "ServiceConnectDefaults"):
        settings = call.properties.get(
            "ClusterSettings", [{"Name": "containerInsights", "Value": "disabled"}]
        )
        call.apply("ecs", "update_cluster", cluster=current.physical_id, settings=settings)
    if call.changed(old, "CapacityProviders", "DefaultCapacityProviderStrategy"):
        _put_providers(call, current.physical_id)
    _retag(call, current.attributes["Arn"])
    return current


def _put_providers(call: Call, cluster: str) -> None:
    providers = call.properties.get("CapacityProviders", [])
    strategy = call.properties.get("DefaultCapacityProviderStrategy", [])
    given = {"capacityProviders": providers, "defaultCapacityProviderStrategy": strategy}
    call.ask("ecs", "put_cluster_capacity_providers", cluster=cluster, **given)


def _retag(call: Call, arn: str) -> None:
    call.retag("ecs", "tag_resource", "untag_resource", resourceArn=arn)


def _delete_cluster(call: Call, current: Provisioned) -> None:
    names = call.ask("ecs", "list_services", cluster=current.physical_id)["serviceArns"]
    if any(_running(call, current.physical_id, name) for name in names):
        raise ProvisionError(
            "The Cluster cannot be deleted while Services are active."
            " (Service: Ecs, Status Code: 400) (HandlerErrorCode: InvalidRequest)"
        )
    call.ask("ecs", "delete_cluster", cluster=current.physical_id)


def _associate(call: Call) -> Provisioned:
    _put_providers(call, call.properties["Cluster"])
    return Provisioned(call.properties["Cluster"])


def _reassociate(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _put_providers(call, current.physical_id)
    return current


def _disassociate(call: Call, current: Provisioned) -> None:
    none: dict[str, Any] = {"capacityProviders": [], "defaultCapacityProviderStrategy": []}
    call.ask("ecs", "put_cluster_capacity_providers", cluster=current.physical_id, **none)


def _register(call: Call) -> Provisioned:
    containers.check(call.properties)
    for role in ("ExecutionRoleArn", "TaskRoleArn"):
        require.role(call, call.properties.get(role))
    family = call.properties.get("Family") or f"{call.request.stack_name}{call.request.logical_id}"
    made = call.apply("ecs", "register_task_definition", family=family, tags=call.tags or None)
    arn = made["taskDefinition"]["taskDefinitionArn"]
    return Provisioned(arn, {"TaskDefinitionArn": arn})


def _update_definition(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    del old
    _retag(call, current.physical_id)
    return current


def _deregister(call: Call, current: Provisioned) -> None:
    call.ask("ecs", "deregister_task_definition", taskDefinition=current.physical_id)


def _create_service(call: Call) -> Provisioned:
    name = call.name("ServiceName", 255)
    cluster = call.properties.get("Cluster", "default")
    if _running(call, cluster, name):
        raise call.already_exists(name)
    count = int(call.properties.get("DesiredCount", 1))
    fails = _check(call, count)
    given = {"serviceName": name, "cluster": cluster, "desiredCount": count, "tags": call.tags or None}
    made = call.apply("ecs", "create_service", **given)["service"]
    begun = call.begin(made["serviceArn"], ServiceArn=made["serviceArn"], Name=name)
    call.apply("ecs", "update_service", cluster=cluster, service=name, desiredCount=count)
    _without_launch_type(call, cluster, name)
    tasks = call.services.service_tasks
    if call.request.express and count:
        tasks.begun(call.request.region, cluster, name, fails=fails)
    else:
        tasks.settled(call.request.region, cluster, name)
    return begun


def _without_launch_type(call: Call, cluster: str, name: str) -> None:
    if strategy := call.properties.get("CapacityProviderStrategy"):
        backend = call.services.backend("ecs", call.request.region)
        # moto knows no service without a launch type, and keeps no capacity provider
        service = backend.services[f"{cluster.rsplit('/', 1)[-1]}:{name.rsplit('/', 1)[-1]}"]
        service.launch_type = None
        setattr(service, PROVIDER, strategy[0].get("CapacityProvider"))


def _running(call: Call, cluster: str, name: str) -> list[Any]:
    found = call.ask("ecs", "describe_services", cluster=cluster, services=[name])["services"]
    return [service for service in found if service["status"] == "ACTIVE"]


def _check(call: Call, count: int) -> bool:
    """
    Refuse what ECS refuses, and a service whose tasks can never start.

    In express mode nothing waits for them: returns whether their deployment will fail.
    """
    network = call.properties.get("NetworkConfiguration", {}).get("AwsvpcConfiguration", {})
    require.subnets(call, network.get("Subnets", []))
    require.groups(call, network.get("SecurityGroups", []))
    for balancer in call.properties.get("LoadBalancers", []):
        require.behind_balancer(call, balancer.get("TargetGroupArn"))
    if count < 1 or "TaskDefinition" not in call.properties:
        return False
    why = _trouble(call, network.get("Subnets", []))
    if why and not (call.request.express and _has_breaker(call)):
        raise _never_stable(call, why)
    return bool(why)


def _trouble(call: Call, subnets: list[str]) -> str | None:
    """Return why no task starts; None if they do."""
    if full := call.services.quotas.unstable(call.request):
        return full
    if not call.services.offers.runs_tasks(call.request.region, subnets):
        return f"(service {call.properties.get('ServiceName', '')}) {_NO_CAPACITY}"
    wanted = call.properties["TaskDefinition"]
    definition = call.ask("ecs", "describe_task_definition", taskDefinition=wanted)["taskDefinition"]
    return failure(call.services, call.request.region, definition)


def _has_breaker(call: Call) -> bool:
    breaker = call.properties.get("DeploymentConfiguration", {}).get("DeploymentCircuitBreaker", {})
    return str(breaker.get("Enable", False)).lower() == "true"


def _never_stable(call: Call, cause: str) -> ProvisionError:
    if _has_breaker(call):
        return ProvisionError(
            "Resource handler returned message: \"Error occurred during operation 'ECS Deployment"
            f" Circuit Breaker was triggered'. {cause}\" (HandlerErrorCode: GeneralServiceException)"
        )
    return ProvisionError(
        f'Resource handler returned message: "Exceeded attempts to wait. {cause}"'
        " (HandlerErrorCode: NotStabilized)",
        seconds=NEVER_SECONDS,
    )


def _awaits_service(call: Call, current: Provisioned, told: Callable[[str | None], None]) -> bool:
    """Whether the service's deployment is in progress; its failure is reported as by CloudFormation."""

    def ended(why: str | None) -> None:
        told(None if why is None else str(_never_stable(call, why)))

    cluster = call.properties.get("Cluster", "default")
    return call.services.service_tasks.awaits(call.request.region, cluster, current.physical_id, ended)


def _update_service(call: Call, old: Mapping[str, Any], current: Provisioned) -> Provisioned:
    cluster, name = call.properties.get("Cluster", "default"), current.physical_id
    running = _running(call, cluster, name)
    count = int(call.properties.get("DesiredCount", running[0]["desiredCount"] if running else 1))
    fails = _check(call, count)
    apart = dict.fromkeys(("Tags", "DesiredCount"))
    anew = {**old, **apart} != {**call.properties, **apart}
    if anew or call.changed(old, "DesiredCount"):
        given = {"desiredCount": count, "cluster": cluster, "forceNewDeployment": anew}
        if call.services.gateway is not None and call.changed(old, "TaskDefinition"):
            given["forceNewDeployment"] = False  # another definition is reason enough
        call.apply("ecs", "update_service", service=name, **given)
        _without_launch_type(call, cluster, name)
        tasks, region = call.services.service_tasks, call.request.region
        if call.request.express:
            if anew and fails:
                tasks.failing(region, cluster, name)
        elif not tasks.settled(region, cluster, name):
            raise _never_stable(call, "tasks failed to start")
    _retag(call, name)
    return current


def _delete_service(call: Call, current: Provisioned) -> None:
    cluster = call.properties.get("Cluster", "default")
    call.ask("ecs", "delete_service", cluster=cluster, service=current.physical_id, force=True)


HANDLERS: Mapping[str, Handler] = {
    "AWS::ECS::Cluster": Handler(_create_cluster, _update_cluster, _delete_cluster),
    "AWS::ECS::ClusterCapacityProviderAssociations": Handler(_associate, _reassociate, _disassociate),
    "AWS::ECS::TaskDefinition": Handler(_register, _update_definition, _deregister),
    "AWS::ECS::Service": Handler(_create_service, _update_service, _delete_service, awaits=_awaits_service),
}
