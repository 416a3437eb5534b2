"""
ECS tasks: RunTask, and ListTasks, DescribeTasks and StopTask for one-off tasks and services' tasks.

Answered in front of moto, whose tasks neither end nor know their service. Error messages are ECS's.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from sandbox.errors import ApiError
from sandbox.services import tasks
from sandbox.services.json_api import Json, JsonCall, Operation
from sandbox.services.pulls import failure
from sandbox.services.reach import Reach
from sandbox.services.service_tasks import ServiceTasks
from sandbox.services.tasks import Origin, Stop, Task

_TARGET = "AmazonEC2ContainerServiceV20141113."
_GIVEN = ("startedBy", "overrides", "tags", "enableExecuteCommand")
_PAGE = 100


class OneOffTasks:
    """The tasks of one account."""

    def __init__(self, reach: Reach, services: ServiceTasks) -> None:
        self._reach = reach
        self._services = services
        self._lock = threading.Lock()
        self._held: dict[tuple[str, str], Task] = {}  # by region and ARN

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The operations answered in front of moto, by X-Amz-Target."""
        return {
            f"{_TARGET}RunTask": self._run,
            f"{_TARGET}ListTasks": self._list,
            f"{_TARGET}DescribeTasks": self._describe,
            f"{_TARGET}StopTask": self._stop,
        }

    def clear(self) -> None:
        """Forget every task."""
        with self._lock:
            self._held.clear()

    def _run(self, call: JsonCall) -> Json:
        origin = self._origin(call)
        count = int(call.body.get("count", 1))
        if not 1 <= count <= 10:
            raise _invalid("Task count must be between 1 and 10.")
        made = [self._begun(call.region, origin) for _ in range(count)]
        self._reach.surroundings.after(tasks.ENDS, lambda: None)  # so that `finish` advances to it
        return {"tasks": [tasks.shown(task, self._now()) for task in made], "failures": []}

    def _begun(self, region: str, origin: Origin) -> Task:
        arn = f"{origin.cluster.replace(':cluster/', ':task/')}/{uuid.uuid4().hex}"
        fault = self._reach.surroundings.faults.of_task(origin.definition["family"])
        exit_code, why = fault.exit_code if fault else 0, failure(self._reach, region, origin.definition)
        task = tasks.one_off(arn, origin, self._now(), exit_code, why)
        with self._lock:
            self._held[region, arn] = task
        return task

    def _origin(self, call: JsonCall) -> Origin:
        body, ecs = call.body, self._reach.client("ecs", call.region)
        cluster = self._cluster(call)
        try:
            found = ecs.describe_task_definition(taskDefinition=body["taskDefinition"])["taskDefinition"]
        except ClientError as error:
            raise ApiError("ClientException", "TaskDefinition not found.") from error
        if found["status"] != "ACTIVE":
            raise ApiError("ClientException", "TaskDefinition is inactive")
        network = body.get("networkConfiguration", {}).get("awsvpcConfiguration")
        if found.get("networkMode") == "awsvpc":
            self._check_network(call.region, network)
        details = {name: body[name] for name in _GIVEN if body.get(name)} | _launch(body, cluster)
        group, subnets = body.get("group") or f"family:{found['family']}", (network or {}).get("subnets")
        return Origin(cluster["clusterArn"], found, group, details, (subnets or [""])[0])

    def _check_network(self, region: str, network: Mapping[str, Any] | None) -> None:
        if not network:
            raise _invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
        ec2 = self._reach.client("ec2", region)
        asked = (
            ("subnet", ec2.describe_subnets, "SubnetIds", network.get("subnets", [])),
            ("security group", ec2.describe_security_groups, "GroupIds", network.get("securityGroups", [])),
        )
        for kind, describe, which, ids in asked:
            try:
                describe(**{which: ids})
            except ClientError as error:
                details = error.response["Error"]
                said = f"{details.get('Message', '')} (ErrorCode: {details.get('Code', '')})"
                raise _invalid(f"Error retrieving {kind} information for {ids}: {said}") from error

    def _cluster(self, call: JsonCall) -> Json:
        name = call.body.get("cluster", "default")
        found = self._reach.client("ecs", call.region).describe_clusters(clusters=[name])["clusters"]
        if not found or found[0]["status"] != "ACTIVE":
            raise ApiError("ClusterNotFoundException", "Cluster not found.")
        cluster: Json = found[0]
        return cluster

    def _all(self, call: JsonCall) -> list[Task]:
        """Return the tasks of the call's cluster, those of its services first."""
        cluster, service = self._cluster(call)["clusterArn"], call.body.get("serviceName")
        found = self._services.tasks(call.region, cluster, service)
        if service is not None:
            return found
        with self._lock:
            return found + [task for task in self._held.values() if task.origin.cluster == cluster]

    def _list(self, call: JsonCall) -> Json:
        body, now = call.body, self._now()
        wanted = {
            "desiredStatus": body.get("desiredStatus", "RUNNING"),
            "startedBy": body.get("startedBy"),
            "launchType": body.get("launchType"),
        }
        family = body.get("family")
        arns = [
            task.arn
            for task in self._all(call)
            if _fits(tasks.shown(task, now), wanted) and family in (None, task.origin.definition["family"])
        ]
        begin = int(body.get("nextToken") or 0)
        end = begin + min(int(body.get("maxResults") or _PAGE), _PAGE)
        more = {"nextToken": str(end)} if end < len(arns) else {}
        return {"taskArns": arns[begin:end], **more}

    def _describe(self, call: JsonCall) -> Json:
        asked, there = call.body["tasks"], self._all(call)
        found = {given: _named(there, given) for given in asked}
        cluster = self._cluster(call)["clusterArn"].replace(":cluster/", ":task/")
        return {
            "tasks": [tasks.shown(task, self._now()) for task in found.values() if task is not None],
            "failures": [
                {"arn": given if given.startswith("arn:") else f"{cluster}/{given}", "reason": "MISSING"}
                for given, task in found.items()
                if task is None
            ],
        }

    def _stop(self, call: JsonCall) -> Json:
        task, now = _named(self._all(call), call.body["task"]), self._now()
        if task is None:
            raise _invalid("The referenced task was not found.")
        if task.stopped <= now:
            return {"task": tasks.shown(task, now)}
        ran = task.running <= now
        reason = call.body.get("reason") or "Task stopped by user"
        ended = replace(task, stopped=now, stop=Stop("UserInitiated", reason, 143 if ran else None))
        if task.origin.group.startswith("service:"):
            self._services.replace(call.region, task)
        with self._lock:
            self._held[call.region, task.arn] = ended
        return {"task": tasks.shown(ended, now)}

    def _now(self) -> float:
        return self._reach.surroundings.now()


def _launch(body: Mapping[str, Any], cluster: Json) -> dict[str, str]:
    """Return the task's launch type; the default would be instances, of which there are none."""
    strategy = body.get("capacityProviderStrategy") or cluster.get("defaultCapacityProviderStrategy")
    if body.get("launchType"):
        strategy = None
    if not strategy and body.get("launchType") != "FARGATE":
        raise _invalid("No Container Instances were found in your cluster.")
    provider = {"capacityProviderName": str(strategy[0]["capacityProvider"])} if strategy else {}
    return {"launchType": "FARGATE", **provider}


def _fits(shown: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(value is None or shown.get(name) == value for name, value in wanted.items())


def _named(there: Iterable[Task], given: str) -> Task | None:
    return next((task for task in there if given in (task.arn, task.arn.rsplit("/", 1)[-1])), None)


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
