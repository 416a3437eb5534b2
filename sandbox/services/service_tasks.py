"""
ECS services: their deployments and tasks, in front of moto, which starts none.

moto stores the services; this stores the rollout of each, and its targets. Every response is computed for the
time of the request.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from sandbox.errors import ApiError
from sandbox.services import rollouts, traffic
from sandbox.services.json_api import Json, JsonCall, Operation
from sandbox.services.reach import Reach
from sandbox.services.rollouts import Deployment, Rollout
from sandbox.services.tasks import ADDRESS, Origin, Task

_TARGET = "AmazonEC2ContainerServiceV20141113."
_EVENTS = 100
"""Service events that ECS keeps."""


@dataclass(frozen=True)
class Place:
    """One service by name."""

    region: str
    cluster: str
    service: str


Restarted = Callable[[Place, Mapping[str, Any]], None]
"""Called with a service whose tasks start now, and their task definition."""


class ServiceTasks:
    """The rollouts of one account's services. Its lock is never held while the agenda is used."""

    def __init__(self, reach: Reach, restarted: Restarted) -> None:
        self._reach = reach
        self._restarted = restarted
        self._lock = threading.RLock()
        self._rollouts: dict[Place, Rollout] = {}

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations answered in front of moto, by X-Amz-Target."""
        return {
            f"{_TARGET}DescribeServices": self._describe,
            f"{_TARGET}UpdateService": self._update,
            f"{_TARGET}CreateService": lambda call: self._with_service(call, call.beneath()),
            f"{_TARGET}DeleteService": self._delete,
        }

    def clear(self) -> None:
        """Forget every rollout."""
        with self._lock:
            self._rollouts.clear()

    def made_from(self, repository: str, base: str) -> None:
        """Do nothing: no task runs."""

    def counted_by(self, requests: Callable[[], dict[str, int]]) -> None:
        """Do nothing: no task runs."""

    def notes(self) -> list[str]:
        """Return nothing: no task runs."""
        return []

    def wait(self) -> bool:
        """Return False: only the sandbox's clock ends anything."""
        return False

    def close(self) -> None:
        """Do nothing: nothing runs."""

    def awaits(self, region: str, cluster: str, service: str, told: Callable[[str | None], None]) -> bool:
        """Return False: a service's deployment is complete at once, or has failed."""
        del region, cluster, service, told
        return False

    def settled(self, region: str, cluster: str, service: str) -> bool:
        """Complete the service's deployment at once; returns False if it fails and is rolled back."""
        place = place_of(region, cluster, service)
        with self._lock:
            found = self._service(place)
            rollout = self._rollout(place, found)
            self._rollouts[place] = rollouts.complete(rollout)
            if rollout.before is not None and not rollout.primary.fails:
                self._shift(region, found)
            return not rollout.primary.fails

    def begun(self, region: str, cluster: str, service: str, *, fails: bool) -> None:
        """Let a new service's first deployment take its time; *fails*: no task of it ever runs."""
        place = place_of(region, cluster, service)
        with self._lock:
            rollout = self._rollout(place, self._service(place))
            fails = fails or self._reach.surroundings.faults.of_rollout(place.service)
            first = replace(rollout.primary, begun=self._now(), fails=fails)
            self._rollouts[place] = Rollout(first, events=rollout.events, first=True)
        self._reach.surroundings.after(rollouts.SECONDS, lambda: self._over(place))

    def failing(self, region: str, cluster: str, service: str) -> None:
        """Let the deployment of a service that has just begun fail."""
        place = place_of(region, cluster, service)
        with self._lock:
            rollout = self._rollout(place, self._service(place))
            self._rollouts[place] = replace(rollout, primary=replace(rollout.primary, fails=True))

    def tasks(self, region: str, cluster: str, service: str | None = None) -> list[Task]:
        """Return the tasks of a cluster's services, or of one; raises ApiError for a missing one."""
        if service is not None:
            return self._tasks(place_of(region, cluster, service))
        arns = self._reach.client("ecs", region).list_services(cluster=cluster, maxResults=100)["serviceArns"]
        places = [place_of(region, cluster, arn) for arn in arns]
        return [task for place in places for task in self._tasks(place)]

    def replace(self, region: str, task: Task) -> None:
        """Replace a service's task that was stopped on request."""
        place = place_of(region, task.origin.cluster, task.origin.group.removeprefix("service:"))
        with self._lock:
            rollout = self._rollouts[place]
            primary = replace(rollout.primary, gone=rollout.primary.gone | {task.arn})
            self._rollouts[place] = replace(rollout, primary=primary)

    def _tasks(self, place: Place) -> list[Task]:
        service = self._service(place)
        if not _has_tasks(service):
            return []
        return rollouts.tasks(self._rollout(place, service), service["desiredCount"], self._now())

    def _service(self, place: Place) -> Json:
        ecs = self._reach.client("ecs", place.region)
        try:
            found = ecs.describe_services(cluster=place.cluster, services=[place.service])["services"]
        except ClientError as error:
            raise ApiError("ClusterNotFoundException", "Cluster not found.") from error
        if not found:
            raise ApiError("ServiceNotFoundException", "Service not found.")
        service: Json = found[0]
        return service

    def _rollout(self, place: Place, service: Json) -> Rollout:
        """Return the service's current rollout; a service seen for the first time has its tasks."""
        with self._lock:
            if place not in self._rollouts:
                origin = self._origin(place, service, service["taskDefinition"])
                self._rollouts[place] = rollouts.complete(Rollout(_deployment(origin, self._now())))
                self._restarted(place, origin.definition)
            before = self._rollouts[place]
            self._rollouts[place] = after = rollouts.at(before, place.service, self._now())
            if before.before is not None and after.before is None and after.primary is before.primary:
                self._shift(place.region, service)
            return after

    def _shift(self, region: str, service: Json) -> None:
        """Move the traffic to the tasks of a complete deployment, unless it rolls."""
        traffic.shift(self._reach.client("elbv2", region), service)
        self._register(region, service, service["desiredCount"] if _has_tasks(service) else 0)

    def _over(self, place: Place) -> None:
        """Do what is due at the end of a deployment."""
        with suppress(ApiError):
            self._rollout(place, self._service(place))

    def _origin(self, place: Place, service: Json, definition: str) -> Origin:
        ecs = self._reach.client("ecs", place.region)
        found = ecs.describe_task_definition(taskDefinition=definition)["taskDefinition"]
        strategy = service.get("capacityProviderStrategy") or [{}]
        network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        details = {
            "capacityProviderName": strategy[0].get("capacityProvider"),
            "launchType": "FARGATE",
            "startedBy": "ecs-svc",
        }
        told = {name: value for name, value in details.items() if value}
        group, subnets = f"service:{place.service}", network.get("subnets") or [""]
        return Origin(service["clusterArn"], found, group, told, subnets[0])

    def _describe(self, call: JsonCall) -> Json:
        answer = call.beneath()
        return {**answer, "services": [self._told(call.region, each) for each in answer["services"]]}

    def _told(self, region: str, service: Json) -> Json:
        if not _has_tasks(service):
            return service
        place = place_of(region, service["clusterArn"], service["serviceName"])
        count, now = service["desiredCount"], self._now()
        rollout = self._rollout(place, service)
        first = (service.get("deployments") or [{}])[0]
        there = {name: first[name] for name in ("launchType", "networkConfiguration") if first.get(name)}
        deployments = [{**there, **each} for each in rollouts.shown(rollout, count, now)]
        events = rollouts.events(rollout, place.service, now)[-_EVENTS:]
        return {
            **service,
            "taskDefinition": deployments[0]["taskDefinition"],
            "runningCount": sum(each["runningCount"] for each in deployments),
            "pendingCount": sum(each["pendingCount"] for each in deployments),
            "deployments": deployments,
            "events": [
                {"id": f"{number}-{place.service}", "createdAt": at, "message": said}
                for number, (at, said) in reversed(list(enumerate(events)))
            ],
        }

    def _with_service(self, call: JsonCall, answer: Json) -> Json:
        told = self._told(call.region, answer["service"])
        self._register(call.region, told, told["desiredCount"])
        return {**answer, "service": told}

    def _update(self, call: JsonCall) -> Json:
        body = call.body
        place = place_of(call.region, body.get("cluster", "default"), body["service"])
        service = self._service(place)
        if service["status"] != "ACTIVE":
            raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
        answer = call.beneath()
        if self._begin(place, body, answer["service"]):
            self._reach.surroundings.after(rollouts.SECONDS, lambda: self._over(place))
        return self._with_service(call, answer)

    def _begin(self, place: Place, body: Mapping[str, Any], service: Json) -> bool:
        """Start a deployment if the call requests one; returns whether it did."""
        with self._lock:
            current = self._rollout(place, service).primary
            there = current.origin.definition["taskDefinitionArn"]
            origin = self._origin(place, service, body.get("taskDefinition") or there)
            if origin.definition["taskDefinitionArn"] == there and not body.get("forceNewDeployment"):
                return False
            fails = self._reach.surroundings.faults.of_rollout(place.service)
            fresh = replace(_deployment(origin, self._now()), fails=fails)
            rollout = self._rollouts[place]
            self._rollouts[place] = Rollout(fresh, rollout.primary, rollout.events)
            if not fails:
                self._restarted(place, origin.definition)
            return True

    def _delete(self, call: JsonCall) -> Json:
        answer = call.beneath()
        service: Json = answer["service"]
        with self._lock:
            self._rollouts.pop(place_of(call.region, service["clusterArn"], service["serviceName"]), None)
        self._register(call.region, service, 0)
        return answer

    def _register(self, region: str, service: Json, count: int) -> None:
        """Give the target group with the traffic a healthy target for each running task."""
        elb = self._reach.client("elbv2", region)
        for group, port, percent in list(traffic.groups(elb, service)):
            try:
                health = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
            except ClientError:
                continue  # it was deleted before its service
            there = {each["Target"]["Id"] for each in health}
            wanted = {_target(number) for number in range(count)} if percent else set[str]()
            for operation, ids in (
                (elb.register_targets, wanted - there),
                (elb.deregister_targets, there - wanted),
            ):
                if ids:
                    targets = [{"Id": each, "Port": port} for each in sorted(ids)]
                    operation(TargetGroupArn=group, Targets=targets)

    def _now(self) -> float:
        return self._reach.surroundings.now()


def _has_tasks(service: Json) -> bool:
    return service["status"] == "ACTIVE" and bool(service.get("taskDefinition"))


def _target(number: int) -> str:
    """Return an address of this machine: a group accepts each address once."""
    return f"{ADDRESS.rsplit('.', 1)[0]}.{number + 1}"


def place_of(region: str, cluster: str, service: str) -> Place:
    """Return the service of those names or ARNs."""
    return Place(region, cluster.rsplit("/", 1)[-1], service.rsplit("/", 1)[-1])


def _deployment(origin: Origin, now: float) -> Deployment:
    return Deployment(f"ecs-svc/{random.randrange(10**19)}", origin, now)  # noqa: S311 - an id, no secret
